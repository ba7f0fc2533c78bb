/** Tables and columns with their descriptions, from the record and from the schema files that come with the tables. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError } from '../errors.ts';
import { literal, type Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';

/** A table of the archive. */
export interface TableInfo {
  /** Name in SQL. */
  name: string;
  installed: boolean;
  rows: number | null;
  /** Number of columns; from the schema file where the table is not installed. */
  columns: number | null;
  bytes: number | null;
  description: string;
}

/** A column of a table. */
export interface ColumnInfo {
  name: string;
  /** DuckDB's type; of a table that is not installed: the published one (`STRING`). */
  type: string;
  description: string;
}

interface SchemaFile {
  table_description?: string;
  columns?: { name?: string; type?: string; mode?: string; description?: string }[];
}

/** Installed tables first as in the record, then the others. */
export async function listTables(tables: OpenTables): Promise<TableInfo[]> {
  const { content, archive } = tables;
  const names = [
    ...archive.catalog.tables.map(({ name }) => name),
    ...content.tables.map(({ name }) => name),
    ...Object.keys(content.schemas),
  ];
  return Promise.all(
    [...new Set(names)].map(async (name): Promise<TableInfo> => {
      const installed = content.tables.find((table) => table.name === name);
      const schema = await readSchema(tables, name);
      const known = archive.catalog.tables.find((table) => table.name === name);
      return {
        name,
        installed: installed !== undefined,
        rows: installed?.rows ?? null,
        columns: installed?.columns ?? schema?.columns?.length ?? null,
        bytes: installed?.files.reduce((sum, file) => sum + file.size, 0) ?? null,
        description: known?.description ?? schema?.table_description ?? '',
      };
    }),
  );
}

/** Columns of a table. Throws `not-found`. */
export async function describeTable(
  session: Session,
  tables: OpenTables,
  name: string,
): Promise<ColumnInfo[]> {
  const schema = await readSchema(tables, name);
  const descriptions = new Map(
    (schema?.columns ?? []).map((column) => [column.name?.toLowerCase(), column.description ?? '']),
  );
  if (tables.content.tables.some((table) => table.name === name)) {
    const [space, table] = name.startsWith('clinical.') ? ['clinical', name.slice(9)] : ['main', name];
    const rows = await session.rows(
      `SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ${literal(space)} AND table_name = $table ORDER BY column_index`,
      { table },
    );
    return rows.map((row) => ({
      name: String(row['column_name']),
      type: String(row['data_type']),
      description: descriptions.get(String(row['column_name']).toLowerCase()) ?? '',
    }));
  }
  if (schema?.columns !== undefined) {
    return schema.columns.map((column) => ({
      name: column.name ?? '',
      type: `${column.type ?? ''}${column.mode === 'REPEATED' ? '[]' : ''}`,
      description: column.description ?? '',
    }));
  }
  const all = (await listTables(tables)).map((table) => table.name);
  const near = all.filter(
    (table) => table.includes(name.toLowerCase()) || name.toLowerCase().includes(table),
  );
  throw new CarrelError('not-found', `there is no table ${name}`, {
    item: name,
    next: `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}carrel catalog tables lists all`,
  });
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
