/** The catalogue on the published tables of the public archive, held against DuckDB alone on the raw Parquet files. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { type Catalog, openCatalog } from '../../src/catalog/index.ts';
import { installedWheel, realWheel, VERSION } from './real-tables.ts';

const wheel = await realWheel();
if (wheel.path === undefined) console.warn(`tests on the published tables are skipped: ${wheel.reason}`);

describe.skipIf(wheel.path === undefined)(`the published tables ${VERSION}`, () => {
  const archive = builtInArchive('idc');
  let catalog: Catalog;
  let raw: (sql: string) => Promise<unknown[][]>;
  let close: () => void;

  beforeAll(async () => {
    const { cacheDir, installed } = await installedWheel(wheel.path ?? '');
    expect(installed.tables.map(({ name, rows, evidence }) => [name, rows, evidence])).toEqual([
      ['analysis_results_index', 26, 'record'],
      ['collections_index', 179, 'record'],
      ['index', 1044191, 'record'],
      ['prior_versions_index', 82428, 'record'],
      ['version_metadata_index', 25, 'record'],
    ]);
    catalog = await openCatalog({ archive, cacheDir });
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    for (const [name, file] of [
      ['i', 'idc_index'],
      ['p', 'prior_versions_index'],
    ]) {
      await connection.run(
        `CREATE VIEW ${name} AS SELECT * FROM '${join(installed.path, `${file}.parquet`)}'`,
      );
    }
    raw = async (sql) => (await connection.run(sql)).getRowsJson();
    close = () => {
      connection.closeSync();
      instance.closeSync();
    };
  });
  afterAll(() => {
    catalog.close();
    close();
  });

  test('counts: whole bytes, patients by collection', async () => {
    expect(await catalog.count({})).toEqual({
      collections: 179,
      patients: 86451,
      studies: 168507,
      series: 1044191,
      instances: 58784975,
      bytes: 99944891647274,
      seriesWithoutInstances: 0,
      seriesRounded: 0,
      notes: [],
    });
    expect(catalog).toMatchObject({ version: VERSION, release: 25, releaseName: 'v25', derived: false });
    expect(catalog.digest).toBe('sha256:559808236662799938cec1da99778164fd15bbf1f6ca8dea607f6ca791d7b54c');
  });

  test('by collection and modality, as the raw table says', async () => {
    const { rows } = await catalog.groupBy({}, ['collection_id', 'Modality']);
    const expected =
      await raw(`SELECT collection_id, Modality, count(DISTINCT PatientID), count(DISTINCT StudyInstanceUID), count(*),
      sum(instanceCount), sum(round(series_size_MB * 1e6)::BIGINT) FROM i GROUP BY ALL`);
    const key = (row: unknown[]) => row.map(String).join('|');
    const own = rows.map(({ values, patients, studies, series, instances, bytes }) =>
      key([values['collection_id'], values['Modality'], patients, studies, series, instances, bytes]),
    );
    expect(own.sort()).toEqual(expected.map(key).sort());
  });

  test('by licence: five, and every byte is under one of them', async () => {
    const { licenses } = await catalog.licenses({});
    const expected = await raw('SELECT license_short_name, count(*) FROM i GROUP BY 1');
    expect(Object.fromEntries(licenses.map(({ license, series }) => [license, String(series)]))).toEqual(
      Object.fromEntries(expected),
    );
    expect(
      licenses
        .filter(({ commercial }) => commercial)
        .map(({ license }) => String(license))
        .sort(),
    ).toEqual(['CC BY 3.0', 'CC BY 4.0']);
    expect(licenses.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(99944891647274);
    // The bucket of phantom_fda is the open one, its licence is not.
    expect((await catalog.licenses({ collection: ['phantom_fda'] })).licenses).toMatchObject([
      { license: 'CC BY-NC 3.0', commercial: false, series: 4433 },
    ]);
    const { rows } = await catalog.select({ collection: ['phantom_fda'], limit: 1 });
    expect(rows[0]?.buckets).toEqual({ aws: 'idc-open-data' });
  });

  // Own counts of each release (what it published), and the 61 series of mri_dir that no older release ever listed.
  test.each([
    ['v24', 1032911 + 61],
    ['v23', 994073 + 61],
    ['v22', 965407 + 61],
    ['v21', 950888 + 61],
    ['v20', 947580 + 61],
    ['v19', 937495 + 61],
    ['v18', 897106 + 61 - 5],
    ['v17', 511830 + 61 - 8],
  ])('%s derived from the current tables has %i series', async (release, series) => {
    const counts = await catalog.count({ release });
    expect(counts.series).toBe(series);
    const mine = await catalog.groupBy({ release }, ['collection_id']);
    expect(mine.rows.find(({ values }) => values['collection_id'] === 'mri_dir')?.series).toBe(61);
    const n = Number(release.slice(1));
    const [row] = await raw(`SELECT count(*), sum(b) FROM (
      SELECT round(series_size_MB * 1e6)::BIGINT AS b FROM i WHERE series_revised_idc_version <= ${n}
      UNION ALL SELECT min(round(series_size_MB * 1e6)::BIGINT) FROM p WHERE ${n} BETWEEN min_idc_version AND max_idc_version GROUP BY crdc_series_uuid)`);
    expect([String(counts.series), String(counts.bytes)]).toEqual(row);
  });

  test('a filter on what superseded versions lack is said, with its number', async () => {
    const counts = await catalog.count({ collection: ['cmb_crc'], license: ['CC BY 4.0'], release: 'v18' });
    expect(counts.series).toBe(0);
    expect(counts.notes.map(({ message }) => message).join('\n')).toContain(
      '788 superseded series versions have attributes that the tables of 25.0.5 do not give',
    );
  });

  test('a uuid with three rows is one version with the smaller size', async () => {
    const rows = await raw("SELECT crdc_series_uuid FROM p WHERE starts_with(crdc_series_uuid, 'abe43098')");
    expect(rows).toHaveLength(3);
    const id = String(rows[0]?.[0]);
    expect((await catalog.seriesByUuid([id])).get(id)).toMatchObject({
      bytes: 59700000,
      bytesRounded: true,
      current: false,
    });
    expect(await catalog.count({ crdcSeriesUuid: [id] })).toMatchObject({ series: 1, bytes: 59700000 });
    const all = await raw('SELECT DISTINCT crdc_series_uuid FROM p GROUP BY 1 HAVING count(*) = 3');
    expect(all).toHaveLength(48);
    const doubled = await catalog.seriesByUuid(all.map((row) => String(row[0])));
    const smaller = await raw(
      'SELECT crdc_series_uuid, min(round(series_size_MB * 1e6)::BIGINT) FROM p GROUP BY 1 HAVING count(*) = 3',
    );
    for (const [uuid, bytes] of smaller) expect(String(doubled.get(String(uuid))?.bytes)).toBe(bytes);
  });

  test('ten thousand uuids of current and superseded versions are found at once', async () => {
    const wanted = [
      ...(await raw('SELECT crdc_series_uuid FROM i USING SAMPLE reservoir(8000 ROWS) REPEATABLE (1)')),
      ...(await raw(
        'SELECT crdc_series_uuid FROM (SELECT DISTINCT crdc_series_uuid FROM p) USING SAMPLE reservoir(2000 ROWS) REPEATABLE (1)',
      )),
    ].map((row) => String(row[0]));
    const found = await catalog.seriesByUuid(wanted);
    expect(found.size).toBe(10000);
    expect([...found.values()].filter(({ current }) => current)).toHaveLength(8000);
    expect([...found.values()].every(({ buckets }) => buckets['aws'] !== undefined)).toBe(true);
  });

  test('the documentation’s example: a slide of cptac_cm before and after v10', async () => {
    const history = await catalog.history('1.3.6.1.4.1.5962.99.1.171941254.777277241.1640849481094.2.0');
    expect(
      history.versions.map(({ crdc_series_uuid, minRelease, maxRelease, current }) => ({
        crdc_series_uuid,
        minRelease,
        maxRelease,
        current,
      })),
    ).toEqual([
      {
        crdc_series_uuid: 'e127d258-37c2-47bb-a7d1-1faa7f47f47a',
        minRelease: 7,
        maxRelease: 9,
        current: false,
      },
      {
        crdc_series_uuid: 'ee34c840-b0ca-4400-a6c8-c605cef17630',
        minRelease: 10,
        maxRelease: 25,
        current: true,
      },
    ]);
    expect(history.versions[1]?.bytes).toBe(1719696 + 3308402 + 29477804 + 214715792 + 2301902 + 3540080);
    expect(await catalog.history('e127d258-37c2-47bb-a7d1-1faa7f47f47a')).toEqual(history);
    expect(
      (await catalog.select({ crdcSeriesUuid: ['e127d258-37c2-47bb-a7d1-1faa7f47f47a'] })).rows,
    ).toMatchObject([
      { crdc_series_uuid: 'e127d258-37c2-47bb-a7d1-1faa7f47f47a', current: false, maxRelease: 9 },
    ]);
  });

  test('a series that left and came back has a gap and two collections', async () => {
    const [row] = await raw(`SELECT min(SeriesInstanceUID) FROM p WHERE starts_with(collection_id, 'apollo_5')
      AND SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM i WHERE collection_id = 'varepop_apollo')`);
    const history = await catalog.history(String(row?.[0]));
    expect(history.gaps).toEqual([{ from: 12, to: 20 }]);
    expect(history.notes.join('\n')).toMatch(/in no release from v12 to v20: it left and came back/);
    expect(history.notes.join('\n')).toMatch(
      /the collection changed: (apollo → )?apollo_5_\w+ → varepop_apollo/,
    );
  });

  test('a series whose beginning no table lists is not given one', async () => {
    const [row] =
      await raw(`SELECT min(SeriesInstanceUID) FROM i WHERE collection_id = 'prostate_diagnosis' AND series_init_idc_version = 2
      AND series_revised_idc_version = 5 AND SeriesInstanceUID NOT IN (SELECT SeriesInstanceUID FROM p)`);
    const history = await catalog.history(String(row?.[0]));
    expect(history.versions).toHaveLength(1);
    expect(history.notes).toEqual([
      'first seen in v2 by the tables, but no version before v5 is listed: it was withdrawn, or never public',
    ]);
  });

  test('a collection that only older releases had means its series, wherever they stand now', async () => {
    const { series, notes } = await catalog.count({ collection: ['apollo'] });
    expect(series).toBe(43);
    expect(notes.map(({ message }) => message)).toEqual([
      'apollo was a collection in v2 to v4; its 43 series stand in varepop_apollo now, and are meant',
    ]);
    expect((await catalog.count({ collection: ['apollo'], release: 'v4' })).series).toBe(43);
  });

  test('names: capitals, typing errors, a patient of two collections, a UID of two levels', async () => {
    expect((await catalog.count({ collection: ['NLST'] })).notes).toMatchObject([
      { message: 'NLST → nlst', unknown: false },
    ]);
    expect((await catalog.count({ collection: ['nslt'] })).notes).toMatchObject([
      { unknown: true, suggestions: ['nlst'] },
    ]);
    const shared = await raw(
      'SELECT count(*) FROM (SELECT PatientID FROM i GROUP BY 1 HAVING count(DISTINCT collection_id) > 1)',
    );
    expect(shared).toEqual([['89']]);
    const patient = await catalog.lookUp('521955-158-R4-2163');
    expect(patient.map(({ collection_id, bytes }) => [collection_id, Math.round(bytes / 1e5) / 10])).toEqual([
      ['pdmr_521955_158_r4', 142.9],
      ['pdmr_texture_analysis', 91.1],
    ]);
    const both = await catalog.lookUp('1.3.6.1.4.1.14519.5.2.1.6279.6001.287560874054243719452635194040');
    expect(both.map(({ level, series }) => [level, series])).toEqual([
      ['series', 1],
      ['study', 27],
    ]);
  });

  test('control characters, quotation marks and commas come out as they are', async () => {
    const { rows } = await catalog.select({
      collection: ['phantom_fda'],
      where: ["regexp_matches(SeriesDescription, '[\\x00-\\x1f]')"],
    });
    expect(rows).toHaveLength(720);
    for (const row of rows) expect(JSON.parse(JSON.stringify(row))).toEqual(row);
    const { rows: quoted } = await catalog.select({ manufacturer: ['"GE Healthcare"'] });
    expect(quoted).toHaveLength(19);
  });

  test('each of the 242 DOIs has a citation without the network', async () => {
    const { citations, notes } = await catalog.citations({});
    expect(citations).toHaveLength(243);
    expect(notes).toEqual([]);
    for (const { doi, text } of citations) {
      expect(text?.toLowerCase()).toContain(doi);
      expect(text).not.toMatch(/<\/?[a-z]+>|&[a-z]+;|[\r\n\t]/);
    }
    expect(citations.at(-1)?.doi).toBe('10.1148/rg.230180');
  });

  test('streams every series in order, each once', async () => {
    const { rows } = await catalog.selectStream(
      { collection: ['nlst', 'acrin_6698'], modality: ['CT', 'MR', 'SEG'] },
      { columns: ['Modality'] },
    );
    let last = '';
    let count = 0;
    for await (const chunk of rows) {
      for (const row of chunk) {
        const key = [row.collection_id, row.PatientID, row.StudyInstanceUID, row.SeriesInstanceUID].join(
          '\u0000',
        );
        if (key <= last) throw new Error(`out of order: ${key}`);
        last = key;
        count += 1;
      }
    }
    const [row] = await raw(
      "SELECT count(*) FROM i WHERE collection_id IN ('nlst', 'acrin_6698') AND Modality IN ('CT', 'MR', 'SEG')",
    );
    expect(String(count)).toBe(row?.[0]);
  });

  test('releases with their dates', async () => {
    const releases = await catalog.releases();
    expect(releases).toHaveLength(25);
    expect(releases[0]).toEqual({ release: 'v25', number: 25, date: '2026-09-26', newest: true });
    expect(releases.at(-1)).toMatchObject({ release: 'v1', date: '2020-06-01' });
  });
});
