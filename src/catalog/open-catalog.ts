/** Opening an installed catalogue at a release. */
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogFile, readCatalogFile, sizeProblem } from './catalog-file.ts';
import { type InstalledCatalog, listCatalogs } from './catalogs.ts';
import { createCatalog } from './create-catalog.ts';
import { createEngine, type Engine } from './engine.ts';
import { howToInstall, releaseNumber, versionFolder } from './layout.ts';
import { bucketColumnsOf, type OpenTables } from './open-tables.ts';
import { createRelations, type Relations } from './relations.ts';

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
    notes: notesOf(tables),
    reopen: (release) => openCatalog({ ...options, release, version: undefined }),
    engineWith: (memoryLimit) =>
      openEngine(
        options,
        tables.content,
        tables.folder,
        tables.release,
        tables.tablesRelease,
        memoryLimit,
      ).then(({ engine }) => engine),
  });
}

async function openTables(options: OpenCatalogOptions): Promise<OpenTables> {
  const { archive } = options;
  const asked =
    options.release === undefined || options.release === 'current'
      ? undefined
      : releaseNumber(archive, options.release);
  const installed = await chooseVersion(options, asked);
  const folder = versionFolder(options.cacheDir, archive.name, installed.version);
  const content = await readCatalogFile(folder);
  if (content === undefined)
    throw new CarrelError('busy', `catalogue ${installed.version} was removed meanwhile`, {
      item: folder,
      next: 'run the command again',
      retryable: true,
    });
  await checkSizes(folder, content);
  const tablesRelease = releaseNumber(archive, content.release);
  const release = asked ?? tablesRelease;
  const { engine, relations } = await openEngine(
    options,
    content,
    folder,
    release,
    tablesRelease,
    options.memoryLimit,
  );
  return {
    archive,
    version: content.version,
    folder,
    content,
    release,
    tablesRelease,
    derived: release !== tablesRelease,
    releaseAsked: asked !== undefined,
    sorted:
      release === tablesRelease &&
      content.tables.some(({ name, sorted }) => name === 'index' && sorted === true),
    engine,
    relations,
  };
}

/** The version named; else that of the release; else the newest one that is younger than the release. */
async function chooseVersion(
  options: OpenCatalogOptions,
  asked: number | undefined,
): Promise<InstalledCatalog> {
  const { archive, version } = options;
  const installed = await listCatalogs({ cacheDir: options.cacheDir, archive: archive.name });
  const [newest] = installed;
  if (newest === undefined) {
    throw new CarrelError('not-found', `no catalogue of ${archive.name} is installed`, {
      item: archive.name,
      next: howToInstall(archive),
    });
  }
  if (version !== undefined) {
    const found = installed.find((candidate) => candidate.version === version);
    if (found === undefined) {
      throw new CarrelError(
        'not-found',
        `catalogue ${version} of ${archive.name} is not installed; installed: ${installed.map((one) => one.version).join(', ')}`,
        {
          item: version,
          next: howToInstall(archive, version),
        },
      );
    }
    mustBeWhole(found);
    if (asked === undefined || asked <= releaseNumber(archive, found.release)) return found;
    throw notYet(archive, asked, found);
  }
  const own = installed.find(
    (one) => one.problem === undefined && releaseNumber(archive, one.release) === asked,
  );
  if (own !== undefined) return own;
  mustBeWhole(newest);
  if (asked === undefined) return newest;
  if (asked > releaseNumber(archive, newest.release)) throw notYet(archive, asked, newest);
  return newest;
}

/** A damaged version is not passed over silently: the answer would be that of another one. */
function mustBeWhole(installed: InstalledCatalog): void {
  if (installed.problem === undefined) return;
  throw new CarrelError('verification', installed.problem, {
    item: join(installed.path, 'catalog.json'),
    next: `carrel catalog remove ${installed.version}, then install it again`,
  });
}

function notYet(archive: Archive, asked: number, newest: InstalledCatalog): CarrelError {
  const name = `${archive.catalog.releasePrefix}${asked}`;
  return new CarrelError(
    'not-found',
    `the installed tables (${newest.version}) do not know release ${name}`,
    {
      item: name,
      next: howToInstall(archive, archive.catalog.versions.find(({ release }) => release === name)?.version),
    },
  );
}

/** Sizes are looked at on every opening (it costs nothing); digests by `checkCatalog`. */
async function checkSizes(folder: string, content: CatalogFile): Promise<void> {
  for (const table of content.tables) {
    for (const file of table.files) {
      const problem = await sizeProblem(folder, file);
      if (problem === undefined) continue;
      throw new CarrelError(
        'verification',
        `table ${table.name} of catalogue ${content.version} is damaged: ${problem}`,
        {
          item: join(folder, file.path),
          next: `install it again over the damaged one: carrel catalog update --version ${content.version}, or carrel catalog add FILE.whl`,
        },
      );
    }
  }
}

async function openEngine(
  options: OpenCatalogOptions,
  content: CatalogFile,
  folder: string,
  release: number,
  tablesRelease: number,
  memoryLimit: string | undefined,
): Promise<{ engine: Engine; relations: Relations }> {
  const tables = content.tables.map((table) => ({
    name: table.name,
    sizes: table.sizes,
    files: table.files.map((file) => join(folder, file.path)),
  }));
  let relations: Relations | undefined;
  const engine = await createEngine({
    files: tables.flatMap(({ files }) => files),
    memoryLimit,
    threads: options.threads,
    signal: options.signal,
    setup: async (session) => {
      relations = await createRelations(session, {
        tables,
        release,
        tablesRelease,
        bucketColumns: Object.keys(bucketColumnsOf(options.archive)),
      });
    },
  });
  if (relations === undefined) throw new CarrelError('internal', 'the views were not made');
  return { engine, relations };
}

/** What to know about every answer of a derived release. */
function notesOf(tables: OpenTables): string[] {
  if (!tables.derived) return [];
  const prefix = tables.archive.catalog.releasePrefix;
  const [asked, own] = [`${prefix}${tables.release}`, `${prefix}${tables.tablesRelease}`];
  return [
    `${asked} is derived from the tables of ${own} (${tables.version}): its own tables are not installed`,
    `licences, DOIs and descriptions are those that ${own} gives; of series versions superseded since, the tables know neither, nor their number of files`,
  ];
}
