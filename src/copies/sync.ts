/** What of a folder its source does not have: what `sync --delete` removes. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { CarrelError } from '../errors.ts';

/**
 * Files below a folder that are not among those wanted, as paths with `/`, sorted. Links are files here: never followed.
 *
 * @param wanted paths below the folder
 * @param isLeft true for names that are none of the source's business (`--exclude`)
 */
export async function findExtra(
  directory: string,
  wanted: ReadonlySet<string>,
  isLeft: (path: string) => boolean = () => false,
): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new CarrelError('permission', `the folder ${directory} cannot be read`, {
        item: directory,
        cause,
      });
    },
  );
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path.split('/')[0] !== '.carrel' && !wanted.has(path) && !isLeft(path))
    .sort();
}

/** Removes files of a folder; what is a folder by now stays. Answers with how many are gone. */
export async function removeExtra(directory: string, paths: readonly string[]): Promise<number> {
  let removed = 0;
  for (const path of paths) {
    const file = join(directory, ...path.split('/'));
    const info = await lstat(file).catch(() => undefined);
    if (info === undefined || info.isDirectory()) continue;
    try {
      await rm(file);
    } catch (cause) {
      throw new CarrelError('permission', `${path} cannot be removed`, { item: path, cause });
    }
    removed += 1;
  }
  return removed;
}
