/**
 * Answers as Parquet files, with the engine's own types: lists stay lists, whole numbers of 64 bits keep every digit.
 * An engine of its own may write the one file and nothing else; what it writes is the checked statement.
 */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import { answerColumn, columnSql } from './columns.ts';
import { type Engine, literal, messageOf, type Parameters, quoted, type Session } from './engine.ts';
import { engineError, selectionError } from './engine-error.ts';
import { guardStatement } from './guard.ts';
import type { OpenTables } from './open-tables.ts';
import { type QueryOptions, withTimeout } from './query.ts';
import type { Selection, SelectionNote } from './rows.ts';
import { compileSelection, ROW_ORDER } from './selection.ts';
import { compileGrouping, type Grouping } from './summary.ts';

/** What can be written: the answer to a SELECT, the series of a selection, or its counts by columns. */
export type ParquetQuestion =
  | { sql: string }
  | {
      selection: Selection;
      /** Published columns, `bytes`, and `split` where asked for; default all published ones. */
      columns?: readonly string[] | undefined;
    }
  | { selection: Selection; grouping: Grouping };

/** Answer of `exportParquet`. */
export interface ParquetResult {
  /** Absolute path of the file. */
  path: string;
  rows: number;
  notes: SelectionNote[];
}

/** Makes an engine that may also write the files named. */
export type OpenWriter = (
  files: string[],
  memoryLimit: string | undefined,
  threads?: number,
) => Promise<Engine>;

/**
 * Rows of a group. In order and with several threads the writer holds whole groups back: 1,000,000 series took 1.9 GB.
 * One thread with small groups takes a tenth of that, and no longer, for there is nothing to be worked out.
 */
const GROUP_ROWS = 20_480;

/** Writes the file, which appears under its name when it is whole. Throws `sql`, `usage`, `permission`. */
export async function exportParquet(
  tables: OpenTables,
  openWriter: OpenWriter,
  question: ParquetQuestion,
  path: string,
  options: QueryOptions = {},
): Promise<ParquetResult> {
  const target = resolve(path);
  const part = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.part`);
  const statement = 'sql' in question ? question.sql : '';
  const { signal, stop } = withTimeout(statement, options.timeoutMs, options.signal);
  const threads = (await worksOutNothing(tables, question, signal)) ? 1 : undefined;
  const engine = await openWriter([part], options.memoryLimit, threads);
  try {
    const written = await engine.session(
      (session) => copy(session, tables, question, part, options.maxRows),
      signal,
    );
    await rename(part, target).catch((cause: unknown) => {
      throw cannotWrite(target, cause);
    });
    return { path: target, ...written };
  } catch (error) {
    throw isCarrelError(error) || !/IO Error/.test(messageOf(error)) ? error : cannotWrite(target, error);
  } finally {
    stop();
    engine.close();
    await rm(part, { force: true });
  }
}

/** Operators that hand on rows as they come; with any other one (a join, a group, an order) threads are worth their memory. */
const HANDING_ON = new Set(
  'DUMMY_SCAN EMPTY_RESULT FILTER PARQUET_SCAN PROJECTION READ_PARQUET STREAMING_LIMIT UNNEST'.split(' '),
);

/** True where rows are only written: the series of a selection, or a statement whose plan says so. */
async function worksOutNothing(
  tables: OpenTables,
  question: ParquetQuestion,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!('sql' in question)) return !('grouping' in question);
  const { sql } = question;
  return await tables.engine.session(async (session) => {
    await guardStatement(session, sql, 'select', tables);
    try {
      const [plan] = await session.rows(`EXPLAIN (FORMAT json) ${sql}`);
      const operators = String(plan?.['explain_value']).matchAll(/"name": "([^"]*)"/g);
      return [...operators].every(([, name = '']) => HANDING_ON.has(name.trim()));
    } catch (error) {
      throw await engineError(session, sql, error, tables);
    }
  }, signal);
}

async function copy(
  session: Session,
  tables: OpenTables,
  question: ParquetQuestion,
  part: string,
  maxRows: number | undefined,
): Promise<{ rows: number; notes: SelectionNote[] }> {
  const failed = (error: unknown) =>
    'sql' in question
      ? engineError(session, question.sql, error, tables)
      : selectionError(question.selection, error);
  const { select, parameters, notes } = await compile(session, tables, question);
  const limited =
    maxRows === undefined ? select : `SELECT * FROM (${select}) LIMIT ${Math.max(0, Math.trunc(maxRows))}`;
  try {
    const [row] = await session.rows(
      `COPY (${limited}) TO ${literal(part)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP_ROWS}, USE_TMP_FILE false)`,
      parameters,
    );
    return { rows: Number(row?.['Count'] ?? 0), notes };
  } catch (error) {
    if (messageOf(error).startsWith('IO Error') || isCarrelError(error)) throw error;
    throw await failed(error);
  }
}

async function compile(
  session: Session,
  tables: OpenTables,
  question: ParquetQuestion,
): Promise<{ select: string; parameters: Parameters; notes: SelectionNote[] }> {
  if ('sql' in question) {
    await guardStatement(session, question.sql, 'select', tables);
    try {
      // The guard saw exactly one SELECT; only text before it is added, so nothing of it can escape.
      await session.connection.run(`CREATE TEMP VIEW carrel_export AS ${question.sql}`);
    } catch (error) {
      throw await engineError(session, question.sql, error, tables);
    }
    return { select: await keepDigits(session), parameters: {}, notes: [] };
  }
  if ('grouping' in question) {
    const grouped = await compileGrouping(session, tables, question.selection, question.grouping);
    const sums = grouped.wanted.map(({ name }, at) => `sum_${at} AS ${quoted(`sum_${name}`)}`);
    const plain = [...grouped.names, 'patients', 'studies', 'series', 'instances', 'bytes'].map(quoted);
    return { ...grouped, select: `SELECT ${[...plain, ...sums].join(', ')} FROM (${grouped.sql})` };
  }
  const compiled = await compileSelection(session, tables, question.selection);
  const added = compiled.added ?? [];
  const columns = question.columns ?? [...tables.relations.columns, ...added];
  const list = [...new Set(columns.map((column) => answerColumn(tables, column, added)))].map(
    (name) => `${columnSql(tables, name, added)} AS ${quoted(name)}`,
  );
  const order = compiled.ordered ? '' : ` ORDER BY ${compiled.order ?? ROW_ORDER}`;
  return {
    select: `SELECT ${list.join(', ')} FROM ${compiled.from}${order}`,
    parameters: compiled.parameters,
    notes: compiled.notes,
  };
}

/** Parquet has no whole numbers of 128 bits (a `sum` of BIGINT is one); the engine would round them to DOUBLE. */
async function keepDigits(session: Session): Promise<string> {
  const wide = (await session.rows('DESCRIBE FROM temp.carrel_export'))
    .filter((row) => ['HUGEINT', 'UHUGEINT'].includes(String(row['column_type'])))
    .map((row) => quoted(String(row['column_name'])));
  const casts = wide.map((name) => `${name}::DECIMAL(38, 0) AS ${name}`);
  return `SELECT *${casts.length === 0 ? '' : ` REPLACE (${casts.join(', ')})`} FROM temp.carrel_export`;
}

/** The engine names the temporary file, which nobody asked about; the reason stands behind it. */
function cannotWrite(target: string, cause: unknown): CarrelError {
  const message = messageOf(cause);
  const reason = /"(?:[^"]*\.part)": (.*)$/m.exec(message)?.[1] ?? message;
  const full = /No space left|Disk quota/i.test(message);
  return new CarrelError(full ? 'no-space' : 'permission', `cannot write ${target}: ${reason}`, {
    item: target,
    next: full
      ? 'make room, or name a file elsewhere'
      : 'name a file in a folder that exists and that you may write to',
    cause,
  });
}
