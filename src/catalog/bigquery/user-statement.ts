/** A statement of the user in GoogleSQL: sent as written, with the tables that it names put before it. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import { columnsIn, tablesIn } from './compile-selection.ts';
import { type DataSet, otherTable, seriesTable } from './data-set.ts';
import { tokensOf } from './google-sql.ts';

/** A statement with what was put before it. */
export interface UserStatement {
  sql: string;
  /** Lines before the user's own, for the places that messages name. */
  linesBefore: number;
}

/**
 * Puts the tables of Carrel that a text names before it. Its own lines and columns stay what they are, below those.
 * Throws `sql` for a text that holds two statements, or none.
 */
export function withTables(set: DataSet, text: string): UserStatement {
  const tokens = tokensOf(text);
  while (tokens.at(-1)?.text === ';') tokens.pop();
  const next = 'one SELECT in GoogleSQL';
  if (tokens.length === 0)
    throw new CarrelError('sql', 'there is no statement', { item: text.slice(0, 80), next });
  if (tokens.some(({ kind, text: mark }) => kind === 'mark' && mark === ';'))
    throw new CarrelError('sql', 'there is more than one statement', { item: text.slice(0, 200), next });
  const needed = new Set(columnsIn(tokens));
  const tables = tablesIn(tokens).map((name) =>
    name === 'index' ? seriesTable(set, needed) : otherTable(set, name as 'collections_index'),
  );
  if (tables.length === 0) return { sql: text, linesBefore: 0 };
  const [first, second] = tokens;
  const isWith = first?.kind === 'word' && first.text.toLowerCase() === 'with';
  const recursive = isWith && second?.text.toLowerCase() === 'recursive';
  const before = `WITH${recursive ? ' RECURSIVE' : ''} ${tables.join(',\n')}${isWith ? ',' : ''}\n`;
  let rest = text;
  const taken = recursive ? [first, second] : isWith ? [first] : [];
  for (const token of taken) {
    if (token === undefined) continue;
    const { at, text: word } = token;
    rest = `${rest.slice(0, at)}${' '.repeat(word.length)}${rest.slice(at + word.length)}`;
  }
  return { sql: `${before}${rest}`, linesBefore: before.split('\n').length - 1 };
}

/** An error whose places (`[12:8]`) are those of the user's own text. */
export function inOwnLines(error: unknown, { linesBefore }: UserStatement): unknown {
  if (!isCarrelError(error) || linesBefore === 0) return error;
  const message = error.message.replaceAll(/\[(\d+):(\d+)\]/g, (place, line: string, column: string) =>
    Number(line) > linesBefore ? `[${Number(line) - linesBefore}:${column}]` : place,
  );
  const { code, item, next, cause, retryable, status } = error;
  return new CarrelError(code, message, { item, next, cause, retryable, status });
}
