/** The ZIP of one series, streamed to the disk. NBIA makes it while it sends: it has no length, and cannot be resumed. */
import { open } from 'node:fs/promises';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { AskHttp } from '../ask.ts';

/** Making of the ZIP starts with a look into a database that may be slow. */
const TIMEOUTS = { firstByte: 180_000, idle: 60_000 };

const LONGEST_ANSWER = 64 * 1024;

/** What to fetch, and where to. */
export interface FetchZip {
  url: string;
  /** For messages. */
  series: string;
  path: string;
  http: AskHttp;
  /** Most bytes of the ZIP. */
  maxBytes: number;
  onBytes?: ((bytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Streams the ZIP to `path`, which is replaced.
 *
 * @returns bytes received
 * @throws CarrelError `not-found` where this server does not have the series; `network` (retryable) for a broken stream, a
 *   page in place of a ZIP, 429 and 5xx; `unsafe` beyond `maxBytes`; `interrupted`
 */
export async function fetchZip({
  url,
  series,
  path,
  http,
  maxBytes,
  onBytes,
  signal,
}: FetchZip): Promise<number> {
  const { host } = new URL(url);
  const reply = await http.request({ url, signal, timeouts: TIMEOUTS });
  if (reply.status !== 200) {
    const said = (await reply.text(LONGEST_ANSWER).catch(() => '')).trim();
    throw refused(series, host, reply.status, said, reply.headers.get('retry-after'));
  }
  const file = await open(path, 'w');
  let bytes = 0;
  let head = Buffer.alloc(0);
  try {
    await reply.consume(async (chunk) => {
      if (head.length < 4) {
        head = Buffer.concat([head, chunk.subarray(0, 4 - head.length)]);
        if (head.length >= 4 && !isZipStart(head)) throw notZip(series, host);
      }
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new CarrelError(
          'unsafe',
          `${series}: ${host} sent more than ${maxBytes} bytes for this series`,
          {
            item: series,
            next: 'it is many times what the series should have; leave it out, and tell TCIA',
          },
        );
      }
      await file.writeFile(chunk);
      onBytes?.(chunk.length);
    });
  } catch (error) {
    reply.cancel();
    if (signal?.aborted === true) throw abortError(signal);
    throw error;
  } finally {
    await file.close();
  }
  if (head.length < 4) throw notZip(series, host, bytes === 0 ? 'with nothing' : undefined);
  return bytes;
}

/** The first entry, or the end of an archive without any. */
function isZipStart(head: Buffer): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5);
}

function notZip(series: string, host: string, what = 'with something else than a ZIP'): CarrelError {
  return new CarrelError('network', `${series}: ${host} answered ${what}`, {
    item: series,
    next: 'it may be under maintenance; try again later',
    retryable: true,
  });
}

/** NBIA says 400 both for a series that it does not have and for one of its other server. */
function refused(
  series: string,
  host: string,
  status: number,
  said: string,
  retryAfter: string | undefined,
): CarrelError {
  const text = /^[^<{]{1,200}$/.test(said) ? `: ${said.replaceAll(/\s+/g, ' ')}` : '';
  if (status === 400 || status === 404 || status === 410) {
    return new CarrelError('not-found', `${series}: ${host} does not have it${text}`, {
      item: series,
      status,
      next: 'it may be of another server, no longer public, or moved to another archive',
    });
  }
  if (status === 401 || status === 403) {
    return new CarrelError('permission', `${series}: ${host} does not give it to everybody${text}`, {
      item: series,
      status,
      next: 'data of controlled access has left NBIA: see the page of the collection',
    });
  }
  const seconds = Number(retryAfter ?? Number.NaN);
  return new CarrelError('network', `${series}: ${host} answered ${status}${text}`, {
    item: series,
    status,
    retryable: status === 429 || status === 408 || status >= 500,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    next: 'try again later',
  });
}

/** True for failures after which the same question may be answered. */
export function isWorthRepeating(error: unknown): boolean {
  return isCarrelError(error) && (error.retryable || error.code === 'verification');
}
