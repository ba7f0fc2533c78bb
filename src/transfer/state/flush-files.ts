/** Waits until bytes are on the disk itself, and not only in the memory of the system. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../disk-error.ts';
import { forEachLimited } from '../for-each-limited.ts';

/** The disk sorts and joins what is asked of it at once. */
const AT_ONCE = 16;

/**
 * A disk that answers within this time, in ms, has nothing to wait for (its bytes are written already, or it is memory): asking it
 * in this thread takes 10 µs, and through the threads of Node 100 µs.
 */
const QUICK_MS = 0.1;

/** After so many slow answers in a row, it is left to the threads of Node. */
const MOST_SLOW = 3;

/** How long this thread may be kept from its other work, in ms. */
const TURN_MS = 10;

/**
 * Flushes files below `directory`, then every folder that leads to them.
 *
 * @returns false where a file could not be flushed, or is gone: then nothing may be said of them after a crash
 */
export async function flushFiles(directory: string, paths: readonly string[]): Promise<boolean> {
  if (paths.length === 0) return true;
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  // Folders last: what they name must be there before them.
  const files = await flushEach(directory, [...new Set(paths)]);
  return (await flushEach(directory, [...folders])) && files;
}

async function flushEach(directory: string, paths: readonly string[]): Promise<boolean> {
  let done = true;
  let next = 0;
  let turn = performance.now();
  for (let slow = 0; next < paths.length && slow < MOST_SLOW; next += 1) {
    if (performance.now() - turn > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
    const before = performance.now();
    done = flushNow(join(directory, paths[next] ?? '')) && done;
    slow = performance.now() - before > QUICK_MS ? slow + 1 : 0;
  }
  await forEachLimited(paths.slice(next), AT_ONCE, async (path) => {
    done = (await flushPath(join(directory, path))) && done;
  });
  return done;
}

/** Flushes one file or folder. Systems that cannot flush a folder (Windows) keep its entries in order themselves. */
export async function flushPath(path: string): Promise<boolean> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    return cannotOpenFolders(error);
  }
  try {
    await handle.sync();
    return true;
  } catch (error) {
    return knowsNoFlush(error);
  } finally {
    await handle.close();
  }
}

/** The same, keeping this thread. */
function flushNow(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return cannotOpenFolders(error);
  }
  try {
    fsyncSync(fd);
    return true;
  } catch (error) {
    return knowsNoFlush(error);
  } finally {
    closeSync(fd);
  }
}

const cannotOpenFolders = (error: unknown): boolean => systemCode(error) === 'EISDIR';

const knowsNoFlush = (error: unknown): boolean =>
  ['EINVAL', 'EISDIR', 'EPERM', 'ENOTSUP'].includes(systemCode(error) ?? '');
