/**
 * Makes a destination, one level at a time. Node's `mkdir` with `recursive` never returns where a parent exists and
 * the level below still answers ENOENT (procfs, automounter maps, some FUSE file systems; seen on Node 20.20).
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CarrelError } from '../errors.ts';

/** Makes `path` and what is missing above it. Throws `usage` where a file is in the way, `permission` otherwise. */
export async function makeFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found !== undefined) {
    throw new CarrelError('usage', `${path} is a file, not a folder`, {
      item: path,
      next: 'choose another destination with -o',
    });
  }
  if (dirname(path) !== path) await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (cause) {
    // Another run may have been faster.
    if ((await stat(path).catch(() => undefined))?.isDirectory()) return;
    throw new CarrelError('permission', `cannot make the folder ${path}: ${(cause as Error).message}`, {
      item: path,
      next: 'choose another destination with -o',
      cause,
    });
  }
}
