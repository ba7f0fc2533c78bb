/** Rows of an answer in every format: a table for people, and csv, tsv, json, jsonl, markdown for programs; all streamed. */
import { CarrelError } from '../../errors.ts';
import { printable, type Terminal, write } from '../terminal.ts';
import { toJson } from './json.ts';
import { formatCell, formatTable } from './text.ts';

/** `--format`. Parquet goes through the engine: see `commands/sql.ts`. */
export const ROW_FORMATS = ['table', 'csv', 'tsv', 'json', 'jsonl', 'markdown'] as const;

/** A format of `writeRows`. */
export type RowFormat = (typeof ROW_FORMATS)[number];

/** An answer to be printed. */
export interface Rows {
  columns: readonly string[];
  /** Indices of columns that hold numbers. */
  numeric?: readonly number[] | undefined;
  /** See `TableOptions`. */
  optional?: readonly number[] | undefined;
  whole?: readonly number[] | undefined;
  rows: AsyncIterable<readonly (readonly unknown[])[]> | Iterable<readonly (readonly unknown[])[]>;
}

/** Rows that a table collects before it settles its widths. */
const TABLE_WINDOW = 1000;

/** Writes an answer to stdout. The answer is the number of rows; a closed pipe ends it early. */
export async function writeRows(terminal: Terminal, answer: Rows, format: RowFormat): Promise<number> {
  const { columns } = answer;
  let count = 0;
  const head = headOf(columns, format);
  if (head !== undefined && !(await write(terminal.out, head))) return 0;
  let window: (readonly unknown[])[] = [];
  let first = true;
  const flush = async (last: boolean) => {
    if (format !== 'table' || (window.length === 0 && !first && !last) || (window.length === 0 && !first))
      return true;
    const text = formatTable(columns, window, {
      width: terminal.out.isTTY === true ? terminal.out.columns : undefined,
      right: answer.numeric,
      optional: answer.optional,
      whole: answer.whole,
    });
    window = [];
    const shown = first ? text : text.split('\n').slice(2).join('\n');
    first = false;
    return await write(terminal.out, `${shown}\n`);
  };
  for await (const piece of answer.rows) {
    if (format === 'table') {
      window.push(...piece);
      count += piece.length;
      if (window.length >= TABLE_WINDOW && !(await flush(false))) return count;
      continue;
    }
    const lines: string[] = [];
    for (const row of piece) {
      lines.push(lineOf(columns, row, format, count === 0));
      count += 1;
    }
    if (lines.length > 0 && !(await write(terminal.out, lines.join('')))) return count;
  }
  await flush(true);
  if (format === 'json') await write(terminal.out, count === 0 ? '[]\n' : '\n]\n');
  return count;
}

/** Reads `--format`; JSON where `--json` was given. Throws `usage`. */
export function rowFormat(flag: unknown, json: boolean): RowFormat {
  if (json) return 'json';
  if (flag === undefined) return 'table';
  const found = ROW_FORMATS.find((format) => format === flag);
  if (found !== undefined) return found;
  throw new CarrelError('usage', `no format ${JSON.stringify(flag)}`, {
    item: String(flag),
    next: ROW_FORMATS.join(', '),
  });
}

function headOf(columns: readonly string[], format: RowFormat): string | undefined {
  if (format === 'csv') return `${columns.map((column) => delimited(column, ',')).join(',')}\n`;
  if (format === 'tsv') return `${columns.map((column) => delimited(column, '\t')).join('\t')}\n`;
  if (format === 'markdown')
    return `| ${columns.map(markdown).join(' | ')} |\n|${columns.map(() => ' --- |').join('')}\n`;
  return undefined;
}

function lineOf(
  columns: readonly string[],
  row: readonly unknown[],
  format: RowFormat,
  first: boolean,
): string {
  switch (format) {
    case 'csv':
      return `${row.map((value) => delimited(plain(value), ',')).join(',')}\n`;
    case 'tsv':
      return `${row.map((value) => delimited(plain(value), '\t')).join('\t')}\n`;
    case 'markdown':
      return `| ${row.map(markdown).join(' | ')} |\n`;
    case 'jsonl':
      return `${toJson(objectOf(columns, row))}\n`;
    case 'json':
      return `${first ? '[\n' : ',\n'}${toJson(objectOf(columns, row))}`;
    case 'table':
      return '';
  }
}

function objectOf(columns: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column, index) => [column, row[index]]));
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? toJson(value) : String(value);
}

/** RFC 4180: quoted where the text holds the separator, a quotation mark or a line end. */
function delimited(text: string, separator: string): string {
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function markdown(value: unknown): string {
  return printable(formatCell(value)).replaceAll('|', '\\|');
}
