/**
 * What every store over HTTP does when the server misbehaves: right bytes or an honest failure, never wrong bytes, never a
 * hang. The server is a script at the level of TCP, so that what no HTTP library would send can be sent.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpPool, type HttpPool, type Store } from '../../src/stores/index.ts';
import {
  type RawHandler,
  type RawRequest,
  type RawServer,
  reply,
  startRawServer,
} from '../stores/raw-server.ts';
import { expectCode } from './store.ts';

/** Opens the store under test at an endpoint. */
export type OpenAt = (endpoint: string, pool: HttpPool) => Store;

/** How a reply of the protocol describes an object's version. */
export interface FaultDialect {
  open: OpenAt;
  /** Fields of a version: `{ etag: '"v1"' }` or `{ 'x-goog-generation': '1' }`. */
  version(name: 1 | 2): Record<string, string>;
  /** What `pin` gives for it. */
  pinned(name: 1 | 2): string;
  /** Path of `key` on the wire. */
  path(key: string): string;
}

const CONTENT = Buffer.from('0123456789'.repeat(1000));
/** Short limits, for the tests that wait for them to pass; the others have the usual ones. */
const SHORT = { connect: 5_000, firstByte: 400, idle: 400 };

/** Runs the misbehaviours. */
export function testStoreFaults(name: string, dialect: FaultDialect): void {
  describe(`store under faults: ${name}`, () => {
    const open: { close(): Promise<void> }[] = [];
    afterEach(async () => {
      for (const item of open.splice(0)) await item.close();
    });

    /** A store at a scripted server. */
    const at = async (
      handler: RawHandler,
      timeouts?: typeof SHORT,
    ): Promise<{ store: Store; server: RawServer; pool: HttpPool }> => {
      const server = await startRawServer(handler);
      const pool = createHttpPool({ env: {}, timeouts });
      open.push(pool, server);
      return { store: dialect.open(server.url, pool), server, pool };
    };
    const v1 = dialect.version(1);

    test('no HEAD: 405, 501, 403 and 400 are asked again with GET', async () => {
      for (const status of [405, 501, 403, 400]) {
        const { store, server } = await at((request, socket) => {
          if (request.method === 'HEAD') socket.write(reply(status, { 'content-length': '9' }));
          else socket.write(partial(request, v1));
        });
        expect(await store.stat('k')).toMatchObject({ size: 10_000 });
        expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
        expect(server.requests[1]?.headers).toMatchObject({ range: 'bytes=0-0' });
      }
    });

    test('no HEAD and no Range: the size is that of the whole reply, whose body is not read', async () => {
      const { store } = await at((request, socket) => {
        socket.write(request.method === 'HEAD' ? reply(405, {}) : reply(200, v1, CONTENT));
      });
      expect(await store.stat('k')).toMatchObject({ size: 10_000 });
    });

    test('200 instead of 206: the range is what was served', async () => {
      const { store } = await at((_request, socket) => void socket.write(reply(200, v1, CONTENT)));
      const body = await store.get('k', { range: { start: 5000, end: 6000 } });
      expect(body.range).toEqual({ start: 0, end: 10_000 });
      expect(Buffer.from(await body.bytes()).equals(CONTENT)).toBe(true);
    });

    test('200 with Content-Range is the 206 that was meant', async () => {
      const { store } = await at((request, socket) => {
        socket.write(
          Buffer.from(partial(request, v1).toString('latin1').replace('HTTP/1.1 206', 'HTTP/1.1 200')),
        );
      });
      const body = await store.get('k', { range: { start: 10, end: 13 } });
      expect(body.range).toEqual({ start: 10, end: 13 });
      expect(body.stat.size).toBe(10_000);
    });

    test('206 with another range than was asked for says so', async () => {
      const { store } = await at((_request, socket) => {
        socket.write(reply(206, { ...v1, 'content-range': 'bytes 0-9/10000' }, '0123456789'));
      });
      const body = await store.get('k', { range: { start: 10, end: 20 } });
      expect(body.range).toEqual({ start: 0, end: 10 });
      await body.bytes();
    });

    test.each([
      ['without Content-Range', {}],
      ['with a malformed one', { 'content-range': 'bytes 10-/10000' }],
      ['with one beyond the object', { 'content-range': 'bytes 10-19/15' }],
      ['with one that is not as long as the body', { 'content-range': 'bytes 10-14/10000' }],
      ['of several ranges', { 'content-type': 'multipart/byteranges; boundary=x' }],
    ])('206 %s is a failure', async (_what, headers) => {
      const { store } = await at((_request, socket) => {
        socket.write(reply(206, { ...v1, ...headers }, '0123456789'));
      });
      const error = await expectCode(store.get('k', { range: { start: 10, end: 20 } }), 'network');
      expect(error.retryable).toBe(true);
    });

    test('a body that is cut', async () => {
      const { store } = await at((_request, socket) => {
        socket.end(reply(200, v1, CONTENT).subarray(0, -4000));
      });
      const received: Buffer[] = [];
      const body = await store.get('k');
      const consumed = body.consume((chunk) => void received.push(Buffer.from(chunk)));
      const error = await expectCode(consumed, 'network');
      expect(error.retryable).toBe(true);
      expect(error.message).toContain('after 6000 of 10000 bytes');
      // What came before the cut is right, and was handed over.
      expect(Buffer.concat(received).equals(CONTENT.subarray(0, 6000))).toBe(true);
    });

    test('a connection that is reset in the middle', async () => {
      const { store } = await at(async (_request, socket) => {
        socket.write(reply(200, v1, CONTENT).subarray(0, -4000));
        await pause(50);
        socket.resetAndDestroy();
      });
      const error = await expectCode((await store.get('k')).bytes(), 'network');
      expect(error.retryable).toBe(true);
    });

    test('a connection that is reset before the reply', async () => {
      const { store } = await at((_request, socket) => void socket.resetAndDestroy());
      expect((await expectCode(store.get('k'), 'network')).retryable).toBe(true);
      expect((await expectCode(store.stat('k'), 'network')).retryable).toBe(true);
    });

    test('a connection that is closed before the reply', async () => {
      const { store } = await at((_request, socket) => void socket.end());
      const error = await expectCode(store.get('k'), 'network');
      expect(error.message).toContain('before its reply');
      expect(error.retryable).toBe(true);
    });

    test('a body that stalls', async () => {
      const { store } = await at(
        (_request, socket) => void socket.write(reply(200, v1, CONTENT).subarray(0, -1)),
        SHORT,
      );
      const error = await expectCode((await store.get('k')).bytes(), 'network');
      expect(error.message).toMatch(/nothing came for 0\.4 s, after 9999 of 10000 bytes/);
      expect(error.retryable).toBe(true);
    });

    test('a body that comes slowly but steadily is not a stall', async () => {
      const { store } = await at(async (_request, socket) => {
        socket.write(reply(200, v1, CONTENT).subarray(0, -8));
        for (let i = 0; i < 8; i += 1) {
          await pause(100);
          socket.write(CONTENT.subarray(i + 2, i + 3));
        }
      }, SHORT);
      expect(Buffer.from(await (await store.get('k')).bytes()).equals(CONTENT)).toBe(true);
    });

    test('what arrived while our process was asleep is no stall', async () => {
      const { store } = await at(async (_request, socket) => {
        const bytes = reply(200, v1, CONTENT);
        // Before the head and in the body: the bytes are with the kernel before the timers are looked at.
        await pause(50);
        for (const piece of [bytes.subarray(0, -5000), bytes.subarray(-5000, -1), bytes.subarray(-1)]) {
          socket.write(piece);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
          await pause(50);
        }
      }, SHORT);
      expect(Buffer.from(await (await store.get('k')).bytes()).equals(CONTENT)).toBe(true);
    });

    test('a consumer that takes longer than the server may is not a stall', async () => {
      const { store } = await at((_request, socket) => void socket.write(reply(200, v1, CONTENT)), SHORT);
      let received = 0;
      await (await store.get('k')).consume(async (chunk) => {
        await pause(600);
        received += chunk.length;
      });
      expect(received).toBe(10_000);
    });

    test('a body that nobody has begun to read yet is not a stall', async () => {
      const { store } = await at((_request, socket) => void socket.write(reply(200, v1, CONTENT)), SHORT);
      const body = await store.get('k');
      await pause(600);
      expect(await body.bytes()).toHaveLength(10_000);
    });

    test('a server that never answers', async () => {
      const { store } = await at(() => {}, SHORT);
      const error = await expectCode(store.get('k'), 'network');
      expect(error.message).toContain('no reply within 0.4 s');
    });

    test('a head that comes byte by byte, without end', async () => {
      const { store } = await at(async (_request, socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        for (let i = 0; i < 100 && !socket.destroyed; i += 1) {
          socket.write(`x-${i}: y\r\n`);
          await pause(20);
        }
      }, SHORT);
      expect((await expectCode(store.get('k'), 'network')).message).toContain('no reply within');
    });

    test('a head in many pieces is whole in the end', async () => {
      const { store } = await at(async (_request, socket) => {
        socket.setNoDelay(true);
        for (const byte of reply(200, v1, 'body')) {
          socket.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      expect(Buffer.from(await (await store.get('k')).bytes()).toString()).toBe('body');
    });

    test('another version than was pinned: the server says so', async () => {
      const { store } = await at((_request, socket) => void socket.write(reply(412, {})));
      const error = await expectCode(store.get('k', { ifMatch: dialect.pinned(1) }), 'verification');
      expect(error.retryable).toBe(false);
    });

    test('another version than was pinned: the server ignores the condition', async () => {
      for (const status of [200, 206] as const) {
        const { store } = await at((request, socket) => {
          socket.write(
            status === 200 ? reply(200, dialect.version(2), CONTENT) : partial(request, dialect.version(2)),
          );
        });
        const range = status === 206 ? { start: 5 } : undefined;
        await expectCode(store.get('k', { ifMatch: dialect.pinned(1), range }), 'verification');
      }
    });

    test('a reply that does not tell its version cannot be pinned', async () => {
      const { store } = await at((_request, socket) => void socket.write(reply(200, {}, CONTENT)));
      await expectCode(store.get('k', { ifMatch: dialect.pinned(1) }), 'verification');
    });

    test.each([
      [429, '3', 3000],
      [503, '120', 120_000],
      [503, undefined, undefined],
      [500, undefined, undefined],
      [502, 'soon', undefined],
      [504, undefined, undefined],
      [408, undefined, undefined],
    ])('%i with Retry-After %s is passing', async (status, retryAfter, retryAfterMs) => {
      const { store } = await at((_request, socket) => {
        socket.write(reply(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }, 'busy'));
      });
      const error = await expectCode(store.get('k'), 'network');
      expect(error).toMatchObject({ retryable: true, status, retryAfterMs });
    });

    test('Retry-After as a date', async () => {
      const { store } = await at((_request, socket) => {
        socket.write(reply(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }));
      });
      const { retryAfterMs } = await expectCode(store.get('k'), 'network');
      expect(retryAfterMs).toBeGreaterThan(50_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    test.each([
      [401, 'permission'],
      [403, 'permission'],
      [404, 'not-found'],
      [410, 'not-found'],
      [400, 'network'],
      [501, 'network'],
      [304, 'network'],
      [204, 'network'],
    ])('%i is %s, and lasting', async (status, code) => {
      const { store } = await at((_request, socket) => void socket.write(reply(status, {}, '')));
      const error = await expectCode(store.get('k'), code);
      expect(error).toMatchObject({ retryable: false, status });
    });

    test('shorter than announced', async () => {
      const { store } = await at((_request, socket) => {
        socket.end(reply(200, { ...v1, 'content-length': '20' }, '0123456789'));
      });
      await expectCode((await store.get('k')).bytes(), 'network');
    });

    test('longer than announced', async () => {
      const { store } = await at((_request, socket) => {
        socket.write(reply(200, { ...v1, 'content-length': '5' }, '0123456789'));
      });
      const error = await expectCode((await store.get('k')).bytes(), 'network');
      expect(error.message).toContain('more than it announced');
    });

    test('longer than its range', async () => {
      const { store } = await at((_request, socket) => {
        const fields = 'transfer-encoding: chunked\r\ncontent-range: bytes 0-4/10000';
        const version = Object.entries(v1).map(([field, value]) => `${field}: ${value}`);
        socket.write(
          `HTTP/1.1 206 X\r\n${fields}\r\n${version.join('\r\n')}\r\n\r\n6\r\n012345\r\n0\r\n\r\n`,
        );
      });
      await expectCode((await store.get('k', { range: { start: 0, end: 5 } })).bytes(), 'network');
    });

    test('shorter than its range', async () => {
      const { store } = await at((_request, socket) => {
        const fields = 'transfer-encoding: chunked\r\ncontent-range: bytes 0-4/10000';
        socket.write(`HTTP/1.1 206 X\r\n${fields}\r\n\r\n4\r\n0123\r\n0\r\n\r\n`);
      });
      await expectCode((await store.get('k', { range: { start: 0, end: 5 } })).bytes(), 'network');
    });

    test('in chunks, without a length: whole, and the size is unknown', async () => {
      const { store } = await at((_request, socket) => {
        socket.write(
          'HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nT: x\r\n\r\n',
        );
      });
      const body = await store.get('k');
      expect(body.range).toEqual({ start: 0, end: undefined });
      expect(body.stat.size).toBeUndefined();
      expect(Buffer.from(await body.bytes()).toString()).toBe('hello world');
    });

    test('in chunks that are cut', async () => {
      const { store } = await at((_request, socket) => {
        socket.end('HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      });
      expect((await expectCode((await store.get('k')).bytes(), 'network')).retryable).toBe(true);
    });

    test('until the connection ends, without a length', async () => {
      const { store } = await at((_request, socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\nhello'));
      expect(Buffer.from(await (await store.get('k')).bytes()).toString()).toBe('hello');
    });

    test.each([
      ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
      ['a malformed status', 'HTTP/1.1 banana OK\r\n\r\n'],
      ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
      ['a folded header', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
      ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12'],
      ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n12'],
      [
        'length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
      ['a NUL in a header', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
      ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
    ])('%s is refused', async (_what, bytes) => {
      const { store } = await at((_request, socket) => void socket.write(bytes));
      await expectCode(store.get('k'), 'network');
    });

    test('a head without end', async () => {
      const { store } = await at((_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}`);
      });
      expect((await expectCode(store.get('k'), 'network')).message).toContain('longer than 64 KiB');
    });

    test('interim replies are skipped', async () => {
      const { store } = await at((_request, socket) => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
        socket.write(reply(200, v1, 'hello'));
      });
      expect(Buffer.from(await (await store.get('k')).bytes()).toString()).toBe('hello');
    });

    test('interim replies without end', async () => {
      const { store } = await at((_request, socket) => {
        socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50));
      });
      await expectCode(store.get('k'), 'network');
    });

    test('a redirect is followed, range and pin with it', async () => {
      const { store, server } = await at((request, socket) => {
        if (request.target.includes('moved')) socket.write(partial(request, v1));
        else socket.write(reply(307, { location: `${dialect.path('moved')}?x=1` }));
      });
      const body = await store.get('k', { range: { start: 3, end: 6 }, ifMatch: dialect.pinned(1) });
      expect(Buffer.from(await body.bytes()).toString()).toBe('345');
      expect(server.requests[1]?.headers['range']).toBe('bytes=3-5');
      expect(server.connections).toBe(1);
    });

    test('a redirect in a circle', async () => {
      const { store, server } = await at((request, socket) => {
        socket.write(reply(302, { location: request.target }));
      });
      const error = await expectCode(store.get('k'), 'network');
      expect(error.message).toContain('redirected more than 5 times');
      expect(error.retryable).toBe(false);
      expect(server.requests).toHaveLength(6);
    });

    test('junk behind a reply does not become the next reply', async () => {
      const { store, server } = await at((request, socket) => {
        socket.write(
          reply(request.method === 'HEAD' ? 200 : 200, v1, request.method === 'HEAD' ? '' : 'good'),
        );
        // A second answer that nobody asked for, as a confused server or an attacker would send.
        if (request.onConnection === 1) setTimeout(() => socket.write(reply(200, v1, 'evil')), 20);
      });
      expect(Buffer.from(await (await store.get('k')).bytes()).toString()).toBe('good');
      await pause(100);
      expect(Buffer.from(await (await store.get('k')).bytes()).toString()).toBe('good');
      expect(server.connections).toBe(2);
    });

    test('a kept connection that died is replaced at once', async () => {
      const { store, server } = await at((request, socket) => {
        if (request.onConnection === 2) socket.resetAndDestroy();
        else socket.write(reply(200, v1, 'hello'));
      });
      for (let i = 0; i < 3; i += 1) expect(await (await store.get('k')).bytes()).toHaveLength(5);
      // Each second request found a dead connection and was repeated on a new one.
      expect(server.connections).toBe(3);
    });
  });
}

/** 206 with the range that was asked for. */
function partial(request: RawRequest, version: Record<string, string>): Buffer {
  const found = /^bytes=([0-9]+)-([0-9]*)$/.exec(request.headers['range'] ?? '');
  if (found === null) return reply(200, version, CONTENT);
  const start = Number(found[1]);
  const end = found[2] === '' ? CONTENT.length : Number(found[2]) + 1;
  const fields = { ...version, 'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}` };
  return reply(206, fields, CONTENT.subarray(start, end));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
