/** Files of a package in transfers of a size that a server takes; each is proven while the next one comes. */
import { mkdir } from 'node:fs/promises';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { PATHS_PER_SPEC } from '../faspex/request-transfer-spec.ts';
import type { PackageTransport, TransportEvent, TransportJob } from '../transport.ts';
import { type PlacedFile, type Places, placeFiles, type WantedFile } from './place-files.ts';

/** Bytes after which a transfer ends, so that what came is proven and named: a lost run has little to read again. */
const BATCH_BYTES = 20e9;

/** What a fetch needs. */
export interface FetchBatchesOptions extends Places {
  transport: () => Promise<PackageTransport>;
  spec: TransportJob['spec'];
  /** As of the transport; bytes of all batches so far. */
  onEvent: (event: TransportEvent) => void;
  onPlaced: (file: PlacedFile, attempts: number) => void;
  onFailed: (file: WantedFile, error: CarrelError, attempts: number) => void;
  /** Most files in one transfer; default as many as a spec is asked for. */
  batch?: number | undefined;
}

/**
 * Fetches files. What does not match is fetched once more. Every file ends in `onPlaced` or `onFailed`.
 *
 * @throws CarrelError where nothing more can come: `unsupported`, `permission`, `network`, `no-space`, `interrupted`; what came is
 *   proven and told by then
 */
export async function fetchBatches(
  files: readonly WantedFile[],
  options: FetchBatchesOptions,
): Promise<void> {
  if (files.length === 0) return;
  const transport = await options.transport();
  const again: WantedFile[] = [];
  const state = { bytes: 0 };
  let settling: Promise<void> = Promise.resolve();
  const round = async (some: readonly WantedFile[], attempts: number): Promise<void> => {
    for (const batch of batchesOf(some, options.batch ?? PATHS_PER_SPEC)) {
      const failures = await runBatch(transport, batch, options, state);
      await settling;
      settling = settle(batch, failures, attempts);
      // Awaited above or at the end; until then a failure must not end the process.
      settling.catch(() => undefined);
    }
    await settling;
  };
  const settle = async (
    batch: readonly WantedFile[],
    failures: ReadonlyMap<string, CarrelError>,
    attempts: number,
  ): Promise<void> => {
    const came = batch.filter(({ path }) => !failures.has(path));
    const { placed, wrong, missing } = await placeFiles(came, options);
    for (const file of placed) options.onPlaced(file, attempts);
    const bad = [...wrong, ...missing.map((file) => ({ file, error: lost(file) }))];
    for (const { file, error } of bad) {
      const hopeless = isCarrelError(error, 'no-space', 'permission', 'unsafe');
      if (attempts === 1 && !hopeless) again.push(file);
      else options.onFailed(file, error, attempts);
    }
    for (const file of batch) {
      const error = failures.get(file.path);
      if (error === undefined) continue;
      // A transport repeats by itself what may pass; bytes that were wrong get a second try here.
      if (attempts === 1 && error.code === 'verification') again.push(file);
      else options.onFailed(file, error, attempts);
    }
  };
  try {
    await round(files, 1);
    await round(again.splice(0), 2);
  } finally {
    await settling.catch(() => undefined);
  }
}

/** Runs one transfer; the answer is what failed. A file that spoils the permission for others is found by halves. */
async function runBatch(
  transport: PackageTransport,
  batch: readonly WantedFile[],
  options: FetchBatchesOptions,
  state: { bytes: number },
): Promise<Map<string, CarrelError>> {
  const { staging, spec, signal } = options;
  await mkdir(staging, { recursive: true });
  const before = state.bytes;
  const onEvent = (event: TransportEvent): void => {
    if (event.type === 'bytes') state.bytes = before + event.bytes;
    options.onEvent(event.type === 'bytes' ? { type: 'bytes', bytes: state.bytes } : event);
  };
  const pairs = batch.map(({ path, local, size }) => ({ path, local, size }));
  const failures = new Map<string, CarrelError>();
  try {
    const { failed } = await transport.run({ pairs, folder: staging, spec, onEvent, signal });
    for (const { path, error } of failed) failures.set(path, error);
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    const aboutPaths = error.code === 'not-found' || error.code === 'bad-input';
    if (!aboutPaths) throw error;
    for (const { path } of batch) failures.set(path, error);
  }
  const codes = new Set([...failures.values()].map(({ code }) => code));
  const spoilt = codes.size === 1 && (codes.has('not-found') || codes.has('bad-input'));
  if (batch.length > 1 && failures.size === batch.length && spoilt) {
    const middle = Math.ceil(batch.length / 2);
    const halves = [batch.slice(0, middle), batch.slice(middle)];
    const found = new Map<string, CarrelError>();
    for (const half of halves)
      for (const [path, error] of await runBatch(transport, half, options, state)) found.set(path, error);
    return found;
  }
  return failures;
}

function* batchesOf(files: readonly WantedFile[], most: number): Generator<WantedFile[]> {
  let batch: WantedFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const size = file.size ?? 0;
    if (batch.length > 0 && (batch.length >= most || bytes + size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(file);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function lost({ path }: WantedFile): CarrelError {
  return new CarrelError('network', `${path}: it was called done and is not there`, {
    item: path,
    next: 'run the same command again',
    retryable: true,
  });
}
