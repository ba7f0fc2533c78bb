/** Servers that misbehave: what can be mended is mended, what cannot is named, and nothing wrong is ever shown. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CarrelResult,
  type ExpectedSeries,
  jsonLines,
  openReadingRoom,
  type ReadingRoom,
  summaryOf,
  versionIn,
} from './carrel.ts';

let room: ReadingRoom;
let series: ExpectedSeries;
let instances: string[];

beforeAll(async () => {
  room = await openReadingRoom();
  series = versionIn(room.facts.revisedTwice);
  instances = [...series.version.instances.values()];
});
afterAll(async () => await room?.close());
beforeEach(() => void room.takeRequests());
afterEach(() => {
  room.s3.faults.length = 0;
  room.gcs.faults.length = 0;
});

/** Gets the series under test. */
async function get(...more: string[]): Promise<{ out: string; result: CarrelResult }> {
  const out = await room.newFolder();
  return { out, result: await room.run(['get', series.version.uuid, '-o', out, '--json', ...more]) };
}

/** Lines of one type. */
function lines(result: CarrelResult, type: string): Record<string, unknown>[] {
  return jsonLines(result.stdout).filter((line) => line['type'] === type);
}

describe('wrong bytes', () => {
  test('are never shown: exit 5, the file is named, the others are there', async () => {
    const [bad = '', ...good] = instances;
    room.s3.faults.push({ path: bad, method: 'GET', fault: { kind: 'wrong-byte', at: 1000 } });
    const { out, result } = await get();
    expect(result.code).toBe(5);
    expect(lines(result, 'failure')).toEqual([
      expect.objectContaining({ path: expect.stringContaining(bad), code: 'verification' }),
    ]);
    expect(summaryOf(result)).toMatchObject({ fetched: good.length, failed: 1, exit: 5 });
    await room.mustHold(out, [{ ...series, instances: good }]);
    expect(await room.run(['verify', out])).toMatchObject({ code: 5 });

    room.s3.faults.length = 0;
    room.takeRequests();
    expect(await room.run(['get', series.version.uuid, '-o', out])).toMatchObject({ code: 0 });
    expect(room.takeRequests().s3).toBe(1);
    await room.mustHold(out, [series]);
  });

  test('of one mirror are mended by the other', async () => {
    room.s3.faults.push({ path: '.dcm', method: 'GET', fault: { kind: 'wrong-byte', at: 200 } });
    const { out, result } = await get('--from', 'auto');
    expect(result.code).toBe(0);
    await room.mustHold(out, [series]);
    expect(new Set(lines(result, 'file').map(({ mirror }) => mirror))).toEqual(new Set(['gcs']));
  });

  test('a page of a proxy in place of the object is not taken for it', async () => {
    room.s3.faults.push({
      path: instances[0] ?? '',
      method: 'GET',
      fault: { kind: 'replace', body: '<html>Please sign in</html>' },
    });
    const { out, result } = await get();
    expect(result.code).not.toBe(0);
    await room.mustHold(out, [{ ...series, instances: instances.slice(1) }]);
  });

  test('a body that is shorter than the object is not taken for it', async () => {
    room.s3.faults.push({ path: instances[3] ?? '', method: 'GET', fault: { kind: 'short', bytes: 7 } });
    const { out, result } = await get();
    expect(result.code).not.toBe(0);
    await room.mustHold(out, [{ ...series, instances: instances.filter((_, index) => index !== 3) }]);
  });
});

describe('servers in trouble', () => {
  test('503 with Retry-After, dropped connections and cut bodies end in a complete folder', async () => {
    const [a = '', b = '', c = '', d = ''] = instances;
    room.s3.faults.push(
      { path: a, method: 'GET', times: 2, fault: { kind: 'status', status: 503, retryAfter: 1 } },
      { path: b, method: 'GET', times: 2, fault: { kind: 'cut', after: 5000 } },
      { path: c, method: 'GET', times: 2, fault: { kind: 'reset' } },
      { path: d, method: 'GET', times: 2, fault: { kind: 'status', status: 429, retryAfter: 1 } },
      { path: 'list-type', times: 1, fault: { kind: 'status', status: 500 } },
    );
    const { out, result } = await get();
    expect(result.code, result.stdout).toBe(0);
    await room.mustHold(out, [series]);
    const retries = lines(result, 'retry');
    const of = (name: string) => retries.filter(({ path }) => String(path).includes(name));
    // A connection that is dropped before its answer may also be replaced without a word.
    for (const name of [a, b, c, d]) expect(of(name).length, name).toBeGreaterThanOrEqual(1);
    // No earlier than the server asked for.
    for (const { waitMs, path } of [...of(a), ...of(d)]) {
      expect(Number(waitMs), String(path)).toBeGreaterThanOrEqual(1000);
    }
    expect([of(a).length, of(d).length]).toEqual([2, 2]);
  });

  test('a server without ranges and one without lengths do', async () => {
    room.s3.faults.push(
      { path: instances[0] ?? '', fault: { kind: 'no-range' } },
      { path: instances[1] ?? '', fault: { kind: 'no-length' } },
      { fault: { kind: 'no-head' } },
    );
    const { out, result } = await get();
    expect(result.code).toBe(0);
    await room.mustHold(out, [series]);
  });

  test('where one mirror is down, the other serves', async () => {
    room.s3.faults.push({ fault: { kind: 'reset' } });
    const { out, result } = await get('--from', 'auto');
    expect(result.code, result.stderr).toBe(0);
    await room.mustHold(out, [series]);
    expect(new Set(lines(result, 'file').map(({ mirror }) => mirror))).toEqual(new Set(['gcs']));
  });

  test('where one mirror dies in the middle, the other goes on', async () => {
    room.s3.faults.push({ path: '.dcm', skip: 5, fault: { kind: 'status', status: 503 } });
    const { out, result } = await get('--from', 'auto', '--jobs', '4');
    expect(result.code, result.stderr).toBe(0);
    await room.mustHold(out, [series]);
    expect(new Set(lines(result, 'file').map(({ mirror }) => mirror))).toEqual(new Set(['aws', 'gcs']));
  });

  test('an object that one mirror lost comes from the other', async () => {
    room.s3.faults.push({ path: instances[2] ?? '', fault: { kind: 'status', status: 404 } });
    const { out, result } = await get('--from', 'auto');
    expect(result.code).toBe(0);
    await room.mustHold(out, [series]);
  });

  test('where nobody serves, the end is 1, the reason is told, and nothing is shown', async () => {
    room.s3.faults.push({ fault: { kind: 'reset' } });
    const { out, result } = await get();
    expect(result.code).toBe(1);
    expect(jsonLines(result.stderr).at(-1)).toMatchObject({ type: 'error', code: 'network', exit: 1 });
    await room.mustHold(out, []);
  });

  test('a bucket that wants a sign-in ends with 8', async () => {
    room.s3.faults.push({ fault: { kind: 'status', status: 403 } });
    const { out, result } = await get();
    expect(result.code).toBe(8);
    await room.mustHold(out, []);
  });

  // The only test that waits for a time-out of the product.
  test('a body that stalls is given up and asked for again', { timeout: 150_000 }, async () => {
    room.s3.faults.push({
      path: instances[4] ?? '',
      method: 'GET',
      times: 1,
      fault: { kind: 'stall', after: 3000 },
    });
    const { out, result } = await get();
    expect(result.code, result.stdout).toBe(0);
    await room.mustHold(out, [series]);
    expect(lines(result, 'retry')).toHaveLength(1);
  });
});

describe('keys that would leave the destination', () => {
  const KEYS = [
    'folder/../../../escaped.dcm',
    '../escaped.dcm',
    '/escaped.dcm',
    'folder/..\\..\\escaped.dcm',
    'C:\\escaped.dcm',
    'folder/.carrel/journal.jsonl',
    '.carrel/journal.jsonl',
    'carrel.lock.json',
  ];

  test.each(KEYS)('%s of a hostile server stays inside', async (key) => {
    for (const kind of ['s3', 'gcs'] as const) {
      const hostile = await startHostileServer(key);
      try {
        const outer = await room.newFolder('outer');
        const out = join(outer, 'a', 'b');
        const scheme = kind === 's3' ? 's3' : 'gs';
        const args = ['get', `${scheme}://evil/*`, '--endpoint', hostile.url, '-o', out, '--json'];
        const result = await room.run(args);
        const written = (await readdir(outer, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => relative(out, join(entry.parentPath, entry.name)));
        const own = /^(?:\.carrel\/[^/]+\.jsonl|carrel\.lock\.json|carrel\.receipts\.jsonl)$/;
        for (const path of written) expect(path).not.toMatch(/^\.\.|^\/|\\/);
        const data = written.filter((path) => !own.test(path));
        // Either refused before a byte moved, or fetched under a name that hurts nobody.
        expect([result.code, data.length], result.stderr).toSatisfy(
          ([code, count]) => (code === 0 && count === 1) || (code === 2 && count === 0),
        );
        if (result.code === 0) expect(await readFile(join(out, data[0] ?? ''), 'utf8')).toBe('good');
        // Its state and the lock file are its own: bytes of the server never stand in for them.
        for (const path of written.filter((name) => own.test(name))) {
          expect(await readFile(join(out, path), 'utf8')).not.toBe('good');
        }
      } finally {
        hostile.close();
      }
    }
  });
});

/** Lists one key, whatever is asked, and gives bytes for any. */
async function startHostileServer(key: string): Promise<{ url: string; close(): void }> {
  const digest = createHash('md5').update('good');
  const md5 = digest.copy().digest('hex');
  const xml = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>${key}</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>"${md5}"</ETag><Size>4</Size></Contents></ListBucketResult>`;
  const json = JSON.stringify({ items: [{ name: key, size: '4', md5Hash: digest.digest('base64') }] });
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const [type, body] = url.includes('list-type')
      ? ['application/xml', xml]
      : /\/o(?:\?|$)/.test(url)
        ? ['application/json', json]
        : ['application/octet-stream', 'good'];
    response.writeHead(200, { 'content-type': type, 'content-length': body.length, etag: `"${md5}"` });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
