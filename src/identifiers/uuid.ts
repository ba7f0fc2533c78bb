/** CRDC UUIDs and the GUIDs made of them. */
import type { CrdcUuid } from './identifier.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A GUID prefix of the Data GUIDs minting service: `dg.4DFC`. Never a host name, though it stands where one would. */
const GUID_PREFIX = /^dg\.[A-Za-z0-9]+$/i;

/** Prefixes known from the start, as they are printed. All nodes of NCI's Cancer Research Data Commons share one. */
export const KNOWN_GUID_PREFIXES: readonly string[] = ['dg.4DFC'];

/** Misspellings that stand in published manifests (IDC's bundle-manifest SQL wrote the first). */
const MISSPELT_PREFIXES: Record<string, string> = { 'dg.4dcf': 'dg.4DFC' };

/** True for a UUID in lower case, of any version. */
export function isCrdcUuid(text: string): text is CrdcUuid {
  return UUID.test(text);
}

/** The UUID in lower case, or undefined where the text is none. */
export function asUuid(text: string): CrdcUuid | undefined {
  const lower = text.length === 36 ? text.toLowerCase() : text;
  return isCrdcUuid(lower) ? lower : undefined;
}

/** True for `dg.` and letters or digits, in any case. */
export function isGuidPrefix(text: string): boolean {
  return text.length <= 64 && GUID_PREFIX.test(text);
}

/** The prefix in its known spelling, with a remark where a known misspelling was corrected. */
export function canonicalPrefix(
  prefix: string,
  more: readonly string[] = [],
): { prefix: string; warning?: string } {
  const lower = prefix.toLowerCase();
  const known = [...more, ...KNOWN_GUID_PREFIXES].find((candidate) => candidate.toLowerCase() === lower);
  if (known !== undefined) return { prefix: known };
  const meant = Object.hasOwn(MISSPELT_PREFIXES, lower) ? MISSPELT_PREFIXES[lower] : undefined;
  if (meant === undefined) return { prefix };
  return { prefix: meant, warning: `${prefix} is a known misspelling of ${meant}; read as ${meant}` };
}

/** `drs://dg.4DFC/<uuid>`, the form that IDC itself publishes. */
export function toDrsUri(uuid: string, prefix: string = KNOWN_GUID_PREFIXES[0] ?? ''): string {
  return `drs://${prefix}/${uuid}`;
}
