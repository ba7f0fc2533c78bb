import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Catalog, installCatalog, openCatalog, type Selection } from '../../src/catalog/index.ts';
import { seriesUid, temporaryFolder, tinyArchive, uuid, writeTinyTables } from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let cacheDir: string;
let catalog: Catalog;

beforeAll(async () => {
  root = await temporaryFolder();
  cacheDir = join(root.path, 'cache');
  await installCatalog({ archive, cacheDir, sources: [await writeTinyTables(join(root.path, 'tables'))] });
  catalog = await openCatalog({ archive, cacheDir });
});
afterAll(async () => {
  catalog.close();
  await root.remove();
});

/** Numbers of the series that a selection gives, by the end of their uuids. */
async function numbers(selection: Selection, from: Catalog = catalog): Promise<number[]> {
  const { rows } = await from.select(selection);
  const counted = await from.count(selection);
  expect(counted.series).toBe(rows.length);
  expect(counted.bytes).toBe(rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0));
  return rows.map((row) => Number(row.crdc_series_uuid.slice(-4)));
}
const notesOf = async (selection: Selection) => (await catalog.count(selection)).notes;

describe('a selection', () => {
  test.each<[string, Selection, number[]]>([
    ['of nothing is everything, in the order of the tables', {}, [1, 2, 3, 5, 6, 4]],
    ['values of one field are alternatives', { modality: ['CT', 'MR'] }, [1, 3, 4]],
    ['fields are intersected', { modality: ['CT'], patient: ['P1'] }, [1]],
    ['a patient and a collection', { patient: ['P1'], collection: ['beta'] }, [4]],
    ['known values that never meet are an empty answer', { modality: ['MR'], collection: ['alpha'] }, []],
    ['by series', { series: [seriesUid(2), seriesUid(4)] }, [2, 4]],
    ['by study', { study: ['1.1'] }, [1, 2]],
    ['by licence with a semicolon in its name', { license: ['Terms of the Museum; 1999'] }, [5]],
    ['licences that allow commercial use', { license: ['commercial'] }, [1, 3, 6, 4]],
    ['commercial use or one more', { license: ['commercial', 'CC BY-NC 4.0'] }, [1, 2, 3, 6, 4]],
    ['by manufacturer with quotes', { manufacturer: ['"Quoted, Inc."'] }, [6]],
    ['by DOI, in any letters', { doi: ['10.5/alpha', '10.5/slides'] }, [1, 3, 5, 6, 4]],
    [
      'by SQL whose columns are there twice',
      {
        sql: 'SELECT * FROM index a JOIN index b USING (StudyInstanceUID) WHERE a.SeriesInstanceUID < b.SeriesInstanceUID',
      },
      [1],
    ],
    ['by analysis result', { analysisResult: ['segments'] }, [2]],
    ['originals only', { collection: ['alpha'], analysisResults: 'exclude' }, [1, 3]],
    ['analysis results only', { analysisResults: 'only' }, [2]],
    ['everything said twice', { collection: ['alpha', 'alpha'], analysisResults: 'include' }, [1, 2, 3]],
    ['by condition', { where: ['instanceCount > 5'] }, [4]],
    [
      'conditions must all hold',
      { where: ["Modality = 'CT' OR Modality = 'MR'", "collection_id = 'beta'"] },
      [4],
    ],
    [
      'a condition may ask other tables',
      { where: ['SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM prior_versions_index)'] },
      [3, 5],
    ],
    ['a condition may end in a comment', { where: ["Modality = 'CT' -- only"] }, [1, 3]],
    ['a condition that is NULL does not hold', { where: ["BodyPartExamined <> 'CHEST'"] }, [3, 4]],
    ['by SQL naming series', { sql: "SELECT SeriesInstanceUID FROM index WHERE Modality = 'CT';" }, [1, 3]],
    ['by SQL naming versions', { sql: `SELECT '${uuid(1)}' AS crdc_series_uuid, 7 AS x` }, [1]],
    ['SQL and flags are intersected', { sql: 'FROM index', collection: ['beta'], modality: ['SR'] }, [6]],
    ['the first few', { limit: 2 }, [1, 2]],
    [
      'the first few of a sorted answer',
      { limit: 3, where: ['series_size_MB > 0.4'], modality: ['CT', 'SM', 'MR'] },
      [1, 3, 5],
    ],
    ['a version by uuid, in capitals', { crdcSeriesUuid: [uuid(3).toUpperCase()] }, [3]],
    ['a superseded version by uuid is that version', { crdcSeriesUuid: [uuid(30)] }, [30]],
    [
      'superseded versions by SQL',
      { sql: 'SELECT DISTINCT crdc_series_uuid FROM prior_versions_index' },
      [30, 50, 70],
    ],
  ])('%s', async (_, selection, expected) => {
    expect(await numbers(selection)).toEqual(expected);
  });

  test('a superseded version is not in the release that is asked for', async () => {
    expect(await numbers({ crdcSeriesUuid: [uuid(30)], release: 'current' })).toEqual([]);
    expect((await catalog.count({ crdcSeriesUuid: [uuid(30)], release: 'current' })).notes).toMatchObject([
      { unknown: false, suggestions: ['--release v3'] },
    ]);
  });

  test('patients are drawn the same way on every machine, and whole', async () => {
    const drawn = await catalog.select({ sample: 2, seed: 1 });
    const patients = new Set(drawn.rows.map((row) => `${row.collection_id}/${row.PatientID}`));
    // The order is that of md5(seed, collection, patient), joined by U+001F.
    const order = ['alpha/P1', 'alpha/P2', 'beta/1.4', 'beta/P 3=x', 'beta/P1']
      .map((name) => ({
        name,
        key: createHash('md5')
          .update(['1', ...name.split('/')].join('\u001f'))
          .digest('hex'),
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    expect([...patients].sort()).toEqual(
      order
        .slice(0, 2)
        .map(({ name }) => name)
        .sort(),
    );
    expect(await catalog.select({ sample: 2, seed: 1 })).toEqual(drawn);
    const seeds = await Promise.all(
      Array.from({ length: 12 }, async (_, seed) => JSON.stringify(await numbers({ sample: 2, seed }))),
    );
    expect(new Set(seeds).size).toBeGreaterThan(3);
    expect((await catalog.count({ sample: 100 })).patients).toBe(5);
  });

  test('streams with its notes first, and only the columns that were asked for', async () => {
    const { rows, notes } = await catalog.selectStream(
      { modality: ['ct'] },
      { columns: ['seriesdescription', 'Modality'] },
    );
    expect(notes).toMatchObject([{ message: 'ct → CT' }]);
    for await (const chunk of rows)
      for (const row of chunk) expect(Object.keys(row.columns)).toEqual(['Modality', 'SeriesDescription']);
  });

  test('streams until it is stopped', async () => {
    const stop = new AbortController();
    const { rows } = await catalog.selectStream({}, { signal: stop.signal });
    const read = async () => {
      for await (const chunk of rows) expect(chunk).toEqual([]);
    };
    stop.abort();
    await expect(read()).rejects.toMatchObject({ code: 'interrupted' });
    expect((await catalog.count({})).series).toBe(6);
  });

  test('is refused where its numbers make no sense', async () => {
    for (const selection of [{ limit: 0 }, { limit: 1.5 }, { sample: -1 }]) {
      await expect(catalog.count(selection)).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(catalog.count({ release: 'yesterday' })).rejects.toMatchObject({ code: 'usage' });
    await expect(catalog.count({ release: 'v6' })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a row', () => {
  test('has whole bytes, buckets by mirror, and every published column', async () => {
    const { rows } = await catalog.select({ series: [seriesUid(4)] });
    expect(rows).toEqual([
      {
        crdc_series_uuid: uuid(4),
        SeriesInstanceUID: '2.25.4',
        StudyInstanceUID: '1.3',
        PatientID: 'P1',
        collection_id: 'beta',
        Modality: 'MR',
        analysis_result_id: null,
        license_short_name: 'CC BY 4.0',
        source_DOI: '10.5/ALPHA',
        instanceCount: 7,
        bytes: 3300000,
        bytesRounded: false,
        buckets: { aws: 'open-aws' },
        minRelease: 1,
        maxRelease: 5,
        current: true,
        columns: expect.objectContaining({
          SeriesDescription: 'a\u0000b\u0001c "q", it\u2019s',
          series_size_MB: 3.3,
          series_init_idc_version: 1,
        }) as unknown,
      },
    ]);
    expect(Object.keys(rows[0]?.columns ?? {})).toHaveLength(18);
  });

  test('of a superseded version says what is rounded and what is unknown; its bucket is the one of the newest range', async () => {
    const row = (await catalog.seriesByUuid([uuid(30)])).get(uuid(30));
    expect(row).toMatchObject({
      bytes: 2120000,
      bytesRounded: true,
      instanceCount: null,
      license_short_name: null,
      minRelease: 1,
      maxRelease: 3,
      current: false,
      buckets: { aws: 'open-aws', gcs: 'open-gcs' },
    });
  });

  test('versions are found by uuid at once, unknown ones are missing', async () => {
    const found = await catalog.seriesByUuid([uuid(1), uuid(70), uuid(12345), uuid(6).toUpperCase()]);
    expect([...found.keys()].sort()).toEqual([uuid(1), uuid(6), uuid(70)]);
    expect(await catalog.seriesByUuid([])).toEqual(new Map());
  });
});

describe('notes', () => {
  test('a value in other letters is taken, and said', async () => {
    expect(await numbers({ collection: ['ALPHA'], modality: ['ct'] })).toEqual([1, 3]);
    expect(await notesOf({ collection: ['ALPHA'] })).toEqual([
      {
        field: 'collection',
        value: 'ALPHA',
        message: 'ALPHA → alpha',
        suggestions: ['alpha'],
        unknown: false,
      },
    ]);
  });

  test('a value as published is not widened to its other spellings', async () => {
    expect(await numbers({ bodyPart: ['PHANTOM'] })).toEqual([3]);
    expect(await numbers({ bodyPart: ['phantom'] })).toEqual([3, 4]);
    expect(await notesOf({ bodyPart: ['PHANTOM'] })).toEqual([]);
  });

  test('an unknown value is noted with the nearest ones; the others count', async () => {
    expect(await numbers({ collection: ['alpah', 'beta'] })).toEqual([5, 6, 4]);
    expect(await notesOf({ collection: ['alpah', 'beta'] })).toEqual([
      {
        field: 'collection',
        value: 'alpah',
        message: 'alpah is nowhere in the catalogue; did you mean alpha?',
        suggestions: ['alpha'],
        unknown: true,
      },
    ]);
    expect(await notesOf({ series: ['2.25.99'] })).toMatchObject([{ unknown: true, suggestions: [] }]);
  });

  test('a value of earlier releases is known, and the release is named', async () => {
    expect(await notesOf({ collection: ['omega'] })).toEqual([
      {
        field: 'collection',
        value: 'omega',
        message: 'omega is not in v5; it was between v1 and v2',
        suggestions: ['--release v2'],
        unknown: false,
      },
    ]);
    expect(await numbers({ collection: ['omega'] })).toEqual([]);
    expect(await numbers({ collection: ['omega'], release: 'v2' })).toEqual([70]);
  });

  test('a PatientID of two collections selects both, and says so', async () => {
    expect(await numbers({ patient: ['P1'] })).toEqual([1, 2, 4]);
    expect((await catalog.count({ patient: ['P1'] })).patients).toBe(2);
    expect(await notesOf({ patient: ['P1'] })).toMatchObject([
      {
        message: 'patient P1 is in 2 collections, all are selected: alpha, beta',
        suggestions: ['--collection alpha', '--collection beta'],
      },
    ]);
    expect(await notesOf({ patient: ['P1'], collection: ['alpha'] })).toEqual([]);
  });

  test('identifiers of a statement that are no series are counted', async () => {
    expect(
      await notesOf({
        sql: "SELECT * FROM (VALUES ('2.25.1'), ('2.25.99'), (NULL)) AS t(SeriesInstanceUID)",
      }),
    ).toMatchObject([
      {
        field: 'sql',
        message: '1 of the 2 SeriesInstanceUID of the SQL answer are no series of this release',
      },
    ]);
  });
});

describe('SQL in a selection is guarded like any other', () => {
  test.each([
    ["Modality = 'CT') OR (1 = 1"],
    ["Modality = 'CT'; DROP TABLE x"],
    ['1 = 1) UNION SELECT * FROM index WHERE (1 = 1'],
    ['1 = 1, 2'],
    ['1 = 1) FROM index --'],
    ['/*'],
    ["'"],
    [''],
    ['Modality = $1'],
    ['nonsense = 1'],
    ["Modality = (SELECT content FROM read_text('/etc/hostname'))"],
  ])('the condition %s', async (condition) => {
    await expect(catalog.count({ where: [condition] })).rejects.toMatchObject({ code: 'sql' });
    await expect(catalog.select({ where: [condition] })).rejects.toMatchObject({ code: 'sql' });
  });

  test.each([
    ["COPY (SELECT 1) TO 'x'"],
    ['SELECT 1; SELECT 2'],
    ['DESCRIBE index'],
    ['EXPLAIN SELECT 1'],
    ['SELECT Modality FROM index'],
    ['SELECT $1 AS crdc_series_uuid'],
    ["SELECT content AS crdc_series_uuid FROM read_text('/etc/hostname')"],
  ])('the statement %s', async (sql) => {
    await expect(catalog.count({ sql })).rejects.toMatchObject({ code: 'sql' });
  });
});

describe('counting', () => {
  test('per value of columns, largest first, patients per collection', async () => {
    const { rows } = await catalog.groupBy({}, ['modality']);
    expect(rows.map(({ values, series }) => [values['Modality'], series])).toEqual([
      ['CT', 2],
      ['MR', 1],
      ['SEG', 1],
      ['SM', 1],
      ['SR', 1],
    ]);
    const byPatient = await catalog.groupBy({}, ['PatientID'], { limit: 1 });
    expect(byPatient.rows).toMatchObject([
      { values: { PatientID: 'P1' }, patients: 2, series: 3, instances: 9 },
    ]);
    const parts = await catalog.groupBy({}, ['BodyPartExamined', 'collection_id']);
    expect(parts.rows[0]).toMatchObject({
      values: { BodyPartExamined: null, collection_id: 'beta' },
      series: 2,
    });
  });

  test('an unknown column is answered with the nearest', async () => {
    await expect(catalog.groupBy({}, ['BodyPart'])).rejects.toMatchObject({
      code: 'usage',
      next: expect.stringContaining('BodyPartExamined') as string,
    });
    await expect(catalog.groupBy({}, ['x; DROP'])).rejects.toMatchObject({ code: 'usage' });
  });

  test('by licence, largest first', async () => {
    const { licenses } = await catalog.licenses({});
    expect(
      licenses.map(({ license, commercial, series, bytes }) => ({ license, commercial, series, bytes })),
    ).toEqual([
      { license: 'Terms of the Museum; 1999', commercial: false, series: 1, bytes: 10000000 },
      { license: 'CC BY 4.0', commercial: true, series: 4, bytes: 6423580 },
      { license: 'CC BY-NC 4.0', commercial: false, series: 1, bytes: 500000 },
    ]);
    expect((await catalog.licenses([uuid(30), uuid(1)])).licenses).toMatchObject([
      { license: null, commercial: false, bytes: 2120000, seriesRounded: 1 },
      { license: 'CC BY 4.0', series: 1 },
    ]);
  });
});

describe('suggestions', () => {
  test.each([
    ['collection', 'btea', ['beta']],
    ['collection', 'omga', ['omega']],
    ['collection', 'zzzzzzzz', []],
    ['modality', 'sge', ['SEG']],
    ['any', 'alpa', ['alpha']],
    ['any', 'segment', ['segments']],
    ['series', '00', []],
    ['crdcSeriesUuid', '00000000-0000-4000-8000-00000000003', [uuid(30)]],
    ['nothing', 'alpha', []],
  ])('%s %s', async (field, value, expected) => {
    expect((await catalog.suggest(field, value)).slice(0, Math.max(1, expected.length))).toEqual(expected);
  });
});
