/**
 * Many DICOM UIDs at once: what each names, in one pass over the tables instead of one pass each (a list of 65,000
 * series once took idc-index half an hour).
 */
import type { Row, Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';

/** What a UID names, by the uuids of its series versions. */
export interface UidMatch {
  level: 'series' | 'study' | 'patient' | 'instance';
  /** The collection, for a UID that is a PatientID. */
  collection_id: string | null;
  /** Series versions in the release asked for; of what it does not hold, in the last release that did. */
  versions: string[];
  /** `instance` only: the file. */
  crdc_instance_uuid?: string | undefined;
}

/** Level → column, in the order in which matches are given. */
export const UID_COLUMNS = {
  series: 'SeriesInstanceUID',
  study: 'StudyInstanceUID',
  patient: 'PatientID',
} as const;

/** Looks every UID up; one that the tables do not know is missing from the map. */
export async function lookUpUids(
  session: Session,
  tables: OpenTables,
  uids: readonly string[],
): Promise<Map<string, UidMatch[]>> {
  const found = new Map<string, UidMatch[]>();
  await probe(session, 'carrel.series', uids, found, false);
  const left = uids.filter((uid) => !found.has(uid));
  if (left.length > 0 && tables.relations.hasPrior)
    await probe(session, 'carrel.versions', left, found, true);
  const unknown = left.filter((uid) => !found.has(uid));
  if (unknown.length > 0 && tables.content.tables.some(({ name }) => name === 'sm_instance_index')) {
    await probeInstances(session, unknown, found);
  }
  return found;
}

async function probe(
  session: Session,
  relation: string,
  uids: readonly string[],
  found: Map<string, UidMatch[]>,
  lastOnly: boolean,
): Promise<void> {
  // One scan per level: a hash join on one column beats one scan with three conditions.
  for (const [level, column] of Object.entries(UID_COLUMNS) as [keyof typeof UID_COLUMNS, string][]) {
    const last = lastOnly ? `QUALIFY carrel_max = max(carrel_max) OVER (PARTITION BY ${column})` : '';
    const rows = await session.rows(
      `SELECT ${column} AS uid, collection_id, crdc_series_uuid FROM ${relation}
       WHERE ${column} IN (SELECT unnest($uids)) ${last} ORDER BY uid, collection_id, crdc_series_uuid`,
      { uids: [...uids] },
    );
    for (const row of rows) addUidRow(found, row, level);
  }
}

/** Adds a row (`uid`, `collection_id`, `crdc_series_uuid`) to what is found. */
export function addUidRow(
  found: Map<string, UidMatch[]>,
  row: Row,
  level: 'series' | 'study' | 'patient',
): void {
  const uid = String(row['uid']);
  const collection = level === 'patient' ? String(row['collection_id']) : null;
  const matches = found.get(uid) ?? [];
  found.set(uid, matches);
  // A PatientID in two collections is two patients.
  let match = matches.find((one) => one.level === level && one.collection_id === collection);
  if (match === undefined) {
    match = { level, collection_id: collection, versions: [] };
    matches.push(match);
  }
  const uuid = String(row['crdc_series_uuid']);
  if (!match.versions.includes(uuid)) match.versions.push(uuid);
}

async function probeInstances(
  session: Session,
  uids: readonly string[],
  found: Map<string, UidMatch[]>,
): Promise<void> {
  const rows = await session.rows(
    `SELECT i.SOPInstanceUID AS uid, i.crdc_instance_uuid AS instance, s.crdc_series_uuid AS version
     FROM sm_instance_index i JOIN carrel.series s USING (SeriesInstanceUID)
     WHERE i.SOPInstanceUID IN (SELECT unnest($uids)) ORDER BY uid`,
    { uids: [...uids] },
  );
  for (const row of rows) {
    const instance = row['instance'];
    found.set(String(row['uid']), [
      {
        level: 'instance',
        collection_id: null,
        versions: [String(row['version'])],
        crdc_instance_uuid: typeof instance === 'string' ? instance : undefined,
      },
    ]);
  }
}
