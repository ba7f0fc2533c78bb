import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isCarrelError } from '../../../src/errors.ts';
import { findGateway } from '../../../src/tcia/faspex/find-gateway.ts';
import { batchPaths, requestTransferSpec } from '../../../src/tcia/faspex/request-transfer-spec.ts';
import type { FaspexOptions } from '../server/faspex.ts';
import { readIssued } from '../server/faspex-registry.ts';
import { layOutPackage } from '../server/package-files.ts';
import { type ServedFaspex, serveFaspex } from '../server/serve-faspex.ts';

const UUID = '5f0e2a9c-2d1c-4b59-b0b8-3f4a8d2d7c11';
const ROOT = `/HER2 tumor ROIs v3 - ${UUID}.aspera-package/PKG - HER2 tumor ROIs v3`;

let folder = '';
let server: ServedFaspex | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-faspex-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function serve(options: Partial<FaspexOptions> = {}): Promise<ServedFaspex> {
  const files = join(folder, 'files');
  const entries = await layOutPackage(files, [
    { path: 'dir one/a & b.xml', content: 'first' },
    { path: 'dir two/a & b.xml', content: 'second', link: true },
  ]);
  server = await serveFaspex({
    packages: [
      { id: '739', passcode: 'c0ffee', title: 'HER2 tumor ROIs v3', uuid: UUID, folder: files, entries },
    ],
    registry: join(folder, 'issued.json'),
    ...options,
  });
  return server;
}

async function failure(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isCarrelError(error)) throw new Error(`no CarrelError: ${String(error)}`);
  return error;
}

describe('asking for a transfer', () => {
  test('each path goes as {"path": …} with a slash in front, in order; the sources come back in that order', async () => {
    const running = await serve();
    const spec = await requestTransferSpec(running.client(), ['dir two/a & b.xml', '/dir one/', 'lost.xml']);
    const asked = running.requests.at(-1);
    expect(asked).toMatchObject({
      method: 'POST',
      path: '/api/v5/packages/739/transfer_spec/download',
      query: { transfer_type: 'connect', type: 'received', recipient_user_id: '12' },
      body: { paths: [{ path: '/dir two/a & b.xml' }, { path: '/dir one' }, { path: '/lost.xml' }] },
      status: 201,
    });
    expect(spec.paths).toEqual([
      { source: `${ROOT}/dir two/a & b.xml` },
      { source: `${ROOT}/dir one` },
      { source: `${ROOT}/lost.xml` },
    ]);
    expect(spec).toMatchObject({
      direction: 'receive',
      cipher: 'aes-128',
      ssh_port: 33001,
      multi_session: 0,
    });
  });

  test('the token opens these sources, whose bytes the registry names', async () => {
    const running = await serve();
    const spec = await requestTransferSpec(running.client(), ['dir two/a & b.xml', 'dir one', 'lost.xml']);
    const issued = readIssued(join(folder, 'issued.json')).tokens[spec.token];
    expect(issued?.cookie).toBe(spec.cookie);
    const sources = issued?.sources ?? {};
    expect(await readFile(sources[`${ROOT}/dir two/a & b.xml`] ?? '', 'utf8')).toBe('second');
    expect(sources[`${ROOT}/dir one`]).toBe(join(folder, 'files', 'dir one'));
    expect(sources[`${ROOT}/lost.xml`]).toBeNull();
  });

  test.each([[undefined], [['']], [['/']]])(
    'the whole package is asked for without paths: %j',
    async (paths) => {
      const running = await serve();
      const spec = await requestTransferSpec(running.client(), paths);
      expect(running.requests.at(-1)?.body).toEqual({});
      expect(spec.paths).toEqual([{ source: ROOT }]);
    },
  );

  test('the gateway is asked for by its name', async () => {
    const running = await serve();
    await requestTransferSpec(running.client(), ['dir one'], { type: 'http_gateway' });
    expect(running.requests.at(-1)?.query['transfer_type']).toBe('http_gateway');
  });

  test('another form of path is what the server cannot take', async () => {
    const running = await serve();
    const client = running.client();
    const body = { paths: [{ source: '/dir one' }] };
    const path = 'packages/739/transfer_spec/download';
    const error = await failure(client.ask({ what: 'x', path, body, attempts: 1 }));
    expect(error).toMatchObject({ code: 'network', status: 500 });
  });

  test('a server that refuses unknown paths is quoted', async () => {
    const running = await serve({ faults: { refusesUnknownPaths: true } });
    const error = await failure(requestTransferSpec(running.client(), ['lost.xml']));
    expect(error.code).toBe('not-found');
    expect(error.message).toContain('The path does not exist: /lost.xml');
  });

  test('sources that are not those of the paths are refused', async () => {
    const running = await serve({ faults: { shufflesSources: true } });
    const error = await failure(
      requestTransferSpec(running.client(), ['dir one/a & b.xml', 'dir two/a & b.xml']),
    );
    expect(error.code).toBe('network');
    expect(error.message).toContain('answered for other files');
  });

  test.each([[[]], [['../x']], [['a\nb']]])('%j is refused before anything is asked', async (paths) => {
    const running = await serve();
    expect((await failure(requestTransferSpec(running.client(), paths))).code).toBe('bad-input');
    expect(running.requests).toEqual([]);
  });

  test('a spec without a token is no spec, and is not repeated in the error', async () => {
    const running = await serve({ spec: { token: null, cookie: 'aspera.secret' } });
    const error = await failure(requestTransferSpec(running.client(), ['dir one']));
    expect(error.code).toBe('network');
    expect(JSON.stringify([error.message, error.item, error.next])).not.toContain('aspera.secret');
  });

  test('5,000 paths fit into pieces, each in its place', () => {
    const paths = Array.from({ length: 5001 }, (_, at) => `f${at}`);
    const batches = batchPaths(paths);
    expect(batches.map(({ length }) => length)).toEqual([...Array<number>(10).fill(500), 1]);
    expect(batches.flat()).toEqual(paths);
  });
});

describe('the HTTP gateway', () => {
  test('is not offered by a server like that of TCIA', async () => {
    const running = await serve();
    expect(await findGateway(running.client())).toBeUndefined();
  });

  test.each(['configuration', 'account'] as const)('is found in the %s', async (place) => {
    const running = await serve({ gateway: { url: 'https://gw.example.org/aspera/http-gwy/', in: place } });
    expect(await findGateway(running.client())).toBe('https://gw.example.org/aspera/http-gwy');
  });

  test('an address that is none is not offered', async () => {
    const running = await serve({ gateway: { url: 'javascript:alert(1)', in: 'configuration' } });
    expect(await findGateway(running.client())).toBeUndefined();
  });
});
