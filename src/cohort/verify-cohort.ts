/** Proves a folder against its lock file, and fetches again what fails. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CarrelError } from '../errors.ts';
import { type LockedFile, type LockFile, parseLock } from '../manifests/index.ts';
import { type TransferEvent, type VerifyReport, verifyFiles } from '../transfer/index.ts';
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
