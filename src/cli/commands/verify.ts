/** `carrel verify`: proves what is on disk against lock files, or against lists of checksums. */

import { resolve } from 'node:path';
import { Option } from 'commander';
import {
  isFolderGood,
  isOnlyRedacted,
  lockedFiles,
  type MissingFile,
  mergeParts,
  openParts,
  repairFolder,
} from '../../cohort/index.ts';
import type { VerifyReport } from '../../transfer/index.ts';
import { VERSION } from '../../version.ts';
import { type CommandSpec, collect, progressOption, type Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type NextCommand, nbiaAgain, packagesAgain } from '../fetch-again.ts';
import {
  isBad,
  type LockedFolders,
  type LockedFoldersReport,
  openLockedFolders,
  verifyLockedFolders,
} from '../locked-folders.ts';
import { printNext, rightText, tallyEvidence, wrongLines } from '../output/evidence.ts';
import { printMissing } from '../output/get-report.ts';
import { toJson } from '../output/json.ts';
import { createProgress } from '../output/progress.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import { shellWord } from '../shell-word.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { sumsFlags, verifyBySums, withSumsHint } from './verify-sums.ts';

/** `carrel verify`. */
export const spec: CommandSpec = {
  name: 'verify',
  summary: 'prove what is on disk',
  examples: [
    'carrel verify data',
    'carrel verify data/carrel.lock.json --size',
    'carrel verify data --fix',
    'carrel verify data --merge',
    "carrel verify 'PKG - Biobank_CMB-GEC_v1' --sums auto",
    'carrel verify data --sums HER2_tumor_ROIs_v3.sums --scope Yale_HER2_cohort/Annotations',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 130],
  define(command) {
    command
      .argument(
        '<folder-or-lock>',
        'a folder that carrel get filled, or a lock file; with --sums any folder of a package',
      )
      .addOption(new Option('-o, --output <dir>', 'the folder, where the lock file lies elsewhere'))
      .addOption(new Option('--size', 'compare sizes only'))
      .addOption(new Option('--extra', 'also name files that the lock file does not'))
      .addOption(
        new Option(
          '--sums <file>',
          'prove a package that any tool fetched against its list of checksums (repeatable); auto takes the .sums files at its root',
        ).argParser(collect),
      )
      .addOption(
        new Option(
          '--scope <path>',
          'with --sums: only this file or folder of the package (repeatable)',
        ).argParser(collect),
      )
      .addOption(
        new Option('--merge', 'join the shares that carrel get --part fetched into one cohort first'),
      )
      .addOption(new Option('--fix', 'fetch again what is missing or wrong'))
      .addOption(progressOption());
  },
  async run(run, [path = '.'], flags) {
    const bySums = sumsFlags(flags);
    if (bySums !== undefined) return await verifyBySums(run, path, bySums);
    const output = flags['output'];
    if (flags['merge'] === true) await merge(run, resolve(run.terminal.cwd, path));
    const folders = await openLockedFolders(
      resolve(run.terminal.cwd, path),
      typeof output === 'string' ? resolve(run.terminal.cwd, output) : undefined,
    ).catch((error: unknown) => withSumsHint(error, resolve(run.terminal.cwd, path)));
    const { directory } = folders;
    const check = async () => {
      const progress = await createProgress(run);
      return await verifyLockedFolders(folders, {
        mode: flags['size'] === true ? 'size' : 'full',
        extra: flags['extra'] === true,
        onEvent: progress.report,
        signal: run.signal,
      }).finally(progress.end);
    };
    let report = await check();
    let missing: MissingFile[] = [];
    if (flags['fix'] === true && folders.cohort !== undefined && isBad(report.cohort)) {
      if (!run.quiet && !run.json) await printReport(run, report.cohort, directory);
      const [folder, before] = [folders.cohort, report.cohort];
      missing = await atDesk(run, async (desk) => {
        const tools = await desk.tools();
        const progress = await createProgress(run);
        const receipts = { command: 'verify --fix', version: VERSION };
        const options = { onEvent: progress.report, receipts };
        return await repairFolder(folder, before, tools, options).finally(progress.end);
      });
      report = await check();
    }
    await printSummary(run, report, folders, missing);
    if (isFolderGood(report.all)) return 0;
    // Nothing can bring back what the archive redacted; all else is as pinned.
    return isOnlyRedacted(report.all, missing) ? (3 satisfies ExitCode) : (5 satisfies ExitCode);
  },
};

/** Shares to one lock file; that every series and object of the cohort is in it is proven by their names. */
async function merge(run: Run, directory: string): Promise<void> {
  const joined = await openParts(directory);
  const moved = await mergeParts(joined);
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ type: 'merge', parts: joined.parts, series: joined.lock.series.length, files: lockedFiles(joined.lock).length, lock: joined.lockPath })}\n`,
    );
  else if (!run.quiet)
    await write(
      run.terminal.err,
      `${plural(joined.parts, 'part')} joined: all ${plural(joined.lock.series.length, 'series', 'series')} of the cohort, ${plural(lockedFiles(joined.lock).length, 'file')}\n${moved === undefined ? '' : `the lock file of another cohort was kept as ${moved}\n`}`,
    );
}

async function printReport(run: Run, report: VerifyReport, directory: string): Promise<void> {
  const lines = [
    ...wrongLines(run, report),
    ...(report.extra ?? []).map((path) => `${run.out.dim('EXTRA')}    ${printable(path)}`),
  ];
  if (lines.length > 0) await write(run.terminal.out, `${lines.slice(0, 1000).join('\n')}\n`);
  if (lines.length > 1000)
    await write(
      run.terminal.out,
      `… and ${formatCount(lines.length - 1000)} more in ${printable(directory)}; --json lists all\n`,
    );
}

async function printSummary(
  run: Run,
  found: LockedFoldersReport,
  folders: LockedFolders,
  gone: readonly MissingFile[],
): Promise<void> {
  const { all: report } = found;
  const { directory, bytes, packages, nbia } = folders;
  const next = await nextOf(run, found, folders, gone);
  if (run.json) {
    const { ok, missing, mismatched, unverifiable, extra } = report;
    const summary = {
      type: 'summary',
      directory,
      ok: ok.length,
      verifiedBy: tallyEvidence(ok),
      missing,
      mismatched,
      unverifiable: unverifiable.map(({ path, reason }) => ({ path, reason })),
      redacted: gone.filter(({ fate }) => fate === 'redacted'),
      lost: gone.filter(({ fate }) => fate === 'lost'),
      ...(extra === undefined ? {} : { extra }),
      ...(packages === undefined ? {} : { packages: packages.lock.packages.length }),
      ...(nbia === undefined ? {} : { nbia: nbia.files.length }),
      next: next.map(({ command }) => command),
    };
    await write(run.terminal.out, `${toJson(summary)}\n`);
    return;
  }
  await printReport(run, report, directory);
  await printMissing(run, gone);
  const good = isFolderGood(report);
  const counts = [
    rightText(report.ok),
    `${formatCount(report.mismatched.length)} wrong`,
    `${formatCount(report.missing.length)} missing`,
    `${formatCount(report.unverifiable.length)} unproven`,
  ];
  const pinned =
    folders.cohort === undefined && packages === undefined
      ? `${plural(nbia?.files.length ?? 0, 'file')} listed`
      : `${formatBytes(bytes)} pinned`;
  await write(
    run.terminal.out,
    `${good ? run.out.green('verified') : run.out.red('not as pinned')}: ${counts.join(', ')}; ${pinned} in ${printable(shortPath(run.terminal.cwd, directory))}\n`,
  );
  await printNext(run, next);
}

/** What brings back what is wrong. */
async function nextOf(
  run: Run,
  { cohort, packages, nbia }: LockedFoldersReport,
  folders: LockedFolders,
  gone: readonly MissingFile[],
): Promise<NextCommand[]> {
  const where = shortPath(run.terminal.cwd, folders.directory);
  const next: NextCommand[] = [];
  if (
    isBad(cohort) &&
    gone.length < cohort.missing.length + cohort.mismatched.length + cohort.unverifiable.length
  )
    next.push({ command: `carrel verify ${shellWord(where)} --fix` });
  if (isBad(packages) && folders.packages !== undefined)
    next.push(...packagesAgain(folders.packages.lock, packages, where));
  if (isBad(nbia)) {
    const wrong = [...nbia.mismatched, ...nbia.unverifiable].map(({ path }) => path);
    next.push(...(await nbiaAgain(folders.directory, [...wrong, ...nbia.missing], where)));
  }
  return next;
}
