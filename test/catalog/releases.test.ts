import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Catalog,
  installCatalog,
  listCatalogs,
  openCatalog,
  type Selection,
} from '../../src/catalog/index.ts';
import {
  indexValues,
  SERIES,
  temporaryFolder,
  tinyArchive,
  uuid,
  writeTable,
  writeTinyTables,
} from './tiny-tables.ts';

const archive = tinyArchive({
  versions: [
    { version: '5.0.0', release: 'v5' },
    { version: '3.1.0', release: 'v3' },
  ],
});
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let cacheDir: string;
let catalog: Catalog;

beforeAll(async () => {
  root = await temporaryFolder();
  cacheDir = join(root.path, 'cache');
  await installCatalog({
    archive,
    cacheDir,
    sources: [await writeTinyTables(join(root.path, 'tables'), { slides: true })],
  });
  catalog = await openCatalog({ archive, cacheDir });
});
afterAll(async () => {
  catalog.close();
  await root.remove();
});

async function uuidsOf(selection: Selection, from: Catalog = catalog): Promise<number[]> {
  return (await from.select(selection)).rows
    .map((row) => Number(row.crdc_series_uuid.slice(-4)))
    .sort((a, b) => a - b);
}

describe('a release older than the tables', () => {
  test.each([
    ['v1', [1, 2, 4, 30, 70]],
    ['v2', [1, 2, 4, 30, 50, 70]],
    ['3', [1, 2, 4, 6, 30, 50]],
    ['v4', [1, 2, 3, 4, 6]],
    ['v5', [1, 2, 3, 4, 5, 6]],
    ['current', [1, 2, 3, 4, 5, 6]],
  ])(
    '%s is what was revised by then and what was superseded since, one row per uuid',
    async (release, expected) => {
      expect(await uuidsOf({ release })).toEqual(expected);
      const opened = await openCatalog({ archive, cacheDir, release });
      expect(await uuidsOf({}, opened)).toEqual(expected);
      opened.close();
    },
  );

  test('says that it is derived, and from what', async () => {
    const opened = await openCatalog({ archive, cacheDir, release: 'v3' });
    expect(opened).toMatchObject({ release: 3, releaseName: 'v3', version: '5.0.0', derived: true });
    expect(opened.notes[0]).toBe(
      'v3 is derived from the tables of v5 (5.0.0): its own tables are not installed',
    );
    opened.close();
    expect((await catalog.count({ release: 'v3' })).notes[0]).toMatchObject({
      field: 'release',
      value: 'v3',
      message: opened.notes[0],
    });
    expect(catalog.notes).toEqual([]);
    expect((await catalog.count({ release: 'v5' })).notes).toEqual([]);
  });

  test('takes the smaller of two sizes of one version, and counts it once', async () => {
    const counts = await catalog.count({ release: 'v3', collection: ['alpha'], patient: ['P2'] });
    expect(counts).toMatchObject({
      series: 1,
      bytes: 2120000,
      instances: 0,
      seriesWithoutInstances: 1,
      seriesRounded: 1,
    });
  });

  test('has the collection of that time', async () => {
    expect(await uuidsOf({ release: 'v3', collection: ['gamma'] })).toEqual([50]);
    expect((await catalog.count({ release: 'v3', collection: ['gamma'] })).collections).toBe(1);
  });

  test('does not drop silently what a filter cannot decide', async () => {
    const counts = await catalog.count({ release: 'v3', license: ['CC BY 4.0'] });
    expect(counts.series).toBe(3);
    const about = counts.notes.map(({ message }) => message).join('\n');
    expect(about).toMatch(
      /2 superseded series versions have attributes that the tables of 5\.0\.0 do not give/,
    );
    const decided = await catalog.count({ release: 'v3', license: ['CC BY 4.0'], modality: ['MR'] });
    expect(decided.notes.map(({ message }) => message).join('\n')).not.toMatch(/superseded series versions/);
    const originals = await catalog.count({ release: 'v3', analysisResults: 'exclude' });
    expect(originals.series).toBe(5);
    expect(originals.notes.map(({ message }) => message).join('\n')).toMatch(/2 superseded .* they are kept/);
  });

  test('is what SQL sees as the table index', async () => {
    const opened = await openCatalog({ archive, cacheDir, release: 'v3' });
    const { rows } = await opened.query(
      'SELECT count(*), count(license_short_name), count(DISTINCT crdc_series_uuid) FROM index',
    );
    for await (const chunk of rows) expect(chunk).toEqual([[6, 4, 6]]);
    expect((await opened.schema('index')).map(({ name }) => name)).toEqual(
      (await catalog.schema('index')).map(({ name }) => name),
    );
    opened.close();
  });

  test('a release that is newer than all tables is not found, with the commands', async () => {
    await expect(openCatalog({ archive, cacheDir, release: 'v9' })).rejects.toMatchObject({
      code: 'not-found',
      item: 'v9',
      next: expect.stringContaining('carrel catalog update') as string,
    });
    await expect(openCatalog({ archive, cacheDir, release: '0' })).rejects.toMatchObject({ code: 'usage' });
    await expect(openCatalog({ archive, cacheDir, version: '3.1.0' })).rejects.toMatchObject({
      code: 'not-found',
      item: '3.1.0',
    });
  });
});

describe('a release whose own tables are installed', () => {
  test('is answered from them, and the answer is not called derived', async () => {
    const cache = join(root.path, 'two');
    const tables = join(root.path, 'tables');
    await installCatalog({ archive, cacheDir: cache, sources: [tables] });
    const own = await writeTable(
      join(root.path, 'own'),
      'idc_index.parquet',
      indexValues(SERIES.slice(0, 1)),
      '3.1.0',
    );
    await installCatalog({ archive, cacheDir: cache, sources: [own] });
    const newest = await openCatalog({ archive, cacheDir: cache });
    expect(newest.version).toBe('5.0.0');
    expect(await newest.count({ release: 'v3' })).toMatchObject({ series: 1, notes: [] });
    expect((await newest.count({ release: 'v2' })).series).toBe(6);
    newest.close();
    const old = await openCatalog({ archive, cacheDir: cache, release: 'v3' });
    expect(old).toMatchObject({ version: '3.1.0', release: 3, derived: false, notes: [] });
    old.close();
  });
});

describe('tables of earlier years', () => {
  test('borrow citations from newer ones, and say so', async () => {
    const cache = join(root.path, 'borrowing');
    const own = await writeTable(join(root.path, 'own'), 'idc_index.parquet', indexValues(SERIES), '3.1.0');
    await installCatalog({ archive, cacheDir: cache, sources: [own] });
    const alone = await openCatalog({ archive, cacheDir: cache });
    const lacking = await alone.citations({ modality: ['SM', 'MR'] });
    expect(lacking.citations.map(({ doi, text }) => [doi, text === null])).toEqual([
      ['10.5/alpha', true],
      ['10.5/slides', true],
      ['10.1234/archive', false],
    ]);
    expect(lacking.notes.map(({ message }) => message)).toEqual([
      'no table has a citation for 10.5/alpha',
      'no table has a citation for 10.5/slides',
    ]);
    alone.close();
    await installCatalog({ archive, cacheDir: cache, sources: [join(root.path, 'tables')] });
    const old = await openCatalog({ archive, cacheDir: cache, release: 'v3' });
    const { citations, notes } = await old.citations({ modality: ['SM', 'MR'] });
    expect(citations.map(({ text }) => text?.slice(0, 12))).toEqual([
      'A. Author, &',
      'C. Author (2',
      'The Archivis',
    ]);
    expect(notes.map(({ message }) => message)).toEqual([
      '2 citations are from the tables of 5.0.0: the older ones have none',
    ]);
    old.close();
  });

  test('without uuid, bucket, analysis results and revisions open all the same', async () => {
    const cache = join(root.path, 'old');
    const select = `SELECT 'alpha' AS collection_id, 'P1' AS PatientID, '2.25.1' AS SeriesInstanceUID, '1.1' AS StudyInstanceUID,
      'CT' AS Modality, 3::BIGINT AS instanceCount, 1.25 AS series_size_MB, 'CC BY 3.0' AS license_short_name,
      's3://open-aws/${uuid(1)}/*' AS series_aws_url`;
    const path = await writeTable(join(root.path, 'earlier'), 'idc_index.parquet', select);
    await installCatalog({ archive, cacheDir: cache, sources: [path], version: '3.1.0' });
    const old = await openCatalog({ archive, cacheDir: cache });
    const { rows } = await old.select({ modality: ['CT'] });
    expect(rows).toMatchObject([
      {
        crdc_series_uuid: uuid(1),
        buckets: { aws: 'open-aws' },
        bytes: 1250000,
        bytesRounded: true,
        analysis_result_id: null,
        minRelease: 3,
        maxRelease: 3,
      },
    ]);
    const { rows: answer } = await old.query('SELECT crdc_series_uuid, aws_bucket FROM index');
    for await (const chunk of answer) expect(chunk).toEqual([[uuid(1), 'open-aws']]);
    expect((await old.history('2.25.1')).versions).toHaveLength(1);
    expect((await old.releases()).map(({ release, date }) => [release, date])).toEqual([['v3', null]]);
    expect((await old.citations({})).citations.map(({ from }) => from)).toEqual(['archive']);
    await expect(openCatalog({ archive, cacheDir: cache, release: 'v2' })).rejects.toMatchObject({
      code: 'not-found',
    });
    old.close();
  });

  test('a table that is no main table is refused by name', async () => {
    const cache = join(root.path, 'strange');
    const path = await writeTable(
      join(root.path, 'strange-source'),
      'idc_index.parquet',
      'SELECT 1 AS PatientID',
    );
    const installing = installCatalog({ archive, cacheDir: cache, sources: [path], version: '1.0.0' });
    await expect(installing).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(
        'the table index lacks collection_id, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid',
      ) as string,
    });
    // At the door: nothing of it stays.
    expect(await listCatalogs({ cacheDir: cache, archive: archive.name })).toEqual([]);
  });
});

describe('the history of a series', () => {
  test('joins ranges that touch, drops the row inside with twice the size', async () => {
    const history = await catalog.history('2.25.3');
    expect(history).toEqual({
      SeriesInstanceUID: '2.25.3',
      StudyInstanceUID: '1.2',
      PatientID: 'P2',
      asOf: 'v5',
      gaps: [],
      notes: [],
      versions: [
        {
          crdc_series_uuid: uuid(30),
          SeriesInstanceUID: '2.25.3',
          StudyInstanceUID: '1.2',
          PatientID: 'P2',
          collection_id: 'alpha',
          minRelease: 1,
          maxRelease: 3,
          ranges: [
            { from: 1, to: 2, buckets: { aws: 'open-aws', gcs: 'old-gcs' } },
            { from: 3, to: 3, buckets: { aws: 'open-aws', gcs: 'open-gcs' } },
          ],
          current: false,
          bytes: 2120000,
          bytesRounded: true,
          instanceCount: null,
          state: 'superseded',
          returned: false,
          changes: [],
          publishedIn: [],
          absentFrom: [],
        },
        expect.objectContaining({
          crdc_series_uuid: uuid(3),
          state: 'current',
          publishedIn: [5],
          minRelease: 4,
          maxRelease: 5,
          current: true,
          bytes: 2123456,
          bytesRounded: false,
        }),
      ],
    });
    for (const id of [uuid(30), uuid(3), uuid(3).toUpperCase()])
      expect(await catalog.history(id)).toEqual(history);
  });

  test('names a gap and a change of collection, and invents nothing', async () => {
    const history = await catalog.history('2.25.5');
    expect(history.versions.map(({ minRelease, maxRelease }) => [minRelease, maxRelease])).toEqual([
      [2, 3],
      [5, 5],
    ]);
    expect(history.gaps).toEqual([{ from: 4, to: 4 }]);
    expect(history.notes).toEqual([
      'in no release from v4: it left and came back',
      'the collection changed: gamma → beta',
    ]);
  });

  test('of a series that left says when', async () => {
    expect((await catalog.history(uuid(70))).notes).toEqual(['not in v5; last in v2']);
  });

  test('says where the beginning is not listed', async () => {
    const cache = join(root.path, 'withdrawn');
    const folder = join(root.path, 'withdrawn-source');
    await writeTinyTables(folder, {
      series: [...SERIES, { n: 8, collection: 'alpha', patient: 'P8', init: 2, revised: 5 }],
    });
    await installCatalog({ archive, cacheDir: cache, sources: [folder] });
    const opened = await openCatalog({ archive, cacheDir: cache });
    const history = await opened.history('2.25.8');
    expect(history.versions).toHaveLength(1);
    expect(history.notes).toEqual([
      'first seen in v2 by the tables, but no version before v5 is listed: it was withdrawn, or never public',
    ]);
    opened.close();
  });

  test('of nothing is not found', async () => {
    await expect(catalog.history('2.25.12345')).rejects.toMatchObject({
      code: 'not-found',
      item: '2.25.12345',
    });
    await expect(catalog.history(uuid(4711))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('looking up', () => {
  test.each<[string, unknown[]]>([
    [
      'alpha',
      [
        {
          level: 'collection',
          value: 'alpha',
          patients: 2,
          studies: 2,
          series: 3,
          bytes: 3623457,
          current: true,
        },
      ],
    ],
    [' segments ', [{ level: 'analysis-result', collection_id: 'alpha', series: 1 }]],
    [
      'P1',
      [
        { level: 'patient', collection_id: 'alpha', series: 2 },
        { level: 'patient', collection_id: 'beta', series: 1 },
      ],
    ],
    ['P 3=x', [{ level: 'patient', collection_id: 'beta' }]],
    ['1.1', [{ level: 'study', series: 2, patients: 1 }]],
    [
      '1.3',
      [
        { level: 'series', series: 1, bytes: 123 },
        { level: 'study', series: 1, bytes: 3300000 },
      ],
    ],
    [
      '1.4',
      [
        { level: 'study', series: 1 },
        { level: 'patient', collection_id: 'beta', series: 1 },
      ],
    ],
    [uuid(1).toUpperCase(), [{ level: 'version', value: uuid(1), series: 1, current: true }]],
    [uuid(30), [{ level: 'version', series: 1, current: false, minRelease: 1, maxRelease: 3 }]],
    [
      'omega',
      [
        {
          level: 'collection',
          current: false,
          maxRelease: 2,
          selection: { collection: ['omega'], release: 'v2' },
        },
      ],
    ],
    ['O1', [{ level: 'patient', collection_id: 'omega', current: false }]],
    ['1.7', [{ level: 'study', current: false, collection_id: 'omega', minRelease: 1, maxRelease: 2 }]],
    ['2.25.7', [{ level: 'series', current: false, series: 1, maxRelease: 2 }]],
    ['https://doi.org/10.5/SLIDES', []],
    ['nothing', []],
    ['', []],
    ["x' OR 1=1 --", []],
    [uuid(4711), []],
    [
      uuid(99),
      [{ level: 'instance', collection_id: 'beta', bytes: 10000000, selection: { series: ['2.25.5'] } }],
    ],
    ['9.9', [{ level: 'instance' }]],
  ])('%s', async (text, expected) => {
    expect(await catalog.lookUp(text)).toMatchObject(expected);
    expect(await catalog.lookUp(text)).toHaveLength(expected.length);
  });

  test('many UIDs in one pass: each level, retired ones in the last release that held them, files of slides', async () => {
    const found = await catalog.lookUpUids(['1.1', '1.3', '1.4', '2.25.7', '9.9', '2.25.999', 'P1']);
    expect(Object.fromEntries(found)).toEqual({
      '1.1': [{ level: 'study', collection_id: null, versions: [uuid(1), uuid(2)] }],
      '1.3': [
        { level: 'series', collection_id: null, versions: [uuid(6)] },
        { level: 'study', collection_id: null, versions: [uuid(4)] },
      ],
      '1.4': [
        { level: 'study', collection_id: null, versions: [uuid(5)] },
        { level: 'patient', collection_id: 'beta', versions: [uuid(5)] },
      ],
      '2.25.7': [{ level: 'series', collection_id: null, versions: [uuid(70)] }],
      '9.9': [{ level: 'instance', collection_id: null, versions: [uuid(5)], crdc_instance_uuid: uuid(99) }],
      P1: [
        { level: 'patient', collection_id: 'alpha', versions: [uuid(1), uuid(2)] },
        { level: 'patient', collection_id: 'beta', versions: [uuid(4)] },
      ],
    });
  });

  test('a DOI in any case, with or without its address', async () => {
    const cache = join(root.path, 'dois');
    const folder = join(root.path, 'dois-source');
    await writeTinyTables(folder, { series: SERIES.map((one) => ({ ...one, doi: '10.1234/Abc-X' })) });
    await installCatalog({ archive, cacheDir: cache, sources: [folder] });
    const opened = await openCatalog({ archive, cacheDir: cache });
    for (const text of ['10.1234/abc-x', 'https://doi.org/10.1234/ABC-X', 'doi: 10.1234/Abc-X']) {
      const [match] = await opened.lookUp(text);
      expect(match).toMatchObject({
        level: 'dataset',
        value: '10.1234/abc-x',
        series: 6,
        collections: ['alpha', 'beta'],
      });
      expect(await match?.seriesRows()).toHaveLength(6);
    }
    opened.close();
  });

  test('a match gives its rows', async () => {
    const [first, second] = await catalog.lookUp('1.3');
    expect((await first?.seriesRows())?.map((row) => row.crdc_series_uuid)).toEqual([uuid(6)]);
    expect((await second?.seriesRows())?.map((row) => row.crdc_series_uuid)).toEqual([uuid(4)]);
    const [retired] = await catalog.lookUp(uuid(30));
    expect((await retired?.seriesRows())?.map((row) => row.crdc_series_uuid)).toEqual([uuid(30)]);
    const [gone] = await catalog.lookUp('omega');
    expect((await gone?.seriesRows())?.map((row) => row.crdc_series_uuid)).toEqual([uuid(70)]);
  });

  test('files are known where their table is installed', async () => {
    expect(await catalog.instanceLookup(uuid(99))).toMatchObject({
      SOPInstanceUID: '9.9',
      SeriesInstanceUID: '2.25.5',
      bytes: 10000000,
    });
    expect(await catalog.instanceLookup('8.8')).toBeUndefined();
    expect(await catalog.instancesOf('2.25.5')).toHaveLength(1);
    expect(await catalog.instancesOf('2.25.1')).toEqual([]);
  });

  test('releases come with their dates', async () => {
    const releases = await catalog.releases();
    expect(releases.map(({ release }) => release)).toEqual(['v5', 'v4', 'v3', 'v2', 'v1']);
    expect(releases[0]).toEqual({ release: 'v5', number: 5, date: '2025-01-01', newest: true });
  });
});
