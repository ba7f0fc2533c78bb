/**
 * `carrel get` of series that are not in the catalogue: from NBIA, the server of The Cancer Imaging Archive. By itself for
 * `.tcia` manifests, with `--nbia` for everything else, not at all with `--no-nbia`.
 */
import { join } from 'node:path';
import {
  type Cohort,
  DEFAULT_LAYOUT,
  enforceLicensePolicy,
  type LicenseShare,
  openReceipts,
  RECEIPTS_NAME,
  sumLicenses,
} from '../cohort/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import {
  describeNbiaSeries,
  fetchNbiaSeries,
  licenseShortName,
  type NbiaEvent,
  type NbiaFetched,
  type NbiaFile,
  type NbiaResult,
  type NbiaSeries,
  type TciaServers,
  writeNbiaSums,
} from '../tcia/index.ts';
import type { TransferEvent } from '../transfer/index.ts';
import { VERSION } from '../version.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { toJson } from './output/json.ts';
import { createProgress } from './output/progress.ts';
import { formatBytes, formatCount, plural } from './output/text.ts';
import { tciaServersOf } from './tcia-catalogue.ts';
import { printable, shortPath, write } from './terminal.ts';

/** Series that NBIA has, before anything is fetched. */
export interface NbiaPlan {
  series: NbiaSeries[];
  licenses: LicenseShare[];
  images: number;
  bytes: number;
  servers: TciaServers;
  /** True where they were asked for here without looking at the catalogue. */
  preferred: boolean;
}

/**
 * Asks NBIA for what was set aside. What it does not have either goes to `cohort.unresolved`; a server that cannot be asked
 * is an error for each of the series, and thrown where nothing else was asked for.
 *
 * @throws `license`; the first error where nothing at all is left
 */
export async function planNbia(
  run: Run,
  desk: Pick<Desk, 'pool'>,
  cohort: Cohort,
  options: {
    licensePolicy: string;
    flags: Record<string, unknown>;
    part?: { index: number; of: number } | undefined;
  },
): Promise<NbiaPlan> {
  const { part } = options;
  const wanted = (cohort.elsewhere ?? []).filter(
    (_, place) => part === undefined || place % part.of === part.index - 1,
  );
  const servers = tciaServersOf(run, options.flags);
  const found = new Map<string, NbiaSeries>();
  let failure: CarrelError | undefined;
  try {
    const uids = wanted.map(({ uid }) => uid);
    const described = await describeNbiaSeries(uids, { http: desk.pool, servers, signal: run.signal });
    for (const [uid, series] of described) found.set(uid, series);
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    failure = error;
  }
  for (const { uid, origin } of wanted) {
    if (found.has(uid)) continue;
    const error =
      failure === undefined
        ? new CarrelError('not-found', `${uid} is neither in the catalogue nor at NBIA`, {
            item: uid,
            next: 'it may have been withdrawn, or be data of controlled access: see the page of its collection',
          })
        : new CarrelError(failure.code, `${uid} is not in the catalogue, and ${failure.message}`, {
            item: uid,
            next: failure.next,
            cause: failure,
          });
    cohort.unresolved.push({ item: uid, origin, error });
  }
  const [first] = cohort.unresolved;
  if (
    found.size + cohort.series.length + cohort.objects.length === 0 &&
    first !== undefined &&
    wanted.length > 0
  )
    throw first.error;
  const series = wanted.flatMap(({ uid }) => found.get(uid) ?? []);
  const licenses = sumLicenses(
    series.map((one) => ({ license_short_name: licenseShortName(one), bytes: one.bytes ?? null })),
  );
  enforceLicensePolicy(options.licensePolicy, licenses);
  const sum = (of: (one: NbiaSeries) => number | undefined) =>
    series.reduce((total, one) => total + (of(one) ?? 0), 0);
  return {
    series,
    licenses,
    images: sum((one) => one.imageCount),
    bytes: sum((one) => one.bytes),
    servers,
    preferred: options.flags['prefer'] === 'nbia',
  };
}

/** Says what will come from NBIA. */
export async function printNbiaPlan(
  run: Run,
  { series, licenses, images, bytes, preferred }: NbiaPlan,
): Promise<void> {
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({ type: 'nbia', series: series.length, files: images, bytes, licenses })}\n`,
    );
    return;
  }
  if (run.quiet || series.length === 0) return;
  const say = (text: string) => write(run.terminal.err, `${printable(text)}\n`);
  await say(
    `from NBIA${preferred ? '' : ', for the catalogue does not have them'}: ${plural(series.length, 'series', 'series')}, ${plural(images, 'file')}, ${formatBytes(bytes)}${preferred ? '' : ' (--no-nbia leaves them out)'}`,
  );
  for (const { license, series: count, bytes: size } of licenses)
    await say(`  ${license ?? 'licence not stated'}: ${formatCount(count)} series, ${formatBytes(size)}`);
}

/** What came from NBIA. */
export interface NbiaOutcome extends NbiaResult {
  /** 0, or how a run ends in which nothing else failed. */
  exit: ExitCode;
}

/**
 * Fetches, with receipts and a list of checksums. One line at the end; in JSON the lines of any transfer.
 *
 * @param options.others files that came from elsewhere in this run: with them a failure here is a part of the whole
 */
export async function fetchNbia(
  run: Run,
  desk: Pick<Desk, 'pool'>,
  plan: NbiaPlan,
  options: { directory: string; layout: string | undefined; others: number },
): Promise<NbiaOutcome> {
  const { directory, layout = DEFAULT_LAYOUT } = options;
  const receipts = openReceipts(
    join(directory, RECEIPTS_NAME),
    { command: 'get', version: VERSION, archive: 'nbia', release: null },
    (path) => path,
  );
  const progress = await createProgress(run);
  const report = (event: TransferEvent) => {
    progress.report(event);
    receipts.report(event);
  };
  const tell = tellNbia(plan, report);
  let result: NbiaResult;
  try {
    result = await fetchNbiaSeries({
      http: desk.pool,
      servers: plan.servers,
      series: plan.series,
      folder: directory,
      layout,
      signal: run.signal,
      onEvent: tell,
    });
  } finally {
    progress.end();
    receipts.end(undefined);
  }
  const sums = await writeNbiaSums(directory);
  const exit = exitOf(result, options.others);
  await printOutcome(run, result, sums);
  return { ...result, exit };
}

/** Events of NBIA as those of a transfer; a series whose every image is here is reported image by image. */
function tellNbia({ series, images, bytes }: NbiaPlan, report: (event: TransferEvent) => void) {
  const started = Date.now();
  const totalFiles = Math.max(images, series.length);
  let [files, received, retries, last] = [0, 0, 0, 0];
  report({ type: 'plan', files: totalFiles, bytes, present: 0, presentBytes: 0 });
  return (event: NbiaEvent): void => {
    if (event.type === 'bytes') {
      received += event.bytes;
      if (Date.now() - last < 100) return;
      last = Date.now();
      const bytesPerSecond = received / Math.max(0.001, (last - started) / 1000);
      // ZIPs are smaller than what is in them: there is no honest total of what comes.
      const totals = { files, bytes: received, totalFiles, totalBytes: undefined };
      report({ type: 'progress', ...totals, bytesPerSecond, retries, mirror: 'nbia' });
    } else if (event.type === 'attempt-failed') {
      retries += 1;
      const { uid: path, attempt, delayMs: waitMs, error } = event;
      report({ type: 'retry', path, mirror: 'nbia', attempt, waitMs, reason: error.message });
    } else if (event.type === 'series-done') {
      files += event.fetched.files.length;
      for (const file of event.fetched.files) report(fileEvent(file, event.fetched));
    } else if (event.type === 'series-failed') {
      const { uid: path, error, attempts } = event.failure;
      report({ type: 'failure', path, error, attempts });
    }
  };
}

function fileEvent(file: NbiaFile, { how, attempts, milliseconds, series }: NbiaFetched): TransferEvent {
  const { path, bytes, digest } = file;
  // The CRC-32 of a ZIP is no digest that anybody published of the file.
  const verifiedBy = file.verifiedBy === 'md5' ? 'md5' : 'size';
  return {
    type: 'file',
    path,
    bytes,
    digest,
    verifiedBy,
    how,
    mirror: series.server,
    attempts,
    milliseconds,
  };
}

function exitOf({ fetched, failed }: NbiaResult, others: number): ExitCode {
  const [first] = failed;
  if (first === undefined) return 0;
  if (fetched.length + others > 0) return 3;
  return failed.every(({ error }) => error.code === 'verification') ? 5 : exitCodeOf(first.error.code);
}

async function printOutcome(
  run: Run,
  { fetched, failed }: NbiaResult,
  sums: string | undefined,
): Promise<void> {
  if (run.json) return;
  for (const { uid, error } of failed.slice(0, 20)) {
    await write(
      run.terminal.err,
      `${run.err.red('failed')} ${printable(error.message.includes(uid) ? error.message : `${uid}: ${error.message}`)}\n`,
    );
    if (error.next !== undefined)
      await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
  }
  const came = fetched.filter(({ how }) => how === 'fetched');
  const count = (all: readonly NbiaFetched[]) => all.reduce((sum, { files }) => sum + files.length, 0);
  const bytes = came.reduce((sum, one) => sum + one.bytes, 0);
  const list = sums === undefined ? '' : `, listed in ${printable(shortPath(run.terminal.cwd, sums))}`;
  await write(
    run.terminal.out,
    `NBIA: ${formatCount(count(came))} fetched (${formatBytes(bytes)}), ${formatCount(count(fetched) - count(came))} already here, ${plural(failed.length, 'series', 'series')} failed, verified by MD5${list}\n`,
  );
}

/** The last line of a run that had nothing but series of NBIA; answers with its exit code. */
export async function printNbiaSummary(
  run: Run,
  outcome: NbiaOutcome | undefined,
  directory: string,
  unresolved: number,
): Promise<ExitCode> {
  const { fetched = [], failed = [], exit: ended = 0 } = outcome ?? {};
  const exit = ended === 0 && unresolved > 0 ? 3 : ended;
  const files = (how: NbiaFetched['how']) =>
    fetched.filter((one) => one.how === how).flatMap((one) => one.files);
  const sum = (all: readonly NbiaFile[]) => all.reduce((total, { bytes }) => total + bytes, 0);
  const [came, present] = [files('fetched'), files('present')];
  if (run.json) {
    const summary = {
      planned: came.length + present.length + failed.length,
      fetched: came.length,
      present: present.length,
      reused: 0,
      failed: failed.length,
      unresolved,
      bytesFetched: sum(came),
      bytesPresent: sum(present),
      bytesReused: 0,
      verifiedBy: { md5: came.length + present.length },
      directory,
      lock: null,
      exit,
    };
    await write(run.terminal.out, `${toJson({ type: 'summary', ...summary })}\n`);
  } else {
    const word = exit === 0 ? run.out.green('complete') : run.out.red('incomplete');
    await write(run.terminal.out, `${word}: files in ${printable(directory)}; a lock file cannot pin them\n`);
  }
  return exit;
}
