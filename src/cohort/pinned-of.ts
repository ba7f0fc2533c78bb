/** A release or a lock file as one side of a comparison. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Archive } from '../archives/index.ts';
import type { Pinned, PinnedSeries } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import type { LockFile } from '../manifests/index.ts';
import { isNarrowed } from './is-narrowed.ts';
import { openLockedFolder } from './verify-cohort.ts';

/**
 * The series that a lock file pins, and its question where it was a selection alone: names of files mean nothing on
 * another machine. `release`, `limit` and `sample` belong to the day on which it was asked, so they are left out.
 *
 * @param name for messages: the path as it was given
 * @throws `usage` for a lock file of another archive
 */
export function pinnedOf(lock: LockFile, archive: Archive, name: string): Pinned {
  if (lock.archive.name !== archive.name)
    throw new CarrelError(
      'usage',
      `${name} pins data of the archive "${lock.archive.name}", not of "${archive.name}"`,
      {
        item: name,
        next: `add --archive ${lock.archive.origin === 'built-in' ? lock.archive.name : lock.archive.origin}`,
      },
    );
  const { release: _, limit, sample, ...selection } = lock.question.selection;
  const again =
    lock.question.what.length === 0 && limit === undefined && sample === undefined && isNarrowed(selection);
  return {
    name,
    selection: again ? selection : undefined,
    series: lock.series.map(
      ({ files, ...series }): PinnedSeries => ({
        ...series,
        instanceCount: files.length,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
        buckets: files[0]?.mirrors ?? {},
      }),
    ),
  };
}

/**
 * What a text names as a side: a release (`v23`, `23`, `current`), or a lock file or a folder that has one.
 *
 * @throws `not-found` where it is neither, `usage` for a lock file of another archive
 */
export async function openSide(text: string, archive: Archive, cwd: string): Promise<string | Pinned> {
  const path = resolve(cwd, text);
  const there = await stat(path).catch(() => undefined);
  const prefix = archive.catalog.releasePrefix;
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  if (text === 'current' || (/^\d{1,6}$/.test(bare) && there?.isFile() !== true)) return text;
  if (there === undefined)
    throw new CarrelError('not-found', `${JSON.stringify(text)} is no release, and there is no such file`, {
      item: text,
      next: `releases look like ${prefix}24; carrel catalog releases lists them`,
    });
  const { lock } = await openLockedFolder(path);
  return pinnedOf(lock, archive, text);
}
