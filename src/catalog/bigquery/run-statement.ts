/** A statement of the user: checked by a dry run, then run. */
import { CarrelError } from '../../errors.ts';
import { type QueryOptions, type QueryResult, withTimeout } from '../query.ts';
import { answerPieces } from './answers.ts';
import type { BigQueryJobs, JobAnswer } from './client.ts';
import type { DataSet } from './data-set.ts';
import { rowReader, typeOf } from './rows.ts';
import { inOwnLines, withTables } from './user-statement.ts';

/** What runs it. */
export interface StatementRunner {
  set: DataSet;
  jobs: BigQueryJobs;
  run: (sql: string, signal?: AbortSignal) => Promise<JobAnswer>;
}

/** Runs one SELECT. Throws `sql` for anything else, with the server's message, placed in the user's own lines. */
export async function runStatement(
  { set, jobs, run }: StatementRunner,
  sql: string,
  options: QueryOptions = {},
): Promise<QueryResult> {
  if (options.memoryLimit !== undefined || options.explain === true)
    throw new CarrelError('usage', 'BigQuery takes no memory limit and tells no plan beforehand', {
      next: 'leave out --memory and --explain; --dry-run tells what would be read',
    });
  const statement = withTables(set, sql);
  const { signal, stop } = withTimeout(sql, options.timeoutMs, options.signal);
  const failure = (error: unknown) => {
    stop();
    return inOwnLines(error, statement);
  };
  try {
    const { statementType } = await jobs.plan(statement.sql, { signal });
    if (statementType !== 'SELECT') throw notReading(statementType, sql);
    const { fields, pages, cancel } = await run(statement.sql, signal);
    const read = rowReader(fields);
    let left = options.maxRows ?? Number.POSITIVE_INFINITY;
    let truncated = false;
    const rows = async function* (): AsyncGenerator<unknown[][]> {
      try {
        for await (const piece of answerPieces(pages, read)) {
          if (piece.length > left) truncated = true;
          if (left > 0) yield piece.length > left ? piece.slice(0, left) : piece;
          left -= piece.length;
          if (left < 0) return;
        }
      } catch (error) {
        throw failure(error);
      } finally {
        stop();
      }
    };
    return {
      columns: fields.map((field) => ({ name: field.name, type: typeOf(field) })),
      rows: rows(),
      truncated: () => truncated,
      cancel: () => {
        stop();
        cancel();
      },
    };
  } catch (error) {
    throw failure(error);
  }
}

function notReading(statementType: string, sql: string): CarrelError {
  return new CarrelError('sql', `${statementType} is not allowed: ${sql.slice(0, 200)}`, {
    item: sql.slice(0, 200),
    next: 'one SELECT in GoogleSQL',
  });
}
