/**
 * What the tables know of a whole list of names, asked in a few questions whatever its length: uuids of series
 * versions, and what DICOM UIDs name.
 */
import type { SeriesRow, UidMatch } from '../catalog/index.ts';
import type { CrdcUuid, Identifier } from '../identifiers/index.ts';
import type { Wanted } from './gather.ts';
import type { Tools } from './question.ts';

/** Answers for a whole list. */
export interface KnownNames {
  /** Rows of series versions by uuid. */
  rows: ReadonlyMap<string, SeriesRow>;
  /** Matches of DICOM UIDs; a UID that was asked for and is missing is unknown. */
  uids: ReadonlyMap<string, readonly UidMatch[]>;
}

/** Asks the catalogue about every uuid and every UID of a list. Without a catalogue nothing is known. */
export async function askForNames(wanted: readonly Wanted[], tools: Tools): Promise<KnownNames> {
  const { catalog, signal } = tools;
  const uuids = new Set<string>();
  const uids = new Set<string>();
  for (const { identifier, others } of wanted) {
    for (const one of [identifier, ...others]) for (const uuid of seriesUuidsIn(one)) uuids.add(uuid);
    if (identifier.kind === 'dicom-uid') uids.add(identifier.uid);
  }
  if (catalog === undefined || uuids.size + uids.size === 0) return { rows: new Map(), uids: new Map() };
  const matches =
    uids.size === 0 ? new Map<string, UidMatch[]>() : await catalog.lookUpUids([...uids], { signal });
  for (const found of matches.values())
    for (const { versions } of found) for (const uuid of versions) uuids.add(uuid);
  return { rows: await catalog.seriesByUuid([...uuids], { signal }), uids: matches };
}

/** Uuids in an identifier that may be those of a series version. */
export function seriesUuidsIn(identifier: Identifier): CrdcUuid[] {
  switch (identifier.kind) {
    case 'crdc-uuid':
    case 'guid':
      return [identifier.uuid];
    case 'drs':
    case 'drs-url':
      return identifier.uuid === undefined ? [] : [identifier.uuid];
    case 'object-url':
    case 'compound-object':
      return identifier.seriesUuid === undefined ? [] : [identifier.seriesUuid];
    default:
      return [];
  }
}
