/** Brings a file here: over HTTPS, or from a disk of machines without a network. */
import { copyFile, open, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import { type AskOptions, ask } from '../ask.ts';

/** A short text: an address (`https://…`, `file://…`) or a path. @throws CarrelError `not-found`, `network` */
export async function readText(from: string, options: AskOptions): Promise<string> {
  const path = localPath(from);
  if (path === undefined) {
    checkSecure(from, false);
    return (await ask({ what: 'IBM’s list of Transfer SDKs', url: from, limit: 1 << 20 }, options)).text;
  }
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw missing(path, cause);
  });
}

/** A small file, from an address or a path. @throws CarrelError `not-found`, `unsafe`, `network` */
export async function readBytes(from: string, what: string, options: AskOptions): Promise<Buffer> {
  const path = localPath(from);
  if (path !== undefined) {
    return await readFile(path).catch((cause: unknown) => {
      throw missing(path, cause);
    });
  }
  checkSecure(from, false);
  const reply = await options.http.request({ url: from, signal: options.signal });
  if (reply.status === 200) return Buffer.from(await reply.bytes(1 << 20));
  reply.cancel();
  throw new CarrelError('not-found', `${what}: ${host(from)} answered ${reply.status}`, {
    item: from,
    next: 'check the address, or give a file',
    status: reply.status,
  });
}

/**
 * A file of any size, written to `target`.
 *
 * @param options.sha256 where it is given, plain HTTP is good enough
 * @throws CarrelError `not-found`, `unsafe`, `network`, `no-space`, `permission`, `interrupted`
 */
export async function bringArchive(
  from: string,
  target: string,
  options: AskOptions & {
    sha256?: string | undefined;
    onBytes?: ((bytes: number, total: number | undefined) => void) | undefined;
  },
): Promise<void> {
  const path = localPath(from);
  if (path !== undefined) {
    await copyFile(path, target).catch((cause: unknown) => {
      throw missing(path, cause);
    });
    return;
  }
  checkSecure(from, options.sha256 !== undefined);
  const { attempts = 4, signal } = options;
  let delay = options.retryDelayMs ?? 500;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await download(from, target, options);
      return;
    } catch (error) {
      await rm(target, { force: true });
      if (signal?.aborted === true) throw abortError(signal);
      if (!isCarrelError(error) || !error.retryable || attempt >= attempts) throw error;
      await sleep(delay, undefined, { signal }).catch(() => {});
      delay *= 2;
    }
  }
}

async function download(
  url: string,
  target: string,
  { http, signal, onBytes }: Parameters<typeof bringArchive>[2],
): Promise<void> {
  const reply = await http.request({ url, signal });
  if (reply.status !== 200) {
    reply.cancel();
    const missingThere = reply.status === 404 || reply.status === 410;
    throw new CarrelError(missingThere ? 'not-found' : 'network', `${host(url)} answered ${reply.status}`, {
      item: host(url),
      next: 'look for the archive on IBM’s pages, and give it with --from',
      status: reply.status,
      retryable: reply.status >= 500 || reply.status === 429,
    });
  }
  const file = await open(target, 'wx', 0o600);
  try {
    let bytes = 0;
    await reply.consume(async (chunk) => {
      await file.writeFile(chunk);
      bytes += chunk.length;
      onBytes?.(bytes, reply.length);
    });
  } finally {
    await file.close();
  }
}

/** Programs do not come over a line that anybody can change, unless their digest is known. */
function checkSecure(url: string, pinned: boolean): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new CarrelError('usage', `${url} is neither an http(s) nor a file address`, {
      item: url,
      next: 'write https://…, file:///… or the path of a file',
    });
  }
  const local = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(parsed.hostname);
  if (parsed.protocol === 'https:' || pinned || local) return;
  throw new CarrelError('unsafe', `${parsed.host}: a program is not fetched over plain HTTP`, {
    item: url,
    next: 'use https, or say which bytes it must have with --sha256',
  });
}

/** The path of a `file:` address or of a path; undefined for other addresses. */
export function localPath(from: string): string | undefined {
  if (/^file:/i.test(from)) return fileURLToPath(from);
  return /^[a-z][a-z0-9+.-]+:/i.test(from) && !/^[a-z]:[\\/]/i.test(from) ? undefined : from;
}

function missing(path: string, cause: unknown): CarrelError {
  return new CarrelError('not-found', `${path} cannot be read`, {
    item: path,
    next: 'check the path; file:// addresses are absolute: file:///home/me/sdk.tar.gz',
    cause,
  });
}

function host(url: string): string {
  return new URL(url).host;
}
