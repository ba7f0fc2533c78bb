/**
 * From a plan to verified files: plan, survey, space, fetch, summary.
 */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { abortError, CarrelError } from '../errors.ts';
import type { OpenStore } from '../stores/index.ts';
import { DiskFailure, diskError } from './disk-error.ts';
import type { FileFailure, TransferEvent } from './events.ts';
import type { Verification } from './evidence.ts';
import { FetchFailure } from './fetch/fetch-file.ts';
import { createSpeedTally, type MirrorMemory } from './fetch/mirror-memory.ts';
import { retryPolicy, type TransferRetry } from './fetch/retry.ts';
import type { TransferTimeouts } from './fetch/watch.ts';
import { type FetchOrder, inOrder } from './fetch-order.ts';
import { checkSpace, type FreeSpace } from './free-space.ts';
import { createLostLine } from './lost-line.ts';
import { createPace } from './pace.ts';
import type { PlannedFile } from './plan.ts';
import { startProgress } from './progress.ts';
import { type ReuseOptions, reuse } from './reuse.ts';
import { runJobs } from './run-jobs.ts';
import { checkPlan } from './safe-names.ts';
import { openStateFolder, type StateFolder } from './state/state-folder.ts';
import { survey } from './survey.ts';
import { openFetcher } from './threads/open-fetcher.ts';
import { attachResult, countFile, emptyResult, interrupted, type TransferResult } from './transfer-result.ts';

/** In a smaller plan, files that are spent on a slower mirror to measure it would cost more than they tell. */
const WORTH_MEASURING = 16;

/** How a plan is to be carried out. */
export interface TransferOptions {
  /** Destination; made if it is missing. */
  directory: string;
  openStore: OpenStore;
  /** Files at once; `auto` (the default) adapts. */
  jobs?: number | 'auto' | undefined;
  /** `full`: every known digest; `size`: sizes only; `none`: whatever comes. Default `full`. */
  verify?: Verification | undefined;
  /** Bytes per second over all files; default: no limit. */
  bandwidth?: number | undefined;
  onEvent?: ((event: TransferEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
  retry?: TransferRetry | undefined;
  timeouts?: TransferTimeouts | undefined;
  /**
   * Threads that fetch. 1: this thread does it. `auto` (the default): as many as there are processors, four at most,
   * where there is enough to do for them. Needs an `openStore` that can be opened elsewhere (`createOpenStore` without
   * functions of the caller's); otherwise, and with `bandwidth`, this thread does it.
   */
  threads?: number | 'auto' | undefined;
  /**
   * Of several mirrors: `order` (the default) asks them as the plan names them, `speed` the faster one first, measured with
   * the first files of a larger plan or known from `memory`. Plans of fewer than 16 files measure nothing.
   */
  mirrorOrder?: { by: 'order' | 'speed'; memory?: MirrorMemory | undefined } | undefined;
  /** Where on this machine missing files may be, so that they need not be fetched. With `verify: 'full'` only. */
  reuse?: ReuseOptions | undefined;
  /**
   * Name of a share of a larger plan: it has a lock and a journal of its own, so that other shares may be fetched into the
   * same folder at the same time, also by other machines. Shares must not have files in common.
   */
  part?: string | undefined;
  /** What is fetched first; default `auto`, which is the fastest. */
  order?: FetchOrder | undefined;
  /**
   * When bytes are written to the disk itself. `end` (the default): all of them, when the run ends; a crash of the machine
   * before that has them read again. `file`: each file before it gets its name. `never`: when the system likes; after the
   * machine was started anew everything is read again.
   */
  fsync?: 'never' | 'file' | 'end' | undefined;
  /** Bytes to leave free on the disk. Default 16 MiB. */
  freeSpaceReserve?: number | undefined;
  /** How free space is found out; for tests and for unusual disks. */
  freeSpace?: FreeSpace | undefined;
}

/**
 * Makes every planned file stand in `directory`, proven.
 *
 * Resolves also where single files failed: they are in `failed`, and the caller decides. What ends the run as a
 * whole rejects, and `resultUntil(error)` tells what had been done by then; the same call later goes on there.
 *
 * @throws CarrelError `unsafe` (names), `busy` (another run in this folder), `no-space`, `permission` (the disk),
 *   `interrupted` (after an abort)
 */
export async function transfer(
  files: readonly PlannedFile[],
  options: TransferOptions,
): Promise<TransferResult> {
  const started = performance.now();
  checkPlan(files);
  if (options.signal?.aborted) throw abortError(options.signal);
  const directory = resolve(options.directory);
  const state = await openStateFolder(directory, options.part);
  const stopper = new AbortController();
  const stop = () => options.signal !== undefined && stopper.abort(abortError(options.signal));
  options.signal?.addEventListener('abort', stop);
  if (options.signal?.aborted) stop();
  // Every file that waits for its next attempt listens: Node warns of a leak at the eleventh.
  setMaxListeners(0, stopper.signal);
  const result = emptyResult(files.length);
  const failure = await carryOut(files, { ...options, directory }, state, stopper, result).then(
    () => undefined,
    (error: unknown) => diskError(error, directory),
  );
  options.signal?.removeEventListener('abort', stop);
  const complete = result.fetched + result.present + result.reused === result.planned;
  const unreleased = await state.release({ complete, flush: options.fsync !== 'never' }).then(
    () => undefined,
    (error: unknown) => diskError(error, directory),
  );
  result.milliseconds = Math.round(performance.now() - started);
  const reason = failure ?? unreleased;
  if (reason === undefined) return result;
  const final = reason.code === 'interrupted' ? interrupted(reason, result) : reason;
  throw attachResult(final, result);
}

async function carryOut(
  files: readonly PlannedFile[],
  options: TransferOptions,
  state: StateFolder,
  stopper: AbortController,
  result: TransferResult,
): Promise<void> {
  const { directory } = options;
  const verify = options.verify ?? 'full';
  const { signal } = stopper;
  const emit = (event: TransferEvent) => {
    try {
      options.onEvent?.(event);
    } catch (cause) {
      // A listener that throws must not make a file that is right look wrong; it ends the run.
      stopper.abort(
        new CarrelError('internal', `a listener of the transfer failed: ${String(cause)}`, { cause }),
      );
    }
  };
  const { present, missing: absent } = await survey(files, {
    directory,
    journal: state.journal,
    verify,
    onHashing: ({ done, total, bytes }) =>
      emit({
        type: 'note',
        message: `reading files that are here, to prove them: ${done} of ${total} (${bytes} bytes)`,
      }),
    signal,
  });
  const presentBytes = present.reduce((sum, { bytes }) => sum + bytes, 0);
  const missingBytes = sumOfSizes(absent);
  const totalBytes = missingBytes === undefined ? undefined : presentBytes + missingBytes;
  emit({ type: 'plan', files: files.length, bytes: totalBytes, present: present.length, presentBytes });
  for (const file of present) {
    countFile(result, file);
    emit({ type: 'file', ...file });
  }
  if (absent.length === 0) return;
  const space = { reserve: options.freeSpaceReserve ?? 16 << 20, freeSpace: options.freeSpace };
  const { reused, missing } =
    options.reuse === undefined || verify !== 'full'
      ? { reused: [], missing: absent }
      : await reuse(absent, {
          ...options.reuse,
          directory,
          partialFolder: state.partialFolder,
          journal: state.journal,
          checkSpace: (need) => checkSpace(directory, need - partialSum(absent, state), space),
          flush: options.fsync === 'file',
          onHashing: ({ files: count, bytes }) =>
            emit({
              type: 'note',
              message: `reading files that stand elsewhere on this machine, to prove them: ${count} (${bytes} bytes)`,
            }),
          signal,
        });
  for (const file of reused) {
    countFile(result, file);
    emit({ type: 'file', ...file });
  }
  if (missing.length === 0) return;
  const reusedBytes = reused.reduce((sum, { bytes }) => sum + bytes, 0);
  const need = missing.reduce((sum, { path, size = 0 }) => {
    return sum + Math.max(0, size - (state.partialBytes(path) ?? 0));
  }, 0);
  await checkSpace(directory, need, space);

  const pace = createPace(options.jobs ?? 'auto');
  const { by = 'order', memory } = options.mirrorOrder ?? {};
  const tally = createSpeedTally();
  const fetcher = await openFetcher(missing, {
    openStore: options.openStore,
    verify,
    directory,
    partialFolder: state.partialFolder,
    partialBytes: (path) => state.partialBytes(path),
    journal: state.journal,
    pace,
    streams: () => Math.floor(pace.jobs / Math.max(1, Math.min(pace.jobs, files.length - progress.files))),
    retry: retryPolicy(options.retry),
    timeouts: options.timeouts,
    flush: options.fsync === 'file',
    bandwidth: options.bandwidth,
    mirrors: { by, known: memory?.recall(), probes: missing.length < WORTH_MEASURING ? 0 : undefined },
    onMirror: tally.hear,
    emit(event) {
      if (event.type === 'retry') progress.retried();
      emit(event);
    },
    signal,
    threads: options.threads ?? 'auto',
  });
  const progress = startProgress({
    emit,
    totalFiles: files.length,
    totalBytes,
    files: present.length + reused.length,
    bytes: presentBytes + reusedBytes,
    read: fetcher.read,
  });
  const lost = createLostLine();
  try {
    await runJobs(inOrder(missing, options.order ?? 'auto'), {
      pace,
      signal,
      totals: () => ({
        bytes: fetcher.read().received,
        files: progress.files,
        workedMs: fetcher.workedMs(),
      }),
      async work(file) {
        if (lost.isOver) {
          const failure = { path: file.path, error: lost.error(file.path), attempts: 0 };
          result.failed.push(failure);
          emit({ type: 'failure', ...failure });
          return;
        }
        try {
          // As data: what a plan works out when it is asked for is the same for all of the way.
          const done = await fetcher.fetch({ ...file });
          lost.reached();
          countFile(result, done);
          progress.fileDone(done.mirror);
          emit({ type: 'file', ...done });
        } catch (error) {
          if (signal.aborted) return;
          const failure = failureOf(file, error);
          if (error instanceof DiskFailure && error.hopeless) stopper.abort(failure.error);
          else {
            if (lost.failed(failure.error)) emit({ type: 'note', message: lost.message });
            result.failed.push(failure);
            emit({ type: 'failure', ...failure });
          }
        }
      },
    });
  } finally {
    progress.end();
    result.requests += fetcher.read().requests;
    await fetcher.end();
    memory?.remember(tally.speeds());
  }
  if (signal.aborted) throw signal.reason;
  const weak = result.verifiedBy.size ?? 0;
  if (verify === 'full' && weak > 0) {
    emit({
      type: 'note',
      message: `${weak} ${weak === 1 ? 'file' : 'files'} could be compared by their size only: nobody published a digest`,
    });
  }
}

function sumOfSizes(files: readonly PlannedFile[]): number | undefined {
  let sum = 0;
  for (const { size } of files) {
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

/** Bytes of these files that earlier runs left. */
function partialSum(files: readonly PlannedFile[], state: StateFolder): number {
  return files.reduce((sum, { path, size = 0 }) => sum + Math.min(size, state.partialBytes(path) ?? 0), 0);
}

function failureOf(file: PlannedFile, error: unknown): FileFailure {
  if (error instanceof FetchFailure) return { path: file.path, error: error.error, attempts: error.attempts };
  const known = error instanceof DiskFailure ? error.error : diskError(error, file.path);
  return { path: file.path, error: known, attempts: 1 };
}
