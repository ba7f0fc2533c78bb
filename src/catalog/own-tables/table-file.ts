/**
 * Tables of the user's own, beside those of the archive: `<cacheDir>/catalogs/<archive>/.tables/<name>/table.json`, and
 * the copied files in a folder beside it. `table.json` is written last, in one step: what it does not name is not there.
 */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import { archiveFolder } from '../layout.ts';

const TABLE_FILE = 'table.json';

const ownFile = v.object({
  /** Relative to the folder of the table, with `/`; absolute where the table is a link. */
  path: v.string(),
  /** Bytes of the copy; of a link at the time when it was made. */
  size: v.number(),
  /** Hex; absent for a link, whose bytes may change. */
  sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  /** Where it came from, and what pinned it there: an unchanged object is not fetched again. */
  source: v.string(),
  pin: v.optional(v.string()),
});

const ownTable = v.object({
  carrel_table: v.literal(1),
  name: v.string(),
  archive: v.string(),
  /** True: the user's own files are read where they stand, as they are at the time. */
  linked: v.boolean(),
  /** What the files are that the engine reads: copies of CSV are Parquet. */
  format: v.picklist(['parquet', 'csv']),
  /** True where the files differ in their columns or types, so that they are matched by name. */
  union: v.boolean(),
  files: v.pipe(v.array(ownFile), v.minLength(1)),
  rows: v.number(),
  columns: v.array(v.object({ name: v.string(), type: v.string() })),
  /** As they were given. */
  sources: v.array(v.string()),
  /** RFC 3339. */
  added: v.string(),
});

/** `table.json` as it stands. */
export type OwnTableFile = v.InferOutput<typeof ownTable>;

/** A table of the user's own, with its place on this disk. */
export interface OwnTable extends OwnTableFile {
  /** Folder of `table.json`. */
  folder: string;
  /** What is wrong with its `table.json`: then nothing else is known of it. */
  problem?: string | undefined;
}

/** Folder of an archive's own tables. */
export function ownFolder(cacheDir: string, archive: string): string {
  return join(archiveFolder(cacheDir, archive), '.tables');
}

/** All tables of the user's own, by name. A damaged `table.json` gives a table with a `problem`. */
export async function readOwnTables(cacheDir: string, archive: string): Promise<OwnTable[]> {
  const root = ownFolder(cacheDir, archive);
  const names = await readdir(root, { withFileTypes: true }).catch(() => []);
  const tables: OwnTable[] = [];
  for (const entry of names.filter((one) => one.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const folder = join(root, entry.name);
    const text = await readFile(join(folder, TABLE_FILE), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    try {
      tables.push({ ...v.parse(ownTable, JSON.parse(text)), folder });
    } catch {
      tables.push(damaged(entry.name, archive, folder));
    }
  }
  return tables;
}

function damaged(name: string, archive: string, folder: string): OwnTable {
  return {
    carrel_table: 1,
    name,
    archive,
    linked: false,
    format: 'parquet',
    union: false,
    files: [],
    rows: 0,
    columns: [],
    sources: [],
    added: '',
    folder,
    problem: `${join(folder, TABLE_FILE)} is damaged`,
  };
}

/** Absolute paths of the files that the engine reads. */
export function filesOfOwn(table: OwnTable): string[] {
  return table.files.map(({ path }) => (table.linked ? path : join(table.folder, path)));
}

/** Writes `table.json` so that a reader sees the old or the new one. */
export async function writeOwnTable(folder: string, table: OwnTableFile): Promise<void> {
  const temporary = join(folder, `.${TABLE_FILE}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(table, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, TABLE_FILE));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes a table of the user's own; the files of a link stay. Throws `not-found`. */
export async function removeTable(options: {
  cacheDir: string;
  archive: string;
  name: string;
}): Promise<{ path: string; bytes: number }> {
  const tables = await readOwnTables(options.cacheDir, options.archive);
  const found = tables.find(({ name }) => name.toLowerCase() === options.name.toLowerCase());
  if (found === undefined) {
    throw new CarrelError('not-found', `there is no table ${options.name} of your own`, {
      item: options.name,
      next: 'carrel catalog list shows yours',
    });
  }
  await rm(join(found.folder, TABLE_FILE), { force: true });
  await rm(found.folder, { recursive: true, force: true });
  return {
    path: found.folder,
    bytes: found.linked ? 0 : found.files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** What is known of a table of the user's own. */
export interface OwnTableInfo {
  archive: string;
  /** Name in SQL. */
  table: string;
  /** Null for a link: its rows are counted when they are asked for. */
  rows: number | null;
  columns: { name: string; type: string }[];
  bytes: number;
  linked: boolean;
  sources: string[];
  /** RFC 3339. */
  added: string;
  path: string;
  problem?: string | undefined;
}

/** A table of the user's own as a value. */
export function describeOwn(table: OwnTable): OwnTableInfo {
  return {
    archive: table.archive,
    table: table.name,
    rows: table.linked || table.problem !== undefined ? null : table.rows,
    columns: table.columns,
    bytes: table.files.reduce((sum, { size }) => sum + size, 0),
    linked: table.linked,
    sources: table.sources,
    added: table.added,
    path: table.folder,
    ...(table.problem === undefined ? {} : { problem: table.problem }),
  };
}

/** The tables of the user's own in an archive, by name. */
export async function listTablesOfOwn(options: {
  cacheDir: string;
  archive: string;
}): Promise<OwnTableInfo[]> {
  return (await readOwnTables(options.cacheDir, options.archive)).map(describeOwn);
}
