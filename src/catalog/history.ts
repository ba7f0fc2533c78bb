/**
 * The versions of a series as the tables know them. What is missing is called missing: a version that no table lists
 * is never invented, and a first release that a table claims is no proof that the series was published then.
 */
import { CarrelError } from '../errors.ts';
import type { Row, Session } from './engine.ts';
import { versionNotes } from './history-versions.ts';
import type { OpenTables } from './open-tables.ts';
import { bucketsOf } from './series-rows.ts';

/** One version of a series. */
export interface SeriesVersion {
  crdc_series_uuid: string;
  SeriesInstanceUID: string;
  collection_id: string;
  minRelease: number;
  maxRelease: number;
  /** Ranges of releases, several where it left and came back; with the buckets of that time. */
  ranges: { from: number; to: number; buckets: Record<string, string> }[];
  /** True for the version that the newest tables hold. */
  current: boolean;
  /** Bytes; null where unknown. */
  bytes: number | null;
  bytesRounded: boolean;
  /** Files; null for superseded versions. */
  instanceCount: number | null;
}

/** Versions of one series, oldest first. */
export interface History {
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientID: string;
  versions: SeriesVersion[];
  /** Releases between the first and the last known one that hold no version. */
  gaps: { from: number; to: number }[];
  /** Release of the tables that this was read from: `v25`. */
  asOf: string;
  /** Sentences about what the tables leave open. */
  notes: string[];
}

/** Reads the history by SeriesInstanceUID or by the uuid of any version. Throws `not-found`. */
export async function readHistory(session: Session, tables: OpenTables, id: string): Promise<History> {
  const column = /^[0-9a-f]{8}-/i.test(id.trim()) ? 'crdc_series_uuid' : 'SeriesInstanceUID';
  const value = column === 'crdc_series_uuid' ? id.trim().toLowerCase() : id.trim();
  const series =
    column === 'SeriesInstanceUID'
      ? 'SELECT $value AS uid'
      : 'SELECT SeriesInstanceUID AS uid FROM carrel.versions WHERE crdc_series_uuid = $value';
  const prior = tables.relations.hasPrior
    ? `UNION ALL SELECT * FROM (${historySql(tables)}) WHERE SeriesInstanceUID IN (SELECT uid FROM wanted)`
    : '';
  const rows = await session.rows(
    `WITH wanted AS MATERIALIZED (${series})
     SELECT crdc_series_uuid, SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id, carrel_bytes, carrel_rounded,
       ${bucketList(tables, [...tables.relations.columns, ...tables.relations.bucketColumns])} instanceCount AS files,
       series_init_idc_version AS init, carrel_min AS first, carrel_max AS last, true AS newest
     FROM carrel.current WHERE SeriesInstanceUID IN (SELECT uid FROM wanted) ${prior} ORDER BY first, last`,
    { value },
  );
  let least = 0;
  if (tables.relations.hasPrior && rows.length > 0) {
    const [row] = await session.rows('SELECT min(min_idc_version) AS least FROM prior_versions_index');
    least = Number(row?.['least'] ?? 0);
  }
  return historyOf(tables, value, rows, least);
}

/** Names of the values that a history is made from, in the order of `historySql`. */
export function historyNames(tables: Pick<OpenTables, 'relations'>): string[] {
  const before = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID', 'collection_id'];
  const after = ['files', 'init', 'first', 'last', 'newest'];
  return [...before, 'carrel_bytes', 'carrel_rounded', ...tables.relations.bucketColumns, ...after];
}

/** The table of prior versions, row by row, under `historyNames`. */
export function historySql(tables: Pick<OpenTables, 'relations' | 'content'>): string {
  const rounded =
    tables.content.tables.find(({ name }) => name === 'prior_versions_index')?.sizes !== 'exact';
  return `SELECT crdc_series_uuid, SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id,
    round(series_size_MB * 1e6)::BIGINT AS carrel_bytes, ${rounded} AS carrel_rounded,
    ${bucketList(tables, tables.relations.priorColumns)} NULL::BIGINT AS files, NULL::BIGINT AS init,
    min_idc_version AS first, max_idc_version AS last, false AS newest FROM prior_versions_index`;
}

function bucketList({ relations }: Pick<OpenTables, 'relations'>, known: string[]): string {
  return relations.bucketColumns
    .map((name) => `${known.includes(name) ? `"${name}"` : 'NULL::VARCHAR'} AS "${name}",`)
    .join(' ');
}

/**
 * The history from its rows, ordered by first and last release. Throws `not-found` where there are none.
 *
 * @param least first release that the table of prior versions knows
 */
export function historyOf(
  tables: Omit<OpenTables, 'engine'>,
  value: string,
  rows: Row[],
  least: number,
): History {
  const prefix = tables.archive.catalog.releasePrefix;
  const asOf = `${prefix}${tables.tablesRelease}`;
  const [newest] = [...rows].reverse();
  if (newest === undefined) {
    throw new CarrelError('not-found', `no version of ${value} in the tables of ${asOf}`, {
      item: value,
      next: 'a series that was withdrawn altogether stands in the tables of its own time only: carrel catalog update --version VERSION',
    });
  }
  const versions = versionsOf(tables, rows);
  const gaps = gapsOf(versions);
  return {
    SeriesInstanceUID: String(newest['SeriesInstanceUID']),
    StudyInstanceUID: String(newest['StudyInstanceUID']),
    PatientID: String(newest['PatientID']),
    versions,
    gaps,
    asOf,
    notes: notesOf(tables, rows, versions, gaps, least),
  };
}

/** One version per uuid: ranges that touch are joined, a row inside another (with twice the size) is dropped. */
function versionsOf(tables: Pick<OpenTables, 'archive'>, rows: Row[]): SeriesVersion[] {
  const byUuid = new Map<string, SeriesVersion>();
  for (const row of rows) {
    const uuid = String(row['crdc_series_uuid']);
    const range = {
      from: Number(row['first']),
      to: Number(row['last']),
      buckets: bucketsOf(tables.archive, row),
    };
    const bytes = row['carrel_bytes'] === null ? null : Number(row['carrel_bytes']);
    const known = byUuid.get(uuid);
    if (known === undefined) {
      byUuid.set(uuid, {
        crdc_series_uuid: uuid,
        SeriesInstanceUID: String(row['SeriesInstanceUID']),
        collection_id: String(row['collection_id']),
        minRelease: range.from,
        maxRelease: range.to,
        ranges: [range],
        current: row['newest'] === true,
        bytes,
        bytesRounded: row['carrel_rounded'] === true,
        instanceCount: row['files'] === null ? null : Number(row['files']),
      });
      continue;
    }
    if (bytes !== null && (known.bytes === null || bytes < known.bytes)) known.bytes = bytes;
    if (!known.ranges.some((other) => other.from <= range.from && range.to <= other.to))
      known.ranges.push(range);
    if (range.to > known.maxRelease) known.collection_id = String(row['collection_id']);
    known.minRelease = Math.min(known.minRelease, range.from);
    known.maxRelease = Math.max(known.maxRelease, range.to);
  }
  return [...byUuid.values()].sort((a, b) => a.minRelease - b.minRelease || a.maxRelease - b.maxRelease);
}

/** Releases that no range of any version covers. */
function gapsOf(versions: SeriesVersion[]): { from: number; to: number }[] {
  const ranges = versions.flatMap(({ ranges: own }) => own).sort((a, b) => a.from - b.from);
  const gaps: { from: number; to: number }[] = [];
  let reached = ranges[0]?.to ?? 0;
  for (const { from, to } of ranges) {
    if (from > reached + 1) gaps.push({ from: reached + 1, to: from - 1 });
    reached = Math.max(reached, to);
  }
  return gaps;
}

function notesOf(
  tables: Omit<OpenTables, 'engine'>,
  rows: Row[],
  versions: SeriesVersion[],
  gaps: History['gaps'],
  least: number,
): string[] {
  const prefix = tables.archive.catalog.releasePrefix;
  const notes = versionNotes(tables, rows, versions, gaps);
  const first = versions[0]?.minRelease ?? 0;
  if (least > 1 && first === least) notes.push(`the tables say nothing of releases before ${prefix}${least}`);
  return notes;
}
