/** `carrel history`: every version of a series and the releases that hold it; anything larger release by release. */
import { Option } from 'commander';
import {
  type History,
  type HistoryLevel,
  readHistoryOf,
  type SeriesVersion,
  type VersionChange,
  type WideHistory,
} from '../../catalog/index.ts';
import { nameWithHistory } from '../../cohort/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable, plural } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

const LEVELS: readonly HistoryLevel[] = ['series', 'study', 'patient', 'collection', 'analysis-result'];

/** Series of a study or patient that are told one by one on a terminal. */
const MOST_SHOWN = 12;

/** `carrel history`. */
export const spec: CommandSpec = {
  name: 'history',
  summary: 'every version of a series, study, patient or collection, and the releases that hold it',
  examples: [
    'carrel history 1.3.6.1.4.1.5962.99.1.171941254.777277241.1640849481094.2.0',
    'carrel history e127d258-37c2-47bb-a7d1-1faa7f47f47a --json',
    'carrel history apollo_5_lscc',
    'carrel history C3N-04457 --collection cptac_lscc',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command
      .argument(
        '<what>',
        'a series or one of its versions (uuid in any form), a study, a PatientID, a collection',
      )
      .addOption(new Option('--as <kind>', LEVELS.join(', ')).choices(LEVELS))
      .addOption(new Option('--collection <id>', 'the collection of a PatientID that several have'));
  },
  async run(run, [text = ''], flags) {
    const what = nameWithHistory(text);
    return await atDesk(run, async (desk) => {
      const history = await readHistoryOf({
        archive: desk.archive,
        cacheDir: desk.cacheDir,
        what,
        as: flags['as'] as HistoryLevel | undefined,
        collection: flags['collection'] as string | undefined,
        signal: run.signal,
      });
      const prefix = desk.archive.catalog.releasePrefix;
      if (run.json) await write(run.terminal.out, `${toJson(history, 2)}\n`);
      else if (history.level === 'series') await printSeries(run, history, prefix);
      else await printWide(run, history, prefix);
      if (!run.json && !run.quiet)
        await write(
          run.terminal.err,
          `${run.err.dim(`as the tables of ${history.asOf} know it, and older ones where they are installed; carrel get UUID fetches any version`)}\n`,
        );
      return 0;
    });
  },
};

async function printSeries(run: Run, history: History, prefix: string): Promise<void> {
  await write(
    run.terminal.out,
    `series ${history.SeriesInstanceUID}\nstudy  ${history.StudyInstanceUID}, patient ${printable(history.PatientID)}\n\n`,
  );
  await write(
    run.terminal.out,
    `${formatTable(
      ['releases', 'crdc_series_uuid', 'state', 'collection', 'files', 'size', 'bucket', 'changed'],
      history.versions.map((version) => [
        releasesOf(version, prefix),
        version.crdc_series_uuid,
        stateOf(version),
        version.collection_id,
        formatCount(version.instanceCount),
        sizeOf(version.bytes, version.bytesRounded),
        Object.values(version.ranges.at(-1)?.buckets ?? {})[0] ?? '?',
        version.changes.map(changeText).join('; '),
      ]),
      { width: run.terminal.out.columns, right: [4, 5] },
    )}\n`,
  );
  for (const { from, to } of history.gaps)
    await write(run.terminal.out, `in no release from ${prefix}${from} to ${prefix}${to}\n`);
  await printNotes(run, history.notes);
}

async function printWide(run: Run, history: WideHistory, prefix: string): Promise<void> {
  const where =
    history.collection_id === null || history.level === 'collection' ? '' : `, ${history.collection_id}`;
  await write(
    run.terminal.out,
    `${history.level} ${printable(history.value)}${printable(where)}: ${plural(history.seriesEver, 'series', 'series')} in all releases\n\n`,
  );
  await write(
    run.terminal.out,
    `${formatTable(
      ['release', 'series', 'studies', 'patients', 'size', 'added', 'removed', 'revised', 'from'],
      history.releases.map((one) => [
        one.release,
        formatCount(one.series),
        formatCount(one.studies),
        formatCount(one.patients),
        sizeOf(one.bytes, one.bytesRounded),
        ...[one.added, one.removed, one.revised].map((count) => (count === 0 ? '' : formatCount(count))),
        one.evidence,
      ]),
      { width: run.terminal.out.columns, right: [1, 2, 3, 4, 5, 6, 7] },
    )}\n`,
  );
  const { series } = history;
  if (series !== null && series.length <= MOST_SHOWN) {
    await write(
      run.terminal.out,
      `\n${formatTable(
        ['SeriesInstanceUID', 'releases', 'crdc_series_uuid', 'state', 'collection', 'size'],
        series.flatMap((one) =>
          one.versions.map((version) => [
            one.SeriesInstanceUID,
            releasesOf(version, prefix),
            version.crdc_series_uuid,
            stateOf(version),
            version.collection_id,
            sizeOf(version.bytes, version.bytesRounded),
          ]),
        ),
        { width: run.terminal.out.columns, right: [5] },
      )}\n`,
    );
  }
  await printNotes(run, history.notes);
  const withdrawn = (series ?? []).flatMap(({ versions }) =>
    versions.filter(({ state }) => state === 'withdrawn'),
  );
  if (withdrawn.length > 0)
    await printNotes(run, [
      `${plural(withdrawn.length, 'version')} of it were withdrawn: only older tables list them`,
    ]);
}

async function printNotes(run: Run, notes: readonly string[]): Promise<void> {
  if (run.quiet) return;
  for (const note of notes) await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
}

function stateOf({ state, returned }: SeriesVersion): string {
  return returned ? `${state}, returned` : state;
}

function sizeOf(bytes: number | null, rounded: boolean): string {
  return `${rounded ? '~' : ''}${formatBytes(bytes)}`;
}

function changeText({ what, before, after }: VersionChange): string {
  const shown = (value: string | number) =>
    what === 'bytes' ? formatBytes(Number(value)) : typeof value === 'number' ? formatCount(value) : value;
  return `${what === 'bytes' ? 'size' : what} ${shown(before)} → ${shown(after)}`;
}

function releasesOf({ ranges }: SeriesVersion, prefix: string): string {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged
    .map(({ from, to }) => (from === to ? `${prefix}${from}` : `${prefix}${from}–${prefix}${to}`))
    .join(', ');
}
