import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/serve/index.ts';
import { createHttpPool, type HttpPool } from '../../../src/stores/index.ts';
import { groupPairs } from '../../../src/tcia/gateway/group-pairs.ts';
import { type GatewayOptions, openGatewayTransport, type TransportJob } from '../../../src/tcia/index.ts';
import { type AscpRig, openAscpRig } from '../ascp/rig.ts';
import { createGateway, type GatewayServer } from '../server/gateway.ts';

const LARGE = Buffer.alloc(300_000, 'abcdefghi');
const FILES = {
  'top.sums': 'sums',
  'a & b/x.xml': 'first',
  'c d/x.xml': 'second',
  'c d/größe.svs': LARGE,
  empty: '',
};

let rig: AscpRig;
let gateway: GatewayServer;
let listener: Listener;
let http: HttpPool;
beforeEach(async () => {
  rig = await openAscpRig({ ...FILES, lost: null });
  http = createHttpPool();
});
afterEach(async () => {
  await http.close();
  await listener.close();
  await rig.remove();
});

async function start(options: { version?: string; tree?: boolean } = {}): Promise<void> {
  gateway = createGateway({ registry: join(rig.root, 'registry.json'), ...options });
  listener = await listen({ fetch: gateway.fetch });
}

async function run(options: Partial<GatewayOptions> = {}, job: Partial<TransportJob> = {}) {
  const transport = await openGatewayTransport({ http, url: listener.url, retryDelayMs: 1, ...options });
  const result = await transport.run({
    pairs: rig.pairs.filter(({ path }) => path !== 'lost'),
    folder: rig.folder,
    spec: rig.spec,
    onEvent: (event) => rig.events.push(event),
    signal: new AbortController().signal,
    ...job,
  });
  return {
    name: transport.name,
    done: result.done.map(({ path }) => path).toSorted(),
    failed: result.failed.map(({ path, error }) => [path, error.code]),
    errors: result.failed.map(({ error }) => error),
  };
}

async function tree(): Promise<string[]> {
  const found = await readdir(rig.folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(rig.folder.length + 1))
    .toSorted();
}

const ALL = Object.keys(FILES).toSorted();

describe('a package over an HTTP gateway', () => {
  test.each<[string, { version?: string; tree?: boolean }]>([
    ['version 2, archives with a tree', { tree: true }],
    ['version 2, archives with base names', { tree: false }],
    ['version 3', { version: '3.1.0' }],
  ])('%s: everything arrives with its tree, small files together', async (_, options) => {
    await start(options);
    const { name, done, failed } = await run();
    expect(name).toBe(`http-gateway ${options.version ?? '2.3.0'}`);
    expect([done, failed]).toEqual([ALL, []]);
    expect(await tree()).toEqual(ALL);
    expect(await readFile(join(rig.folder, 'a & b/x.xml'), 'utf8')).toBe('first');
    expect(await readFile(join(rig.folder, 'c d/x.xml'), 'utf8')).toBe('second');
    expect((await readFile(join(rig.folder, 'c d/größe.svs'))).equals(LARGE)).toBe(true);
    // Two files are called x.xml: one archive cannot hold both.
    expect(rig.asked).toHaveLength(2);
    expect(rig.events.find(({ type }) => type === 'note')).toMatchObject({
      message: expect.stringContaining('begins anew') as string,
    });
  });

  test('without archives: one request and one fresh token for each', async () => {
    await start();
    expect((await run({ zip: false })).done).toEqual(ALL);
    expect(new Set(rig.tokens).size).toBe(5);
  });

  test('the address may have a version at its end, or the path of the gateway', async () => {
    await start();
    for (const end of ['/', '/aspera/http-gwy', '/aspera/http-gwy/v1/'])
      expect((await run({ url: `${listener.url}${end}` }, { pairs: [] })).name).toBe('http-gateway 2.3.0');
  });

  test('version 3: a long spec does not go by a header', async () => {
    await start({ version: '3.0.0' });
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`${'long name '.repeat(8)}${at}`, 'x']),
    );
    const other = await openAscpRig(many);
    gateway = createGateway({ registry: join(other.root, 'registry.json'), version: '3.0.0' });
    await listener.close();
    listener = await listen({ fetch: gateway.fetch });
    const { failed, done } = await run({}, { pairs: other.pairs, spec: other.spec });
    expect([done.length, failed]).toEqual([60, []]);
    expect(gateway.requests.some((line) => line.includes('/presign 60'))).toBe(true);
    await other.remove();
  });

  test('bytes never go back, also where a stream was cut', async () => {
    await start();
    gateway.faults.cut = { bytes: 200_000, times: 1 };
    expect((await run({ zip: false })).done).toEqual(ALL);
    const bytes = rig.events.flatMap((event) => (event.type === 'bytes' ? [event.bytes] : []));
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(bytes.at(-1)).toBe(300_015);
  });
});

describe('what goes wrong', () => {
  test('403 is a failure, not a file', async () => {
    await start();
    gateway.faults.status = { code: 403, times: 100 };
    await expect(run()).rejects.toMatchObject({ code: 'permission', status: 403 });
    expect(await tree()).toEqual([]);
  });

  test('an archive that was cut short is fetched again, with a new token', async () => {
    await start();
    gateway.faults.cut = { bytes: 100, times: 1 };
    expect((await run()).done).toEqual(ALL);
    expect(rig.tokens).toHaveLength(3);
  });

  test('503 passes', async () => {
    await start();
    gateway.faults.status = { code: 503, times: 2 };
    expect((await run()).done).toEqual(ALL);
  });

  test('it ends: a gateway that always cuts', async () => {
    await start();
    gateway.faults.cut = { bytes: 2, times: 1000 };
    const { done, failed } = await run({ attempts: 2 });
    expect(done).toEqual(['empty']);
    expect(new Set(failed.map(([, code]) => code))).toEqual(new Set(['network']));
    expect(await tree()).toEqual(['empty']);
  });

  test('a file that the server does not have spoils nothing but itself', async () => {
    await start();
    const pairs = [
      ...rig.pairs.filter(({ path }) => path !== 'lost'),
      { path: 'lost', local: 'lost', size: 3 },
    ];
    const { done, failed } = await run({}, { pairs });
    expect([done, failed]).toEqual([ALL, [['lost', 'not-found']]]);
  });

  test('a file that an archive leaves out comes alone', async () => {
    await start();
    gateway.faults.leaveOut = ['top.sums'];
    expect((await run()).done).toEqual(ALL);
    expect(rig.asked.at(-2)).toEqual(['top.sums']);
  });

  test('another size than the listing says', async () => {
    await start();
    const pairs = [{ path: 'top.sums', local: 'top.sums', size: 3 }];
    const { done, failed } = await run({}, { pairs });
    expect([done, failed, await tree()]).toEqual([[], [['top.sums', 'verification']], []]);
  });

  test('names of the server are never used: not of single files, not of entries', async () => {
    await start();
    gateway.faults.disposition = '../../evil';
    expect((await run({ zip: false })).done).toEqual(ALL);
    expect(await tree()).toEqual(ALL);
    gateway.faults.entryPrefix = '../../';
    await expect(run()).rejects.toMatchObject({
      code: 'unsafe',
      message: expect.stringContaining('relative path') as string,
    });
    expect(await tree()).toEqual(ALL);
    expect((await readdir(rig.root)).toSorted()).toEqual(['key.pem', 'out', 'registry.json', 'upstream']);
  });

  test('presigned addresses of other servers are not followed', async () => {
    await start({ version: '3.0.0' });
    gateway.faults.signedOrigin = 'http://127.0.0.1:1';
    const path = `${'long name '.repeat(10)}/`.repeat(60);
    const spec: TransportJob['spec'] = async (paths, signal) => ({
      ...(await rig.spec([], signal)),
      paths: paths.map((one) => ({ source: `/${path}${one}` })),
    });
    await expect(run({}, { spec })).rejects.toMatchObject({ code: 'unsafe' });
  });

  test('no gateway there; plain HTTP to another machine', async () => {
    listener = await listen({ fetch: async () => new Response('no', { status: 404 }) });
    await expect(run()).rejects.toMatchObject({ code: 'not-found' });
    await expect(run({ url: 'http://gateway.example' })).rejects.toMatchObject({ code: 'unsafe' });
    await expect(run({ url: 'ftp://gateway.example' })).rejects.toMatchObject({ code: 'bad-input' });
  });

  test('the signal stops it, and no part is left', async () => {
    await start();
    const control = new AbortController();
    const onEvent = ({ type }: { type: string }) => {
      if (type === 'bytes') control.abort();
    };
    await expect(run({}, { signal: control.signal, onEvent })).rejects.toMatchObject({ code: 'interrupted' });
    expect((await tree()).filter((name) => /part|zip/.test(name))).toEqual([]);
  });

  test('neither token nor ticket is in errors', async () => {
    await start();
    gateway.faults.cut = { bytes: 1, times: 1000 };
    const { errors } = await run({ attempts: 1 });
    const text = JSON.stringify([errors, errors.map((error) => [error.message, error.stack]), rig.events]);
    expect(text).not.toMatch(/ATM2_|[0-9a-f]{32}/);
  });
});

describe('files are grouped', () => {
  test('large ones and those of unknown size alone, equal base names apart', () => {
    const pair = (path: string, size?: number) => ({ path, local: path, size });
    const pairs = [pair('a/x', 1), pair('b/X', 1), pair('big', 1 << 24), pair('c', 1), pair('link')];
    expect(groupPairs(pairs, true).map((group) => group.map(({ path }) => path))).toEqual([
      ['a/x'],
      ['big'],
      ['link'],
      ['b/X', 'c'],
    ]);
    expect(groupPairs(pairs, false)).toHaveLength(5);
  });
});
