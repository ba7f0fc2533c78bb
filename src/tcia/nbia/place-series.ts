/** From the folder in which a series was unpacked and proven to its names in the destination. */
import { realpath, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { checkPlan, makeFolder } from '../../transfer/index.ts';
import type { NbiaFile } from './fetch-series.ts';
import type { ProvenImage } from './unpack-series.ts';

/** Names are given once: two series under a layout that does not tell them apart would replace each other's files. */
export function takeNames(paths: readonly string[], uid: string, taken: Map<string, string>): void {
  for (const path of paths) {
    const folded = path.normalize('NFC').toLowerCase();
    const other = taken.get(folded);
    if (other !== undefined && other !== uid) {
      throw new CarrelError('unsafe', `${uid} and ${other} would both have a file ${path}`, {
        item: uid,
        next: 'give a layout that tells series apart, such as {SeriesInstanceUID}/{file}',
      });
    }
    taken.set(folded, uid);
  }
}

/** Moves proven files to their names; what stands there already is replaced. */
export async function placeSeries(
  files: readonly { image: ProvenImage; path: string }[],
  from: string,
  folder: string,
): Promise<NbiaFile[]> {
  checkPlan(files.map(({ path }) => ({ path, digests: [], sources: [] })));
  const root = await realpath(folder);
  const made = new Set<string>();
  for (const { image, path } of files) {
    const target = join(folder, ...path.split('/'));
    const parent = dirname(target);
    if (!made.has(parent)) {
      await makeFolder(parent);
      const real = await realpath(parent);
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) {
        throw new CarrelError('unsafe', `${path}: a symbolic link leads out of ${folder}`, {
          item: path,
          next: 'remove the link, or choose an empty folder',
        });
      }
      made.add(parent);
    }
    await rename(join(from, ...image.local.split('/')), target);
  }
  return files.map(({ image: { bytes, md5, sopInstanceUid, verifiedBy }, path }) => ({
    path,
    bytes,
    digest: `md5:${md5}`,
    sopInstanceUid,
    verifiedBy,
  }));
}
