/** The only file of the project that serves on a socket (`tcia` has a port of loopback on which `ascp` reports to it). */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CarrelError } from '../errors.ts';
import type { App, OnRequest } from './app.ts';
import { withRequestLog } from './request-log.ts';

/** Options of `listen`. */
export interface ListenOptions {
  /**
   * What to serve. The requests that it gets make their parts (headers, body, signal) when they are first asked for,
   * which halves the cost of a small answer; the price is that `new Request(request, …)` does not take them: build
   * a changed request from `request.url`.
   */
  fetch: App['fetch'];
  /** Default `127.0.0.1`: nobody else can reach it. */
  host?: string | undefined;
  /** Default 0: any free port. */
  port?: number | undefined;
  /** PEM texts; without them plain HTTP. */
  tls?: { cert: string; key: string } | undefined;
  onRequest?: OnRequest | undefined;
}

/** A running server. */
export interface Listener {
  /** `http://127.0.0.1:38213`, without a slash at the end. */
  url: string;
  port: number;
  /** Stops listening and drops every connection. */
  readonly close: () => Promise<void>;
}

/** Kept connections live as long as those of S3 do (about 20 s); Node's default is 5 s. */
const KEEP_ALIVE_MS = 20_000;

/**
 * Puts a fetch function on a port. An exception of the function answers 500; a body that fails half way, and
 * `Response.error()`, drop the connection, so that no client can take the part for the whole.
 * Rejects with `busy` where the port is taken and `permission` where the system refuses it.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, tls, onRequest } = options;
  const { createAdaptorServer } = await import('@hono/node-server');
  const { RESPONSE_ALREADY_SENT } = await import('@hono/node-server/utils/response');
  const https = tls === undefined ? undefined : await import('node:https');
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    ...(https === undefined ? {} : { createServer: https.createServer, serverOptions: { ...tls } }),
    async fetch(request, { incoming, outgoing }) {
      const app: App = { fetch: (asked) => answer(options.fetch, asked, incoming.url ?? '') };
      const { fetch } = onRequest === undefined ? app : withRequestLog(app, onRequest);
      await send(await fetch(request), outgoing as ServerResponse);
      return RESPONSE_ALREADY_SENT;
    },
  }) as import('node:http').Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw listenError(error, `${host}:${port}`);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * URL parsing folds `a/../b` into `b`, which would answer for another name than the one that was asked for.
 * Well-behaved clients never send dot segments (RFC 3986, 5.2.4).
 */
function hasDotSegment(target: string): boolean {
  const path = target.split(/[?#]/, 1)[0] ?? '';
  return /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path);
}

async function answer(fetch: App['fetch'], request: Request, target: string): Promise<Response> {
  if (hasDotSegment(target)) return plainText(400, 'Dot segments in the request path');
  try {
    return await fetch(request);
  } catch {
    return plainText(500, 'Internal Server Error');
  }
}

function plainText(status: number, text: string): Response {
  const headers = { 'content-type': 'text/plain', 'content-length': String(text.length + 1) };
  return new Response(`${text}\n`, { status, headers });
}

/** Writes a response with back-pressure; gives the body up as soon as the client is gone. */
async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  if (response.type === 'error') {
    outgoing.destroy();
    return;
  }
  // A flat list of names and values: a header may come more than once.
  outgoing.writeHead(response.status, [...response.headers].flat());
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const reader = response.body.getReader();
  const giveUp = () => void reader.cancel().catch(() => {});
  outgoing.once('close', giveUp);
  // Headers go out with the first bytes in one packet, unless those bytes are late.
  const late = setTimeout(() => outgoing.flushHeaders(), 5);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      clearTimeout(late);
      if (done) break;
      // A client that was gone before we listened for it tells us only here.
      if (outgoing.destroyed) {
        giveUp();
        break;
      }
      if (!outgoing.write(value)) await drained(outgoing);
    }
    outgoing.end();
  } catch {
    // After what was written so far has gone out: those bytes are good, a client may go on from there.
    outgoing.socket?.destroySoon();
  } finally {
    clearTimeout(late);
    outgoing.off('close', giveUp);
  }
}

function drained(outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off('drain', go);
      outgoing.off('close', go);
      resolve();
    };
    outgoing.on('drain', go);
    outgoing.on('close', go);
  });
}

function listenError(cause: unknown, item: string): CarrelError {
  const code = (cause as NodeJS.ErrnoException).code;
  const next = 'choose another port with --port, or 0 for any free one';
  if (code === 'EADDRINUSE') return new CarrelError('busy', `${item} is in use`, { item, next, cause });
  if (code === 'EACCES')
    return new CarrelError('permission', `not allowed to listen on ${item}`, { item, next, cause });
  return new CarrelError('network', `cannot listen on ${item} (${code ?? String(cause)})`, {
    item,
    next,
    cause,
  });
}
