import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { proxyFor } from '../../../src/stores/http/proxy.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import { expectCode } from '../../contract/store.ts';
import { makeCertificate } from '../../fixtures/certificate.ts';
import { certificateFor } from '../named-certificate.ts';
import { reply, startRawServer } from '../raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

describe('which proxy', () => {
  const https = { secure: true, host: 'bucket.s3.amazonaws.com', port: 443 };
  const http = { secure: false, host: 'files.example.org', port: 80 };

  test('by the scheme of the target', () => {
    const env = { HTTPS_PROXY: 'http://one:3128', HTTP_PROXY: 'http://two' };
    expect(proxyFor(https, env)).toEqual({ host: 'one', port: 3128, secure: false });
    expect(proxyFor(http, env)).toEqual({ host: 'two', port: 80, secure: false });
    expect(proxyFor(https, {})).toBeUndefined();
    expect(proxyFor(https, { HTTPS_PROXY: '' })).toBeUndefined();
  });

  test('lower case comes first; ALL_PROXY last; the scheme may be missing', () => {
    expect(proxyFor(https, { HTTPS_PROXY: 'http://up', https_proxy: 'http://low' })).toMatchObject({
      host: 'low',
    });
    expect(proxyFor(https, { ALL_PROXY: 'https://all' })).toEqual({ host: 'all', port: 443, secure: true });
    expect(proxyFor(http, { http_proxy: 'bare:8080' })).toMatchObject({ host: 'bare', port: 8080 });
  });

  test('with a user', () => {
    expect(proxyFor(http, { HTTP_PROXY: 'http://me:p%40ss@proxy:1' })).toMatchObject({
      authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    });
  });

  test.each(['localhost', 'x.localhost', '127.0.0.1', '127.9.9.9', '::1'])('none for %s', (host) => {
    expect(proxyFor({ ...http, host }, { HTTP_PROXY: 'http://p' })).toBeUndefined();
  });

  test.each([
    ['*', true],
    ['example.org', true],
    ['.example.org', true],
    ['*.example.org', true],
    ['FILES.example.org', true],
    ['other.test, files.example.org', true],
    ['example.org:80', true],
    ['example.org:81', false],
    ['ample.org', false],
    ['files.example.org.test', false],
    ['', false],
  ])('NO_PROXY=%s', (rule, exempt) => {
    expect(proxyFor(http, { HTTP_PROXY: 'http://p', NO_PROXY: rule }) === undefined).toBe(exempt);
  });

  test.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['fd00::1', 'fd00::/8', true],
    ['10.1.2.3', 'fd00::/8', false],
    ['files.example.org', '10.0.0.0/8', false],
  ])('address %s, NO_PROXY=%s', (host, rule, exempt) => {
    expect(proxyFor({ ...http, host }, { HTTP_PROXY: 'http://p', no_proxy: rule }) === undefined).toBe(
      exempt,
    );
  });

  test.each(['socks5://p:1080', 'http://'])('%s is refused', (text) => {
    expect(() => proxyFor(http, { HTTP_PROXY: text })).toThrow(/HTTP_PROXY does not name/);
  });
});

/** A proxy for CONNECT that takes every name for 127.0.0.1. */
interface TunnelOptions {
  password?: string;
  status?: number;
  junk?: boolean;
  /** The way to the proxy is encrypted, too. */
  tls?: { cert: string; key: string };
}

async function startTunnelProxy(options: TunnelOptions = {}) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const onClient = (client: Socket) => {
    sockets.add(client);
    client.on('error', () => {});
    client.once('data', (bytes) => {
      const head = bytes.toString('latin1');
      const [, host = '', port = ''] = /^CONNECT ([^:]+):([0-9]+) /.exec(head) ?? [];
      asked.push(`${host}:${port}`);
      if (
        options.password !== undefined &&
        !head.includes(`Proxy-Authorization: Basic ${options.password}`)
      ) {
        return client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      }
      if (options.status !== undefined)
        return client.end(`HTTP/1.1 ${options.status} No\r\nContent-Length: 0\r\n\r\n`);
      const far = connect(Number(port), '127.0.0.1', () => {
        client.write(`HTTP/1.1 200 Connection established\r\n\r\n${options.junk === true ? 'junk' : ''}`);
        client.pipe(far).pipe(client);
      });
      sockets.add(far);
      far.on('error', () => client.destroy());
      return client;
    });
  };
  const server = options.tls === undefined ? createServer(onClient) : createTlsServer(options.tls, onClient);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const proxy = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  open.push(proxy);
  return proxy;
}

describe('through a tunnel', () => {
  async function setUp(options: TunnelOptions = {}, user = '') {
    const certificate = await certificateFor('store.test');
    const content = Buffer.alloc(3_000_000, 'tunnel');
    const server = await startRawServer(
      (_request, socket) => void socket.write(reply(200, {}, content)),
      certificate,
    );
    const proxy = await startTunnelProxy(options);
    const pool = createHttpPool({
      env: { HTTPS_PROXY: proxy.url.replace('//', `//${user}`), NO_PROXY: '' },
      ca: [certificate.cert, options.tls?.cert ?? ''],
    });
    open.push(server, pool);
    return { server, proxy, pool, content };
  }

  test('the proxy looks the name up; TLS is with the far end', async () => {
    const { server, proxy, pool, content } = await setUp();
    const url = `https://store.test:${server.port}/k`;
    for (let i = 0; i < 3; i += 1) {
      const got = await pool.request({ url });
      const pieces: Buffer[] = [];
      await got.consume(async (chunk) => {
        await new Promise((resolve) => setImmediate(resolve));
        pieces.push(Buffer.from(chunk));
      });
      expect(Buffer.concat(pieces).equals(content)).toBe(true);
    }
    expect(proxy.asked).toEqual([`store.test:${server.port}`]);
    expect(server.connections).toBe(1);
  });

  test('TLS within TLS, where the proxy is reached by https', async () => {
    const { server, proxy, pool, content } = await setUp({ tls: await makeCertificate() });
    const got = await pool.request({ url: `https://store.test:${server.port}/k` });
    expect(Buffer.from(await got.bytes()).equals(content)).toBe(true);
    expect(proxy.asked).toEqual([`store.test:${server.port}`]);
  });

  test('with a user', async () => {
    const password = Buffer.from('me:secret').toString('base64');
    const { server, pool } = await setUp({ password }, 'me:secret@');
    expect((await (await pool.request({ url: `https://store.test:${server.port}/` })).bytes()).length).toBe(
      3_000_000,
    );
  });

  test('without the user that it wants', async () => {
    const { server, pool } = await setUp({ password: 'x' });
    const error = await expectCode(pool.request({ url: `https://store.test:${server.port}/` }), 'permission');
    expect(error.message).toContain('asks for a sign-in');
  });

  test.each([
    [403, false],
    [502, true],
  ])('refused with %i', async (status, retryable) => {
    const { server, pool } = await setUp({ status });
    const error = await expectCode(pool.request({ url: `https://store.test:${server.port}/` }), 'network');
    expect(error).toMatchObject({ status, retryable });
  });

  test('a proxy that talks into the tunnel', async () => {
    const { server, pool } = await setUp({ junk: true });
    await expectCode(pool.request({ url: `https://store.test:${server.port}/` }), 'network');
  });

  test('a proxy that is not there', async () => {
    const { server, proxy, pool } = await setUp();
    await proxy.close();
    const error = await expectCode(pool.request({ url: `https://store.test:${server.port}/` }), 'network');
    expect(error.message).toContain(`the proxy 127.0.0.1:${proxy.port} refused the connection`);
  });
});

test('plain http goes to the proxy with the whole address', async () => {
  const proxy = await startRawServer((request, socket) => void socket.write(reply(200, {}, request.target)));
  const pool = createHttpPool({ env: { http_proxy: `http://me:secret@127.0.0.1:${proxy.port}` } });
  open.push(proxy, pool);
  const got = await pool.request({ url: 'http://files.test:8080/a/b?c' });
  expect(await got.text()).toBe('http://files.test:8080/a/b?c');
  expect(proxy.requests[0]?.headers).toMatchObject({
    host: 'files.test:8080',
    'proxy-authorization': `Basic ${Buffer.from('me:secret').toString('base64')}`,
  });
});
