/** `carrel search --by`: counts by the values of columns, as a table, bars, or rows for programs. */
import type { GroupRow } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import { settleNotes } from '../notes.ts';
import { formatBars, showsBlocks } from '../output/bars.ts';
import { withBinaryDestination, withDestination } from '../output/destination.ts';
import { rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCell, formatCount } from '../output/text.ts';
import { write } from '../terminal.ts';
import { formatSum } from './count-series.ts';
import { type Search, tellWritten } from './search.ts';

const AMOUNTS = ['patients', 'studies', 'series', 'instances'] as const;

/** Prints the groups. `--limit` and `--order` are about the groups here, not about series. */
export async function groupSeries(search: Search, by: readonly string[], plot: boolean): Promise<void> {
  const { run, catalog, strict, sums } = search;
  const { limit, order, ...selection } = search.selection;
  const columns = catalog.answerColumns(
    by.flatMap((one) => one.split(',')).map((one) => one.trim()),
    selection,
  );
  // Bars are read from the longest down.
  const longest = plot && sums[0] !== undefined ? [{ column: sums[0], descending: true }] : undefined;
  const options = { signal: run.signal, sums, order: order ?? longest, limit };
  const { rows, notes } = await catalog.groupBy(selection, columns, options);
  await settleNotes(run, notes, strict, rows.length === 0);
  if (plot) {
    if (run.json || search.format !== undefined) throw notBoth();
    await withDestination(run.terminal, search.output, async (terminal) => {
      const width = terminal.out.isTTY === true ? terminal.out.columns : undefined;
      const text = formatBars(barsOf(rows, columns, sums), { width, blocks: showsBlocks(terminal.env) });
      if (text !== '') await write(terminal.out, `${text}\n`);
    });
    return;
  }
  if (search.format === 'parquet' && !run.json) {
    const grouping = { columns, sums, order, limit };
    await withBinaryDestination(run.terminal, search.output, (path) =>
      catalog.exportParquet({ selection, grouping }, path, { signal: run.signal }),
    );
    await tellWritten(run, rows.length, search.output);
    return;
  }
  const format = rowFormat(search.format, run.json);
  const people = format === 'table' || format === 'markdown';
  const names = Object.keys(rows[0]?.sums ?? {});
  const last = [
    people ? 'size' : 'bytes',
    ...(rows.length === 0 ? sums : names).map((name) => `sum_${name}`),
  ];
  const answer = {
    columns: [...columns, ...AMOUNTS, ...last],
    numeric: [...AMOUNTS, ...last].map((_, at) => columns.length + at),
    rows: [
      rows.map((row) => [
        ...columns.map((column) => (people && row.values[column] === null ? '(none)' : row.values[column])),
        ...AMOUNTS.map((name) => (people ? formatCount(row[name]) : row[name])),
        people ? formatBytes(row.bytes) : row.bytes,
        ...names.map((name) => (people ? formatSum(row.sums?.[name] ?? null) : row.sums?.[name])),
      ]),
    ],
  };
  await withDestination(run.terminal, search.output, (terminal) => writeRows(terminal, answer, format));
  await tellWritten(run, rows.length, search.output);
}

/** Bars of the first sum, or of the number of series. */
function barsOf(rows: readonly GroupRow[], columns: readonly string[], sums: readonly string[]) {
  return rows.map((row) => {
    const label = columns.map((column) => formatCell(row.values[column] ?? '(none)')).join(' / ');
    if (sums.length === 0) return { label, value: row.series, text: formatCount(row.series) };
    const sum = Object.values(row.sums ?? {})[0] ?? null;
    return { label, value: Number(sum ?? 0), text: formatSum(sum) };
  });
}

function notBoth(): CarrelError {
  return new CarrelError('usage', '--plot draws for people; it has no format', {
    next: 'leave out --plot, or --format and --json',
  });
}
