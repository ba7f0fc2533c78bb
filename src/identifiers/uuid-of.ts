/** The UUID that an identifier names, whatever its form. */
import type { CrdcUuid, Identifier } from './identifier.ts';

/**
 * The UUID of the thing named: of the instance where the form names one, else of the series; undefined where it holds
 * none. A compound object gives its series.
 */
export function uuidOf(identifier: Identifier): CrdcUuid | undefined {
  switch (identifier.kind) {
    case 'crdc-uuid':
    case 'guid':
    case 'drs':
    case 'drs-url':
      return identifier.uuid;
    case 'object-url':
      return identifier.instanceUuid ?? identifier.seriesUuid;
    case 'compound-object':
      return identifier.seriesUuid;
    case 'dicom-uid':
    case 'doi':
    case 'faspex-link':
    case 'path':
    case 'stdin':
    case 'name':
      return undefined;
  }
}
