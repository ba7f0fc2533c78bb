/** What `carrel get` says: notes, the plan, and the honest line at the end. */
import type { Cohort, CohortPlan, GetOptions, GetResult, MissingFile } from '../../cohort/index.ts';
import type { Run } from '../command.ts';
import { type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { collectionTable } from './collection-table.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, formatSeconds, plural } from './text.ts';

/** Notes about how the names were understood. */
export async function printCohortNotes(run: Run, cohort: Cohort): Promise<void> {
  if (run.json || run.quiet) return;
  const seen = new Set<string>();
  for (const { item, message } of cohort.notes) {
    const line = item === undefined || message.includes(item) ? message : `${item}: ${message}`;
    if (seen.has(line)) continue;
    seen.add(line);
    if (seen.size === 20)
      await write(run.terminal.err, `${run.err.dim('note:')} … and more; --json lists all\n`);
    if (seen.size >= 20) continue;
    await write(run.terminal.err, `${run.err.dim('note:')} ${printable(line)}\n`);
  }
}

/** What will be fetched, under which licences, and what was not found. */
export async function printPlan(run: Run, plan: CohortPlan): Promise<void> {
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
        unresolved: failures.map(({ item, origin, error }) => ({
          item,
          origin,
          code: error.code,
          message: error.message,
          next: error.next ?? null,
        })),
      })}\n`,
    );
    await printLocal(run, plan);
    return;
  }
  let said: string | undefined;
  for (const { item, origin, error } of failures.slice(0, 20)) {
    const where = origin === 'argument' ? '' : `${origin}: `;
    await write(
      run.terminal.err,
      `${run.err.red('not found')} ${printable(`${where}${error.message.includes(item) ? '' : `${item}: `}${error.message}`)}\n`,
    );
    if (error.next !== undefined && error.next !== said)
      await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
    said = error.next;
  }
  if (failures.length > 20)
    await write(run.terminal.err, `… and ${plural(failures.length - 20, 'more item')} (--json lists all)\n`);
  if (run.quiet) return;
  for (const message of plan.notes)
    await write(run.terminal.err, `${run.err.dim('note:')} ${printable(message)}\n`);
  const where = cohort.release === null ? cohort.archive.name : `${cohort.archive.name} ${cohort.release}`;
  const series = cohort.series.length > 0 ? `${formatCount(cohort.series.length)} series, ` : '';
  await write(
    run.terminal.err,
    `${run.err.bold(where)}: ${series}${plural(files.length, 'file')}, ${formatBytes(bytes)}\n`,
  );
  for (const { license, series: count, bytes: size } of licenses) {
    await write(
      run.terminal.err,
      `  ${printable(license ?? 'licence not stated')}: ${formatCount(count)} series, ${formatBytes(size)}\n`,
    );
  }
  await printLocal(run, plan);
}

/** What need not be fetched, and where it stands. */
async function printLocal(run: Run, { local, files, bytes }: CohortPlan): Promise<void> {
  if (local === undefined) return;
  if (run.json) {
    if (local.files === 0) return;
    const { from } = local;
    await write(
      run.terminal.out,
      `${toJson({ type: 'reuse', files: local.files, bytes: local.bytes, from })}\n`,
    );
    return;
  }
  const say = (text: string) => write(run.terminal.err, `  ${text}\n`);
  if (local.files > 0)
    await say(
      `on this machine already: ${formatCount(local.files)} of ${plural(files.length, 'file')}, ${formatBytes(local.bytes)} of ${formatBytes(bytes)}`,
    );
  for (const { folder, files: count, bytes: size } of local.from.slice(0, 5)) {
    const where = printable(shortPath(run.terminal.cwd, folder));
    await say(`  in ${where}: ${plural(count, 'file')}, ${formatBytes(size)}`);
  }
  if (local.from.length > 5) await say(`  … and in ${plural(local.from.length - 5, 'more folder')}`);
  for (const folder of local.copies.passedOver.slice(0, 3))
    await say(`not looked through, for it is large: ${printable(folder)} (--reuse does)`);
}

/** Names that led nowhere and series that no bucket has, together. */
export function unresolvedOf(plan: CohortPlan): Cohort['unresolved'] {
  return [
    ...plan.cohort.unresolved,
    ...plan.failed.map(({ series, error }) => ({ item: series.crdc_series_uuid, origin: 'argument', error })),
  ];
}

/** The end of a dry run. */
export async function endOfPlan(run: Run, plan: CohortPlan, options: GetOptions): Promise<ExitCode> {
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ type: 'summary', dryRun: true, planned: plan.files.length, bytes: plan.bytes, ...(plan.local === undefined ? {} : { reuse: plan.local.files, bytesReuse: plan.local.bytes }), directory: options.directory })}\n`,
    );
  else
    await write(
      run.terminal.out,
      `dry run: ${plural(plan.files.length, 'file')}, ${formatBytes(plan.bytes)} would be in ${printable(options.directory)}${plan.local === undefined || plan.local.files === 0 ? '' : `, ${formatCount(plan.local.files)} of them from this machine (${formatBytes(plan.local.bytes)})`}\n`,
    );
  return unresolvedOf(plan).length === 0 ? 0 : 3;
}

/** The one honest line at the end, and the exit code. */
export async function printResult(
  run: Run,
  result: GetResult,
  options: GetOptions,
  requests: number,
  requestsBefore: number,
  /** How what came from elsewhere ended, where this part went well. */
  also: ExitCode = 0,
): Promise<ExitCode> {
  const { transfer, plan } = result;
  const here = exitOf(result);
  const exit = here === 0 ? also : here;
  const lock = shortPath(run.terminal.cwd, result.lockPath);
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({
        type: 'summary',
        planned: transfer.planned,
        fetched: transfer.fetched,
        present: transfer.present,
        reused: transfer.reused,
        failed: transfer.failed.length,
        redacted: missingOf(result, 'redacted').length,
        lost: missingOf(result, 'lost').length,
        missing: result.missing,
        unresolved: unresolvedOf(plan).length,
        bytesFetched: transfer.bytesFetched,
        bytesPresent: transfer.bytesPresent,
        bytesReused: transfer.bytesReused,
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
    await write(
      run.terminal.err,
      `${run.err.dim('note:')} the lock file of another cohort was kept as ${result.movedLock}\n`,
    );
  }
  await printMissing(run, result.missing);
  const evidence = Object.entries(transfer.verifiedBy)
    .map(([kind, count]) =>
      kind === 'none'
        ? `${formatCount(count)} not verified`
        : `${formatCount(count)} by ${kind === 'size' ? 'size only' : kind.toUpperCase()}`,
    )
    .join(', ');
  const parts = [
    `${formatCount(transfer.fetched)} fetched (${formatBytes(transfer.bytesFetched)} in ${formatSeconds(transfer.milliseconds / 1000)})`,
    `${formatCount(transfer.present)} already here`,
    ...(transfer.reused === 0
      ? []
      : [`${formatCount(transfer.reused)} taken from this machine (${formatBytes(transfer.bytesReused)})`]),
    failedText(result),
    ...(evidence === '' ? [] : [`verified: ${evidence}`]),
    requests === 0 ? 'no request made' : plural(requests, 'request'),
  ];
  const table = run.quiet ? undefined : collectionTable(result, widthOf(run));
  if (table !== undefined) await write(run.terminal.out, `${table}\n`);
  await write(
    run.terminal.out,
    `${exit === 0 ? run.out.green('complete') : run.out.red('incomplete')}: ${parts.join(', ')}\n`,
  );
  await write(run.terminal.out, `files in ${printable(options.directory)}, pinned by ${printable(lock)}\n`);
  return exit;
}

/** The end of a run that stopped where it was told to: no lock file was written, for the cohort is not whole. */
export async function printStopped(
  run: Run,
  transfer: GetResult['transfer'],
  left: number,
): Promise<ExitCode> {
  const { planned, fetched, reused, present, failed, bytesFetched } = transfer;
  if (run.json) {
    const amounts = { planned, fetched, present, reused, failed: failed.length, bytesFetched, left };
    await write(run.terminal.out, `${toJson({ type: 'summary', stopped: true, ...amounts, exit: 3 })}\n`);
  } else
    await write(
      run.terminal.out,
      `stopped as told: ${formatCount(fetched)} fetched (${formatBytes(bytesFetched)}), ${formatCount(present + reused)} here, ${formatCount(failed.length)} failed, ${formatCount(left)} left; the same command goes on, and the lock file is written at the end\n`,
    );
  return 3;
}

/** Columns of the screen; a file takes lines of any length. */
function widthOf({ terminal }: Run): number | undefined {
  return terminal.out.isTTY === true ? terminal.out.columns : undefined;
}

function missingOf({ missing }: GetResult, fate: MissingFile['fate']): MissingFile[] {
  return missing.filter((one) => one.fate === fate);
}

/** `3 failed (2 redacted, 1 lost)`. */
function failedText(result: GetResult): string {
  const fates = (['redacted', 'lost'] as const)
    .map((fate) => [missingOf(result, fate).length, fate] as const)
    .filter(([count]) => count > 0)
    .map(([count, fate]) => `${formatCount(count)} ${fate}`);
  const failed = `${formatCount(result.transfer.failed.length)} failed`;
  return fates.length === 0 ? failed : `${failed} (${fates.join(', ')})`;
}

/** One line per redacted or lost file. */
export async function printMissing(run: Run, missing: readonly MissingFile[]): Promise<void> {
  for (const { path, fate, tombstone } of missing.slice(0, 20)) {
    const why =
      tombstone === null
        ? 'no mirror has it, and no tombstone explains it'
        : `by the archive on ${tombstone.date}: ${tombstone.description ?? tombstone.reason}`;
    await write(run.terminal.err, `${run.err.red(fate)} ${printable(path)}: ${printable(why)}\n`);
  }
  if (missing.length > 20)
    await write(run.terminal.err, `… and ${formatCount(missing.length - 20)} more (--json lists all)\n`);
}

/** 0 only if every planned byte is present and everything that was named was found. */
function exitOf({ transfer, plan }: GetResult): ExitCode {
  const missing = unresolvedOf(plan);
  if (transfer.failed.length === 0) return missing.length === 0 ? 0 : 3;
  const came = transfer.fetched + transfer.present + transfer.reused;
  if (transfer.failed.every(({ error }) => error.code === 'verification')) return 5;
  const first = transfer.failed[0];
  return came > 0 || first === undefined ? 3 : exitCodeOf(first.error.code);
}
