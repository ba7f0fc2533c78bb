/** The part behind the slash or the colon of GUIDs and DRS ids. */
import type { CrdcUuid, ParseIdentifierOptions } from './identifier.ts';
import { asUuid, canonicalPrefix, isGuidPrefix } from './uuid.ts';

/** An id as a DRS server is asked for it, with what can be read off it. */
export interface LocalId {
  id: string;
  prefix?: string | undefined;
  uuid?: CrdcUuid | undefined;
  warnings: string[];
}

/**
 * Reads `dg.4DFC/<uuid>`, `dg.4DFC:<uuid>`, `<uuid>` or any other id (decoded). A prefix that stands there twice, a
 * bug class of its own (ga4gh/data-repository-service-schemas issue 340), is taken off once.
 */
export function readLocalId(local: string, options: ParseIdentifierOptions): LocalId {
  const warnings: string[] = [];
  let rest = local;
  let prefix: string | undefined;
  for (;;) {
    const at = rest.search(/[/:]/);
    if (at < 0 || !isGuidPrefix(rest.slice(0, at))) break;
    const found = canonicalPrefix(rest.slice(0, at), options.guidPrefixes);
    if (prefix !== undefined && prefix !== found.prefix) break;
    if (prefix !== undefined) warnings.push(`the prefix ${prefix} stands there twice; read as one`);
    if (found.warning !== undefined) warnings.push(found.warning);
    prefix = found.prefix;
    rest = rest.slice(at + 1);
  }
  const uuid = asUuid(rest);
  return { id: prefix === undefined ? (uuid ?? rest) : `${prefix}/${uuid ?? rest}`, prefix, uuid, warnings };
}
