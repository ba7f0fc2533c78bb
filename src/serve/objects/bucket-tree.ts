/** Folders as buckets: `<root>/<bucket>/<key…>`, found and listed, never written and never left. */
import { realpath, stat } from 'node:fs/promises';
import { createFolderReader, type ReadFolder } from './folder-reader.ts';
import { compareKeys } from './key-order.ts';
import { createKeyWalk } from './key-walk.ts';
import { isBucketName, isMissing, keySegments, realPathBelow } from './safe-path.ts';

/** A file as an object. */
export interface StoredFile {
  key: string;
  /** Real path. */
  path: string;
  size: number;
  /** Time stamp in nanoseconds since 1970; with `size` it tells one content from another. */
  mtimeNs: bigint;
}

/** What to list. */
export interface ListQuery {
  prefix: string;
  /** Keys are rolled up to the first delimiter after the prefix; empty for none. */
  delimiter: string;
  /** Names after this one only: a key, or a rolled-up prefix. */
  after: string;
  /** At most this many keys and rolled-up prefixes. */
  limit: number;
  /** This key and later ones only. */
  from?: string | undefined;
  /** Keys before this one only. */
  until?: string | undefined;
  /** Keys that count. */
  accepts?: ((key: string) => boolean) | undefined;
}

/** One page. */
export interface Listing {
  objects: StoredFile[];
  prefixes: string[];
  /** `after` of the next page; undefined on the last one. */
  next: string | undefined;
}

/** Read access to a folder of buckets. */
export interface BucketTree {
  /** In key order. */
  buckets(): Promise<{ name: string; created: Date }[]>;
  /** Creation time of a bucket, undefined where there is none. */
  bucket(name: string): Promise<{ name: string; created: Date } | undefined>;
  /** Undefined where there is no such file. Throws `unsafe` for keys and links that lead outside. */
  find(bucket: string, key: string): Promise<StoredFile | undefined>;
  /** Undefined where there is no such bucket. Empty folders hold no keys, so they are not listed. */
  list(bucket: string, query: ListQuery): Promise<Listing | undefined>;
}

/** Opens a folder of buckets. The root itself may be a link; it must exist when the first request comes. */
export function createBucketTree(root: string): BucketTree {
  let opened: Promise<{ root: string; readFolder: ReadFolder }> | undefined;
  const open = async () => {
    opened ??= realpath(root).then((path) => ({ root: path, readFolder: createFolderReader(path) }));
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };

  const bucketFolder = async (name: string): Promise<{ path: string; created: Date } | undefined> => {
    if (!isBucketName(name)) return undefined;
    const { root: realRoot } = await open();
    const path = await realPathBelow(realRoot, realRoot, [name]);
    const stats = path === undefined ? undefined : await stat(path);
    return path === undefined || !stats?.isDirectory() ? undefined : { path, created: stats.mtime };
  };

  return {
    async buckets() {
      const { root: realRoot, readFolder } = await open();
      const folders = (await readFolder(realRoot)).filter(
        ({ name }) => name.endsWith('/') && isBucketName(name.slice(0, -1)),
      );
      return Promise.all(
        folders.map(async ({ name, path }) => ({
          name: name.slice(0, -1),
          created: (await stat(path)).mtime,
        })),
      );
    },

    async bucket(name) {
      const folder = await bucketFolder(name);
      return folder === undefined ? undefined : { name, created: folder.created };
    },

    async find(bucket, key) {
      const segments = keySegments(key);
      if (segments === undefined || !isBucketName(bucket)) return undefined;
      const { root: realRoot } = await open();
      const path = await realPathBelow(realRoot, realRoot, [bucket, ...segments]);
      return path === undefined ? undefined : statFile(key, path);
    },

    async list(bucket, query) {
      const bucketPath = await bucketFolder(bucket);
      if (bucketPath === undefined) return undefined;
      const nothing: Listing = { objects: [], prefixes: [], next: undefined };
      const { root: realRoot, readFolder } = await open();
      const folderKey = query.prefix.slice(0, query.prefix.lastIndexOf('/') + 1);
      const segments = folderKey === '' ? [] : keySegments(folderKey.slice(0, -1));
      if (segments === undefined || query.limit === 0) return nothing;
      const folder = await realPathBelow(realRoot, bucketPath.path, segments);
      return folder === undefined ? nothing : listFolder(query, folderKey, folder, readFolder);
    },
  };
}

async function listFolder(
  query: ListQuery,
  folderKey: string,
  folder: string,
  readFolder: ReadFolder,
): Promise<Listing> {
  const { prefix, delimiter, after, limit, from, until, accepts } = query;
  const walk = createKeyWalk({ folderKey, folder, prefix, after, from, readFolder });
  const rollUp = (key: string) => {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return at < 0 ? undefined : key.slice(0, at + delimiter.length);
  };
  // A page that ended with a rolled-up prefix goes on behind all keys below it.
  if (after.startsWith(prefix) && rollUp(after) === after) walk.skip(after);

  const files: { key: string; path: string }[] = [];
  const prefixes: string[] = [];
  let last = '';
  let next: string | undefined;
  for (let file = await walk.next(); file !== undefined; file = await walk.next()) {
    if (until !== undefined && compareKeys(file.key, until) >= 0) break;
    if (accepts !== undefined && !accepts(file.key)) continue;
    if (files.length + prefixes.length === limit) {
      next = last;
      break;
    }
    const rolled = rollUp(file.key);
    if (rolled === undefined) {
      files.push(file);
      last = file.key;
    } else {
      prefixes.push(rolled);
      walk.skip(rolled);
      last = rolled;
    }
  }
  const objects = await Promise.all(files.map(({ key, path }) => statFile(key, path)));
  return { objects: objects.filter((object) => object !== undefined), prefixes, next };
}

async function statFile(key: string, path: string): Promise<StoredFile | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? { key, path, size: Number(stats.size), mtimeNs: stats.mtimeNs } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
