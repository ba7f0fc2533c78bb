/** One file of a catalogue, fetched so that a second try goes on where the first one stopped. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { OpenStore, Store } from '../stores/index.ts';
import { stopIfAborted } from './abort.ts';
import { sha256Of } from './catalog-file.ts';

/** Attempts per file where the network fails in a way that may pass; fewer where a server never said anything. */
const ATTEMPTS = 4;
const ATTEMPTS_UNHEARD = 2;

/** Options of `fetchFile`. */
export interface FetchFileOptions {
  openStore: OpenStore;
  /** `https://…`, `file:///…` or an absolute path; of an object of a bucket its address. */
  url: string;
  /** Where the bytes are, where the address alone does not say it. */
  object?: { store: Store; key: string } | undefined;
  /** Where the whole file will stand; `.part` and `.pin` stand beside it until then. */
  target: string;
  /** Hex that the bytes must have, where somebody vouches for them. */
  sha256?: string | undefined;
  onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Opens the store and key of an address. */
export function objectOf(openStore: OpenStore, url: string): { store: Store; key: string } {
  if (/^https?:\/\//i.test(url)) {
    const { origin, pathname, search } = new URL(url);
    return {
      store: openStore({ protocol: 'https', endpoint: origin, bucket: '' }),
      key: `${pathname.slice(1)}${search}`,
    };
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return { store: openStore({ protocol: 'file', endpoint: dirname(path), bucket: '' }), key: basename(path) };
}

/**
 * Fetches a file whole. What arrived stays after a failure and is continued by the next call, if the server still has
 * the same version. Throws `verification` where the bytes differ from `sha256`; they are thrown away then.
 */
export async function fetchFile(options: FetchFileOptions): Promise<void> {
  const { target, signal } = options;
  await mkdir(dirname(target), { recursive: true });
  let heard = false;
  const onProgress: FetchFileOptions['onProgress'] = (bytes, total) => {
    heard = true;
    options.onProgress?.(bytes, total);
  };
  for (let attempt = 1; ; attempt += 1) {
    stopIfAborted(signal);
    try {
      await receive({ ...options, onProgress });
      break;
    } catch (error) {
      stopIfAborted(signal);
      const changed = isCarrelError(error, 'verification');
      if (changed) await discard(target);
      if (
        attempt >= (heard || isStatus(error) ? ATTEMPTS : ATTEMPTS_UNHEARD) ||
        !isCarrelError(error) ||
        !(error.retryable || changed)
      )
        throw error;
      const wait = Math.min(error.retryAfterMs ?? 250 * 2 ** attempt, 60_000);
      if (!changed) await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }
  if (options.sha256 !== undefined) {
    const found = await sha256Of(`${target}.part`, signal);
    if (found !== options.sha256) {
      await discard(target);
      throw new CarrelError('verification', `${options.url} has other bytes than were published`, {
        item: `${options.url}: sha256:${found}, expected sha256:${options.sha256}`,
        next: 'fetch it again; if it stays so, tell the archive',
      });
    }
  }
  await rename(`${target}.part`, target);
  await rm(`${target}.pin`, { force: true });
}

/** True where a server answered, if only with a refusal. */
function isStatus(error: unknown): boolean {
  return isCarrelError(error) && error.status !== undefined;
}

/** Adds what is missing to the part; without a pin, or where the server ignores the range, it starts over. */
async function receive({
  openStore,
  url,
  object,
  target,
  onProgress,
  signal,
}: FetchFileOptions): Promise<void> {
  const { store, key } = object ?? objectOf(openStore, url);
  const part = `${target}.part`;
  const pinned = await readPin(target, url);
  const have = pinned === undefined ? 0 : ((await stat(part).catch(() => undefined))?.size ?? 0);
  const body = await store.get(
    key,
    have > 0 ? { range: { start: have }, ifMatch: pinned, signal } : { signal },
  );
  const start = body.range.start;
  const file = await open(part, have > 0 ? 'r+' : 'w').catch((error: unknown) => {
    body.cancel();
    throw error;
  });
  try {
    const pin = store.pin(body.stat);
    await writeFile(`${target}.pin`, JSON.stringify({ url, pin }));
    await file.truncate(start);
    let at = start;
    await body.consume(async (chunk) => {
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onProgress?.(at, body.stat.size);
    });
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new CarrelError('no-space', `no space left for ${basename(target)}`, {
        item: target,
        next: 'free some space, or set CARREL_CACHE_DIR',
        cause: error,
      });
    }
    throw error;
  } finally {
    await file.close();
  }
}

async function readPin(target: string, url: string): Promise<string | undefined> {
  try {
    const saved = JSON.parse(await readFile(`${target}.pin`, 'utf8')) as { url?: unknown; pin?: unknown };
    return saved.url === url && typeof saved.pin === 'string' ? saved.pin : undefined;
  } catch {
    return undefined;
  }
}

async function discard(target: string): Promise<void> {
  await rm(`${target}.part`, { force: true });
  await rm(`${target}.pin`, { force: true });
}

/** A name for the parts of an address: two sources of one file are not mixed up. */
export function partFolder(root: string, url: string): string {
  return join(root, createHash('sha256').update(dirname(url)).digest('hex').slice(0, 12));
}

/** A short text file, such as a digest; undefined where it does not exist. */
export async function fetchText(
  openStore: OpenStore,
  url: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { store, key } = objectOf(openStore, url);
  try {
    const body = await store.get(key, { signal });
    return Buffer.from(await body.bytes(4 << 20)).toString('utf8');
  } catch (error) {
    if (isCarrelError(error, 'not-found', 'permission')) return undefined;
    throw error;
  }
}
