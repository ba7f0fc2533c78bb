/**
 * The whole road in one call: locate, name, transfer, pin.
 */
import { dirname, join, resolve } from 'node:path';
import type { LockFile } from '../manifests/index.ts';
import {
  type MirrorMemory,
  makeFolder,
  type PlannedFile,
  type ReuseOptions,
  resultUntil,
  type TransferOptions,
  type TransferResult,
  transfer,
} from '../transfer/index.ts';
import { rememberDestination } from './destinations.ts';
import type { NamePolicy } from './file-names.ts';
import { forgetListings, openKnownListings } from './known-listings.ts';
import { DEFAULT_LAYOUT, parseLayout } from './layout.ts';
import {
  enforceLicensePolicy,
  type LicenseShare,
  licenseOf,
  licensesOf,
  sumLicenses,
} from './license-policy.ts';
import { instanceOf, type LocalShare, openLocalCopies, type ReuseSources } from './local-copies.ts';
import { type LocatedCohort, locateCohort } from './locate-cohort.ts';
import { nameOfPart, partName } from './part-of-cohort.ts';
import { type CohortFile, lockOf, planFiles } from './plan-cohort.ts';
import type { Cohort, CohortSeries, Tools } from './question.ts';
import { openReceipts, RECEIPTS_NAME } from './receipts.ts';
import {
  explainMissing,
  type MissingFile,
  missingError,
  readTombstones,
  type Tombstone,
  tombstoneOf,
} from './tombstones.ts';
import { LOCK_NAME, writeLock } from './write-lock.ts';

/** How a cohort is to be fetched. */
export interface GetOptions
  extends Pick<
    TransferOptions,
    'jobs' | 'verify' | 'bandwidth' | 'onEvent' | 'fsync' | 'order' | 'freeSpaceReserve'
  > {
  directory: string;
  /** Template; default: that of the lock file, else `DEFAULT_LAYOUT`. */
  layout?: string | undefined;
  /** Default `any`. */
  licensePolicy?: string | undefined;
  /** Names of objects that hurt a file system: `strict` (the default) refuses them, `escape` makes them safe. */
  names?: NamePolicy | undefined;
  /** Where speeds of mirrors are kept between runs, for `from: 'auto'`. */
  mirrorMemory?: MirrorMemory | undefined;
  /** Where the lock file is written; default `carrel.lock.json` in the directory. */
  lockPath?: string | undefined;
  /** Where listings of series are kept for the next run; default: in the directory. `none` keeps them nowhere. */
  listings?: 'directory' | 'none' | undefined;
  /** Where on this machine bytes may be already; default: in the destination only. `false`: everything is fetched. */
  reuse?: ReuseSources | false | undefined;
  /** Names of the run in the receipts. Default: `program`. */
  receipts?: { command: string; version?: string | undefined } | undefined;
  /** Number of series located so far. */
  onLocated?: ((located: number, total: number) => void) | undefined;
}

/** A cohort with every file named, before anything is fetched. */
export interface CohortPlan {
  cohort: Cohort;
  files: CohortFile[];
  /** Sum of the known sizes. */
  bytes: number;
  licenses: LicenseShare[];
  failed: LocatedCohort['failed'];
  notes: string[];
  /** In our own notation, as the lock file records it. */
  layout: string;
  /** What stands on this machine already; found by `lookForCopies`, else by `getPlanned`. */
  local?: LocalShare | undefined;
  /** Keeps what was listed for the next run; the destination must exist. */
  keepListings(): Promise<void>;
}

/** What came of it. */
export interface GetResult {
  plan: CohortPlan;
  transfer: TransferResult;
  lock: LockFile;
  lockPath: string;
  /** What no mirror has: redacted, by the archive's tombstones, or lost. */
  missing: MissingFile[];
  /** Name that the lock file of another cohort was moved to. */
  movedLock: string | undefined;
}

/**
 * Plans a cohort: licence policy first (before any request; of a share, over the whole that it is of), then locations and names.
 *
 * @throws `license`, `usage` (layout), `unsafe` (names); the first error where not a single series could be located
 */
export async function planCohort(cohort: Cohort, tools: Tools, options: GetOptions): Promise<CohortPlan> {
  enforceLicensePolicy(options.licensePolicy ?? 'any', cohort.wholeLicenses ?? licensesOf(cohort));
  const template = options.layout ?? cohort.layout ?? DEFAULT_LAYOUT;
  const layout = parseLayout(template);
  const known =
    options.listings === 'none'
      ? forgetListings
      : await openKnownListings(resolve(options.directory), cohort.archive.name, partName(cohort));
  const located = await locateCohort(cohort, tools, { known, onProgress: options.onLocated });
  await explainSeries(located.failed, tools);
  const first = located.failed[0];
  if (located.series.length + cohort.objects.length === 0 && first !== undefined) throw first.error;
  const files = planFiles(cohort, located.series, layout, options.layout !== undefined, options.names);
  const bytesOf = new Map<CohortSeries, number>();
  for (const { series, size } of files) {
    if (series !== undefined) bytesOf.set(series, (bytesOf.get(series) ?? 0) + (size ?? 0));
  }
  const licenses = sumLicenses(
    [...bytesOf].map(([series, bytes]) => ({ license_short_name: licenseOf(series), bytes })),
  );
  return {
    cohort,
    files,
    bytes: files.reduce((sum, { size }) => sum + (size ?? 0), 0),
    licenses,
    failed: located.failed,
    notes: located.notes,
    layout: layout.text,
    keepListings: () => known.keep(),
  };
}

/** A series that no bucket holds may have been redacted. */
async function explainSeries(failed: LocatedCohort['failed'], tools: Tools): Promise<void> {
  const gone = failed.filter(({ error }) => error.code === 'not-found');
  if (gone.length === 0 || tools.archive.tombstones === undefined) return;
  // Where the list cannot be read, what the buckets said stands.
  const tombstones = await readTombstones(tools).catch(() => new Map<string, Tombstone>());
  for (const one of gone) {
    const { crdc_series_uuid: uuid } = one.series;
    const tombstone = tombstoneOf(uuid, tombstones);
    if (tombstone !== undefined) one.error = missingError(uuid, tombstone, one.error);
  }
}

/**
 * Carries a plan out and writes the lock file. Files that fail are in `transfer.failed`; the lock file is written
 * whenever everything that it would pin is known, so that a run that failed half-way can be repeated exactly.
 *
 * @throws what `transfer` throws; after an abort the partial result is at `resultUntil(error)`
 */
export async function getPlanned(plan: CohortPlan, tools: Tools, options: GetOptions): Promise<GetResult> {
  const fetched = await fetchPlanned(plan, tools, options);
  const { lockPath: given, directory } = options;
  const lockPath =
    given === undefined ? join(resolve(directory), nameOfPart(LOCK_NAME, plan.cohort)) : resolve(given);
  const movedLock = await writeLock(fetched.lock, lockPath);
  return { ...fetched, lockPath, movedLock };
}

/** The same without writing the lock file. */
export async function fetchPlanned(
  plan: CohortPlan,
  tools: Tools,
  options: GetOptions,
): Promise<Omit<GetResult, 'lockPath' | 'movedLock'>> {
  const directory = resolve(options.directory);
  await makeFolder(directory);
  await plan.keepListings();
  const { reuse = {} } = options;
  if (reuse !== false && reuse.stateDir !== undefined) await rememberDestination(reuse.stateDir, directory);
  let keys: Map<string, string> | undefined;
  const keyOf = (path: string): string | undefined => {
    // Nobody asks where everything is here.
    keys ??= new Map(plan.files.map((file) => [file.path, file.key]));
    return keys.get(path);
  };
  const { lockPath = join(directory, LOCK_NAME) } = options;
  const receipts = openReceipts(
    join(dirname(resolve(lockPath)), nameOfPart(RECEIPTS_NAME, plan.cohort)),
    {
      command: options.receipts?.command ?? 'program',
      version: options.receipts?.version ?? null,
      archive: plan.cohort.archive.name,
      release: plan.cohort.release,
    },
    (path) => keyOf(path) ?? path,
  );
  const result = await transfer(plan.files, {
    directory,
    part: partName(plan.cohort),
    reuse: reuse === false ? undefined : copiesFor(plan, directory, reuse),
    openStore: tools.openStore,
    jobs: options.jobs,
    verify: options.verify,
    bandwidth: options.bandwidth,
    fsync: options.fsync,
    order: options.order,
    freeSpaceReserve: options.freeSpaceReserve,
    onEvent(event) {
      receipts.report(event);
      options.onEvent?.(event);
    },
    // A mirror that a URL names is meant; so is the order of one that was chosen.
    mirrorOrder: {
      by:
        tools.from === 'auto' && plan.cohort.series.every(({ prefer }) => prefer === undefined)
          ? 'speed'
          : 'order',
      memory: options.mirrorMemory,
    },
    signal: tools.signal,
  }).catch((error: unknown) => {
    receipts.end(undefined);
    throw error;
  });
  const { missing, notes } = await explainMissing(result.failed, keyOf, tools);
  plan.notes.push(...notes);
  const proven = new Map(result.files.map(({ path, digest, bytes }) => [path, { digest, bytes }]));
  const lock = lockOf(plan.cohort, plan.files, plan.layout, proven);
  receipts.end(lock);
  return { plan, transfer: result, lock, missing };
}

/** Copies for the engine: those that were found for the plan, and those of files that turn out to be damaged. */
function copiesFor(plan: CohortPlan, directory: string, sources: ReuseSources): ReuseOptions {
  const copies = plan.local?.copies ?? openLocalCopies(directory, sources);
  const uuids = new Map<PlannedFile, string>();
  return {
    hardLinks: sources.hardLinks,
    async prepare(missing, signal) {
      const keys = new Map(plan.files.map((file) => [file.path, file]));
      for (const file of missing) {
        const planned = keys.get(file.path);
        const uuid = planned === undefined || file.digests.length === 0 ? undefined : instanceOf(planned);
        if (uuid !== undefined) uuids.set(file, uuid);
      }
      await copies.look(uuids.values(), signal);
    },
    copiesOf(file) {
      const uuid = uuids.get(file);
      return uuid === undefined ? [] : copies.of(uuid);
    },
  };
}

export { resultUntil };
