import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { get as getTls } from 'node:https';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type App,
  createS3App,
  type Listener,
  listen,
  type RequestRecord,
  withRequestLog,
} from '../../src/serve/index.ts';
import { makeCertificate } from '../fixtures/certificate.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

const opened: { close(): Promise<void> }[] = [];
let buckets: BucketsFixture | undefined;

afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.close();
  await buckets?.remove();
  buckets = undefined;
});

async function serve(
  fetch: App['fetch'],
  options: Partial<Parameters<typeof listen>[0]> = {},
): Promise<Listener> {
  const listener = await listen({ fetch, ...options });
  opened.push(listener);
  return listener;
}

/** Sends raw text to a server and gives all that comes back until the connection ends. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('listen', () => {
  test('serves a fetch function on a free port of the loopback', async () => {
    const { url, port } = await serve(
      async (asked) => new Response(`${asked.method} ${new URL(asked.url).pathname}`),
    );
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await (await fetch(`${url}/a%20b`)).text()).toBe('GET /a%20b');
  });

  test('speaks TLS with a certificate', async () => {
    const tls = await makeCertificate();
    const { url } = await serve(async () => new Response('secret'), { tls });
    expect(url).toMatch(/^https:/);
    const [message] = (await once(getTls(url, { ca: tls.cert }), 'response')) as [IncomingMessage];
    expect((await read(message)).toString()).toBe('secret');
  });

  test('keeps connections', async () => {
    const { url } = await serve(async () => new Response('x'));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 5; i += 1) {
      const [message] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
      ports.add(message.socket.localPort);
      await read(message);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('says that a port is taken', async () => {
    const { port } = await serve(async () => new Response());
    await expect(listen({ fetch: async () => new Response(), port })).rejects.toMatchObject({
      code: 'busy',
      item: `127.0.0.1:${port}`,
    });
  });

  test('answers 500 when the function throws, and goes on', async () => {
    let calls = 0;
    const { url } = await serve(async () => {
      calls += 1;
      if (calls === 1) throw new Error('defect');
      return new Response('fine');
    });
    expect((await fetch(url)).status).toBe(500);
    expect(await (await fetch(url)).text()).toBe('fine');
  });

  test('drops the connection when a body fails half way', async () => {
    // The second piece is asked for when the first one has been written.
    const pieces = [Buffer.from('half')];
    const failing = new ReadableStream(
      {
        async pull(controller) {
          const piece = pieces.shift();
          if (piece === undefined) throw new Error('disk gone');
          controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    const { port } = await serve(async () => new Response(failing, { headers: { 'content-length': '8' } }));
    const reply = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nhalf$/s);
  });

  test('gives up the body for a client that went away before the answer began', async () => {
    let asked = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let left = () => {};
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    const cancelled = new Promise<void>((resolve) => {
      void serve(async () => {
        asked();
        await hasLeft;
        return new Response(
          new ReadableStream(
            { pull: (controller) => controller.enqueue(Buffer.from('x')), cancel: () => resolve() },
            { highWaterMark: 0 },
          ),
        );
      }).then(async ({ url }) => {
        const stopper = new AbortController();
        const reply = fetch(url, { signal: stopper.signal }).catch(() => {});
        await wasAsked;
        stopper.abort();
        await reply;
        // Time for the server to hear of it.
        await new Promise((resolve_) => setTimeout(resolve_, 50));
        left();
      });
    });
    await cancelled;
  });

  test('drops the connection for Response.error()', async () => {
    const { port } = await serve(async () => Response.error());
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
  });

  test.each(['/b/../../etc/passwd', '/../x', '/b/.', '/b/%2e%2e/x', '/b/.%2E/x'])(
    'refuses dot segments: %s',
    async (target) => {
      const asked: string[] = [];
      const { port } = await serve(async ({ url }) => {
        asked.push(url);
        return new Response();
      });
      const reply = await raw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect([reply.split('\r\n')[0], asked]).toEqual(['HTTP/1.1 400 Bad Request', []]);
    },
  );

  test('dots within names are no dot segments', async () => {
    const { port } = await serve(async ({ url }) => new Response(new URL(url).pathname));
    for (const target of ['/a..b/...', '/1.2.840.10008/x.dcm', '/.hidden', '/a?x=/../']) {
      const reply = await raw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect([target, reply.split('\r\n')[0]]).toEqual([target, 'HTTP/1.1 200 OK']);
    }
  });

  test('nonsense on the wire does not stop the server', async () => {
    const { port, url } = await serve(async () => new Response('alive'));
    expect(await raw(port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await (await fetch(url)).text()).toBe('alive');
  });

  test('close ends connections that are in the middle of an answer', async () => {
    const { url, close } = await listen({ fetch: async () => new Response(new ReadableStream({})) });
    const failed = fetch(url).then((response) => response.text());
    const outcome = expect(failed).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await close();
    await outcome;
  });
});

describe('large files', () => {
  const BIG = Buffer.alloc(24 * 1024 * 1024, 'carrel ');

  test('arrive whole, also in ranges', async () => {
    buckets = await writeBuckets({ 'b/big': BIG });
    const { url } = await serve(createS3App({ root: buckets.root }).fetch);
    expect(Buffer.compare(Buffer.from(await (await fetch(`${url}/b/big`)).arrayBuffer()), BIG)).toBe(0);
    const part = await fetch(`${url}/b/big`, { headers: { range: 'bytes=1000001-9000000' } });
    expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), BIG.subarray(1_000_001, 9_000_001))).toBe(0);
  });

  test('are not read ahead of a slow client, and are let go when it leaves', async () => {
    buckets = await writeBuckets({ 'b/big': BIG });
    const records: RequestRecord[] = [];
    const app = withRequestLog(createS3App({ root: buckets.root }), (record) => records.push(record));
    const { url } = await serve(app.fetch);
    const asked = request(`${url}/b/big`).end();
    const [message] = (await once(asked, 'response')) as [IncomingMessage];
    message.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(records).toEqual([]);
    asked.destroy();
    while (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(records[0]?.status).toBe(200);
    expect(records[0]?.bytes).toBeLessThan(BIG.length);
  });

  test('a file that is replaced between its headers and its bytes is not sent under the old ETag', async () => {
    buckets = await writeBuckets({ 'b/x': 'the first version' });
    const app = createS3App({ root: buckets.root });
    const response = await app.fetch(new Request('http://x/b/x'));
    await buckets.write({ 'b/x': 'another version' }, new Date('2025-05-05T05:05:05Z'));
    await expect(response.text()).rejects.toThrow('b/x was replaced'.slice(2));
  });

  test('a file that is cut while it is sent drops the connection', async () => {
    buckets = await writeBuckets({ 'b/big': BIG });
    const { url } = await serve(createS3App({ root: buckets.root }).fetch);
    const asked = request(`${url}/b/big`).end();
    const [message] = (await once(asked, 'response')) as [IncomingMessage];
    message.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await buckets.write({ 'b/big': 'short' });
    await expect(read(message)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('the request log', () => {
  test('tells method, path, status, bytes and headers, in time for the client', async () => {
    buckets = await writeBuckets({ 'b/a b': 'hello' });
    const records: RequestRecord[] = [];
    const { url } = await serve(createS3App({ root: buckets.root }).fetch, {
      onRequest: (record) => records.push(record),
    });
    await (await fetch(`${url}/b/a%20b?x=1`, { headers: { range: 'bytes=1-2', 'X-Test': 'yes' } })).text();
    expect(records).toMatchObject([
      {
        method: 'GET',
        path: '/b/a%20b?x=1',
        status: 206,
        bytes: 2,
        headers: { range: 'bytes=1-2', 'x-test': 'yes' },
      },
    ]);
    const failing = await serve(() => Promise.reject(new Error('defect')), {
      onRequest: (record) => records.push(record),
    });
    await (await fetch(failing.url)).text();
    expect(records.pop()).toMatchObject({ path: '/', status: 500 });
    await fetch(`${url}/b/none`, { method: 'HEAD' });
    expect(records[1]).toMatchObject({ method: 'HEAD', status: 404, bytes: 0 });
  });
});
