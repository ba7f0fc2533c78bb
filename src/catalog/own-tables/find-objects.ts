/**
 * From what the user wrote to the files that make a table: a file, a folder, a pattern; on this disk, in a bucket, on a
 * web server. Of a folder its Parquet files count, else its CSV files, else its files without an ending (as exports name
 * their parts); what begins with `_` or `.` is left alone.
 */
import { createHash } from 'node:crypto';
import { open, stat as statFile } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Archive, placesFor } from '../../archives/index.ts';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type ObjectStat, type OpenStore, type Place, type Store, withRetry } from '../../stores/index.ts';
import { isCsvName } from './csv.ts';

/** One file of a table, not read yet. */
export interface SourceObject {
  /** For messages and for `table.json`: a URL, or an absolute path. */
  shown: string;
  format: 'parquet' | 'csv';
  store: Store;
  key: string;
  stat: ObjectStat;
  /** Absolute, where it stands on this disk. */
  path?: string | undefined;
}

/** Where to look. */
export interface FindOptions {
  archive: Archive;
  openStore: OpenStore;
  /** Paths and URLs as they were given; relative paths are meant from the working directory of the process. */
  sources: readonly string[];
  /** Service of `s3://` and `gs://` buckets that are not the archive's. */
  endpoint?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Services of buckets that belong to no archive. */
const PUBLIC: Record<string, Place> = {
  s3: { protocol: 's3', endpoint: 'https://s3.amazonaws.com', bucket: '', region: 'us-east-1' },
  gs: { protocol: 'gcs', endpoint: 'https://storage.googleapis.com', bucket: '' },
};

/** Opens the store that a `s3://`, `gs://`, `https://` or `file://` URL or a path means, and its key there. */
export function storeOf(
  options: Pick<FindOptions, 'archive' | 'openStore' | 'endpoint'>,
  source: string,
): { store: Store; key: string; local?: string } {
  const { archive, openStore } = options;
  const cloud = /^(s3|gs):\/\/([^/]+)\/?(.*)$/i.exec(source);
  if (cloud !== null) {
    const [, scheme = '', bucket = '', key = ''] = cloud;
    const word = scheme.toLowerCase();
    const [known] = options.endpoint === undefined ? placesFor(archive, bucket, { scheme: word }) : [];
    const place: Place = known?.place ?? { ...(PUBLIC[word] as Place), bucket };
    if (options.endpoint !== undefined) place.endpoint = options.endpoint.replace(/\/+$/, '');
    return { store: openStore(place), key };
  }
  if (/^https?:\/\//i.test(source)) {
    const { origin, pathname, search } = new URL(source);
    const store = openStore({ protocol: 'https', endpoint: origin, bucket: '' });
    return { store, key: `${pathname.slice(1)}${search}` };
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source) && !/^file:/i.test(source)) {
    throw new CarrelError('usage', `${source} cannot be read from`, {
      item: source,
      next: 'give a path, or a URL that begins with s3://, gs:// or https://',
    });
  }
  const path = resolve(/^file:/i.test(source) ? fileURLToPath(source) : source);
  const store = openStore({ protocol: 'file', endpoint: dirname(path), bucket: '' });
  return { store, key: basename(path), local: path };
}

/** The files of all sources, in order. Throws `not-found` where a source is or holds nothing, `usage` where kinds are mixed. */
export async function findObjects(options: FindOptions): Promise<SourceObject[]> {
  const found: SourceObject[] = [];
  for (const source of options.sources) {
    const objects = await objectsOf(options, source);
    if (objects.length === 0) {
      throw new CarrelError('not-found', `there is no Parquet or CSV file at ${source}`, {
        item: source,
        next: 'give a file, a folder of Parquet files, or a pattern such as "data/*.csv"',
      });
    }
    found.push(...objects);
  }
  const seen = new Set<string>();
  for (const { shown } of found) {
    if (seen.has(shown)) {
      throw new CarrelError('usage', `${shown} is named twice`, { item: shown, next: 'name each file once' });
    }
    seen.add(shown);
  }
  const formats = new Set(found.map(({ format }) => format));
  if (formats.size > 1) {
    const other = found.find(({ format }) => format === 'csv')?.shown ?? '';
    throw new CarrelError('usage', 'a table is made of Parquet or of CSV, not of both', {
      item: other,
      next: 'add them as two tables',
    });
  }
  return found;
}

async function objectsOf(options: FindOptions, source: string): Promise<SourceObject[]> {
  const { store, key, local } = storeOf(options, source);
  if (local !== undefined) return localObjects(options, local);
  const web = store.place.protocol === 'https';
  if (!web && /[*?]/.test(key)) {
    return listed(options, store, key.slice(0, key.search(/[*?]/)), patternOf(key, '.*'));
  }
  if (key !== '' && !key.endsWith('/')) {
    try {
      const stat = await withRetry(store).stat(key, { signal: options.signal });
      return [{ shown: source, format: formatOf(new URL(source).pathname), store, key, stat }];
    } catch (error) {
      if (web || !isCarrelError(error, 'not-found')) throw error;
    }
  }
  if (web) {
    throw new CarrelError('usage', `a web server lists no folders: ${source}`, {
      item: source,
      next: 'name each file, or give the folder as s3:// or gs://',
    });
  }
  return listed(options, store, key === '' || key.endsWith('/') ? key : `${key}/`);
}

async function localObjects(options: FindOptions, path: string): Promise<SourceObject[]> {
  const info = await statFile(path).catch(() => undefined);
  if (info?.isFile()) {
    const store = options.openStore({ protocol: 'file', endpoint: dirname(path), bucket: '' });
    const key = basename(path);
    const format = isCsvName(path) ? 'csv' : await formatByBytes(path);
    return [{ shown: path, format, store, key, stat: await store.stat(key), path }];
  }
  if (info === undefined && /[*?]/.test(path)) {
    const root = dirname(`${path.slice(0, path.search(/[*?]/))}x`);
    const pattern = patternOf(
      path
        .slice(root.length + (root.endsWith(sep) ? 0 : 1))
        .split(sep)
        .join('/'),
      '[^/]*',
    );
    const store = options.openStore({ protocol: 'file', endpoint: root, bucket: '' });
    return listed(options, store, '', pattern, root);
  }
  if (info === undefined) {
    throw new CarrelError('not-found', `there is no file or folder ${path}`, {
      item: path,
      next: 'check the path; patterns stand in quotation marks: "data/*.csv"',
    });
  }
  const store = options.openStore({ protocol: 'file', endpoint: path, bucket: '' });
  return listed(options, store, '', undefined, path);
}

/** What a listing holds: the files of the pattern, or those that a folder's kind decides. */
async function listed(
  options: FindOptions,
  store: Store,
  prefix: string,
  pattern?: RegExp,
  root?: string,
): Promise<SourceObject[]> {
  const stats: ObjectStat[] = [];
  for await (const page of withRetry(store).list(prefix, { signal: options.signal })) {
    for (const stat of page.objects) {
      const below = stat.key.slice(prefix.lastIndexOf('/') + 1);
      if (stat.key.endsWith('/') || below.split('/').some((part) => /^[._]/.test(part))) continue;
      if (pattern === undefined || pattern.test(stat.key)) stats.push(stat);
    }
  }
  const kinds = [
    (key: string) => /\.(parquet|parq|pq)$/i.test(key),
    (key: string) => isCsvName(key),
    (key: string) => !/\.[A-Za-z][^/]*$/.test(key),
  ];
  const kept =
    pattern === undefined
      ? (kinds.map((is) => stats.filter(({ key }) => is(key))).find((some) => some.length > 0) ?? [])
      : stats;
  return kept.map((stat) => {
    const path = root === undefined ? undefined : resolve(root, stat.key);
    return {
      shown: path ?? store.url(stat.key),
      format: formatOf(stat.key),
      store,
      key: stat.key,
      stat,
      path,
    };
  });
}

function formatOf(name: string): 'parquet' | 'csv' {
  return isCsvName(name) ? 'csv' : 'parquet';
}

/** A file without a telling name is what its first bytes say. */
async function formatByBytes(path: string): Promise<'parquet' | 'csv'> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.subarray(0, bytesRead).toString('latin1') === 'PAR1') return 'parquet';
  } finally {
    await file.close();
  }
  if (/\.(parquet|parq|pq)$/i.test(path)) return 'parquet';
  throw new CarrelError('bad-input', `${path} is neither Parquet nor CSV by its name and its first bytes`, {
    item: path,
    next: 'name CSV files .csv or .tsv (with .gz where they are compressed)',
  });
}

/** A pattern of the user as an expression over whole keys. */
function patternOf(pattern: string, star: string): RegExp {
  const source = pattern
    .split(/(\*+|\?)/)
    .map((part) =>
      part === '?'
        ? '.'
        : part === '*'
          ? star
          : /^\*+$/.test(part)
            ? '.*'
            : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`, 's');
}

/** A short name for the parts of a download. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** An export that is overwritten leaves the parts of a larger earlier one behind; their dates tell. Undefined where all is well. */
export function oldPartNote(objects: readonly SourceObject[]): string | undefined {
  const dated = objects
    .map(({ shown, stat }) => ({ shown, time: Date.parse(stat.lastModified ?? '') }))
    .filter(({ time }) => !Number.isNaN(time))
    .sort((a, b) => a.time - b.time);
  const middle = dated[Math.floor(dated.length / 2)]?.time;
  const [oldest] = dated;
  if (
    objects.length < 3 ||
    middle === undefined ||
    oldest === undefined ||
    middle - oldest.time < 7 * 86_400_000
  )
    return undefined;
  const old = dated.filter(({ time }) => middle - time >= 7 * 86_400_000);
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  return `${old.length} of ${objects.length} parts are older than the others (${oldest.shown}: ${day(oldest.time)}, most: ${day(middle)}): they may be left from an earlier export`;
}
