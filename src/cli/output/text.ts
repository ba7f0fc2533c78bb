/** Numbers and tables for people. */
import { printable } from '../terminal.ts';

/** Bytes in decimal units as disks and catalogues count them: `1.43 GB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '?';
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 'B';
  for (const next of units) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** `1,044,191`. Whole numbers without `Intl`, which takes 13 ms to be ready. */
export function formatCount(count: number | bigint | null | undefined): string {
  if (count === null || count === undefined) return '?';
  const digits = String(count);
  return /^-?\d+$/.test(digits)
    ? digits.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
    : count.toLocaleString('en-US');
}

/** `1 file`, `3 files`, `2 series`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `48 s`, `12 min`, `3.2 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** One value as it stands in a table cell. */
export function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return printable(value).replaceAll('\n', '\\n').replaceAll('\t', ' ');
  if (typeof value === 'object') return printable(JSON.stringify(value));
  return String(value);
}

/** Cuts a text in its middle, where identifiers differ least. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 5) return text.slice(0, width);
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** Options of `formatTable`. */
export interface TableOptions {
  /** Columns of the terminal; undefined prints in full. */
  width?: number | undefined;
  /** Indices of columns that hold numbers. */
  right?: readonly number[] | undefined;
  /** Indices of columns that may be left out where there is no room, the first one first; `…` ends the head then. */
  optional?: readonly number[] | undefined;
  /** Indices of columns that are cut last: what people copy. */
  whole?: readonly number[] | undefined;
}

/** A column is not worth showing with less. */
const WORTH = 12;

/** A plain table: two blanks between columns, a rule under the head, widest columns cut first where it does not fit. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly unknown[])[],
  options: TableOptions = {},
): string {
  const cells = rows.map((row) => head.map((_, index) => formatCell(row[index])));
  const widths = head.map((title, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const { width: room, optional = [], whole = [] } = options;
  const shown = new Set(head.keys());
  if (room !== undefined) {
    const available = () => room - 2 * (shown.size - 1) - (shown.size < head.length ? 3 : 0);
    const least = () =>
      [...shown].reduce((sum, at) => {
        const width = widths[at] ?? 0;
        return sum + (whole.includes(at) ? width : Math.min(width, WORTH));
      }, 0);
    for (const at of optional) {
      if (least() <= available()) break;
      shown.delete(at);
      widths[at] = 0;
    }
    narrow(widths, available(), whole);
  }
  const kept = [...shown];
  const line = (row: readonly string[]) =>
    kept
      .map((index) => {
        const cell = row[index] ?? '';
        const width = widths[index] ?? 0;
        const text = shorten(cell, width);
        return options.right?.includes(index) === true ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const more = kept.length < head.length ? '  …' : '';
  const rule = kept.map((index) => '─'.repeat(widths[index] ?? 0)).join('  ');
  return [`${line(head)}${more}`, rule, ...cells.map(line)].join('\n');
}

/** Narrows the widest column step by step until the sum fits, `last` ones last; no column under 6 characters. */
function narrow(widths: number[], available: number, last: readonly number[]): void {
  let total = widths.reduce((sum, width) => sum + width, 0);
  while (total > available) {
    const first = widths.map((width, at) => (last.includes(at) ? 0 : width));
    const from = Math.max(...first) > WORTH ? first : widths;
    const widest = from.indexOf(Math.max(...from));
    const width = widths[widest];
    if (width === undefined || width <= 6) return;
    widths[widest] = width - 1;
    total -= 1;
  }
}
