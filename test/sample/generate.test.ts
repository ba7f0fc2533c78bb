import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArchive } from '../../src/archives/index.ts';
import {
  ensureSample,
  generateSample,
  SAMPLE_VERSION,
  type SampleEvent,
  sampleFacts,
} from '../../src/sample/index.ts';
import { objectKeys, sampleMadeOnce, treeDigest } from './made-once.ts';

/**
 * Digests of the sample as this version of the generator makes it. A change of either means other bytes for everybody:
 * raise SAMPLE_VERSION with it. The catalogue's also changes with the version of DuckDB that writes the Parquet files.
 */
const GOLDEN = {
  version: '1.0.0',
  buckets: '8148cf71f9bc259030b2137b860f4ec965de1e389fcb068cc210a9e81c128914',
  catalog: 'f239cb1c15391abaff99c9453ca681bbca1ce186ebcdd9b44da69885703a2b83',
};

/** Samples are made here by the dozen; a busy machine may take its time. */
const PATIENCE = { timeout: 240_000 };

describe('the default sample', PATIENCE, () => {
  const { root, folder } = sampleMadeOnce(1);

  test('has the bytes that this version of the generator always had', async () => {
    expect({
      version: SAMPLE_VERSION,
      buckets: await treeDigest(path.join(root(), 'buckets')),
      catalog: await treeDigest(path.join(root(), 'catalog')),
    }).toEqual(GOLDEN);
  });

  test('is the same a second time, to the last byte', async () => {
    const again = path.join(folder(), 'again');
    await generateSample({ dir: again });
    expect(await treeDigest(again)).toBe(await treeDigest(root()));
    await rm(again, { recursive: true });
  });

  test('has about 40 patients, 150 series, 3,000 objects and less than 150 MB', async () => {
    const keys = await objectKeys(root());
    let bytes = 0;
    for (const key of keys) bytes += (await stat(path.join(root(), 'buckets', key))).size;
    const { series } = sampleFacts();
    const people = new Set(series.map(({ collectionId, patientId }) => `${collectionId}/${patientId}`));
    expect(people.size).toBeGreaterThanOrEqual(38);
    expect(people.size).toBeLessThanOrEqual(45);
    const versions = series.flatMap((fact) => fact.versions);
    expect(versions.length).toBeGreaterThanOrEqual(140);
    expect(versions.length).toBeLessThanOrEqual(160);
    expect(keys.length).toBeGreaterThanOrEqual(2800);
    expect(keys.length).toBeLessThanOrEqual(3200);
    expect(bytes).toBeGreaterThan(60e6);
    expect(bytes).toBeLessThan(150e6);
  });

  test('has a selection of a thousand files', () => {
    expect(sampleFacts().largeSelection.files).toBeGreaterThanOrEqual(1000);
  });

  test('holds exactly the objects of all versions that were not withdrawn', async () => {
    const { series, withdrawn } = sampleFacts();
    const wanted = series
      .filter((fact) => fact.seriesInstanceUid !== withdrawn.seriesInstanceUid)
      .flatMap(({ bucket, versions }) =>
        versions.flatMap(({ uuid, instances }) =>
          [...instances.values()].map((instance) => `${bucket}/${uuid}/${instance}.dcm`),
        ),
      );
    expect(await objectKeys(root())).toEqual(wanted.sort());
  });

  test('names every bucket of the second mirror too, with the same objects behind it', async () => {
    const { bucketClasses } = parseArchive(
      JSON.parse(await readFile(path.join(root(), 'archive.json'), 'utf8')),
      {
        origin: 'test',
        base: path.join(root(), 'archive.json'),
      },
    );
    for (const { buckets, historical } of bucketClasses) {
      const names = [buckets['aws'], buckets['gcs'], ...historical.map(({ bucket }) => bucket)];
      const listings = await Promise.all(
        names.map(async (name) => (await readdir(path.join(root(), 'buckets', name ?? ''))).sort()),
      );
      expect(listings[0]?.length).toBeGreaterThan(0);
      for (const listing of listings) expect(listing).toEqual(listings[0]);
    }
    expect(bucketClasses.filter(({ buckets }) => buckets['aws'] !== buckets['gcs'])).toHaveLength(2);
    expect(bucketClasses.filter(({ historical }) => historical.length > 0)).toHaveLength(1);
  });

  test('has a record that the room of archives reads', async () => {
    const archivePath = path.join(root(), 'archive.json');
    const archive = parseArchive(JSON.parse(await readFile(archivePath, 'utf8')), {
      origin: archivePath,
      base: archivePath,
    });
    expect(archive.name).toBe('sample');
    expect(archive.mirrors.map(({ name, protocol }) => `${name} ${protocol}`)).toEqual([
      'disk file',
      'aws s3',
      'gcs gcs',
    ]);
    expect(archive.mirrors[0]?.endpoint).toBe(path.join(root(), 'buckets'));
    expect(archive.catalog.versions.map(({ version, release }) => `${release} ${version}`)).toEqual([
      'v3 3.0.0',
      'v2 2.0.0',
      'v1 1.0.0',
    ]);
    for (const { version, sha256 } of archive.catalog.versions) {
      for (const { file } of archive.catalog.tables) {
        const url =
          archive.catalog.sources[0]?.url.replace('{version}', version).replace('{file}', file) ?? '';
        const digest = await readFile(`${url}.sha256`, 'utf8');
        expect(digest).toBe(`${sha256?.[file]}  ${file}\n`);
      }
    }
  });
});

describe('generating', PATIENCE, () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'carrel-sample-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('another seed gives other names and other bytes', async () => {
    const dir = path.join(folder, 'other-seed');
    await generateSample({ dir, scale: 0, seed: 'another' });
    const uuids = sampleFacts({ scale: 0, seed: 'another' }).series.flatMap(
      ({ versions }) => versions[0]?.uuid ?? [],
    );
    const usual = new Set(
      sampleFacts({ scale: 0 }).series.flatMap(({ versions }) => versions[0]?.uuid ?? []),
    );
    expect(uuids.filter((uuid) => usual.has(uuid))).toEqual([]);
    const keys = await objectKeys(dir);
    expect(keys.some((key) => key.includes(uuids[0] ?? '?'))).toBe(true);
  });

  test('scale multiplies the ordinary patients and keeps the special ones', () => {
    const files = [0, 1, 4].map((scale) => sampleFacts({ scale }).releases[2]?.files ?? 0);
    expect(files[0]).toBeLessThan(files[1] ?? 0);
    expect(files[2]).toBeGreaterThan(3.5 * (files[1] ?? 0));
    const revised = [0, 1, 4].map((scale) =>
      sampleFacts({ scale }).corrected.versions.map(({ uuid }) => uuid),
    );
    expect(revised[0]).toEqual(revised[1]);
    expect(revised[2]).toEqual(revised[1]);
  });

  test('a folder that holds something is left alone', async () => {
    const dir = path.join(folder, 'taken');
    await mkdir(dir);
    await writeFile(path.join(dir, 'mine.txt'), 'mine');
    await expect(generateSample({ dir, scale: 0 })).rejects.toMatchObject({ code: 'unsafe', item: dir });
    expect(await readdir(dir)).toEqual(['mine.txt']);
    const file = path.join(dir, 'mine.txt');
    await expect(generateSample({ dir: file, scale: 0 })).rejects.toMatchObject({
      code: 'unsafe',
      item: file,
    });
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('an abort leaves nothing behind', async () => {
    const dir = path.join(folder, 'aborted');
    const controller = new AbortController();
    const onEvent = (event: SampleEvent): void => {
      if (event.type === 'patient' && event.done === 3) controller.abort();
    };
    const { signal } = controller;
    await expect(generateSample({ dir, scale: 0, onEvent, signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(
      (await readdir(folder)).filter((name) => name.includes('aborted') || name.startsWith('.')),
    ).toEqual([]);
  });

  test('a scale that is no number is refused', async () => {
    const dir = path.join(folder, 'nan');
    await expect(generateSample({ dir, scale: Number.NaN })).rejects.toMatchObject({ code: 'usage' });
  });

  test('events count patients and name every table', async () => {
    const events: SampleEvent[] = [];
    await generateSample({
      dir: path.join(folder, 'events'),
      scale: 0,
      onEvent: (event) => events.push(event),
    });
    const patients = events.filter((event) => event.type === 'patient');
    expect(patients.map(({ done }) => done)).toEqual(patients.map((_, index) => index + 1));
    expect(patients.at(-1)?.total).toBe(patients.length);
    expect(events.filter((event) => event.type === 'table')).toHaveLength(3 * 12);
    expect(events.at(-1)).toMatchObject({ type: 'done', root: path.join(folder, 'events') });
  });
});

describe('ensuring', PATIENCE, () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'carrel-sample-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('two at once give one sample, and a third makes nothing', async () => {
    const dir = path.join(folder, 'shared');
    const samples = await Promise.all([ensureSample({ dir, scale: 0 }), ensureSample({ dir, scale: 0 })]);
    expect(samples[0]).toEqual(samples[1]);
    expect(await readdir(dir)).toEqual([path.basename(samples[0].root)]);
    const events: SampleEvent[] = [];
    const third = await ensureSample({ dir, scale: 0, onEvent: (event) => events.push(event) });
    expect(third).toEqual(samples[0]);
    expect(events).toEqual([]);
    expect(JSON.parse(await readFile(path.join(third.root, 'sample.json'), 'utf8'))).toMatchObject({
      generator: SAMPLE_VERSION,
      scale: 0,
    });
  });

  test('what a killed process left an hour ago is swept away, what is in work is not', async () => {
    const dir = path.join(folder, 'swept');
    const [old, fresh] = ['.sample-building-old', '.sample-building-new'].map((name) => path.join(dir, name));
    for (const leftover of [old, fresh]) await mkdir(leftover ?? '', { recursive: true });
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(old ?? '', longAgo, longAgo);
    const { root } = await ensureSample({ dir, scale: 0 });
    expect((await readdir(dir)).sort()).toEqual(['.sample-building-new', path.basename(root)]);
  });
});
