/** SQL of users: one reading statement, its result in pieces. */
import { CarrelError, isCarrelError } from '../errors.ts';
import { stopIfAborted } from './abort.ts';
import { type Engine, readChunks } from './engine.ts';
import { engineError, guardStatement } from './guard.ts';

/** Options of `query`. */
export interface QueryOptions {
  signal?: AbortSignal | undefined;
  /** Stop after that many rows; `truncated()` tells. */
  maxRows?: number | undefined;
  /** Stop after that many milliseconds, with code `sql`. */
  timeoutMs?: number | undefined;
  /** `500MB`, `4GB`: an engine of its own with that limit. */
  memoryLimit?: string | undefined;
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
  const clock = new AbortController();
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => clock.abort(timedOut(sql, timeoutMs)), timeoutMs);
  const signal =
    options.signal === undefined ? clock.signal : AbortSignal.any([options.signal, clock.signal]);
  let finished = false;
  const { session, release } = await engine.open(signal).catch((error: unknown) => {
    clearTimeout(timer);
    dispose?.();
    throw error;
  });
  const finish = () => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    release();
    dispose?.();
  };
  const failure = async (error: unknown) => {
    if (signal.aborted)
      return isCarrelError(signal.reason)
        ? signal.reason
        : new CarrelError('interrupted', 'interrupted', { cause: signal.reason });
    return isCarrelError(error) ? error : engineError(session, sql, error);
  };
  try {
    await guardStatement(session, sql, 'reading');
    const result = await session.stream(sql);
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

function timedOut(sql: string, timeoutMs: number): CarrelError {
  return new CarrelError('sql', `stopped after ${timeoutMs} ms`, {
    item: sql.slice(0, 200),
    next: 'ask for less, or allow more time',
  });
}
