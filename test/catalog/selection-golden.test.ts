import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Selection } from '../../src/catalog/index.ts';
import { catalogOf } from './compiled.ts';
import { temporaryFolder } from './tiny-tables.ts';

let root: Awaited<ReturnType<typeof temporaryFolder>>;
let compiled: Awaited<ReturnType<typeof catalogOf>>;
beforeAll(async () => {
  root = await temporaryFolder();
  compiled = await catalogOf(join(root.path, 'cache'));
});
afterAll(async () => {
  compiled.close();
  await root.remove();
});

const SELECTIONS: [string, Selection][] = [
  ['everything', {}],
  ['collection and modalities', { collection: ['alpha'], modality: ['CT', 'MR'] }],
  ['many series', { series: Array.from({ length: 40 }, (_, n) => `2.25.${n}`) }],
  [
    'condition and originals',
    { where: ["Modality = 'CT' OR instanceCount > 5"], analysisResults: 'exclude' },
  ],
  ['words', { words: ['alpha'] }],
  ['sample of patients, first three', { sample: 2, seed: 7, limit: 3 }],
  ['sample of series', { sample: 2, sampleBy: 'series' }],
  [
    'split',
    {
      split: [
        { name: 'train', share: 0.75 },
        { name: 'test', share: 0.25 },
      ],
    },
  ],
  ['order and limit', { order: [{ column: 'bytes', descending: true }, { column: 'patientid' }], limit: 2 }],
  ['statement', { sql: 'SELECT SeriesInstanceUID FROM index', modality: ['CT'] }],
];

describe('the SQL that selections compile to', () => {
  test('is as written down', async () => {
    let text = '';
    for (const [name, selection] of SELECTIONS) {
      const { from, ordered, order, parameters } = await compiled.compile(selection);
      const bound = Object.entries(parameters).map(
        ([key, value]) => `-- $${key} = ${JSON.stringify(Array.isArray(value) ? value.toSorted() : value)}\n`,
      );
      text += `-- ${name}${ordered ? '; in order by itself' : ''}${order === undefined ? '' : `; ORDER BY ${order}`}\n${bound.join('')}${from}\n\n`;
    }
    await expect(text).toMatchFileSnapshot('../golden/selections.sql');
  });
});
