/**
 * `carrel get` of series that are not in the catalogue: from NBIA, the server of The Cancer Imaging Archive. By itself for
 * `.tcia` manifests, with `--nbia` for everything else, not at all with `--no-nbia`.
 */
import { join } from 'node:path';
import {
  type Cohort,
  DEFAULT_LAYOUT,
  enforceLicensePolicy,
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
  reserveForSeries,
  writeNbiaSums,
} from '../tcia/index.ts';
import type { TransferEvent } from '../transfer/index.ts';
import { VERSION } from '../version.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { type NbiaOutcome, type NbiaPlan, printNbiaOutcome } from './output/nbia-report.ts';
import { createProgress } from './output/progress.ts';
import { tciaServersOf } from './tcia-catalogue.ts';

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
  const failures = new Map<string, CarrelError>();
  const found = await describeNbiaSeries(
    wanted.map(({ uid }) => uid),
    {
      http: desk.pool,
      servers,
      signal: run.signal,
      onFailure(uids, error) {
        for (const uid of uids) failures.set(uid, error);
      },
    },
  );
  const others = found.size + cohort.series.length + cohort.objects.length > 0;
  for (const { uid, origin } of wanted) {
    if (found.has(uid)) continue;
    cohort.unresolved.push({ item: uid, origin, error: unknownSeries(uid, failures.get(uid), others) });
  }
  const [first] = cohort.unresolved;
  if (!others && first !== undefined && wanted.length > 0) throw first.error;
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

/** Why a series cannot be had from NBIA, and what comes all the same. */
function unknownSeries(uid: string, failure: CarrelError | undefined, others: boolean): CarrelError {
  if (failure === undefined)
    return new CarrelError('not-found', `${uid} is neither in the catalogue nor at NBIA`, {
      item: uid,
      next: 'it may have been withdrawn, or be data of controlled access: see the page of its collection',
    });
  const rest =
    'the rest comes now; run the same command again later for these, or with --no-nbia to leave them out';
  return new CarrelError(failure.code, `${uid} is not in the catalogue, and ${failure.message}`, {
    item: uid,
    next: others ? rest : failure.next,
    cause: failure,
  });
}

/**
 * What the series will need on the disk, checked; to be left free by what comes before them.
 *
 * @throws CarrelError `no-space`
 */
export async function reserveForNbia(
  { series }: NbiaPlan,
  { directory, layout = DEFAULT_LAYOUT }: { directory: string; layout?: string | undefined },
): Promise<number> {
  return await reserveForSeries(series, directory, layout);
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
  options: { directory: string; layout: string | undefined; others: number; part?: string | undefined },
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
      part: options.part,
      signal: run.signal,
      onEvent: tell,
    });
  } catch (error) {
    if (!isCarrelError(error, 'interrupted')) throw error;
    throw new CarrelError('interrupted', 'interrupted while series came from NBIA', {
      next: 'the same command goes on with the series that are missing',
      cause: error,
    });
  } finally {
    progress.end();
    receipts.end(undefined);
  }
  const sums = await writeNbiaSums(directory);
  const exit = exitOf(result, options.others);
  await printNbiaOutcome(run, result, sums);
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
