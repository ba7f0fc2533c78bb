/**
 * The wire side of GA4GH DRS: one object, its access URL, many objects at once where a host offers that.
 * Resolvers are slow and easily overrun (whole documents were written about it), so little is asked at a time and
 * nothing twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, CarrelError, type ErrorCode, isCarrelError } from '../errors.ts';
import { type DrsObject, parseAccessUrl, parseDrsObject, parseIndexRecord } from './drs-object.ts';

/** What is needed of an HTTP client; the pool of `stores` fits. */
export interface DrsHttp {
  request(request: {
    method?: string | undefined;
    url: string;
    headers?: Record<string, string> | undefined;
    body?: Uint8Array | undefined;
    signal?: AbortSignal | undefined;
  }): Promise<{
    status: number;
    headers: ReadonlyMap<string, string>;
    text(limit?: number): Promise<string>;
  }>;
}

/** Options of a client. */
export interface DrsClientOptions {
  http: DrsHttp;
  /** Bearer token for a host (`host` or `host:port`), where there is one. Asked for every host, sent to that host only. */
  token?: ((host: string) => string | undefined) | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds before a failed request is repeated, doubled each time (default 500). */
  retryDelayMs?: number | undefined;
}

/** Asks DRS hosts. An endpoint is the URL of the API: `https://host/ga4gh/drs/v1`. */
export interface DrsClient {
  object(endpoint: string, id: string): Promise<DrsObject>;
  /** Signed access: the URL that an `access_id` stands for. */
  access(endpoint: string, id: string, accessId: string): Promise<{ url: string; headers: string[] }>;
  /** What a bulk request could resolve, by the id asked for; empty where the host has none. */
  objects(endpoint: string, ids: readonly string[]): Promise<Map<string, DrsObject>>;
  /** An indexd record by its URL. */
  indexRecord(url: string): Promise<DrsObject>;
}

const ATTEMPTS = 4;
const LONGEST_WAIT_MS = 60_000;
const WAITS_FOR_202 = 20;
const REPLY_LIMIT = 64 * 1024 * 1024;

/** Most ids of one bulk request where a host does not say; indexd's default is 100. */
const BULK_DEFAULT = 100;

/** A client; it remembers what the hosts offer. */
export function createDrsClient(options: DrsClientOptions): DrsClient {
  const bulkLimits = new Map<string, Promise<number>>();
  const get = (url: string): Promise<unknown> => ask({ url }, options);

  /** `id` escaped, as the specification wants it; with a raw slash where a host cannot route `%2F`. */
  async function withId(endpoint: string, id: string, rest: string): Promise<unknown> {
    const escaped = `${endpoint}/objects/${encodeURIComponent(id)}${rest}`;
    try {
      return await get(escaped);
    } catch (error) {
      const raw = `${endpoint}/objects/${id.split('/').map(encodeURIComponent).join('/')}${rest}`;
      if (!isCarrelError(error, 'not-found', 'bad-input') || raw === escaped) throw error;
      return await get(raw);
    }
  }

  return {
    async object(endpoint, id) {
      return parseDrsObject(await withId(endpoint, id, ''), `${endpoint}/objects/${id}`);
    },
    async access(endpoint, id, accessId) {
      const at = parseAccessUrl(await withId(endpoint, id, `/access/${encodeURIComponent(accessId)}`));
      if (at !== undefined) return at;
      throw new CarrelError('network', `${endpoint} gave no URL for ${id} (access ${accessId})`, {
        item: id,
      });
    },
    async indexRecord(url) {
      return parseIndexRecord(await get(url), url);
    },
    async objects(endpoint, ids) {
      let limit = bulkLimits.get(endpoint);
      if (limit === undefined) {
        limit = get(`${endpoint}/service-info`).then(bulkLimit, () => 0);
        bulkLimits.set(endpoint, limit);
      }
      const most = await limit;
      const found = new Map<string, DrsObject>();
      for (let start = 0; most > 0 && start < ids.length; start += most) {
        const some = ids.slice(start, start + most);
        try {
          const body = new TextEncoder().encode(JSON.stringify({ bulk_object_ids: some }));
          for (const item of resolvedOf(await ask({ url: `${endpoint}/objects`, body }, options))) {
            const object = parseDrsObject(item, endpoint);
            const asked = some.find((id) => id === object.id || lastPart(id) === lastPart(object.id));
            if (asked !== undefined) found.set(asked, object);
          }
        } catch (error) {
          if (isCarrelError(error, 'interrupted')) throw error;
          // Advertised and not working: one by one from now on.
          bulkLimits.set(endpoint, Promise.resolve(0));
          break;
        }
      }
      return found;
    },
  };
}

/** One request with its repetitions: failures that may pass, and 202 ("not yet") as often as the host asks for. */
async function ask(request: { url: string; body?: Uint8Array }, options: DrsClientOptions): Promise<unknown> {
  let delay = options.retryDelayMs ?? 500;
  let waits = 0;
  for (let attempt = 1; ; ) {
    try {
      const answer = await once(request, options);
      if (!('waitMs' in answer)) return answer.json;
      waits += 1;
      if (waits > WAITS_FOR_202) throw failure(request.url, 202, 'is not ready after many tries', undefined);
      await pause(answer.waitMs, options.signal);
    } catch (error) {
      if (!isCarrelError(error) || !error.retryable || attempt >= ATTEMPTS) throw error;
      attempt += 1;
      await pause(error.retryAfterMs ?? delay, options.signal);
      delay *= 2;
    }
  }
}

async function once(
  request: { url: string; body?: Uint8Array },
  { http, token, signal }: DrsClientOptions,
): Promise<{ json: unknown } | { waitMs: number }> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const bearer = token?.(new URL(request.url).host);
  if (bearer !== undefined && bearer !== '') headers['authorization'] = `Bearer ${bearer}`;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  const reply = await http.request({
    method: request.body === undefined ? 'GET' : 'POST',
    url: request.url,
    headers,
    body: request.body,
    signal,
  });
  const text = await reply.text(REPLY_LIMIT);
  const seconds = Number(reply.headers.get('retry-after') ?? '');
  const waitMs =
    Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, LONGEST_WAIT_MS) : undefined;
  if (reply.status === 202)
    return { waitMs: waitMs ?? (reply.headers.get('retry-after') === '0' ? 0 : 1000) };
  if (reply.status !== 200) throw failure(request.url, reply.status, messageOf(text), waitMs);
  try {
    return { json: JSON.parse(text) };
  } catch (cause) {
    throw new CarrelError('network', `${request.url} did not answer with JSON`, {
      item: request.url,
      next: 'check that the host serves GA4GH DRS; it may have answered with a sign-in page',
      cause,
    });
  }
}

function failure(
  url: string,
  status: number,
  message: string,
  retryAfterMs: number | undefined,
): CarrelError {
  const code: ErrorCode =
    status === 404 || status === 410
      ? 'not-found'
      : status === 401 || status === 403
        ? 'permission'
        : status === 400
          ? 'bad-input'
          : 'network';
  const next: Partial<Record<ErrorCode, string>> = {
    permission: 'set CARREL_DRS_TOKEN=HOST=TOKEN with a token of this host',
    network: 'try again later',
  };
  return new CarrelError(code, `${url} answered ${status}${message === '' ? '' : `: ${message}`}`, {
    item: url,
    next: next[code],
    status,
    retryAfterMs,
    retryable: status === 429 || status >= 500,
  });
}

/** `msg` of DRS's error body; servers also say `message` or `error`. */
function messageOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return '';
    const { msg, message, error } = body as Record<string, unknown>;
    const found = [msg, message, error].find((part) => typeof part === 'string');
    return typeof found === 'string' ? found.slice(0, 300) : '';
  } catch {
    return '';
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(Math.min(ms, LONGEST_WAIT_MS), undefined, { signal });
  } catch {
    if (signal !== undefined) throw abortError(signal);
  }
}

/** DRS 1.5 has it under `drs`, 1.4 at the top. */
function bulkLimit(info: unknown): number {
  if (typeof info !== 'object' || info === null) return 0;
  const { drs, maxBulkRequestLength } = info as {
    drs?: { maxBulkRequestLength?: unknown };
    maxBulkRequestLength?: unknown;
  };
  const limit = drs?.maxBulkRequestLength ?? maxBulkRequestLength;
  return typeof limit === 'number' && limit > 0 ? Math.min(Math.floor(limit), 10 * BULK_DEFAULT) : 0;
}

/** The specification says `resolved_drs_object`, indexd `resolved_drs_objects`. */
function resolvedOf(json: unknown): unknown[] {
  if (typeof json !== 'object' || json === null) return [];
  const { resolved_drs_object: one, resolved_drs_objects: many } = json as Record<string, unknown>;
  return Array.isArray(one) ? one : Array.isArray(many) ? many : [];
}

function lastPart(id: string): string {
  return id.split(/[/:]/).pop()?.toLowerCase() ?? '';
}

/**
 * The token function of `CARREL_DRS_TOKEN`: `HOST=TOKEN`, several separated by commas. A token without a host is
 * refused with `usage`: it would go to whatever host a manifest names.
 */
export function drsTokenFrom(setting: string | undefined): (host: string) => string | undefined {
  const tokens = new Map<string, string>();
  for (const part of (setting ?? '').split(',').map((text) => text.trim())) {
    if (part === '') continue;
    const match = /^([A-Za-z0-9.-]+\.[A-Za-z0-9.-]+(?::\d+)?|localhost(?::\d+)?)=(.+)$/.exec(part);
    if (match === null) {
      throw new CarrelError('usage', 'CARREL_DRS_TOKEN does not say for which host its token is', {
        item: 'CARREL_DRS_TOKEN',
        next: 'write it as HOST=TOKEN',
      });
    }
    tokens.set((match[1] ?? '').toLowerCase(), match[2] ?? '');
  }
  return (host) => tokens.get(host.toLowerCase());
}
