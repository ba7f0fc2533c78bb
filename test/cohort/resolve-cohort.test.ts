import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArchive } from '../../src/archives/index.ts';
import { type Catalog, openCatalog, updateCatalog } from '../../src/catalog/index.ts';
import { type Question, resolveCohort, type Tools } from '../../src/cohort/index.ts';
import { ensureSample, type SampleFacts, sampleFacts } from '../../src/sample/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';

let folder: string;
let stores: StoreOpener;
let catalog: Catalog;
let tools: Tools;
let facts: SampleFacts;
/** Questions that the catalogue was asked. */
let asked: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-cohort-'));
  const { archivePath } = await ensureSample({ dir: join(folder, 'sample'), scale: 0 });
  const archive = parseArchive(JSON.parse(await readFile(archivePath, 'utf8')), {
    origin: archivePath,
    base: archivePath,
  });
  stores = createOpenStore();
  await updateCatalog({ archive, cacheDir: folder, openStore: stores.openStore });
  catalog = await openCatalog({ archive, cacheDir: folder });
  const counted = new Proxy(catalog, {
    get(target, name: keyof Catalog) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        asked.push(name);
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  facts = sampleFacts({ scale: 0 });
  tools = { archive, catalog: counted, openStore: stores.openStore, http: stores.pool, from: 'disk' };
});
afterAll(async () => {
  catalog.close();
  await stores.close();
  await rm(folder, { recursive: true, force: true });
});

const resolve = (question: Partial<Question>) =>
  resolveCohort({ what: [], selection: {}, ...question }, tools, { cwd: folder });
const uuids = (cohort: Awaited<ReturnType<typeof resolve>>) =>
  cohort.series.map(({ crdc_series_uuid }) => crdc_series_uuid);

describe('a question becomes a cohort', () => {
  test('a list of UIDs is asked about in two questions, whatever its length', async () => {
    const { rows } = await catalog.select({});
    await writeFile(
      join(folder, 'uids.txt'),
      rows.map(({ SeriesInstanceUID }) => `${SeriesInstanceUID}\n`).join(''),
    );
    asked = [];
    const cohort = await resolve({ what: ['uids.txt'], as: undefined, all: true });
    expect(cohort.unresolved).toEqual([]);
    expect(new Set(uuids(cohort))).toEqual(new Set(rows.map((row) => row.crdc_series_uuid)));
    expect(asked).toEqual(['lookUpUids', 'seriesByUuid']);
  });

  test('a UID that is a study and a series is never guessed', async () => {
    await expect(resolve({ what: [facts.ambiguousUid] })).rejects.toMatchObject({
      code: 'ambiguous',
      next: expect.stringContaining('--as'),
    });
    const [series, study] = await Promise.all(
      (['series', 'study'] as const).map((as) => resolve({ what: [facts.ambiguousUid], as })),
    );
    expect(series?.series).toHaveLength(1);
    expect(study?.series.length).toBeGreaterThan(0);
    expect(series && study && uuids(series)).not.toEqual(study && uuids(study));
  });

  test('a PatientID of two collections lists the choices; --collection or --all decide', async () => {
    await expect(resolve({ what: [facts.sharedPatientId] })).rejects.toMatchObject({
      code: 'ambiguous',
      next: expect.stringContaining('--collection'),
    });
    const all = await resolve({ what: [facts.sharedPatientId], all: true });
    const collections = new Set(all.series.map(({ row }) => row?.collection_id));
    expect(collections.size).toBe(2);
    for (const collection of collections) {
      const one = await resolve({
        what: [facts.sharedPatientId],
        selection: { collection: [collection ?? ''] },
      });
      expect(new Set(one.series.map(({ row }) => row?.collection_id))).toEqual(new Set([collection]));
    }
  });

  test('a list of PatientIDs and collections is asked about at once; what nothing knows is named line by line', async () => {
    const { rows: all } = await catalog.select({});
    // A line of a list is one name; what holds blanks or `=` can be read otherwise.
    const rows = all.filter(({ PatientID }) => /^[\w-]+$/.test(PatientID));
    const patients = [...new Set(rows.map((row) => row.PatientID))];
    const first = rows.find(({ collection_id: id }) =>
      all.every((row) => row.collection_id !== id || rows.includes(row)),
    );
    const strangers = Array.from({ length: 30 }, (_, at) => `nobody-${at}`);
    const lines = [...patients, first?.collection_id, ...strangers];
    await writeFile(join(folder, 'names.txt'), lines.map((line) => `${line}\n`).join(''));
    asked = [];
    const cohort = await resolve({ what: ['names.txt'], all: true });
    expect(new Set(uuids(cohort))).toEqual(new Set(rows.map((row) => row.crdc_series_uuid)));
    expect(cohort.unresolved.map(({ item }) => item)).toEqual(strangers);
    // The collection by itself, everything else together.
    expect(asked.filter((name) => name === 'lookUp')).toHaveLength(1);
    expect(asked.filter((name) => name === 'lookUpUids')).toHaveLength(1);
    expect(asked).not.toContain('suggest');
    await expect(resolve({ what: ['names.txt'] })).resolves.toMatchObject({
      unresolved: expect.arrayContaining([
        expect.objectContaining({ error: expect.objectContaining({ code: 'ambiguous' }) as unknown }),
      ]) as unknown,
    });
  });

  test('a PatientID that looks like a UID, and one with blanks, are patients', async () => {
    for (const patient of [facts.oddPatientIds.uid, facts.oddPatientIds.blanks, facts.oddPatientIds.equals]) {
      const cohort = await resolve({ what: [patient] });
      expect(new Set(cohort.series.map(({ row }) => row?.PatientID))).toEqual(new Set([patient]));
    }
  });

  test('a series that left the archive is found by its UID in the last version that was there', async () => {
    const cohort = await resolve({ what: [facts.retired.seriesInstanceUid] });
    expect(uuids(cohort)).toEqual([facts.retired.versions.at(-1)?.uuid]);
  });

  test('any version is found by its uuid, in every spelling, and once', async () => {
    const [first] = facts.revisedTwice.versions;
    const uuid = first?.uuid ?? '';
    const cohort = await resolve({
      what: [
        uuid,
        `dg.SAMPLE/${uuid}`,
        `drs://dg.SAMPLE:${uuid}`,
        `s3://${facts.revisedTwice.bucket}/${uuid}/*`,
        uuid.toUpperCase(),
      ],
    });
    expect(uuids(cohort)).toEqual([uuid]);
    expect(cohort.series[0]?.instances).toBeUndefined();
  });

  test('names and flags must both hold', async () => {
    const collection = facts.corrected.collectionId;
    const modality = facts.corrected.modality;
    const cohort = await resolve({ what: [collection], selection: { modality: [modality] } });
    expect(new Set(cohort.series.map(({ row }) => `${row?.collection_id} ${row?.Modality}`))).toEqual(
      new Set([`${collection} ${modality}`]),
    );
    expect((await resolve({ what: [collection], selection: { modality: ['SM'] } })).series).toEqual([]);
  });

  test('a limit and a sample are drawn from what was named', async () => {
    const collection = facts.corrected.collectionId;
    expect((await resolve({ what: [collection], selection: { limit: 1 } })).series).toHaveLength(1);
    const sample = await resolve({ what: [collection], selection: { sample: 1, seed: 3 } });
    expect(new Set(sample.series.map(({ row }) => row?.PatientID)).size).toBe(1);
  });

  test('what leads nowhere is named with its line and does not stop the rest', async () => {
    await writeFile(join(folder, 'mixed.txt'), `${facts.corrected.seriesInstanceUid}\n1.2.3.4.5.6.7\n`);
    const cohort = await resolve({ what: ['mixed.txt'] });
    expect(cohort.series).toHaveLength(1);
    expect(cohort.unresolved).toMatchObject([
      { item: '1.2.3.4.5.6.7', origin: 'mixed.txt:2', error: { code: 'not-found' } },
    ]);
  });

  test('where nothing is left, one error names every item', async () => {
    await expect(resolve({ what: ['1.2.3.4', '1.2.3.5'] })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/1\.2\.3\.4[\s\S]*1\.2\.3\.5/),
    });
    await expect(resolve({})).rejects.toMatchObject({ code: 'usage' });
  });

  test('an unknown value of a flag: an error where nothing is left, or with strict; an empty intersection is an answer', async () => {
    const known = facts.corrected.collectionId;
    await expect(resolve({ selection: { collection: ['sample_torsx'] } })).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('sample_torso'),
    });
    expect(
      (await resolve({ selection: { collection: ['sample_torsx', known] } })).series.length,
    ).toBeGreaterThan(0);
    await expect(
      resolve({ selection: { collection: ['sample_torsx', known] }, strict: true }),
    ).rejects.toMatchObject({ code: 'not-found' });
    expect((await resolve({ selection: { collection: [known], modality: ['SM'] } })).series).toEqual([]);
  });

  test('a folder that is no manifest, and a path that is not there, are told apart', async () => {
    await expect(resolve({ what: ['./sample'] })).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('folder'),
    });
    await expect(resolve({ what: ['./nothing.csv'] })).rejects.toMatchObject({
      code: 'not-found',
      item: './nothing.csv',
    });
  });
});

describe('URLs', () => {
  test('the web address of a mirror is a bucket: with rows, so with layout and licence', async () => {
    const uuid = facts.corrected.versions.at(-1)?.uuid ?? '';
    const archive = {
      ...tools.archive,
      mirrors: [
        ...tools.archive.mirrors,
        {
          name: 'cache',
          protocol: 's3' as const,
          endpoint: 'https://cache.example/idc',
          access: 'anonymous' as const,
        },
      ],
    };
    const cohort = await resolveCohort(
      { what: [`https://cache.example/idc/${facts.corrected.bucket}/${uuid}/`], selection: {} },
      { ...tools, archive },
      { cwd: folder },
    );
    expect(uuids(cohort)).toEqual([uuid]);
    expect(cohort.series[0]?.row?.license_short_name).toBeTruthy();
  });

  test('a wildcard over the files of a known series is the series; over a part of them it keeps its row', async () => {
    const version = facts.corrected.versions.at(-1);
    const whole = await resolve({ what: [`s3://${facts.corrected.bucket}/${version?.uuid}/*.dcm`] });
    expect(whole.series).toMatchObject([{ crdc_series_uuid: version?.uuid, instances: undefined }]);
    const initial = [...(version?.instances.values() ?? [])].filter((uuid) => uuid.startsWith('0'));
    const part = await resolve({ what: [`s3://${facts.corrected.bucket}/${version?.uuid}/0*`] });
    expect(part.series[0]?.row?.PatientID).toBe(facts.corrected.patientId);
    expect(part.series[0]?.locations).toHaveLength(initial.length);
  });
});

test('a URL names its cloud: that mirror is asked first', async () => {
  const uuid = facts.corrected.versions.at(-1)?.uuid ?? '';
  const prefers = async (url: string) => (await resolve({ what: [url] })).series.map(({ prefer }) => prefer);
  expect(await prefers(`gs://${facts.corrected.bucket}/${uuid}/*`)).toEqual(['gcs']);
  expect(await prefers(`s3://${facts.corrected.bucket}/${uuid}/*`)).toEqual(['aws']);
  expect(await prefers(uuid)).toEqual([undefined]);
});
