/** What an open archive does with what was asked: resolve, plan, get, lock, verify. */
import { resolve } from 'node:path';
import type { Selection } from '../catalog/index.ts';
import type { AsKind } from '../identifiers/index.ts';
import type { TransferEvent, VerifyReport } from '../transfer/index.ts';
import { type CohortPlan, type GetOptions, type GetResult, getPlanned, planCohort } from './get-cohort.ts';
import { type LockedCohort, lockCohort } from './lock-cohort.ts';
import type { Cohort, Question, Tools } from './question.ts';
import { resolveCohort } from './resolve-cohort.ts';
import type { MissingFile } from './tombstones.ts';
import { isFolderGood, openLockedFolder, repairFolder, verifyFolder } from './verify-cohort.ts';
import { writeLock } from './write-lock.ts';

/**
 * What is asked for: one name, several names or rows of series, or a selection. A name is whatever the command takes: a
 * UID, a uuid, a URL, a collection, the path of a manifest or of a lock file.
 */
export type Asked = string | Iterable<string | { readonly crdc_series_uuid: string }> | Selection;

/** How it is to be understood. */
export interface AskOptions {
  /** Narrows what was named: both must hold. */
  selection?: Selection | undefined;
  /** What the names are, where their form does not tell. */
  as?: AsKind | undefined;
  /** Take everything that an ambiguous name stands for. */
  all?: boolean | undefined;
  /** An unknown value of a selection is an error. */
  strict?: boolean | undefined;
  /** Mirror to prefer. */
  from?: string | undefined;
  /** Endpoint of buckets that are not the archive's. */
  endpoint?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** How files are named, and what is refused. */
export interface PlanOptions extends AskOptions, Pick<GetOptions, 'layout' | 'licensePolicy'> {
  /** The destination; for `lock`, the path of the lock file. Default: nothing is looked up or kept there. */
  to?: string | undefined;
  onEvent?: ((event: ArchiveEvent) => void) | undefined;
}

/** How files are fetched. */
export interface ArchiveGetOptions
  extends PlanOptions,
    Pick<GetOptions, 'jobs' | 'verify' | 'bandwidth' | 'lockPath' | 'reuse' | 'fsync'> {
  /** The folder that is filled. */
  to: string;
}

/** What happens, in order. `resolved`, `located` and `planned` come before the events of the transfer. */
export type ArchiveEvent =
  | { type: 'resolved'; series: number; objects: number; unresolved: number }
  | { type: 'located'; located: number; total: number }
  | { type: 'planned'; files: number; bytes: number }
  | TransferEvent;

/** What came of it. */
export interface ArchiveGetResult extends GetResult {
  /** True where every name was found and every file is in place. */
  complete: boolean;
}

/** A lock file, and where it was written. */
export interface ArchiveLock extends LockedCohort {
  lockPath: string | undefined;
}

/** How a folder is verified. */
export interface ArchiveVerifyOptions {
  mode?: 'full' | 'size' | undefined;
  /** Also name files that the lock file does not. */
  extra?: boolean | undefined;
  onEvent?: ((event: TransferEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What verifying found. */
export interface ArchiveVerifyReport extends VerifyReport {
  /** True where nothing is wrong, missing or unproven. */
  good: boolean;
}

/** What came of a repair. */
export interface ArchiveRepairReport extends ArchiveVerifyReport {
  /** Files that no mirror has any more, with their fate: redacted by the archive, or lost. */
  gone: readonly MissingFile[];
}

/** What the work stands on. */
export interface WorkGround {
  cwd: string;
  until: (signal: AbortSignal | undefined) => AbortSignal;
  toolsFor: (
    selection: Selection,
    from: string | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<Tools>;
}

/** Makes the methods. */
export function createArchiveWork({ cwd, until, toolsFor }: WorkGround) {
  const verify = async (folder: string, options: ArchiveVerifyOptions = {}) => {
    const opened = await openLockedFolder(resolve(cwd, folder));
    const report = await verifyFolder(opened, { ...options, signal: until(options.signal) });
    return { opened, report: { ...report, good: isFolderGood(report) } };
  };
  const prepare = async (asked: Asked, options: AskOptions): Promise<{ cohort: Cohort; tools: Tools }> => {
    const question = questionOf(asked, options);
    const tools = await toolsFor(question.selection, options.from, options.signal);
    return { tools, cohort: await resolveCohort(question, tools, { cwd }) };
  };
  const planned = async (asked: Asked | CohortPlan, options: PlanOptions) => {
    if (isPlan(asked)) return { plan: asked, tools: await toolsFor({}, options.from, options.signal) };
    const { cohort, tools } = await prepare(asked, options);
    const { onEvent } = options;
    onEvent?.({
      type: 'resolved',
      series: cohort.series.length,
      objects: cohort.objects.length,
      unresolved: cohort.unresolved.length,
    });
    const plan = await planCohort(cohort, tools, {
      directory: resolve(cwd, options.to ?? '.'),
      listings: options.to === undefined ? 'none' : 'directory',
      layout: options.layout,
      licensePolicy: options.licensePolicy,
      onLocated: (located, total) => onEvent?.({ type: 'located', located, total }),
    });
    onEvent?.({ type: 'planned', files: plan.files.length, bytes: plan.bytes });
    return { plan, tools };
  };
  return {
    resolve: async (asked: Asked, options: AskOptions = {}): Promise<Cohort> =>
      (await prepare(asked, options)).cohort,
    plan: async (asked: Asked, options: PlanOptions = {}): Promise<CohortPlan> =>
      (await planned(asked, options)).plan,
    async get(asked: Asked | CohortPlan, options: ArchiveGetOptions): Promise<ArchiveGetResult> {
      const { plan, tools } = await planned(asked, options);
      const result = await getPlanned(plan, tools, {
        directory: resolve(cwd, options.to),
        lockPath: options.lockPath === undefined ? undefined : resolve(cwd, options.lockPath),
        jobs: options.jobs,
        verify: options.verify,
        bandwidth: options.bandwidth,
        reuse: options.reuse,
        fsync: options.fsync,
        onEvent: options.onEvent,
      });
      const missing = plan.cohort.unresolved.length + plan.failed.length + result.transfer.failed.length;
      return { ...result, complete: missing === 0 };
    },
    async lock(asked: Asked | CohortPlan, options: PlanOptions = {}): Promise<ArchiveLock> {
      const { plan, tools } = await planned(asked, { ...options, to: undefined });
      const locked = await lockCohort(plan, tools);
      const lockPath = options.to === undefined ? undefined : resolve(cwd, options.to);
      if (lockPath !== undefined) await writeLock(locked.lock, lockPath);
      return { ...locked, lockPath };
    },
    async verify(folder: string, options: ArchiveVerifyOptions = {}): Promise<ArchiveVerifyReport> {
      return (await verify(folder, options)).report;
    },
    async repair(folder: string, options: ArchiveVerifyOptions = {}): Promise<ArchiveRepairReport> {
      const { opened, report } = await verify(folder, options);
      if (report.good) return { ...report, gone: [] };
      const tools = await toolsFor({}, undefined, options.signal);
      const gone = await repairFolder(opened, report, tools, { onEvent: options.onEvent });
      return { ...(await verify(folder, options)).report, gone };
    },
  };
}

function isPlan(asked: Asked | CohortPlan): asked is CohortPlan {
  return typeof asked === 'object' && 'keepListings' in asked;
}

function questionOf(asked: Asked, options: AskOptions): Question {
  const { as, all, strict, endpoint, selection = {} } = options;
  const more = { as, all, strict, endpoint };
  if (typeof asked === 'string') return { ...more, what: [asked], selection };
  if (!(Symbol.iterator in asked)) return { ...more, what: [], selection: { ...asked, ...selection } };
  const what = [...asked].map((one) => (typeof one === 'string' ? one : one.crdc_series_uuid));
  return { ...more, what, selection };
}
