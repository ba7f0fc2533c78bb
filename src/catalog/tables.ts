/**
 * Tables and columns with their descriptions: our own from the archive's record, the dictionary's for clinical tables, else
 * those of the schema files that come with the tables.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { CLINICAL, clinicalColumns, clinicalTables } from './clinical.ts';
import { literal, type Session } from './engine.ts';
import { archiveFlag } from './layout.ts';
import { nearest } from './nearest.ts';
import type { OpenTables } from './open-tables.ts';
import { ownProblem } from './own-tables/own-views.ts';
import { type OwnTable, readOwnTables } from './own-tables/table-file.ts';

/** A table of the archive, or of the user's own. */
export interface TableInfo {
  /** Name in SQL. */
  name: string;
  installed: boolean;
  rows: number | null;
  /** Number of columns; as published where the table is not installed. */
  columns: number | null;
  bytes: number | null;
  description: string;
  /** The command that gets it, where it is not installed. */
  get?: string | undefined;
  /** A table of the user's own: where it came from, and whether it is read there (`linked`) or was copied. */
  own?: { sources: string[]; linked: boolean; problem?: string | undefined } | undefined;
}

/** A column of a table. */
export interface ColumnInfo {
  name: string;
  /** DuckDB's type; empty where only the dictionary of clinical tables knows the column. */
  type: string;
  description: string;
  /** Values with their meanings, of a coded clinical column. */
  values?: { code: string; description: string }[] | undefined;
}

interface SchemaFile {
  table_description?: string;
  columns?: { name?: string; type?: string; mode?: string; description?: string }[];
}

/** The command that gets a table. */
export function howToGet(archive: Archive, table: string): string {
  return `carrel catalog update${archiveFlag(archive)} --table ${table}`;
}

/** Tables of the record, then those that only the folder knows, clinical ones, and the user's own. */
export async function listTables(session: Session, tables: OpenTables): Promise<TableInfo[]> {
  const { content, archive } = tables;
  const clinical = await clinicalTables(session, tables);
  const bare = new Set(clinical.map(({ name }) => name));
  const names = [
    ...archive.catalog.tables.map(({ name }) => name),
    ...content.tables.map(({ name }) => name).sort(),
    ...Object.keys(content.schemas).sort(),
    ...clinical.map(({ name }) => `${CLINICAL}${name}`),
  ].map((name) => (bare.has(name) ? `${CLINICAL}${name}` : name));
  const theirs = await Promise.all(
    [...new Set(names)].map(async (name): Promise<TableInfo> => {
      const short = name.startsWith(CLINICAL) ? name.slice(CLINICAL.length) : undefined;
      const installed = content.tables.find((table) => table.name === name || table.name === short);
      const known = archive.catalog.tables.find((table) => table.name === name || table.name === short);
      const entry = clinical.find((table) => table.name === short);
      const schema = await readSchema(tables, name);
      return {
        name,
        installed: installed !== undefined,
        rows: installed?.rows ?? null,
        columns:
          installed?.columns ?? known?.columns?.length ?? schema?.columns?.length ?? entry?.columns ?? null,
        bytes: installed?.files.reduce((sum, file) => sum + file.size, 0) ?? null,
        description:
          known?.description ||
          schema?.table_description ||
          (short === undefined
            ? ''
            : `Clinical data${entry === undefined ? '' : ` of ${entry.collection}`}.`),
        ...(installed === undefined ? { get: howToGet(archive, known?.name ?? name) } : {}),
      };
    }),
  );
  return [...theirs, ...(await Promise.all((tables.chosen.own ?? []).map(ownInfo)))];
}

async function ownInfo(table: OwnTable): Promise<TableInfo> {
  const problem = await ownProblem(table);
  const { sources, linked } = table;
  return {
    name: table.name,
    installed: problem === undefined,
    rows: linked || problem !== undefined ? null : table.rows,
    columns: table.problem === undefined ? table.columns.length : null,
    bytes: table.files.reduce((sum, { size }) => sum + size, 0),
    description: `Your own, ${linked ? 'read from' : 'copied from'} ${sources.join(', ')}.`,
    own: { sources, linked, ...(problem === undefined ? {} : { problem }) },
  };
}

/** What the record alone says, where no version is installed: every table, with the command that gets it; and the user's own. */
export async function tablesOfRecord(options: { archive: Archive; cacheDir: string }): Promise<TableInfo[]> {
  const { archive, cacheDir } = options;
  const theirs = archive.catalog.tables.map(
    ({ name, columns, description, core }): TableInfo => ({
      name,
      installed: false,
      rows: null,
      columns: columns?.length ?? null,
      bytes: null,
      description,
      get: core ? `carrel catalog update${archiveFlag(archive)}` : howToGet(archive, name),
    }),
  );
  return [...theirs, ...(await Promise.all((await readOwnTables(cacheDir, archive.name)).map(ownInfo)))];
}

/** Columns of a table as the record alone says them; undefined where it does not. */
export function columnsOfRecord(archive: Archive, name: string): ColumnInfo[] | undefined {
  const wanted = name.toLowerCase();
  return archive.catalog.tables.find((table) => table.name.toLowerCase() === wanted)?.columns;
}

/** Columns of a table; its name in any case, a clinical one with or without `clinical.`. Throws `not-found`. */
export async function describeTable(
  session: Session,
  tables: OpenTables,
  name: string,
): Promise<ColumnInfo[]> {
  const { archive, content } = tables;
  const wanted = name.toLowerCase();
  const short = wanted.startsWith(CLINICAL) ? wanted.slice(CLINICAL.length) : wanted;
  const called = ({ name: other }: { name: string }) =>
    [wanted, short, `${CLINICAL}${wanted}`].includes(other.toLowerCase());
  const own = (tables.chosen.own ?? []).find((table) => table.name.toLowerCase() === wanted);
  const installed = content.tables.find(called);
  if (installed === undefined && own !== undefined) {
    const columns = await columnsInEngine(session, 'main', own.name);
    return (columns.length > 0 ? columns : own.columns).map((column) => ({ ...column, description: '' }));
  }
  const recorded = columnsOfRecord(archive, installed?.name ?? wanted);
  const labels = await clinicalColumns(session, tables, short);
  const schema = await readSchema(tables, installed?.name ?? name);
  const describe = (column: string): Pick<ColumnInfo, 'description' | 'values'> => {
    const same = (other: string | undefined) => other?.toLowerCase() === column.toLowerCase();
    const entry = labels.find((label) => same(label.name));
    const description =
      recorded?.find((other) => same(other.name))?.description ??
      entry?.label ??
      schema?.columns?.find((other) => same(other.name))?.description ??
      '';
    return {
      description,
      ...(entry === undefined || entry.values.length === 0 ? {} : { values: entry.values }),
    };
  };
  if (installed !== undefined) {
    const isClinical = installed.name.startsWith(CLINICAL);
    const table = isClinical ? installed.name.slice(CLINICAL.length) : installed.name;
    const columns = await columnsInEngine(session, isClinical ? 'clinical' : 'main', table);
    return columns.map((column) => ({ ...column, ...describe(column.name) }));
  }
  if (recorded !== undefined) return recorded;
  if (schema?.columns !== undefined) {
    return schema.columns.map((column) => ({
      name: column.name ?? '',
      type: `${ENGINE_TYPES[column.type ?? ''] ?? column.type ?? ''}${column.mode === 'REPEATED' ? '[]' : ''}`,
      description: column.description ?? '',
    }));
  }
  if (labels.length > 0)
    return labels.map((label) => ({ name: label.name, type: '', ...describe(label.name) }));
  throw noSuchTable(
    name,
    (await listTables(session, tables)).map((table) => table.name),
  );
}

/** Published types as the engine calls them. */
const ENGINE_TYPES: Record<string, string> = {
  STRING: 'VARCHAR',
  INTEGER: 'BIGINT',
  FLOAT: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  RECORD: 'STRUCT',
};

/** The error for a table that is nowhere, with the nearest names. */
export function noSuchTable(name: string, all: readonly string[]): CarrelError {
  const wanted = name.toLowerCase();
  const within = all.filter(
    (table) => table.toLowerCase().includes(wanted) || wanted.includes(table.toLowerCase()),
  );
  const near = [...new Set([...nearest(name, [...all]), ...within])].slice(0, 5);
  return new CarrelError('not-found', `there is no table ${name}`, {
    item: name,
    next: `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}carrel catalog tables lists all`,
  });
}

async function columnsInEngine(
  session: Session,
  space: string,
  table: string,
): Promise<{ name: string; type: string }[]> {
  const rows = await session.rows(
    `SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ${literal(space)} AND table_name = $table ORDER BY column_index`,
    { table },
  );
  return rows.map((row) => ({ name: String(row['column_name']), type: String(row['data_type']) }));
}

async function readSchema(tables: OpenTables, name: string): Promise<SchemaFile | undefined> {
  const file = tables.content.schemas[name];
  if (file === undefined) return undefined;
  try {
    return JSON.parse(await readFile(join(tables.folder, file.path), 'utf8')) as SchemaFile;
  } catch {
    // Descriptions are a courtesy: a damaged file takes nothing away from the tables.
    return undefined;
  }
}
