/** `carrel get`: the main job. Names or a selection to verified files and a lock file. */
import { Option } from 'commander';
import { resolve } from 'node:path';
import {
  type Cohort,
  type CohortPlan,
  type GetOptions,
  type GetResult,
  getPlanned,
  planCohort,
  type Question,
  resolveCohort,
  resultUntil,
} from '../../cohort/index.ts';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { AsKind } from '../../identifiers/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { byteRate } from '../numbers.ts';
import { createProgress } from '../output/progress.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatSeconds, plural } from '../output/text.ts';
import { readStdin } from '../read-stdin.ts';
import { addSelectionFlags, selectionOf } from '../selection-flags.ts';
import { textOf } from '../settings.ts';
import { printable, shortPath, write } from '../terminal.ts';

/** `carrel get`. */
export const spec: CommandSpec = {
  name: 'get',
  summary: 'fetch and verify what is named; write carrel.lock.json',
  examples: [
    'carrel get 1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101 -o data',
    'carrel get --collection rider_pilot --modality CT --limit 5 -o data',
    "carrel get manifest.s5cmd 's3://idc-open-data/28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19/*' -o data",
    'carrel get data/carrel.lock.json -o again',
    'carrel get --collection nlst --dry-run',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 130],
  define(command) {
    command
      .argument('[what...]', 'UIDs, UUIDs, URLs, collections, PatientIDs, DOIs, manifests, lock files, or - for stdin')
      .addOption(new Option('-o, --output <dir>', 'destination').default('.'))
      .addOption(new Option('--dry-run', 'stop after the plan'))
      .addOption(new Option('--from <mirror>', 'auto, or a mirror by name: aws, gcs'))
      .addOption(new Option('--layout <template>', 'names of files, such as {collection_id}/{PatientID}/{file}'))
      .addOption(new Option('--license-policy <policy>', 'any, commercial, or licences separated by commas'))
      .addOption(new Option('--verify <how>', 'full, size or none').choices(['full', 'size', 'none']))
      .addOption(new Option('--jobs <n>', 'files in flight, or auto'))
      .addOption(new Option('--bandwidth <rate>', 'at most so many bytes per second: 50M'))
      .addOption(new Option('--lock <file>', 'where to write the lock file'))
      .addOption(new Option('--as <kind>', 'what the names are: series, study, instance, patient, collection, analysis-result, uuid, url, path, doi, drs'))
      .addOption(new Option('--all', 'take everything that an ambiguous name stands for'))
      .addOption(new Option('--endpoint <url>', 'endpoint of buckets that are not the archive’s'));
    addSelectionFlags(command);
  },
  async run(run, what, flags) {
    const question: Question = {
      what,
      selection: selectionOf(flags),
      as: flags['as'] as AsKind | undefined,
      all: flags['all'] === true,
      strict: flags['strict'] === true,
      endpoint: flags['endpoint'] as string | undefined,
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
      jobs: jobs === 'auto' ? 'auto' : wholeNumber('--jobs', jobs),
      bandwidth: bandwidth === 'unlimited' ? undefined : byteRate(bandwidth),
    };
    return await atDesk(run, async (desk) => {
      if (!run.quiet && !run.json) await write(run.terminal.err, `${run.err.dim(`${desk.archive.title}: resolving …`)}\n`);
      const tools = await desk.tools(question.selection.release);
      const cohort = await resolveCohort(question, tools, { cwd: run.terminal.cwd });
      await printNotes(run, cohort);
      const plan = await planCohort(cohort, tools, options);
      await printPlan(run, plan);
      if (flags['dryRun'] === true) return await endOfPlan(run, plan, options);
      const requestsBefore = desk.pool.stats.requests;
      try {
        const progress = await createProgress(run);
        const result = await getPlanned(plan, tools, { ...options, onEvent: progress.report }).finally(progress.end);
        return await printResult(run, result, options, desk.pool.stats.requests, requestsBefore);
      } catch (error) {
        if (!isCarrelError(error, 'interrupted')) throw error;
        const done = resultUntil(error);
        throw new CarrelError('interrupted', `interrupted: ${formatCount((done?.fetched ?? 0) + (done?.present ?? 0))} of ${plural(plan.files.length, 'file')} are in place`, {
          next: `carrel ${run.argv.map(quote).join(' ')}   (the same command goes on where it stopped)`,
        });
      }
    });
  },
};

async function printNotes(run: Run, cohort: Cohort): Promise<void> {
  if (run.json || run.quiet) return;
  const seen = new Set<string>();
  for (const { item, message } of cohort.notes) {
    const line = item === undefined || message.includes(item) ? message : `${item}: ${message}`;
    if (seen.has(line)) continue;
    seen.add(line);
    if (seen.size === 20) await write(run.terminal.err, `${run.err.dim('note:')} … and more; --json lists all\n`);
    if (seen.size >= 20) continue;
    await write(run.terminal.err, `${run.err.dim('note:')} ${printable(line)}\n`);
  }
}

async function printPlan(run: Run, plan: CohortPlan): Promise<void> {
  const { cohort, files, bytes, licenses } = plan;
  const failures = unresolvedOf(plan);
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({
        type: 'cohort',
        archive: cohort.archive.name,
        release: cohort.release,
        series: cohort.series.length,
        files: files.length,
        bytes,
        licenses,
        notes: [...cohort.notes, ...plan.notes.map((message) => ({ message }))],
        unresolved: failures.map(({ item, origin, error }) => ({ item, origin, code: error.code, message: error.message, next: error.next ?? null })),
      })}\n`,
    );
    return;
  }
  for (const { item, origin, error } of failures.slice(0, 20)) {
    const where = origin === 'argument' ? '' : `${origin}: `;
    await write(run.terminal.err, `${run.err.red('not found')} ${printable(`${where}${error.message.includes(item) ? '' : `${item}: `}${error.message}`)}\n`);
    if (error.next !== undefined) await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
  }
  if (failures.length > 20) await write(run.terminal.err, `… and ${plural(failures.length - 20, 'more item')} (--json lists all)\n`);
  if (run.quiet) return;
  for (const message of plan.notes) await write(run.terminal.err, `${run.err.dim('note:')} ${printable(message)}\n`);
  const where = cohort.release === null ? cohort.archive.name : `${cohort.archive.name} ${cohort.release}`;
  const series = cohort.series.length > 0 ? `${formatCount(cohort.series.length)} series, ` : '';
  await write(run.terminal.err, `${run.err.bold(where)}: ${series}${plural(files.length, 'file')}, ${formatBytes(bytes)}\n`);
  for (const { license, series: count, bytes: size } of licenses) {
    await write(run.terminal.err, `  ${printable(license ?? 'licence not stated')}: ${formatCount(count)} series, ${formatBytes(size)}\n`);
  }
}

/** Names that led nowhere and series that no bucket has, together. */
function unresolvedOf(plan: CohortPlan): Cohort['unresolved'] {
  return [
    ...plan.cohort.unresolved,
    ...plan.failed.map(({ series, error }) => ({ item: series.crdc_series_uuid, origin: 'argument', error })),
  ];
}

async function endOfPlan(run: Run, plan: CohortPlan, options: GetOptions): Promise<ExitCode> {
  if (run.json) await write(run.terminal.out, `${toJson({ type: 'summary', dryRun: true, planned: plan.files.length, bytes: plan.bytes, directory: options.directory })}\n`);
  else await write(run.terminal.out, `dry run: ${plural(plan.files.length, 'file')}, ${formatBytes(plan.bytes)} would be in ${printable(options.directory)}\n`);
  return unresolvedOf(plan).length === 0 ? 0 : 3;
}

async function printResult(run: Run, result: GetResult, options: GetOptions, requests: number, requestsBefore: number): Promise<ExitCode> {
  const { transfer, plan } = result;
  const exit = exitOf(result);
  const lock = shortPath(run.terminal.cwd, result.lockPath);
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({
        type: 'summary',
        planned: transfer.planned,
        fetched: transfer.fetched,
        present: transfer.present,
        failed: transfer.failed.length,
        unresolved: unresolvedOf(plan).length,
        bytesFetched: transfer.bytesFetched,
        bytesPresent: transfer.bytesPresent,
        verifiedBy: transfer.verifiedBy,
        requests,
        requestsForFiles: requests - requestsBefore,
        milliseconds: transfer.milliseconds,
        directory: options.directory,
        lock,
        exit,
      })}\n`,
    );
    return exit;
  }
  if (result.movedLock !== undefined && !run.quiet) {
    await write(run.terminal.err, `${run.err.dim('note:')} the lock file of another cohort was kept as ${result.movedLock}\n`);
  }
  const evidence = Object.entries(transfer.verifiedBy)
    .map(([kind, count]) => (kind === 'none' ? `${formatCount(count)} not verified` : `${formatCount(count)} by ${kind === 'size' ? 'size only' : kind.toUpperCase()}`))
    .join(', ');
  const parts = [
    `${formatCount(transfer.fetched)} fetched (${formatBytes(transfer.bytesFetched)} in ${formatSeconds(transfer.milliseconds / 1000)})`,
    `${formatCount(transfer.present)} already here`,
    `${formatCount(transfer.failed.length)} failed`,
    ...(evidence === '' ? [] : [`verified: ${evidence}`]),
    requests === 0 ? 'no request made' : plural(requests, 'request'),
  ];
  await write(run.terminal.out, `${exit === 0 ? run.out.green('complete') : run.out.red('incomplete')}: ${parts.join(', ')}\n`);
  await write(run.terminal.out, `files in ${printable(options.directory)}, pinned by ${printable(lock)}\n`);
  return exit;
}

/** 0 only if every planned byte is present and everything that was named was found. */
function exitOf({ transfer, plan }: GetResult): ExitCode {
  const missing = unresolvedOf(plan);
  if (transfer.failed.length === 0) return missing.length === 0 ? 0 : 3;
  const came = transfer.fetched + transfer.present;
  if (transfer.failed.every(({ error }) => error.code === 'verification')) return 5;
  const first = transfer.failed[0];
  return came > 0 || first === undefined ? 3 : exitCodeOf(first.error.code);
}

function verification(text: string): 'full' | 'size' | 'none' {
  if (text === 'full' || text === 'size' || text === 'none') return text;
  throw new CarrelError('usage', `verify must be full, size or none, not ${JSON.stringify(text)}`, { item: text });
}

function wholeNumber(what: string, text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0) throw new CarrelError('usage', `${what} must be a whole number from 1, or auto`, { item: text });
  return Number(text);
}

function quote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
