/** What a question would send and read, without reading it: dry runs. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { Selection } from '../rows.ts';
import type { BigQueryJobs } from './client.ts';
import { columnsIn, compileSelection, statementOf } from './compile-selection.ts';
import { type DataSet, rowsOf } from './data-set.ts';
import { checkEnclosed } from './google-sql.ts';
import { valuesStatement } from './match-values.ts';
import { compileQuestion, type Question } from './questions.ts';
import { withTables } from './user-statement.ts';

/** A statement that would be sent. */
export interface StatementPlan {
  /** What it is for: `which of the values there are`. */
  purpose: string;
  sql: string;
  /** Bytes that it would read; null where BigQuery could not be asked. */
  bytes: number | null;
  /** Why the bytes are not known. */
  unknown?: CarrelError;
}

/** The statements of a question in the order in which they would be sent. */
export function statementsOf(
  set: DataSet,
  question: Question | { kind: 'sql'; sql: string },
): { purpose: string; sql: string }[] {
  if (question.kind === 'sql') return [{ purpose: 'the answer', sql: withTables(set, question.sql).sql }];
  const { selection } = question;
  const answer = compileQuestion(set, question).sql;
  const values = valuesStatement(set, selection);
  return [
    ...(values === undefined ? [] : [{ purpose: 'which of the values there are', sql: values }]),
    ...(selection.words === undefined
      ? [{ purpose: 'the answer', sql: answer }]
      : [
          { purpose: 'collections in words', sql: rowsOf(set, 'collections_index') },
          { purpose: 'analysis results in words', sql: rowsOf(set, 'analysis_results_index') },
          {
            purpose: 'the answer, still without the data sets that the words name: those two statements tell',
            sql: answer,
          },
        ]),
  ];
}

/** The statements with the bytes that each would read. Credentials that are missing are no error here. */
export async function planStatements(
  jobs: BigQueryJobs,
  set: DataSet,
  question: Question | { kind: 'sql'; sql: string },
  signal?: AbortSignal,
): Promise<StatementPlan[]> {
  const plans: StatementPlan[] = [];
  for (const { purpose, sql } of statementsOf(set, question)) {
    const before = plans.find(({ unknown }) => unknown !== undefined)?.unknown;
    if (before !== undefined) {
      plans.push({ purpose, sql, bytes: null, unknown: before });
      continue;
    }
    try {
      const { bytes, statementType } = await jobs.plan(sql, { signal });
      if (statementType !== 'SELECT') {
        throw new CarrelError('sql', `${statementType} is not allowed`, {
          item: sql.slice(0, 200),
          next: 'one SELECT in GoogleSQL',
        });
      }
      plans.push({ purpose, sql, bytes });
    } catch (error) {
      if (!isCarrelError(error, 'permission', 'usage', 'unsupported', 'network')) throw error;
      plans.push({ purpose, sql, bytes: null, unknown: error });
    }
  }
  return plans;
}

/**
 * Looks at the user's own SQL of a selection by dry runs: it must be one SELECT, and one condition, by itself. Throws
 * `sql` with the server's message.
 */
export async function checkSelect(
  jobs: BigQueryJobs,
  set: DataSet,
  selection: Selection,
  signal?: AbortSignal,
): Promise<void> {
  if (selection.sql !== undefined) {
    const { statementType } = await jobs.plan(withTables(set, selection.sql).sql, { signal });
    if (statementType !== 'SELECT')
      throw new CarrelError('sql', `${statementType} is not allowed: ${selection.sql.slice(0, 200)}`, {
        item: selection.sql.slice(0, 200),
        next: 'a SELECT that names series by crdc_series_uuid or SeriesInstanceUID',
      });
  }
  for (const condition of selection.where ?? []) {
    const tokens = checkEnclosed(condition, 'condition');
    const compiled = compileSelection({ where: [condition] });
    for (const column of columnsIn(tokens)) compiled.needed.add(column);
    await jobs
      .plan(statementOf(set, compiled, `SELECT 1 FROM ${compiled.from} LIMIT 0`), { signal })
      .catch((error: unknown) => {
        if (!isCarrelError(error, 'sql')) throw error;
        throw new CarrelError('sql', `${error.message}: ${condition}`, {
          item: condition,
          next: 'conditions are GoogleSQL here: texts in quotation marks, names in backticks',
          cause: error,
        });
      });
  }
}
