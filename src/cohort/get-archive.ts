/**
 * A cohort as one archive, written while it is fetched. What was sent cannot be taken back, so a file is fetched into a
 * folder beside, verified there, and only then added: an archive never holds bytes that are not proven.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import { type LockFile, printLock } from '../manifests/index.ts';
import { emptyResult, type TransferResult, transfer } from '../transfer/index.ts';
import type { ArchiveWriter, WriteBytes } from './archive-writer.ts';
import type { CohortPlan, GetOptions } from './get-cohort.ts';
import { type CohortFile, lockOf } from './plan-cohort.ts';
import type { Tools } from './question.ts';
import { createTar } from './tar-writer.ts';
import { LOCK_NAME } from './write-lock.ts';
import { createZip } from './zip-writer.ts';

/** Files and bytes that are fetched together; twice as much lies in the folder beside at most, or the largest file. */
const BATCH_FILES = 512;
const BATCH_BYTES = 128 << 20;

/** How the archive is written. */
export interface ArchiveOptions extends Pick<GetOptions, 'jobs' | 'verify' | 'bandwidth' | 'onEvent'> {
  format: 'tar' | 'zip';
  write: WriteBytes;
  /** Where files wait until they are added; default: the system's folder for temporary files. */
  spool?: string | undefined;
}

/**
 * Fetches every file of a plan into an archive, in the order of the plan; the lock file is its last entry.
 *
 * @throws the error of the first file that could not be had: the archive then has no end, so that no reader takes it for whole
 */
export async function getArchive(
  plan: CohortPlan,
  tools: Tools,
  options: ArchiveOptions,
): Promise<{ totals: Omit<TransferResult, 'files'>; lock: LockFile }> {
  const spool = await mkdtemp(join(resolve(options.spool ?? tmpdir()), 'carrel-'));
  const archive: ArchiveWriter =
    options.format === 'tar' ? createTar(options.write) : createZip(options.write);
  const proven = new Map<string, { digest: Digest | undefined; bytes: number }>();
  // What stands in an archive stands in no folder: the files are not listed.
  const { files: _, ...totals } = emptyResult(plan.files.length);
  const fetch = async (files: readonly CohortFile[], directory: string) => {
    const { jobs, verify, bandwidth, onEvent } = options;
    const { openStore, signal } = tools;
    // Nothing outlives the run, so nothing is flushed.
    return await transfer(files, {
      directory,
      openStore,
      jobs,
      verify,
      bandwidth,
      onEvent,
      signal,
      fsync: 'never',
    });
  };
  const batches = batchesOf(plan.files);
  const start = (at: number) => {
    const files = batches[at];
    if (files === undefined) return undefined;
    const directory = join(spool, String(at));
    const result = fetch(files, directory);
    result.catch(() => {}); // whoever awaits it learns of it
    return { files, directory, result };
  };
  const started = performance.now();
  let next = start(0);
  try {
    for (let at = 0; next !== undefined; at += 1) {
      const { files, directory, result } = next;
      const done = await result;
      const [failed] = done.failed;
      if (failed !== undefined) {
        const { code, message, next: hint } = failed.error;
        throw new CarrelError(code, `${failed.path}: ${message}; the archive ends before it`, {
          item: failed.path,
          next: hint ?? 'run the same command again',
          cause: failed.error,
        });
      }
      next = start(at + 1);
      for (const file of done.files) proven.set(file.path, { digest: file.digest, bytes: file.bytes });
      for (const { path } of files) {
        const size = proven.get(path)?.bytes ?? 0;
        await archive.add(path, size, () =>
          createReadStream(join(directory, path), { highWaterMark: 1 << 20 }),
        );
      }
      add(totals, done);
      await rm(directory, { recursive: true });
    }
    const lock = lockOf(plan.cohort, plan.files, plan.layout, proven);
    const text = Buffer.from(printLock(lock));
    await archive.add(LOCK_NAME, text.length, async function* () {
      yield text;
    });
    await archive.end();
    totals.milliseconds = Math.round(performance.now() - started);
    return { totals, lock };
  } catch (error) {
    await archive.breakOff?.().catch(() => {});
    throw error;
  } finally {
    await next?.result.catch(() => {});
    await rm(spool, { recursive: true, force: true });
  }
}

function batchesOf(files: readonly CohortFile[]): CohortFile[][] {
  const batches: CohortFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = batches.at(-1);
    const { size = 0 } = file;
    if (last === undefined || last.length >= BATCH_FILES || bytes + size > BATCH_BYTES) {
      batches.push([file]);
      bytes = size;
    } else {
      last.push(file);
      bytes += size;
    }
  }
  return batches;
}

function add(totals: Omit<TransferResult, 'files'>, done: TransferResult): void {
  totals.fetched += done.fetched;
  totals.bytesFetched += done.bytesFetched;
  totals.requests += done.requests;
  for (const [kind, count] of Object.entries(done.verifiedBy) as [
    keyof TransferResult['verifiedBy'],
    number,
  ][])
    totals.verifiedBy[kind] = (totals.verifiedBy[kind] ?? 0) + count;
}
