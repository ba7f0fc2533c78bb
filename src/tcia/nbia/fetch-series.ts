/** Series from NBIA to verified files: several at a time, each by way of a ZIP in the state folder of the destination. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LAYOUT, type Layout, parseLayout, pathsFor } from '../../cohort/index.ts';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import {
  type FreeSpace,
  forEachLimited,
  lockFolder,
  makeFolder,
  STATE_FOLDER,
} from '../../transfer/index.ts';
import { describeNbiaSeries, type NbiaOptions, nbiaUrl } from './ask-nbia.ts';
import { SERIES_AT_ONCE } from './at-once.ts';
import { fetchZip, isWorthRepeating } from './fetch-zip.ts';
import { placeSeries, takeNames } from './place-series.ts';
import { writeSeriesRecord } from './series-record.ts';
import { layoutColumns, type NbiaSeries } from './series-row.ts';
import { bytesForSeries, checkSeriesSpace, presentSeries } from './series-space.ts';
import { unpackSeries } from './unpack-series.ts';

/** A file in its place. */
export interface NbiaFile {
  /** Below the destination, with `/`. */
  path: string;
  bytes: number;
  digest: Digest;
  sopInstanceUid: string | undefined;
  /** `md5`: by the server's md5hashes.csv. `crc32`: by the ZIP alone. */
  verifiedBy: 'md5' | 'crc32';
}

/** A series in its place. */
export interface NbiaFetched {
  series: NbiaSeries;
  /** `present`: an earlier run had fetched it, and nothing was touched since. */
  how: 'fetched' | 'present';
  files: NbiaFile[];
  /** Sum of the files. */
  bytes: number;
  /** Bytes of ZIPs that came, all attempts together. */
  received: number;
  attempts: number;
  milliseconds: number;
}

/** A series that did not come. */
export interface NbiaFailure {
  uid: string;
  /** Undefined where neither server knows it. */
  series: NbiaSeries | undefined;
  attempts: number;
  error: CarrelError;
}

/** What happens meanwhile. */
export type NbiaEvent =
  | { type: 'series-start'; uid: string; imageCount: number | undefined; bytes: number | undefined }
  | { type: 'bytes'; uid: string; bytes: number }
  | { type: 'attempt-failed'; uid: string; attempt: number; delayMs: number; error: CarrelError }
  | { type: 'series-done'; fetched: NbiaFetched }
  | { type: 'series-failed'; failure: NbiaFailure };

/** What to fetch, and where to. */
export interface FetchNbiaOptions extends NbiaOptions {
  /** UIDs, or what `describeNbiaSeries` said of them. */
  series: readonly (string | NbiaSeries)[];
  /** Destination; made where it is missing. */
  folder: string;
  /** Template or name of a layout, as for `carrel get`; `{file}` is `<SOPInstanceUID>.dcm`. Default that of IDC. */
  layout?: string | undefined;
  /** Series at a time (default 4). Memory does not grow with them. */
  jobs?: number | undefined;
  /** Most bytes of a series whose size the server does not tell (default 64 GiB). */
  maxBytes?: number | undefined;
  /** Name of a share, where several runs fetch different series into one folder at a time (`3-of-10`). */
  part?: string | undefined;
  /** How free space is found out; for tests and for unusual disks. */
  freeSpace?: FreeSpace | undefined;
  onEvent?: ((event: NbiaEvent) => void) | undefined;
}

/** How it ended: every series is in one of the two. */
export interface NbiaResult {
  fetched: NbiaFetched[];
  failed: NbiaFailure[];
}

const ATTEMPTS = 4;

/** Series in a row that a server did not give, each asked for several times, before the rest is not asked for any more. */
const LOST_AFTER = 8;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 120_000;
const LARGEST_SERIES = 64 * 2 ** 30;

/**
 * Fetches series. A ZIP that broke off, is damaged or lacks images is fetched again from its first byte: NBIA makes ZIPs
 * while it sends them and knows no ranges, so that there is nothing to resume within a series. Series of an earlier run that
 * stand untouched are not asked for. Files appear in their places when the whole series is proven.
 *
 * @throws CarrelError what concerns the whole run: `busy` where another one works in the folder, `usage` (layout),
 *   `no-space`, `permission`, `interrupted`. What concerns one series is in `failed`
 */
export async function fetchNbiaSeries(options: FetchNbiaOptions): Promise<NbiaResult> {
  const folder = resolve(options.folder);
  const layout = parseLayout(options.layout ?? DEFAULT_LAYOUT);
  const state = join(folder, STATE_FOLDER, 'nbia');
  await makeFolder(state);
  const unlock = await lockFolder(join(state, options.part === undefined ? 'lock' : `lock.${options.part}`));
  const result: NbiaResult = { fetched: [], failed: [] };
  const fail = (failure: NbiaFailure): void => {
    result.failed.push(failure);
    options.onEvent?.({ type: 'series-failed', failure });
  };
  try {
    const unknown = options.series.filter((one) => typeof one === 'string');
    const described =
      unknown.length === 0 ? new Map<string, NbiaSeries>() : await describeNbiaSeries(unknown, options);
    const wanted = new Map<string, NbiaSeries>();
    for (const one of options.series) {
      const series = typeof one === 'string' ? described.get(one) : one;
      const uid = typeof one === 'string' ? one : one.SeriesInstanceUID;
      if (series !== undefined) wanted.set(uid, series);
      else fail({ uid, series: undefined, attempts: 0, error: nowhere(uid, options) });
    }
    const { jobs = SERIES_AT_ONCE } = options;
    const present = await presentSeries([...wanted.values()], folder, layout.text);
    const absent = [...wanted].flatMap(([uid, series]) => (present.has(uid) ? [] : series));
    await checkSeriesSpace(folder, bytesForSeries(absent, jobs), options.freeSpace);
    const plan = { ...options, folder, state, layout, present, taken: new Map<string, string>() };
    const lost = new Map<string, { series: number; error: CarrelError | undefined }>();
    await forEachLimited([...wanted.values()], jobs, async (series) => {
      if (options.signal?.aborted === true) throw abortError(options.signal);
      const uid = series.SeriesInstanceUID;
      let attempts = 0;
      const line = lost.get(series.server) ?? { series: 0, error: undefined };
      lost.set(series.server, line);
      try {
        if (line.series >= LOST_AFTER && !present.has(uid)) throw silent(series, line.error);
        const fetched = await fetchOne(series, plan, (attempt) => {
          attempts = attempt;
        });
        if (fetched.how === 'fetched') line.series = 0;
        result.fetched.push(fetched);
        options.onEvent?.({ type: 'series-done', fetched });
      } catch (error) {
        const isOurs = isCarrelError(error) && !isCarrelError(error, 'interrupted', 'no-space', 'usage');
        if (!isOurs) throw error;
        if (isCarrelError(error, 'network') && attempts > 0) {
          line.series += 1;
          line.error = error;
        }
        fail({ uid, series, attempts, error });
      }
    });
    return result;
  } finally {
    await unlock();
  }
}

interface SeriesPlan extends Omit<FetchNbiaOptions, 'layout'> {
  /** `.carrel/nbia` of the destination. */
  state: string;
  layout: Layout;
  /** Series that are here already. */
  present: ReadonlyMap<string, NbiaFile[]>;
  /** Paths of this run, folded, and whose they are. */
  taken: Map<string, string>;
}

async function fetchOne(
  series: NbiaSeries,
  plan: SeriesPlan,
  onAttempt: (attempt: number) => void,
): Promise<NbiaFetched> {
  const { folder, state, layout, onEvent, signal } = plan;
  const uid = series.SeriesInstanceUID;
  const started = Date.now();
  const present = plan.present.get(uid);
  const done = (
    how: 'fetched' | 'present',
    files: NbiaFile[],
    received: number,
    attempts: number,
  ): NbiaFetched => ({
    series,
    how,
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    received,
    attempts,
    milliseconds: Date.now() - started,
  });
  if (present !== undefined) return done('present', present, 0, 0);
  onEvent?.({ type: 'series-start', uid, imageCount: series.imageCount, bytes: series.bytes });
  const attempts = plan.attempts ?? ATTEMPTS;
  let delay = plan.retryDelayMs ?? FIRST_DELAY_MS;
  let received = 0;
  for (let attempt = 1; ; attempt += 1) {
    onAttempt(attempt);
    try {
      const files = await attemptOne(series, plan, (bytes) => {
        received += bytes;
        onEvent?.({ type: 'bytes', uid, bytes });
      });
      await writeSeriesRecord(state, uid, folder, layout.text, files);
      return done('fetched', files, received, attempt);
    } catch (error) {
      if (signal?.aborted === true) throw abortError(signal);
      if (!isCarrelError(error) || !isWorthRepeating(error) || attempt >= attempts) throw error;
      const delayMs = Math.min(error.retryAfterMs ?? delay, LONGEST_DELAY_MS);
      onEvent?.({ type: 'attempt-failed', uid, attempt, delayMs, error });
      await sleep(delayMs, undefined, { signal }).catch(() => {
        throw abortError(signal ?? AbortSignal.abort());
      });
      delay *= 2;
    }
  }
}

/** One ZIP, unpacked, proven and put in its place. */
async function attemptOne(
  series: NbiaSeries,
  plan: SeriesPlan,
  onBytes: (bytes: number) => void,
): Promise<NbiaFile[]> {
  const { folder, state, layout, http, signal, servers } = plan;
  const uid = series.SeriesInstanceUID;
  const zip = join(state, `${uid}.zip`);
  const unpacked = join(state, `${uid}.files`);
  // Twice what is announced and some: sizes of NBIA are sums of its database, not of the ZIP.
  const maxBytes =
    series.bytes === undefined ? (plan.maxBytes ?? LARGEST_SERIES) : series.bytes * 2 + 64 * 2 ** 20;
  try {
    await rm(unpacked, { recursive: true, force: true });
    await mkdir(unpacked);
    const url = nbiaUrl(servers[series.server], 'getImageWithMD5Hash', { SeriesInstanceUID: uid });
    await fetchZip({ url, series: uid, path: zip, http, maxBytes, onBytes, signal });
    const images = await unpackSeries(zip, series, { folder: unpacked, maxBytes, signal });
    await rm(zip, { force: true });
    const nameOf = pathsFor(layout, layoutColumns(series));
    takeNames(
      images.map(({ name }) => nameOf(name)),
      uid,
      plan.taken,
    );
    return await placeSeries(
      images.map((image) => ({ image, path: nameOf(image.name) })),
      unpacked,
      folder,
    );
  } finally {
    await rm(zip, { force: true });
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** A server that gives nothing any more is left alone: a thousand series would take an hour to fail. */
function silent({ SeriesInstanceUID: uid, server }: NbiaSeries, cause: CarrelError | undefined): CarrelError {
  return new CarrelError(
    'network',
    `${uid}: not asked for, since ${server} gave none of ${LOST_AFTER} series before it`,
    {
      item: uid,
      next: 'run the same command again later: it goes on with what is missing',
      retryable: true,
      cause,
    },
  );
}

function nowhere(uid: string, { servers }: NbiaOptions): CarrelError {
  const hosts = [servers.nbia, servers.nlst].map((server) => new URL(server).host);
  return new CarrelError('not-found', `${uid} is neither at ${hosts.join(' nor at ')}`, {
    item: uid,
    next: 'it may have been withdrawn, or moved to the Imaging Data Commons or to a commons of controlled access',
  });
}
