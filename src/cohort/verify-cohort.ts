/** Proves a folder against its lock file, and fetches again what fails. */
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CarrelError } from '../errors.ts';
import { type LockedFile, type LockFile, parseLock } from '../manifests/index.ts';
import { type TransferEvent, type VerifyReport, verifyFiles } from '../transfer/index.ts';
import { type GetOptions, getPlanned, planCohort } from './get-cohort.ts';
import type { Tools } from './question.ts';
import { resolveCohort } from './resolve-cohort.ts';
import type { MissingFile } from './tombstones.ts';
import { LOCK_NAME } from './write-lock.ts';

/** A lock file and the folder that it describes. */
export interface LockedFolder {
  lock: LockFile;
  lockPath: string;
  directory: string;
}

/**
 * Finds the lock file of a folder, or takes it by its own path (its folder is then where it lies).
 *
 * @throws `not-found` where there is none
 */
export async function openLockedFolder(path: string, directory?: string): Promise<LockedFolder> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined)
    throw new CarrelError('not-found', `there is no ${path}`, {
      item: path,
      next: 'name a folder that carrel get filled, or its lock file',
    });
  const lockPath = found.isDirectory() ? join(absolute, LOCK_NAME) : absolute;
  const text = await readFile(lockPath, 'utf8').catch((cause: unknown) => {
    throw new CarrelError('not-found', `${path} has no ${LOCK_NAME}`, {
      item: path,
      next: 'run carrel get there again; it writes the lock file when it is done',
      cause,
    });
  });
  return {
    lock: parseLock(text, { origin: lockPath }),
    lockPath,
    directory: directory === undefined ? dirname(lockPath) : resolve(directory),
  };
}

/** Every file that a lock file pins. */
export function lockedFiles(lock: LockFile): LockedFile[] {
  return [...lock.series.flatMap(({ files }) => files), ...lock.files];
}

/** True where nothing is wrong, missing or unproven. */
export function isFolderGood({ missing, mismatched, unverifiable }: VerifyReport): boolean {
  return missing.length + mismatched.length + unverifiable.length === 0;
}

/**
 * True where all that is not as pinned was redacted by the archive: nothing can bring it back, and the rest is right.
 *
 * @param missing what `repairFolder` could not find on any mirror
 */
export function isOnlyRedacted(report: VerifyReport, missing: readonly MissingFile[]): boolean {
  const redacted = new Set(missing.filter(({ fate }) => fate === 'redacted').map(({ path }) => path));
  const others = report.mismatched.length + report.unverifiable.length;
  return others === 0 && report.missing.every((path) => redacted.has(path));
}

/**
 * Fetches again what a report found missing or wrong; what is right stays and is not asked for. The folder is to be verified
 * again by whoever wants proof.
 *
 * @returns files that no mirror has any more: redacted by the archive, or lost
 * @throws the error of the first other file that could not be fetched, after all were tried
 */
export async function repairFolder(
  folder: LockedFolder,
  report: VerifyReport,
  tools: Tools,
  options: Pick<GetOptions, 'onEvent' | 'receipts'> = {},
): Promise<MissingFile[]> {
  const { directory, lockPath } = folder;
  // The journal believes a file whose time has not changed; these are known to be wrong, so it must not.
  const now = new Date();
  for (const { path } of report.mismatched) await utimes(join(directory, path), now, now);
  const cohort = await resolveCohort({ what: [lockPath], selection: {} }, tools, { cwd: directory });
  const plan = await planCohort(cohort, tools, { directory });
  const result = await getPlanned(plan, tools, { ...options, directory, lockPath });
  const gone = new Set(result.missing.map(({ path }) => path));
  const failed = result.transfer.failed.filter(({ path }) => !gone.has(path));
  const [first] = failed;
  if (first !== undefined)
    throw new CarrelError(
      first.error.code,
      `${failed.length} ${failed.length === 1 ? 'file' : 'files'} could not be fetched again; first: ${first.path}: ${first.error.message}`,
      { item: first.path, next: first.error.next, cause: first.error },
    );
  return result.missing;
}

/** Compares every file of a locked folder with the lock file. */
export async function verifyFolder(
  folder: LockedFolder,
  options: {
    mode?: 'full' | 'size' | undefined;
    /** Also name files that the lock file does not. */
    extra?: boolean | undefined;
    onEvent?: ((event: TransferEvent) => void) | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<VerifyReport> {
  const lockName = relative(folder.directory, folder.lockPath);
  return await verifyFiles(lockedFiles(folder.lock), {
    directory: folder.directory,
    mode: options.mode,
    extra: options.extra,
    ignore: [
      lockName,
      basename(folder.lockPath),
      LOCK_NAME,
      ...(options.extra === true ? await ownNames(folder.directory) : []),
    ],
    onEvent: options.onEvent,
    signal: options.signal,
  });
}

/** Earlier lock files, those of parts, and receipts. */
async function ownNames(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => /^carrel\.(lock|receipts)(\.[\w.-]+)?\.jsonl?$/.test(name));
}
