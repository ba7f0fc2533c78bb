/** SQL of users: one reading statement, its result in pieces. */
import { abortError, CarrelError, isCarrelError } from '../errors.ts';
import { stopIfAborted } from './abort.ts';
import { type Engine, type Parameters, readChunks } from './engine.ts';
import { engineError } from './engine-error.ts';
import { guardStatement } from './guard.ts';
import type { OpenTables } from './open-tables.ts';

/** Options of `query`. */
export interface QueryOptions {
  signal?: AbortSignal | undefined;
  /** Stop after that many rows; `truncated()` tells. */
  maxRows?: number | undefined;
  /** Stop after that many milliseconds, with code `sql`. */
  timeoutMs?: number | undefined;
  /** `500MB`, `4GB`: an engine of its own with that limit. */
  memoryLimit?: string | undefined;
  /** Answers with the engine's plan instead of running the statement; columns `explain_key`, `explain_value`. */
  explain?: boolean | undefined;
  /** Values of `$name` in the statement, bound and never pasted. A list of texts is a `VARCHAR[]`. */
  parameters?: Parameters | undefined;
}

/** The answer to a statement. `rows` can be read once; leaving the loop early is fine. */
export interface QueryResult {
  /** DuckDB's type names: `VARCHAR`, `BIGINT`, `VARCHAR[]`. */
  columns: { name: string; type: string }[];
  /** Pieces of at most 2,048 rows; values are JSON, whole numbers beyond 2^53 text. */
  rows: AsyncIterable<unknown[][]>;
  /** After reading: true where `maxRows` cut the answer. */
  truncated: () => boolean;
  /** Gives the answer up without reading it. */
  cancel: () => void;
}

/** Checks and starts a statement. `dispose` is called once the result was read or given up. */
export async function runQuery(
  engine: Engine,
  tables: OpenTables,
  sql: string,
  options: QueryOptions = {},
  dispose?: () => void,
): Promise<QueryResult> {
  const { maxRows, timeoutMs } = options;
  if (maxRows !== undefined && !(Number.isSafeInteger(maxRows) && maxRows >= 0)) {
    throw new CarrelError('usage', `maxRows must be a whole number, not ${maxRows}`, {
      item: String(maxRows),
      next: 'for example 1000',
    });
  }
  const { signal, stop } = withTimeout(sql, timeoutMs, options.signal);
  let finished = false;
  const { session, release } = await engine.open(signal).catch((error: unknown) => {
    stop();
    dispose?.();
    throw error;
  });
  const finish = () => {
    if (finished) return;
    finished = true;
    stop();
    release();
    dispose?.();
  };
  const failure = async (error: unknown) => {
    if (signal?.aborted === true) return abortError(signal);
    return isCarrelError(error) ? error : engineError(session, sql, error, tables);
  };
  try {
    const { parameters = {} } = options;
    const allow = options.explain === true ? 'select' : 'reading';
    await guardStatement(session, sql, allow, tables, Object.keys(parameters).length);
    const result = await session.stream(options.explain === true ? `EXPLAIN ${sql}` : sql, parameters);
    const types = result.columnTypes();
    const columns = result.columnNames().map((name, index) => ({ name, type: String(types[index]) }));
    let truncated = false;
    const rows = async function* (): AsyncGenerator<unknown[][]> {
      let left = maxRows ?? Number.POSITIVE_INFINITY;
      try {
        for await (const chunk of readChunks(result)) {
          stopIfAborted(signal);
          if (chunk.length > left) truncated = true;
          if (left > 0) yield chunk.length > left ? chunk.slice(0, left) : chunk;
          left -= chunk.length;
          if (left < 0) return;
        }
        // An interrupted statement ends like one whose rows have all come.
        stopIfAborted(signal);
      } catch (error) {
        throw await failure(error);
      } finally {
        finish();
      }
    };
    return { columns, rows: rows(), truncated: () => truncated, cancel: finish };
  } catch (error) {
    const shown = await failure(error);
    finish();
    throw shown;
  }
}

/** A signal that also ends after a time, with code `sql`; `stop` gives the clock up. */
export function withTimeout(
  sql: string,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): { signal: AbortSignal | undefined; stop: () => void } {
  if (timeoutMs === undefined) return { signal, stop: () => undefined };
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(timedOut(sql, timeoutMs)), timeoutMs);
  return {
    signal: signal === undefined ? clock.signal : AbortSignal.any([signal, clock.signal]),
    stop: () => clearTimeout(timer),
  };
}

function timedOut(sql: string, timeoutMs: number): CarrelError {
  return new CarrelError('sql', `stopped after ${timeoutMs} ms`, {
    item: sql.slice(0, 200),
    next: 'ask for less, or allow more time',
  });
}
