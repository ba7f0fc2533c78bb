/** Objects on stdout: `carrel cat` and `carrel cp … -` against servers that fail, lie or say little. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCrc64Nvme } from '../../src/transfer/digests/crc64nvme.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { BIN, errorOf, jsonLines, NODE, runCarrel } from './carrel.ts';

const execute = promisify(execFile);
const MIB = 1 << 20;
const small = Buffer.from('a small object');
const large = randomBytes(6 * MIB + 77);

let folder: string;
let buckets: BucketsFixture;
let servers: ObjectServers;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-streams-'));
  buckets = await writeBuckets({
    'b/small.txt': small,
    'b/large.bin': large,
    'b/logs/1.txt': 'first\n',
    'b/logs/2.txt': 'second\n',
    'b/empty.txt': '',
    'b/image.dcm': 'DICM',
    'b/endless.bin': Buffer.alloc(64 * MIB, 'carrel '),
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
beforeEach(() => {
  servers.s3.requests.length = 0;
  servers.s3.faults.length = 0;
});

const carrel = (...args: string[]) => runCarrel(args, { cwd: folder, env });

/** What S3 says of an object that was uploaded in parts: an ETag that is no MD5, and perhaps a checksum. */
const says = (etag: string, more: Record<string, string | null> = {}) =>
  servers.s3.faults.push({
    path: 'large.bin',
    fault: {
      kind: 'headers',
      headers: { etag: `"${etag}"`, 'x-amz-checksum-crc32c': null, 'x-amz-checksum-sha256': null, ...more },
    },
  });
const crc64 = (bytes: Uint8Array) => {
  const crc = createCrc64Nvme();
  crc.update(bytes);
  return Buffer.from(crc.digest(), 'hex').toString('base64');
};
const etagIn = (bytes: Buffer, partSize: number) => {
  const hash = createHash('md5');
  let parts = 0;
  for (let at = 0; at < bytes.length; at += partSize, parts += 1)
    hash.update(
      createHash('md5')
        .update(bytes.subarray(at, at + partSize))
        .digest(),
    );
  return `${hash.digest('hex')}-${parts}`;
};
const FULL = { 'x-amz-checksum-type': 'FULL_OBJECT' };

describe.each([
  ['cat', (url: string) => ['cat', url]],
  ['cp … -', (url: string) => ['cp', url, '-']],
])('carrel %s', (_, words) => {
  test('gives the bytes, verified, without a word', async () => {
    const { code, bytes, stderr } = await carrel(...words('s3://b/large.bin'));
    expect([code, stderr]).toEqual([0, '']);
    expect(bytes.equals(large)).toBe(true);
  });

  test('of wrong bytes ends with 5; nothing of a small object was written, and never the end of a large one', async () => {
    servers.s3.faults.push({ method: 'GET', fault: { kind: 'wrong-byte', at: 3 } });
    const little = await carrel(...words('s3://b/small.txt'));
    expect(little).toMatchObject({ code: 5, stdout: '' });
    expect(little.stderr).toContain('s3://b/small.txt');
    expect(little.stderr).toContain('nothing of it was written');
    const much = await carrel(...words('s3://b/large.bin'), '--json');
    expect(much.code).toBe(5);
    expect(much.bytes.length).toBeLessThanOrEqual(large.length - MIB);
    expect(errorOf(much)).toMatchObject({ code: 'verification', item: 's3://b/large.bin' });
  });

  test('goes on where a connection breaks', async () => {
    for (let times = 0; times < 3; times += 1)
      servers.s3.faults.push({
        method: 'GET',
        path: 'large.bin',
        times: 1,
        fault: { kind: 'cut', after: MIB + 5 },
      });
    const { code, bytes, stderr } = await carrel(...words('s3://b/large.bin'));
    expect(code, stderr).toBe(0);
    expect(bytes.equals(large)).toBe(true);
    const sent = servers.s3.requests.reduce((sum, one) => sum + one.bytes, 0);
    expect(sent).toBeLessThan(large.length + MIB);
  });
});

describe('the evidence of an object that was uploaded in parts', () => {
  test('its CRC-64/NVME', async () => {
    says('0123456789abcdef0123456789abcdef-3', { ...FULL, 'x-amz-checksum-crc64nvme': crc64(large) });
    expect(await carrel('cat', 's3://b/large.bin')).toMatchObject({ code: 0, stderr: '' });
    servers.s3.faults.length = 0;
    says('0123456789abcdef0123456789abcdef-3', { ...FULL, 'x-amz-checksum-crc64nvme': crc64(small) });
    const wrong = await carrel('cat', 's3://b/large.bin');
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain('crc64nvme');
  });

  test('its ETag', async () => {
    says(etagIn(large, 5 * MIB));
    expect(await carrel('cat', 's3://b/large.bin')).toMatchObject({ code: 0, stderr: '' });
  });

  test('neither: what could not be proven is said, unless told to be quiet', async () => {
    says('0123456789abcdef0123456789abcdef-3');
    const told = await carrel('cat', 's3://b/large.bin');
    expect(told.code).toBe(0);
    expect(told.bytes.equals(large)).toBe(true);
    expect(told.stderr).toMatch(/^note: s3:\/\/b\/large\.bin: no digest of it .*only its size was compared/);
    const json = await carrel('cat', 's3://b/large.bin', '--json');
    expect(jsonLines(json.stderr)).toMatchObject([{ type: 'note' }]);
    expect(await carrel('cat', 's3://b/large.bin', '-q')).toMatchObject({ code: 0, stderr: '' });
    expect(await carrel('cat', 's3://b/large.bin', '--verify', 'none')).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
});

describe('what is asked for', () => {
  test('a reader that stops ends it: nothing more is fetched, and that is no error', async () => {
    const line = `"${NODE}" "${BIN}" cat s3://b/endless.bin | head -c 10; echo " \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await execute('bash', ['-c', line], {
      env: { PATH: process.env['PATH'], ...env },
    });
    expect([stdout, stderr]).toEqual(['carrel car 0\n', '']);
    const sent = servers.s3.requests.reduce((sum, one) => sum + one.bytes, 0);
    expect(sent).toBeLessThan(48 * MIB);
  });

  test('--dry-run with - as destination says what would be written, and writes nothing', async () => {
    expect(await carrel('cp', '--dry-run', 's3://b/logs/*', '-')).toMatchObject({
      code: 0,
      stdout: 'cat s3://b/logs/1.txt\ncat s3://b/logs/2.txt\n',
    });
    const json = await carrel('cp', '--dry-run', 's3://b/logs/*', '-', '--json');
    expect(jsonLines(json.stdout)).toMatchObject([{ type: 'planned', bytes: 6 }, { type: 'planned' }]);
    expect(servers.s3.requests.every(({ path }) => path.includes('list-type'))).toBe(true);
  });

  test('--include and --exclude; where they leave nothing, that is an error', async () => {
    expect((await carrel('cat', 's3://b/logs/*', '--exclude', '1*')).stdout).toBe('second\n');
    const none = await carrel('cat', 's3://b/logs/*', '--include', '*.xml');
    expect(none).toMatchObject({ code: 4, stdout: '' });
    expect(none.stderr).toContain('leave nothing');
  });

  test.each([
    [['--range', '-0'], 2],
    [['--range', '14-'], 2],
    [['--range', '14-20'], 2],
    [['--range', '0-'], 0],
    [['--range', '10-99'], 0],
    [['--range', '-99'], 0],
    [['--range', '1-2,5-6'], 2],
    [['--range', 'all'], 2],
    [['--verify', 'perhaps'], 2],
    [['--bandwidth', '-3'], 2],
    [['--bandwidth', '0'], 2],
  ])('%j ends with %i', async (flags, exit) => {
    const { code, stdout, stderr } = await carrel('cat', 's3://b/small.txt', ...flags);
    expect(code, stderr).toBe(exit);
    if (exit === 2) {
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^(?:next:|error: option)/m);
    } else expect(small.toString()).toContain(stdout);
  });

  test('a range of an empty object is empty; of all that was asked nothing is left in the folder', async () => {
    expect(await carrel('cat', 's3://b/empty.txt', '--range', '0-99')).toMatchObject({ code: 0, stdout: '' });
    expect(await carrel('cat', 's3://b/empty.txt')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect((await readdir(folder)).sort()).toEqual(['home']);
  });
});
