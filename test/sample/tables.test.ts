import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Release, type SeriesFact, sampleFacts } from '../../src/sample/index.ts';
import { sampleMadeOnce } from './made-once.ts';
import { query } from './query.ts';

const { root } = sampleMadeOnce(0);
const facts = sampleFacts({ scale: 0 });

/** A table of a release, as SQL wants it. */
function table(release: Release, name: string): string {
  const file = name === 'index' ? 'idc_index' : name;
  return `'${path.join(root(), 'catalog', `${release}.0.0`, `${file}.parquet`)}'`;
}

interface IndexRow {
  collection_id: string;
  PatientID: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  Modality: string;
  crdc_series_uuid: string;
  aws_bucket: string;
  series_aws_url: string;
  series_size_MB: number;
  instanceCount: number;
  license_short_name: string;
  series_init_idc_version: number;
  series_revised_idc_version: number;
}

interface PriorRow {
  crdc_series_uuid: string;
  gcs_bucket: string;
  aws_bucket: string;
  series_aws_url: string;
  series_size_MB: number;
  min_idc_version: number;
  max_idc_version: number;
}

const index = (release: Release) => query<IndexRow>(`FROM ${table(release, 'index')}`);
const prior = (release: Release) => query<PriorRow>(`FROM ${table(release, 'prior_versions_index')}`);

/** The real columns of idc-index-data 25.0.5: table → column → type in DuckDB's words. */
const REAL = JSON.parse(readFileSync('test/sample/real-columns.json', 'utf8')) as Record<
  string,
  Record<string, string>
>;

describe('columns', () => {
  test.each(Object.keys(REAL))(
    '%s has the columns of the real table, in its order, with its types',
    async (name) => {
      for (const release of [1, 2, 3] as const) {
        const described = await query<{ column_name: string; column_type: string }>(
          `DESCRIBE FROM ${table(release, name)}`,
        );
        const own = described.map(({ column_name, column_type }) => [
          column_name,
          // The published schema does not say what its records hold.
          REAL[name]?.[column_name] === 'RECORD[]'
            ? column_type.replace(/^STRUCT\(.*\)\[\]$/, 'RECORD[]')
            : column_type,
        ]);
        expect(own).toEqual(Object.entries(REAL[name] ?? {}));
      }
    },
  );

  test('files are written as the real ones: one row group, zstd, the version in the metadata', async () => {
    for (const release of [1, 2, 3] as const) {
      const groups = await query(
        `SELECT DISTINCT row_group_id, compression FROM parquet_metadata(${table(release, 'index')})`,
      );
      expect(groups).toEqual([{ row_group_id: 0, compression: 'ZSTD' }]);
      const metadata = await query(
        `SELECT decode(value) AS version FROM parquet_kv_metadata(${table(release, 'index')})
         WHERE decode(key) = 'idc_index_data_version'`,
      );
      expect(metadata).toEqual([{ version: `${release}.0.0` }]);
    }
  });

  const wheel = process.env['CARREL_TEST_WHEEL'];
  describe.skipIf(wheel === undefined)(
    'against the published wheel (skipped without CARREL_TEST_WHEEL)',
    () => {
      let folder = '';
      beforeAll(() => {
        folder = mkdtempSync(path.join(tmpdir(), 'carrel-wheel-'));
        const unzip = 'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])';
        execFileSync('python3', ['-c', unzip, wheel ?? '', folder]);
      });
      afterAll(() => {
        rmSync(folder, { recursive: true, force: true });
      });

      test('physical and logical types are those of the real files', async () => {
        for (const name of [
          'index',
          'prior_versions_index',
          'collections_index',
          'analysis_results_index',
          'version_metadata_index',
        ]) {
          const real = path.join(
            folder,
            'idc_index_data',
            `${name === 'index' ? 'idc_index' : name}.parquet`,
          );
          // INT_64 annotates what INT64 is anyway; DuckDB writes it, pandas does not.
          const schema = (file: string) =>
            query(
              `SELECT name, type, nullif(converted_type, 'INT_64') AS converted, repetition_type
             FROM parquet_schema(${file}) WHERE num_children IS NULL OR type IS NOT NULL`,
            );
          expect(await schema(table(3, name))).toEqual(await schema(`'${real}'`));
        }
      });

      test('the columns that these tests compare with are the published ones', async () => {
        const types: Record<string, string> = {
          STRING: 'VARCHAR',
          INTEGER: 'BIGINT',
          FLOAT: 'DOUBLE',
          RECORD: 'RECORD',
        };
        for (const [name, columns] of Object.entries(REAL)) {
          const schemaFile = path.join(
            folder,
            'idc_index_data',
            `${name === 'index' ? 'idc_index' : name}_schema.json`,
          );
          const schema = JSON.parse(await readFile(schemaFile, 'utf8')) as {
            columns: { name: string; type: string; mode: string }[];
          };
          expect(schema.columns.map((column) => column.name)).toEqual(Object.keys(columns));
          for (const column of schema.columns) {
            const expected = `${types[column.type]}${column.mode === 'REPEATED' ? '[]' : ''}`;
            const real = columns[column.name] ?? '';
            if (!real.startsWith('STRUCT')) expect([column.name, real]).toEqual([column.name, expected]);
          }
        }
      });
    },
  );
});

describe('releases', () => {
  test('each index holds the series that the versioning says, and no uuid twice', async () => {
    for (const { number, series, files } of facts.releases) {
      const rows = await index(number);
      const held = facts.series.flatMap(({ versions }) =>
        versions.filter(({ from, to }) => from <= number && number <= to),
      );
      expect(rows.map((row) => row.crdc_series_uuid).sort()).toEqual(held.map(({ uuid }) => uuid).sort());
      expect(rows).toHaveLength(series);
      expect(rows.reduce((sum, row) => sum + row.instanceCount, 0)).toBe(files);
      expect(new Set(rows.map((row) => row.SeriesInstanceUID)).size).toBe(rows.length);
    }
  });

  test('the newest tables give every release as that release published it, but for what was withdrawn', async () => {
    const [current, before] = [await index(3), await prior(3)];
    const withdrawn = new Set(facts.withdrawn.versions.map(({ uuid }) => uuid));
    for (const { number } of facts.releases) {
      const snapshot = new Set([
        ...current
          .filter((row) => row.series_revised_idc_version <= number)
          .map((row) => row.crdc_series_uuid),
        ...before
          .filter((row) => row.min_idc_version <= number && number <= row.max_idc_version)
          .map((row) => row.crdc_series_uuid),
      ]);
      const published = (await index(number)).map((row) => row.crdc_series_uuid);
      expect([...snapshot].sort()).toEqual(published.filter((uuid) => !withdrawn.has(uuid)).sort());
    }
  });

  test('no uuid is both current and prior', async () => {
    for (const { number } of facts.releases) {
      const current = new Set((await index(number)).map((row) => row.crdc_series_uuid));
      expect((await prior(number)).filter((row) => current.has(row.crdc_series_uuid))).toEqual([]);
    }
  });

  test('rows are sorted by collection, patient, study and series', async () => {
    const keys = (await index(3)).map((row) =>
      [row.collection_id, row.PatientID, row.StudyInstanceUID, row.SeriesInstanceUID].join('\u0000'),
    );
    expect(keys).toEqual(keys.toSorted());
  });

  test('sizes are exact in the index and rounded in the prior table', async () => {
    for (const row of await index(3))
      expect(row.series_size_MB * 1e6).toBeCloseTo(Math.round(row.series_size_MB * 1e6), 3);
    const rows = await prior(3);
    for (const row of rows) expect(row.series_size_MB).toBe(Math.round(row.series_size_MB * 100) / 100);
    expect(rows.some((row) => row.series_size_MB > 0)).toBe(true);
  });

  test('each release counts itself in version_metadata_index', async () => {
    expect(await query(`FROM ${table(2, 'version_metadata_index')}`)).toEqual([
      { idc_version: 1, version_timestamp: '2024-03-04' },
      { idc_version: 2, version_timestamp: '2025-03-03' },
    ]);
  });
});

describe('what happened to series', () => {
  const uuidsOf = (fact: SeriesFact): string[] => fact.versions.map(({ uuid }) => uuid);
  const ranges = async (fact: SeriesFact) =>
    (await prior(3))
      .filter((row) => uuidsOf(fact).includes(row.crdc_series_uuid))
      .map((row) => `${row.min_idc_version}-${row.max_idc_version} ${row.gcs_bucket}`)
      .sort();

  test('corrected, added and removed instances: the others keep their uuids', () => {
    const kept = (fact: SeriesFact): number => {
      const [old, young] = fact.versions;
      const uuids = new Set(young?.instances.values());
      return [...(old?.instances.values() ?? [])].filter((uuid) => uuids.has(uuid)).length;
    };
    const sizes = (fact: SeriesFact) => fact.versions.map(({ instances }) => instances.size);
    expect([sizes(facts.corrected), kept(facts.corrected)]).toEqual([[50, 50], 49]);
    expect([sizes(facts.added), kept(facts.added)]).toEqual([[50, 51], 50]);
    expect([sizes(facts.removed), kept(facts.removed)]).toEqual([[50, 49], 49]);
    expect(facts.revisedTwice.versions.map(({ from, to }) => [from, to])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  test('a retired version has a row for each name of its bucket', async () => {
    expect(await ranges(facts.retired)).toEqual(['1-1 public-datasets-sample', '2-2 sample-open-data']);
    expect(facts.retired.versions).toHaveLength(1);
  });

  test('one version has a row of twice the size inside its range', async () => {
    const rows = (await prior(3)).filter((row) => uuidsOf(facts.doubled).includes(row.crdc_series_uuid));
    const whole = rows.find((row) => row.min_idc_version === 1);
    const inside = rows.find((row) => row.min_idc_version === 2);
    expect(rows).toHaveLength(2);
    expect(whole).toMatchObject({ min_idc_version: 1, max_idc_version: 2 });
    expect(inside).toMatchObject({ min_idc_version: 2, max_idc_version: 2 });
    expect(inside?.series_size_MB).toBe(2 * (whole?.series_size_MB ?? 0));
  });

  test('what came back has a new uuid and starts anew', async () => {
    const [old, young] = facts.broughtBack.versions;
    expect([old?.from, old?.to, young?.from, young?.to]).toEqual([1, 1, 3, 3]);
    const rows = await index(3);
    expect(rows.find((row) => row.crdc_series_uuid === young?.uuid)).toMatchObject({
      SeriesInstanceUID: facts.broughtBack.seriesInstanceUid,
      series_init_idc_version: 3,
      series_revised_idc_version: 3,
    });
    expect((await index(2)).map((row) => row.SeriesInstanceUID)).not.toContain(
      facts.broughtBack.seriesInstanceUid,
    );
  });

  test('what was withdrawn stands in the old tables and in none of the newest', async () => {
    const [uuid = ''] = uuidsOf(facts.withdrawn);
    for (const release of [1, 2] as const) {
      expect((await index(release)).map((row) => row.crdc_series_uuid)).toContain(uuid);
    }
    for (const name of ['index', 'prior_versions_index']) {
      const file = await readFile(table(3, name).slice(1, -1));
      const rows = await query<{ crdc_series_uuid: string }>(
        `SELECT crdc_series_uuid FROM ${table(3, name)}`,
      );
      expect(rows.map((row) => row.crdc_series_uuid)).not.toContain(uuid);
      expect(file.includes(uuid)).toBe(false);
    }
  });

  test('what moved has the same UIDs in another collection, and the old collection is only in the prior table', async () => {
    expect(facts.moved.length).toBeGreaterThan(0);
    for (const { from, to } of facts.moved) {
      expect([from.collectionId, to.collectionId]).toEqual(['sample_pilot', 'sample_pet']);
      expect([to.patientId, to.studyInstanceUid]).toEqual([from.patientId, from.studyInstanceUid]);
      expect(uuidsOf(from)).not.toEqual(uuidsOf(to));
    }
    const collections = await query(`SELECT DISTINCT collection_id FROM ${table(3, 'index')} ORDER BY ALL`);
    expect(collections.map((row) => row['collection_id'])).toEqual([
      'sample_brain',
      'sample_pet',
      'sample_phantom',
      'sample_slides',
      'sample_torso',
    ]);
    const old = await query(
      `SELECT DISTINCT collection_id FROM ${table(3, 'prior_versions_index')} WHERE collection_id LIKE '%pilot'`,
    );
    expect(old).toEqual([{ collection_id: 'sample_pilot' }]);
  });

  test('a licence changed between releases under the same uuids', async () => {
    const selects = ([1, 2, 3] as const).map(
      (release) =>
        `SELECT ${release} AS release, collection_id, license_short_name FROM ${table(release, 'index')}
         WHERE analysis_result_id IS NULL AND collection_id IN ('sample_torso', 'sample_phantom')`,
    );
    const licenses = await query(`${selects.join(' UNION ')} ORDER BY collection_id, release`);
    expect(licenses.map((row) => Object.values(row).join(' '))).toEqual([
      '1 sample_phantom CC BY-NC 4.0',
      '2 sample_phantom CC BY 3.0',
      '3 sample_phantom CC BY-NC 4.0',
      '1 sample_torso CC BY 3.0',
      '2 sample_torso CC BY 3.0',
      '3 sample_torso CC BY 4.0',
    ]);
    expect(facts.licenseChanged.sort()).toEqual(['sample_phantom', 'sample_torso']);
  });
});

describe('oddities of the real tables', () => {
  const count = async (condition: string): Promise<number> => {
    const [row] = await query<{ n: number }>(
      `SELECT count(*) AS n FROM ${table(3, 'index')} WHERE ${condition}`,
    );
    return row?.n ?? 0;
  };

  test('a PatientID of two collections', async () => {
    const rows = await query(
      `SELECT DISTINCT collection_id FROM ${table(3, 'index')} WHERE PatientID = '${facts.sharedPatientId}' ORDER BY ALL`,
    );
    expect(rows).toEqual([{ collection_id: 'sample_pet' }, { collection_id: 'sample_torso' }]);
  });

  test('PatientIDs with blanks, with an equals sign, in digits, and in the form of a UID', async () => {
    const { blanks, equals, uid } = facts.oddPatientIds;
    expect([blanks, equals]).toEqual(['ZZ SAMPLE BRAIN 1', 'BRAIN=0005--B']);
    expect(uid).toMatch(/^2\.25\.[0-9]{39}$/);
    for (const id of [blanks, equals, uid]) expect(await count(`PatientID = '${id}'`)).toBeGreaterThan(0);
    expect(await count(`regexp_full_match(PatientID, '[0-9]+')`)).toBeGreaterThan(0);
  });

  test('a UID that is a series of one patient and a study of another', async () => {
    expect(
      await query(
        `SELECT (SELECT min(PatientID) FROM ${table(3, 'index')} WHERE SeriesInstanceUID = '${facts.ambiguousUid}') <>
                (SELECT min(PatientID) FROM ${table(3, 'index')} WHERE StudyInstanceUID = '${facts.ambiguousUid}') AS differ`,
      ),
    ).toEqual([{ differ: true }]);
  });

  test('control bytes in a SeriesDescription', async () => {
    const rows = await query<{ d: string }>(
      `SELECT SeriesDescription AS d FROM ${table(3, 'index')}
       WHERE SeriesInstanceUID = '${facts.controlBytes.seriesInstanceUid}'`,
    );
    expect(rows).toEqual([{ d: 'QA cylinder\u0000\u0001, B19f' }]);
  });

  test('quotation marks, commas, apostrophes and letters beyond ASCII', async () => {
    expect(await count(`Manufacturer LIKE '"%"'`)).toBeGreaterThan(0);
    expect(await count(`Manufacturer LIKE '%,%'`)).toBeGreaterThan(0);
    expect(await count(`SeriesDescription LIKE '%''%'`)).toBeGreaterThan(0);
    expect(await count(`NOT regexp_full_match(SeriesDescription, '[\\x00-\\x7F]*')`)).toBeGreaterThan(0);
  });

  test('nothing is said where nothing is known', async () => {
    expect(await count(`Modality IN ('SM', 'SR') AND BodyPartExamined IS NOT NULL`)).toBe(0);
    expect(await count(`Modality = 'SEG' AND BodyPartExamined IS NULL`)).toBeGreaterThan(0);
    expect(await count(`Modality IN ('SR', 'RTSTRUCT') AND PhotometricInterpretation IS NOT NULL`)).toBe(0);
    expect(await count('PatientSex IS NULL')).toBeGreaterThan(0);
    expect(await count('PatientAge IS NULL')).toBeGreaterThan(0);
    expect(await count(`PatientAge = '' OR PatientSex = ''`)).toBe(0);
  });

  test('values that differ in case only', async () => {
    const rows = await query(
      `SELECT DISTINCT BodyPartExamined AS b FROM ${table(3, 'index')} WHERE b ILIKE 'phantom' ORDER BY ALL`,
    );
    expect(rows).toEqual([{ b: 'PHANTOM' }, { b: 'Phantom' }]);
  });

  test('a licence that the bucket does not tell: not for commercial use, in the open bucket', async () => {
    expect(
      await count(`license_short_name = 'CC BY-NC 4.0' AND aws_bucket = 'sample-open-data'`),
    ).toBeGreaterThan(0);
    const rows = await query(
      `SELECT DISTINCT license_short_name AS l FROM ${table(3, 'index')} ORDER BY ALL`,
    );
    expect(rows.map((row) => row['l'])).toEqual(['CC BY 3.0', 'CC BY 4.0', 'CC BY-NC 4.0']);
    expect(await query(`SELECT DISTINCT aws_bucket AS b FROM ${table(3, 'index')}`)).toHaveLength(3);
  });
});

describe('data sets', () => {
  test('every DOI of the index has one citation and the licence of its series', async () => {
    for (const release of [1, 2, 3] as const) {
      const cited = await query(
        `WITH cited AS (
           SELECT s.source_doi AS doi, s.citation AS citation, s.license.license_short_name AS license
           FROM (SELECT unnest(sources) AS s FROM ${table(release, 'collections_index')})
           UNION SELECT source_DOI, citation, license_short_name FROM ${table(release, 'analysis_results_index')})
         SELECT source_DOI, i.license_short_name AS license, list(DISTINCT citation) AS citations, list(DISTINCT cited.license) AS licenses
         FROM ${table(release, 'index')} AS i LEFT JOIN cited ON doi = source_DOI GROUP BY ALL`,
      );
      expect(cited.length).toBeGreaterThanOrEqual(5);
      for (const row of cited) {
        expect(row['citations']).toHaveLength(1);
        expect(row['licenses']).toEqual([row['license']]);
      }
    }
  });

  test('subjects are the PatientIDs of the index', async () => {
    const rows = await query(
      `SELECT c.collection_id, c.subjects, count(DISTINCT PatientID) AS counted
       FROM ${table(3, 'collections_index')} AS c LEFT JOIN ${table(3, 'index')} AS i USING (collection_id) GROUP BY ALL`,
    );
    expect(rows).toHaveLength(5);
    for (const row of rows) expect(row['subjects']).toBe(row['counted']);
    const [result] = await query(
      `SELECT a.subjects, a.collections, count(DISTINCT PatientID) AS counted, string_agg(DISTINCT collection_id, ', ' ORDER BY collection_id) AS found
       FROM ${table(3, 'analysis_results_index')} AS a JOIN ${table(3, 'index')} AS i USING (analysis_result_id) GROUP BY ALL`,
    );
    expect(result?.['subjects']).toBe(result?.['counted']);
    expect(result?.['collections']).toBe(result?.['found']);
  });
});

describe('specialised tables', () => {
  const joined = (name: string, modality: string) =>
    query(
      `SELECT count(*) AS n, count(t.SeriesInstanceUID) AS joined FROM ${table(3, 'index')} AS i
       FULL JOIN (SELECT DISTINCT SeriesInstanceUID FROM ${table(3, name)}) AS t USING (SeriesInstanceUID)
       WHERE Modality = '${modality}' OR Modality IS NULL`,
    );

  test.each([
    ['sm_index', 'SM'],
    ['sm_instance_index', 'SM'],
    ['seg_index', 'SEG'],
    ['rtstruct_index', 'RTSTRUCT'],
  ])('%s has every %s series of the release, and no other', async (name, modality) => {
    const [row] = await joined(name, modality);
    expect(row?.['n']).toBeGreaterThan(0);
    expect(row?.['joined']).toBe(row?.['n']);
  });

  test('sm_instance_index has every file of a slide with its size', async () => {
    const rows = await query<{ size: number; megabytes: number }>(
      `SELECT sum(instance_size)::DOUBLE AS size, any_value(series_size_MB) AS megabytes
       FROM ${table(3, 'sm_instance_index')} JOIN ${table(3, 'index')} USING (SeriesInstanceUID) GROUP BY SeriesInstanceUID`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { size, megabytes } of rows) expect(size).toBe(Math.round(megabytes * 1e6));
  });

  test('derived series refer to images that the release holds', async () => {
    const rows = await query(
      `SELECT count(*) AS n, count(i.SeriesInstanceUID) AS found FROM (
         SELECT segmented_SeriesInstanceUID AS uid FROM ${table(3, 'seg_index')}
         UNION ALL SELECT referenced_SeriesInstanceUID FROM ${table(3, 'rtstruct_index')})
       LEFT JOIN ${table(3, 'index')} AS i ON i.SeriesInstanceUID = uid AND i.Modality = 'CT'`,
    );
    expect(rows[0]?.['n']).toBe(rows[0]?.['found']);
  });

  test('the clinical dictionary names the columns that the clinical tables have, and their values', async () => {
    const rows = await query<{ t: string; c: string; v: { option_code: string }[] }>(
      `SELECT short_table_name AS t, "column" AS c, "values" AS v FROM ${table(3, 'clinical_index')}`,
    );
    const tables = [...new Set(rows.map(({ t }) => t))];
    expect(tables.sort()).toEqual(['sample_brain_clinical', 'sample_torso_clinical']);
    for (const name of tables) {
      const described = await query<{ column_name: string }>(`DESCRIBE FROM ${table(3, name)}`);
      expect(described.map(({ column_name }) => column_name)).toEqual(
        rows.filter(({ t }) => t === name).map(({ c }) => c),
      );
      for (const { c, v } of rows.filter(({ t, v: values }) => t === name && values.length > 0)) {
        const found = await query<{ value: string }>(
          `SELECT DISTINCT "${c}" AS value FROM ${table(3, name)}`,
        );
        const codes = v.map(({ option_code }) => option_code);
        expect(found.filter(({ value }) => !codes.includes(value))).toEqual([]);
      }
      const missing = await query(
        `SELECT DISTINCT PatientID FROM ${table(3, 'index')} WHERE collection_id = '${name.replace('_clinical', '')}'
         EXCEPT SELECT dicom_patient_id FROM ${table(3, name)}`,
      );
      expect(missing).toEqual([]);
    }
  });
});
