/**
 * What users may ask in SQL: exactly one statement that reads. The engine's lock forbids files and the network; this
 * forbids the rest (COPY to an allowed path, CREATE, SET, PRAGMA, two statements in one text).
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Session } from './engine.ts';
import { engineError, markedAt, ONLY_SELECT, shiftLines, shortSql } from './engine-error.ts';
import type { OpenTables } from './open-tables.ts';

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

/** Refuses with code `sql` what is not one reading statement; the engine's own message is passed on with the place marked. */
export async function guardStatement(
  session: Session,
  sql: string,
  allow: 'select' | 'reading',
  tables?: OpenTables,
  /** Number of parameters that are going to be bound. */
  filled = 0,
): Promise<void> {
  const word = firstWord(sql);
  if (word === undefined) throw refused('there is no statement', sql);
  if (!READING.has(word)) throw refused(`${word} is not allowed`, sql);
  // What is explained must be a SELECT itself; EXPLAIN ANALYZE, which runs anything, is refused by that.
  const explained = word === 'EXPLAIN' ? trimStart(sql).slice(word.length).trimStart() : undefined;
  if (allow === 'select' && ['EXPLAIN', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE'].includes(word)) {
    throw refused(`${word} is no SELECT`, sql);
  }
  if (explained !== undefined) await guardStatement(session, explained, 'select', tables, filled);
  try {
    const statements = await session.connection.extractStatements(sql);
    if (statements.count !== 1) {
      const several =
        word === 'PIVOT' || word === 'UNPIVOT'
          ? `${word} without IN (…) is several statements; name the values: PIVOT t ON Modality IN ('CT', 'MR') USING count(*)`
          : `there are ${statements.count} statements`;
      throw refused(several, sql);
    }
    if (explained === undefined) await refuseActing(session, sql);
    const prepared = await statements.prepare(0);
    const types = session.duckdb.StatementType;
    const expected = explained === undefined ? types.SELECT : types.EXPLAIN;
    const { statementType, parameterCount } = prepared;
    prepared.destroySync();
    if (statementType !== expected)
      throw refused(`${types[statementType] ?? 'this statement'} is not allowed`, sql);
    if (parameterCount > filled) throw refused('parameters ($1, ?) are not filled in here', sql);
  } catch (error) {
    throw isCarrelError(error) ? error : await engineError(session, sql, error, tables);
  }
}

/**
 * Table functions of the engine that only read; files are the engine's own matter, which knows the allowed ones. The rest
 * acts (`enable_logging`, `enable_profiling`, `checkpoint` change the engine, some with a file to write to) or hides a
 * statement in a text (`query`, `json_execute_serialized_sql`). A new one of a later engine is refused until it is looked at.
 */
const READING_FUNCTIONS =
  /^(range|generate_series|unnest|repeat|repeat_row|summary|query_table|json_each|json_tree|glob|sniff_csv|icu_calendar_names|pg_timezone_names|test_all_types|test_vector_types|which_secret|read_\w+|parquet_\w+|duckdb_\w+|pragma_\w+)$/i;

/** Refuses table functions that do more than read, wherever they stand in the statement. */
async function refuseActing(session: Session, sql: string): Promise<void> {
  const [row] = await session.rows('SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR AS tree', { sql });
  const names = new Set<string>();
  JSON.parse(String(row?.['tree']), (_, node: unknown) => {
    const one = node as { type?: unknown; function?: { function_name?: unknown } } | null;
    if (one?.type === 'TABLE_FUNCTION') names.add(String(one.function?.function_name));
    return node;
  });
  const doubtful = [...names].filter((name) => !READING_FUNCTIONS.test(name));
  if (doubtful.length === 0) return;
  // What the engine does not know is its own error, with its own suggestion.
  const known = await session.rows(
    "SELECT function_name AS name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro') AND list_contains($names, lower(function_name)) LIMIT 1",
    { names: doubtful.map((name) => name.toLowerCase()) },
  );
  const name = known[0]?.['name'];
  if (name !== undefined) throw refused(`${String(name)}() is not allowed, for it does more than read`, sql);
}

/**
 * Refuses a condition that is not one expression by itself, for it is put between parentheses: `a) OR (b` would
 * change what the other conditions mean. The engine's own parser decides.
 */
export async function guardCondition(
  session: Session,
  condition: string,
  tables?: OpenTables,
): Promise<void> {
  if (condition.trim() === '')
    throw new CarrelError('sql', 'the condition is empty', { item: condition, next: CONDITION });
  // The condition has lines of its own, so that the engine's marks can be moved to the user's own text.
  const before = 'SELECT carrel_condition(\n';
  const wrapped = `${before}${condition}\n, 0)`;
  const [row] = await session.rows('SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR AS tree', {
    sql: wrapped,
  });
  const tree = JSON.parse(String(row?.['tree'])) as ParseTree;
  if (tree.error === true) {
    const at = tree.position === undefined ? Number.NaN : Number(tree.position) - before.length;
    // What the parser stumbles over behind the condition is ours, not the user's.
    const message = at > condition.length ? 'the condition ends too early' : tree.error_message;
    throw new CarrelError('sql', `${message ?? 'syntax error'}\n\n${markedAt(condition, at)}`, {
      item: condition,
      next: CONDITION,
    });
  }
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
  try {
    await guardStatement(session, `SELECT 1 FROM "index" WHERE (\n${condition}\n)`, 'select', tables);
  } catch (error) {
    if (!isCarrelError(error)) throw error;
    const { code, message, next, cause } = error;
    throw new CarrelError(code, shiftLines(message, 1), { item: condition, next, cause });
  }
}

const CONDITION =
  'write one condition on the columns of index, such as "Modality = \'CT\' AND instanceCount > 100"';

/** The part of the engine's parse tree that is looked at. */
interface ParseTree {
  error?: boolean;
  error_message?: string;
  /** Where, counted from 0, as text. */
  position?: string;
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
  return new CarrelError('sql', `${reason}: ${shortSql(sql)}`, { item: shortSql(sql), next: ONLY_SELECT });
}

/** The text without leading blanks, comments and parentheses. */
function trimStart(sql: string): string {
  return sql.replace(/^(?:[\s(;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}

function firstWord(sql: string): string | undefined {
  return /^[A-Za-z]+/.exec(trimStart(sql))?.[0].toUpperCase();
}
