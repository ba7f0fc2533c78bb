/** `carrel verify DIR --sums FILE`: proves a package that any tool fetched against its lists of checksums. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import {
  type FetchAgain,
  type FoundSums,
  findSums,
  isSumsReportGood,
  NBIA_SUMS_NAME,
  openPackageFolder,
  openSums,
  type PackageFolder,
  packageFiles,
  type SumsReport,
  verifySums,
} from '../../tcia/index.ts';
import type { Run } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { listedAgain, type NextCommand, nbiaAgain, packagesAgain } from '../fetch-again.ts';
import { createProgress } from '../output/progress.ts';
import { printSumsNotes, printSumsReport } from '../output/sums-report.ts';
import { shortPath } from '../terminal.ts';

/** What `--sums` takes instead of a file. */
const AUTO = 'auto';

/** Flags that need a lock file. */
const OF_LOCKS = ['fix', 'merge', 'size', 'output'] as const;

/** How it was asked for. */
export interface VerifySumsFlags {
  /** Files as typed, or `auto`. */
  sums: readonly string[];
  scope: readonly string[];
  /** Name every file that no list names. */
  extra: boolean;
}

/**
 * Verifies and prints. Ends with 5 where a listed file is wrong or missing, or nothing was proven.
 *
 * @throws CarrelError `not-found` for a folder or list that is not there, and for a scope that names nothing
 */
export async function verifyBySums(run: Run, path: string, flags: VerifySumsFlags): Promise<ExitCode> {
  const { cwd } = run.terminal;
  const directory = resolve(cwd, path);
  if (!(await stat(directory).catch(() => undefined))?.isDirectory())
    throw new CarrelError('not-found', `there is no folder ${path}`, {
      item: path,
      next: 'name the folder that the package was fetched to',
    });
  const named = flags.sums.filter((file) => file !== AUTO).map((file) => resolve(cwd, file));
  const found = flags.sums.includes(AUTO) ? await findAll(directory, path) : [];
  const lists = await openSums(directory, [...new Set([...named, ...found])], { signal: run.signal });
  const progress = await createProgress(run);
  const packages = await openPackageFolder(directory);
  const report = await verifySums(lists, {
    directory,
    scope: flags.scope,
    listing: packages?.lock.packages.flatMap(({ files }) => files.map(({ path }) => path)),
    onEvent: progress.report,
    signal: run.signal,
  }).finally(progress.end);
  const [unknown] = report.unknown;
  if (unknown !== undefined)
    throw new CarrelError('not-found', `${unknown} is neither in the list of checksums nor in the folder`, {
      item: unknown,
      next: `name paths as ${basename(lists[0]?.list.origin ?? 'the list')} has them, or as they are below ${shortPath(cwd, directory)}`,
    });
  const good = isSumsReportGood(report);
  if (!run.quiet && !run.json) await printSumsNotes(run, report, ownLists(lists));
  const next = await nextOf(report, directory, shortPath(cwd, directory), packages);
  await printSumsReport(run, report, {
    directory,
    good,
    all: flags.extra,
    scoped: flags.scope.length > 0,
    next,
  });
  return good ? 0 : 5;
}

/** What fetches again what is wrong: by the lock file, where it knows the file; by the series, where it came from NBIA. */
async function nextOf(
  { again, ok }: SumsReport,
  directory: string,
  where: string,
  packages: PackageFolder | undefined,
): Promise<NextCommand[]> {
  // Where nothing is there at all, another folder is meant.
  if (ok.length === 0 && !again.some(({ there }) => there)) return [];
  const isNbia = ({ origin }: FetchAgain) => basename(origin) === NBIA_SUMS_NAME;
  const ofNbia = again.filter(isNbia);
  const locked = new Set(packages === undefined ? [] : packageFiles(packages.lock).map(({ local }) => local));
  const others = again.filter((one) => !isNbia(one));
  const [known, unknown] = [
    others.filter(({ local }) => locked.has(local)),
    others.filter(({ local }) => !locked.has(local)),
  ];
  const byLock =
    packages === undefined
      ? []
      : packagesAgain(
          packages.lock,
          {
            missing: known.filter(({ there }) => !there).map(({ local }) => local),
            mismatched: known
              .filter(({ there }) => there)
              .map(({ local }) => ({ path: local, expected: '', found: '' })),
            unverifiable: [],
          },
          where,
        );
  const series =
    ofNbia.length === 0
      ? []
      : await nbiaAgain(
          directory,
          ofNbia.map(({ local }) => local),
          where,
        );
  return [...byLock, ...listedAgain(unknown, where), ...series];
}

/**
 * The flags that ask for lists of checksums; undefined where none is named.
 *
 * @throws CarrelError `usage` for flags that say nothing of such lists, or nothing without them
 */
export function sumsFlags(flags: Record<string, unknown>): VerifySumsFlags | undefined {
  const sums = (flags['sums'] ?? []) as string[];
  const scope = (flags['scope'] ?? []) as string[];
  if (sums.length === 0 && scope.length === 0) return undefined;
  if (sums.length === 0)
    throw new CarrelError('usage', '--scope needs --sums', {
      item: '--scope',
      next: 'add --sums FILE, or --sums auto for the .sums files at the root of the folder',
    });
  const wrong = OF_LOCKS.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (wrong !== undefined)
    throw new CarrelError('usage', `--${wrong} needs a lock file and cannot be used with --sums`, {
      item: `--${wrong}`,
      next: 'leave it out; a list of checksums tells neither sizes nor where files can be had',
    });
  return { sums, scope, extra: flags['extra'] === true };
}

async function findAll(directory: string, path: string): Promise<string[]> {
  const found = await findSums(directory);
  if (found.length === 0)
    throw new CarrelError('not-found', `there is no .sums file at the root of ${path}`, {
      item: path,
      next: 'name the list with --sums FILE; it may lie anywhere',
    });
  return found;
}

function ownLists(lists: readonly FoundSums[]): string[] {
  return lists.filter(({ evidence }) => evidence === 'own').map(({ list }) => list.origin);
}

/** For a folder without a lock file that has a list of checksums: the same error, with the way that is left. */
export async function withSumsHint(error: unknown, directory: string): Promise<never> {
  if (!isCarrelError(error, 'not-found')) throw error;
  const found = await findSums(directory).catch(() => []);
  if (found.length === 0) throw error;
  throw new CarrelError('not-found', error.message, {
    item: error.item,
    next: `prove the folder against ${basename(found[0] ?? '')} with --sums auto`,
    cause: error,
  });
}
