/** cp, sync, run, ls, du, cat and head of the built command against servers of this machine. */
import { spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { type ForeignServer, findTool, ROOT, s3Request, startVersitygw } from '../stores/foreign-servers.ts';
import { errorOf, filesBelow, jsonLines, runCarrel, startCarrel, summaryOf } from './carrel.ts';

let folder: string;
let desk: string;
let buckets: BucketsFixture;
let servers: ObjectServers;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-copies-'));
  buckets = await writeBuckets({
    'pictures/a/1.txt': 'one',
    'pictures/a/2.txt': 'two',
    'pictures/a/c/3.txt': 'three',
    'pictures/large.bin': Buffer.alloc(24 << 20, 'carrel '),
  });
  servers = await startObjectServers({ root: buckets.root });
  await mkdir(join(folder, 'home'));
  env = {
    HOME: join(folder, 'home'),
    S3_ENDPOINT_URL: servers.s3.url,
    CARREL_CACHE_DIR: join(folder, 'cache'),
    CARREL_CONFIG_DIR: join(folder, 'config'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
});
afterAll(async () => {
  await servers?.close();
  await buckets?.remove();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  desk = await mkdtemp(join(folder, 'desk-'));
  servers.s3.requests.length = 0;
});

const carrel = (args: string[], more: { env?: Record<string, string | undefined>; stdin?: string } = {}) =>
  runCarrel(args, {
    cwd: desk,
    ...(more.stdin !== undefined && { stdin: more.stdin }),
    env: { ...env, ...more.env },
  });
const listings = () => servers.s3.requests.filter(({ path }) => path.includes('list-type')).length;

describe('what a second run asks for', () => {
  test('cp: the listing; files that are here are read instead of fetched, and nothing is left behind', async () => {
    const args = ['cp', 's3://pictures/a/*', 'out', '--json'];
    expect(summaryOf(await carrel(args))).toMatchObject({ fetched: 3, exit: 0, requests: 4 });
    expect((await readdir(join(desk, 'out'))).sort()).toEqual(['1.txt', '2.txt', 'c']);
    expect(summaryOf(await carrel(args))).toMatchObject({ fetched: 0, present: 3, requests: 1 });
    expect(await readdir(desk)).toEqual(['out']);
  });

  test.each([[[]], [['--checksum']], [['--size-only']]])('sync %j: the listing alone', async (flags) => {
    const args = ['sync', 's3://pictures/a', 'out', '--json', ...flags];
    expect(summaryOf(await carrel(args))).toMatchObject({ fetched: 3, exit: 0 });
    servers.s3.requests.length = 0;
    expect(summaryOf(await carrel(args))).toMatchObject({ fetched: 0, failed: 0, requests: 1 });
    expect([listings(), servers.s3.requests.length]).toEqual([1, 1]);
  });

  test('run: a listing for each pattern, and no object', async () => {
    await writeFile(
      join(desk, 'list.s5cmd'),
      'cp s3://pictures/a/* x/\ncp s3://pictures/a/1.txt y/\nsync s3://pictures/a/* z\n',
    );
    expect(summaryOf(await carrel(['run', 'list.s5cmd', '--json']))).toMatchObject({
      planned: 7,
      fetched: 7,
      exit: 0,
    });
    servers.s3.requests.length = 0;
    expect(summaryOf(await carrel(['run', 'list.s5cmd', '--json']))).toMatchObject({
      fetched: 0,
      present: 4,
      skipped: 3,
    });
    expect(
      servers.s3.requests.every(({ path, method }) => path.includes('list-type') || method === 'HEAD'),
    ).toBe(true);
  });
});

describe('sync', () => {
  test('fetches what changed, and removes only when told and when all went well', async () => {
    await carrel(['sync', 's3://pictures/a', 'out']);
    await writeFile(join(desk, 'out', '1.txt'), 'changed by me');
    await writeFile(join(desk, 'out', 'mine.txt'), 'mine');
    await writeFile(join(desk, 'out', 'kept.log'), 'kept');
    expect(summaryOf(await carrel(['sync', 's3://pictures/a', 'out', '--json']))).toMatchObject({
      fetched: 1,
      skipped: 2,
    });
    expect(await readFile(join(desk, 'out', '1.txt'), 'utf8')).toBe('one');
    const dry = await carrel([
      'sync',
      's3://pictures/a',
      'out',
      '--delete',
      '--exclude',
      '*.log',
      '--dry-run',
    ]);
    expect(dry.stdout).toBe('rm mine.txt\n');
    await access(join(desk, 'out', 'mine.txt'));
    const nothing = await carrel(['sync', 's3://pictures/none/*', 'out', '--delete']);
    expect(nothing.code).toBe(4);
    await access(join(desk, 'out', 'mine.txt'));
    const done = await carrel(['sync', 's3://pictures/a', 'out', '--delete', '--exclude', '*.log', '--json']);
    expect(summaryOf(done)).toMatchObject({ removed: 1, exit: 0 });
    expect([...(await filesBelow(join(desk, 'out'))).keys()].sort()).toEqual([
      '1.txt',
      '2.txt',
      'c/3.txt',
      'kept.log',
    ]);
  });
});

describe('run', () => {
  test('refuses as a whole, with every line that is wrong by its number', async () => {
    await writeFile(
      join(desk, 'bad'),
      '# x\ncp s3://pictures/a/* out\nmv s3://pictures/a/1.txt x\ncp "s3://pictures/a/1.txt .\n',
    );
    const { code, stderr } = await carrel(['run', 'bad']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad:3: mv moves objects[\s\S]*bad:4: a double quote is opened/);
    expect(servers.s3.requests).toEqual([]);
    const skipped = await carrel(['run', 'bad', '--skip-unsupported', '--json']);
    expect(summaryOf(skipped)).toMatchObject({ fetched: 3, problems: 2, exit: 3 });
    expect(jsonLines(skipped.stderr).map(({ origin }) => origin)).toEqual(['bad:3', 'bad:4']);
  });

  test('names lines that match nothing, and does the others', async () => {
    const { code, stderr } = await carrel(['run', '-'], {
      stdin: 'cp s3://pictures/none/* .\ncp s3://pictures/a/1.txt .\n',
    });
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining('stdin:1: nothing is at s3://pictures/none/*'),
    ]);
    expect(await readFile(join(desk, '1.txt'), 'utf8')).toBe('one');
  });

  test('goes on inside a file after Ctrl-C', async () => {
    await writeFile(join(desk, 'list'), 'cp s3://pictures/large.bin big/\ncp s3://pictures/a/* out\n');
    const { child, done } = startCarrel(['run', 'list', '--bandwidth', '4M', '--json'], { cwd: desk, env });
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (text: Buffer) => {
        const bytes = Math.max(
          0,
          ...[...text.toString().matchAll(/"type":"progress".*?"bytes":(\d+)/g)].map(([, number]) =>
            Number(number),
          ),
        );
        if (bytes > 2e6) resolve();
      });
    });
    child.kill('SIGINT');
    const stopped = await done;
    expect([stopped.code, errorOf(stopped)]).toEqual([
      130,
      expect.objectContaining({ code: 'interrupted', next: expect.stringContaining('carrel run list') }),
    ]);
    await expect(access(join(desk, 'big', 'large.bin'))).rejects.toThrow();
    expect(summaryOf(await carrel(['run', 'list', '--json']))).toMatchObject({ exit: 0 });
    expect(
      (await readFile(join(desk, 'big', 'large.bin'))).equals(
        await readFile(buckets.path('pictures/large.bin')),
      ),
    ).toBe(true);
  });
});

describe('what must not pass in silence', () => {
  test.each([['ls'], ['du'], ['head']])('%s: filters that leave nothing', async (verb) => {
    const none = await carrel([verb, 's3://pictures/a/*', '--include', '*.xml']);
    expect(none.code, none.stdout).toBe(4);
    expect(none.stderr).toContain('leave nothing');
    const one = await carrel([verb, 's3://pictures/a/*', '--include', '2*', '--json']);
    expect(one.code, one.stderr).toBe(0);
    expect(one.stdout).not.toContain('1.txt');
  });

  test.skipIf(process.platform === 'win32')('a destination that is a pipe stays one', async () => {
    const pipe = join(desk, 'pipe');
    spawnSync('mkfifo', [pipe]);
    const { code, stderr } = await carrel(['cp', 's3://pictures/a/1.txt', 'pipe']);
    expect(code).toBe(2);
    expect(stderr).toContain('carrel cat URL > pipe');
    expect((await stat(pipe)).isFIFO()).toBe(true);
  });
});

describe('words of other tools', () => {
  test.each([
    ['mv', 'never writes'],
    ['rm', 's5cmd rm'],
    ['mb', 'never writes'],
    ['pipe', 'never writes'],
    ['presign', 'aws s3 presign'],
    ['rsync', 'carrel sync'],
  ])('%s says who does it', async (verb, words) => {
    const { code, stderr } = await carrel([verb, 's3://pictures/a', 'x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  test('uploads are refused by cp and sync before anything is asked', async () => {
    for (const args of [
      ['cp', 'file', 's3://pictures/'],
      ['sync', '.', 'gs://pictures/'],
      ['cp', 's3://pictures/a/1.txt', 's3://pictures/b'],
    ])
      expect((await carrel(args)).stderr).toContain('upload with s5cmd');
    expect(servers.s3.requests).toEqual([]);
  });

  test('flags in front of the command are shown their place', async () => {
    const { code, stderr } = await carrel(['--no-sign-request', 'cp', 's3://pictures/a/1.txt', '.']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('carrel cp --no-sign-request')]);
  });
});

test('folders that a pattern of Google matched and left out are told', async () => {
  const cp = ['cp', 'gs://pictures/a/*', 'out', '--endpoint-url', servers.gcs.url];
  const { code, stderr } = await carrel(cp);
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('gs://pictures/a/* also matches a folder, left out'),
  ]);
  expect((await carrel([...cp, '-r'])).stderr).not.toContain('left out');
});

test('a generation that is not the current one is an error, never another version', async () => {
  const at = ['--endpoint-url', servers.gcs.url];
  const [line] = jsonLines((await carrel(['head', 'gs://pictures/a/1.txt', '--json', ...at])).stdout);
  expect(
    (await carrel(['cp', `gs://pictures/a/1.txt#${String(line?.['generation'])}`, 'x', ...at])).code,
  ).toBe(0);
  const { code, stderr } = await carrel(['cp', 'gs://pictures/a/1.txt#123', 'y', ...at]);
  expect([code, stderr]).toEqual([4, expect.stringContaining('generation')]);
});

describe('cat and head', () => {
  test('cat gives bytes of an object, from the front, the middle and the end', async () => {
    const read = async (...range: string[]) =>
      (await carrel(['cat', 's3://pictures/a/c/3.txt', ...range])).stdout;
    expect([
      await read(),
      await read('--range', '1-2'),
      await read('--range', '3-'),
      await read('--range', '-2'),
      await read('--range', '0-99'),
    ]).toEqual(['three', 'hr', 'ee', 'ee', 'three']);
    expect((await carrel(['cat', 's3://pictures/a/1.txt', '--range', '5-2'])).code).toBe(2);
  });

  test('cat of a list names what is missing', async () => {
    const { code, stdout, stderr } = await carrel([
      'cat',
      's3://pictures/a/1.txt',
      's3://pictures/none',
      's3://pictures/a/2.txt',
    ]);
    expect([code, stdout]).toEqual([3, 'onetwo']);
    expect(stderr).toContain('s3://pictures/none');
  });

  test('head tells every checksum', async () => {
    const [line] = jsonLines((await carrel(['head', 's3://pictures/a/1.txt', '--json'])).stdout);
    expect(line).toMatchObject({
      size: 3,
      digests: ['crc32c:2a94b2e9', 'md5:f97c5d29941bfb1b2fdab0874906ab82'],
      access: 'anonymous',
    });
  });

  test('a list of addresses on stdin', async () => {
    const { code, stderr } = await carrel(['cp', '-I', 'out'], {
      stdin: 's3://pictures/a/1.txt\n\n# no\ns3://pictures/none\n',
    });
    expect([code, stderr]).toEqual([3, expect.stringContaining('nothing is at s3://pictures/none')]);
    expect(await readdir(join(desk, 'out'))).toContain('1.txt');
    expect((await carrel(['cp', '-I', 'out'], { stdin: '\n' })).code).toBe(2);
  });
});

const versitygw = findTool('versitygw');
describe.skipIf(versitygw === undefined)(
  'a private bucket (versitygw checks signatures; skipped without it)',
  () => {
    let server: ForeignServer;
    const secrets = { AWS_ACCESS_KEY_ID: ROOT.accessKeyId, AWS_SECRET_ACCESS_KEY: ROOT.secretAccessKey };

    beforeAll(async () => {
      server = await startVersitygw(versitygw ?? '');
      await s3Request(server.url, 'PUT', '/private');
      for (const [key, body] of [
        ['a/1.txt', 'one'],
        ['a/2.txt', 'two'],
      ])
        await s3Request(server.url, 'PUT', `/private/${key}`, { body: body ?? '' });
      await mkdir(join(folder, 'home', '.aws'), { recursive: true });
    });
    afterAll(() => server?.close());
    const priv = (args: string[], more: Record<string, string | undefined> = {}) =>
      carrel([...args, '--endpoint-url', server.url, '--debug'], {
        env: { AWS_REGION: 'us-east-1', ...more },
      });

    test('is signed for after it refused, and only with credentials', async () => {
      const refused = await priv(['cp', 's3://private/a/*', 'out']);
      expect([refused.code, refused.stderr]).toEqual([8, expect.stringContaining('403')]);
      const { code, stderr } = await priv(['cp', 's3://private/a/*', 'out', '-v'], secrets);
      expect([code, stderr]).toEqual([0, expect.stringContaining('2 fetched')]);
      expect((await priv(['cp', '--no-sign-request', 's3://private/a/*', 'x'], secrets)).code).toBe(8);
      for (const verb of ['ls', 'du', 'cat', 'head'])
        expect((await priv([verb, 's3://private/a/*'], secrets)).code).toBe(0);
    });

    test('by a profile, and a wrong key is exit 8; no secret is printed', async () => {
      await writeFile(
        join(folder, 'home', '.aws', 'credentials'),
        `[lab]\naws_access_key_id = ${ROOT.accessKeyId}\naws_secret_access_key = ${ROOT.secretAccessKey}\n`,
      );
      const byProfile = await priv(['sync', 's3://private/a', 'out', '--profile', 'lab'], {
        ...secrets,
        AWS_SECRET_ACCESS_KEY: 'wrong',
      });
      expect([byProfile.code, byProfile.stderr]).toEqual([0, expect.stringContaining('2 fetched')]);
      const wrong = await priv(['cp', 's3://private/a/1.txt', 'x', '--sign', '--json'], {
        ...secrets,
        AWS_SECRET_ACCESS_KEY: 'not-the-key',
      });
      expect(wrong.code).toBe(8);
      expect(byProfile.stderr + byProfile.stdout + wrong.stderr + wrong.stdout).not.toMatch(
        /carrel-secret-key|not-the-key|Signature=/,
      );
      await rm(join(folder, 'home', '.aws', 'credentials'));
    });
  },
);

describe('Google', () => {
  let gate: Server;
  let heads: Record<string, string | string[] | undefined>[];
  beforeAll(async () => {
    heads = [];
    gate = createServer((request, response) => {
      heads.push({
        authorization: request.headers.authorization,
        payer: request.headers['x-goog-user-project'],
      });
      if (request.headers.authorization !== 'Bearer secret-token')
        return void response.writeHead(401).end('no');
      void fetch(`${servers.gcs.url}${request.url}`, { method: request.method ?? 'GET' }).then(
        async (reply) => {
          response.writeHead(reply.status, Object.fromEntries(reply.headers));
          response.end(Buffer.from(await reply.arrayBuffer()));
        },
      );
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    gate.closeAllConnections();
    await new Promise((resolve) => gate.close(resolve));
  });

  test('a token is used after a refusal, and the project that pays is named', async () => {
    const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
    const cp = ['cp', 'gs://pictures/a/*', 'out', '--endpoint-url', url];
    expect((await carrel(cp)).code).toBe(8);
    heads.length = 0;
    const { code, stderr } = await carrel(cp, { env: { CARREL_GCS_TOKEN: 'secret-token' } });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('secret-token')]);
    expect(heads[0]).toEqual({ authorization: undefined, payer: undefined });
    heads.length = 0;
    expect(
      (await carrel([...cp, '--request-payer', 'my-project'], { env: { CARREL_GCS_TOKEN: 'secret-token' } }))
        .code,
    ).toBe(0);
    expect(heads.every(({ payer }) => payer === 'my-project')).toBe(true);
  });
});
