/** `carrel update`: moves a folder that was fetched from one release to another. */
import { relative, resolve } from 'node:path';
import { Option } from 'commander';
import {
  carryOutUpdate,
  lookForCopies,
  openLockedFolder,
  planUpdate,
  type Retirement,
  resultUntil,
} from '../../cohort/index.ts';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import { type CommandSpec, collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import type { ExitCode } from '../exit-codes.ts';
import { endOfPlan, printCohortNotes, printPlan, printResult } from '../output/get-report.ts';
import { createProgress } from '../output/progress.ts';
import { formatCount, plural } from '../output/text.ts';
import { printUpdate, printUpdated } from '../output/update-report.ts';
import { reuseOf } from '../reuse-sources.ts';
import { textOf } from '../settings.ts';
import { shortPath } from '../terminal.ts';

/** `carrel update`. */
export const spec: CommandSpec = {
  name: 'update',
  summary: 'move a fetched folder to another release, fetching only what changed',
  examples: [
    'carrel update data --dry-run',
    'carrel update data',
    'carrel update data --to v24 --retired move',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 130],
  define(command) {
    command
      .argument('<folder>', 'a folder that carrel get filled')
      .addOption(new Option('--to <release>', 'the release to move to (default: the newest installed)'))
      .addOption(
        new Option('--retired <how>', 'files that the release does not have any more: keep, move or remove')
          .choices(['keep', 'move', 'remove'])
          .default('keep'),
      )
      .addOption(new Option('--dry-run', 'stop after the difference'))
      .addOption(new Option('--from <mirror>', 'auto, or a mirror by name: aws, gcs'))
      .addOption(new Option('--license-policy <policy>', 'any, commercial, or licences separated by commas'))
      .addOption(
        new Option('--reuse <dir>', 'look for bytes in this folder too (repeatable)').argParser(collect),
      )
      .addOption(new Option('--no-reuse', 'look for bytes nowhere but in the folder itself'));
  },
  async run(run, [path = '.'], flags) {
    const folder = await openLockedFolder(resolve(run.terminal.cwd, path));
    const { directory } = folder;
    const retirement = flags['retired'] as Retirement;
    const named = await reuseOf(run, flags);
    const reuse = named === false ? {} : named;
    return await atDesk(run, async (desk) => {
      const tools = await desk.tools(typeof flags['to'] === 'string' ? flags['to'] : undefined);
      const update = await planUpdate(folder, tools, {
        cwd: run.terminal.cwd,
        licensePolicy: textOf(run.settings, 'license_policy'),
      });
      const { plan } = update;
      await printCohortNotes(run, plan.cohort);
      plan.local = await lookForCopies(plan.files, directory, reuse, run.signal);
      await printUpdate(run, update, retirement);
      await printPlan(run, plan);
      if (flags['dryRun'] === true) return await endOfPlan(run, plan, { directory });
      const before = desk.pool.stats.requests;
      try {
        const progress = await createProgress(run);
        const result = await carryOutUpdate(update, tools, {
          retirement,
          reuse,
          receipts: { command: 'update', version: VERSION },
          onEvent: progress.report,
        }).finally(progress.end);
        await printUpdated(run, update, result, retirement);
        const exit = await printResult(run, result, { directory }, desk.pool.stats.requests, before);
        return result.complete ? exit : exit === 0 ? (3 satisfies ExitCode) : exit;
      } catch (error) {
        if (!isCarrelError(error, 'interrupted')) throw error;
        const done = resultUntil(error);
        const there = (done?.fetched ?? 0) + (done?.present ?? 0) + (done?.reused ?? 0);
        const to = plan.cohort.release === null ? '' : ` --to ${plan.cohort.release}`;
        const where =
          relative(run.terminal.cwd, directory) === '' ? '.' : shortPath(run.terminal.cwd, directory);
        throw new CarrelError(
          'interrupted',
          `interrupted: ${formatCount(there)} of ${plural(plan.files.length, 'file')} are in place; the lock file is still that of ${folder.lock.release ?? 'before'}`,
          { next: `carrel update '${where}'${to} --retired ${retirement}   (goes on where it stopped)` },
        );
      }
    });
  },
};
