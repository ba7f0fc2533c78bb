/** `carrel diff`: what changed between two releases, or between a lock file and a release. */
import { Option } from 'commander';
import {
  CHANGES,
  type Change,
  type ChangeAmounts,
  DIFF_COLUMNS,
  type DiffSide,
  type OpenDiff,
  openDiff,
} from '../../catalog/index.ts';
import { openSide } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import { type CommandSpec, collect, type Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { ROW_FORMATS, rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { addSelectionFlags, selectionOf } from '../selection-flags.ts';
import { printable, write } from '../terminal.ts';

/** `carrel diff`. */
export const spec: CommandSpec = {
  name: 'diff',
  summary: 'what changed between two releases, or between a lock file and a release',
  examples: [
    'carrel diff v23 v24',
    'carrel diff v24 v25 --by collection_id',
    'carrel diff v24 current --collection nlst --list --change revised --format csv',
    'carrel diff data/carrel.lock.json current',
  ],
  exitCodes: [0, 1, 2, 4],
  define(command) {
    command
      .argument('<from>', 'a release (v23), a lock file, or a folder that has one')
      .argument('[to]', 'the same; default: the newest installed release')
      .addOption(
        new Option('--by <column>', 'amounts by the values of a column (repeatable)').argParser(collect),
      )
      .addOption(new Option('--list', 'list the series that changed'))
      .addOption(
        new Option('--change <kind>', `list only these (repeatable): ${CHANGES.join(', ')}`).argParser(
          collect,
        ),
      )
      .addOption(new Option('--instances', 'compare the files of slides too (needs sm_instance_index)'))
      .addOption(new Option('--format <format>', ROW_FORMATS.join(', ')));
    addSelectionFlags(command);
  },
  async run(run, [from = '', to = 'current'], flags) {
    const { limit, ...selection } = selectionOf(flags);
    if (selection.release !== undefined || selection.sample !== undefined)
      throw new CarrelError('usage', 'diff takes its releases as arguments, and samples nothing', {
        item: selection.release === undefined ? '--sample' : '--release',
        next: 'carrel diff v23 v24',
      });
    const wanted = changesOf(flags['change'] as string[] | undefined);
    const by = (flags['by'] as string[] | undefined)?.flatMap((one) => one.split(','));
    const listed = flags['list'] === true || flags['change'] !== undefined;
    if (listed && by !== undefined)
      throw new CarrelError('usage', '--by breaks the amounts down, --list and --change list series', {
        item: '--by',
        next: 'give one of them',
      });
    const format = rowFormat(flags['format'], run.json);
    return await atDesk(run, async (desk) => {
      const diff = await openDiff({
        archive: desk.archive,
        cacheDir: desk.cacheDir,
        from: await openSide(from, desk.archive, run.terminal.cwd),
        to: await openSide(to, desk.archive, run.terminal.cwd),
        selection,
        by,
        instances: flags['instances'] === true,
        signal: run.signal,
      });
      try {
        if (!run.quiet && !run.json)
          for (const note of diff.notes)
            await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
        if (listed) {
          const numeric = DIFF_COLUMNS.flatMap((name, at) => (/^(bytes|files)_/.test(name) ? [at] : []));
          const rows = diff.list({ changes: wanted, limit });
          await writeRows(run.terminal, { columns: DIFF_COLUMNS, numeric, rows }, format);
        } else if (run.json) await write(run.terminal.out, `${toJson(documentOf(diff), 2)}\n`);
        else await summarise(run, diff, by, format);
        return 0;
      } finally {
        diff.close();
      }
    });
  },
};

function changesOf(asked: string[] | undefined): Change[] {
  const words = asked?.flatMap((one) => one.split(','));
  if (words === undefined) return CHANGES.filter((change) => change !== 'unchanged');
  return words.map((word) => {
    const found = CHANGES.find((change) => change === word);
    if (found !== undefined) return found;
    throw new CarrelError('usage', `no kind of change ${JSON.stringify(word)}`, {
      item: word,
      next: CHANGES.join(', '),
    });
  });
}

/** Everything but the means to read the list. */
function documentOf(diff: OpenDiff): object {
  const { from, to, changes, relicensed, bytesRounded, by, instances, notes } = diff;
  return { from, to, changes, relicensed, bytesRounded, by, instances, notes };
}

async function summarise(
  run: Run,
  diff: OpenDiff,
  by: string[] | undefined,
  format: ReturnType<typeof rowFormat>,
): Promise<void> {
  const people = format === 'table' || format === 'markdown';
  const count = (value: number) => (people ? formatCount(value) : value);
  const size = (value: number) => (people ? formatBytes(value) : value);
  if (people && format === 'table')
    await write(run.terminal.out, `${titleOf(diff.from)} → ${titleOf(diff.to)}\n\n`);
  if (by === undefined) {
    await writeRows(
      run.terminal,
      {
        columns: ['change', 'series', 'bytes_before', 'bytes_after'],
        numeric: [1, 2, 3],
        rows: [
          CHANGES.map((change) => {
            const { series, bytesBefore, bytesAfter } = diff.changes[change];
            return [
              change,
              count(series),
              change === 'added' ? (people ? '' : null) : size(bytesBefore),
              change === 'removed' ? (people ? '' : null) : size(bytesAfter),
            ];
          }),
        ],
      },
      format,
    );
  } else {
    const amount = (changes: ChangeAmounts) => [
      ...CHANGES.map((change) => count(changes[change].series)),
      size(changes.added.bytesAfter),
      size(changes.removed.bytesBefore),
      size(changes.revised.bytesBefore),
      size(changes.revised.bytesAfter),
    ];
    const sizes = ['bytes_added', 'bytes_removed', 'bytes_revised_before', 'bytes_revised_after'];
    await writeRows(
      run.terminal,
      {
        columns: [...by, ...CHANGES, ...sizes],
        numeric: [...CHANGES, ...sizes].map((_, at) => by.length + at),
        rows: [
          (diff.by ?? []).map(({ values, changes }) => [...by.map((one) => values[one]), ...amount(changes)]),
        ],
      },
      format,
    );
  }
  if (format !== 'table') return;
  const { instances } = diff;
  if (instances !== undefined)
    await write(
      run.terminal.out,
      `\nfiles of slides: ${formatCount(instances.added)} added, ${formatCount(instances.removed)} removed, ${formatCount(instances.revised)} revised, ${formatCount(instances.unchanged)} unchanged${instances.seriesUnknown > 0 ? `; unknown for ${formatCount(instances.seriesUnknown)} series` : ''}\n`,
    );
  if (run.quiet) return;
  if (diff.relicensed > 0)
    await write(
      run.terminal.err,
      `${formatCount(diff.relicensed)} series are the same version under another licence\n`,
    );
  if (diff.bytesRounded)
    await write(run.terminal.err, 'sizes of some tables are rounded to 10 kB per series\n');
}

function titleOf({ name, evidence, version, series }: DiffSide): string {
  const by = evidence === 'pinned' ? 'pinned' : `${evidence}${version === null ? '' : `, ${version}`}`;
  return `${name} (${by}; ${formatCount(series)} series)`;
}
