import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOpenStore, type HttpPoolOptions, type Place } from '../../src/stores/index.ts';
import { type PlannedFile, type TransferOptions, transfer } from '../../src/transfer/index.ts';
import type { Fault, FaultRule } from '../fixtures/faults.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { filesIn, leftovers, planOf, QUICK, read, temporaryFolder } from './desk.ts';

const LARGE = 3_000_000;
const SMALL = 50_000;

/** Every test runs through the real client, the real stores and real servers; only the destination is new each time. */
let contents: Record<string, Buffer>;
let buckets: BucketsFixture;
let servers: ObjectServers;

beforeAll(async () => {
  contents = { 'large.dcm': randomBytes(LARGE), 'small.dcm': randomBytes(SMALL), empty: Buffer.alloc(0) };
  buckets = await writeBuckets(
    Object.fromEntries(Object.entries(contents).map(([key, bytes]) => [`b/${key}`, bytes])),
  );
  servers = await startObjectServers({ root: buckets.root });
});

afterAll(async () => {
  await servers.close();
  await buckets.remove();
});

type Face = 's3' | 'gcs' | 'https';

function placeOf(face: Face): Place {
  // A plain web server has no buckets: S3's paths are as good as any.
  if (face === 'https') return { protocol: 'https', endpoint: servers.s3.url, bucket: 'b' };
  return { protocol: face, endpoint: servers[face].url, bucket: 'b' };
}

/** Runs one transfer under faults, and looks at everything that it left. */
async function run(
  rules: (Omit<FaultRule, 'fault'> & { fault: Fault })[],
  options: {
    face?: Face;
    mirrors?: Face[];
    files?: string[];
    change?: (file: PlannedFile) => PlannedFile;
    http?: HttpPoolOptions;
  } & Partial<TransferOptions> = {},
) {
  const { face = 's3', mirrors = [face], files = ['large.dcm'], change, http, ...rest } = options;
  const server = servers[face === 'https' ? 's3' : face];
  server.faults.push(...rules);
  servers.s3.requests.length = 0;
  servers.gcs.requests.length = 0;
  // Short where silence is what is tested; a busy machine must not be taken for a silent server elsewhere.
  const limit = rules.some(({ fault: { kind } }) => kind === 'stall' || kind === 'silence') ? 500 : 10_000;
  const opener = createOpenStore({ http: { timeouts: { idle: limit, firstByte: limit }, ...http }, env: {} });
  const directory = await temporaryFolder();
  try {
    const chosen = Object.fromEntries(files.map((path) => [path, contents[path] ?? Buffer.alloc(0)]));
    const plan = planOf(
      chosen,
      mirrors.map((mirror) => ({ mirror, place: placeOf(mirror) })),
      change,
    );
    const result = await transfer(plan, { directory, openStore: opener.openStore, retry: QUICK, ...rest });
    const failed = new Set(result.failed.map(({ path }) => path));
    const right = files.filter((path) => !failed.has(path));
    expect(await filesIn(directory)).toEqual([...right].sort());
    for (const path of right)
      expect((await read(directory, path)).equals(contents[path] ?? Buffer.alloc(0))).toBe(true);
    if (failed.size === 0) expect(await leftovers(directory)).toEqual([]);
    return { result, directory, requests: [...server.requests], other: [...servers.gcs.requests] };
  } finally {
    server.faults.length = 0;
    await opener.close();
  }
}

const ranges = (requests: { headers: Record<string, string> }[]) =>
  requests.map(({ headers }) => headers['range']);
const codes = (result: { failed: { error: { code: string } }[] }) =>
  result.failed.map(({ error }) => error.code);

describe.each(['s3', 'gcs', 'https'] as const)('through %s', (face) => {
  test('all is well', async () => {
    const { result } = await run([], { face, files: ['large.dcm', 'small.dcm', 'empty'] });
    expect(result).toMatchObject({ fetched: 3, requests: 3, verifiedBy: { md5: 3 } });
  });

  test('a body that is cut goes on where it ended, pinned to the object', async () => {
    const { result, requests } = await run([{ times: 1, fault: { kind: 'cut', after: 2_000_000 } }], {
      face,
    });
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
    const [first, second] = ranges(requests);
    expect(first).toBeUndefined();
    expect(second).toMatch(/^bytes=[0-9]+-$/);
    // The first reply was cut after 2,000,000 bytes; what the second one asks for is what did arrive of it.
    const start = Number(/[0-9]+/.exec(second ?? '')?.[0]);
    expect(start).toBeGreaterThan(1_000_000);
    expect(requests[1]?.bytes).toBe(LARGE - start);
  });

  test('a body that falls silent is ended by the idle limit and goes on', async () => {
    const { result, requests } = await run([{ times: 1, fault: { kind: 'stall', after: 1_500_000 } }], {
      face,
    });
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
    expect(ranges(requests).filter((range) => range !== undefined)).toHaveLength(1);
  });

  test.each<[string, Fault]>([
    ['resets', { kind: 'reset' }],
    ['never answers', { kind: 'silence' }],
    ['says 503 and when to come back', { kind: 'status', status: 503, retryAfter: 1 }],
    ['says 500', { kind: 'status', status: 500 }],
    ['says 429', { kind: 'status', status: 429 }],
    ['sends one wrong byte', { kind: 'wrong-byte', at: 1_000_000 }],
    ['sends less than the object', { kind: 'short', bytes: 10 }],
    ['announces more than it sends', { kind: 'wrong-length', by: 10 }],
    ['announces less than it sends', { kind: 'wrong-length', by: -10 }],
    ['sends a page of a proxy instead', { kind: 'replace', body: '<html>Please sign in</html>' }],
  ])('a server that once %s is asked again', async (_, fault) => {
    const { result } = await run([{ times: 1, fault }], { face });
    expect(result).toMatchObject({ fetched: 1, failed: [], verifiedBy: { md5: 1 } });
    expect(result.files[0]?.attempts).toBeGreaterThan(1);
  });

  test.each<[string, Fault, string]>([
    ['sends a wrong byte', { kind: 'wrong-byte', at: 1_000_000 }, 'verification'],
    // GCS says the object's own size beside the length of the body, so a short body is known to be incomplete.
    ['sends less than the object', { kind: 'short', bytes: 10 }, face === 'gcs' ? 'network' : 'verification'],
    ['sends a page of a proxy', { kind: 'replace', body: '<html>Please sign in</html>' }, 'verification'],
    ['says 503', { kind: 'status', status: 503 }, 'network'],
    ['says 403', { kind: 'status', status: 403 }, 'permission'],
    ['says 404', { kind: 'status', status: 404 }, 'not-found'],
    ['resets', { kind: 'reset' }, 'network'],
    ['cuts at the same byte', { kind: 'custom', apply: async () => Response.error() }, 'network'],
  ])('a server that always %s leaves no file and an honest error', async (_, fault, code) => {
    const { result } = await run([{ path: 'large', fault }], { face, files: ['large.dcm', 'small.dcm'] });
    expect(codes(result)).toEqual([code]);
    expect(result).toMatchObject({ fetched: 1 });
  });

  test.each<[string, Fault]>([
    ['has no HEAD', { kind: 'no-head' }],
    ['does not say how long the body is', { kind: 'no-length' }],
    ['sends slowly', { kind: 'slow', bytes: 400_000, milliseconds: 20 }],
    ['answers late', { kind: 'delay', milliseconds: 200 }],
  ])('a server that %s serves all the same', async (_, fault) => {
    const { result } = await run([{ fault }], { face, files: ['large.dcm', 'small.dcm'] });
    expect(result).toMatchObject({ fetched: 2, requests: 2, verifiedBy: { md5: 2 } });
  });

  test('a server that does not know ranges starts again, and the file is right', async () => {
    const { result } = await run(
      [{ times: 1, fault: { kind: 'cut', after: 2_000_000 } }, { fault: { kind: 'no-range' } }],
      { face },
    );
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
  });

  test('sizes and digests that nobody knew before come from the reply', async () => {
    const { result } = await run([], {
      face,
      files: ['large.dcm', 'small.dcm', 'empty'],
      change: (file) => ({ ...file, size: undefined, digests: [] }),
    });
    expect(result).toMatchObject({ fetched: 3 });
    expect(Object.keys(result.verifiedBy)).not.toContain('none');
  });
});

describe('an object that changes while it is fetched', () => {
  test('is never put together from two versions', async () => {
    const { result, requests } = await run(
      [
        { times: 1, fault: { kind: 'cut', after: 2_000_000 } },
        { times: 2, fault: { kind: 'etag', etag: 'another' } },
      ],
      { change: (file) => ({ ...file, digests: [] }) },
    );
    expect(result).toMatchObject({ fetched: 1, requests: 3 });
    expect(requests.map(({ status }) => status)).toEqual([expect.any(Number), 412, 200]);
    expect(requests[1]?.headers['if-match']).toBeDefined();
    expect(requests[2]?.headers['range']).toBeUndefined();
  });
});

describe('two mirrors', () => {
  test.each<[string, Fault, number]>([
    ['is gone', { kind: 'status', status: 404 }, 1],
    ['refuses', { kind: 'status', status: 403 }, 1],
    ['resets every connection', { kind: 'reset' }, 5],
    ['lies', { kind: 'wrong-byte', at: 7 }, 2],
  ])('where the first one %s, the second one serves', async (_, fault, asked) => {
    const { result, requests, other } = await run([{ fault }], { mirrors: ['s3', 'gcs'] });
    expect(result).toMatchObject({ fetched: 1, failed: [], files: [{ mirror: 'gcs', verifiedBy: 'md5' }] });
    expect(requests.length).toBeGreaterThanOrEqual(asked);
    expect(other).toHaveLength(1);
  });

  test('the second one goes on where the first one ended for good', async () => {
    const { other } = await run(
      [{ times: 1, fault: { kind: 'cut', after: 2_000_000 } }, { fault: { kind: 'status', status: 404 } }],
      { mirrors: ['s3', 'gcs'] },
    );
    expect(ranges(other)[0]).toMatch(/^bytes=[1-9][0-9]+-$/);
  });
});

describe('many files', () => {
  test('more jobs than connections wait in line, however slow the line is', async () => {
    const { result } = await run([{ fault: { kind: 'slow', bytes: 25_000, milliseconds: 60 } }], {
      files: ['small.dcm', 'empty'],
      jobs: 64,
      http: { connectionsPerOrigin: 1 },
      timeouts: { idle: 100 },
    });
    expect(result).toMatchObject({ fetched: 2, requests: 2 });
  });

  test('a limit of bytes per second does not make the server seem slow or silent', async () => {
    const { result } = await run([], {
      files: ['large.dcm', 'small.dcm'],
      bandwidth: 2_000_000,
      timeouts: { idle: 200, slow: 300 },
    });
    expect(result).toMatchObject({ fetched: 2, requests: 2 });
    expect(result.milliseconds).toBeGreaterThan(1000);
  });
});
