/** What `carrel tcia get` says: the plan of each package, and the honest line at the end. */
import type { CarrelError } from '../../errors.ts';
import type { PackagePlan, PackageResult } from '../../tcia/index.ts';
import type { Run } from '../command.ts';
import { type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { evidenceText } from './evidence.ts';
import { errorToJson, toJson } from './json.ts';
import { writeRows } from './rows.ts';
import { formatBytes, formatCount, formatSeconds, plural } from './text.ts';

/** All packages of a run. */
export interface Totals {
  directory: string;
  /** Without a result where it was a dry run. */
  packages: { plan: PackagePlan; result?: PackageResult | undefined }[];
}

/** Nothing yet. */
export function emptyTotals(directory: string): Totals {
  return { directory, packages: [] };
}

/** A remark on stderr; with `--json` an object, so that whoever reads errors there can read it too. */
export async function tellNote(run: Run, message: string): Promise<void> {
  if (run.quiet) return;
  const line = run.json ? toJson({ type: 'note', message }) : `${run.err.dim('note:')} ${printable(message)}`;
  await write(run.terminal.err, `${line}\n`);
}

/** An error that does not end the run. */
export async function printFailure(run: Run, error: CarrelError): Promise<void> {
  if (run.json) {
    await write(run.terminal.err, `${toJson(errorToJson(error))}\n`);
    return;
  }
  await write(run.terminal.err, `${run.err.red('failed')} ${printable(error.message)}\n`);
  if (error.next !== undefined)
    await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
}

/** What will come; in a dry run with every file. */
export async function printPackagePlan(
  run: Run,
  plan: PackagePlan,
  { files }: { files: boolean },
): Promise<void> {
  const { info, target, listing, refused, notes } = plan;
  const host = new URL(target.link.origin).host;
  if (run.json) {
    const { collection } = target;
    const document = {
      type: 'package',
      host,
      package: target.link.packageId,
      uuid: info.uuid ?? null,
      title: info.title ?? null,
      collection:
        collection === undefined
          ? null
          : { name: collection.name, version: collection.version, doi: collection.doi },
      files: plan.files.length,
      bytes: plan.bytes ?? null,
      whole: plan.whole,
      listing,
      complete: plan.complete,
      sums: plan.sums,
      refused: refused.map(({ path, error }) => ({ path, message: error.message })),
      notes,
    };
    await write(run.terminal.out, `${toJson(document)}\n`);
    if (files)
      for (const { path, local, size } of plan.files)
        await write(run.terminal.out, `${toJson({ type: 'planned', path, local, bytes: size ?? null })}\n`);
    return;
  }
  for (const note of notes) await tellNote(run, note);
  if (files) {
    const rows = plan.files.map(({ path, local, size }) => [formatBytes(size), local, path]);
    const same = plan.files.every(({ path, local }) => local.endsWith(path));
    const columns = same ? ['size', 'file'] : ['size', 'file', 'in the package'];
    await writeRows(
      run.terminal,
      { columns, numeric: [0], whole: [1], rows: [rows.map((row) => row.slice(0, columns.length))] },
      'table',
    );
  }
  for (const { error } of files ? refused : []) await printFailure(run, error);
  if (run.quiet) return;
  const size = plan.bytes === undefined ? 'size not known' : formatBytes(plan.bytes);
  const of = plan.whole ? '' : ` of ${formatCount(info.files)}`;
  const how = listing === 'sums' ? `, listed by ${plan.sums.join(', ')}` : '';
  await write(
    run.terminal.err,
    `${run.err.bold(printable(info.title ?? plan.name))} (package ${target.link.packageId} of ${printable(host)}): ` +
      `${formatCount(plan.files.length)}${of} ${plan.files.length === 1 && plan.whole ? 'file' : 'files'}, ${size}${printable(how)}\n`,
  );
  if (plan.sums.length === 0)
    await tellNote(
      run,
      'the package has no list of checksums: sizes prove its files, and a list is written here',
    );
}

/** How the packages ended. */
export function exitOfTotals({ packages }: Totals): ExitCode {
  const results = packages.flatMap(({ result }) => result ?? []);
  const refused = packages.flatMap(({ plan, result }) => (result === undefined ? plan.refused : []));
  const failed = [...results.flatMap(({ failed: some }) => some), ...refused];
  const [first] = failed;
  const short = packages.some(({ plan }) => !plan.complete);
  if (first === undefined) return short ? 3 : 0;
  if (failed.every(({ error }) => error.code === 'verification')) return 5;
  const came = results.reduce((sum, { placed }) => sum + placed.length, 0);
  return came > 0 || results.length === 0 ? 3 : exitCodeOf(first.error.code);
}

/** The last lines. */
export async function printTotals(run: Run, totals: Totals, dryRun: boolean): Promise<void> {
  const { directory, packages } = totals;
  const exit = exitOfTotals(totals);
  const sum = (of: (one: Totals['packages'][number]) => number): number =>
    packages.reduce((total, one) => total + of(one), 0);
  const planned = sum(({ plan }) => plan.files.length + plan.refused.length);
  const where = printable(shortPath(run.terminal.cwd, directory));
  if (dryRun) {
    const known = packages.every(({ plan }) => plan.bytes !== undefined);
    const bytes = sum(({ plan }) => plan.bytes ?? 0);
    const files = sum(({ plan }) => plan.files.length);
    const text = run.json
      ? toJson({
          type: 'summary',
          dryRun: true,
          planned: files,
          bytes: known ? bytes : null,
          directory,
          exit,
        })
      : `dry run: ${plural(files, 'file')}, ${known ? formatBytes(bytes) : 'size not known'} would be in ${where}`;
    await write(run.terminal.out, `${text}\n`);
    return;
  }
  const results = packages.flatMap(({ result }) => result ?? []);
  const placed = results.flatMap((result) => result.placed);
  const present = results.reduce((total, result) => total + result.present, 0);
  const failed = results.flatMap((result) => result.failed);
  const fetched = placed.length - present;
  const bytesFetched = results.reduce((total, result) => total + result.bytesFetched, 0);
  const milliseconds = results.reduce((total, result) => total + result.milliseconds, 0);
  const evidence: Record<string, number> = {};
  for (const file of placed) {
    const kind =
      file.evidence === 'sums'
        ? (file.found[0]?.split(':')[0] ?? 'md5')
        : file.evidence === 'size'
          ? 'size'
          : 'none';
    evidence[kind] = (evidence[kind] ?? 0) + 1;
  }
  const lock = placed.length === 0 ? null : shortPath(run.terminal.cwd, results[0]?.lockPath ?? '');
  const ownSums = results.flatMap((result) => result.ownSums ?? []);
  if (run.json) {
    const summary = {
      type: 'summary',
      planned,
      fetched,
      present,
      failed: failed.length,
      bytesFetched,
      bytesPresent: results.reduce((total, result) => total + result.bytesPresent, 0),
      verifiedBy: evidence,
      transports: [...new Set(results.flatMap((result) => result.transport ?? []))],
      milliseconds,
      directory,
      lock,
      ownSums,
      exit,
    };
    await write(run.terminal.out, `${toJson(summary)}\n`);
    return;
  }
  const [first] = failed;
  if (first?.error.next !== undefined && !run.quiet)
    await write(run.terminal.err, `${run.err.dim('next:')} ${printable(first.error.next)}\n`);
  const proven = evidenceText(evidence);
  const parts = [
    `${formatCount(fetched)} fetched (${formatBytes(bytesFetched)} in ${formatSeconds(milliseconds / 1000)})`,
    `${formatCount(present)} already here`,
    `${formatCount(failed.length)} failed`,
    ...(proven === '' ? [] : [`verified: ${proven}`]),
  ];
  const word = exit === 0 ? run.out.green('complete') : run.out.red('incomplete');
  await write(run.terminal.out, `${word}: ${parts.join(', ')}\n`);
  if (lock !== null) await write(run.terminal.out, `files in ${where}, pinned by ${printable(lock)}\n`);
  for (const path of ownSums)
    await tellNote(
      run,
      `upstream gave no digests; ${shortPath(run.terminal.cwd, path)} has those of the bytes that came`,
    );
}
