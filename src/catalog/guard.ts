/**
 * What users may ask in SQL: exactly one statement that reads. The engine's lock forbids files and the network; this
 * forbids the rest (COPY to an allowed path, CREATE, SET, PRAGMA, two statements in one text).
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import { messageOf, type Session } from './engine.ts';

/** Words that a reading statement can start with. PRAGMA is missing on purpose: the engine counts it as SELECT. */
const READING = new Set([
  'SELECT',
  'WITH',
  'FROM',
  'VALUES',
  'TABLE',
  'EXPLAIN',
  'DESCRIBE',
  'DESC',
  'SHOW',
  'SUMMARIZE',
  'PIVOT',
  'UNPIVOT',
]);

const ONLY_SELECT = 'write one SELECT statement; the tables can be read, nothing else';

/** Refuses with code `sql` what is not one reading statement; the engine's own message is passed on with the place marked. */
export async function guardStatement(
  session: Session,
  sql: string,
  allow: 'select' | 'reading',
): Promise<void> {
  const word = firstWord(sql);
  if (word === undefined) throw refused('there is no statement', sql);
  if (!READING.has(word)) throw refused(`${word} is not allowed`, sql);
  // What is explained must be a SELECT itself; EXPLAIN ANALYZE, which runs anything, is refused by that.
  const explained = word === 'EXPLAIN' ? trimStart(sql).slice(word.length) : undefined;
  if (allow === 'select' && ['EXPLAIN', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE'].includes(word)) {
    throw refused(`${word} gives no series`, sql);
  }
  if (explained !== undefined) await guardStatement(session, explained, 'select');
  try {
    const statements = await session.connection.extractStatements(sql);
    if (statements.count !== 1) throw refused(`there are ${statements.count} statements`, sql);
    const prepared = await statements.prepare(0);
    const types = session.duckdb.StatementType;
    const expected = explained === undefined ? types.SELECT : types.EXPLAIN;
    const { statementType, parameterCount } = prepared;
    prepared.destroySync();
    if (statementType !== expected)
      throw refused(`${types[statementType] ?? 'this statement'} is not allowed`, sql);
    if (parameterCount > 0) throw refused('parameters ($1, ?) are not filled in here', sql);
  } catch (error) {
    throw isCarrelError(error) ? error : await engineError(session, sql, error);
  }
}

/**
 * Refuses a condition that is not one expression by itself, for it is put between parentheses: `a) OR (b` would
 * change what the other conditions mean. The engine's own parser decides.
 */
export async function guardCondition(session: Session, condition: string): Promise<void> {
  const wrapped = `SELECT carrel_condition(${condition}\n, 0)`;
  const [row] = await session.rows('SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR AS tree', {
    sql: wrapped,
  });
  const tree = JSON.parse(String(row?.['tree'])) as ParseTree;
  if (tree.error === true)
    throw new CarrelError(
      'sql',
      `${tree.error_message ?? 'syntax error'}\n\nin the condition: ${condition}`,
      { item: condition, next: CONDITION },
    );
  const [statement, ...others] = tree.statements ?? [];
  const node = statement?.node;
  const [call] = node?.select_list ?? [];
  const whole =
    others.length === 0 &&
    node?.type === 'SELECT_NODE' &&
    node.select_list?.length === 1 &&
    node.from_table?.type === 'EMPTY' &&
    node.where_clause === null &&
    node.modifiers?.length === 0 &&
    call?.class === 'FUNCTION' &&
    call.function_name === 'carrel_condition' &&
    call.children?.length === 2 &&
    call.distinct !== true &&
    call.order_bys?.orders?.length === 0 &&
    !call.filter;
  if (!whole)
    throw new CarrelError('sql', `not one condition: ${condition}`, { item: condition, next: CONDITION });
  if (JSON.stringify(call.children?.[0]).includes('"class":"PARAMETER"')) {
    throw new CarrelError('sql', `parameters ($1, ?) are not filled in here: ${condition}`, {
      item: condition,
      next: CONDITION,
    });
  }
  await guardStatement(session, `SELECT 1 FROM "index" WHERE (${condition}\n)`, 'select');
}

const CONDITION =
  'write one condition on the columns of index, such as "Modality = \'CT\' AND instanceCount > 100"';

/** The part of the engine's parse tree that is looked at. */
interface ParseTree {
  error?: boolean;
  error_message?: string;
  statements?: {
    node?: {
      type?: string;
      modifiers?: unknown[];
      select_list?: {
        class?: string;
        function_name?: string;
        distinct?: boolean;
        filter?: unknown;
        order_bys?: { orders?: unknown[] };
        children?: unknown[];
      }[];
      from_table?: { type?: string };
      where_clause?: unknown;
    };
  }[];
}

function refused(reason: string, sql: string): CarrelError {
  return new CarrelError('sql', `${reason}: ${shorten(sql)}`, { item: shorten(sql), next: ONLY_SELECT });
}

function shorten(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** The text without leading blanks, comments and parentheses. */
function trimStart(sql: string): string {
  return sql.replace(/^(?:[\s(;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}

function firstWord(sql: string): string | undefined {
  return /^[A-Za-z]+/.exec(trimStart(sql))?.[0].toUpperCase();
}

/** Tables and columns of earlier releases under their present names are found by leaving out case and underscores. */
const squash = (name: string) => name.toLowerCase().replaceAll('_', '');

/** An error of the engine as ours: its own message, and where it names something unknown, the nearest thing there is. */
export async function engineError(session: Session, sql: string, error: unknown): Promise<CarrelError> {
  const message = messageOf(error).replace(/^Failed to (?:extract|prepare)[^:]*: /, '');
  const column = /Referenced column "([^"]+)" not found/.exec(message)?.[1];
  const table = /Table with name (\S+) does not exist/.exec(message)?.[1];
  let next = 'carrel catalog schema TABLE shows the columns of a table';
  if (table !== undefined)
    next =
      'carrel catalog tables shows the tables, installed or not; carrel catalog update --table NAME fetches one';
  if (column !== undefined) {
    const rows = await session
      .rows(
        "SELECT DISTINCT table_name, column_name FROM duckdb_columns() WHERE schema_name IN ('main', 'clinical')",
      )
      .catch(() => []);
    const matches = rows.filter((row) => squash(String(row['column_name'])) === squash(column));
    if (matches.length > 0) {
      next = `it is called ${[...new Set(matches.map((row) => `${row['column_name']} (table ${row['table_name']})`))].slice(0, 4).join(', ')}`;
    }
  }
  if (/Out of Memory/i.test(message)) next = 'ask for fewer columns or rows, or raise the memory limit';
  if (
    /file system operations are disabled|disabled through configuration|disabled by configuration/i.test(
      message,
    )
  )
    next = ONLY_SELECT;
  return new CarrelError('sql', message, { item: shorten(sql), next, cause: error });
}
