/** What `carrel update` says: the difference before anything is done, and what became of what was there. */
import { type Retirement, SERIES_CHANGES, type UpdatePlan, type UpdateResult } from '../../cohort/index.ts';
import type { Run } from '../command.ts';
import { printable, write } from '../terminal.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, formatTable, plural } from './text.ts';

/** Names that are listed one by one. */
const MOST_NAMED = 20;

/** The difference, in series and in files. */
export async function printUpdate(run: Run, update: UpdatePlan, retirement: Retirement): Promise<void> {
  const { difference, folder, plan, gone } = update;
  const { series, fresh, unchanged, moves, retired } = difference;
  const from = folder.lock.release;
  const to = plan.cohort.release;
  const sum = (files: readonly { size: number }[]) => files.reduce((bytes, { size }) => bytes + size, 0);
  const moved = { files: moves.length, bytes: sum(moves.map((one) => one.from)) };
  const retiring = { files: retired.length, bytes: sum(retired.map(({ file }) => file)) };
  if (run.json) {
    const withdrawn = gone.map(({ series: one, reason }) => ({
      SeriesInstanceUID: one.SeriesInstanceUID,
      crdc_series_uuid: one.crdc_series_uuid,
      reason,
    }));
    await write(
      run.terminal.out,
      `${toJson({ type: 'update', from, to, directory: folder.directory, changes: series, files: { fresh, unchanged, moved, retired: retiring }, retirement, gone: withdrawn })}\n`,
    );
    return;
  }
  for (const { series: one, reason } of gone.slice(0, MOST_NAMED))
    await write(
      run.terminal.err,
      `${run.err.yellow('gone')} ${printable(one.SeriesInstanceUID ?? one.crdc_series_uuid)} ${printable(reason)}\n`,
    );
  if (gone.length > MOST_NAMED)
    await write(run.terminal.err, `… and ${formatCount(gone.length - MOST_NAMED)} more (--json lists all)\n`);
  await write(run.terminal.out, `${from ?? 'pinned'} → ${to ?? 'pinned'}\n\n`);
  const rows = SERIES_CHANGES.map((change) => {
    const { series: count, filesBefore, filesAfter, bytesBefore, bytesAfter } = series[change];
    return [
      change,
      formatCount(count),
      formatCount(filesBefore),
      formatCount(filesAfter),
      formatBytes(bytesBefore),
      formatBytes(bytesAfter),
    ];
  });
  const columns = ['change', 'series', 'files_before', 'files_after', 'bytes_before', 'bytes_after'];
  await write(run.terminal.out, formatTable(columns, rows));
  const amount = ({ files, bytes }: { files: number; bytes: number }) =>
    `${plural(files, 'file')}, ${formatBytes(bytes)}`;
  const lines = [
    `new: ${amount(fresh)}; unchanged: ${amount(unchanged)}`,
    ...(moved.files > 0 ? [`under another path, renamed: ${amount(moved)}`] : []),
    ...(retiring.files > 0
      ? [`not in ${to ?? 'it'} any more: ${amount(retiring)}, ${WORDS[retirement](update)}`]
      : []),
  ];
  await write(run.terminal.out, `\n${lines.join('\n')}\n`);
  const replaced = retired.filter((one) => one.replaced).length;
  if (retirement === 'keep' && replaced > 0)
    await write(
      run.terminal.err,
      `${run.err.yellow('note:')} ${plural(replaced, 'file')} cannot be kept: new ones take their paths (--retired move keeps them)\n`,
    );
}

const WORDS: Record<Retirement, (update: UpdatePlan) => string> = {
  keep: () => 'kept where they are',
  move: ({ retiredFolder }) => `moved to ${retiredFolder}/`,
  remove: () => 'removed',
};

/** What was done beside the fetching. */
export async function printUpdated(
  run: Run,
  update: UpdatePlan,
  result: UpdateResult,
  retirement: Retirement,
): Promise<void> {
  const { retired, leftAlone, complete, oldLock } = result;
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({ type: 'retired', how: retirement, files: retired.length, bytes: retired.reduce((bytes, { size }) => bytes + size, 0), leftAlone, oldLock: oldLock ?? null, complete })}\n`,
    );
    return;
  }
  for (const path of leftAlone.slice(0, MOST_NAMED))
    await write(
      run.terminal.err,
      `${run.err.yellow('left alone')} ${printable(path)}: it was changed since it was fetched\n`,
    );
  if (leftAlone.length > MOST_NAMED)
    await write(
      run.terminal.err,
      `… and ${formatCount(leftAlone.length - MOST_NAMED)} more (--json lists all)\n`,
    );
  if (!complete)
    await write(
      run.terminal.err,
      `${run.err.red('not done')}: nothing was retired, and the lock file is still that of ${update.folder.lock.release ?? 'before'}; run the same command again\n`,
    );
  else if (retired.length > 0 && !run.quiet)
    await write(
      run.terminal.err,
      `${plural(retired.length, 'file')} ${retirement === 'move' ? `moved to ${update.retiredFolder}/` : 'removed'}\n`,
    );
}
