/** Columns that a question names: found in any case, or answered with the nearest ones. */
import { CarrelError } from '../errors.ts';
import { quoted } from './engine.ts';
import { nearest } from './nearest.ts';
import type { OpenTables } from './open-tables.ts';

/** Size in whole bytes: a column that every answer can have beside the published ones. */
export const BYTES_COLUMN = 'bytes';

/** What must be known of the tables. */
type Described = Pick<OpenTables, 'relations'>;

/**
 * The name of a column as answers write it: a published column of `index`, one of `added`, or `bytes`. Throws `usage`
 * with the nearest names.
 */
export function answerColumn(tables: Described, column: string, added: readonly string[] = []): string {
  const names = [...tables.relations.columns, ...added];
  if (!names.includes(BYTES_COLUMN)) names.push(BYTES_COLUMN);
  const wanted = column.toLowerCase();
  const found = names.find((name) => name === column) ?? names.find((name) => name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const near = nearest(column, names);
  throw new CarrelError('usage', `the table index has no column ${column}`, {
    item: column,
    next: `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}carrel catalog schema index lists all`,
  });
}

/** A column as SQL over `carrel.series`. */
export function columnSql(tables: Described, column: string, added: readonly string[] = []): string {
  const name = answerColumn(tables, column, added);
  return name === BYTES_COLUMN && !tables.relations.columns.includes(name) ? 'carrel_bytes' : quoted(name);
}

/** A column to be added up, as SQL whose result does not depend on the order of rows. Throws `usage` for what is no number. */
export function sumSql(tables: Described, column: string): { name: string; sql: string } {
  const name = answerColumn(tables, column);
  const source = columnSql(tables, name);
  const type = source === 'carrel_bytes' ? 'BIGINT' : (tables.relations.types[name] ?? '');
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return { name, sql: `sum(${source})::BIGINT` };
  if (/^(DOUBLE|FLOAT|DECIMAL)/.test(type)) {
    return { name, sql: `sum(${source}::DECIMAL(38, 6))::DOUBLE` };
  }
  const numbers = Object.entries(tables.relations.types)
    .filter(([, kind]) => /INT|DOUBLE|FLOAT|DECIMAL/.test(kind) && !kind.endsWith(']'))
    .map(([number]) => number);
  throw new CarrelError('usage', `${name} is ${type}, not a number: it cannot be added up`, {
    item: name,
    next: `columns of numbers: ${[BYTES_COLUMN, ...numbers].join(', ')}`,
  });
}
