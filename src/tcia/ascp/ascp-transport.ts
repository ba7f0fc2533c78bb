/** Packages over FASP: `ascp` run as often as it takes, with a fresh token each time, until every file is there or refused. */
import { lstatSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { TransferSpec } from '../faspex/transfer-spec.ts';
import type { PackagePair, PackageTransport, TransportJob, TransportResult } from '../transport.ts';
import { checkDelivered, forPair, leftOut, type SourcedPair } from './check-delivered.ts';
import { isAboutFiles } from './codes.ts';
import { ascpCommand, lineBreak, pairListText } from './command-line.ts';
import type { FoundKey } from './find-key.ts';
import { runAscp, type SessionEnd } from './run-ascp.ts';

/** What packages are fetched with. */
export interface AscpTransportOptions {
  /** Path of the program; `findAscp`. */
  ascp: string;
  /** Its version, for receipts; `ascpVersion`. */
  version: string;
  /** `findKey`. Without one, only servers that speak WebSocket let us in. */
  key?: FoundKey | undefined;
  /** Environment of the program, without what is not its business. Default: that of the process. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Upper bound of the rate, in kilobits per second. */
  maxRateKbps?: number | undefined;
  /** Passphrase of packages with content protection. Default: `CARREL_ASPERA_PASSPHRASE` of `env`. */
  passphrase?: string | undefined;
  /** Certificates to trust over WebSocket (PEM file). */
  caFile?: string | undefined;
  /** Most files in one session. Default 1000. */
  batch?: number | undefined;
  /** Sessions in a row that bring nothing, before it is given up. Default 7. */
  attempts?: number | undefined;
  /** Milliseconds before the first repetition, doubled up to a minute (default 2000). */
  retryDelayMs?: number | undefined;
  /** Milliseconds without a new byte after which a session is ended and begun again. Default 120,000. */
  stallMs?: number | undefined;
  /** Milliseconds that `ascp` gets to end by itself. Default 5000. */
  graceMs?: number | undefined;
}

const LONGEST_DELAY_MS = 60_000;

/** Sessions that may leave a file out without a word. */
const MOST_SILENT = 2;

/** The state of one job. */
interface Progress {
  done: { path: string; local: string; bytes: number }[];
  failed: { path: string; local: string; error: CarrelError }[];
  /** Bytes of files that are done. */
  doneBytes: number;
  /** Most bytes that were ever there: what was told. */
  mark: number;
  /** Paths of files whose end was told. */
  told: Set<string>;
  /** Local names of the job: none of them is a leftover of another. */
  locals: ReadonlySet<string>;
  attempt: number;
}

/** Makes a transport of `ascp`. */
export function createAscpTransport(options: AscpTransportOptions): PackageTransport {
  const { batch = 1000 } = options;
  return {
    name: `ascp ${options.version}`,
    async run(job) {
      const locals = new Set(job.pairs.map(({ local }) => local));
      const progress: Progress = {
        done: [],
        failed: [],
        doneBytes: 0,
        mark: 0,
        told: new Set(),
        locals,
        attempt: 0,
      };
      const sayable: PackagePair[] = [];
      for (const pair of job.pairs) {
        if (!/[\r\n\0]/.test(`${pair.path}${pair.local}`)) sayable.push(pair);
        else progress.failed.push({ path: pair.path, local: pair.local, error: lineBreak(pair.path) });
      }
      for (let at = 0; at < sayable.length; at += batch) {
        const pairs = sayable.slice(at, at + batch);
        const fatal = await runBatch(job, pairs, progress, options);
        if (fatal === undefined) continue;
        // What concerns all of them, and nothing was done: the job as a whole has failed.
        if (progress.done.length === 0 && progress.failed.length === 0) throw fatal;
        const told = new Set([...progress.done, ...progress.failed].map(({ path }) => path));
        for (const pair of sayable.slice(at))
          if (!told.has(pair.path))
            progress.failed.push({ path: pair.path, local: pair.local, error: forPair(fatal, pair) });
        break;
      }
      const result: TransportResult = { done: progress.done, failed: progress.failed };
      return result;
    },
  };
}

/**
 * Gets some pairs, in as many sessions as it takes. Answers with the error after which the rest of the job is not
 * worth trying; pairs that are in neither list then have that error.
 */
async function runBatch(
  job: TransportJob,
  pairs: readonly PackagePair[],
  progress: Progress,
  options: AscpTransportOptions,
): Promise<CarrelError | undefined> {
  const { attempts = 7 } = options;
  const silent = new Map<string, number>();
  let remaining = pairs;
  let idle = 0;
  let delay = options.retryDelayMs ?? 2000;
  while (remaining.length > 0) {
    if (job.signal.aborted) throw abortError(job.signal);
    progress.attempt += 1;
    const [before, asked] = [progress.mark, remaining.length];
    const { rest, error, session } = await attempt(job, remaining, progress, silent, options);
    if (job.signal.aborted) throw abortError(job.signal);
    remaining = rest;
    if (remaining.length === 0) break;
    const gained = progress.mark > before || remaining.length < asked;
    // Some files are refused for good; the others are worth a session of their own.
    const aboutFiles = session?.code !== undefined && isAboutFiles(session.code);
    if (error !== undefined && !error.retryable && !(aboutFiles && gained)) {
      if (!aboutFiles) return error;
      for (const pair of remaining)
        progress.failed.push({ path: pair.path, local: pair.local, error: forPair(error, pair) });
      return undefined;
    }
    idle = gained ? 0 : idle + 1;
    if (gained) delay = options.retryDelayMs ?? 2000;
    const reason = error ?? leftOut(remaining[0] ?? { path: '', local: '' });
    if (idle >= attempts) return reason;
    job.onEvent({ type: 'attempt-failed', attempt: progress.attempt, delayMs: delay, error: reason });
    await pause(delay, job.signal);
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }
  return undefined;
}

/** One spec, one session, and what came of it. */
async function attempt(
  job: TransportJob,
  pairs: readonly PackagePair[],
  progress: Progress,
  silent: Map<string, number>,
  options: AscpTransportOptions,
): Promise<{ rest: PackagePair[]; error: CarrelError | undefined; session?: SessionEnd }> {
  let sourced: SourcedPair[];
  let session: SessionEnd;
  try {
    const spec = await job.spec(
      pairs.map(({ path }) => path),
      job.signal,
    );
    sourced = withSources(pairs, spec);
    session = await runSession(job, sourced, spec, progress, options);
  } catch (error) {
    if (!isCarrelError(error)) throw error;
    return { rest: [...pairs], error };
  }
  const rest: PackagePair[] = [];
  const deliveries = await checkDelivered(sourced, job.folder, session);
  for (const [at, pair] of sourced.entries()) {
    const { path, local, size } = pair;
    const delivery = deliveries[at] ?? { state: 'missing', silent: false };
    if (delivery.state === 'done') {
      progress.done.push({ path, local, bytes: delivery.bytes });
      progress.doneBytes += delivery.bytes;
      if (!progress.told.has(path)) job.onEvent({ type: 'file-done', path, bytes: delivery.bytes });
      await removeLeftovers(job.folder, local, progress.locals);
    } else if (delivery.state === 'failed') progress.failed.push({ path, local, error: delivery.error });
    else {
      const times = (silent.get(path) ?? 0) + (delivery.silent ? 1 : 0);
      silent.set(path, times);
      if (times >= MOST_SILENT) progress.failed.push({ path, local, error: leftOut(pair) });
      else rest.push({ path, local, size });
    }
  }
  tellBytes(job, progress, progress.doneBytes);
  return { rest, error: session.error, session };
}

/** The sources of a spec beside what was asked for. @throws CarrelError `network` where they do not fit */
function withSources(pairs: readonly PackagePair[], spec: TransferSpec): SourcedPair[] {
  const sources: readonly { source?: unknown }[] = Array.isArray(spec.paths) ? spec.paths : [];
  return pairs.map((pair, at) => {
    const source = sources[at]?.source;
    const fits =
      typeof source === 'string' &&
      (source === pair.path || source.normalize('NFC').endsWith(`/${pair.path.normalize('NFC')}`));
    if (fits && sources.length === pairs.length) {
      if (/[\r\n\0]/.test(source)) throw lineBreak(pair.path);
      return { ...pair, source };
    }
    throw new CarrelError('network', `${pair.path}: the server offered another file in its place`, {
      item: pair.path,
      next: 'try again later; if it stays so, tell the archive',
      retryable: true,
    });
  });
}

/** Lays out the private files of a session and runs it. */
async function runSession(
  job: TransportJob,
  pairs: readonly SourcedPair[],
  spec: TransferSpec,
  progress: Progress,
  options: AscpTransportOptions,
): Promise<SessionEnd> {
  const { key } = options;
  const folder = await mkdtemp(join(tmpdir(), 'carrel-ascp-'));
  try {
    await chmod(folder, 0o700);
    const pairListFile = join(folder, 'pairs');
    await writeFile(pairListFile, pairListText(pairs), { mode: 0o600 });
    let keyFile = key?.path;
    if (key?.pem !== undefined) {
      keyFile = join(folder, 'key');
      await writeFile(keyFile, key.pem, { mode: 0o600 });
    }
    const byName = new Map<string, SourcedPair>();
    for (const pair of pairs)
      for (const name of [pair.source, pair.local, join(job.folder, ...pair.local.split('/'))])
        byName.set(name, pair);
    return await runAscp({
      ascp: options.ascp,
      env: options.env ?? process.env,
      item: spec.remote_host,
      stallMs: options.stallMs ?? 120_000,
      graceMs: options.graceMs ?? 5000,
      signal: job.signal,
      command: (managementPort) =>
        ascpCommand({
          spec,
          keyFile,
          pairListFile,
          managementPort,
          destination: job.folder,
          caFile: options.caFile,
          maxRateKbps: options.maxRateKbps,
          passphrase: options.passphrase ?? (options.env ?? process.env)['CARREL_ASPERA_PASSPHRASE'],
        }),
      onBytes: (bytes) => tellBytes(job, progress, progress.doneBytes + bytes),
      onFile: (file) => {
        const pair = byName.get(file);
        if (pair?.size === undefined || progress.told.has(pair.path)) return;
        const path = join(job.folder, ...pair.local.split('/'));
        if (lstatSync(path, { throwIfNoEntry: false })?.size !== pair.size) return;
        progress.told.add(pair.path);
        job.onEvent({ type: 'file-done', path: pair.path, bytes: pair.size });
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes never go back. */
function tellBytes(job: TransportJob, progress: Progress, bytes: number): void {
  if (bytes <= progress.mark) return;
  progress.mark = bytes;
  job.onEvent({ type: 'bytes', bytes });
}

/** What `ascp` may leave beside a file that is whole. */
async function removeLeftovers(folder: string, local: string, locals: ReadonlySet<string>): Promise<void> {
  for (const name of [`${local}.partial`, `${local}.aspera-ckpt`])
    if (!locals.has(name)) await rm(join(folder, ...name.split('/')), { force: true });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw abortError(signal);
  }
}
