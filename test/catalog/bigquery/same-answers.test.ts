import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveRecord, builtInRecord } from '../../../src/archives/index.ts';
import type { Selection } from '../../../src/catalog/index.ts';
import { ensureSample, SAMPLE_VERSION } from '../../../src/sample/index.ts';
import { realWheel, unpackedWheel } from '../real-tables.ts';
import { runSql } from '../tiny-tables.ts';
import { pythonWithSqlglot } from './google-to-duckdb.ts';
import { selectionsOf, type Values } from './selections.ts';
import { openTwoEngines, type TwoEngines } from './two-engines.ts';

const { python, reason } = pythonWithSqlglot();
const wheel = await realWheel();

/** The engines over the sample archive's newest tables. */
async function overTheSample(): Promise<TwoEngines> {
  const { root } = await ensureSample({ dir: join(tmpdir(), `carrel-test-sample-${SAMPLE_VERSION}`) });
  const path = join(root, 'archive.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as ArchiveRecord;
  const tables = join(root, 'catalog', '3.0.0');
  return openTwoEngines({ python: python ?? '', record, base: path, tables, version: '3.0.0', release: 3 });
}

/** The engines over a part of the real tables: some collections whole, and one in 250 of the small series of all others. */
async function overRealTables(): Promise<TwoEngines> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-bigquery-real-'));
  try {
    const unpacked = await unpackedWheel(wheel.path ?? '');
    const part = join(folder, 'part');
    const all = (name: string) => join(unpacked, `${name}.parquet`);
    await mkdir(part);
    await runSql(
      `COPY (SELECT * FROM '${all('idc_index')}' WHERE collection_id IN ('rider_pilot', 'apollo_5_thym', 'cptac_sar', 'pdmr_texture_analysis')
         AND instanceCount < 100 OR instanceCount < 4 AND hash(SeriesInstanceUID) % 250 = 0) TO '${join(part, 'idc_index.parquet')}' (FORMAT parquet)`,
    );
    for (const name of ['collections_index', 'analysis_results_index', 'version_metadata_index'])
      await copyFile(all(name), join(part, `${name}.parquet`));
    const record = structuredClone(builtInRecord('idc'));
    for (const version of record.catalog?.versions ?? []) delete version.sha256;
    return await openTwoEngines({
      python: python ?? '',
      record,
      tables: part,
      version: '25.0.5',
      release: 25,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SAMPLE: Values = {
  collection: 'sample_torso',
  modality: 'CT',
  otherModality: 'SEG',
  patient: '',
  study: '',
  series: [],
  uuid: '',
  license: 'CC BY 4.0',
  analysisResult: 'sample_organ_segmentations',
  words: ['lung'],
};
const REAL: Values = {
  ...SAMPLE,
  collection: 'rider_pilot',
  otherModality: 'MR',
  analysisResult: 'bamf_aimi_annotations',
  words: ['lung', 'CT'],
};

const ARCHIVES = [
  {
    name: 'the sample archive',
    open: overTheSample,
    values: SAMPLE,
    skip: python === undefined,
    why: reason,
  },
  {
    name: 'a part of IDC v25',
    open: overRealTables,
    values: REAL,
    skip: python === undefined || wheel.path === undefined,
    why: `${reason}${wheel.reason}`,
  },
];

/** Notes without the words that say where a value was looked for. */
const notesOf = (notes: { field: string; value: string; unknown: boolean }[]) =>
  notes.map(({ field, value, unknown }) => ({ field, value, unknown }));

for (const { name, open, values, skip, why } of ARCHIVES) {
  describe.skipIf(skip)(`both engines over ${name}${skip ? ` (skipped: ${why})` : ''}`, () => {
    let engines: TwoEngines;
    let selections: [string, Selection][];
    beforeAll(async () => {
      engines = await open();
      const { rows } = await engines.duckdb.select({ collection: [values.collection] });
      const [row] = rows;
      selections = selectionsOf({
        ...values,
        patient: row?.PatientID ?? '',
        study: row?.StudyInstanceUID ?? '',
        series: rows.slice(0, 40).map(({ SeriesInstanceUID }) => SeriesInstanceUID),
        uuid: row?.crdc_series_uuid ?? '',
      });
    }, 240_000);
    afterAll(async () => {
      await engines.close();
    });

    test('make the same table index: every column of every series', async () => {
      const [one, other] = [await engines.duckdb.select({}), await engines.bigquery.select({})];
      expect(other.rows.length).toBe(one.rows.length);
      expect(one.rows.length).toBeGreaterThan(50);
      const known = Object.keys(one.rows[0]?.columns ?? {});
      for (const [at, row] of other.rows.entries()) {
        const wanted = one.rows[at];
        const columns = Object.fromEntries(known.map((column) => [column, row.columns[column] ?? null]));
        expect({ ...row, columns, minRelease: 0, buckets: row.buckets['aws'] }).toEqual({
          ...wanted,
          minRelease: 0,
          bytesRounded: false,
          buckets: wanted?.buckets['aws'],
        });
      }
    }, 120_000);

    test('count the same', async () => {
      for (const [title, selection] of selections) {
        const sums = ['instanceCount', 'series_size_MB', 'bytes'];
        const { notes, ...wanted } = await engines.duckdb.count(selection, { sums });
        const { notes: said, ...counts } = await engines.bigquery.count(selection, { sums });
        expect({ title, counts }).toEqual({ title, counts: { ...wanted, seriesRounded: 0 } });
        expect({ title, notes: notesOf(said) }).toEqual({
          title,
          notes: notesOf(notes.filter(({ field, unknown }) => field !== 'patient' || unknown)),
        });
      }
    }, 240_000);

    test('count the same by values', async () => {
      for (const [title, selection] of selections) {
        const { limit: _, order: __, ...rest } = selection;
        const options = {
          sums: ['instanceCount'],
          order: [{ column: 'patients', descending: true }],
          limit: 20,
        };
        for (const by of [
          ['Modality'],
          ['collection_id', 'BodyPartExamined'],
          ...(rest.split ? [['split']] : []),
        ]) {
          const { rows } = await engines.duckdb.groupBy(rest, by, options);
          const answer = await engines.bigquery.groupBy(rest, by, options);
          expect({ title, rows: answer.rows }).toEqual({
            title,
            rows: rows.map((row) => ({ ...row, seriesRounded: 0 })),
          });
        }
      }
    }, 240_000);

    test('list the same series in the same order', async () => {
      for (const [title, selection] of selections) {
        const columns = ['Modality', 'PatientID', 'instanceCount', 'BodyPartExamined'];
        const { rows } = await engines.duckdb.select(selection, { columns });
        const answer = await engines.bigquery.select(selection, { columns });
        const seen = (list: typeof rows) =>
          list.map((row) => [row.SeriesInstanceUID, row.crdc_series_uuid, row.bytes, row.columns]);
        expect({ title, rows: seen(answer.rows) }).toEqual({ title, rows: seen(rows) });
      }
    }, 240_000);

    test('find the same data sets by words, best first', async () => {
      const wanted = await engines.duckdb.findDatasets(values.words);
      const { datasets } = await engines.bigquery.findDatasets(values.words);
      // Sizes over files are never rounded.
      expect(datasets).toEqual(wanted.datasets.map((one) => ({ ...one, seriesRounded: 0 })));
      expect(datasets.length).toBeGreaterThan(0);
    }, 60_000);

    test('answer a statement of the user the same, tables by their names', async () => {
      const statement =
        'SELECT Modality, count(*) AS n, sum(instanceCount) AS files FROM index GROUP BY Modality ORDER BY n DESC, Modality';
      const read = async (rows: AsyncIterable<unknown[][]>) => {
        const all: unknown[][] = [];
        for await (const piece of rows) all.push(...piece);
        return all;
      };
      const wanted = await engines.duckdb.query(statement);
      const answer = await engines.bigquery.query(statement);
      expect(await read(answer.rows)).toEqual(await read(wanted.rows));
      expect(answer.columns.map(({ name: column }) => column)).toEqual(['Modality', 'n', 'files']);
    }, 60_000);
  });
}
