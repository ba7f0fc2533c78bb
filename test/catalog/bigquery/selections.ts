/** Selections that both engines must agree about, over the columns that every archive has. */
import type { Selection } from '../../../src/catalog/index.ts';

/** What differs from archive to archive. */
export interface Values {
  collection: string;
  modality: string;
  otherModality: string;
  patient: string;
  study: string;
  series: string[];
  uuid: string;
  license: string;
  analysisResult: string;
  words: string[];
}

/** Name → selection. */
export function selectionsOf(some: Values): [string, Selection][] {
  const split = [
    { name: 'train', share: 0.7 },
    { name: 'val', share: 0.2 },
    { name: 'test', share: 0.1 },
  ];
  return [
    ['everything', {}],
    ['a collection', { collection: [some.collection] }],
    ['a collection in other letters', { collection: [some.collection.toUpperCase()] }],
    [
      'two modalities of a collection',
      { collection: [some.collection], modality: [some.modality, some.otherModality] },
    ],
    ['a patient', { patient: [some.patient] }],
    ['a study', { study: [some.study] }],
    ['series', { series: some.series }],
    ['a version', { crdcSeriesUuid: [some.uuid] }],
    ['a licence', { license: [some.license] }],
    ['commercial use', { license: ['commercial'] }],
    ['commercial use, and a licence by name', { license: ['commercial', some.license] }],
    ['an analysis result', { analysisResult: [some.analysisResult] }],
    ['originals', { analysisResults: 'exclude' }],
    ['derived data', { analysisResults: 'only', modality: ['SEG'] }],
    [
      'a body part and a manufacturer that are nowhere',
      { bodyPart: ['NOSUCHPART'], manufacturer: ['Nobody'] },
    ],
    ['a condition', { where: ["Modality = 'SEG' OR instanceCount > 5"] }],
    [
      'two conditions',
      { where: ['instanceCount BETWEEN 2 AND 40', 'BodyPartExamined IS NOT NULL -- known'] },
    ],
    [
      'a statement',
      {
        sql: `SELECT SeriesInstanceUID FROM index WHERE Modality = '${some.modality}' AND series_size_MB < 20`,
      },
    ],
    [
      'a statement with a step of its own',
      {
        sql: 'WITH big AS (SELECT crdc_series_uuid FROM index WHERE instanceCount > 10) SELECT crdc_series_uuid FROM big',
      },
    ],
    ['words', { words: some.words }],
    ['a sample of patients', { sample: 3, seed: 7 }],
    ['a sample of patients of a modality', { sample: 2, modality: [some.modality] }],
    ['a sample of series', { sample: 5, sampleBy: 'series', seed: 11 }],
    ['a split', { split, seed: 3 }],
    ['a split of a sample', { split, sample: 4 }],
    ['the largest', { order: [{ column: 'bytes', descending: true }], limit: 4 }],
    [
      'an order by what may be empty',
      { order: [{ column: 'BodyPartExamined' }, { column: 'instanceCount', descending: true }], limit: 30 },
    ],
    ['the first', { limit: 3 }],
    ['quotation marks and stranger things', { collection: ["it's", 'back\\slash', '"q"', 'é😀', 'a\tb'] }],
  ];
}
