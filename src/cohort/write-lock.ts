/** Writes the lock file into a destination, atomically; the lock file of another cohort is kept beside it. */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CarrelError } from '../errors.ts';
import { type LockFile, parseLock, printLock } from '../manifests/index.ts';

/** Name of the lock file in a destination. */
export const LOCK_NAME = 'carrel.lock.json';

/**
 * Writes `lock` to `path`.
 *
 * @param options.replace the earlier lock file is not kept: the caller did that
 * @returns the name that an earlier lock file of another question was moved to, or undefined
 */
export async function writeLock(
  lock: LockFile,
  path: string,
  options: { replace?: boolean } = {},
): Promise<string | undefined> {
  const text = printLock(lock);
  // A device or a pipe is written to as it is: what is renamed onto it would take its place.
  const info = await stat(path).catch(() => undefined);
  if (info !== undefined && !info.isFile() && !info.isDirectory()) {
    await writeFile(path, text);
    return undefined;
  }
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === text) return undefined;
  const moved =
    before !== undefined && options.replace !== true && !isSuperseded(before, lock)
      ? await moveAside(path)
      : undefined;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    throw new CarrelError('permission', `cannot write the lock file ${path}: ${(cause as Error).message}`, {
      item: path,
      next: 'give another place with --lock FILE',
      cause,
    });
  }
  return moved;
}

/** True where the older lock file says nothing that the new one does not: the same question, or the same bytes. */
function isSuperseded(text: string, lock: LockFile): boolean {
  try {
    const before = parseLock(text, { origin: LOCK_NAME });
    const same = (pick: (one: LockFile) => unknown) =>
      JSON.stringify(pick(before)) === JSON.stringify(pick(lock));
    return (
      same(({ archive, release, question }) => [archive, release, question]) ||
      same(({ archive, series, files }) => [archive, series, files])
    );
  } catch {
    return false;
  }
}

/** `carrel.lock.json` → `carrel.lock.1.json`, the first number that is free. */
async function moveAside(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const aside = path.replace(/(\.json)?$/, `.${number}.json`);
    const taken = await readFile(aside).then(
      () => true,
      () => false,
    );
    if (taken) continue;
    await rename(path, aside);
    return basename(aside);
  }
}
