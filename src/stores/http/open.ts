/** The way to a target: look-up, proxy, TLS, within a time limit. */
import { abortError, type CarrelError, isCarrelError } from '../../errors.ts';
import { dial, secure, type TlsOptions } from './dial.ts';
import type { HttpPoolOptions } from './http.ts';
import { connectError, wireError } from './http-error.ts';
import type { Link } from './link.ts';
import { openTunnel, type ProxyServer, proxyFor } from './proxy.ts';
import { createResolver } from './resolver.ts';
import type { Target } from './target.ts';
import { createTrust } from './trust.ts';

/** Opens links. */
export interface Opener {
  /** Rejects with `network`, `permission` (a proxy that wants a sign-in), `usage` (bad variables), `interrupted`. */
  open(
    target: Target,
    options: { signal?: AbortSignal | undefined; timeoutMs: number; url: string },
  ): Promise<Link>;
  /** The further header fields where requests go to a proxy in absolute form; undefined where they do not. */
  plainProxy(target: Target): Record<string, string> | undefined;
}

/** Makes an opener; certificates are read at the first TLS connection. */
export function createOpener(options: HttpPoolOptions & { userAgent: string }): Opener {
  const env = options.env ?? process.env;
  const resolve = createResolver(options.lookup);
  const sessions = new Map<string, TlsOptions['session']>();
  let trust: TlsOptions['trust'] | undefined;

  const tlsFor = (host: string, port: number): TlsOptions => {
    trust ??= createTrust(options);
    const key = `${host}:${port}`;
    const session = sessions.get(key) ?? {};
    sessions.set(key, session);
    return { host, trust, session };
  };

  const dialHost = async (
    host: string,
    port: number,
    encrypted: boolean,
    signal: AbortSignal,
  ): Promise<Link> => {
    const tls = encrypted ? tlsFor(host, port) : undefined;
    const addresses = await orAbort(resolve(host), signal);
    return dial(addresses, port, tls, signal);
  };

  const openThrough = async (
    target: Target,
    proxy: ProxyServer,
    signal: AbortSignal,
    url: string,
  ): Promise<Link> => {
    const link = await dialHost(proxy.host, proxy.port, proxy.secure, signal);
    if (!target.secure) return link;
    const onAbort = (): void => void link.socket.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const host = target.host.includes(':') ? `[${target.host}]` : target.host;
      await openTunnel(link, `${host}:${target.port}`, proxy, options.userAgent);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return secure(link, tlsFor(target.host, target.port), signal).catch((error: unknown) => {
      throw signal.aborted ? error : connectError(url, target.authority, error);
    });
  };

  return {
    async open(target, { signal, timeoutMs, url }) {
      const proxy = proxyFor(target, env);
      const peer = proxy === undefined ? target.authority : `the proxy ${proxy.host}:${proxy.port}`;
      const control = new AbortController();
      const timeout = wireError(url, `no connection to ${peer} within ${timeoutMs / 1000} s`);
      const timer = setTimeout(() => control.abort(timeout), timeoutMs);
      const onAbort = (): void => control.abort(abortError(signal as AbortSignal));
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      try {
        if (proxy !== undefined) return await openThrough(target, proxy, control.signal, url);
        return await dialHost(target.host, target.port, target.secure, control.signal);
      } catch (error) {
        if (control.signal.aborted) throw control.signal.reason as CarrelError;
        throw isCarrelError(error) ? error : connectError(url, peer, error);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      }
    },
    plainProxy(target) {
      const proxy = target.secure ? undefined : proxyFor(target, env);
      if (proxy === undefined) return undefined;
      const fields: Record<string, string> = {};
      if (proxy.authorization !== undefined) fields['proxy-authorization'] = proxy.authorization;
      return fields;
    },
  };
}

/** The promise, unless the signal comes first: a look-up cannot be called off. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
