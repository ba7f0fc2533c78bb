/**
 * Opens connections. Several addresses are raced with a head start of one second each: Node's own race gives up on an
 * address after 250 ms (nodejs/node#54359), which on a slow line means on all of them.
 */
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { createLink, createStreamLink, type Link } from './link.ts';
import type { Address } from './resolver.ts';

/** Head start of an address over the next one. */
const STAGGER_MS = 1_000;

/** What TLS needs to know. */
export interface TlsOptions {
  /** The name that the certificate must have. */
  host: string;
  trust: SecureContext;
  /** Session to resume, and where to leave the new one. */
  session: { ticket?: Buffer | undefined };
}

/** An attempt that can be called off. */
interface Attempt {
  link: Promise<Link>;
  cancel(): void;
}

/**
 * The first of `addresses` that answers.
 *
 * @param signal calls all attempts off; its reason is what the promise rejects with
 */
export function dial(
  addresses: readonly Address[],
  port: number,
  tls: TlsOptions | undefined,
  signal: AbortSignal,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Attempt>();
    let next = 0;
    let firstError: unknown;
    let timer: NodeJS.Timeout | undefined;

    const settle = (winner?: Attempt): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      for (const attempt of attempts) if (attempt !== winner) attempt.cancel();
      attempts.clear();
    };
    const onAbort = (): void => {
      settle();
      reject(signal.reason as Error);
    };
    const start = (): void => {
      clearTimeout(timer);
      const address = addresses[next];
      if (address === undefined) {
        if (attempts.size > 0) return;
        settle();
        reject(firstError ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }));
        return;
      }
      next += 1;
      const attempt = connectOnce(address, port, tls);
      attempts.add(attempt);
      attempt.link.then(
        (link) => {
          settle(attempt);
          resolve(link);
        },
        (error: unknown) => {
          if (!attempts.delete(attempt)) return;
          firstError ??= error;
          start();
        },
      );
      timer = setTimeout(start, STAGGER_MS);
    };

    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else start();
  });
}

function connectOnce({ address, family }: Address, port: number, tls: TlsOptions | undefined): Attempt {
  const link = createLink(
    (onread) =>
      tls === undefined
        ? connectTcp({ host: address, family, port, onread, noDelay: true, keepAlive: true })
        : watchSession(
            connectTls({ host: address, port, ...({ onread } as object), ...tlsParameters(tls) }),
            tls,
          ),
    { tls: tls !== undefined },
  );
  return attemptOf(link, tls === undefined ? 'connect' : 'secureConnect');
}

/** TLS over a socket that stands already: the inside of a proxy's tunnel. `signal` as in `dial`. */
export async function secure(inner: Link, tls: TlsOptions, signal: AbortSignal): Promise<Link> {
  const socket = watchSession(connectTls({ socket: inner.socket, ...tlsParameters(tls) }), tls);
  const attempt = attemptOf(createStreamLink(socket), 'secureConnect');
  const onAbort = (): void => attempt.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) attempt.cancel();
    return await attempt.link;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tlsParameters(tls: TlsOptions) {
  return {
    // A name goes into SNI, an address must not (RFC 6066, 3).
    ...(isIP(tls.host) === 0 ? { servername: tls.host } : {}),
    ALPNProtocols: ['http/1.1'],
    secureContext: tls.trust,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
    ...(tls.session.ticket === undefined ? {} : { session: tls.session.ticket }),
  };
}

function watchSession(socket: TLSSocket, tls: TlsOptions): TLSSocket {
  socket.setNoDelay(true);
  return socket.on('session', (ticket) => {
    tls.session.ticket = ticket;
  });
}

function attemptOf(link: Link, ready: 'connect' | 'secureConnect'): Attempt {
  const { socket } = link;
  const opened = new Promise<Link>((resolve, reject) => {
    const off = (): void => {
      socket.off(ready, onReady);
      socket.off('close', onClose);
    };
    const onReady = (): void => {
      off();
      socket.off('error', onError);
      resolve(link);
    };
    // The error listener stays after a failure: a destroyed socket may still report one.
    const onError = (error: Error): void => {
      off();
      socket.destroy();
      reject(error);
    };
    const onClose = (): void => {
      off();
      reject(Object.assign(new Error('closed before it was open'), { code: 'ECONNRESET' }));
    };
    socket.once(ready, onReady);
    socket.on('error', onError);
    socket.once('close', onClose);
  });
  return { link: opened, cancel: () => void socket.destroy() };
}
