/** The `--sql` part of a selection: a SELECT whose result names series. */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Session } from './engine.ts';
import { engineError } from './engine-error.ts';
import { guardStatement } from './guard.ts';
import type { OpenTables } from './open-tables.ts';

/** Names that a result may have for what identifies a series, the better one first. */
const NAMING = ['crdc_series_uuid', 'SeriesInstanceUID'] as const;

/** The identifiers of a result in a temporary table of the session. */
export interface NamedSeries {
  table: string;
  column: (typeof NAMING)[number];
  /** Distinct identifiers. */
  count: number;
}

/**
 * Runs the statement once and keeps its identifiers, so that counting and fetching see the same ones (`random()`,
 * `LIMIT` without order). Throws `sql`.
 */
export async function materialiseSql(
  session: Session,
  sql: string,
  tables?: OpenTables,
): Promise<NamedSeries> {
  await guardStatement(session, sql, 'select', tables);
  const table = 'temp.carrel_named';
  try {
    // The guard saw exactly one SELECT; only text before it is added, so nothing of it can escape.
    await session.connection.run(`CREATE OR REPLACE TEMP TABLE carrel_answer AS ${sql}`);
    const names = (await session.rows('DESCRIBE temp.carrel_answer')).map((row) =>
      String(row['column_name']),
    );
    const column = NAMING.find((wanted) => names.some((name) => name.toLowerCase() === wanted.toLowerCase()));
    if (column === undefined) {
      throw new CarrelError('sql', `the answer names no series: its columns are ${names.join(', ')}`, {
        item: sql.slice(0, 200),
        next: 'select crdc_series_uuid (a version) or SeriesInstanceUID (a series)',
      });
    }
    await session.connection.run(
      `CREATE OR REPLACE TEMP TABLE carrel_named AS SELECT DISTINCT "${column}"::VARCHAR AS id FROM temp.carrel_answer WHERE "${column}" IS NOT NULL`,
    );
    await session.connection.run('DROP TABLE temp.carrel_answer');
    const [row] = await session.rows(`SELECT count(*) AS n FROM ${table}`);
    return { table, column, count: Number(row?.['n'] ?? 0) };
  } catch (error) {
    throw isCarrelError(error) ? error : await engineError(session, sql, error, tables);
  }
}
