/** Opening an installed catalogue at a release. */
import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { type ChosenTables, chooseTables, filesOf, openTablesOf, relationOptions } from './choose-tables.ts';
import { createCatalog } from './create-catalog.ts';
import { createEngine, type Engine } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { createRelations, type Relations } from './relations.ts';
import { releaseNotes } from './release-notes.ts';

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
  signal?: AbortSignal | undefined;
}

/**
 * Opens the installed tables. A release older than the newest installed one is answered from its own tables where they
 * are installed, else derived from newer ones, which a note says. Throws `not-found` with the commands that install,
 * `verification` where a table is damaged.
 */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  const tables = await openTables(options);
  return createCatalog(tables, {
    notes: releaseNotes(tables),
    reopen: (release) => openCatalog({ ...options, release, version: undefined }),
    engineWith: (memoryLimit, writable) =>
      openEngine(options, tables.chosen, memoryLimit ?? options.memoryLimit, writable).then(
        ({ engine }) => engine,
      ),
  });
}

async function openTables(options: OpenCatalogOptions): Promise<OpenTables> {
  const found = await chooseTables(options);
  for (const [at, chosen] of found.entries()) {
    try {
      const { engine, relations } = await openEngine(options, chosen, options.memoryLimit);
      return { ...openTablesOf(options.archive, chosen, relations), engine };
    } catch (error) {
      // Tables of v20 to v23 cannot give an earlier release; newer ones may.
      if (at === found.length - 1 || !isCarrelError(error, 'not-found')) throw error;
    }
  }
  throw new CarrelError('internal', 'no tables were chosen');
}

async function openEngine(
  options: OpenCatalogOptions,
  chosen: ChosenTables,
  memoryLimit: string | undefined,
  writable: string[] = [],
): Promise<{ engine: Engine; relations: Relations }> {
  const setup = relationOptions(options.archive, chosen);
  let relations: Relations | undefined;
  const engine = await createEngine({
    files: [...filesOf(setup), ...writable],
    memoryLimit,
    threads: options.threads,
    signal: options.signal,
    setup: async (session) => {
      relations = await createRelations(session, setup);
    },
  });
  if (relations === undefined) throw new CarrelError('internal', 'the views were not made');
  return { engine, relations };
}
