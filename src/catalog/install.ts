/**
 * Installing tables: copy into a folder of its own, check, then one rename. Whoever is killed in the middle leaves no
 * half catalogue, and of two processes that install the same version the second finds the first one's work.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Archive } from '../archives/index.ts';
import { abortError, CarrelError, isCarrelError } from '../errors.ts';
import { stopIfAborted } from './abort.ts';
import { addToInstalled } from './add-tables.ts';
import {
  type CatalogFile,
  type CatalogTableEntry,
  readCatalogFile,
  writeCatalogFile,
} from './catalog-file.ts';
import type { CatalogEvent, InstalledCatalog } from './catalogs.ts';
import { describeInstalled } from './catalogs.ts';
import { agreedVersion, mustBePackageOf } from './check-sources.ts';
import { inspectTables } from './inspect.ts';
import { archiveFolder, incomingName, releaseOf, sweepIncoming, versionFolder } from './layout.ts';
import { prepareQuietly } from './prepare-quietly.ts';
import { openSource, type Source, type SourceEntry, type StagedTable } from './sources.ts';

/** Options of `installCatalog`. */
export interface InstallOptions {
  archive: Archive;
  cacheDir: string;
  /** Paths of a wheel, an unpacked folder, `.parquet` files. */
  sources: string[];
  /** Needed only where neither the files nor their names say it. */
  version?: string | undefined;
  /** Tables whose bytes were compared with a published digest: name of the file → hex. */
  published?: Record<string, string> | undefined;
  onEvent?: ((event: CatalogEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Installs tables from local files. Throws `not-found` (no such file), `bad-input` (not a wheel, no Parquet inside, an
 * empty or cut file, tables of two versions, no version known) and `verification` (bytes differ from the record's digests).
 */
export async function installCatalog(options: InstallOptions): Promise<InstalledCatalog> {
  const { archive, cacheDir, signal } = options;
  if (options.sources.length === 0) {
    throw new CarrelError('usage', 'nothing to install', {
      next: 'give a wheel (.whl), a folder or .parquet files',
    });
  }
  const root = archiveFolder(cacheDir, archive.name);
  await mkdir(root, { recursive: true });
  await sweepIncoming(root);
  const incoming = join(root, incomingName());
  const opened: Source[] = [];
  try {
    for (const path of options.sources) {
      const source = await openSource(path);
      opened.push(source);
      mustBePackageOf(archive, source);
    }
    const staged = await stage(options, opened, incoming);
    const inspected = await inspectTables(incoming, staged.tables, signal);
    const version = agreedVersion(options, opened, inspected.builtFrom);
    const tables = inspected.tables.map((table) => withEvidence(options, version, table, staged.tables));
    const content: CatalogFile = {
      carrel_catalog: 1,
      archive: archive.name,
      version,
      release: releaseOf(archive, version),
      tables,
      schemas: staged.schemas,
      ...(inspected.builtFrom === undefined ? {} : { builtFrom: inspected.builtFrom }),
      sources: opened.map(({ name }) => name),
    };
    const installed = await settle(options, incoming, content);
    await prepareQuietly(options, installed.version);
    return installed;
  } catch (error) {
    if (signal?.aborted === true && !isCarrelError(error)) throw abortError(signal);
    throw error;
  } finally {
    for (const source of opened) source.close();
    await rm(incoming, { recursive: true, force: true });
  }
}

/** Copies everything wanted into the folder of unfinished work, hashing on the way. */
async function stage(options: InstallOptions, sources: Source[], incoming: string) {
  const tables = new Map<string, StagedTable>();
  const schemas: CatalogFile['schemas'] = {};
  await mkdir(incoming, { recursive: true });
  for (const entry of sources.flatMap((source) => source.entries)) {
    if (entry.name.endsWith('_schema.json')) {
      const table = tableOf(options.archive, entry, entry.name.replace(/_schema\.json$/, '.parquet'));
      const path = `${table}_schema.json`;
      schemas[table] = { path, ...(await copy(entry, join(incoming, path), options.signal)) };
      continue;
    }
    const name = tableOf(options.archive, entry, entry.name);
    const table = tables.get(name) ?? { name, files: [] };
    const part = table.files.length === 0 ? '' : `-${String(table.files.length).padStart(4, '0')}`;
    const path = name.startsWith('clinical.') ? `clinical/${name.slice(9)}${part}.parquet` : entry.name;
    if (table.files.some((file) => file.path === path)) {
      throw new CarrelError('bad-input', `${entry.shown} is there twice`, {
        item: entry.shown,
        next: 'give each table once',
      });
    }
    const copied = await copy(entry, join(incoming, path), options.signal);
    if (copied.size < 12) {
      throw new CarrelError('bad-input', `${entry.shown} is no Parquet file: it has ${copied.size} bytes`, {
        item: entry.shown,
        next: 'fetch the file again: the download was cut short',
      });
    }
    table.files.push({ path, shown: entry.shown, ...copied });
    tables.set(name, table);
    options.onEvent?.({ type: 'table', table: name, bytes: copied.size });
  }
  if (tables.size === 0) {
    const names = sources.map(({ name }) => name).join(', ');
    throw new CarrelError('bad-input', `no table (.parquet) in ${names}`, {
      item: names,
      next: 'give the wheel or folder that holds idc_index.parquet or your archive’s own tables',
    });
  }
  return { tables: [...tables.values()], schemas };
}

/** The SQL name of a file: from the record, from a folder `clinical`, or the file's own name. */
function tableOf(archive: Archive, entry: SourceEntry, file: string): string {
  const known = archive.catalog.tables.find((table) => table.file === file);
  if (known !== undefined) return known.name;
  const folders = entry.folder.split('/');
  const clinical = folders.findIndex((folder) => folder === 'clinical' || folder === 'clinical_data');
  const base = file.replace(/\.parquet$/, '');
  const name = clinical === -1 ? base : (folders[clinical + 1] ?? base);
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,120}$/.test(name)) {
    throw new CarrelError('bad-input', `${entry.shown} cannot be the name of a table`, {
      item: entry.shown,
      next: 'name files with letters, digits and underscores',
    });
  }
  return clinical === -1 ? name : `clinical.${name}`;
}

async function copy(entry: SourceEntry, target: string, signal: AbortSignal | undefined) {
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(await entry.open(), measure, createWriteStream(target, { flags: 'wx', flush: true }), {
      signal,
    });
  } catch (cause) {
    stopIfAborted(signal);
    if (isCarrelError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC')
      throw new CarrelError('no-space', `no space left for ${entry.name}`, {
        item: target,
        next: 'free some space, or set CARREL_CACHE_DIR',
        cause,
      });
    throw new CarrelError('bad-input', `${entry.shown} cannot be read: ${(cause as Error).message}`, {
      item: entry.shown,
      next: 'fetch the file again: it was cut short or is damaged',
      cause,
    });
  }
  return { size, sha256: hash.digest('hex') };
}

/** Compares a table with the digests that the record pins, and notes what vouched for it. */
function withEvidence(
  options: InstallOptions,
  version: string,
  table: CatalogTableEntry,
  staged: StagedTable[],
): CatalogTableEntry {
  const pins = options.archive.catalog.versions.find((entry) => entry.version === version)?.sha256 ?? {};
  const [file] = table.files;
  if (file === undefined || table.files.length > 1) return table;
  const pinned = pins[file.path];
  if (pinned !== undefined && pinned !== file.sha256) {
    const shown = staged.find(({ name }) => name === table.name)?.files[0]?.shown ?? file.path;
    throw new CarrelError(
      'verification',
      `${shown} is not the table that ${options.archive.name} published as ${version}`,
      {
        item: `${shown}: sha256:${file.sha256}, expected sha256:${pinned}`,
        next: 'fetch the file again from the archive',
      },
    );
  }
  if (pinned !== undefined) return { ...table, evidence: 'record' };
  return options.published?.[file.path] === file.sha256 ? { ...table, evidence: 'published' } : table;
}

/** Gives the folder its final name, or adds to the version that is there. */
async function settle(
  options: InstallOptions,
  incoming: string,
  content: CatalogFile,
): Promise<InstalledCatalog> {
  const folder = versionFolder(options.cacheDir, options.archive.name, content.version);
  const existing = await readCatalogFile(folder);
  if (existing === undefined) {
    if (!content.tables.some(({ name }) => name === 'index')) {
      throw new CarrelError('bad-input', `the main table (index) of ${content.version} is missing`, {
        item: options.sources.join(', '),
        next: 'install the main table first, or give it in the same call',
      });
    }
    await writeCatalogFile(incoming, content);
    await syncFolder(incoming);
    if (await renamed(incoming, folder)) {
      await syncFolder(dirname(folder));
      return describeInstalled(
        folder,
        content,
        content.tables.map(({ name }) => name),
      );
    }
  }
  return addToInstalled({ folder, incoming, content, signal: options.signal });
}

/** False where another process was faster. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      if ((await readCatalogFile(to)) !== undefined) return false;
    }
    throw error;
  }
}

/** Makes names durable where the system can (not on Windows). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
