/** Errors of the engine as ours: its own message with the place marked, and what to do next. */
import { CarrelError } from '../errors.ts';
import { CLINICAL, clinicalTables } from './clinical.ts';
import { messageOf, type Session } from './engine.ts';
import { missingTableError } from './missing-table.ts';
import { nearest } from './nearest.ts';
import type { OpenTables } from './open-tables.ts';
import { ownTableError } from './own-tables/own-views.ts';
import type { Selection } from './rows.ts';

/** What is said where something else than reading was asked for. */
export const ONLY_SELECT = 'write one SELECT statement; the tables can be read, nothing else';

/** A statement short enough for a message. */
export function shortSql(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** Characters of a line that are shown around a mark. */
const WINDOW = 60;

/** The line of a text with a place in it marked, as the engine does it; the whole text where the place is unknown. */
export function markedAt(text: string, position: number): string {
  if (!(position >= 0)) return `in: ${text}`;
  const at = Math.min(position, text.length);
  const before = text.slice(0, at).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = text.split('\n')[before.length - 1] ?? '';
  const from = Math.max(0, column - WINDOW);
  const shown = `${from > 0 ? '...' : ''}${line.slice(from, column + WINDOW)}${line.length > column + WINDOW ? '...' : ''}`;
  const head = `LINE ${before.length}: `;
  return `${head}${shown}\n${' '.repeat(head.length + (from > 0 ? 3 : 0) + column - from)}^`;
}

/** The engine's mark moved up by lines that we put before the user's text. */
export function shiftLines(message: string, lines: number): string {
  return message.replace(/^LINE (\d+): (.*)\n( *)\^/m, (_, number: string, line: string, blanks: string) => {
    const head = `LINE ${Number(number) - lines}: `;
    const shift = `LINE ${number}: `.length - head.length;
    return `${head}${line}\n${blanks.slice(shift)}^`;
  });
}

/** Tables and columns of earlier releases under their present names are found by leaving out case and underscores. */
const squash = (name: string) => name.toLowerCase().replaceAll('_', '');

/**
 * An error of the engine as ours: its own message, and where it names something unknown, the nearest thing there is.
 * A table that the archive has and that is not installed is `not-found`, with the command that installs it.
 */
export async function engineError(
  session: Session,
  sql: string,
  error: unknown,
  tables?: OpenTables,
): Promise<CarrelError> {
  const message = messageOf(error).replace(/^Failed to (?:extract|prepare)[^:]*: /, '');
  const item = shortSql(sql);
  const column = /Referenced column "([^"]+)" not found/.exec(message)?.[1];
  const table = /Table with name "?([^\s"]+)"? does not exist/.exec(message)?.[1];
  let next = 'carrel catalog schema TABLE shows the columns of a table';
  if (table !== undefined) {
    const own = await ownTableError(session, tables?.chosen.own ?? [], table);
    if (own !== undefined) return own;
    const missing = tables === undefined ? undefined : await notInstalled(session, tables, table, sql);
    if (tables !== undefined && missing !== undefined) {
      const place = message.slice(Math.max(0, message.indexOf('\n\nLINE')));
      return missingTableError(tables.archive, missing, place.startsWith('\n\nLINE') ? place : '', error);
    }
    const mine = (tables?.chosen.own ?? []).map(({ name }) => name);
    const near = tables === undefined ? [] : nearest(table, [...mine, ...tableNames(tables)]);
    next = `${near.length === 0 ? '' : `did you mean ${near.join(', ')}? `}carrel catalog tables shows the tables, installed or not; carrel catalog update --table NAME fetches one`;
  }
  if (column !== undefined) {
    const rows = await session
      .rows(
        "SELECT DISTINCT table_name, column_name FROM duckdb_columns() WHERE schema_name IN ('main', 'clinical')",
      )
      .catch(() => []);
    const matches = rows.filter((row) => squash(String(row['column_name'])) === squash(column));
    const candidates = /^Candidate bindings: (.*)$/m.exec(message)?.[1] ?? '';
    const near = nearest(
      column,
      [...candidates.matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? ''),
    );
    if (near.length > 0)
      next = `did you mean ${near.slice(0, 3).join(', ')}? carrel catalog schema TABLE shows the columns of a table`;
    if (matches.length > 0) {
      next = `it is called ${[...new Set(matches.map((row) => `${row['column_name']} (table ${row['table_name']})`))].slice(0, 4).join(', ')}`;
    }
  }
  // The engine goes on about settings that cannot be changed here.
  if (/Out of Memory/i.test(message))
    return new CarrelError('sql', `${message.split('\n')[0]}`, {
      item,
      next: 'ask for fewer columns or rows, or raise the memory limit; nothing is ever put on disk',
      cause: error,
    });
  if (
    /file system operations are disabled|disabled through configuration|disabled by configuration/i.test(
      message,
    )
  )
    next = ONLY_SELECT;
  if (/exists in the \w+ extension/.test(message))
    next = 'extensions are not loaded here: statements use what the engine has built in';
  return new CarrelError('sql', message, { item, next, cause: error });
}

function tableNames({ archive, content }: OpenTables): string[] {
  return [
    ...new Set([
      ...content.tables.map(({ name }) => name),
      ...archive.catalog.tables.map(({ name }) => name),
      ...Object.keys(content.schemas),
    ]),
  ];
}

/** The name of a table that the archive has and that is not installed. */
async function notInstalled(
  session: Session,
  tables: OpenTables,
  name: string,
  sql: string,
): Promise<string | undefined> {
  const wanted = name.toLowerCase();
  const clinical = (await clinicalTables(session, tables)).map((table) => `${CLINICAL}${table.name}`);
  const known = [...tableNames(tables), ...clinical].find((table) =>
    [wanted, `${CLINICAL}${wanted}`].includes(table.toLowerCase()),
  );
  if (known !== undefined)
    return tables.content.tables.some((table) => table.name === known) ? undefined : known;
  // Without the dictionary nobody knows which clinical tables there are; a name below `clinical` may be one.
  const asked = /\bclinical\s*\.\s*"?(\w+)/gi;
  const hasDictionary = tables.content.tables.some((table) => table.name === 'clinical_index');
  const named = [...sql.matchAll(asked)].some(([, table]) => table?.toLowerCase() === wanted);
  return named && !hasDictionary && tables.archive.catalog.clinical !== undefined
    ? `${CLINICAL}${wanted}`
    : undefined;
}

/**
 * An error that came while a selection was read (a value that cannot be converted, too little memory): the engine's
 * message without the line of our own statement, with the conditions that it can only come from. Other errors stay.
 */
export function selectionError(selection: Selection, error: unknown): unknown {
  const message = messageOf(error);
  const said = [...(selection.where ?? []), ...(selection.sql === undefined ? [] : [selection.sql])];
  if (error instanceof CarrelError || !/^[A-Z][A-Za-z -]+ Error: /.test(message)) return error;
  const [text = message] = message.split('\n\nLINE ');
  const next = /Out of Memory/i.test(message)
    ? 'ask for less at a time'
    : 'TRY_CAST(column AS type) gives NULL where CAST fails';
  return new CarrelError('sql', said.length === 0 ? text : `${text}\n\nin: ${said.join('\nand: ')}`, {
    item: said.map(shortSql).join(' AND '),
    next,
    cause: error,
  });
}
