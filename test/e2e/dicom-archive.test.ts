/** Real DICOM files as an archive of their own: a record written by hand, over HTTP and TLS, byte for byte. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../fixtures/certificate.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { type CarrelResult, filesBelow, jsonLines, runCarrel, summaryOf } from './carrel.ts';

const samples = fileURLToPath(new URL('../../../shared/samples/dicom/', import.meta.url));
const studies = await readdir(samples).catch((): string[] => []);

/** A uuid for a name: an archive of today gives its files uuids, whatever they were called. */
function uuidFor(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

describe.skipIf(studies.length === 0).each([
  ['HTTP', false],
  ['TLS', true],
])('the files of ../shared/samples over %s (skipped where they are missing)', (_, tls) => {
  let folder: string;
  let buckets: BucketsFixture;
  let servers: ObjectServers;
  let env: Record<string, string | undefined>;
  /** Key below the bucket → bytes. */
  const files = new Map<string, Buffer>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-dicom-'));
    for (const study of studies) {
      for (const name of await readdir(join(samples, study))) {
        files.set(
          `${uuidFor(study)}/${uuidFor(`${study}/${name}`)}.dcm`,
          await readFile(join(samples, study, name)),
        );
      }
    }
    buckets = await writeBuckets(
      Object.fromEntries([...files].map(([key, bytes]) => [`institute-images/${key}`, bytes])),
    );
    servers = await startObjectServers({ root: buckets.root, tls });
    const record = {
      carrel_archive: 1,
      name: 'institute',
      title: 'Imaging Archive of the Institute',
      mirrors: [
        { name: 'house', protocol: 's3', endpoint: servers.s3.url },
        { name: 'cloud', protocol: 'gcs', endpoint: servers.gcs.url },
      ],
      bucketClasses: [{ name: 'public', buckets: { house: 'institute-images', cloud: 'institute-images' } }],
    };
    await writeFile(join(folder, 'archive.json'), JSON.stringify(record));
    await writeFile(join(folder, 'authority.pem'), (await makeCertificate()).cert);
    env = {
      CARREL_ARCHIVE: join(folder, 'archive.json'),
      CARREL_CACHE_DIR: join(folder, 'cache'),
      CARREL_CONFIG_DIR: join(folder, 'config'),
      NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem'),
    };
  });
  afterAll(async () => {
    await servers?.close();
    await buckets?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (
    args: readonly string[],
    more: Record<string, string | undefined> = {},
  ): Promise<CarrelResult> => await runCarrel(args, { env: { ...env, ...more }, cwd: folder });

  test.each(['house', 'cloud'])('come through get and verify from %s', async (mirror) => {
    const out = join(folder, `from-${mirror}`);
    const names = studies.map((study) => uuidFor(study));
    const result = await run(['get', ...names, '--from', mirror, '-o', out, '--json']);
    expect(result.code, result.stderr).toBe(0);
    expect(summaryOf(result)).toMatchObject({
      planned: files.size,
      fetched: files.size,
      verifiedBy: { md5: files.size },
    });
    const served = jsonLines(result.stdout)
      .filter(({ type }) => type === 'file')
      .map((line) => line['mirror']);
    expect(new Set(served)).toEqual(new Set([mirror]));
    const found = await filesBelow(out);
    expect([...found.keys()].sort()).toEqual([...files.keys()].sort());
    for (const [key, bytes] of found) expect(bytes.equals(files.get(key) ?? Buffer.alloc(0)), key).toBe(true);
    expect(await run(['verify', out])).toMatchObject({ code: 0 });
    expect(summaryOf(await run(['get', ...names, '-o', out, '--from', mirror, '--json']))).toMatchObject({
      fetched: 0,
      requestsForFiles: 0,
    });
  });

  test('are listed and read one by one', async () => {
    const [key = '', bytes] = [...files][0] ?? [];
    const listed = await run(['ls', 's3://institute-images/', '-r']);
    expect(listed.code, listed.stderr).toBe(0);
    expect(listed.stdout.trim().split('\n').sort()).toEqual(
      [...files.keys()].map((name) => `s3://institute-images/${name}`).sort(),
    );
    const shown = await run(['cat', `gs://institute-images/${key}`]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.bytes.equals(bytes ?? Buffer.alloc(0))).toBe(true);
  });

  if (!tls) return;
  test('are refused where nobody vouches for the server', async () => {
    const out = join(folder, 'untrusted');
    const result = await run(['get', uuidFor(studies[0] ?? ''), '-o', out], {
      NODE_EXTRA_CA_CERTS: undefined,
    });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/certificate/i);
    expect(await filesBelow(out)).toEqual(new Map());
  });
});
