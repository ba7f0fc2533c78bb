/** What a folder has to become: the difference between its lock file and a new plan, in series and in files. */
import type { LockedFile, LockFile } from '../manifests/index.ts';
import type { CohortPlan } from './get-cohort.ts';
import { instanceOf } from './local-copies.ts';
import type { CohortFile } from './plan-cohort.ts';

/** What became of a series; the words are those of `carrel diff`. */
export const SERIES_CHANGES = ['added', 'removed', 'revised', 'moved', 'unchanged'] as const;

/** One of them. */
export type SeriesChange = (typeof SERIES_CHANGES)[number];

/** Amounts before and after. */
export interface UpdateAmount {
  series: number;
  filesBefore: number;
  filesAfter: number;
  bytesBefore: number;
  bytesAfter: number;
}

/** Files and their bytes. */
export interface FileAmount {
  files: number;
  bytes: number;
}

/** A file of the old lock file that the new one does not have. */
export interface RetiredFile {
  file: LockedFile;
  /** Another file takes its path. */
  replaced: boolean;
}

/** The difference. */
export interface UpdateDifference {
  series: Record<SeriesChange, UpdateAmount>;
  /** Bytes that are new; where they come from is another question. */
  fresh: FileAmount;
  unchanged: FileAmount;
  /** The same file under another path. */
  moves: { from: LockedFile; to: string }[];
  retired: RetiredFile[];
  /** Pinned series of which nothing is left. */
  removed: LockFile['series'];
}

/**
 * Compares. A series is the same by its SeriesInstanceUID; a file by the uuid of its instance, by its key where it has none,
 * or by standing under the same path with the same digest.
 */
export function compareWithLock(lock: LockFile, plan: CohortPlan): UpdateDifference {
  const before = [...lock.series.flatMap(({ files }) => files), ...lock.files];
  const old = new Map(before.map((file) => [identityOf(file), file]));
  const oldPaths = new Map(before.map((file) => [file.path, file]));
  const kept = new Set<LockedFile>();
  const taken = new Set(plan.files.map(({ path }) => path));
  const difference: UpdateDifference = {
    series: compareSeries(lock, plan),
    fresh: { files: 0, bytes: 0 },
    unchanged: { files: 0, bytes: 0 },
    moves: [],
    retired: [],
    removed: [],
  };
  const count = (amount: FileAmount, bytes: number) => {
    amount.files += 1;
    amount.bytes += bytes;
  };
  for (const file of plan.files) {
    const there = oldPaths.get(file.path);
    const known = there !== undefined && isSame(there, file) ? there : old.get(identityOf(file));
    if (known !== undefined && isSame(known, file)) {
      kept.add(known);
      if (known.path === file.path) count(difference.unchanged, known.size);
      else difference.moves.push({ from: known, to: file.path });
    } else count(difference.fresh, file.size ?? 0);
  }
  for (const file of before)
    if (!kept.has(file)) difference.retired.push({ file, replaced: taken.has(file.path) });
  const after = new Set(plan.cohort.series.map(nameOf));
  difference.removed = lock.series.filter(
    (one) => !after.has(nameOf({ ...one, locked: one, row: undefined })),
  );
  return difference;
}

function identityOf(file: { key: string }): string {
  return instanceOf(file) ?? file.key;
}

/** The same bytes, as far as both sides say. */
function isSame(one: LockedFile, other: CohortFile): boolean {
  if (other.size !== undefined && other.size !== one.size) return false;
  const common = one.digests.filter((digest) =>
    other.digests.some((known) => known.split(':')[0] === digest.split(':')[0]),
  );
  if (common.length > 0) return common.some((digest) => other.digests.includes(digest));
  return identityOf(one) === identityOf(other);
}

type Named = Pick<CohortPlan['cohort']['series'][number], 'crdc_series_uuid' | 'row' | 'locked'>;

function nameOf({ row, locked, crdc_series_uuid: uuid }: Named): string {
  return row?.SeriesInstanceUID ?? locked?.SeriesInstanceUID ?? uuid;
}

function compareSeries(lock: LockFile, plan: CohortPlan): UpdateDifference['series'] {
  const nothing = (): UpdateAmount => ({
    series: 0,
    filesBefore: 0,
    filesAfter: 0,
    bytesBefore: 0,
    bytesAfter: 0,
  });
  const amounts = Object.fromEntries(
    SERIES_CHANGES.map((change) => [change, nothing()]),
  ) as UpdateDifference['series'];
  interface Side extends FileAmount {
    uuid: string;
    collection: string | null;
  }
  const before = new Map<string, Side>();
  for (const one of lock.series)
    before.set(one.SeriesInstanceUID ?? one.crdc_series_uuid, {
      uuid: one.crdc_series_uuid,
      collection: one.collection_id,
      files: one.files.length,
      bytes: one.files.reduce((sum, { size }) => sum + size, 0),
    });
  const after = new Map<string, Side>();
  for (const { series, size } of plan.files) {
    if (series === undefined) continue;
    const name = nameOf(series);
    const side = after.get(name) ?? {
      uuid: series.crdc_series_uuid,
      collection: series.row?.collection_id ?? series.locked?.collection_id ?? null,
      files: 0,
      bytes: 0,
    };
    after.set(name, side);
    side.files += 1;
    side.bytes += size ?? 0;
  }
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), after.get(name)];
    const amount = amounts[changeOf(was, is)];
    amount.series += 1;
    amount.filesBefore += was?.files ?? 0;
    amount.bytesBefore += was?.bytes ?? 0;
    amount.filesAfter += is?.files ?? 0;
    amount.bytesAfter += is?.bytes ?? 0;
  }
  return amounts;
}

interface Version {
  uuid: string;
  collection: string | null;
}

function changeOf(was: Version | undefined, is: Version | undefined): SeriesChange {
  if (was === undefined) return 'added';
  if (is === undefined) return 'removed';
  if (was.uuid !== is.uuid) return 'revised';
  return was.collection === is.collection ? 'unchanged' : 'moved';
}
