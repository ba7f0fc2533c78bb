/**
 * What can be installed from: a wheel (a ZIP), an unpacked folder, single Parquet files. Each gives entries that are
 * read as streams; nothing is held in memory whole.
 */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { CarrelError } from '../errors.ts';

/** One file to install. */
export interface SourceEntry {
  /** Base name: `idc_index.parquet`. */
  name: string;
  /** Sub-folder below the source, with `/`: `clinical/nlst_canc`; '' at the top or inside a wheel. */
  folder: string;
  /** For messages: `x.whl: idc_index_data/idc_index.parquet`. */
  shown: string;
  open(): Promise<Readable>;
}

/** A source that was opened. */
export interface Source {
  /** Base name, for provenance. */
  name: string;
  /** What its file name or metadata says: `25.0.5`. */
  version?: string | undefined;
  /** Python package of a wheel, as its metadata says: `idc_index_data`. */
  package?: string | undefined;
  entries: SourceEntry[];
  close(): void;
}

/** A table on its way: where its files stand below the folder of unfinished work. */
export interface StagedTable {
  name: string;
  files: { path: string; size: number; sha256: string; shown: string }[];
}

/** Tables and their descriptions; everything else in a source is left alone. */
const WANTED = /(\.parquet|_schema\.json)$/;

/** Opens a wheel, a folder or a Parquet file. Throws `not-found` or `bad-input` with what was found instead. */
export async function openSource(path: string): Promise<Source> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new CarrelError('not-found', `there is no file or folder ${path}`, {
      item: path,
      next: 'give the path of a wheel (.whl), of an unpacked folder or of a .parquet file',
      cause,
    });
  });
  if (info.isDirectory()) return openFolder(path);
  const magic = await firstBytes(path);
  if (magic === 'PAR1' || path.endsWith('_schema.json')) return openSingle(path);
  if (magic.startsWith('PK')) return openWheel(path);
  const found =
    info.size === 0 ? 'is empty (0 bytes)' : 'is neither a ZIP archive (wheel) nor a Parquet file';
  throw new CarrelError('bad-input', `${basename(path)} ${found}`, {
    item: path,
    next: 'give a wheel (.whl), an unpacked folder or .parquet files; a download that was cut short must be fetched again',
  });
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await file.close();
  }
}

function openSingle(path: string): Source {
  const name = basename(path);
  const entry: SourceEntry = {
    name,
    folder: '',
    shown: name,
    open: () => Promise.resolve(createReadStream(path)),
  };
  return { name, entries: [entry], close: () => undefined };
}

async function openFolder(path: string): Promise<Source> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const entries: SourceEntry[] = [];
  let version: string | undefined;
  for (const item of found) {
    const full = join(item.parentPath, item.name);
    version ??= versionOfDistInfo(relative(path, full).split(sep).join('/'));
    if (!item.isFile() || !WANTED.test(item.name)) continue;
    entries.push({
      name: item.name,
      folder: relative(path, item.parentPath).split(sep).join('/'),
      shown: relative(path, full),
      open: () => Promise.resolve(createReadStream(full)),
    });
  }
  entries.sort((a, b) => (a.shown < b.shown ? -1 : 1));
  return { name: basename(path), version, entries, close: () => undefined };
}

/** `idc_index_data-25.0.5.dist-info/METADATA` → `25.0.5`. */
function versionOfDistInfo(path: string): string | undefined {
  return /(?:^|\/)[^/]+?-([0-9][^/-]*)\.dist-info(?:\/|$)/.exec(path)?.[1];
}

async function openWheel(path: string): Promise<Source> {
  const name = basename(path);
  const wrong = (cause: unknown) =>
    new CarrelError('bad-input', `${name} cannot be read as a ZIP archive: ${(cause as Error).message}`, {
      item: path,
      next: 'fetch the wheel again: it was cut short or is damaged',
      cause,
    });
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? reject(wrong(error)) : resolve(opened),
    );
  });
  try {
    const found = await zipEntries(zip).catch((cause: unknown) => {
      throw wrong(cause);
    });
    const version =
      found.map((entry) => versionOfDistInfo(entry.fileName)).find((text) => text !== undefined) ??
      (extname(name) === '.whl' ? name.split('-')[1] : undefined);
    const entries = found
      .filter((entry) => WANTED.test(entry.fileName))
      .map((entry) => ({
        name: basename(entry.fileName),
        folder: '',
        shown: `${name}: ${entry.fileName}`,
        open: () =>
          new Promise<Readable>((resolve, reject) => {
            zip.openReadStream(entry, (error, stream) => (error ? reject(wrong(error)) : resolve(stream)));
          }),
      }));
    const own = found.map(({ fileName }) => /^([^/]+?)-[0-9][^/]*\.dist-info\//.exec(fileName)?.[1]);
    return {
      name,
      version,
      package: own.find((text) => text !== undefined),
      entries,
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

function zipEntries(zip: yauzl.ZipFile): Promise<yauzl.Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: yauzl.Entry[] = [];
    zip.on('entry', (entry: yauzl.Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('end', () => resolve(entries));
    zip.on('error', reject);
    zip.readEntry();
  });
}
