/** A folder listed as a bucket would be: files by their keys, in the order of the keys' bytes. */
import { readdir, realpath, stat as statFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { abortError, CarrelError } from '../errors.ts';
import { compareKeys } from './object-key.ts';
import type { ListOptions, ListPage, ObjectStat } from './store.ts';

/** Objects of one page where the caller names no number. */
const PAGE_SIZE = 1_000;

/** A file or a folder; the folder's key ends in `/`, so that it sorts where its files do. */
interface Entry {
  key: string;
  folder: boolean;
}

/**
 * Pages of the files whose key starts with `prefix`. Links to files inside the root are listed, links to folders and
 * links that lead out are not; empty folders do not exist, as in a bucket. Rejects with `not-found` without the root.
 */
export async function* listFolder(
  root: string,
  prefix: string,
  options: ListOptions = {},
): AsyncGenerator<ListPage> {
  const { delimiter, startAfter, signal } = options;
  const pageSize = Math.max(1, options.pageSize ?? PAGE_SIZE);
  if (signal?.aborted) throw abortError(signal);
  const realRoot = await realpath(root).catch((cause: unknown) => {
    throw new CarrelError('not-found', `${root} does not exist`, {
      item: root,
      next: 'check the path',
      cause,
    });
  });
  let page: ListPage = { objects: [], prefixes: [] };
  let lastPrefix: string | undefined;

  const skips = ({ key, folder }: Entry): boolean => {
    if (!(key.startsWith(prefix) || (folder && prefix.startsWith(key)))) return true;
    if (startAfter === undefined || compareKeys(key, startAfter) > 0) return false;
    return !(folder && startAfter.startsWith(key));
  };

  const walk = async function* (folder: string): AsyncGenerator<string> {
    for (const entry of await entriesOf(realRoot, folder)) {
      if (signal?.aborted) throw abortError(signal);
      if (skips(entry)) continue;
      // Below a prefix that has been given already there is nothing new.
      if (lastPrefix !== undefined && entry.key.startsWith(lastPrefix)) continue;
      if (entry.folder) yield* walk(entry.key);
      else yield entry.key;
    }
  };

  for await (const key of walk('')) {
    const cut = delimiter === undefined || delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut >= 0) {
      const common = key.slice(0, cut + (delimiter ?? '').length);
      if (common === lastPrefix) continue;
      lastPrefix = common;
      if (startAfter !== undefined && compareKeys(common, startAfter) <= 0) continue;
      page.prefixes.push(common);
    } else {
      const object = await describe(realRoot, key);
      if (object !== undefined) page.objects.push(object);
    }
    if (page.objects.length + page.prefixes.length >= pageSize) {
      yield page;
      page = { objects: [], prefixes: [] };
    }
  }
  yield page;
}

/** Files and folders right below a folder (`''` or ending in `/`), in key order. */
async function entriesOf(root: string, folder: string): Promise<Entry[]> {
  const found = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    // Gone or not readable: a bucket would not show it either; the root itself was looked at before.
    if (folder !== '') return [];
    throw error;
  });
  const entries = found.flatMap((entry): Entry[] => {
    if (entry.isDirectory()) return [{ key: `${folder}${entry.name}/`, folder: true }];
    return entry.isFile() || entry.isSymbolicLink() ? [{ key: `${folder}${entry.name}`, folder: false }] : [];
  });
  return entries.sort((a, b) => compareKeys(a.key, b.key));
}

/** The file behind a key; undefined for links to folders, out of the root or to nothing. */
async function describe(root: string, key: string): Promise<ObjectStat | undefined> {
  try {
    const real = await realpath(join(root, key));
    const { size, mtimeNs, ...stat } = await statFile(real, { bigint: true });
    const file = (stat.mode & 0o170000n) === 0o100000n;
    if (!file || !real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    return {
      key,
      size: Number(size),
      etag: `${size}-${mtimeNs}`,
      lastModified: new Date(Number(mtimeNs / 1_000_000n)).toISOString(),
      digests: [],
    };
  } catch {
    return undefined;
  }
}
