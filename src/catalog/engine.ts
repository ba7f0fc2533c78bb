/**
 * The SQL engine: DuckDB in memory over Parquet files, locked so that nothing but those files can be read and nothing
 * can be written.
 *
 * What locks it (tried one by one): `allowed_paths` names single files, `enable_external_access=false` closes
 * everything else (`read_text`, `glob`, ATTACH, INSTALL, LOAD), `lock_configuration` forbids undoing it. `COPY … TO` an
 * allowed path would still write, so statements of users also pass `guardStatement`.
 */
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import { abortError, CarrelError, isCarrelError } from '../errors.ts';
import { stopIfAborted } from './abort.ts';
import { loadDuckDb } from './load-duckdb.ts';
import { columnReader } from './values.ts';

/** What can be bound. Arrays are lists of text. */
export type Parameters = Record<string, string | number | boolean | null | string[]>;

/** A row by column name, values safe for JSON. */
export type Row = Record<string, unknown>;

/** One connection. Used by one call at a time; temporary tables live as long as it does. */
export interface Session {
  readonly connection: DuckDBConnection;
  readonly duckdb: typeof import('@duckdb/node-api');
  /** All rows as objects. */
  rows(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Runs without fetching more than the engine hands out chunk by chunk. */
  stream(sql: string, parameters?: Parameters): Promise<DuckDBResult>;
}

/** An open engine. */
export interface Engine {
  /** Runs `work` on a connection of its own; an abort interrupts the running statement. */
  session<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A connection that the caller closes with `release`. */
  open(signal?: AbortSignal): Promise<{ session: Session; release: () => void }>;
  close(): void;
}

/** Options of `createEngine`. */
export interface EngineOptions {
  /** Files that may be read, absolute. */
  files: string[];
  /** Sets up the views, before the door is locked. */
  setup?: ((session: Session) => Promise<void>) | undefined;
  /** DuckDB's form: `2GB`. Default: DuckDB's, 80 % of the memory. */
  memoryLimit?: string | undefined;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A text as SQL literal. For paths and numbers of our own; what users give is bound. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as quoted SQL identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Opens the engine. Nothing is ever written to disk: without a temporary folder, a statement that needs more memory fails. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  options.signal?.throwIfAborted();
  const duckdb = await loadDuckDb();
  const settings: Record<string, string> = {
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // The files lie on this disk, whose pages the system keeps; a copy of them in the engine is only memory.
    enable_external_file_cache: 'false',
  };
  if (options.threads !== undefined) settings['threads'] = String(options.threads);
  if (options.memoryLimit !== undefined) settings['memory_limit'] = options.memoryLimit;
  const instance = await createInstance(duckdb, settings);
  try {
    const connection = await instance.connect();
    const lock = [
      `SET allowed_paths=[${options.files.map(literal).join(', ')}]`,
      'SET enable_external_access=false',
      'SET lock_configuration=true',
    ];
    await options.setup?.(sessionOver(duckdb, connection));
    for (const sql of lock) await connection.run(sql);
    connection.closeSync();
  } catch (error) {
    instance.closeSync();
    throw error;
  }
  return engineOver(duckdb, instance);
}

async function createInstance(
  duckdb: typeof import('@duckdb/node-api'),
  settings: Record<string, string>,
): Promise<DuckDBInstance> {
  try {
    return await duckdb.DuckDBInstance.create(':memory:', settings);
  } catch (cause) {
    throw new CarrelError('usage', `the SQL engine cannot be opened: ${messageOf(cause)}`, {
      item: settings['memory_limit'],
      next: 'memory limits look like 500MB or 4GB',
      cause,
    });
  }
}

/** A mistake of the program that uses the catalogue. */
export function closedError(): CarrelError {
  return new CarrelError('usage', 'the catalogue is closed', { next: 'open it again with openCatalog' });
}

function engineOver(duckdb: typeof import('@duckdb/node-api'), instance: DuckDBInstance): Engine {
  let closed = false;
  const engine: Engine = {
    async open(signal) {
      stopIfAborted(signal);
      if (closed) throw closedError();
      const connection = await instance.connect();
      const stop = interruptOnAbort(connection, signal);
      return {
        session: sessionOver(duckdb, connection),
        release() {
          stop();
          connection.closeSync();
        },
      };
    },
    async session(work, signal) {
      const { session, release } = await engine.open(signal);
      try {
        return await work(session);
      } catch (error) {
        if (signal?.aborted === true && !isCarrelError(error)) throw abortError(signal);
        throw error;
      } finally {
        release();
      }
    },
    close() {
      if (closed) return;
      closed = true;
      instance.closeSync();
    },
  };
  return engine;
}

function sessionOver(duckdb: typeof import('@duckdb/node-api'), connection: DuckDBConnection): Session {
  const stream = (sql: string, parameters?: Parameters) =>
    connection.stream(sql, ...bindings(duckdb, parameters));
  return {
    connection,
    duckdb,
    stream,
    rows: async (sql, parameters) => readRows(await stream(sql, parameters)),
  };
}

/** An interrupt that comes between two statements is lost, so it is repeated until the connection is released. */
function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), 20);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearInterval(timer);
  };
}

/** Values and, for lists, their type (an empty list has none of its own). */
function bindings(
  duckdb: typeof import('@duckdb/node-api'),
  parameters: Parameters | undefined,
): [Record<string, DuckDBValue>?, Record<string, DuckDBType>?] {
  if (parameters === undefined || Object.keys(parameters).length === 0) return [];
  const values: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(parameters)) {
    values[name] = Array.isArray(value) ? duckdb.listValue(value) : value;
    if (Array.isArray(value)) types[name] = duckdb.LIST(duckdb.VARCHAR);
  }
  return [values, types];
}

/** Every row of a result as an object. */
export async function readRows(result: DuckDBResult): Promise<Row[]> {
  const names = result.deduplicatedColumnNames();
  const rows: Row[] = [];
  for await (const chunk of readChunks(result)) {
    for (const values of chunk) {
      const row: Row = {};
      for (const [index, name] of names.entries()) row[name] = values[index];
      rows.push(row);
    }
  }
  return rows;
}

/** The result in pieces of at most 2,048 rows, values safe for JSON. */
export async function* readChunks(result: DuckDBResult): AsyncGenerator<unknown[][]> {
  const readers = result.columnTypes().map(columnReader);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const columns = chunk.getColumns();
    const rows: unknown[][] = [];
    for (let index = 0; index < chunk.rowCount; index += 1) {
      rows.push(columns.map((column, at) => readers[at]?.(column[index] ?? null)));
    }
    yield rows;
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
