/**
 * CSV and TSV with a header row, as the IDC portal, BigQuery, Gen3 and spreadsheets write them. Portal files have a
 * block of free text before the header row; German and French spreadsheets separate by semicolons.
 */
import { type CsvError, type InfoRecord, parse } from 'csv-parse/sync';
import { CarrelError } from '../errors.ts';
import type { Collector } from './collector.ts';
import { isStrongName } from './collector.ts';
import { isNamingColumn, namingColumns, readRow } from './row-name.ts';

/** Where a table starts and how it is separated. */
export interface TableHeader {
  /** 0-based index of the header row. */
  index: number;
  delimiter: ',' | '\t' | ';';
  columns: string[];
}

/** Lines of free text that may stand before the header row. */
export const HEADER_WITHIN = 200;

/** Longest name of a column that is believed. */
const COLUMN_LENGTH = 100;

/** Finds the header row, or undefined where the text is no table that names data. */
export function findTableHeader(lines: readonly string[]): TableHeader | undefined {
  for (const [index, line] of lines.slice(0, HEADER_WITHIN).entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const delimiter = text.includes('\t') ? '\t' : text.includes(',') ? ',' : text.includes(';') ? ';' : ',';
    const columns = line.split(delimiter).map((cell) =>
      cell
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    );
    if (isHeaderRow(columns)) return { index, delimiter, columns };
  }
  return undefined;
}

/** True for cells that can be the names of columns, one of which names data. */
export function isHeaderRow(cells: readonly string[]): boolean {
  const believable = cells.every((cell) => cell.length <= COLUMN_LENGTH && !isStrongName(cell));
  return believable && cells.some(isNamingColumn);
}

/** Reads the rows below the header into the collector. */
export function readTable(lines: readonly string[], header: TableHeader, collector: Collector): void {
  const columns = namingColumns(header.columns);
  const width = header.columns.length;
  for (const line of lines.slice(0, header.index)) {
    const url = /--endpoint-url[ =]+(https?:\/\/[^\s"',]+)/i.exec(line)?.[1];
    if (url !== undefined) collector.endpoint(url);
  }
  const place = new Map(header.columns.map((column, index) => [column, index]));
  for (const { record, line } of tableRows(lines.slice(header.index + 1), header.delimiter, collector)) {
    const at = header.index + 1 + line;
    if (record.every((cell) => cell.trim() === '') || record[0]?.trimStart().startsWith('#') === true)
      continue;
    if (record.length > width && record.slice(width).some((cell) => cell.trim() !== '')) {
      collector.note(`more cells than the header has columns (${record.length} instead of ${width})`, at);
    }
    const row = { get: (column: string) => record[place.get(column) ?? -1] };
    readRow(at, record.join(header.delimiter), row, columns, collector);
  }
}

interface TableRow {
  record: string[];
  /** 1-based line below the header. */
  line: number;
}

function tableRows(lines: readonly string[], delimiter: string, collector: Collector): TableRow[] {
  // Without quotes every line is a row and every delimiter separates; most manifests are like that.
  if (!lines.some((line) => line.includes('"'))) {
    return lines.map((line, index) => ({ record: line.split(delimiter), line: index + 1 }));
  }
  const text = lines.join('\n');
  try {
    return parseRows(text, delimiter, '"');
  } catch (error) {
    // One stray quote must not swallow the rest of the table: read it again with quotes as plain characters.
    if ((error as CsvError).code === undefined) throw error;
    collector.note(`quotes are not balanced (${(error as CsvError).message}); read without them`);
  }
  try {
    return parseRows(text, delimiter, false);
  } catch (cause) {
    throw new CarrelError(
      'bad-input',
      `${collector.origin} cannot be read as a table: ${(cause as Error).message}`,
      {
        item: collector.origin,
        next: 'save it as plain CSV with a header row',
        cause,
      },
    );
  }
}

function parseRows(text: string, delimiter: string, quote: '"' | false): TableRow[] {
  const rows: unknown = parse(text, {
    delimiter,
    quote,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: 1_000_000,
  });
  return (rows as { record: string[]; info: InfoRecord }[]).map(({ record, info }) => ({
    record,
    line: info.lines,
  }));
}
