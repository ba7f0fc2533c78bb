/** The work of `carrel tcia get`, and of `carrel get` with links to packages. */
import { resolve } from 'node:path';
import type { NamePolicy } from '../cohort/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import {
  fetchPackage,
  newerVersionOf,
  openPackageFolder,
  type PackageChoice,
  type PackagePlan,
  type PackageTarget,
  previewPackage,
  splitWords,
  type Targets,
  type TransportChoice,
  targetsOf,
} from '../tcia/index.ts';
import { VERSION } from '../version.ts';
import type { CommandSpec, Run } from './command.ts';
import { atDesk, type Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { byteAmount } from './numbers.ts';
import {
  emptyTotals,
  exitOfTotals,
  printFailure,
  printPackagePlan,
  printTotals,
  type Totals,
  tellNote,
} from './output/package-report.ts';
import { createProgress } from './output/progress.ts';
import { formatCount } from './output/text.ts';
import { pathFilter } from './path-filter.ts';
import { tciaServersOf } from './tcia-catalogue.ts';
import { catalogueQuestions, interruptedQuietly } from './tcia-questions.ts';

/** Settled flags. */
export interface TciaGetOptions {
  directory: string;
  choice: PackageChoice;
  layout: string | undefined;
  names: NamePolicy;
  transport: TransportChoice;
  ascp: string | undefined;
  sshKey: string | undefined;
  maxRateKbps: number | undefined;
  allowPartial: boolean;
  dryRun: boolean;
  preferIdc: boolean;
  /** `carrel get`, which fetches what other roads lead to. */
  get: CommandSpec;
}

/** Runs the command. @throws CarrelError; never with a link in it */
export async function getFromTcia(
  run: Run,
  words: readonly string[],
  flags: Record<string, unknown>,
  /** `carrel get`: handed in, since it leads here, too. */
  get: CommandSpec,
): Promise<ExitCode> {
  if (words.some((word) => word.trim() === ''))
    throw new CarrelError('usage', 'a name is empty', {
      item: '',
      next: 'is a variable of the shell not set?',
    });
  const servers = tciaServersOf(run, flags);
  const state = { done: 0, planned: 0 };
  try {
    return await atDesk(run, async (desk) => {
      const questions = catalogueQuestions(run, desk, servers, flags);
      const { whats, paths } = splitWords(words, words.length > 1 ? await questions.kept() : undefined);
      const options = { ...optionsOf(run, flags, paths), get };
      const targets = await targetsOf(whats, { ...questions, downloads: listOf(flags['download']) });
      refuseMeaningless(targets, options);
      for (const note of targets.notes) await tellNote(run, note);
      return await getTargets(run, desk, targets, options, flags, state);
    });
  } catch (error) {
    if (isCarrelError(error, 'interrupted')) throw interruptedQuietly(howFar(state));
    throw error;
  }
}

function howFar({ done, planned }: { done: number; planned: number }): string {
  return planned === 0
    ? 'interrupted'
    : `interrupted: ${formatCount(done)} of ${formatCount(planned)} files are in place`;
}

async function getTargets(
  run: Run,
  desk: Desk,
  targets: Targets,
  options: TciaGetOptions,
  flags: Record<string, unknown>,
  state: { done: number; planned: number },
): Promise<ExitCode> {
  const totals = emptyTotals(options.directory);
  const taken = new Set<string>();
  const codes: ExitCode[] = [];
  const several = targets.packages.length + targets.others.length > 1;
  for (const target of targets.packages) {
    const fromIdc = await offerIdc(run, desk, target, options, flags);
    if (fromIdc !== undefined) {
      codes.push(fromIdc);
      continue;
    }
    try {
      await getPackage(run, desk, target, options, { taken, totals, state });
    } catch (error) {
      // One package that cannot be had does not keep the others from coming.
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      const told = await withOtherRoads(run, desk, target, error);
      if (!several) throw told;
      await printFailure(run, told);
      codes.push(exitCodeOf(told.code));
    }
  }
  if (targets.others.length > 0) {
    const { getOther } = await import('./tcia-other-roads.ts');
    for (const other of targets.others) codes.push(await getOther(run, desk, other, options, flags));
  }
  if (totals.packages.length > 0) {
    await printTotals(run, totals, options.dryRun);
    codes.push(exitOfTotals(totals));
  }
  return joined(codes);
}

/** All went well, all went wrong in one way, or some did. */
function joined(codes: readonly ExitCode[]): ExitCode {
  const [first = 0] = codes;
  return codes.every((code) => code === first) ? first : 3;
}

async function offerIdc(
  run: Run,
  desk: Desk,
  target: PackageTarget,
  options: TciaGetOptions,
  flags: Record<string, unknown>,
): Promise<ExitCode | undefined> {
  const { preferIdc } = options;
  if (target.collection === undefined || target.download === undefined) {
    if (preferIdc)
      await tellNote(run, 'what this link leads to is not known by name, so that IDC cannot be asked for it');
    return undefined;
  }
  const { idcCommands, runIdc } = await import('./tcia-idc.ts');
  const found = await idcCommands(run, desk, target.collection, target.download);
  if (found === undefined) {
    if (preferIdc) await tellNote(run, `IDC does not have ${target.download.title}: it comes from TCIA`);
    return undefined;
  }
  if (preferIdc) return await runIdc(run, found, options, flags);
  await tellNote(
    run,
    `${found.what} of ${target.collection.name} in ${found.archive}, too, over HTTPS: --prefer idc, or ${found.commands.join('; ')}`,
  );
  return undefined;
}

async function getPackage(
  run: Run,
  desk: Desk,
  target: PackageTarget,
  options: TciaGetOptions,
  { taken, totals, state }: { taken: Set<string>; totals: Totals; state: { done: number; planned: number } },
): Promise<void> {
  const { directory, choice, layout, names, allowPartial } = options;
  await tellNewer(run, target, directory);
  const faspex = { http: desk.pool };
  const planning = { faspex, choice, layout, names, allowPartial, taken, signal: run.signal };
  if (options.dryRun) {
    const plan = await previewPackage(target, planning);
    await printPackagePlan(run, plan, { files: true });
    totals.packages.push({ plan });
    return;
  }
  const progress = await createProgress(run);
  try {
    const result = await fetchPackage(target, {
      ...planning,
      directory,
      machine: { env: run.terminal.env },
      transport: options.transport,
      ascp: options.ascp,
      sshKey: options.sshKey,
      maxRateKbps: options.maxRateKbps,
      receipts: { command: 'tcia get', version: VERSION },
      onPlan: async (plan: PackagePlan) => {
        state.planned += plan.files.length;
        await printPackagePlan(run, plan, { files: false });
      },
      onEvent: (event) => {
        if (event.type === 'file') state.done += 1;
        progress.report(event);
      },
    });
    totals.packages.push({ plan: result.plan, result });
  } finally {
    progress.end();
  }
}

/** A new version of what the folder holds is worth a word before more comes. */
async function tellNewer(run: Run, { collection, link }: PackageTarget, directory: string): Promise<void> {
  if (collection === undefined) return;
  const folder = await openPackageFolder(directory);
  if (folder === undefined) return;
  const fresh = { slug: collection.slug, version: collection.version, packageId: link.packageId };
  const newer = newerVersionOf(folder.lock, fresh);
  if (newer !== undefined)
    await tellNote(run, `${newer.message}; --layout '{package} {version}/{path}' keeps both`);
}

/** Without `ascp`, or where the server cannot be reached, there may be another road to the same data: it is named. */
async function withOtherRoads(
  run: Run,
  desk: Desk,
  { collection, download }: PackageTarget,
  error: CarrelError,
): Promise<CarrelError> {
  const barred = isCarrelError(error, 'unsupported', 'network', 'permission');
  if (!barred || collection === undefined || download === undefined) return error;
  const { otherRoads } = await import('./tcia-idc.ts');
  const roads = await otherRoads(run, desk, collection, download);
  const next = [error.next, ...roads].filter((road) => road !== undefined).join('; ');
  return new CarrelError(error.code, error.message, { item: error.item, next, cause: error });
}

/** Reads the flags. @throws CarrelError `usage` */
function optionsOf(
  run: Run,
  flags: Record<string, unknown>,
  paths: readonly string[],
): Omit<TciaGetOptions, 'get'> {
  const [include, exclude] = [listOf(flags['include']) ?? [], listOf(flags['exclude']) ?? []];
  const bytes = (name: string): number | undefined =>
    typeof flags[name] === 'string' ? byteAmount(flags[name]) : undefined;
  const keeps = include.length + exclude.length === 0 ? undefined : pathFilter({ include, exclude });
  return {
    directory: resolve(run.terminal.cwd, String(flags['output'] ?? '.')),
    choice: {
      paths: [...paths, ...(listOf(flags['path']) ?? [])],
      include,
      exclude,
      keeps,
      kinds: listOf(flags['kind']),
      minSize: bytes('minSize'),
      maxSize: bytes('maxSize'),
    },
    layout: textOf(flags['layout']),
    names: flags['names'] === 'escape' ? 'escape' : 'strict',
    transport: (flags['transport'] ?? 'auto') as TransportChoice,
    ascp: textOf(flags['ascp']),
    sshKey: textOf(flags['sshKey']),
    maxRateKbps: typeof flags['rate'] === 'string' ? megabits(flags['rate']) : undefined,
    allowPartial: flags['allowPartial'] === true,
    dryRun: flags['dryRun'] === true,
    preferIdc: flags['prefer'] === 'idc',
  };
}

/** `200` or `1.5`, with or without `M`: kilobits per second. */
function megabits(text: string): number {
  const rate = Number(/^(\d+(?:\.\d+)?)\s*(?:m|mbit|mbit\/s|mbps)?$/i.exec(text.trim())?.[1] ?? 0);
  if (rate > 0) return Math.max(1, Math.round(rate * 1000));
  throw new CarrelError('usage', `not a rate: ${JSON.stringify(text)}`, {
    item: text,
    next: 'write megabits per second: --rate 200',
  });
}

/** What says something of packages alone is an error where none is named. */
function refuseMeaningless({ packages, others }: Targets, { choice, preferIdc }: TciaGetOptions): void {
  const [path] = choice.paths ?? [];
  const [other] = others;
  if (packages.length > 0 || other === undefined || preferIdc || path === undefined) return;
  throw new CarrelError('usage', `${other.download.title} is no package: ${path} cannot be a file in it`, {
    item: path,
    next: `carrel tcia show ${other.collection.name} tells what there is; --download chooses`,
  });
}

function listOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
