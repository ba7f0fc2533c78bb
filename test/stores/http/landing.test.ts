import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpPool, type HttpPool } from '../../../src/stores/index.ts';
import { expectCode } from '../../contract/store.ts';
import { makeCertificate } from '../../fixtures/certificate.ts';
import { type RawHandler, reply, startRawServer } from '../raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const BODY = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));

describe.each([
  ['plain', false],
  ['TLS', true],
] as const)('a body read straight to where it belongs, %s', (_what, encrypted) => {
  async function setUp(
    handler: RawHandler,
  ): Promise<{ pool: HttpPool; url: string; connections: () => number }> {
    const tls = encrypted ? await makeCertificate() : undefined;
    const server = await startRawServer(handler, tls);
    const pool = createHttpPool({
      env: {},
      connectionsPerOrigin: 1,
      ...(tls === undefined ? {} : { ca: tls.cert }),
    });
    open.push(server, pool);
    return { pool, url: server.url, connections: () => server.connections };
  }

  const ignore: (count: number) => void = () => {};

  async function land(pool: HttpPool, url: string, target: Uint8Array, onBytes = ignore) {
    const got = await pool.request({ url });
    if (got.land === undefined) throw new Error('this reply tells its length');
    return got.land(target, onBytes);
  }

  test('stands there, counted, with nothing beside it; ten in a row use one connection', async () => {
    const { pool, url, connections } = await setUp(
      (_request, socket) => void socket.write(reply(200, {}, BODY)),
    );
    for (let turn = 0; turn < 10; turn += 1) {
      const memory = Buffer.alloc(BODY.length + 2, 255);
      let count = 0;
      await land(pool, url, memory.subarray(1, -1), (bytes) => {
        count += bytes;
      });
      expect(count).toBe(BODY.length);
      expect(memory.subarray(1, -1).equals(BODY)).toBe(true);
      expect([memory.at(0), memory.at(-1)]).toEqual([255, 255]);
    }
    expect(connections()).toBe(1);
    expect(pool.stats.bytes).toBe(10 * BODY.length);
  });

  test('in many small pieces, some of them before anybody asked for the body', async () => {
    const { pool, url } = await setUp(async (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
      for (let at = 0; at < BODY.length; at += 30_001) {
        socket.write(BODY.subarray(at, at + 30_001));
        await pause(2);
      }
    });
    const got = await pool.request({ url });
    await pause(10);
    const target = Buffer.alloc(BODY.length);
    await got.land?.(target, () => {});
    expect(target.equals(BODY)).toBe(true);
  });

  test('alternates with bodies that are handed over in pieces, on one connection', async () => {
    const { pool, url, connections } = await setUp(
      (_request, socket) => void socket.write(reply(200, {}, BODY)),
    );
    for (let turn = 0; turn < 3; turn += 1) {
      const target = Buffer.alloc(BODY.length);
      await land(pool, url, target);
      expect(target.equals(BODY)).toBe(true);
      expect(Buffer.from(await (await pool.request({ url })).bytes()).equals(BODY)).toBe(true);
    }
    expect(connections()).toBe(1);
  });

  test('that is cut is a failure that says how far it came; the connection is not used again', async () => {
    const { pool, url, connections } = await setUp((_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
      socket.end(BODY.subarray(0, 200_000));
    });
    const error = await expectCode(land(pool, url, Buffer.alloc(BODY.length)), 'network');
    expect(error.message).toContain('after 200000 of 300000 bytes');
    await expectCode(land(pool, url, Buffer.alloc(BODY.length)), 'network');
    expect(connections()).toBe(2);
  });

  test('of which more comes than was announced: what was announced stands, the rest becomes no reply', async () => {
    const { pool, url, connections } = await setUp(
      (_request, socket) =>
        void socket.write(
          Buffer.concat([Buffer.from(reply(200, {}, BODY)), Buffer.from('HTTP/1.1 200 OK\r\n')]),
        ),
    );
    for (let turn = 0; turn < 2; turn += 1) {
      const memory = Buffer.alloc(BODY.length + 100, 255);
      await land(pool, url, memory.subarray(0, BODY.length));
      expect(memory.subarray(0, BODY.length).equals(BODY)).toBe(true);
      expect(memory.subarray(BODY.length).every((byte) => byte === 255)).toBe(true);
      await pause(20);
    }
    expect(connections()).toBe(2);
  });

  test('that falls silent is ended, and nothing is written afterwards', async () => {
    const { pool, url } = await setUp(async (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
      socket.write(BODY.subarray(0, 100_000));
      await pause(300);
      if (socket.writable) socket.write(BODY.subarray(100_000));
    });
    const target = Buffer.alloc(BODY.length);
    const got = await pool.request({ url, timeouts: { idle: 80 } });
    const error = await expectCode(got.land?.(target, () => {}) ?? Promise.resolve(), 'network');
    expect(error.message).toContain('nothing came for 0.08 s');
    target.fill(0);
    await pause(400);
    expect(target.every((byte) => byte === 0)).toBe(true);
  });

  test('that is called off is left alone at once', async () => {
    const { pool, url } = await setUp(async (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
      for (let at = 0; at < BODY.length && socket.writable; at += 10_000) {
        socket.write(BODY.subarray(at, at + 10_000));
        await pause(5);
      }
    });
    const stopper = new AbortController();
    const target = Buffer.alloc(BODY.length);
    const got = await pool.request({ url, signal: stopper.signal });
    await expectCode(got.land?.(target, () => stopper.abort()) ?? Promise.resolve(), 'interrupted');
    target.fill(0);
    await pause(100);
    expect(target.every((byte) => byte === 0)).toBe(true);
  });

  test('without a length there is no such way', async () => {
    const { pool, url } = await setUp(
      (_request, socket) =>
        void socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    );
    const got = await pool.request({ url });
    expect(got.land).toBeUndefined();
    expect(await got.text()).toBe('abc');
  });
});
