/** `carrel search`: which series match. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Amount, Catalog, Selection, SelectionNote } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import { writeManifest } from '../../manifests/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import { printSelectionNotes, unknownValue } from '../notes.ts';
import { toJson } from '../output/json.ts';
import { ROW_FORMATS, type RowFormat, rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { addSelectionFlags, isNarrowed, selectionOf } from '../selection-flags.ts';
import { write } from '../terminal.ts';

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

/** `carrel search`. */
export const spec: CommandSpec = {
  name: 'search',
  summary: 'which series match',
  examples: [
    'carrel search --collection nlst --modality CT --count',
    'carrel search --by collection_id --by Modality',
    'carrel search --collection rider_pilot --where "instanceCount > 200" --format csv',
    'carrel search --modality SEG --release v24 --limit 20',
    'carrel search --collection rider_pilot --format s5cmd > manifest.s5cmd',
  ],
  exitCodes: [0, 1, 2, 4],
  define(command) {
    addSelectionFlags(command)
      .addOption(new Option('--count', 'only how much: collections, patients, studies, series, files, bytes'))
      .addOption(
        new Option('--by <column>', 'count by the values of a column (repeatable)').argParser(collect),
      )
      .addOption(new Option('--columns <list>', 'columns to list, separated by commas'))
      .addOption(new Option('--format <format>', `${ROW_FORMATS.join(', ')}, uids, s5cmd`))
      .addOption(new Option('-o, --output <file>', 'write a manifest (s5cmd, uids) to a file'));
  },
  async run(run, _args, flags) {
    const selection = selectionOf(flags);
    return await atDesk(run, async (desk) => {
      const catalog = await desk.catalog(selection.release);
      const strict = flags['strict'] === true;
      if (!run.quiet)
        for (const note of catalog.notes) await write(run.terminal.err, `${run.err.dim('note:')} ${note}\n`);
      if (flags['count'] === true) return await count(run, catalog, selection, strict);
      const by = flags['by'] as string[] | undefined;
      if (by !== undefined) return await countBy(run, catalog, selection, by, strict, flags);
      const format = flags['format'];
      if (format === 'uids' || format === 's5cmd')
        return await manifest(run, catalog, selection, format, strict, flags['output']);
      await list(run, catalog, selection, strict, flags, rowFormat(format, run.json));
      return 0;
    });
  },
};

async function count(run: Run, catalog: Catalog, selection: Selection, strict: boolean): Promise<0> {
  const { notes, ...counts } = await catalog.count(selection, { signal: run.signal });
  await settleNotes(run, notes, strict, counts.series);
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({ archive: catalog.archive.name, release: catalog.releaseName, ...counts, notes })}\n`,
    );
    return 0;
  }
  const text = [
    `${formatCount(counts.series)} series`,
    `${formatCount(counts.instances)} files${counts.seriesWithoutInstances > 0 ? ` (unknown for ${formatCount(counts.seriesWithoutInstances)} series)` : ''}`,
    `${formatBytes(counts.bytes)}${counts.seriesRounded > 0 ? ' (rounded for superseded versions)' : ''}`,
    `${formatCount(counts.studies)} studies`,
    `${formatCount(counts.patients)} patients`,
    `${formatCount(counts.collections)} collections`,
  ];
  await write(run.terminal.out, `${text.join(' · ')}   (${catalog.archive.name} ${catalog.releaseName})\n`);
  return 0;
}

async function countBy(
  run: Run,
  catalog: Catalog,
  selection: Selection,
  by: string[],
  strict: boolean,
  flags: Record<string, unknown>,
): Promise<0> {
  const columns = by.flatMap((one) => one.split(','));
  const { rows, notes } = await catalog.groupBy(selection, columns, { signal: run.signal });
  await settleNotes(run, notes, strict, rows.length);
  const format = rowFormat(flags['format'], run.json);
  const people = format === 'table' || format === 'markdown';
  const amount = (row: Amount) =>
    [row.patients, row.studies, row.series, row.instances].map((value) =>
      people ? formatCount(value) : value,
    );
  await writeRows(
    run.terminal,
    {
      columns: [...columns, 'patients', 'studies', 'series', 'instances', people ? 'size' : 'bytes'],
      numeric: [0, 1, 2, 3, 4].map((index) => columns.length + index),
      rows: [
        rows.map((row) => [
          ...columns.map((column) => (people && row.values[column] === null ? '(none)' : row.values[column])),
          ...amount(row),
          people ? formatBytes(row.bytes) : row.bytes,
        ]),
      ],
    },
    format,
  );
  return 0;
}

async function list(
  run: Run,
  catalog: Catalog,
  selection: Selection,
  strict: boolean,
  flags: Record<string, unknown>,
  format: RowFormat,
): Promise<void> {
  const wanted =
    typeof flags['columns'] === 'string' ? flags['columns'].split(',').map((name) => name.trim()) : COLUMNS;
  const people = format === 'table';
  // A terminal is not a place for a million rows; files and pipes get everything.
  const cut = people && run.terminal.out.isTTY === true && selection.limit === undefined ? 50 : undefined;
  const total =
    cut === undefined ? undefined : (await catalog.count(selection, { signal: run.signal })).series;
  const { rows, notes } = await catalog.selectStream(
    cut === undefined ? selection : { ...selection, limit: cut },
    {
      signal: run.signal,
      columns: wanted.filter((name) => name !== 'bytes'),
    },
  );
  const unknownColumn = async function* () {
    for await (const piece of rows) {
      yield piece.map((row) =>
        wanted.map((name) => {
          const value =
            name === 'bytes'
              ? row.bytes
              : name in row.columns
                ? row.columns[name]
                : (row as unknown as Record<string, unknown>)[name];
          return people && name === 'bytes' ? formatBytes(row.bytes) : value;
        }),
      );
    }
  };
  const shown = await writeRows(
    run.terminal,
    {
      columns: wanted,
      numeric: wanted.flatMap((name, index) =>
        ['instanceCount', 'bytes', 'series_size_MB'].includes(name) ? [index] : [],
      ),
      rows: unknownColumn(),
    },
    format,
  );
  await settleNotes(run, notes, strict, shown);
  if (run.quiet || !people) return;
  if (total !== undefined && total > shown)
    await write(
      run.terminal.err,
      `${formatCount(shown)} of ${formatCount(total)} series; --limit shows more, --count counts, --format csv lists all\n`,
    );
  else if (shown === 0) await write(run.terminal.err, 'no series match\n');
}

async function manifest(
  run: Run,
  catalog: Catalog,
  selection: Selection,
  format: 'uids' | 's5cmd',
  strict: boolean,
  output: unknown,
): Promise<0> {
  if (!isNarrowed(selection)) {
    throw new CarrelError('usage', 'a manifest of the whole archive is hardly what you want', {
      next: 'narrow it with --collection or another flag',
    });
  }
  const { rows, notes } = await catalog.select(selection, { signal: run.signal, columns: [] });
  await settleNotes(run, notes, strict, rows.length);
  const text = writeManifest(rows, {
    format,
    cloud: 'aws',
    fileName: typeof output === 'string' ? output : undefined,
  });
  if (typeof output === 'string') await writeFile(resolve(run.terminal.cwd, output), text);
  else await write(run.terminal.out, text);
  return 0;
}

/** Prints notes; an unknown value is an error where nothing is left, or with `--strict`. */
async function settleNotes(
  run: Run,
  notes: readonly SelectionNote[],
  strict: boolean,
  left: number,
): Promise<void> {
  const fatal = left > 0 && !strict ? undefined : notes.find((note) => note.unknown);
  await printSelectionNotes(
    run,
    notes.filter((note) => note !== fatal),
  );
  if (fatal !== undefined) throw unknownValue(fatal);
}
