/** `carrel search`: the series of a selection, streamed. */
import type { SeriesRow } from '../../catalog/index.ts';
import { settleNotes } from '../notes.ts';
import { withBinaryDestination, withDestination } from '../output/destination.ts';
import { rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { write } from '../terminal.ts';
import { type Search, tellWritten } from './search.ts';

/** Columns of the list, where none are asked for. */
const COLUMNS = [
  'collection_id',
  'PatientID',
  'Modality',
  'SeriesDescription',
  'instanceCount',
  'bytes',
  'license_short_name',
  'SeriesInstanceUID',
  'crdc_series_uuid',
];

/** What a narrow terminal leaves out, the first one first. */
const FIRST_OUT = ['crdc_series_uuid', 'license_short_name', 'instanceCount', 'collection_id'];

/** A terminal is not a place for a million rows; files and pipes get everything. */
const SHOWN = 50;

/** Prints the series. */
export async function listSeries(search: Search, asked: string | undefined): Promise<void> {
  const { run, catalog, selection, strict } = search;
  const columns = columnsOf(search, asked);
  if (search.format === 'parquet' && !run.json) {
    await exportSeries(search, columns);
    return;
  }
  const format = rowFormat(search.format, run.json);
  const people = format === 'table';
  const onScreen = people && search.output === undefined && run.terminal.out.isTTY === true;
  const cut = onScreen && selection.limit === undefined ? SHOWN : undefined;
  const total =
    cut === undefined ? undefined : (await catalog.count(selection, { signal: run.signal })).series;
  const { rows, notes } = await catalog.selectStream(
    cut === undefined ? selection : { ...selection, limit: cut },
    { signal: run.signal, columns: columns.filter((name) => name !== 'bytes') },
  );
  // The notes are known before the rows; whether there is any row is known with the first piece.
  const pieces = rows[Symbol.asyncIterator]();
  try {
    const first = await pieces.next();
    await settleNotes(run, notes, strict, first.done === true);
    const numbers = new Set(
      (await catalog.schema('index', { signal: run.signal }))
        .filter(({ type }) => /^U?(TINY|SMALL|BIG|HUGE)?INT|^(DOUBLE|FLOAT|DECIMAL)/.test(type))
        .map(({ name }) => name),
    ).add('bytes');
    const cells = async function* () {
      for (let piece = first; piece.done !== true; piece = await pieces.next())
        yield piece.value.map((row) => columns.map((name) => cellOf(row, name, people)));
    };
    const shown = await withDestination(run.terminal, search.output, (terminal) =>
      writeRows(
        terminal,
        {
          columns,
          numeric: columns.flatMap((name, at) => (numbers.has(name) ? [at] : [])),
          optional:
            asked === undefined ? FIRST_OUT.map((name) => columns.indexOf(name)).filter((at) => at >= 0) : [],
          rows: cells(),
        },
        format,
      ),
    );
    await tellWritten(run, shown, search.output);
    if (run.quiet || !people) return;
    if (total !== undefined && total > shown)
      await write(
        run.terminal.err,
        `${formatCount(shown)} of ${formatCount(total)} series; --limit shows more, --count counts, --format csv lists all\n`,
      );
    else if (shown === 0) await write(run.terminal.err, 'no series match\n');
  } finally {
    await pieces.return?.(undefined);
  }
}

/** Published names of the columns; those that the answer is sorted or split by are shown without being asked for. */
export function columnsOf({ catalog, selection }: Search, asked: string | undefined): string[] {
  const split = selection.split === undefined ? [] : ['split'];
  if (asked !== undefined) {
    const names = asked.split(',').map((name) => name.trim());
    return [...new Set(catalog.answerColumns([...names, ...split], selection))];
  }
  const known = new Set(catalog.answerColumns(['bytes']));
  const usual = COLUMNS.filter((name) => {
    if (known.has(name)) return true;
    // Older tables lack some columns; nobody asked for these.
    try {
      return catalog.answerColumns([name]).length === 1;
    } catch {
      return false;
    }
  });
  const sorted = catalog.answerColumns(
    (selection.order ?? []).map(({ column }) => column),
    selection,
  );
  return [...new Set([...usual, ...sorted, ...split])];
}

function cellOf(row: SeriesRow, name: string, people: boolean): unknown {
  if (name === 'bytes' && !('bytes' in row.columns)) return people ? formatBytes(row.bytes) : row.bytes;
  return row.columns[name];
}

async function exportSeries(search: Search, columns: string[]): Promise<void> {
  const { run, catalog, selection } = search;
  const { notes, series } = await catalog.count(selection, { signal: run.signal });
  await settleNotes(run, notes, search.strict, series === 0);
  const { rows } = await withBinaryDestination(run.terminal, search.output, (path) =>
    catalog.exportParquet({ selection, columns }, path, { signal: run.signal }),
  );
  await tellWritten(run, rows, search.output);
}
