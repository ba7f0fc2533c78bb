/**
 * The desk: the archive, its catalogue and its stores, opened for one run of a command and closed after it.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type Archive,
  builtInArchive,
  builtInArchiveNames,
  parseArchive,
  withMirrors,
} from '../archives/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Tools } from '../cohort/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { drsTokenFrom } from '../locations/index.ts';
import { createOpenStore, type HttpPool, type OpenStore } from '../stores/index.ts';
import { mirrorOverrides, type Run } from './command.ts';
import { textOf } from './settings.ts';

/** What a command works with. */
export interface Desk {
  archive: Archive;
  openStore: OpenStore;
  pool: HttpPool;
  cacheDir: string;
  /** Bearer token of a DRS host, from `CARREL_DRS_TOKEN`. */
  drsToken: (host: string) => string | undefined;
  /** Opens the catalogue on first use. Throws `not-found` with the command that installs one. */
  catalog(release?: string): Promise<Catalog>;
  /** Everything that a cohort is resolved with; without a catalogue where none is installed. */
  tools(release?: string): Promise<Tools>;
  close(): Promise<void>;
}

/** Largest archive.json that is read. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Opens the desk of a run: reads the archive's record, points mirrors elsewhere as told. */
export async function openDesk(run: Run): Promise<Desk> {
  const stores = createOpenStore({
    env: run.terminal.env,
    // As many as the engine ever has files in flight.
    http: { connectionsPerOrigin: 64 },
  });
  const cacheDir = resolve(run.terminal.cwd, textOf(run.settings, 'cache_dir'));
  let catalog: { release: string | undefined; opened: Promise<Catalog> } | undefined;
  try {
    const drsToken = drsTokenFrom(run.terminal.env['CARREL_DRS_TOKEN']);
    const archive = withMirrors(await readArchive(run, stores.openStore, cacheDir), mirrorOverrides(run));
    const openCatalogOnce = async (release?: string): Promise<Catalog> => {
      if (catalog === undefined || catalog.release !== release) {
        const { openCatalog } = await import('../catalog/index.ts');
        catalog = { release, opened: openCatalog({ archive, cacheDir, release, signal: run.signal }) };
      }
      return await catalog.opened;
    };
    return {
      archive,
      openStore: stores.openStore,
      pool: stores.pool,
      cacheDir,
      drsToken,
      catalog: openCatalogOnce,
      async tools(release) {
        let opened: Catalog | undefined;
        let catalogError: CarrelError | undefined;
        try {
          opened = await openCatalogOnce(release);
        } catch (error) {
          // Without any catalogue, URLs and UUIDs can still be fetched; a release that was asked for cannot.
          if (release !== undefined || !isCarrelError(error, 'not-found')) throw error;
          catalogError = error;
        }
        return {
          archive,
          openStore: stores.openStore,
          http: stores.pool,
          catalog: opened,
          catalogError,
          from: textOf(run.settings, 'from'),
          drsToken,
          signal: run.signal,
        };
      },
      async close() {
        if (catalog !== undefined) await catalog.opened.then((opened) => opened.close()).catch(() => {});
        await stores.close();
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** Runs some work at a desk and closes it whatever happens. */
export async function atDesk<const T>(run: Run, work: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = await openDesk(run);
  try {
    return await work(desk);
  } finally {
    await desk.close();
  }
}

/** `--archive`: a built-in name, `sample` (made on first use), a path or a URL. */
async function readArchive(run: Run, openStore: OpenStore, cacheDir: string): Promise<Archive> {
  const name = textOf(run.settings, 'archive');
  if (builtInArchiveNames.includes(name)) return builtInArchive(name);
  if (name === 'sample') {
    const { ensureSample } = await import('../sample/index.ts');
    const { archivePath } = await ensureSample({ dir: join(cacheDir, 'sample'), signal: run.signal });
    const archive = parseRecord(await readFile(archivePath, 'utf8'), 'built-in', archivePath);
    return archive;
  }
  if (/^https?:\/\//.test(name)) {
    const url = new URL(name);
    const store = openStore({ protocol: 'https', endpoint: url.origin, bucket: '' });
    const body = await store.get(`${url.pathname.slice(1)}${url.search}`, { signal: run.signal });
    return parseRecord(new TextDecoder().decode(await body.bytes(MAX_RECORD_BYTES)), name, name);
  }
  const cloud = /^(s3|gs):\/\/([^/]+)\/(.+)$/.exec(name);
  if (cloud !== null) {
    const [, scheme, bucket = '', key = ''] = cloud;
    const store = openStore(
      scheme === 's3'
        ? { protocol: 's3', endpoint: 'https://s3.amazonaws.com', bucket, region: 'us-east-1' }
        : { protocol: 'gcs', endpoint: 'https://storage.googleapis.com', bucket },
    );
    const body = await store.get(key, { signal: run.signal });
    return parseRecord(new TextDecoder().decode(await body.bytes(MAX_RECORD_BYTES)), name, undefined);
  }
  const path = resolve(run.terminal.cwd, name);
  try {
    return parseRecord(await readFile(path, 'utf8'), name, path);
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    throw new CarrelError(
      'not-found',
      `there is no archive ${JSON.stringify(name)}: no such name, and no such file`,
      {
        item: name,
        next: `built-in names: ${[...builtInArchiveNames, 'sample'].join(', ')}; or give the path or URL of an archive.json`,
        cause,
      },
    );
  }
}

function parseRecord(text: string, origin: string, base: string | undefined): Archive {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CarrelError('bad-input', `${origin} is not JSON: ${(cause as Error).message}`, {
      item: origin,
      next: 'compare it with docs/archive.schema.json',
      cause,
    });
  }
  return parseArchive(json, { origin, base });
}
