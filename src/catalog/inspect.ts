/** What the engine says about Parquet files before they are installed: rows, columns, the version that built them. */
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { CatalogTableEntry } from './catalog-file.ts';
import { createEngine, literal, messageOf, type Session } from './engine.ts';
import { mustHaveColumns } from './required-columns.ts';
import type { StagedTable } from './sources.ts';

/** Key that idc-index-data 24.2 and later write into each table: `git describe --tags --long`. */
const VERSION_KEY = 'idc_index_data_version';

/** Reads the footers of staged tables. Throws `bad-input` where one is no whole Parquet file, or where versions differ. */
export async function inspectTables(
  folder: string,
  tables: StagedTable[],
  signal?: AbortSignal,
): Promise<{ tables: CatalogTableEntry[]; builtFrom: string | undefined }> {
  const files = tables.flatMap((table) => table.files.map(({ path }) => join(folder, path)));
  const engine = await createEngine({ files, signal });
  try {
    return await engine.session(async (session) => {
      const entries: CatalogTableEntry[] = [];
      let builtFrom: string | undefined;
      for (const table of tables) {
        const { entry, version } = await inspectTable(session, folder, table);
        entries.push(entry);
        if (
          version !== undefined &&
          builtFrom !== undefined &&
          version.split('-')[0] !== builtFrom.split('-')[0]
        ) {
          throw new CarrelError(
            'bad-input',
            `the tables are of different versions: ${builtFrom} and ${version}`,
            {
              item: table.files[0]?.shown,
              next: 'install each version by itself',
            },
          );
        }
        builtFrom ??= version;
      }
      return { tables: entries, builtFrom };
    }, signal);
  } finally {
    engine.close();
  }
}

async function inspectTable(session: Session, folder: string, table: StagedTable) {
  const list = `[${table.files.map(({ path }) => literal(join(folder, path))).join(', ')}]`;
  const shown = table.files.map((file) => file.shown).join(', ');
  try {
    const columns = await session.rows(`DESCRIBE SELECT * FROM read_parquet(${list}, union_by_name=true)`);
    const names = columns.map((column) => String(column['column_name']));
    mustHaveColumns(table.name, names, shown);
    const [count] = await session.rows(`SELECT count(*) AS n FROM read_parquet(${list}, union_by_name=true)`);
    const [key] = await session.rows(
      `SELECT decode(value) AS version FROM parquet_kv_metadata(${list}) WHERE decode(key) = '${VERSION_KEY}' LIMIT 1`,
    );
    const entry: CatalogTableEntry = {
      name: table.name,
      files: table.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
      rows: Number(count?.['n'] ?? 0),
      columns: names.length,
    };
    if (names.includes('series_size_MB')) entry.sizes = await sizesOf(session, list);
    if (table.name === 'index' && ROW_KEY.every((name) => names.includes(name)))
      entry.sorted = await isSorted(session, list);
    return {
      entry,
      version: key === undefined ? undefined : String(key['version']),
    };
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    throw new CarrelError(
      'bad-input',
      `${shown} is no whole Parquet file: ${messageOf(cause).split('\n')[0]}`,
      {
        item: shown,
        next: 'fetch the file again: it was cut short or is damaged',
        cause,
      },
    );
  }
}

/** Tables before v23, and every table of prior versions, give sizes with two decimals of a megabyte. */
async function sizesOf(session: Session, list: string): Promise<'exact' | 'rounded'> {
  const [row] = await session.rows(
    `SELECT coalesce(bool_or(abs(series_size_MB * 100 - round(series_size_MB * 100)) > 1e-6), false) AS fine
     FROM read_parquet(${list}, union_by_name=true)`,
  );
  return row?.['fine'] === true ? 'exact' : 'rounded';
}

/** Order of answers, as far as the oldest tables have its columns; the uuid after them is unique by series. */
const ROW_KEY = ['collection_id', 'PatientID', 'StudyInstanceUID', 'SeriesInstanceUID'];

/** IDC publishes its main table in this order; then a selection needs no sorting, and its first rows come at once. */
async function isSorted(session: Session, list: string): Promise<boolean> {
  const key = `(${ROW_KEY.join(', ')})`;
  const [row] = await session.rows(
    `SELECT coalesce(bool_and(before < this), true) AS sorted
     FROM (SELECT ${key} AS this, lag(${key}) OVER () AS before FROM read_parquet(${list}, union_by_name=true))`,
  );
  return row?.['sorted'] === true;
}
