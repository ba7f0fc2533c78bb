/** Opening an installed catalogue at a release. */
import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { type ChosenTables, chooseTables, openTablesOf } from './choose-tables.ts';
import { createCatalog } from './create-catalog.ts';
import { archiveFlag } from './layout.ts';
import { createLazyEngine, openEngine } from './open-engine.ts';
import type { OpenTables } from './open-tables.ts';
import { releaseNotes } from './release-notes.ts';
import { canHaveSideIndex, isSideIndexOld, sideIndexOf } from './side-index/prepare.ts';
import { openSideIndex, type SideIndex } from './side-index/read-side-index.ts';
import { type FetchTables, withFetchedTables } from './with-fetched-tables.ts';
import { withSideIndex } from './with-side-index.ts';
import { findWithdrawn } from './withdrawn.ts';

/** Options of `openCatalog`. */
export interface OpenCatalogOptions {
  archive: Archive;
  cacheDir: string;
  /** Version of the tables; default: the newest installed one that can answer. */
  version?: string | undefined;
  /** `v24`, `24`, `current` (default). */
  release?: string | undefined;
  /** `2GB`; default: 80 % of the memory. */
  memoryLimit?: string | undefined;
  /** Default: one per core. */
  threads?: number | undefined;
  /** False: answer everything from the tables. Answers are the same. */
  sideIndex?: boolean | undefined;
  /** Lets a question fetch a table that it names and that is not installed. Default: such a question is `not-found`. */
  fetchTables?: FetchTables | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the installed tables. A release older than the newest installed one is answered from its own tables where they
 * are installed, else derived from newer ones, which a note says. Throws `not-found` with the commands that install,
 * `verification` where a table is damaged.
 */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  const { index, ...tables } = await openTables(options);
  const slower = index === undefined && (await hasOldSideIndex(options, tables.chosen));
  const catalog = createCatalog(tables, {
    notes: [...releaseNotes(tables), ...(slower ? [oldSideIndex(tables)] : [])],
    withdrawn: (names, signal) =>
      findWithdrawn({ archive: options.archive, cacheDir: options.cacheDir, names, signal }),
    reopen: (release) => openCatalog({ ...options, release, version: undefined }),
    engineWith: (memoryLimit = options.memoryLimit, writable?: string[], threads = options.threads) =>
      openEngine({ ...options, memoryLimit, writable, threads }, tables.chosen).then(({ engine }) => engine),
  });
  const whole = index === undefined ? catalog : withSideIndex(catalog, tables, index);
  const { fetchTables, cacheDir, signal, ...others } = options;
  if (fetchTables === undefined) return whole;
  const again = { ...others, cacheDir, signal, version: tables.version, fetchTables: undefined };
  return withFetchedTables(whole, { ...fetchTables, cacheDir, signal, reopen: () => openCatalog(again) });
}

async function openTables(options: OpenCatalogOptions): Promise<OpenTables & { index?: SideIndex }> {
  const found = await chooseTables(options);
  for (const [at, chosen] of found.entries()) {
    const index = await openBeside(options, chosen);
    if (index !== undefined) {
      const relations = { ...index.header.relations, doubled: index.header.relations.doubled };
      const engine = createLazyEngine(async () => {
        const opened = await openEngine({ ...options, signal: undefined }, chosen);
        return opened.engine;
      });
      return { ...openTablesOf(options.archive, chosen, relations), engine, index };
    }
    try {
      const { engine, relations } = await openEngine(options, chosen);
      return { ...openTablesOf(options.archive, chosen, relations), engine };
    } catch (error) {
      // Tables of v20 to v23 cannot give an earlier release; newer ones may.
      if (at === found.length - 1 || !isCarrelError(error, 'not-found')) throw error;
    }
  }
  throw new CarrelError('internal', 'no tables were chosen');
}

/** True where the side index was made by another version of this program, and would be used otherwise. */
async function hasOldSideIndex(options: OpenCatalogOptions, chosen: ChosenTables): Promise<boolean> {
  return mayUseSideIndex(options, chosen) && (await isSideIndexOld(options.archive, chosen));
}

function oldSideIndex({ archive, version }: OpenTables): string {
  const command = `carrel catalog update${archiveFlag(archive)} --version ${version}`;
  return `the side index of ${version} was made for other tables or by another version of carrel: answers are right, and slower until ${command} has run`;
}

function mayUseSideIndex(options: OpenCatalogOptions, chosen: ChosenTables): boolean {
  // A limit is a matter of the engine, and a wrong one is to be refused at once.
  return options.sideIndex !== false && options.memoryLimit === undefined && canHaveSideIndex(chosen);
}

/** The side index of the tables; undefined where there is none, or none that can be used. */
async function openBeside(options: OpenCatalogOptions, chosen: ChosenTables): Promise<SideIndex | undefined> {
  if (!mayUseSideIndex(options, chosen)) return undefined;
  const { path, key } = sideIndexOf(options.archive, chosen);
  return openSideIndex(path, key).catch(() => undefined);
}
