/** A folder that packages were fetched to: its lock file is read, written and held against the disk. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { type TransferEvent, type VerifyReport, verifyFiles } from '../../transfer/index.ts';
import { mergePackageLocks, packageFiles } from './merge-package-locks.ts';
import { ownNames } from './own-names.ts';
import { PACKAGE_LOCK_NAME, type PackageLock } from './package-lock.ts';
import { isPackageLockLike, parsePackageLock } from './parse-package-lock.ts';
import { printPackageLock } from './print-package-lock.ts';

/** A lock file of packages and the folder that it describes. */
export interface PackageFolder {
  lock: PackageLock;
  lockPath: string;
  directory: string;
}

/**
 * The lock file of packages of a folder, or the one at a path of its own (its folder is then where it lies). Undefined where
 * there is none, also where the path is another kind of file.
 *
 * @param directory the folder, where the lock file lies elsewhere
 * @throws CarrelError `bad-input`, `unsupported` or `unsafe` for a lock file that cannot be believed
 */
export async function openPackageFolder(
  path: string,
  directory?: string,
): Promise<PackageFolder | undefined> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) return undefined;
  const lockPath = found.isDirectory() ? join(absolute, PACKAGE_LOCK_NAME) : absolute;
  const text = await readLock(lockPath);
  if (text === undefined || (!found.isDirectory() && !isPackageLockText(text))) return undefined;
  return {
    lock: parsePackageLock(text, { origin: lockPath }),
    lockPath,
    directory: directory === undefined ? dirname(lockPath) : resolve(directory),
  };
}

/**
 * Joins a lock with the one that is in the folder, and writes it, atomically.
 *
 * @returns what the folder holds now
 * @throws CarrelError `permission` where it cannot be written; as `openPackageFolder` for the earlier one, and for one that
 *   could not be read again
 */
export async function writePackageLock(directory: string, lock: PackageLock): Promise<PackageLock> {
  const path = join(directory, PACKAGE_LOCK_NAME);
  const before = await readLock(path);
  const earlier = before === undefined ? undefined : parsePackageLock(before, { origin: path });
  const merged = mergePackageLocks(earlier, lock);
  const text = printPackageLock(merged);
  if (text === before) return merged;
  // What is written must be read again: two packages with one local name would leave a folder that nobody can verify.
  parsePackageLock(text, { origin: path });
  const temporary = join(directory, `.${PACKAGE_LOCK_NAME}.${process.pid}.tmp`);
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new CarrelError('permission', `cannot write ${path}: ${(cause as Error).message}`, {
      item: path,
      next: 'choose a folder that you may write to; the files of the packages stay',
      cause,
    });
  }
  return merged;
}

/** Compares every file of every package with the lock file. Reads all bytes in `full` mode, as `verifyFiles` does. */
export async function verifyPackageFolder(
  { lock, lockPath, directory }: PackageFolder,
  options: {
    mode?: 'full' | 'size' | undefined;
    /** Also name files that the lock file does not. */
    extra?: boolean | undefined;
    onEvent?: ((event: TransferEvent) => void) | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<VerifyReport> {
  const files = packageFiles(lock).map(({ local, size, digests }) => ({ path: local, size, digests }));
  const ignore = options.extra === true ? await ownNames(directory) : [];
  return await verifyFiles(files, {
    directory,
    mode: options.mode,
    extra: options.extra,
    ignore: [...ignore, relative(directory, lockPath).split(sep).join('/')],
    onEvent: options.onEvent,
    signal: options.signal,
  });
}

async function readLock(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new CarrelError('permission', `cannot read ${path}: ${cause.message}`, {
      item: path,
      next: 'see who may read it',
      cause,
    });
  });
}

function isPackageLockText(text: string): boolean {
  try {
    return isPackageLockLike(JSON.parse(text));
  } catch {
    return false;
  }
}
