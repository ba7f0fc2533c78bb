/** The HTTP client: redirects over origins over connections. */
import { setMaxListeners } from 'node:events';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import { collect, DEFAULT_LIMIT } from './collect.ts';
import type { HttpPool, HttpPoolOptions, HttpReply, HttpRequest, HttpStats, HttpTimeouts } from './http.ts';
import { wireError } from './http-error.ts';
import { createOpener } from './open.ts';
import { createOrigin, type Origin } from './origin.ts';
import { followRedirect, type Hop, isRedirect, MAX_REDIRECTS, tooManyRedirects } from './redirect.ts';
import { parseTarget, type Target } from './target.ts';
import { StaleConnection, type WireReply, type WireRequest } from './wire.ts';

const TIMEOUTS: HttpTimeouts = { connect: 10_000, firstByte: 30_000, idle: 20_000 };

/** Dead kept connections in a row before a request is given up: the last try is on a fresh one anyway. */
const MAX_STALE = 3;

/** Body of a redirect that is read to keep the connection; a longer one costs it. */
const MAX_REDIRECT_BODY = 64 * 1024;

/** Makes an HTTP client. Nothing is opened before the first request. */
export function createHttpPool(options: HttpPoolOptions = {}): HttpPool {
  const stats: HttpStats = { requests: 0, connections: 0, bytes: 0 };
  const origins = new Map<string, Origin>();
  const userAgent = options.userAgent ?? `carrel/${VERSION}`;
  const opener = createOpener({ ...options, userAgent });
  const limits = {
    connections: options.connectionsPerOrigin ?? 32,
    requestsPerConnection: options.requestsPerConnection ?? 95,
    keepAliveMs: options.keepAliveMs ?? 4_000,
  };
  let closed = false;

  const originOf = (target: Target, timeouts: HttpTimeouts, url: string): Origin => {
    let origin = origins.get(target.origin);
    if (origin === undefined) {
      const open = async (signal: AbortSignal | undefined) => {
        stats.connections += 1;
        return opener.open(target, { signal, timeoutMs: timeouts.connect, url });
      };
      const onBody = (bytes: number): void => {
        stats.bytes += bytes;
      };
      origin = createOrigin(open, limits, onBody);
      origins.set(target.origin, origin);
    }
    return origin;
  };

  /** One request and its reply, without redirects. */
  const exchange = async (hop: Hop, request: HttpRequest): Promise<WireReply> => {
    const target = parseTarget(hop.url);
    const timeouts = { ...TIMEOUTS, ...options.timeouts, ...request.timeouts };
    const wire: WireRequest = {
      method: hop.method,
      head: headOf(hop, target, userAgent, opener.plainProxy(target)),
      body: hop.body,
      signal: request.signal,
      timeouts,
      url: hop.url,
    };
    const origin = originOf(target, timeouts, hop.url);
    for (let stale = 0; ; stale += 1) {
      if (closed) throw new CarrelError('interrupted', 'the connection pool was closed');
      const connection = await origin.acquire({ fresh: stale > 0, signal: request.signal });
      stats.requests += 1;
      try {
        return await connection.exchange(wire);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // Nothing was done by a server that did not answer a GET; for other methods that is not known.
        const repeatable = hop.method === 'GET' || hop.method === 'HEAD';
        if (!repeatable || stale >= MAX_STALE)
          throw wireError(hop.url, 'the kept connection was dead', error);
      }
    }
  };

  return {
    stats,
    async request(request) {
      const follow = request.redirect !== 'manual';
      // One signal ends hundreds of requests; Node 20 takes more than ten listeners for a leak, and says so on stderr.
      if (request.signal !== undefined) setMaxListeners(0, request.signal);
      let hop: Hop = {
        method: request.method ?? 'GET',
        url: request.url,
        headers: request.headers ?? {},
        body: request.body,
      };
      for (let redirects = 0; ; redirects += 1) {
        const reply = replyOf(await exchange(hop, request), hop.url);
        if (!follow || !isRedirect(reply.status, reply.headers)) return reply;
        if (redirects >= MAX_REDIRECTS) {
          reply.cancel();
          throw tooManyRedirects(request.url);
        }
        try {
          hop = followRedirect(hop, reply.status, reply.headers.get('location') ?? '');
        } catch (error) {
          reply.cancel();
          throw error;
        }
        await discard(reply);
      }
    },
    async close() {
      closed = true;
      for (const origin of origins.values()) origin.close();
      origins.clear();
    },
  };
}

function replyOf({ head, consume, land, cancel }: WireReply, url: string): HttpReply {
  const length = head.framing.kind === 'length' ? head.framing.length : undefined;
  const bytes = (limit = DEFAULT_LIMIT): Promise<Uint8Array> =>
    collect({ consume, cancel }, url, length, limit);
  return {
    status: head.status,
    headers: head.headers,
    url,
    length,
    consume,
    land,
    bytes,
    text: async (limit) => new TextDecoder().decode(await bytes(limit)),
    cancel,
  };
}

/** Reads a body that nobody wants, so that the connection can be used again. */
async function discard(reply: HttpReply): Promise<void> {
  try {
    await reply.bytes(MAX_REDIRECT_BODY);
  } catch (error) {
    if (isCarrelError(error, 'interrupted')) throw error;
  }
}

/** Request line and fields. Throws `usage` for a field that would break the head; its value is not shown. */
function headOf(
  hop: Hop,
  target: Target,
  userAgent: string,
  absolute: Record<string, string> | undefined,
): string {
  const given = Object.fromEntries(
    Object.entries(hop.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const fields: Record<string, string> = {
    host: target.authority,
    'user-agent': userAgent,
    accept: '*/*',
    ...absolute,
    ...given,
    ...(hop.body === undefined ? {} : { 'content-length': String(hop.body.length) }),
  };
  const lines = Object.entries(fields).map(([name, value]) => {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new CarrelError('usage', `the header ${JSON.stringify(name)} cannot be sent`, { item: name });
    }
    return `${name}: ${value}\r\n`;
  });
  const path = absolute === undefined ? target.path : `http://${target.authority}${target.path}`;
  return `${hop.method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
