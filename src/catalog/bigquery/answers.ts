/** Amounts, sums and pieces of an answer. */
import type { Amount } from '../summary.ts';
import type { RawRow } from './rows.ts';

/** The amounts of a row. Files and bytes of a data set are known and exact, file by file. */
export function amountOf(row: Record<string, unknown>): Amount {
  const number = (name: string) => Number(row[`amount_${name}`] ?? 0);
  return {
    patients: number('patients'),
    studies: number('studies'),
    series: number('series'),
    instances: number('instances'),
    bytes: number('bytes'),
    seriesWithoutInstances: 0,
    seriesRounded: 0,
  };
}

/** The sums of a row by the names of their columns; nothing where none were asked for. */
export function sumsOf(
  row: Record<string, unknown>,
  names: readonly string[],
): { sums?: Record<string, number | string | null> } {
  if (names.length === 0) return {};
  return {
    sums: Object.fromEntries(
      names.map((name, at) => [name, (row[`sum_${at}`] ?? null) as number | string | null]),
    ),
  };
}

/** Rows that one piece of an answer has at most, as from the installed tables. */
const PIECE = 2048;

/** Pages of the server as pieces of the usual size. */
export async function* answerPieces<T>(
  pages: AsyncIterable<RawRow[]>,
  read: (row: RawRow) => T,
): AsyncGenerator<T[]> {
  for await (const page of pages) {
    for (let at = 0; at < page.length; at += PIECE) yield page.slice(at, at + PIECE).map(read);
  }
}
