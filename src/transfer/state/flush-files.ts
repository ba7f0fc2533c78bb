/** Waits until bytes are on the disk itself, and not only in the memory of the system. */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { forEachLimited } from '../for-each-limited.ts';

/** The disk sorts and joins what is asked of it at once. */
const AT_ONCE = 16;

/**
 * Flushes files below `directory`, then every folder that leads to them.
 *
 * @returns false where a file could not be flushed, or is gone: then nothing may be said of them after a crash
 */
export async function flushFiles(directory: string, paths: readonly string[]): Promise<boolean> {
  if (paths.length === 0) return true;
  let done = true;
  const flush = async (path: string) => {
    done = (await flushPath(join(directory, path))) && done;
  };
  await forEachLimited([...new Set(paths)], AT_ONCE, flush);
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  await forEachLimited([...folders], AT_ONCE, flush);
  return done;
}

/** Flushes one file or folder. Systems that cannot flush a folder (Windows) keep its entries in order themselves. */
export async function flushPath(path: string): Promise<boolean> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    return (error as { code?: unknown }).code === 'EISDIR';
  }
  try {
    await handle.sync();
    return true;
  } catch (error) {
    return ['EINVAL', 'EISDIR', 'EPERM', 'ENOTSUP'].includes(String((error as { code?: unknown }).code));
  } finally {
    await handle.close();
  }
}
