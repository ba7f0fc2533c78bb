import { getEventListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { shortKeysFirst } from '../../../src/stores/http/trust.ts';
import { createHttpPool, type HttpPool, type HttpPoolOptions } from '../../../src/stores/index.ts';
import { VERSION } from '../../../src/version.ts';
import { expectCode } from '../../contract/store.ts';
import { makeCertificate } from '../../fixtures/certificate.ts';
import { certificateFor } from '../named-certificate.ts';
import { type RawHandler, reply, startRawServer } from '../raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function serve(handler: RawHandler, tls?: { cert: string; key: string }) {
  const server = await startRawServer(handler, tls);
  open.push(server);
  return server;
}

function makePool(options: HttpPoolOptions = {}): HttpPool {
  const pool = createHttpPool({ env: {}, ...options });
  open.push(pool);
  return pool;
}

const answer =
  (body: string | Uint8Array, headers: Record<string, string> = {}): RawHandler =>
  (_request, socket) =>
    void socket.write(reply(200, headers, body));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function fetchText(pool: HttpPool, url: string, headers?: Record<string, string>): Promise<string> {
  return (await pool.request({ url, ...(headers === undefined ? {} : { headers }) })).text();
}

describe('connections', () => {
  test('are kept: a hundred requests in a row use two', async () => {
    const server = await serve(answer('x'));
    const pool = makePool();
    for (let i = 0; i < 100; i += 1) await fetchText(pool, server.url);
    expect(server.connections).toBe(2);
    expect(pool.stats).toEqual({ requests: 100, connections: 2, bytes: 100 });
  });

  test('are retired by us after 95 requests, before S3 closes them at 100', async () => {
    const server = await serve(answer('x'));
    const pool = makePool();
    for (let i = 0; i < 200; i += 1) await fetchText(pool, server.url);
    const counts = [0, 1, 2].map((n) => server.requests.filter(({ connection }) => connection === n).length);
    expect(counts).toEqual([95, 95, 10]);
  });

  test('are closed by us after some seconds without use', async () => {
    const server = await serve(answer('x'));
    const pool = makePool({ keepAliveMs: 50 });
    await fetchText(pool, server.url);
    expect(server.open.size).toBe(1);
    for (let tries = 0; server.open.size > 0 && tries < 100; tries += 1) await pause(20);
    expect(server.open.size).toBe(0);
  });

  test('are closed sooner where the server says that it will', async () => {
    const server = await serve(answer('x', { 'keep-alive': 'timeout=0' }));
    const pool = makePool();
    await fetchText(pool, server.url);
    for (let tries = 0; server.open.size > 0 && tries < 100; tries += 1) await pause(20);
    expect(server.open.size).toBe(0);
  });

  test('are not used again after `Connection: close`', async () => {
    const server = await serve(answer('x', { connection: 'close' }));
    const pool = makePool();
    for (let i = 0; i < 3; i += 1) await fetchText(pool, server.url);
    expect(server.connections).toBe(3);
  });

  test('are limited per origin; the rest wait in the order of asking', async () => {
    let running = 0;
    let most = 0;
    const server = await serve(async (request, socket) => {
      running += 1;
      most = Math.max(most, running);
      await pause(5);
      running -= 1;
      socket.write(reply(200, {}, request.target));
    });
    const pool = makePool({ connectionsPerOrigin: 4 });
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        expect(await fetchText(pool, `${server.url}/${i}`)).toBe(`/${i}`);
        order.push(i);
      }),
    );
    expect(most).toBe(4);
    expect(server.connections).toBe(4);
    expect(server.requests.map(({ target }) => Number(target.slice(1)))).toEqual(
      Array.from({ length: 40 }, (_, i) => i),
    );
  });

  test('a body that is being read holds its place', async () => {
    const server = await serve(answer('hello'));
    const pool = makePool({ connectionsPerOrigin: 1 });
    const first = await pool.request({ url: server.url });
    let second: string | undefined;
    const later = fetchText(pool, server.url).then((text) => {
      second = text;
    });
    await pause(50);
    expect(second).toBeUndefined();
    await first.bytes();
    await later;
    expect(second).toBe('hello');
    expect(server.connections).toBe(1);
  });

  test('a place that is given up goes to the next in line', async () => {
    const server = await serve(answer('x'.repeat(1_000_000)));
    const pool = makePool({ connectionsPerOrigin: 1 });
    const replies = await pool.request({ url: server.url });
    const waiting = [1, 2].map(() => fetchText(pool, server.url));
    replies.cancel();
    expect((await Promise.all(waiting)).map(({ length }) => length)).toEqual([1_000_000, 1_000_000]);
  });

  test('a place whose connection cannot be opened goes to the next in line', async () => {
    const server = await serve(answer('x'));
    await server.close();
    const pool = makePool({ connectionsPerOrigin: 1 });
    const results = await Promise.allSettled([1, 2, 3].map(() => fetchText(pool, server.url)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('that died while they were kept are replaced without a failure', async () => {
    const server = await serve((request, socket) => {
      if (request.onConnection === 1) {
        socket.write(reply(200, {}, 'x'));
        setTimeout(() => socket.destroy(), 10);
      }
    });
    const pool = makePool({ connectionsPerOrigin: 2 });
    for (let i = 0; i < 5; i += 1) {
      expect(await fetchText(pool, server.url)).toBe('x');
      await pause(30);
    }
    expect(server.connections).toBe(5);
  });

  test('that all died at once cost one repetition, not one each', async () => {
    const server = await serve(async (request, socket) => {
      await pause(10);
      if (request.onConnection === 1) socket.write(reply(200, {}, 'x'));
      else socket.resetAndDestroy();
    });
    const pool = makePool();
    await Promise.all(Array.from({ length: 8 }, () => fetchText(pool, server.url)));
    expect(server.connections).toBe(8);
    expect(await fetchText(pool, server.url)).toBe('x');
    expect(server.requests).toHaveLength(10);
  });

  test('that die under every repetition end in an honest failure', async () => {
    const server = await serve((request, socket) => {
      if (request.target === '/good') socket.write(reply(200, {}, 'x'));
      else socket.resetAndDestroy();
    });
    const pool = makePool();
    await fetchText(pool, `${server.url}/good`);
    expect((await expectCode(pool.request({ url: `${server.url}/bad` }), 'network')).retryable).toBe(true);
    expect(server.requests.filter(({ target }) => target === '/bad')).toHaveLength(2);
  });

  test('a POST on a dead connection is not repeated: it may have been carried out', async () => {
    const server = await serve((request, socket) => {
      if (request.method === 'GET') socket.write(reply(200, {}, 'x'));
      else socket.resetAndDestroy();
    });
    const pool = makePool();
    await fetchText(pool, server.url);
    await expectCode(pool.request({ url: server.url, method: 'POST' }), 'network');
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('end with the pool, and so do those who wait', async () => {
    const server = await serve(() => {});
    const pool = createHttpPool({ env: {}, connectionsPerOrigin: 1 });
    const [first, second] = [pool.request({ url: server.url }), pool.request({ url: server.url })];
    const failures = Promise.allSettled([first, second]);
    for (let tries = 0; server.requests.length === 0 && tries < 100; tries += 1) await pause(10);
    await pool.close();
    expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expectCode(pool.request({ url: server.url }), 'interrupted');
  });
});

test('after any storm of failures every place is free again, and no body was mixed up', async () => {
  const piece = Buffer.alloc(200_000);
  const server = await serve(async (request, socket) => {
    const [, kind, n] = request.target.split('/');
    const whole = reply(200, {}, Buffer.concat([Buffer.from(`${n}:`), piece]));
    if (kind === 'reset') socket.resetAndDestroy();
    else if (kind === 'cut') socket.end(whole.subarray(0, 1000));
    else if (kind === 'garbage') socket.write('nonsense\r\n\r\n');
    else if (kind === 'close') socket.end(whole);
    else if (kind !== 'silent') socket.write(whole);
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          kind: fc.constantFrom('good', 'good', 'good', 'reset', 'cut', 'garbage', 'close', 'silent'),
          use: fc.constantFrom('bytes', 'bytes', 'cancel', 'throw', 'abort', 'wait'),
        }),
        { minLength: 20, maxLength: 60 },
      ),
      async (storm) => {
        const pool = makePool({
          connectionsPerOrigin: 3,
          requestsPerConnection: 7,
        });
        const outcomes = storm.map(async ({ kind, use }, i) => {
          const control = new AbortController();
          if (use === 'abort' || kind === 'silent') setTimeout(() => control.abort(), i % 10);
          const got = await pool.request({ url: `${server.url}/${kind}/${i}`, signal: control.signal });
          if (use === 'cancel') return got.cancel();
          if (use === 'throw') return got.consume(() => Promise.reject(new Error('full')));
          if (use === 'wait') await pause(1);
          const bytes = Buffer.from(await got.bytes());
          expect(bytes.toString('latin1', 0, bytes.indexOf(':'))).toBe(String(i));
          return expect(bytes.length).toBe(`${i}:`.length + piece.length);
        });
        for (const [i, outcome] of (await Promise.allSettled(outcomes)).entries()) {
          const { kind, use } = storm[i]!;
          if (outcome.status === 'fulfilled') continue;
          if ((kind === 'good' || kind === 'close') && use !== 'abort' && use !== 'throw')
            throw outcome.reason;
          expect(String(outcome.reason)).toMatch(/CarrelError|Error: full/);
        }
        // All three places can be held at once, and a fourth request waits for one of them.
        const held = await Promise.all(
          [1, 2, 3].map((n) => pool.request({ url: `${server.url}/good/${n}` })),
        );
        const fourth = pool.request({ url: `${server.url}/good/4` });
        expect(await Promise.race([fourth.then(() => 'in'), pause(5).then(() => 'waits')])).toBe('waits');
        for (const got of held) got.cancel();
        (await fourth).cancel();
        await pool.close();
      },
    ),
    { numRuns: 15 },
  );
});

describe('signals', () => {
  test('a request that waits for a place leaves the line', async () => {
    const server = await serve((request, socket) => {
      if (request.target !== '/hold') socket.write(reply(200, {}, request.target));
    });
    const pool = makePool({ connectionsPerOrigin: 1 });
    const hold = new AbortController();
    const leave = new AbortController();
    const held = pool.request({ url: `${server.url}/hold`, signal: hold.signal });
    const left = pool.request({ url: `${server.url}/left`, signal: leave.signal });
    const stays = fetchText(pool, `${server.url}/stays`);
    leave.abort();
    await expectCode(left, 'interrupted');
    hold.abort();
    await expectCode(held, 'interrupted');
    expect(await stays).toBe('/stays');
    expect(server.requests.map(({ target }) => target)).not.toContain('/left');
  });

  test('an abort closes the socket, before the head and in the body', async () => {
    const server = await serve((request, socket) => {
      if (request.target === '/body') socket.write(reply(200, { 'content-length': '100' }, 'x'));
    });
    const pool = makePool();
    for (const path of ['/head', '/body']) {
      const control = new AbortController();
      const request = pool.request({ url: `${server.url}${path}`, signal: control.signal });
      const outcome = path === '/head' ? request : request.then((got) => got.bytes());
      setTimeout(() => control.abort(), 30);
      await expectCode(outcome, 'interrupted');
    }
    for (let tries = 0; server.open.size > 0 && tries < 100; tries += 1) await pause(10);
    expect(server.open.size).toBe(0);
  });

  test('one signal for many requests: no warning, and no listener is left behind', async () => {
    const server = await serve(answer('x'));
    const pool = makePool({ connectionsPerOrigin: 4 });
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const { signal } = new AbortController();
    const requests = Array.from({ length: 50 }, async () =>
      (await pool.request({ url: server.url, signal })).bytes(),
    );
    await Promise.all(requests);
    await pause(10);
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a connection that takes too long', async () => {
    const pool = makePool({ timeouts: { connect: 100 }, lookup: () => new Promise(() => {}) });
    const error = await expectCode(pool.request({ url: 'http://slow.test/' }), 'network');
    expect(error.message).toBe('http://slow.test/: no connection to slow.test within 0.1 s');
    expect(error.retryable).toBe(true);
  });
});

describe('back-pressure', () => {
  test.each([
    ['plain', false],
    ['TLS', true],
  ])('a consumer that waits stops the server, %s', async (_what, encrypted) => {
    const certificate = encrypted ? await makeCertificate() : undefined;
    const piece = Buffer.alloc(1 << 20, 'x');
    const total = 64;
    let sent = 0;
    const server = await serve((_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${piece.length * total}\r\n\r\n`);
      const push = () => {
        while (sent < total) {
          sent += 1;
          if (!socket.write(piece)) return void socket.once('drain', push);
        }
      };
      push();
    }, certificate);
    const pool = makePool({ ca: certificate?.cert });
    let received = 0;
    let most = 0;
    await (await pool.request({ url: server.url })).consume(async (chunk) => {
      received += chunk.length;
      if (received < 1 << 20) {
        await pause(5);
        // What the server got rid of stands in the buffers of the two kernels; none of it in our memory.
        most = Math.max(most, sent * piece.length - received);
      }
    });
    expect(received).toBe(piece.length * total);
    expect(most).toBeLessThan(24 << 20);
    expect(pool.stats.bytes).toBe(received);
  });

  test.each([
    ['plain', false],
    ['TLS', true],
  ])('what the consumer holds is not written over, %s', async (_what, encrypted) => {
    const certificate = encrypted ? await makeCertificate() : undefined;
    const content = Buffer.from(Uint32Array.from({ length: 1 << 20 }, (_, i) => i).buffer);
    const server = await serve(answer(content), certificate);
    const pool = makePool({ ca: certificate?.cert });
    const whole: Buffer[] = [];
    let turn = 0;
    await (await pool.request({ url: server.url })).consume((chunk) => {
      turn += 1;
      const copy = () => void whole.push(Buffer.from(chunk));
      // Sometimes at once, sometimes after the event loop has gone round, sometimes after a while.
      if (turn % 3 === 0) return copy();
      if (turn % 3 === 1) return new Promise<void>((resolve) => setImmediate(resolve)).then(copy);
      return pause(2).then(copy);
    });
    expect(Buffer.concat(whole).equals(content)).toBe(true);
  });
});

describe('TLS', () => {
  test('a certificate of an unknown authority is refused, with what to do', async () => {
    const server = await serve(answer('x'), await makeCertificate());
    const error = await expectCode(makePool().request({ url: server.url }), 'network');
    expect(error.message).toMatch(
      /the certificate of 127\.0\.0\.1:[0-9]+ is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    expect(error.next).toContain('SSL_CERT_FILE');
    expect(error.retryable).toBe(false);
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED does not open the door', async () => {
    const server = await serve(answer('x'), await makeCertificate());
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await expectCode(makePool().request({ url: server.url }), 'network');
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  test.each(['SSL_CERT_FILE', 'AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'])(
    'an authority of %s is trusted',
    async (name) => {
      const folder = await mkdtemp(join(tmpdir(), 'carrel-ca-'));
      const certificate = await makeCertificate();
      await writeFile(join(folder, 'ca.pem'), certificate.cert);
      const server = await serve(answer('x'), certificate);
      const pool = makePool({ env: { [name]: join(folder, 'ca.pem') } });
      expect(await fetchText(pool, server.url)).toBe('x');
      await rm(folder, { recursive: true });
      const missing = makePool({ env: { [name]: join(folder, 'ca.pem') } });
      expect((await expectCode(missing.request({ url: server.url }), 'usage')).message).toContain(name);
    },
  );

  test('AES of 128 bits is asked for first, and all that Node offers is still offered', async () => {
    const certificate = await makeCertificate();
    const agreed: string[] = [];
    const server = createTlsServer({ ...certificate, honorCipherOrder: false }, (socket) => {
      agreed.push(socket.getCipher().name);
      socket.on('error', () => {});
      socket.once('data', () => socket.end(reply(200, {}, 'x')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await fetchText(makePool({ ca: certificate.cert }), `https://127.0.0.1:${port}/`)).toBe('x');
    await new Promise((resolve) => server.close(resolve));
    expect(agreed).toEqual(['TLS_AES_128_GCM_SHA256']);
    expect(shortKeysFirst('A:TLS_AES_128_GCM_SHA256:B')).toBe('TLS_AES_128_GCM_SHA256:A:B');
    expect(shortKeysFirst('A:B')).toBe('A:B');
  });

  test('a certificate for another name is refused', async () => {
    const certificate = await certificateFor('*.archive.test');
    const server = await serve(answer('x'), certificate);
    const lookup = async () => [{ address: '127.0.0.1', family: 4 }];
    const pool = makePool({ ca: certificate.cert, lookup });
    expect(await fetchText(pool, `https://bucket.archive.test:${server.port}/`)).toBe('x');
    const error = await expectCode(pool.request({ url: `https://bank.test:${server.port}/` }), 'network');
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(error.retryable).toBe(false);
  });

  test('a server without TLS', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const error = await expectCode(makePool().request({ url: `https://127.0.0.1:${port}/` }), 'network');
    await new Promise((resolve) => server.close(resolve));
    expect(error.message).toContain('does not speak TLS');
    expect(error.retryable).toBe(false);
  });

  test('sessions are resumed', async () => {
    const certificate = await makeCertificate();
    const reused: boolean[] = [];
    const server = createTlsServer(certificate, (socket) => {
      reused.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.on('data', () => socket.end(reply(200, { connection: 'close' }, 'x')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const pool = makePool({ ca: certificate.cert });
    for (let i = 0; i < 3; i += 1) await fetchText(pool, `https://localhost:${port}/`);
    await new Promise((resolve) => server.close(resolve));
    expect(reused).toEqual([false, true, true]);
  });
});

describe('addresses', () => {
  test('the next one is tried where the first refuses', async () => {
    const server = await serve(answer('x'));
    const lookup = async () => [
      { address: '::1', family: 6 },
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const pool = makePool({ lookup });
    expect(await fetchText(pool, `http://several.test:${server.port}/`)).toBe('x');
  });

  test('the load is spread over all of a name’s', async () => {
    const seen = new Set<string | undefined>();
    const server = createHttpServer((request, response) => {
      seen.add(request.socket.localAddress);
      response.setHeader('connection', 'close').end('x');
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const { port } = server.address() as { port: number };
    const lookup = async () => [1, 2, 3].map((n) => ({ address: `127.0.0.${n}`, family: 4 }));
    const pool = makePool({ lookup });
    for (let i = 0; i < 6; i += 1) await fetchText(pool, `http://several.test:${port}/`);
    await new Promise((resolve) => server.close(resolve));
    expect(seen).toEqual(new Set(['127.0.0.1', '127.0.0.2', '127.0.0.3']));
  });

  test('a name is looked up once for many connections', async () => {
    const server = await serve(answer('x'));
    let lookups = 0;
    const lookup = async () => {
      lookups += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const pool = makePool({ lookup });
    await Promise.all(Array.from({ length: 20 }, () => fetchText(pool, `http://one.test:${server.port}/`)));
    expect(server.connections).toBeGreaterThan(1);
    expect(lookups).toBe(1);
  });

  test('an unknown name is not worth a repetition', async () => {
    const lookup = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    const error = await expectCode(makePool({ lookup }).request({ url: 'http://nowhere.test/' }), 'network');
    expect(error).toMatchObject({ retryable: false, item: 'http://nowhere.test/' });
    expect(error.message).toContain('the name of nowhere.test is unknown');
  });

  test('a refused connection may be one later', async () => {
    const server = await serve(answer('x'));
    await server.close();
    expect(await expectCode(makePool().request({ url: server.url }), 'network')).toMatchObject({
      retryable: true,
    });
  });
});

describe('requests', () => {
  test('a path goes over the wire as it stands', async () => {
    const server = await serve(answer('x'));
    const pool = makePool();
    for (const path of ['/a/../b', '/a//b', '/%2e%2E/c', '/a?b=%2f&c#d', '/a b/ü'])
      await fetchText(pool, server.url + path);
    expect(server.requests.map(({ target }) => target)).toEqual([
      '/a/../b',
      '/a//b',
      '/%2e%2E/c',
      '/a?b=%2f&c',
      '/a%20b/%C3%BC',
    ]);
  });

  test('say who we are', async () => {
    const server = await serve(answer('x'));
    await fetchText(makePool(), server.url);
    expect(server.requests[0]?.headers).toEqual({
      host: `127.0.0.1:${server.port}`,
      'user-agent': `carrel/${VERSION}`,
      accept: '*/*',
    });
  });

  test('may carry a body', async () => {
    const server = createHttpServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += String(chunk);
      });
      request.on('end', () => response.end(`${request.method} ${text}`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const pool = makePool();
    const body = Buffer.from('{"a":1}');
    const got = await pool.request({ method: 'POST', url: `http://127.0.0.1:${port}/`, body });
    expect(await got.text()).toBe('POST {"a":1}');
    await pool.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(['ftp://x/', 'x', 'http://user:secret@x/', 'http://', 'http://a b/'])(
    'not a web address: %s',
    async (url) => {
      const error = await expectCode(makePool().request({ url }), 'usage');
      expect(error.message).not.toContain('secret');
    },
  );

  test.each([[{ 'x-a': 'secret\r\nx-b: 1' }], [{ 'x a': 'secret' }], [{ 'x-a': 'sécret☃' }]])(
    'a header that would break the head is refused, its value not shown',
    async (headers) => {
      const error = await expectCode(makePool().request({ url: 'http://x.test/', headers }), 'usage');
      expect(error.message).not.toContain('cret');
    },
  );

  test('neither query nor headers appear in messages', async () => {
    const server = await serve((_request, socket) => void socket.destroy());
    const request = {
      url: `${server.url}/k?X-Amz-Signature=secret`,
      headers: { authorization: 'Bearer secret' },
    };
    const error = await expectCode(makePool().request(request), 'network');
    expect(JSON.stringify([error.message, error.item, error.next, error.stack])).not.toContain('secret');
  });
});
