/** The faults themselves, seen from the wire: what other tests rely on must happen as it is written. */
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault, FaultRule } from '../fixtures/faults.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));

let buckets: BucketsFixture;
let servers: ObjectServers;

beforeEach(async () => {
  buckets = await writeBuckets({ 'b/x': CONTENT, 'b/y': 'other' });
  servers = await startObjectServers({ root: buckets.root });
});

afterEach(async () => {
  await servers.close();
  await buckets.remove();
});

interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Code of the error that ended it, or `timeout` where nothing came for a while. */
  failure: string | undefined;
}

/** How long to wait for the headers, and later for each next piece, in milliseconds. */
interface Patience {
  headers: number;
  body: number;
}

/** One request with Node's plain client, which hides nothing: bytes that came before a failure count. */
function ask(
  target = '/b/x',
  options: { method?: string; headers?: Record<string, string> } = {},
  patience: Patience = { headers: 20_000, body: 20_000 },
): Promise<Reply> {
  const outgoing = request(servers.s3.url + target, { ...options, agent: false }).end();
  const reply: Reply = { status: 0, headers: {}, body: Buffer.alloc(0), failure: undefined };
  return new Promise((resolve) => {
    const end = (failure?: string) => {
      clearTimeout(timer);
      reply.failure ??= failure;
      outgoing.destroy();
      resolve(reply);
    };
    let timer = setTimeout(end, patience.headers, 'timeout');
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(end, patience.body, 'timeout');
    };
    outgoing.on('error', (error: NodeJS.ErrnoException) => end(error.code));
    outgoing.on('response', (message) => {
      wait();
      reply.status = message.statusCode ?? 0;
      reply.headers = message.headers;
      message.on('data', (chunk: Buffer) => {
        wait();
        reply.body = Buffer.concat([reply.body, chunk]);
      });
      message.on('error', (error: NodeJS.ErrnoException) => end(error.code));
      message.on('end', () => end());
    });
  });
}

const strike = (fault: Fault, rule: Omit<FaultRule, 'fault'> = {}) =>
  servers.s3.faults.push({ ...rule, fault });

describe('each fault', () => {
  test('cut: some bytes, then the connection is gone', async () => {
    strike({ kind: 'cut', after: 1234 });
    const reply = await ask();
    expect([reply.status, reply.headers['content-length'], reply.failure]).toEqual([
      200,
      '100000',
      'ECONNRESET',
    ]);
    expect(Buffer.compare(reply.body, CONTENT.subarray(0, 1234))).toBe(0);
  });

  test('stall: some bytes, then nothing more', async () => {
    strike({ kind: 'stall', after: 10 });
    const reply = await ask('/b/x', {}, { headers: 20_000, body: 500 });
    expect([reply.status, reply.body.length, reply.failure]).toEqual([200, 10, 'timeout']);
  });

  test('stall before the first byte still sends the headers', async () => {
    strike({ kind: 'stall', after: 0 });
    const reply = await ask('/b/x', {}, { headers: 20_000, body: 500 });
    expect([reply.status, reply.body.length, reply.failure]).toEqual([200, 0, 'timeout']);
  });

  test('silence: no answer at all', async () => {
    strike({ kind: 'silence' });
    expect(await ask('/b/x', {}, { headers: 500, body: 0 })).toMatchObject({ status: 0, failure: 'timeout' });
  });

  test('reset: the connection is dropped without an answer', async () => {
    strike({ kind: 'reset' });
    expect(await ask()).toMatchObject({ status: 0, failure: 'ECONNRESET' });
  });

  test('slow and delay: everything arrives in the end', async () => {
    strike({ kind: 'slow', bytes: 40_000, milliseconds: 5 }, { times: 1 });
    strike({ kind: 'delay', milliseconds: 5 });
    for (const reply of [await ask(), await ask()]) {
      expect([reply.failure, Buffer.compare(reply.body, CONTENT)]).toEqual([undefined, 0]);
    }
  });

  test('status with Retry-After', async () => {
    strike({ kind: 'status', status: 503, retryAfter: 7, body: '<Error><Code>SlowDown</Code></Error>' });
    const reply = await ask();
    expect([reply.status, reply.headers['retry-after'], reply.body.toString()]).toEqual([
      503,
      '7',
      '<Error><Code>SlowDown</Code></Error>',
    ]);
    expect(await ask('/b/x', { method: 'HEAD' })).toMatchObject({ status: 503, failure: undefined });
  });

  test('wrong-byte: one byte differs, nothing else does', async () => {
    strike({ kind: 'wrong-byte', at: 99_999 });
    const { body, headers } = await ask();
    const different = [...body.keys()].filter((i) => body[i] !== CONTENT[i]);
    expect([body.length, different, headers['content-length']]).toEqual([100_000, [99_999], '100000']);
  });

  test('short: whole to HTTP, but not the object', async () => {
    strike({ kind: 'short', bytes: 1 });
    const reply = await ask();
    expect([reply.failure, reply.headers['content-length'], reply.body.length]).toEqual([
      undefined,
      '99999',
      99_999,
    ]);
  });

  test('no-head: HEAD is refused, GET is not', async () => {
    strike({ kind: 'no-head' });
    expect((await ask('/b/x', { method: 'HEAD' })).status).toBe(405);
    expect((await ask()).status).toBe(200);
  });

  test('no-range: 200 and the whole object', async () => {
    strike({ kind: 'no-range' });
    const reply = await ask('/b/x', { headers: { range: 'bytes=5-9' } });
    expect([reply.status, reply.body.length, reply.headers['content-range']]).toEqual([
      200,
      100_000,
      undefined,
    ]);
    expect(reply.headers['accept-ranges']).toBe(undefined);
  });

  test('etag: the object is another one for later requests', async () => {
    strike({ kind: 'etag', etag: 'changed' }, { skip: 1 });
    const before = await ask('/b/x', { headers: { range: 'bytes=0-9' } });
    const etag = String(before.headers['etag']);
    const after = await ask('/b/x', { headers: { range: 'bytes=10-19' } });
    expect([after.status, after.headers['etag']]).toEqual([206, '"changed"']);
    expect((await ask('/b/x', { headers: { range: 'bytes=10-19', 'if-match': etag } })).status).toBe(412);
    expect((await ask('/b/x', { headers: { 'if-match': '"changed"' } })).status).toBe(200);
  });

  test('wrong-length: more is announced than comes, or less', async () => {
    strike({ kind: 'wrong-length', by: 5 }, { times: 1 });
    strike({ kind: 'wrong-length', by: -5 }, { times: 1 });
    expect(await ask()).toMatchObject({ headers: { 'content-length': '100005' }, failure: 'ECONNRESET' });
    const less = await ask();
    expect([less.headers['content-length'], less.body.length]).toEqual(['99995', 99_995]);
  });

  test('no-length: the body comes in chunks', async () => {
    strike({ kind: 'no-length' });
    const reply = await ask();
    expect([reply.headers['content-length'], reply.headers['transfer-encoding']]).toEqual([
      undefined,
      'chunked',
    ]);
    expect(Buffer.compare(reply.body, CONTENT)).toBe(0);
  });

  test('headers are replaced and taken away', async () => {
    strike({ kind: 'headers', headers: { etag: null, 'content-encoding': 'gzip' } });
    const { headers } = await ask();
    expect([headers['etag'], headers['content-encoding']]).toEqual([undefined, 'gzip']);
  });

  test('redirect, fixed or by request', async () => {
    strike({ kind: 'redirect', to: 'http://elsewhere.test/x' }, { times: 1 });
    strike({ kind: 'redirect', to: (asked) => `${asked.url}?moved`, status: 301 });
    expect(await ask()).toMatchObject({ status: 307, headers: { location: 'http://elsewhere.test/x' } });
    expect(await ask()).toMatchObject({ status: 301, headers: { location: `${servers.s3.url}/b/x?moved` } });
  });

  test('replace: another body with status 200', async () => {
    strike({ kind: 'replace', body: '<html>Sign in</html>' });
    const reply = await ask();
    expect([reply.status, reply.headers['content-type'], reply.body.toString()]).toEqual([
      200,
      'text/html',
      '<html>Sign in</html>',
    ]);
  });
});

describe('rules', () => {
  test('match by method and by decoded path, and the first match decides', async () => {
    await buckets.write({ 'b/a b': '1' });
    strike({ kind: 'status', status: 500 }, { method: 'HEAD' });
    strike({ kind: 'status', status: 501 }, { path: '/b/a b' });
    strike({ kind: 'status', status: 502 }, { path: /list-type=2/ });
    strike({ kind: 'status', status: 504 }, { path: /\/y$/ });
    const statuses = [
      (await ask('/b/x', { method: 'HEAD' })).status,
      (await ask('/b/a%20b')).status,
      (await ask('/b?list-type=2')).status,
      (await ask('/b/y')).status,
      (await ask('/b/x')).status,
    ];
    expect(statuses).toEqual([500, 501, 502, 504, 200]);
  });

  test('pass the first `skip` matches and strike `times` times', async () => {
    strike({ kind: 'status', status: 503 }, { skip: 1, times: 2 });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
  });

  test('the log holds what was really answered', async () => {
    strike({ kind: 'status', status: 429 }, { times: 1 });
    strike({ kind: 'cut', after: 50 }, { times: 1 });
    strike({ kind: 'reset' }, { times: 1 });
    for (let i = 0; i < 4; i += 1) await ask();
    expect(servers.s3.requests.map(({ status, bytes }) => [status, bytes])).toEqual([
      [429, 11],
      [200, 50],
      [0, 0],
      [200, 100_000],
    ]);
  });
});

test('both servers speak TLS when asked to', async () => {
  const secure = await startObjectServers({ root: buckets.root, tls: true });
  try {
    expect([secure.s3.url, secure.gcs.url]).toEqual([
      expect.stringMatching(/^https:\/\/127/),
      expect.stringMatching(/^https:\/\/127/),
    ]);
  } finally {
    await secure.close();
  }
});
