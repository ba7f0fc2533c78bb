/** Which installed tables answer for a release: its own, else the nearest newer ones that it can be derived from. */
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { type CatalogFile, readCatalogFile, sizeProblem } from './catalog-file.ts';
import { type InstalledCatalog, listCatalogs } from './catalogs.ts';
import { howToInstall, releaseNumber, versionFolder } from './layout.ts';
import { KNOWN_DOUBLINGS } from './old-tables.ts';
import { bucketColumnsOf, type OpenTables } from './open-tables.ts';
import { filesOfOwn, type OwnTable, readOwnTables } from './own-tables/table-file.ts';
import type { RelationOptions, Relations } from './relations.ts';

/** Installed tables, checked, and the release that they are to answer for. */
export interface ChosenTables {
  content: CatalogFile;
  folder: string;
  release: number;
  tablesRelease: number;
  /** False where nobody named a release. */
  releaseAsked: boolean;
  counterpart: RelationOptions['counterpart'];
  /** Tables of the user's own; absent where only the archive's are asked. */
  own?: OwnTable[] | undefined;
}

/** What decides. */
export interface ChooseOptions {
  archive: Archive;
  cacheDir: string;
  version?: string | undefined;
  release?: string | undefined;
}

/**
 * The tables to try, the best first. The nearer in time, the more is right: of the 61 series of mri_dir that the tables of
 * v25 place in v2 to v24, those of v24 name none, and those of v19 to v21 still list what was withdrawn later.
 */
export async function chooseTables(options: ChooseOptions): Promise<ChosenTables[]> {
  const { archive } = options;
  const asked =
    options.release === undefined || options.release === 'current'
      ? undefined
      : releaseNumber(archive, options.release);
  const installed = await listCatalogs({ cacheDir: options.cacheDir, archive: archive.name });
  const found = candidates(options, installed, asked);
  const chosen: ChosenTables[] = [];
  const own = await readOwnTables(options.cacheDir, archive.name);
  for (const one of found) chosen.push({ ...(await checked(options, one, installed, asked)), own });
  return chosen;
}

function candidates(
  options: ChooseOptions,
  installed: InstalledCatalog[],
  asked: number | undefined,
): InstalledCatalog[] {
  const { archive, version } = options;
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
        { item: version, next: howToInstall(archive, version) },
      );
    }
    mustBeWhole(found);
    if (asked === undefined || asked <= releaseNumber(archive, found.release)) return [found];
    throw notYet(archive, asked, found);
  }
  const numbered = installed
    .filter(({ problem }) => problem === undefined)
    .map((one) => ({ one, release: releaseNumber(archive, one.release) }));
  const own = numbered.find(({ release }) => release === asked);
  if (own !== undefined) return [own.one];
  mustBeWhole(newest);
  if (asked === undefined) return [newest];
  if (asked > releaseNumber(archive, newest.release)) throw notYet(archive, asked, newest);
  const newer = numbered
    .filter(({ one, release }) => release > asked && one.tables.some(({ name }) => name === PRIOR))
    .sort((a, b) => a.release - b.release)
    .map(({ one }) => one);
  return newer.includes(newest) ? newer : [...newer, newest];
}

const PRIOR = 'prior_versions_index';

async function checked(
  options: ChooseOptions,
  one: InstalledCatalog,
  installed: InstalledCatalog[],
  asked: number | undefined,
): Promise<ChosenTables> {
  const { archive, cacheDir } = options;
  const folder = versionFolder(cacheDir, archive.name, one.version);
  const content = await readCatalogFile(folder);
  if (content === undefined)
    throw new CarrelError('busy', `catalogue ${one.version} was removed meanwhile`, {
      item: folder,
      next: 'run the command again',
      retryable: true,
    });
  await checkSizes(folder, content);
  const tablesRelease = releaseNumber(archive, content.release);
  const doubling = KNOWN_DOUBLINGS.some(
    (known) => known.archive === archive.name && known.release === content.release,
  );
  return {
    content,
    folder,
    release: asked ?? tablesRelease,
    tablesRelease,
    releaseAsked: asked !== undefined,
    counterpart: doubling ? await counterpartOf(options, tablesRelease, installed) : undefined,
  };
}

/** The nearest other version whose main table has uuids of its own: a newer one first, for its sizes are exact. */
export async function counterpartOf(
  options: ChooseOptions,
  release: number,
  installed: InstalledCatalog[],
): Promise<RelationOptions['counterpart']> {
  const { archive, cacheDir } = options;
  const distance = (other: number) => (other > release ? other - release : 1000 + release - other);
  const others = installed
    .filter(({ problem }) => problem === undefined)
    .map((one) => ({ one, other: releaseNumber(archive, one.release) }))
    .filter(({ other }) => other !== release && (other >= 20 || archive.name !== 'idc'))
    .sort((a, b) => distance(a.other) - distance(b.other));
  for (const { one } of others) {
    const folder = versionFolder(cacheDir, archive.name, one.version);
    const files = (await readCatalogFile(folder))?.tables.find(({ name }) => name === 'index')?.files;
    if (files === undefined) continue;
    const problems = await Promise.all(files.map((file) => sizeProblem(folder, file)));
    if (problems.some((problem) => problem !== undefined)) continue;
    return { version: one.version, files: files.map(({ path }) => join(folder, path)) };
  }
  return undefined;
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

/** How the views over chosen tables are made. */
export function relationOptions(archive: Archive, chosen: ChosenTables): RelationOptions {
  return {
    tables: chosen.content.tables.map((table) => ({
      name: table.name,
      sizes: table.sizes,
      files: table.files.map((file) => join(chosen.folder, file.path)),
    })),
    release: chosen.release,
    tablesRelease: chosen.tablesRelease,
    bucketColumns: Object.keys(bucketColumnsOf(archive)),
    counterpart: chosen.counterpart,
    own: chosen.own,
  };
}

/** Every file that the engine must be allowed to read. */
export function filesOf(options: RelationOptions): string[] {
  return [
    ...options.tables.flatMap(({ files }) => files),
    ...(options.counterpart?.files ?? []),
    ...(options.own ?? []).flatMap(filesOfOwn),
  ];
}

/** Open tables without their engine. */
export function openTablesOf(
  archive: Archive,
  chosen: ChosenTables,
  relations: Relations,
): Omit<OpenTables, 'engine'> {
  const { content, folder, release, tablesRelease, releaseAsked } = chosen;
  const derived = release !== tablesRelease;
  return {
    archive,
    version: content.version,
    folder,
    content,
    release,
    tablesRelease,
    derived,
    releaseAsked,
    sorted: !derived && content.tables.some(({ name, sorted }) => name === 'index' && sorted === true),
    chosen,
    relations,
  };
}
