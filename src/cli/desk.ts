/**
 * The desk: the archive, its catalogue and its stores, opened for one run of a command and closed after it.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Archive, withMirrors } from '../archives/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { parseRecordText, readArchive, type Tools } from '../cohort/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { drsTokenFrom } from '../locations/index.ts';
import { createOpenStore, type HttpPool, type OpenStore } from '../stores/index.ts';
import { tellCatalogEvents } from './catalog-events.ts';
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
    const archive = withMirrors(await archiveOf(run, stores.openStore, cacheDir), mirrorOverrides(run));
    const openCatalogOnce = async (release?: string): Promise<Catalog> => {
      if (catalog === undefined || catalog.release !== release) {
        const { openCatalog } = await import('../catalog/index.ts');
        const fetchTables = { openStore: stores.openStore, onEvent: tellCatalogEvents(run) };
        const options = { archive, cacheDir, release, signal: run.signal };
        catalog = { release, opened: openCatalog(mayFetch(run) ? { ...options, fetchTables } : options) };
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

/** True where a question may fetch the tables that it names. Throws `usage` for another word than `auto` and `never`. */
function mayFetch(run: Run): boolean {
  const value = textOf(run.settings, 'fetch_tables');
  if (value === 'auto' || value === 'never') return value === 'auto';
  throw new CarrelError('usage', `fetch_tables is auto or never, not ${JSON.stringify(value)}`, {
    item: run.settings.fetch_tables.origin,
    next: 'auto lets a question fetch tables that it names; never does not',
  });
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

/** `--archive`: `sample` (made on first use), or whatever `readArchive` takes. */
async function archiveOf(run: Run, openStore: OpenStore, cacheDir: string): Promise<Archive> {
  const name = textOf(run.settings, 'archive');
  if (name === 'sample') {
    const { ensureSample } = await import('../sample/index.ts');
    const { archivePath } = await ensureSample({ dir: join(cacheDir, 'sample'), signal: run.signal });
    return parseRecordText(await readFile(archivePath, 'utf8'), 'built-in', archivePath);
  }
  return await readArchive(name, {
    openStore,
    cwd: run.terminal.cwd,
    otherNames: ['sample'],
    signal: run.signal,
  });
}
