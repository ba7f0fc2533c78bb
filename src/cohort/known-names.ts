/**
 * What the tables know of a whole list of names, asked in a few questions whatever its length: uuids of series
 * versions, and what DICOM UIDs name.
 */
import type { Catalog, SeriesRow, UidMatch } from '../catalog/index.ts';
import type { CrdcUuid, Identifier } from '../identifiers/index.ts';
import type { Wanted } from './gather.ts';
import type { Tools } from './question.ts';

/** Answers for a whole list. */
export interface KnownNames {
  /** Rows of series versions by uuid. */
  rows: ReadonlyMap<string, SeriesRow>;
  /** Matches of DICOM UIDs; a UID that was asked for and is missing is unknown. */
  uids: ReadonlyMap<string, readonly UidMatch[]>;
  /** Names of a long list that no table knows in any way: nothing need be asked about them one by one. */
  unknown: ReadonlySet<string>;
}

/** From so many names on, PatientIDs and collections are asked about at once. */
const MANY_NAMES = 8;

/** Asks the catalogue about every uuid and every UID of a list. Without a catalogue nothing is known. */
export async function askForNames(wanted: readonly Wanted[], tools: Tools): Promise<KnownNames> {
  const { catalog, signal } = tools;
  const uuids = new Set<string>();
  const uids = new Set<string>();
  for (const { identifier, others } of wanted) {
    for (const one of [identifier, ...others]) for (const uuid of seriesUuidsIn(one)) uuids.add(uuid);
    if (identifier.kind === 'dicom-uid') uids.add(identifier.uid);
  }
  const names = new Set(
    wanted.flatMap(({ identifier }) => (identifier.kind === 'name' ? [identifier.name] : [])),
  );
  if (names.size < MANY_NAMES) names.clear();
  if (catalog === undefined || uuids.size + uids.size + names.size === 0)
    return { rows: new Map(), uids: new Map(), unknown: new Set() };
  // A name that is a data set is asked about by itself: it may have more series than a list can hold.
  const datasets = names.size === 0 ? new Set<string>() : await datasetNames(catalog, signal);
  const patients = [...names].filter((name) => !datasets.has(name.toLowerCase()));
  for (const name of patients) uids.add(name);
  const matches =
    uids.size === 0 ? new Map<string, UidMatch[]>() : await catalog.lookUpUids([...uids], { signal });
  for (const found of matches.values())
    for (const { versions } of found) for (const uuid of versions) uuids.add(uuid);
  const unknown = new Set(patients.filter((name) => !matches.has(name)));
  return { rows: await catalog.seriesByUuid([...uuids], { signal }), uids: matches, unknown };
}

/** Collections and analysis results of any release, in small letters. */
async function datasetNames(catalog: Catalog, signal: AbortSignal | undefined): Promise<Set<string>> {
  const found = new Set<string>();
  for (const column of ['collection_id', 'analysis_result_id'])
    for (const { values } of (await catalog.groupBy({}, [column], { signal })).rows)
      found.add(String(values[column]).toLowerCase());
  if ((await catalog.tables()).some(({ name, installed }) => name === PRIOR && installed)) {
    const { rows } = await catalog.query(`SELECT DISTINCT collection_id FROM ${PRIOR}`, { signal });
    for await (const piece of rows) for (const [name] of piece) found.add(String(name).toLowerCase());
  }
  return found;
}

const PRIOR = 'prior_versions_index';

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
