/** The installed catalogues: list, check, remove. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import { stopIfAborted } from './abort.ts';
import { type CatalogFile, readCatalogFile, sha256Of, sizeProblem } from './catalog-file.ts';
import { archiveFolder, incomingName, newestFirst, versionFolder } from './layout.ts';
import { checkSideIndexes } from './side-index/check.ts';

/** What happens while tables are fetched and installed. */
export type CatalogEvent =
  /** A table was copied and hashed. */
  | { type: 'table'; table: string; bytes: number }
  /** Bytes arriving; `total` where the server says it. */
  | { type: 'progress'; table: string; bytes: number; total?: number | undefined }
  /** A source was left for the next one, or a table came without a digest. */
  | { type: 'note'; message: string };

/** One installed version. */
export interface InstalledCatalog {
  archive: string;
  version: string;
  /** `v25`. */
  release: string;
  /** Folder of the tables. */
  path: string;
  tables: {
    name: string;
    rows: number;
    bytes: number;
    digests: Digest[];
    evidence: 'published' | 'record' | 'none';
  }[];
  /** Names of the files or URLs that they came from. */
  sources: string[];
  /** Tables that this call brought; empty where everything was there. */
  added: string[];
  /** What is wrong with it, where its `catalog.json` cannot be read: then nothing else is known of it. */
  problem?: string | undefined;
}

/** An installed version as a value. */
export function describeInstalled(path: string, content: CatalogFile, added: string[]): InstalledCatalog {
  return {
    archive: content.archive,
    version: content.version,
    release: content.release,
    path,
    tables: content.tables.map((table) => ({
      name: table.name,
      rows: table.rows,
      bytes: table.files.reduce((sum, file) => sum + file.size, 0),
      digests: table.files.map((file): Digest => `sha256:${file.sha256}`),
      evidence: table.evidence ?? 'none',
    })),
    sources: content.sources,
    added,
  };
}

/** Installed versions, newest first, of one archive or of all. */
export async function listCatalogs(options: {
  cacheDir: string;
  archive?: string | undefined;
}): Promise<InstalledCatalog[]> {
  const archives =
    options.archive === undefined ? await folders(join(options.cacheDir, 'catalogs')) : [options.archive];
  const found: InstalledCatalog[] = [];
  for (const archive of archives) {
    const root = archiveFolder(options.cacheDir, archive);
    for (const version of (await folders(root)).sort(newestFirst)) {
      const path = join(root, version);
      try {
        const content = await readCatalogFile(path);
        if (content !== undefined) found.push(describeInstalled(path, content, []));
      } catch (error) {
        if (!isCarrelError(error, 'verification')) throw error;
        found.push({
          archive,
          version,
          release: '',
          path,
          tables: [],
          sources: [],
          added: [],
          problem: error.message,
        });
      }
    }
  }
  return found;
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

/** Options that name one installed version. */
export interface CatalogName {
  cacheDir: string;
  archive: string;
  version: string;
}

async function mustBeInstalled(name: CatalogName): Promise<{ folder: string; content: CatalogFile }> {
  const folder = versionFolder(name.cacheDir, name.archive, name.version);
  const content = await readCatalogFile(folder);
  if (content !== undefined) return { folder, content };
  throw new CarrelError('not-found', `catalogue ${name.version} of ${name.archive} is not installed`, {
    item: name.version,
    next: 'carrel catalog list shows what is',
  });
}

/** Removes one version, a damaged one too: out of sight in one step, then deleted. Throws `not-found`. */
export async function removeCatalog(name: CatalogName): Promise<{ path: string; bytes: number }> {
  const installed = await listCatalogs({ cacheDir: name.cacheDir, archive: name.archive });
  const found = installed.find(({ version }) => version === name.version);
  if (found === undefined) await mustBeInstalled(name);
  const path = versionFolder(name.cacheDir, name.archive, name.version);
  const aside = join(archiveFolder(name.cacheDir, name.archive), incomingName());
  await rename(path, aside);
  await rm(aside, { recursive: true, force: true });
  return { path, bytes: (found?.tables ?? []).reduce((sum, table) => sum + table.bytes, 0) };
}

/** What `checkCatalog` found for one file. */
export interface TableCheck {
  /** Name of the table; `(side index)` for the file that look-ups are answered from. */
  table: string;
  file: string;
  ok: boolean;
  /** What is wrong: missing, of another size, of another digest. */
  problem?: string | undefined;
}

/** Reads every installed byte of a version and compares it with what was installed. Throws `not-found`. */
export async function checkCatalog(
  name: CatalogName & { signal?: AbortSignal | undefined },
): Promise<TableCheck[]> {
  const { folder, content } = await mustBeInstalled(name);
  const checks: TableCheck[] = [];
  for (const table of content.tables) {
    for (const file of table.files) {
      stopIfAborted(name.signal);
      let problem = await sizeProblem(folder, file);
      if (problem === undefined && (await sha256Of(join(folder, file.path), name.signal)) !== file.sha256) {
        problem = `${file.path} has other bytes than were installed`;
      }
      checks.push({ table: table.name, file: file.path, ok: problem === undefined, problem });
    }
  }
  return [...checks, ...(await checkSideIndexes(folder, name.signal))];
}
