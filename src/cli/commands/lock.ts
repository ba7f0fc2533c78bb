/** `carrel lock`: pins a cohort to its bytes without fetching them. */
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { LOCK_NAME, lockCohort, planCohort, resolveCohort, writeLock } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import type { AsKind } from '../../identifiers/index.ts';
import { printLock } from '../../manifests/index.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { printCohortNotes, printPlan } from '../output/get-report.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, plural } from '../output/text.ts';
import { readStdin } from '../read-stdin.ts';
import { addSelectionFlags, selectionOf } from '../selection-flags.ts';
import { textOf } from '../settings.ts';
import { printable, shortPath, write } from '../terminal.ts';

/** `carrel lock`. */
export const spec: CommandSpec = {
  name: 'lock',
  summary: 'pin a cohort to its bytes without fetching them',
  examples: [
    'carrel lock --collection rider_pilot --modality CT -o rider.lock.json',
    'carrel lock --collection nlst --sample 50 --seed 1 --release v24 -o nlst.lock.json',
    'carrel lock manifest.s5cmd -o -',
    'carrel get rider.lock.json -o data',
  ],
  exitCodes: [0, 1, 2, 3, 4, 6, 8, 130],
  define(command) {
    command
      .argument('[what...]', 'as for carrel get')
      .addOption(new Option('-o, --output <file>', 'the lock file, or - for stdout').default(LOCK_NAME))
      .addOption(new Option('--from <mirror>', 'auto, or a mirror by name: aws, gcs'))
      .addOption(new Option('--layout <template>', 'names of files, as for carrel get'))
      .addOption(new Option('--license-policy <policy>', 'any, commercial, or licences separated by commas'))
      .addOption(new Option('--as <kind>', 'what the names are, as for carrel get'))
      .addOption(new Option('--all', 'take everything that an ambiguous name stands for'))
      .addOption(new Option('--endpoint <url>', 'endpoint of buckets that are not the archive’s'));
    addSelectionFlags(command);
  },
  async run(run, what, flags) {
    const output = String(flags['output']);
    const path = output === '-' ? undefined : resolve(run.terminal.cwd, output);
    return await atDesk(run, async (desk) => {
      const selection = selectionOf(flags);
      const tools = await desk.tools(selection.release);
      const cohort = await resolveCohort(
        {
          what,
          selection,
          as: flags['as'] as AsKind | undefined,
          all: flags['all'] === true,
          strict: flags['strict'] === true,
          endpoint: flags['endpoint'] as string | undefined,
          readStdin: () => readStdin(run.terminal),
        },
        tools,
        { cwd: run.terminal.cwd },
      );
      if (path !== undefined || !run.json) await printCohortNotes(run, cohort);
      const plan = await planCohort(cohort, tools, {
        directory: path === undefined ? run.terminal.cwd : dirname(path),
        listings: 'none',
        layout: run.settings.layout.origin === 'default' ? undefined : textOf(run.settings, 'layout'),
        licensePolicy: textOf(run.settings, 'license_policy'),
      });
      if (path !== undefined || !run.json) await printPlan(run, plan);
      if (plan.files.length === 0)
        throw new CarrelError('not-found', 'there is nothing to pin: no file was found', {
          item: output,
          next: 'carrel search --count says what a selection holds',
        });
      const { lock, bySizeOnly, unpinned } = await lockCohort(plan, tools);
      const missing = cohort.unresolved.length + plan.failed.length + unpinned.length;
      const exit = missing === 0 ? 0 : 3;
      if (path === undefined) {
        await write(run.terminal.out, printLock(lock));
        return exit;
      }
      const movedLock = await writeLock(lock, path);
      const where = shortPath(run.terminal.cwd, path);
      if (run.json) {
        await write(
          run.terminal.out,
          `${toJson({ type: 'summary', lock: where, series: lock.series.length, files: plan.files.length - unpinned.length, bytes: plan.bytes, bySizeOnly: bySizeOnly.length, unpinned, unresolved: missing - unpinned.length, movedLock: movedLock ?? null, exit })}\n`,
        );
        return exit;
      }
      const note = async (message: string) => {
        if (!run.quiet) await write(run.terminal.err, `${run.err.dim('note:')} ${printable(message)}\n`);
      };
      if (movedLock !== undefined) await note(`the lock file of another cohort was kept as ${movedLock}`);
      if (bySizeOnly.length > 0)
        await note(
          `${plural(bySizeOnly.length, 'file')} pinned by key and size only: no mirror tells a digest; carrel get adds it`,
        );
      for (const file of unpinned.slice(0, 20)) await note(`not pinned, its size is unknown: ${file}`);
      await write(
        run.terminal.out,
        `pinned: ${plural(lock.series.length, 'series', 'series')}, ${plural(plan.files.length - unpinned.length, 'file')}, ${formatBytes(plan.bytes)} in ${printable(where)}\n`,
      );
      return exit;
    });
  },
};
