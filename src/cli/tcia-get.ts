/** The work of `carrel tcia get`, and of `carrel get` with links to packages. */
import { CarrelError, isCarrelError } from '../errors.ts';
import {
  fetchPackage,
  isChoice,
  newerVersionOf,
  type OtherTarget,
  openPackageFolder,
  type PackagePlan,
  type PackageTarget,
  previewPackage,
  splitWords,
  type Targets,
  targetsOf,
} from '../tcia/index.ts';
import { VERSION } from '../version.ts';
import type { CommandSpec, Run } from './command.ts';
import { atDesk, type Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { withOneSummary } from './one-summary.ts';
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
import { tciaServersOf } from './tcia-catalogue.ts';
import { type TciaGetOptions, tciaGetOptions } from './tcia-get-options.ts';
import type { FoundInIdc } from './tcia-idc.ts';
import { catalogueQuestions, interruptedQuietly } from './tcia-questions.ts';

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
      const options = { ...tciaGetOptions(run, flags, paths), get };
      const targets = await targetsOf(whats, {
        ...questions,
        downloads: flags['download'] as string[] | undefined,
      });
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
  const all = [...targets.packages, ...targets.others];
  const fromIdc = options.preferIdc ? await findInIdc(run, desk, all, options) : new Map<never, never>();
  const one = withOneSummary(run);
  let barred = 0;
  for (const found of new Set(fromIdc.values())) {
    const { runIdc } = await import('./tcia-idc.ts');
    codes.push(await runIdc(one.run, found, options, flags));
  }
  for (const target of targets.packages) {
    if (fromIdc.has(target)) continue;
    try {
      await getPackage(one.run, desk, target, options, { taken, totals, state });
    } catch (error) {
      // One package that cannot be had does not keep the others from coming.
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      const told = await withOtherRoads(run, desk, target, error);
      if (all.length === 1) throw told;
      await printFailure(run, told);
      codes.push(exitCodeOf(told.code));
      barred += 1;
    }
  }
  const others = targets.others.filter((other) => !fromIdc.has(other));
  if (others.length > 0) {
    const { getOther } = await import('./tcia-other-roads.ts');
    for (const other of others) codes.push(await getOther(one.run, desk, other, options, flags));
  }
  if (totals.packages.length > 0) {
    await printTotals(one.run, totals, options.dryRun);
    codes.push(exitOfTotals(totals));
  }
  const exit = joined(codes);
  await one.end(exit, barred);
  return exit;
}

/** All went well, all went wrong in one way, or some did. */
function joined(codes: readonly ExitCode[]): ExitCode {
  const [first = 0] = codes;
  return codes.every((code) => code === first) ? first : 3;
}

/**
 * What `--prefer idc` takes from there: known before anything is fetched.
 *
 * @throws CarrelError `usage` where files were chosen that cannot be told apart there
 */
async function findInIdc(
  run: Run,
  desk: Desk,
  targets: readonly (PackageTarget | OtherTarget)[],
  { choice }: TciaGetOptions,
): Promise<Map<PackageTarget | OtherTarget, FoundInIdc>> {
  const { idcCommands } = await import('./tcia-idc.ts');
  const all = new Map<PackageTarget | OtherTarget, FoundInIdc>();
  const known = new Map<string, FoundInIdc>();
  for (const target of targets) {
    const { collection, download } = target;
    if (collection === undefined || download === undefined) {
      await tellNote(run, 'what this link leads to is not known by name, so that IDC cannot be asked for it');
      continue;
    }
    // A manifest takes from IDC what IDC has, whatever is preferred; tables are not there.
    if (download.kind !== 'faspex' && download.kind !== 'pathdb') continue;
    const found = await idcCommands(run, desk, collection, download);
    if (found === undefined) {
      await tellNote(run, `IDC does not have ${download.title}: it comes from TCIA`);
      continue;
    }
    if (isChoice(choice)) throw noChoiceInIdc(choice, found, collection.name);
    // Two downloads of the same images are fetched once.
    const key = found.commands.join('\n');
    all.set(target, known.get(key) ?? found);
    known.set(key, all.get(target) ?? found);
  }
  return all;
}

/** Images that IDC has are DICOM there, under names of its own: a choice of files of a package means nothing. */
function noChoiceInIdc(
  choice: TciaGetOptions['choice'],
  { archive, commands }: FoundInIdc,
  name: string,
): CarrelError {
  const { paths = [], include = [], exclude = [], kinds = [] } = choice;
  const item = [...paths, ...include, ...exclude, ...kinds][0] ?? 'a size';
  const [command = ''] = commands;
  return new CarrelError(
    'usage',
    `--prefer idc cannot choose ${JSON.stringify(item)}: ${archive} has the images of ${name} as DICOM, under other names`,
    {
      item,
      next: `leave --prefer idc out to fetch these files from TCIA; or choose by what ${archive} knows, such as ${command} --patient ID --modality SM`,
    },
  );
}

/** Says that IDC has the same images, where somebody can make use of it: what was chosen of a package cannot be told apart there. */
async function offerIdc(
  run: Run,
  desk: Desk,
  { collection, download }: PackageTarget,
  { choice }: TciaGetOptions,
): Promise<void> {
  if (collection === undefined || download === undefined || run.quiet || isChoice(choice)) return;
  const { idcCommands } = await import('./tcia-idc.ts');
  const found = await idcCommands(run, desk, collection, download);
  if (found !== undefined)
    await tellNote(
      run,
      `${found.what} of ${collection.name} in ${found.archive}, too, over HTTPS: --prefer idc, or ${found.commands.join('; ')}`,
    );
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
    if (!options.preferIdc) await offerIdc(run, desk, target, options);
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
      recheck: options.recheck,
      receipts: { command: 'tcia get', version: VERSION },
      onPlan: async (plan: PackagePlan) => {
        state.planned += plan.files.length;
        await printPackagePlan(run, plan, { files: false });
      },
      // Opening a catalogue takes longer than to see that all is here already.
      onStart: async () => {
        if (!options.preferIdc) await offerIdc(run, desk, target, options);
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

/** What says something of packages alone is an error where none is named. */
function refuseMeaningless({ packages, others }: Targets, { choice }: TciaGetOptions): void {
  const [path] = choice.paths ?? [];
  const [other] = others;
  if (packages.length > 0 || other === undefined || path === undefined) return;
  throw new CarrelError('usage', `${other.download.title} is no package: ${path} cannot be a file in it`, {
    item: path,
    next: `carrel tcia show ${other.collection.name} tells what there is; --download chooses`,
  });
}
