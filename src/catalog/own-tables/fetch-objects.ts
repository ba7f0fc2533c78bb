/** Bringing the files of a table of one's own to this disk: several at a time, unchanged ones from the copy that is there. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../../archives/index.ts';
import { CarrelError } from '../../errors.ts';
import type { OpenStore } from '../../stores/index.ts';
import { stopIfAborted } from '../abort.ts';
import { sha256Of } from '../catalog-file.ts';
import type { CatalogEvent } from '../catalogs.ts';
import { fetchFile } from '../fetch-file.ts';
import { archiveFolder } from '../layout.ts';
import { type SourceObject, shortHash } from './find-objects.ts';
import type { OwnTable } from './table-file.ts';

/** What fetching needs of `AddTableOptions`. */
export interface FetchObjectsOptions {
  archive: Archive;
  cacheDir: string;
  name: string;
  openStore: OpenStore;
  onEvent?: ((event: CatalogEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A file on this disk. `done`: a whole copy that is Parquet already. */
export interface FetchedObject {
  path: string;
  shown: string;
  /** Hex, where it is known already. */
  sha256?: string | undefined;
  done?: boolean | undefined;
}

/** Files fetched at the same time. */
const PARALLEL = 8;

/** Name of the copy of a file by its place in the list. */
export function partName(at: number): string {
  return `${String(at).padStart(5, '0')}.parquet`;
}

/** Where unfinished downloads of a table stand. */
export function downloadsOf({
  archive,
  cacheDir,
  name,
}: Pick<FetchObjectsOptions, 'archive' | 'cacheDir' | 'name'>): string {
  return join(archiveFolder(cacheDir, archive.name), '.downloads', `own-${name.toLowerCase()}`);
}

/** Brings every file under a name of its own into `incoming`; CSV keeps its ending, by which it is unpacked. */
export async function fetchObjects(
  options: FetchObjectsOptions,
  objects: SourceObject[],
  incoming: string,
  before: OwnTable | undefined,
): Promise<FetchedObject[]> {
  const total = objects.reduce((sum, { stat: { size } }) => sum + (size ?? Number.NaN), 0);
  const arrived = new Map<number, number>();
  const onProgress = (at: number, bytes: number) => {
    arrived.set(at, bytes);
    const sum = [...arrived.values()].reduce((a, b) => a + b, 0);
    options.onEvent?.({
      type: 'progress',
      table: options.name,
      bytes: sum,
      ...(Number.isNaN(total) ? {} : { total }),
    });
  };
  const inputs: FetchedObject[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < objects.length; at = next++) {
      const object = objects[at];
      if (object === undefined) return;
      stopIfAborted(options.signal);
      inputs[at] = await fetchOne(options, object, at, incoming, before, (bytes) => onProgress(at, bytes));
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, objects.length) }, work));
  return inputs;
}

async function fetchOne(
  options: FetchObjectsOptions,
  object: SourceObject,
  at: number,
  incoming: string,
  before: OwnTable | undefined,
  onProgress: (bytes: number) => void,
) {
  const { signal } = options;
  const { shown, store, key } = object;
  const target = join(incoming, partName(at));
  const pin = store.pin(object.stat);
  const known = before?.linked === true ? undefined : before?.files.find((file) => file.source === shown);
  if (known?.sha256 !== undefined && pin !== undefined && known.pin === pin && before !== undefined) {
    const old = join(before.folder, known.path);
    const whole =
      (await stat(old).catch(() => undefined))?.size === known.size &&
      (await sha256Of(old, signal)) === known.sha256;
    if (whole) {
      await link(old, target).catch(() => copyFile(old, target));
      onProgress(object.stat.size ?? known.size);
      return { path: target, shown, sha256: known.sha256, done: true };
    }
  }
  const name = `${shortHash(shown)}${object.format === 'csv' ? (/\.[a-z]+(\.gz)?$/i.exec(key)?.[0] ?? '.csv') : ''}`;
  const download = join(downloadsOf(options), name);
  await fetchFile({
    openStore: options.openStore,
    url: shown,
    object: { store, key },
    target: download,
    signal,
    onProgress,
  });
  await checkBytes(download, object, signal);
  if (object.format === 'csv') return { path: download, shown };
  await rename(download, target);
  return { path: target, shown };
}

/** Compares with the digest that the server gave beside the object, where it did. */
async function checkBytes(path: string, { shown, stat: { digests } }: SourceObject, signal?: AbortSignal) {
  const digest = digests.find((one) => /^(md5|sha256):/.test(one));
  const [algorithm, expected] = digest?.split(':') ?? [];
  if (algorithm === undefined) return;
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }))
    hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === expected) return;
  await rm(path, { force: true });
  throw new CarrelError('verification', `${shown} has other bytes than its server says`, {
    item: `${shown}: ${algorithm}:${found}, expected ${digest}`,
    next: 'try again; it may have changed meanwhile',
    retryable: true,
  });
}
