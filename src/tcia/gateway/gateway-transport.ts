/** Packages over an Aspera HTTP Gateway: plain HTTPS, without `ascp`. TCIA has none; other servers do. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { HttpReply } from '../../stores/index.ts';
import type { AskOptions } from '../ask.ts';
import type { TransferSpec } from '../faspex/transfer-spec.ts';
import type { PackagePair, PackageTransport, TransportJob } from '../transport.ts';
import { checkLocals, createFilesBelow, type FilesBelow } from '../unzip/files-below.ts';
import { unpackZip } from '../unzip/unpack-zip.ts';
import { openDownload, withoutUrl } from './gateway-download.ts';
import { type Gateway, readGateway } from './gateway-info.ts';
import { baseName, groupPairs, type PairGroup } from './group-pairs.ts';

/** What a transport is made with. */
export interface GatewayOptions extends Omit<AskOptions, 'signal'> {
  /** Address of the gateway, as Faspex names it. */
  url: string;
  /** Let small files come together in ZIP archives. Default true. */
  zip?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

const LONGEST_DELAY_MS = 60_000;

interface Progress {
  done: { path: string; local: string; bytes: number }[];
  failed: { path: string; local: string; error: CarrelError }[];
  doneBytes: number;
  mark: number;
}

/**
 * Asks the gateway for its version and makes a transport of it. The `spec` of its jobs asks Faspex with
 * `transfer_type=http_gateway`. There is no resuming: a file that was cut short begins anew.
 *
 * @throws CarrelError as `readGateway`
 */
export async function openGatewayTransport(options: GatewayOptions): Promise<PackageTransport> {
  const gateway = await readGateway(options.url, options);
  return {
    name: `http-gateway ${gateway.version}`,
    async run(job) {
      checkLocals(job.pairs.map(({ local }) => local));
      job.onEvent({
        type: 'note',
        message: 'an HTTP gateway cannot go on in the middle of a file: one that is cut short begins anew',
      });
      const progress: Progress = { done: [], failed: [], doneBytes: 0, mark: 0 };
      const files = createFilesBelow(job.folder);
      for (const group of groupPairs(job.pairs, options.zip ?? true)) {
        const error = await runGroup({ job, gateway, files, progress, options }, group);
        if (error === undefined) continue;
        // Refused for all: nothing is to be had here.
        if (progress.done.length === 0 && isCarrelError(error, 'permission', 'unsafe')) throw error;
        const known = new Set([...progress.done, ...progress.failed].map(({ local }) => local));
        for (const { path, local } of group)
          if (!known.has(local)) progress.failed.push({ path, local, error: named(error, path) });
      }
      return { done: progress.done, failed: progress.failed };
    },
  };
}

interface Work {
  job: TransportJob;
  gateway: Gateway;
  files: FilesBelow;
  progress: Progress;
  options: GatewayOptions;
}

/** Gets a group, as often as it takes; answers with the error of those that are in neither list then. */
async function runGroup(work: Work, group: PairGroup): Promise<CarrelError | undefined> {
  const { job, progress, options } = work;
  const { attempts = 4 } = options;
  let delay = options.retryDelayMs ?? 500;
  let rest = group;
  for (let attempt = 1; ; attempt += 1) {
    if (job.signal.aborted) throw abortError(job.signal);
    const error = await fetchGroup(work, rest).catch((caught: unknown) => {
      if (job.signal.aborted) throw abortError(job.signal);
      if (!isCarrelError(caught)) throw caught;
      return caught;
    });
    const done = new Set(progress.done.map(({ local }) => local));
    rest = rest.filter(({ local }) => !done.has(local));
    if (rest.length === 0) return undefined;
    if (error === undefined) break;
    if (!error.retryable || attempt >= attempts) {
      // One missing file spoils an archive for all the others.
      const forAll = isCarrelError(error, 'permission', 'unsafe', 'no-space');
      if (group.length === 1 || forAll) return error;
      break;
    }
    job.onEvent({ type: 'attempt-failed', attempt, delayMs: delay, error });
    await pause(Math.min(error.retryAfterMs ?? delay, LONGEST_DELAY_MS), job.signal);
    delay *= 2;
  }
  for (const pair of rest) {
    const error = await runGroup(work, [pair]);
    const { path, local } = pair;
    if (error !== undefined) progress.failed.push({ path, local, error: named(error, path) });
  }
  return undefined;
}

async function fetchGroup(work: Work, group: PairGroup): Promise<void> {
  const { job, gateway, options } = work;
  const spec = await job.spec(
    group.map(({ path }) => path),
    job.signal,
  );
  const sources = group.map((pair, at) => sourceOf(pair, spec, at, group.length));
  const [first] = group;
  const what = group.length === 1 && first !== undefined ? first.path : `${group.length} files`;
  const asking = { ...options, signal: job.signal };
  const reply = await openDownload({ gateway, spec, sources, zip: group.length > 1, what }, asking);
  if (group.length === 1 && first !== undefined) await saveFile(work, reply, first);
  else await saveArchive(work, reply, group, what);
}

function sourceOf(pair: PackagePair, spec: TransferSpec, at: number, count: number): string {
  const source = spec.paths[at]?.source;
  const normal = source?.normalize('NFC');
  const path = pair.path.normalize('NFC');
  if (
    source !== undefined &&
    spec.paths.length === count &&
    (normal === path || normal?.endsWith(`/${path}`))
  )
    return source;
  throw new CarrelError('network', `${pair.path}: the server offered another file in its place`, {
    item: pair.path,
    next: 'try again later; if it stays so, tell the archive',
    retryable: true,
  });
}

/** One file, under our name for it: that of the server is looked at, never used. */
async function saveFile(work: Work, reply: HttpReply, pair: PackagePair): Promise<void> {
  const { path, local, size } = pair;
  if (isArchive(reply) && !/\.zip$/i.test(path)) {
    reply.cancel();
    throw new CarrelError('bad-input', `${path}: the gateway packed it into an archive; it is a folder`, {
      item: path,
      next: 'name the files of the folder',
    });
  }
  const file = await work.files.begin(local).catch((error: unknown) => {
    reply.cancel();
    throw error;
  });
  try {
    let bytes = 0;
    try {
      await reply.consume(async (chunk) => {
        await file.write(chunk);
        bytes += chunk.length;
        tellBytes(work, work.progress.doneBytes + bytes);
      });
    } catch (error) {
      throw withoutUrl(error, path);
    }
    if (size !== undefined && bytes !== size) {
      throw new CarrelError('verification', `${path}: ${bytes} bytes came, and the listing says ${size}`, {
        item: path,
        next: 'run the same command again',
        retryable: bytes < size,
      });
    }
    await file.finish();
    finished(work, pair, bytes);
  } finally {
    await file.discard();
  }
}

/** An archive: kept beside its files until they are out. */
async function saveArchive(work: Work, reply: HttpReply, group: PairGroup, what: string): Promise<void> {
  const { job, progress } = work;
  let folder: string;
  try {
    folder = await mkdtemp(join(job.folder, '.carrel-gateway-'));
  } catch (error) {
    reply.cancel();
    throw error;
  }
  try {
    const path = join(folder, 'files.zip');
    const known = group.reduce((sum, { size = 0 }) => sum + size, 0);
    const file = await open(path, 'wx', 0o600);
    try {
      let bytes = 0;
      await reply.consume(async (chunk) => {
        await file.writeFile(chunk);
        bytes += chunk.length;
        tellBytes(work, progress.doneBytes + Math.min(bytes, known));
      });
    } catch (error) {
      throw withoutUrl(error, what);
    } finally {
      await file.close();
    }
    const wrong: string[] = [];
    const byName = new Map(group.map((pair) => [baseName(pair.path), pair]));
    await unpackZip(path, {
      folder: job.folder,
      maxBytes: known,
      maxEntries: group.length * 50 + 1000,
      signal: job.signal,
      nameOf: (name) => byName.get(baseName(name))?.local,
      onFile: ({ name, bytes }) => {
        const pair = byName.get(baseName(name));
        if (pair === undefined) return;
        if (pair.size === bytes) finished(work, pair, bytes);
        else wrong.push(pair.local);
      },
    });
    // Of another size than the listing says: they come again, alone.
    for (const local of wrong) await rm(join(job.folder, ...local.split('/')), { force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** True where the name that the server gives is that of an archive. */
function isArchive({ headers }: HttpReply): boolean {
  return /filename\*?=[^;]*\.zip"?\s*(?:;|$)/i.test(headers.get('content-disposition') ?? '');
}

function finished(work: Work, { path, local }: PackagePair, bytes: number): void {
  work.progress.done.push({ path, local, bytes });
  work.progress.doneBytes += bytes;
  work.job.onEvent({ type: 'file-done', path, bytes });
  tellBytes(work, work.progress.doneBytes);
}

/** Bytes never go back. */
function tellBytes({ job, progress }: Work, bytes: number): void {
  if (bytes <= progress.mark) return;
  progress.mark = bytes;
  job.onEvent({ type: 'bytes', bytes });
}

function named(error: CarrelError, path: string): CarrelError {
  if (error.item === path) return error;
  const { next, retryable, status } = error;
  return new CarrelError(error.code, `${path}: ${error.message}`, { item: path, next, retryable, status });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw abortError(signal);
  }
}
