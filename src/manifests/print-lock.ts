/**
 * Writes `carrel.lock.json`. Two runs of one cohort give the same text, on every machine and in every language
 * setting: order is by UTF-16 code unit, never by locale.
 */
import { type Digest, isDigest } from '../identifiers/index.ts';
import type { LockedFile, LockedSeries, LockFile, LockPart } from './lock-file.ts';
import { LOCK_VERSION } from './lock-schema.ts';

/** A series with its files, as the caller has them: order and further members do not matter. */
export type LockSeriesInput = Omit<LockedSeries, 'files'> & { files: readonly LockedFile[] };

/** What a lock file is made of. */
export interface CreateLockInput {
  archive: { name: string; origin: string };
  release: string | null;
  catalog: { version: string; digest: Digest } | null;
  question: { what: readonly string[]; selection: object };
  layout: string;
  series: readonly LockSeriesInput[];
  /** Objects that belong to no series. */
  files?: readonly LockedFile[] | undefined;
  part?: LockPart | undefined;
}

/** Builds a lock file: sorts everything, drops members that do not belong, takes each digest once. */
export function createLock(input: CreateLockInput): LockFile {
  const lockedFile = createLockedFile();
  return {
    carrel_lock: LOCK_VERSION,
    archive: { name: input.archive.name, origin: input.archive.origin },
    release: input.release,
    catalog: input.catalog === null ? null : { version: input.catalog.version, digest: input.catalog.digest },
    question: { what: [...input.question.what], selection: sortedCopy(input.question.selection) },
    layout: input.layout,
    series: input.series
      .map((series) => ({
        crdc_series_uuid: series.crdc_series_uuid,
        SeriesInstanceUID: series.SeriesInstanceUID,
        StudyInstanceUID: series.StudyInstanceUID,
        PatientID: series.PatientID,
        collection_id: series.collection_id,
        Modality: series.Modality,
        license_short_name: series.license_short_name,
        source_DOI: series.source_DOI,
        files: series.files.map(lockedFile).sort((a, b) => compare(a.key, b.key) || compare(a.path, b.path)),
      }))
      .sort((a, b) => compare(a.crdc_series_uuid, b.crdc_series_uuid)),
    files: (input.files ?? []).map(lockedFile).sort((a, b) => compare(a.path, b.path)),
    ...(input.part === undefined ? {} : { part: partOf(input.part) }),
  };
}

/** The text of a lock file: members in a fixed order, two blanks of indent, a line feed at the end. */
export function printLock(lock: LockFile): string {
  return `${JSON.stringify(createLock(lock), null, 2)}\n`;
}

function partOf({ index, of, series, objects, cohort }: LockPart): LockPart {
  return { index, of, series, objects, cohort };
}

function createLockedFile(): (file: LockedFile) => LockedFile {
  // Files that stand at the same places share one record of them.
  const known = new WeakMap<LockedFile['mirrors'], LockedFile['mirrors']>();
  const sorted = (mirrors: LockedFile['mirrors']) => {
    const found = known.get(mirrors);
    if (found !== undefined) return found;
    const copy = Object.fromEntries(Object.entries(mirrors).sort(([a], [b]) => compare(a, b)));
    known.set(mirrors, copy);
    return copy;
  };
  return ({ path, key, size, digests, mirrors }) => ({
    path,
    key,
    size,
    digests:
      digests.length < 2 ? digests.filter(isDigest) : [...new Set(digests)].filter(isDigest).sort(compare),
    mirrors: sorted(mirrors),
  });
}

/** A copy with members sorted at every level and `undefined` left out, as JSON would; lists keep their order. */
function sortedCopy(value: object): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => compare(a, b)).map(([name, member]) => [name, sortedValue(member)]),
  );
}

function sortedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedValue);
  return typeof value === 'object' && value !== null ? sortedCopy(value) : value;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
