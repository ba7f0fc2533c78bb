/** The versions of series as all installed tables together know them. */
import type { Row, Session } from './engine.ts';
import {
  describeVersions,
  gapsOf,
  type KnownHistory,
  type KnownVersion,
  versionNotes,
  versionsOf,
} from './history-versions.ts';
import { bucketColumnsOf } from './open-tables.ts';
import type { Side } from './side-by-side.ts';

/** Histories of the series in `temp.wanted`, by UID. */
export async function seriesHistories(session: Session, sides: readonly Side[]): Promise<KnownHistory[]> {
  const [newest, ...older] = sides;
  if (newest === undefined) return [];
  const known = groupByUid(await rangesOf(session, newest));
  const listed: { side: Side; current: Row[]; ranges: Row[] }[] = [];
  for (const side of older) {
    const ranges = await rangesOf(session, side);
    listed.push({ side, current: ranges.filter((row) => row['newest'] === true), ranges });
  }
  const uids = new Set([...known.keys(), ...listed.flatMap(({ ranges }) => ranges.map(uidOf))]);
  return [...uids].sort().map((uid) => historyOf(uid, newest, known.get(uid) ?? [], listed));
}

const uidOf = (row: Row) => String(row['SeriesInstanceUID']);

function groupByUid(rows: readonly Row[]): Map<string, Row[]> {
  const grouped = new Map<string, Row[]>();
  for (const row of rows) grouped.set(uidOf(row), [...(grouped.get(uidOf(row)) ?? []), row]);
  return grouped;
}

async function rangesOf(session: Session, side: Side): Promise<Row[]> {
  const { relations, archive } = side.tables;
  const buckets = Object.keys(bucketColumnsOf(archive))
    .map((name) => `${relations.bucketColumns.includes(name) ? `"${name}"` : 'NULL::VARCHAR'} AS "${name}"`)
    .join(', ');
  return await session.rows(
    `SELECT crdc_series_uuid, SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id, carrel_bytes, carrel_rounded, ${buckets},
       instanceCount AS files, series_init_idc_version AS init, carrel_min AS first, carrel_max AS last, carrel_current AS newest
     FROM ${side.name}.carrel.ranges WHERE SeriesInstanceUID IN (SELECT uid FROM temp.wanted) ORDER BY first, last`,
  );
}

function historyOf(
  uid: string,
  newest: Side,
  rows: readonly Row[],
  listed: readonly { side: Side; current: Row[]; ranges: Row[] }[],
): KnownHistory {
  const { archive, tablesRelease } = newest.tables;
  const versions = versionsOf(archive, rows);
  for (const version of versions) if (version.current) version.publishedIn.push(tablesRelease);
  const byUuid = new Map(versions.map((version) => [version.crdc_series_uuid, version]));
  for (const { side, current, ranges } of listed) {
    const release = side.tables.tablesRelease;
    const here = current.filter((row) => uidOf(row) === uid);
    for (const row of here) {
      const version = byUuid.get(String(row['crdc_series_uuid']));
      if (version === undefined) continue;
      version.publishedIn.push(release);
      version.instanceCount ??= row['files'] === null ? null : Number(row['files']);
    }
    for (const version of versions) {
      const covers = version.ranges.some(({ from, to }) => from <= release && release <= to);
      if (covers && !here.some((row) => row['crdc_series_uuid'] === version.crdc_series_uuid))
        version.absentFrom.push(release);
    }
    addWithdrawn(
      versions,
      byUuid,
      side,
      ranges.filter((row) => uidOf(row) === uid),
    );
  }
  versions.sort((a, b) => a.minRelease - b.minRelease || a.maxRelease - b.maxRelease);
  for (const version of versions) {
    version.publishedIn.sort((a, b) => a - b);
    version.absentFrom.sort((a, b) => a - b);
  }
  describeVersions(archive, versions);
  const last = versions.at(-1);
  const gaps = gapsOf(versions);
  return {
    SeriesInstanceUID: uid,
    StudyInstanceUID: last?.StudyInstanceUID ?? '',
    PatientID: last?.PatientID ?? '',
    versions,
    gaps,
    asOf: `${archive.catalog.releasePrefix}${tablesRelease}`,
    notes: [...versionNotes(newest.tables, rows, versions, gaps), ...evidenceNotes(newest, versions)],
  };
}

/** What older tables list and the newest ones know nothing of: withdrawn. A range of one release is all that is certain. */
function addWithdrawn(
  versions: KnownVersion[],
  byUuid: Map<string, KnownVersion>,
  side: Side,
  rows: readonly Row[],
): void {
  for (const version of versionsOf(side.tables.archive, rows)) {
    const known = byUuid.get(version.crdc_series_uuid);
    const { tablesRelease } = side.tables;
    if (known === undefined) {
      version.state = 'withdrawn';
      if (version.current) version.publishedIn.push(tablesRelease);
      version.current = false;
      versions.push(version);
      byUuid.set(version.crdc_series_uuid, version);
    } else if (known.state === 'withdrawn') {
      if (version.current && !known.publishedIn.includes(tablesRelease))
        known.publishedIn.push(tablesRelease);
      known.minRelease = Math.min(known.minRelease, version.minRelease);
      known.maxRelease = Math.max(known.maxRelease, version.maxRelease);
      known.instanceCount ??= version.instanceCount;
      known.ranges = joined([...known.ranges, ...version.ranges]);
    }
  }
}

/** Ranges in order; those that overlap are one. */
function joined(ranges: KnownVersion['ranges']): KnownVersion['ranges'] {
  const result: KnownVersion['ranges'] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else result.push({ ...range });
  }
  return result;
}

function evidenceNotes(newest: Side, versions: readonly KnownVersion[]): string[] {
  const prefix = newest.tables.archive.catalog.releasePrefix;
  const name = (numbers: readonly number[]) => numbers.map((number) => `${prefix}${number}`).join(', ');
  return versions.flatMap((version) => {
    if (version.state === 'withdrawn')
      return [
        `${version.crdc_series_uuid} was withdrawn: older tables list it${version.publishedIn.length > 0 ? ` (${name(version.publishedIn)})` : ''}, those of ${newest.tables.version} do not; its files may be gone from the buckets`,
      ];
    if (version.absentFrom.length > 0)
      return [
        `${version.crdc_series_uuid} was not public then: the tables of ${name(version.absentFrom)} themselves do not list it`,
      ];
    return [];
  });
}
