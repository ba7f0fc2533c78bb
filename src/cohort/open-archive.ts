/** One door for programs: an archive, its catalogue, and the way from a name to verified files. */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { type Archive, withMirrors } from '../archives/index.ts';
import { type Catalog, openCatalog, type Selection } from '../catalog/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { drsTokenFrom, type ObjectLocation } from '../locations/index.ts';
import { createOpenStore } from '../stores/index.ts';
import { type ArchiveCatalog, createArchiveCatalog } from './archive-catalog.ts';
import {
  type ArchiveGetOptions,
  type ArchiveGetResult,
  type ArchiveLock,
  type ArchiveRepairReport,
  type ArchiveVerifyOptions,
  type ArchiveVerifyReport,
  type Asked,
  type AskOptions,
  createArchiveWork,
  type PlanOptions,
} from './archive-work.ts';
import { defaultCacheDir } from './default-cache-dir.ts';
import type { CohortPlan } from './get-cohort.ts';
import { type ListedPage, listObjects } from './list-objects.ts';
import type { Cohort, Tools } from './question.ts';
import { readArchive } from './read-archive.ts';
import { locateObject, readObject } from './read-object.ts';

/** How an archive is opened. */
export interface OpenArchiveOptions {
  /** Where catalogues are kept; default `CARREL_CACHE_DIR`, else the folder that the command uses. */
  cacheDir?: string | undefined;
  /** Release that the catalogue answers for: `v24`; default the newest installed one. */
  release?: string | undefined;
  /** Mirrors pointed elsewhere: `{ aws: 'http://127.0.0.1:9000' }`. */
  mirrors?: readonly string[] | Record<string, string> | undefined;
  /** Mirror to prefer; default `auto`. */
  from?: string | undefined;
  /** Folder that relative paths are seen from; default that of the process. */
  cwd?: string | undefined;
  /** Proxies, certificates and tokens are read from it; default `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Memory of the SQL engine: `2GB`; default 80 % of the machine's. */
  memoryLimit?: string | undefined;
  /** Threads of the SQL engine; default one per core. */
  threads?: number | undefined;
  /** Ends everything that the archive is doing. */
  signal?: AbortSignal | undefined;
}

/** An open archive. Prints nothing; close it, or declare it with `await using`. */
export interface OpenArchive extends AsyncDisposable {
  /** Its record. */
  readonly record: Archive;
  readonly catalog: ArchiveCatalog;
  /** Which series versions and objects were asked for; nothing is fetched. */
  resolve(asked: Asked, options?: AskOptions): Promise<Cohort>;
  /** The same with every file located and named: sizes, licences, paths. No file is touched. */
  plan(asked: Asked, options?: PlanOptions): Promise<CohortPlan>;
  /** Fetches and verifies into `to`, and writes the lock file there. Files that failed are in the result. */
  get(asked: Asked | CohortPlan, options: ArchiveGetOptions): Promise<ArchiveGetResult>;
  /** Pins to bytes without fetching; with `to`, writes the lock file. */
  lock(asked: Asked | CohortPlan, options?: PlanOptions): Promise<ArchiveLock>;
  /** Compares a folder with its lock file. */
  verify(folder: string, options?: ArchiveVerifyOptions): Promise<ArchiveVerifyReport>;
  /**
   * The same, fetches again what is missing or wrong, and compares once more. Throws where a file could not be fetched for
   * another reason than that no mirror has it.
   */
  repair(folder: string, options?: ArchiveVerifyOptions): Promise<ArchiveRepairReport>;
  /** Objects and folders at an address, page by page. */
  list(
    url: string,
    options?: {
      recursive?: boolean | undefined;
      endpoint?: string | undefined;
      signal?: AbortSignal | undefined;
    },
  ): AsyncIterable<ListedPage>;
  /** Where an object stands, by its address. */
  locate(url: string, options?: ObjectOptions): Promise<ObjectLocation>;
  /** The bytes of an object, verified; `unsafe` beyond `limit` bytes (default 64 MiB): use `stream` for those. */
  read(url: string, options?: ObjectOptions & { limit?: number | undefined }): Promise<Uint8Array>;
  /** The same piece by piece; `verification` is thrown after the last one where the bytes are not right. */
  stream(url: string, options?: ObjectOptions): AsyncIterable<Uint8Array>;
  /** Stops what is under way, closes the engine and the connections. May be called twice. */
  close(): Promise<void>;
}

/** Options of what concerns one object. */
export interface ObjectOptions {
  /** Endpoint of a bucket that is not the archive's. */
  endpoint?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Bytes that `read` takes into memory. */
const READ_LIMIT = 64 * 1024 * 1024;

/**
 * Opens an archive. The catalogue is opened by the first question that needs it; what names buckets, uuids or DRS objects
 * needs none.
 *
 * @param what `idc`, the path or URL of an archive.json, or a record (`parseArchive`, `builtInArchive`)
 * @throws `not-found`, `bad-input` for the record; `usage` for mirrors that it does not have
 */
export async function openArchive(
  what: string | Archive = 'idc',
  options: OpenArchiveOptions = {},
): Promise<OpenArchive> {
  const cwd = resolve(options.cwd ?? '.');
  const env = options.env ?? process.env;
  const cacheDir = resolve(cwd, options.cacheDir ?? defaultCacheDir(env));
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const ends = [ending.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const until = (signal: AbortSignal | undefined) => {
    const joined = AbortSignal.any(signal === undefined ? ends : [...ends, signal]);
    // Every request under way listens to it; there is no leak to warn of.
    setMaxListeners(0, joined);
    return joined;
  };
  const stores = createOpenStore({ env, http: { connectionsPerOrigin: 64 } });
  let archive: Archive;
  try {
    const { openStore } = stores;
    const record =
      typeof what === 'string' ? await readArchive(what, { openStore, cwd, signal: until(undefined) }) : what;
    archive = withMirrors(record, options.mirrors ?? {});
  } catch (error) {
    await stores.close();
    throw error;
  }
  const drsToken = drsTokenFrom(env['CARREL_DRS_TOKEN']);
  const catalogs = new Map<string | undefined, Promise<Catalog>>();
  const left = new Set<{ close(): void }>();
  const open = (release: string | undefined): Promise<Catalog> => {
    if (ending.signal.aborted) return Promise.reject(closed());
    const { memoryLimit, threads } = options;
    const signal = until(undefined);
    const known = catalogs.get(release);
    if (known !== undefined) return known;
    const opening = openCatalog({ archive, cacheDir, release, memoryLimit, threads, signal });
    catalogs.set(release, opening);
    // A failure is not kept: tables may be installed by the time of the next question.
    opening.catch(() => catalogs.get(release) === opening && catalogs.delete(release));
    return opening;
  };
  const toolsFor = async (
    selection: Selection,
    from: string | undefined,
    signal: AbortSignal | undefined,
  ) => {
    const release = selection.release ?? options.release;
    const tools: Tools = { ...objectTools(signal, from), catalog: undefined };
    try {
      tools.catalog = await open(release);
    } catch (error) {
      // Without any catalogue, URLs and UUIDs can still be fetched; a release that was asked for cannot.
      if (release !== undefined || !isCarrelError(error, 'not-found')) throw error;
      tools.catalogError = error;
    }
    return tools;
  };
  const objectTools = (signal: AbortSignal | undefined, from = options.from ?? 'auto') => {
    if (ending.signal.aborted) throw closed();
    const { openStore, pool: http } = stores;
    return { archive, openStore, http, from, drsToken, signal: until(signal) };
  };
  const stream = async function* (url: string, more: ObjectOptions = {}): AsyncGenerator<Uint8Array> {
    const tools = objectTools(more.signal);
    const location = await locateObject(url, tools, more.endpoint);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    // A piece is the connection's buffer: what the reader keeps must be a copy.
    readObject(location, tools, (piece) => writer.write(Uint8Array.from(piece))).then(
      () => writer.close().catch(() => {}),
      (error: unknown) => writer.abort(error).catch(() => {}),
    );
    yield* readable;
  };
  const close = async () => {
    if (!ending.signal.aborted) ending.abort(closed());
    for (const one of left) one.close();
    left.clear();
    const opened = [...catalogs.values()];
    catalogs.clear();
    for (const one of opened) await one.then((catalog) => catalog.close()).catch(() => {});
    await stores.close();
  };
  const reopen = () => {
    for (const one of catalogs.values()) one.then((catalog) => left.add(catalog)).catch(() => {});
    catalogs.clear();
  };
  const ground = {
    archive,
    cacheDir,
    cwd,
    openStore: stores.openStore,
    open,
    reopen,
    until,
    keep: (one: { close(): void }) => void left.add(one),
  };
  return {
    record: archive,
    catalog: createArchiveCatalog(ground, options.release),
    ...createArchiveWork({ cwd, until, toolsFor }),
    list: (url, { signal, ...more } = {}) => listObjects(url, objectTools(signal), { cwd, ...more }),
    locate: async (url, { endpoint, signal } = {}) => await locateObject(url, objectTools(signal), endpoint),
    async read(url, { limit = READ_LIMIT, ...more } = {}) {
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of stream(url, more)) {
        bytes += piece.length;
        if (bytes > limit)
          throw new CarrelError('unsafe', `${url} has more than ${limit} bytes`, {
            item: url,
            next: 'read it with stream(), or give a larger limit',
          });
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    },
    stream,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function closed(): CarrelError {
  return new CarrelError('usage', 'the archive is closed', { next: 'open it again with openArchive' });
}
