/**
 * Writes tables as Parquet with DuckDB, which is loaded here and nowhere else in this room: zstd, one row group, the
 * key `idc_index_data_version`, as idc-index-data publishes them.
 */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Type of a column: text, 64-bit integer, double, list of texts, or a nested type in DuckDB's words. */
export type ColumnType = 'text' | 'integer' | 'double' | 'texts' | { nested: string };

/** Columns of a table, in order. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** What a cell may hold. Objects and lists of objects are for nested columns. */
export type Cell = string | number | null | readonly string[] | readonly object[];

/** A row by column; what is missing is NULL. */
export type Row = Readonly<Record<string, Cell | undefined>>;

/** Writes Parquet files until closed. */
export interface ParquetWriter {
  /** Writes the rows, in their order, as `file`. */
  write(file: string, columns: Columns, rows: readonly Row[]): Promise<void>;
  close(): void;
}

const SQL_TYPES = { text: 'VARCHAR', integer: 'BIGINT', double: 'DOUBLE', texts: 'VARCHAR[]' } as const;

/** Opens a writer. `version` goes into the metadata of every file. */
export async function createParquetWriter(version: string): Promise<ParquetWriter> {
  // The default export is what CommonJS exports, in Node and in the bundle of the command alike.
  const { default: duckdb } = await import('@duckdb/node-api');
  const { VARCHAR, BIGINT, DOUBLE, LIST, listValue } = duckdb;
  // One thread: the order of rows, and with it the bytes of the file, must not depend on the machine.
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const toValue = (cell: Cell | undefined, type: ColumnType): [DuckDBValue, DuckDBType] => {
    if (cell === undefined || cell === null) return [null, VARCHAR];
    if (type === 'integer') return [BigInt(cell as number), BIGINT];
    if (type === 'double') return [cell as number, DOUBLE];
    if (type === 'texts') return [listValue([...(cell as readonly string[])]), LIST(VARCHAR)];
    return [type === 'text' ? (cell as string) : JSON.stringify(cell), VARCHAR];
  };
  return {
    async write(file, columns, rows) {
      const entries = Object.entries(columns);
      // Nested values travel as JSON text and are converted on the way out.
      const definitions = entries.map(
        ([name, type]) => `"${name}" ${typeof type === 'string' ? SQL_TYPES[type] : 'VARCHAR'}`,
      );
      await connection.run(`CREATE OR REPLACE TABLE sheet (${definitions.join(', ')})`);
      const appender = await connection.createAppender('sheet');
      for (const row of rows) {
        for (const [name, type] of entries) {
          const [value, valueType] = toValue(row[name], type);
          if (value === null) appender.appendNull();
          else appender.appendValue(value, valueType);
        }
        appender.endRow();
      }
      appender.closeSync();
      await copy(connection, file, entries, version);
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function copy(
  connection: DuckDBConnection,
  file: string,
  entries: readonly (readonly [string, ColumnType])[],
  version: string,
): Promise<void> {
  const list = entries.map(([name, type]) =>
    typeof type === 'string' ? `"${name}"` : `from_json("${name}", '${jsonShape(type.nested)}') AS "${name}"`,
  );
  const target = file.replaceAll("'", "''");
  await connection.run(
    `COPY (SELECT ${list.join(', ')} FROM sheet) TO '${target}' ` +
      `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1000000000, ` +
      `KV_METADATA {idc_index_data_version: '${version}'})`,
  );
}

/** The shape as `from_json` wants it: a JSON text in single quotes. */
function jsonShape(nested: string): string {
  return nested.replaceAll("'", "''");
}
