/** Bars for a terminal: one line per value, fitted to the width, without colour. */
import type { Terminal } from '../terminal.ts';
import { formatCell, shorten } from './text.ts';

/** One bar. */
export interface Bar {
  label: string;
  value: number;
  /** The value as it is printed. */
  text: string;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Width where stdout is no terminal. */
const WIDTH = 80;

/** True where the terminal can show blocks: a UTF-8 locale, and not a dumb terminal. */
export function showsBlocks(env: Terminal['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return env['TERM'] !== 'dumb' && /utf-?8/i.test(locale ?? '');
}

/** The bars as text, each line at most `width` characters; `#` where blocks cannot be shown. */
export function formatBars(
  bars: readonly Bar[],
  options: { width?: number | undefined; blocks: boolean },
): string {
  const width = Math.max(20, options.width ?? WIDTH);
  const most = Math.max(0, ...bars.map(({ value }) => value));
  const numbers = Math.max(0, ...bars.map(({ text }) => text.length));
  const labels = Math.min(
    Math.max(0, ...bars.map(({ label }) => formatCell(label).length)),
    Math.max(8, Math.floor((width - numbers - 2) / 2)),
  );
  const room = Math.max(1, width - labels - numbers - 4);
  return bars
    .map(({ label, value, text }) => {
      const length = most > 0 && value > 0 ? (value / most) * room : 0;
      return `${shorten(formatCell(label), labels).padEnd(labels)}  ${text.padStart(numbers)}  ${bar(length, options.blocks)}`.trimEnd();
    })
    .join('\n');
}

/** Something above zero is never drawn as nothing. */
function bar(length: number, blocks: boolean): string {
  if (length === 0) return '';
  if (!blocks) return '#'.repeat(Math.max(1, Math.round(length)));
  const eighths = Math.max(1, Math.round(length * 8));
  return `${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ''}`;
}
