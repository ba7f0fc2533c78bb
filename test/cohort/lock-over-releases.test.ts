/** A lock file outlives releases: its bytes come from either cloud, also where a bucket got another name since. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Archive, parseArchive } from '../../src/archives/index.ts';
import { installCatalog, openCatalog, openDiff } from '../../src/catalog/index.ts';
import { getPlanned, openSide, planCohort, resolveCohort, type Tools } from '../../src/cohort/index.ts';
import { createLock, printLock } from '../../src/manifests/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { tinyArchive, uuid, writeTinyTables } from '../catalog/tiny-tables.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';

const OLD = uuid(30);
const NAME = `${uuid(31)}.dcm`;
const BYTES = Buffer.from('the bytes of the version that v2 held');

let folder: string;
let servers: ObjectServers;
let stores: StoreOpener;
let archive: Archive;

/** As `carrel lock` wrote it while v2 was current, with the name that the bucket had then. */
const lockOf = (mirrors: Record<string, string>, series: string = OLD) =>
  createLock({
    archive: { name: archive.name, origin: 'local' },
    release: 'v2',
    catalog: { version: '2.0.0', digest: `sha256:${'0'.repeat(64)}` },
    question: { what: [], selection: { collection: ['alpha'] } },
    layout: '{collection_id}/{file}',
    series: [
      {
        crdc_series_uuid: series,
        SeriesInstanceUID: '2.25.3',
        StudyInstanceUID: '1.2',
        PatientID: 'P2',
        collection_id: 'alpha',
        Modality: 'CT',
        license_short_name: null,
        source_DOI: null,
        files: [
          {
            path: `alpha/${NAME}`,
            key: `${OLD}/${NAME}`,
            size: BYTES.length,
            digests: [`md5:${createHash('md5').update(BYTES).digest('hex')}`],
            mirrors,
          },
        ],
      },
    ],
    files: [],
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-lock-'));
  for (const bucket of ['open-aws', 'open-gcs']) {
    await mkdir(join(folder, 'buckets', bucket, OLD), { recursive: true });
    await writeFile(join(folder, 'buckets', bucket, OLD, NAME), BYTES);
  }
  servers = await startObjectServers({ root: join(folder, 'buckets') });
  stores = createOpenStore();
  const tiny = tinyArchive();
  archive = parseArchive(
    {
      carrel_archive: 1,
      name: tiny.name,
      title: tiny.title,
      mirrors: [
        { name: 'aws', protocol: 's3', endpoint: servers.s3.url, region: 'us-east-1' },
        { name: 'gcs', protocol: 'gcs', endpoint: servers.gcs.url },
      ],
      bucketClasses: tiny.bucketClasses,
      catalog: tiny.catalog,
    },
    { origin: 'test' },
  );
  await installCatalog({
    archive,
    cacheDir: folder,
    sources: [await writeTinyTables(join(folder, 'tables'))],
  });
});
afterAll(async () => {
  await stores?.close();
  await servers?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a lock file of v2, while v5 is current', () => {
  test.each([
    ['aws', { aws: 'open-aws', gcs: 'open-gcs' }],
    ['gcs', { aws: 'open-aws', gcs: 'open-gcs' }],
    // The bucket on the second cloud was called old-gcs until v2.
    ['gcs', { gcs: 'old-gcs' }],
    ['aws', { gcs: 'old-gcs' }],
    ['auto', { gcs: 'old-gcs' }],
  ])('comes from %s, pinned as %o', async (from, mirrors) => {
    const catalog = await openCatalog({ archive, cacheDir: folder });
    const tools: Tools = { archive, catalog, openStore: stores.openStore, http: stores.pool, from };
    const path = join(folder, 'old.lock.json');
    await writeFile(path, printLock(lockOf(mirrors)));
    const [s3, gcs] = [servers.s3.requests.length, servers.gcs.requests.length];
    const directory = await mkdtemp(join(folder, 'data-'));
    const cohort = await resolveCohort({ what: [path], selection: {} }, tools, { cwd: folder });
    const { transfer } = await getPlanned(await planCohort(cohort, tools, { directory }), tools, {
      directory,
    });
    expect(transfer).toMatchObject({ fetched: 1, failed: [], verifiedBy: { md5: 1 } });
    expect(await readFile(join(directory, 'alpha', NAME))).toEqual(BYTES);
    const asked = [servers.s3.requests.length - s3, servers.gcs.requests.length - gcs];
    if (from === 'gcs') expect(asked[0]).toBe(0);
    else expect(asked[1]).toBe(0);
    catalog.close();
  });

  test('is compared with the current release, and with another lock file', async () => {
    const [older, newer] = [join(folder, 'older.json'), join(folder, 'newer.json')];
    await writeFile(older, printLock(lockOf({ gcs: 'old-gcs' })));
    await writeFile(newer, printLock(lockOf({ aws: 'open-aws', gcs: 'open-gcs' }, uuid(3))));
    const compare = async (from: string, to: string) => {
      const diff = await openDiff({
        archive,
        cacheDir: folder,
        from: await openSide(from, archive, folder),
        to: await openSide(to, archive, folder),
        by: ['Modality'],
      });
      const rows: unknown[][] = [];
      for await (const piece of diff.list()) rows.push(...piece.map((row) => [row[0], row[6], row[7]]));
      diff.close();
      return { ...diff, rows };
    };
    const current = await compare(older, 'current');
    expect(current.from.evidence).toBe('pinned');
    expect(current.rows).toContainEqual(['revised', OLD, uuid(3)]);
    expect(current.changes.moved.series).toBe(0);

    const locks = await compare(older, newer);
    expect([locks.from.evidence, locks.to.evidence]).toEqual(['pinned', 'pinned']);
    expect(locks.rows).toEqual([['revised', OLD, uuid(3)]]);
    expect(locks.by).toMatchObject([{ values: { Modality: 'CT' }, changes: { revised: { series: 1 } } }]);
    expect((await compare(older, older)).changes).toMatchObject({
      unchanged: { series: 1 },
      moved: { series: 0 },
    });
  });
});
