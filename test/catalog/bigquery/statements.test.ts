import { describe, expect, test } from 'vitest';
import { builtInArchive } from '../../../src/archives/index.ts';
import { dataSetOf } from '../../../src/catalog/bigquery/data-set.ts';
import { statementsOf } from '../../../src/catalog/bigquery/plan.ts';
import type { Question, Selection } from '../../../src/catalog/index.ts';
import { selectionsOf } from './selections.ts';

const archive = builtInArchive('idc');
const SET = dataSetOf(archive, 25);

const SELECTIONS = selectionsOf({
  collection: 'nlst',
  modality: 'CT',
  otherModality: 'MR',
  patient: '100002',
  study: '1.2.840.113654.2.55.1',
  series: ['1.2.3', '1.2.4'],
  uuid: 'e127d258-37c2-47bb-a7d1-1faa7f47f47a',
  license: 'CC BY 4.0',
  analysisResult: 'bamf_aimi_annotations',
  words: ['lung', 'CT'],
});

const nameOf = (title: string) => title.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
const textOf = (question: Question) =>
  statementsOf(SET, question)
    .map(({ purpose, sql }) => `-- ${purpose}\n${sql};\n`)
    .join('\n');

describe('the statements in GoogleSQL', () => {
  test.each(SELECTIONS)('for %s are as written down', async (title, selection: Selection) => {
    await expect(textOf({ kind: 'count', selection })).toMatchFileSnapshot(
      `../../golden/bigquery/count/${nameOf(title)}.sql`,
    );
  });

  test('that count by values and add up', async () => {
    const text = textOf({
      kind: 'groups',
      selection: { collection: ['nlst'] },
      columns: ['Modality', 'BodyPartExamined'],
      sums: ['instanceCount', 'series_size_MB'],
      order: [{ column: 'instanceCount', descending: true }],
      limit: 10,
    });
    await expect(text).toMatchFileSnapshot('../../golden/bigquery/by.sql');
  });

  test('that list every column', async () => {
    const text = textOf({ kind: 'series', selection: { sample: 2, limit: 9 } });
    await expect(text).toMatchFileSnapshot('../../golden/bigquery/list.sql');
  });

  test('that list a few read no more tables than they need', async () => {
    const text = textOf({
      kind: 'series',
      selection: { order: [{ column: 'bytes' }] },
      columns: ['Modality'],
    });
    expect(text).not.toMatch(/dicom_metadata_curated|auxiliary_metadata/);
    await expect(text).toMatchFileSnapshot('../../golden/bigquery/list-few.sql');
  });

  test('name the data set of the release', () => {
    const [{ sql } = { sql: '' }] = statementsOf(dataSetOf(archive, 23), { kind: 'count', selection: {} });
    expect(sql).toContain('`bigquery-public-data.idc_v23.dicom_all`');
  });

  test('of a selection that is too long for BigQuery are refused before anything is sent', () => {
    const series = Array.from({ length: 30_000 }, (_, at) => `1.3.6.1.4.1.14519.5.2.1.7009.9004.${at}`);
    expect(() => statementsOf(SET, { kind: 'count', selection: { series } })).toThrow(
      /BigQuery takes 1048576/,
    );
  });

  test('find mistakes in columns before anything is sent', () => {
    const count = (selection: Selection, sums?: string[]) => () =>
      statementsOf(SET, { kind: 'count', selection, sums });
    expect(count({ order: [{ column: 'Modalty' }] })).toThrow('no column Modalty');
    expect(count({}, ['Modality'])).toThrow('not a number');
    expect(count({ sample: 0 })).toThrow('at least 1');
    expect(count({ sql: 'SELECT Modality FROM index' })).toThrow('names no series');
    expect(count({ where: ['a) OR (b'] })).toThrow('not one condition');
  });
});
