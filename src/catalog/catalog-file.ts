/**
 * `catalog.json`: what stands in one folder of installed tables. It is written last, so a folder with it is whole;
 * a table that it does not name is not there.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';

/** Name of the file. */
export const CATALOG_FILE = 'catalog.json';

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const fileSchema = v.object({
  /** Relative to the folder, with `/`. */
  path: v.pipe(
    v.string(),
    v.check(
      (path) => !path.split('/').includes('..') && !/^([/\\]|[A-Za-z]:)/.test(path),
      'leads out of the folder',
    ),
  ),
  size: v.pipe(v.number(), v.integer(), v.minValue(1)),
  sha256,
});
const tableSchema = v.object({
  /** Name in SQL: `index`, `clinical.nlst_canc`. */
  name: v.string(),
  files: v.pipe(v.array(fileSchema), v.minLength(1)),
  rows: v.number(),
  columns: v.number(),
  /** `exact`: sizes in MB give the byte; `rounded`: two decimals, 10 kB. Absent where the table has no sizes. */
  sizes: v.optional(v.picklist(['exact', 'rounded'])),
  /** True for a main table whose rows stand in the order in which answers are given. */
  sorted: v.optional(v.boolean()),
  /** What vouched for the bytes: `published` (a digest beside the file), `record` (pinned in the archive's record) or none. */
  evidence: v.optional(v.picklist(['published', 'record'])),
});
const catalogSchema = v.object({
  carrel_catalog: v.literal(1),
  archive: v.string(),
  version: v.string(),
  release: v.string(),
  tables: v.array(tableSchema),
  /** Descriptions of columns: `index.schema.json` …, by table name. */
  schemas: v.optional(v.record(v.string(), fileSchema), {}),
  /** Parquet key `idc_index_data_version`, where a table carries one. */
  builtFrom: v.optional(v.string()),
  /** Names of the files or URLs that the tables came from. */
  sources: v.array(v.string()),
});

/** One file of a table. */
export type CatalogFileEntry = v.InferOutput<typeof fileSchema>;
/** One table as `catalog.json` has it. */
export type CatalogTableEntry = v.InferOutput<typeof tableSchema>;
/** The whole of `catalog.json`. */
export type CatalogFile = v.InferOutput<typeof catalogSchema>;

/** Reads and checks `catalog.json` of a folder; undefined where there is none. Throws `verification` where it is damaged. */
export async function readCatalogFile(folder: string): Promise<CatalogFile | undefined> {
  const path = join(folder, CATALOG_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ENOTDIR'
    )
      return undefined;
    throw error;
  }
  try {
    return v.parse(catalogSchema, JSON.parse(text));
  } catch (cause) {
    throw new CarrelError('verification', `${path} is damaged`, {
      item: path,
      next: `remove the folder ${folder} and install the catalogue again`,
      cause,
    });
  }
}

/** Writes `catalog.json` so that a reader sees the old or the new one, never half of it. */
export async function writeCatalogFile(folder: string, content: CatalogFile): Promise<void> {
  const sorted = {
    ...content,
    tables: [...content.tables].sort((a, b) => (a.name < b.name ? -1 : 1)),
    schemas: Object.fromEntries(Object.entries(content.schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
    sources: [...new Set(content.sources)].sort(),
  };
  const temporary = join(folder, `${CATALOG_FILE}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(sorted, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, CATALOG_FILE));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The size of a file as `catalog.json` says it, or what is wrong with it. Cheap: nothing is read. */
export async function sizeProblem(folder: string, file: CatalogFileEntry): Promise<string | undefined> {
  try {
    const { size } = await stat(join(folder, file.path));
    return size === file.size ? undefined : `${file.path} has ${size} bytes, ${file.size} were installed`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `${file.path} is missing`
      : `${file.path} cannot be read`;
  }
}

/** SHA-256 of a file as hex. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
