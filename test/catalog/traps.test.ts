/** Traps of the published tables of v25 that no other test is about: each as the question that falls into it. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { type Catalog, openCatalog } from '../../src/catalog/index.ts';
import { installedReleases, realWheel, VERSION } from './real-tables.ts';

const wheel = await realWheel();
const archive = builtInArchive('idc');

describe.skipIf(wheel.path === undefined)(`traps of the tables ${VERSION} ${wheel.reason}`, () => {
  let catalog: Catalog;
  let raw: (sql: string) => Promise<unknown[][]>;
  let close: () => void;

  beforeAll(async () => {
    const cacheDir = await installedReleases(new Map([[25, wheel.path ?? '']]));
    catalog = await openCatalog({ archive, cacheDir, version: VERSION });
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    for (const [name, file] of Object.entries({ i: 'idc_index', p: 'prior_versions_index' }))
      await connection.run(
        `CREATE VIEW ${name} AS SELECT * FROM '${join(cacheDir, 'catalogs', 'idc', VERSION, `${file}.parquet`)}'`,
      );
    raw = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
    close = () => {
      connection.closeSync();
      instance.closeSync();
    };
  }, 600_000);
  afterAll(() => {
    catalog?.close();
    close?.();
  });

  test('every uuid is a version of its own, and no prior one is current', async () => {
    const [row] = await raw(
      `SELECT count(DISTINCT crdc_series_uuid) = count(*), count(DISTINCT SeriesInstanceUID) = count(*),
         count(*) FILTER (WHERE crdc_series_uuid <> lower(crdc_series_uuid)), (SELECT count(*) FROM p WHERE crdc_series_uuid IN (SELECT crdc_series_uuid FROM i)) FROM i`,
    );
    expect(row).toEqual([true, true, '0', '0']);
  });

  test('a study of two patients is one study, and both are counted', async () => {
    const [row] = await raw(
      "SELECT StudyInstanceUID FROM i WHERE PatientID IN ('108001', '123342') GROUP BY 1 HAVING count(DISTINCT PatientID) = 2",
    );
    expect(await catalog.lookUp(String(row?.[0]))).toMatchObject([
      { level: 'study', studies: 1, patients: 2 },
    ]);
  });

  test('a UID that is a series of one patient and a study of another is both', async () => {
    const uid = '1.3.6.1.4.1.14519.5.2.1.6279.6001.287560874054243719452635194040';
    const [series, study] = await catalog.lookUp(uid);
    expect([series?.level, study?.level]).toEqual(['series', 'study']);
    const patients = [await series?.seriesRows(), await study?.seriesRows()].map(
      (rows) => rows?.[0]?.PatientID,
    );
    expect(patients).toEqual(['LIDC-IDRI-0193', 'LIDC-IDRI-1011']);
  });

  test('PatientIDs of digits, with blanks, `=`, `--` or the form of a UID are patients', async () => {
    const rows = await raw(
      `SELECT min(PatientID) FROM i WHERE regexp_full_match(PatientID, '[0-9]+') UNION ALL SELECT min(PatientID) FROM i WHERE contains(PatientID, ' ')
       UNION ALL SELECT min(PatientID) FROM i WHERE contains(PatientID, '=') UNION ALL SELECT min(PatientID) FROM i WHERE contains(PatientID, '--')
       UNION ALL SELECT min(PatientID) FROM i WHERE regexp_full_match(PatientID, '[0-9]+(\\.[0-9]+)+')`,
    );
    expect(rows).toHaveLength(5);
    for (const [patient] of rows) {
      const found = await catalog.lookUp(String(patient));
      expect(found.map(({ level }) => level)).toContain('patient');
      expect((await catalog.lookUpUids([String(patient)])).size).toBe(1);
    }
  });

  test('a UID of 64 characters and one of an odd root are found', async () => {
    const rows = await raw(
      `SELECT min(SeriesInstanceUID) FROM i WHERE length(SeriesInstanceUID) = 64 UNION ALL SELECT min(SeriesInstanceUID) FROM i WHERE starts_with(SeriesInstanceUID, '61.7')`,
    );
    for (const [uid] of rows) expect(await catalog.lookUp(String(uid))).toMatchObject([{ level: 'series' }]);
  });

  test('values that differ in case only are all meant, and said', async () => {
    const [row] = await raw("SELECT count(*)::INTEGER FROM i WHERE lower(BodyPartExamined) = 'phantom'");
    const { series, notes } = await catalog.count({ bodyPart: ['phantom'] });
    expect(series).toBe(row?.[0]);
    expect(notes.map(({ message }) => message)).toEqual(['phantom → PHANTOM, Phantom']);
  });

  test('a licence with a comma and a semicolon is one value, and no leave for commerce', async () => {
    const license = 'National Library of Medicine Terms and Conditions; May 21, 2019';
    const { licenses } = await catalog.licenses({ license: [license] });
    expect(licenses.map((one) => one.license)).toEqual([license]);
    const commercial = await catalog.licenses({ license: ['commercial'] });
    expect(new Set(commercial.licenses.map((one) => one.license))).toEqual(
      new Set(['CC BY 3.0', 'CC BY 4.0']),
    );
  });

  test('a DOI may serve 23 collections, in whatever case it is written', async () => {
    const [match] = await catalog.lookUp('https://doi.org/10.5281/ZENODO.16966285');
    expect(match).toMatchObject({ level: 'dataset', value: '10.5281/zenodo.16966285' });
    expect(match?.collections).toHaveLength(23);
  });

  test('original data and results share a collection; both or one can be asked for', async () => {
    const [row] = await raw(
      "SELECT count(*)::INTEGER, count(*) FILTER (WHERE analysis_result_id IS NULL)::INTEGER FROM i WHERE collection_id = 'nlst'",
    );
    const all = await catalog.count({ collection: ['nlst'] });
    const originals = await catalog.count({ collection: ['nlst'], analysisResults: 'exclude' });
    expect([all.series, originals.series]).toEqual(row);
  });

  test('series of 91,980 files and of 195 GB come whole, sizes exact to the byte', async () => {
    const { rows } = await catalog.select({ where: ['instanceCount > 50000'] }, { columns: [] });
    expect(rows).toHaveLength(37);
    expect(Math.max(...rows.map(({ instanceCount }) => instanceCount ?? 0))).toBe(91_980);
    const largest = await catalog.select({ order: [{ column: 'bytes', descending: true }], limit: 1 });
    expect(largest.rows[0]).toMatchObject({ bytes: 195_185_148_264, bytesRounded: false });
  });

  test('a first release that a table claims is no proof: the history says what is listed', async () => {
    const history = await catalog.history(
      String((await raw("SELECT min(SeriesInstanceUID) FROM i WHERE collection_id = 'mri_dir'"))[0]?.[0]),
    );
    expect(history.versions).toMatchObject([{ minRelease: 2, maxRelease: 25, publishedIn: [25] }]);
  });

  test('v5 is v6, and v13 is v14: a release may bring nothing', async () => {
    for (const [one, other] of [
      ['v5', 'v6'],
      ['v13', 'v14'],
    ] as const) {
      const [a, b] = [await catalog.count({ release: one }), await catalog.count({ release: other })];
      expect([a.series, a.bytes, a.collections]).toEqual([b.series, b.bytes, b.collections]);
    }
  });
});
