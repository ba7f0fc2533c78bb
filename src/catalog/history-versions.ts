/**
 * Versions of a series from the rows of the tables, with what became of each: state, return, differences. A row that is
 * missing is not made up.
 */
import type { Archive } from '../archives/index.ts';
import type { Row } from './engine.ts';
import type { History, SeriesVersion } from './history.ts';
import type { OpenTables } from './open-tables.ts';
import { bucketsOf } from './series-rows.ts';

/** A version with the evidence of all installed tables. */
export interface KnownVersion extends SeriesVersion {
  PatientID: string;
  StudyInstanceUID: string;
  /**
   * `current`; `superseded` by the next version; `retired`: it left and nothing took its place then; `withdrawn`: older
   * tables list it, those that were read do not.
   */
  state: 'current' | 'superseded' | 'retired' | 'withdrawn';
  /** True where the series was in no release just before: it had left and came back. */
  returned: boolean;
  /** What differs from the version before, where both are known. */
  changes: VersionChange[];
  /** Releases whose own installed tables list it (`published`), and those whose tables should and do not. */
  publishedIn: number[];
  absentFrom: number[];
}

/** Versions of one series with the evidence of all installed tables, oldest first. */
export interface KnownHistory extends Omit<History, 'versions'> {
  versions: KnownVersion[];
}

/** One difference between two versions of a series. */
export interface VersionChange {
  what: 'collection' | 'patient' | 'study' | 'bucket' | 'files' | 'bytes';
  before: string | number;
  after: string | number;
}

/** One version per uuid: ranges that touch are joined, a row inside another (with twice the size) is dropped. */
export function versionsOf(archive: Archive, rows: readonly Row[]): KnownVersion[] {
  const byUuid = new Map<string, KnownVersion>();
  for (const row of rows) {
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
export function describeVersions(archive: Archive, versions: KnownVersion[]): void {
  for (const [at, version] of versions.entries()) {
    const before = versions[at - 1];
    const after = versions[at + 1];
    version.returned = before !== undefined && version.minRelease > before.maxRelease + 1;
    if (version.state === 'superseded' && (after === undefined || after.minRelease > version.maxRelease + 1))
      version.state = 'retired';
    version.changes = before === undefined ? [] : changesBetween(archive, before, version);
  }
}

function changesBetween(archive: Archive, before: KnownVersion, after: KnownVersion): VersionChange[] {
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
export function gapsOf(versions: readonly KnownVersion[]): { from: number; to: number }[] {
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
  tables: Omit<OpenTables, 'engine'>,
  rows: readonly Row[],
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
  return notes;
}
