/** What `carrel get` does with names and selections: rows, objects, plan, files, lock file. */
import { resolve } from 'node:path';
import {
  fetchPlanned,
  type GetOptions,
  getPlanned,
  lookForCopies,
  parsePart,
  planCohort,
  type Question,
  resolveCohort,
  resultUntil,
  takePart,
} from '../cohort/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { AsKind } from '../identifiers/index.ts';
import type { FetchOrder } from '../transfer/index.ts';
import { VERSION } from '../version.ts';
import type { Run } from './command.ts';
import { atDesk } from './desk.ts';
import type { ExitCode } from './exit-codes.ts';
import { limited, ordered, stopAfter } from './limit-plan.ts';
import { openMirrorMemory } from './mirror-memory.ts';
import { elsewhereOf } from './nbia-flags.ts';
import { byteRate } from './numbers.ts';
import {
  endOfPlan,
  printCohortNotes,
  printPlan,
  printResult,
  printStopped,
  unresolvedOf,
} from './output/get-report.ts';
import { createProgress } from './output/progress.ts';
import { formatCount, plural } from './output/text.ts';
import { readStdin } from './read-stdin.ts';
import { reuseOf } from './reuse-sources.ts';
import { runAgain } from './run-again.ts';
import { selectionOf } from './selection-flags.ts';
import { textOf } from './settings.ts';
import { write } from './terminal.ts';
import { archivePath, writeArchive } from './write-archive.ts';

/** Fetches what is named or selected; the answer is the exit code. */
export async function getNamed(
  run: Run,
  what: string[],
  flags: Record<string, unknown>,
): Promise<ExitCode | undefined> {
  const question: Question = {
    what,
    selection: selectionOf(flags),
    as: flags['as'] as AsKind | undefined,
    all: flags['all'] === true,
    strict: flags['strict'] === true,
    endpoint: flags['endpoint'] as string | undefined,
    elsewhere: elsewhereOf(flags),
    readStdin: () => readStdin(run.terminal),
  };
  const jobs = textOf(run.settings, 'jobs');
  const bandwidth = textOf(run.settings, 'bandwidth');
  const options: GetOptions = {
    directory: resolve(run.terminal.cwd, String(flags['output'])),
    layout: run.settings.layout.origin === 'default' ? undefined : textOf(run.settings, 'layout'),
    licensePolicy: textOf(run.settings, 'license_policy'),
    lockPath: typeof flags['lock'] === 'string' ? resolve(run.terminal.cwd, flags['lock']) : undefined,
    verify: verification(textOf(run.settings, 'verify')),
    names: flags['names'] as 'strict' | 'escape',
    mirrorMemory: openMirrorMemory(run),
    jobs: jobs === 'auto' ? 'auto' : wholeNumber('--jobs', jobs),
    bandwidth: bandwidth === 'unlimited' ? undefined : byteRate(bandwidth),
    fsync: flushing(textOf(run.settings, 'fsync')),
    reuse: await reuseOf(run, flags),
    receipts: { command: 'get', version: VERSION },
  };
  const part =
    typeof flags['part'] === 'string'
      ? parsePart(flags['part'], flags['partBase'] === '0' ? 0 : 1)
      : undefined;
  const order = flags['fetchOrder'] as FetchOrder;
  options.order = order;
  const stop = typeof flags['stopAfter'] === 'string' ? stopAfter(flags['stopAfter']) : undefined;
  const format = flags['to'] as 'tar' | 'zip' | undefined;
  const archive = format === undefined ? undefined : archivePath(run, String(flags['output']));
  if (format !== undefined && stop !== undefined)
    throw new CarrelError('usage', '--stop-after would leave an archive that is not whole', {
      item: '--stop-after',
      next: 'select less, or take a share with --part',
    });
  return await atDesk(run, async (desk) => {
    if (!run.quiet && !run.json)
      await write(run.terminal.err, `${run.err.dim(`${desk.archive.title}: resolving …`)}\n`);
    const tools = await desk.tools(question.selection.release);
    const whole = await resolveCohort(question, tools, { cwd: run.terminal.cwd });
    const cohort = part === undefined ? whole : takePart(whole, part);
    await printCohortNotes(run, cohort);
    if (part !== undefined && !run.quiet && !run.json)
      await write(
        run.terminal.err,
        `part ${part.index} of ${part.of}: ${formatCount(cohort.series.length)} of ${plural(whole.series.length, 'series', 'series')}\n`,
      );
    const tcia = cohort.elsewhere === undefined ? undefined : await import('./tcia-series.ts');
    const say = tcia === undefined ? undefined : await import('./output/nbia-report.ts');
    const nbia = await tcia?.planNbia(run, desk, cohort, {
      licensePolicy: textOf(run.settings, 'license_policy'),
      flags,
      part,
    });
    let plan = await planCohort(
      cohort,
      tools,
      format === undefined ? options : { ...options, listings: 'none' },
    );
    if (format !== undefined && flags['dryRun'] !== true) {
      await printPlan(run, plan);
      plan.files = ordered(plan.files, order);
      await writeArchive(run, plan, tools, { ...options, format, path: archive });
      return unresolvedOf(plan).length === 0 ? 0 : 3;
    }
    let left = 0;
    if (stop !== undefined) ({ plan, left } = await limited(plan, options.directory, order, stop));
    if (options.reuse !== false && options.reuse !== undefined && options.verify === 'full')
      plan.local = await lookForCopies(plan.files, options.directory, options.reuse, run.signal);
    await printPlan(run, plan);
    if (nbia !== undefined) await say?.printNbiaPlan(run, nbia);
    if (flags['dryRun'] === true) return await endOfPlan(run, plan, options);
    const fetchNbia = async () =>
      nbia === undefined
        ? undefined
        : await tcia?.fetchNbia(run, desk, nbia, {
            directory: options.directory,
            layout: options.layout,
            others: plan.files.length,
            part: part === undefined ? undefined : `${part.index}-of-${part.of}`,
          });
    // Without anything of the archive there is nothing to pin.
    if (nbia !== undefined && plan.files.length === 0) {
      const outcome = await fetchNbia();
      return (await say?.printNbiaSummary(run, outcome, options.directory, unresolvedOf(plan).length)) ?? 0;
    }
    if (nbia !== undefined) options.freeSpaceReserve = await tcia?.reserveForNbia(nbia, options);
    const requestsBefore = desk.pool.stats.requests;
    try {
      const progress = await createProgress(run);
      if (left > 0) {
        const part = await fetchPlanned(plan, tools, { ...options, onEvent: progress.report }).finally(
          progress.end,
        );
        return await printStopped(run, part.transfer, left);
      }
      const result = await getPlanned(plan, tools, { ...options, onEvent: progress.report }).finally(
        progress.end,
      );
      // Threads of the transfer have connections of their own, which the desk's pool does not see.
      const forFiles = Math.max(result.transfer.requests, desk.pool.stats.requests - requestsBefore);
      const outcome = await fetchNbia();
      return await printResult(
        run,
        result,
        options,
        requestsBefore + forFiles,
        requestsBefore,
        outcome?.exit,
      );
    } catch (error) {
      if (!isCarrelError(error, 'interrupted')) throw error;
      const done = resultUntil(error);
      throw new CarrelError(
        'interrupted',
        `interrupted: ${formatCount((done?.fetched ?? 0) + (done?.present ?? 0) + (done?.reused ?? 0))} of ${plural(plan.files.length, 'file')} are in place`,
        { next: runAgain(run.argv) },
      );
    }
  });
}

function verification(text: string): 'full' | 'size' | 'none' {
  if (text === 'full' || text === 'size' || text === 'none') return text;
  throw new CarrelError('usage', `verify must be full, size or none, not ${JSON.stringify(text)}`, {
    item: text,
  });
}

function flushing(text: string): 'end' | 'file' | 'never' {
  if (text === 'end' || text === 'file' || text === 'never') return text;
  throw new CarrelError('usage', `fsync must be end, file or never, not ${JSON.stringify(text)}`, {
    item: text,
  });
}

function wholeNumber(what: string, text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new CarrelError('usage', `${what} must be a whole number from 1, or auto`, { item: text });
  return Number(text);
}
