/** Which proxy a URL goes through, and the way through it. */
import { BlockList, isIP } from 'node:net';
import { CarrelError } from '../../errors.ts';
import type { Link } from './link.ts';
import { endOfHead, parseHead } from './parse-head.ts';
import { parseUrl } from './target.ts';

/** A proxy. */
export interface ProxyServer {
  host: string;
  port: number;
  /** Whether the way to the proxy itself is encrypted. */
  secure: boolean;
  /** Value of `Proxy-Authorization`, where the variable holds a user. */
  authorization?: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a host, from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (upper or lower case). Loopback
 * never goes through one. `NO_PROXY` holds names (`example.org` and all below it), `.example.org`, addresses, blocks
 * (`10.0.0.0/8`), each with or without `:port`, or `*`. Throws `usage` for a proxy that is not `http:` or `https:`.
 */
export function proxyFor(
  target: { secure: boolean; host: string; port: number },
  env: Env,
): ProxyServer | undefined {
  const read = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const variable = target.secure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = read(variable) || read('ALL_PROXY');
  if (text === '' || isLoopback(target.host)) return undefined;
  const exempt = read('NO_PROXY').split(/[\s,]+/);
  if (exempt.some((rule) => isExempt(rule.toLowerCase(), target.host.toLowerCase(), target.port)))
    return undefined;
  return parseProxy(text, variable);
}

function parseProxy(text: string, variable: string): ProxyServer {
  const url = parseUrl(/^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CarrelError('usage', `${variable} does not name an http: or https: proxy`, {
      item: variable,
      next: `set ${variable} to http://host:port, or unset it`,
    });
  }
  const secure = url.protocol === 'https:';
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    ...(user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.[0-9.]+$/.test(host);
}

function isExempt(rule: string, host: string, port: number): boolean {
  if (rule === '') return false;
  if (rule === '*') return true;
  const block = /^([0-9a-f.:]+)\/([0-9]{1,3})$/.exec(rule);
  if (block !== null) return isInBlock(host, block[1] ?? '', Number(block[2]));
  if (isIP(rule) !== 0) return rule === host;
  const [name = '', onlyPort] = rule.split(':');
  if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
  const suffix = name.replace(/^\*?\./, '');
  return host === suffix || host.endsWith(`.${suffix}`);
}

function isInBlock(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}

/**
 * Asks a proxy for a tunnel (RFC 9110, 9.3.6). Rejects with `permission` for 407, `network` for any other refusal.
 *
 * @param authority `host:port` of the far end; the proxy looks the name up
 */
export function openTunnel(
  link: Link,
  authority: string,
  proxy: ProxyServer,
  userAgent: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { socket } = link;
    let head = Buffer.alloc(0);
    const stop = (): void => {
      socket.off('error', onEnd);
      socket.off('close', onEnd);
      link.onBytes = () => true;
    };
    const fail = (error: unknown): void => {
      stop();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onEnd = (error?: Error | boolean): void =>
      fail(error instanceof Error ? error : new Error('closed by the proxy'));
    socket.on('error', onEnd);
    socket.on('close', onEnd);
    link.onBytes = (bytes) => {
      head = Buffer.concat([head, bytes]);
      try {
        const end = endOfHead(head);
        if (end === -1) return true;
        const { status } = parseHead(head.subarray(0, end), 'CONNECT');
        if (status >= 100 && status < 200) head = head.subarray(end);
        else if (status < 300 && end === head.length) {
          stop();
          resolve();
        } else fail(refusal(status, proxy));
      } catch (error) {
        fail(error);
      }
      return true;
    };
    socket.write(
      [
        `CONNECT ${authority} HTTP/1.1`,
        `Host: ${authority}`,
        `User-Agent: ${userAgent}`,
        ...(proxy.authorization === undefined ? [] : [`Proxy-Authorization: ${proxy.authorization}`]),
        '\r\n',
      ].join('\r\n'),
      'latin1',
    );
  });
}

function refusal(status: number, proxy: ProxyServer): CarrelError {
  const item = `${proxy.host}:${proxy.port}`;
  if (status === 407) {
    return new CarrelError('permission', `the proxy ${item} asks for a sign-in`, {
      item,
      next: 'put user and password into the proxy variable: http://user:password@host:port',
      status,
    });
  }
  return new CarrelError('network', `the proxy ${item} refused the connection with ${status}`, {
    item,
    next: 'check the proxy settings',
    status,
    retryable: status >= 500,
  });
}
