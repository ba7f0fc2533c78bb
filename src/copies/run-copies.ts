/** Carries a plan out: one transfer per destination, one account of the whole. */
import { readdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, isCarrelError } from '../errors.ts';
import type { OpenStore } from '../stores/index.ts';
import {
  emptyResult,
  resultUntil,
  type TransferEvent,
  type TransferOptions,
  type TransferResult,
  transfer,
} from '../transfer/index.ts';
import type { Copy, CopyGroup, CopyPlan } from './plan-copies.ts';

/** How a plan is carried out. */
export interface RunCopiesOptions extends Pick<TransferOptions, 'jobs' | 'verify' | 'bandwidth' | 'signal'> {
  openStore: OpenStore;
  /** Keep `.carrel/` in the destination: what lets a second run ask for nothing. Otherwise a run that was complete takes it away. */
  keepState: boolean;
  onEvent?: ((event: TransferEvent) => void) | undefined;
  /** A file that stands in its place, or failed. */
  onCopy?: ((copy: Copy, event: Extract<TransferEvent, { type: 'file' | 'failure' }>) => void) | undefined;
  /** Told once where another run works in the same folder and this one waits for it. */
  onWait?: ((directory: string) => void) | undefined;
}

/** Between two looks at a folder that another run works in. */
const BUSY_MS = 500;

/**
 * Fetches every file of a plan. Like `transfer` it resolves also where single files failed.
 *
 * @throws what `transfer` throws; `resultUntil(error)` has what was done in the folder that it was at
 */
export async function runCopies(plan: CopyPlan, options: RunCopiesOptions): Promise<TransferResult> {
  const total = emptyResult(0);
  for (const group of plan.groups) add(total, await runGroup(group, plan, total, options));
  return total;
}

async function runGroup(
  { directory, copies }: CopyGroup,
  plan: CopyPlan,
  before: TransferResult,
  options: RunCopiesOptions,
): Promise<TransferResult> {
  const byPath = new Map(copies.map((copy) => [copy.file.path, copy]));
  const state = join(directory, '.carrel');
  const stateWasThere = await isThere(state);
  if (stateWasThere) await distrust(copies);
  const doneFiles = before.fetched + before.present + before.reused + before.failed.length;
  const doneBytes = before.bytesFetched + before.bytesPresent + before.bytesReused;
  const run = () =>
    transfer(
      copies.map(({ file }) => file),
      {
        directory,
        openStore: options.openStore,
        jobs: options.jobs,
        verify: options.verify,
        bandwidth: options.bandwidth,
        signal: options.signal,
        onEvent(event) {
          if (event.type === 'file' || event.type === 'failure') {
            const copy = byPath.get(event.path);
            if (copy !== undefined) options.onCopy?.(copy, event);
          }
          options.onEvent?.(
            event.type === 'progress'
              ? {
                  ...event,
                  files: event.files + doneFiles,
                  bytes: event.bytes + doneBytes,
                  totalFiles: plan.files,
                  totalBytes: plan.bytes,
                }
              : event,
          );
        },
      },
    );
  try {
    const result = await waiting(run, directory, options);
    if (!options.keepState && !stateWasThere && result.failed.length === 0) await removeState(state);
    return result;
  } catch (error) {
    const until = resultUntil(error);
    if (until !== undefined) add(before, until);
    throw error;
  }
}

/** Several `cp` into one folder at a time are usual in scripts (`xargs -P`): each waits for its turn. */
async function waiting<T>(run: () => Promise<T>, directory: string, options: RunCopiesOptions): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await run();
    } catch (error) {
      if (!isCarrelError(error, 'busy')) throw error;
      if (!told) options.onWait?.(directory);
      await sleep(BUSY_MS, undefined, { signal: options.signal }).catch(() => {
        if (options.signal !== undefined) throw abortError(options.signal);
      });
    }
  }
}

/**
 * The journal believes a file whose size and time have not changed. An object without any digest may have changed
 * nevertheless: its file gets an older time, so that it is fetched again instead of being believed.
 */
async function distrust(copies: readonly Copy[]): Promise<void> {
  for (const { file, destination, modified } of copies) {
    if (file.digests.length > 0) continue;
    const info = await stat(destination).catch(() => undefined);
    // Fetched after the object was written: what the journal says is said of it.
    if (info?.isFile() !== true || (modified !== undefined && Date.parse(modified) < info.mtimeMs)) continue;
    const older = new Date(info.mtimeMs - 2_000);
    await utimes(destination, older, older);
  }
}

/** Takes the state folder away piece by piece, so that one that another run has taken meanwhile stays. */
async function removeState(state: string): Promise<void> {
  try {
    const names = await readdir(state);
    if (names.some((name) => name.startsWith('lock'))) return;
    await rm(join(state, 'journal.jsonl'), { force: true });
    await rmdir(join(state, 'partial')).catch(() => {});
    await rmdir(state);
  } catch {
    // Left behind it harms nobody.
  }
}

function add(total: TransferResult, part: TransferResult): void {
  for (const name of [
    'planned',
    'fetched',
    'present',
    'reused',
    'bytesFetched',
    'bytesPresent',
    'bytesReused',
    'requests',
    'milliseconds',
  ] as const)
    total[name] += part[name];
  total.failed.push(...part.failed);
  total.files.push(...part.files);
  for (const [kind, count] of Object.entries(part.verifiedBy)) {
    const name = kind as keyof TransferResult['verifiedBy'];
    total.verifiedBy[name] = (total.verifiedBy[name] ?? 0) + count;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
