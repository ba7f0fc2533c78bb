/**
 * Versions of a series from the rows of the tables, with what became of each: state, return, differences. A row that is
 * missing is not made up.
 */
import type { Archive } from '../archives/index.ts';
import type { Row } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { bucketsOf } from './series-rows.ts';

/** One version of a series. */
export interface SeriesVersion {
  crdc_series_uuid: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientID: string;
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
  /** Files; null for superseded versions, unless tables of their own time are read. */
  instanceCount: number | null;
  /**
   * `current`; `superseded` by the next version; `retired`: it left and nothing took its place then; `withdrawn`: older
   * tables list it, the newest ones do not.
   */
  state: 'current' | 'superseded' | 'retired' | 'withdrawn';
  /** True where the series was in no release just before: it had left and came back. */
  returned: boolean;
  /** What differs from the version before, where both are known. */
  changes: VersionChange[];
  /** Releases whose own tables were read and list it (`published`), and those whose tables should and do not. */
  publishedIn: number[];
  absentFrom: number[];
}

/** Versions of one series, oldest first. */
export interface History {
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientID: string;
  versions: SeriesVersion[];
  /** Releases between the first and the last known one that hold no version. */
  gaps: { from: number; to: number }[];
  /** Release of the newest tables that this was read from: `v25`. */
  asOf: string;
  /** Sentences about what the tables leave open. */
  notes: string[];
}

/** One difference between two versions of a series. */
export interface VersionChange {
  what: 'collection' | 'patient' | 'study' | 'bucket' | 'files' | 'bytes';
  before: string | number;
  after: string | number;
}

/**
 * One version per uuid from its rows, in any order; a row inside another (with twice the size) is dropped, and the
 * smaller size counts.
 */
export function versionsOf(archive: Archive, rows: readonly Row[]): SeriesVersion[] {
  const byUuid = new Map<string, SeriesVersion>();
  const byRange = (a: Row, b: Row) =>
    Number(a['first']) - Number(b['first']) || Number(b['last']) - Number(a['last']);
  for (const row of rows.toSorted(byRange)) {
    const uuid = String(row['crdc_series_uuid']);
    const range = {
      from: Number(row['first']),
      to: Number(row['last']),
      buckets: bucketsOf(archive, row),
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
        PatientID: String(row['PatientID']),
        StudyInstanceUID: String(row['StudyInstanceUID']),
        state: row['newest'] === true ? 'current' : 'superseded',
        returned: false,
        changes: [],
        publishedIn: [],
        absentFrom: [],
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

/** Settles states and differences; versions must stand in their order. */
export function describeVersions(archive: Archive, versions: SeriesVersion[]): void {
  for (const [at, version] of versions.entries()) {
    const before = versions[at - 1];
    const after = versions[at + 1];
    version.returned = before !== undefined && version.minRelease > before.maxRelease + 1;
    if (version.state === 'superseded' && (after === undefined || after.minRelease > version.maxRelease + 1))
      version.state = 'retired';
    version.changes = before === undefined ? [] : changesBetween(archive, before, version);
  }
}

function changesBetween(archive: Archive, before: SeriesVersion, after: SeriesVersion): VersionChange[] {
  const changes: VersionChange[] = [];
  const compare = (what: VersionChange['what'], a: string | number | null, b: string | number | null) => {
    if (a !== null && b !== null && a !== b) changes.push({ what, before: a, after: b });
  };
  compare('collection', before.collection_id, after.collection_id);
  compare('patient', before.PatientID, after.PatientID);
  compare('study', before.StudyInstanceUID, after.StudyInstanceUID);
  const [from, to] = [before.ranges.at(-1)?.buckets ?? {}, after.ranges[0]?.buckets ?? {}];
  // Names differ between the clouds and change with time; a move is one to another class.
  if (classOf(archive, from) !== classOf(archive, to))
    compare('bucket', Object.values(from)[0] ?? null, Object.values(to)[0] ?? null);
  compare('files', before.instanceCount, after.instanceCount);
  const rounded = before.bytesRounded || after.bytesRounded;
  const near =
    rounded && before.bytes !== null && after.bytes !== null && Math.abs(before.bytes - after.bytes) <= 5000;
  if (!near) compare('bytes', before.bytes, after.bytes);
  return changes;
}

function classOf(archive: Archive, buckets: Record<string, string>): string | undefined {
  return archive.bucketClasses.find(({ buckets: own, historical }) =>
    Object.entries(buckets).some(
      ([mirror, bucket]) =>
        own[mirror] === bucket ||
        historical.some((former) => former.mirror === mirror && former.bucket === bucket),
    ),
  )?.name;
}

/** Releases that no range of any version covers. */
export function gapsOf(versions: readonly SeriesVersion[]): { from: number; to: number }[] {
  const ranges = versions.flatMap(({ ranges: own }) => own).sort((a, b) => a.from - b.from);
  const gaps: { from: number; to: number }[] = [];
  let reached = ranges[0]?.to ?? 0;
  for (const { from, to } of ranges) {
    if (from > reached + 1) gaps.push({ from: reached + 1, to: from - 1 });
    reached = Math.max(reached, to);
  }
  return gaps;
}

/** Sentences about what the tables leave open. */
export function versionNotes(
  { tables, rows, least }: { tables: Omit<OpenTables, 'engine'>; rows: readonly Row[]; least: number },
  versions: readonly Pick<SeriesVersion, 'minRelease' | 'maxRelease' | 'current' | 'collection_id'>[],
  gaps: History['gaps'],
): string[] {
  const prefix = tables.archive.catalog.releasePrefix;
  const notes: string[] = [];
  const first = versions[0]?.minRelease ?? 0;
  const last = versions.reduce((most, version) => Math.max(most, version.maxRelease), 0);
  const current = versions.find((version) => version.current);
  const init = rows.map((row) => row['init']).find((value) => typeof value === 'number');
  if (typeof init === 'number' && init < first) {
    notes.push(
      `first seen in ${prefix}${init} by the tables, but no version before ${prefix}${first} is listed: it was withdrawn, or never public`,
    );
  }
  for (const gap of gaps) {
    const shown = gap.from === gap.to ? `${prefix}${gap.from}` : `${prefix}${gap.from} to ${prefix}${gap.to}`;
    notes.push(`in no release from ${shown}: it left and came back`);
  }
  if (current === undefined) notes.push(`not in ${prefix}${tables.tablesRelease}; last in ${prefix}${last}`);
  if (
    current !== undefined &&
    versions.length === 1 &&
    tables.relations.absent.includes('series_revised_idc_version')
  ) {
    notes.push('these tables do not say since when it is as it is');
  }
  const collections = [...new Set(versions.map((version) => version.collection_id))];
  if (collections.length > 1) notes.push(`the collection changed: ${collections.join(' → ')}`);
  if (least > 1 && first === least) notes.push(`the tables say nothing of releases before ${prefix}${least}`);
  return notes;
}
