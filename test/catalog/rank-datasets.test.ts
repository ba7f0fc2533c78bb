import { describe, expect, test } from 'vitest';
import type { DatasetText } from '../../src/catalog/dataset-texts.ts';
import { editDistance, nearest } from '../../src/catalog/nearest.ts';
import { rankDatasets, wordsOf } from '../../src/catalog/rank-datasets.ts';

const of = (id: string, fields: DatasetText['fields'] = {}): DatasetText => ({
  kind: 'collection',
  id,
  fields: { id, ...fields },
});
const TEXTS = [
  of('lung_ct', { cancerTypes: 'Lung Cancer', modalities: 'CT, RTSTRUCT' }),
  of('nlst', { title: 'National Lung Screening Trial', locations: 'Lung', modalities: 'CT, SM' }),
  of('nlst_seg', { title: 'Segmentations of NLST' }),
  of('brain_mr', { description: 'No lung is seen. Tumours of Müller & Søn.', species: 'Human' }),
];
const ids = (...words: string[]) => rankDatasets(TEXTS, words).datasets.map(({ id }) => id);

describe('data sets by words', () => {
  test.each([
    [['lung'], ['lung_ct', 'nlst', 'brain_mr']],
    [['nlst'], ['nlst', 'nlst_seg']],
    [
      ['lung', 'CT'],
      ['lung_ct', 'nlst'],
    ],
    [['LUNG_CT'], ['lung_ct', 'nlst']],
    [['lung', 'brain'], ['brain_mr']],
    [['tumour'], ['brain_mr']],
    [['muller'], ['brain_mr']],
    // RTSTRUCT are contours; what stands in the words themselves comes first.
    [['segment'], ['nlst_seg', 'lung_ct']],
    [['pathology'], ['nlst']],
    [['pulmonary'], ['lung_ct', 'nlst', 'brain_mr']],
    [
      ['lung', 'and', 'the', 'ct'],
      ['lung_ct', 'nlst'],
    ],
    [
      ['computed', 'tomography'],
      ['lung_ct', 'nlst'],
    ],
    [['ct'], ['lung_ct', 'nlst']],
    [['lung', 'mouse'], []],
    [[], []],
    [['…', '  '], []],
  ])('%j finds %j', (words, expected) => {
    expect(ids(...words)).toEqual(expected);
  });

  test('says in which field a word was best found, and how often each word is there', () => {
    const { datasets, counts, unknown } = rankDatasets(TEXTS, ['lung', 'sm', 'lnug']);
    expect([datasets, Object.fromEntries(counts)]).toEqual([[], { lung: 3, sm: 1, lnug: 0 }]);
    expect(unknown).toEqual([{ term: 'lnug', suggestions: ['lung'] }]);
    expect(rankDatasets(TEXTS, ['lung', 'sm']).datasets[0]?.found).toEqual({
      lung: 'title',
      sm: 'modalities',
    });
  });

  test('the order does not depend on the order of the tables', () => {
    expect(rankDatasets(TEXTS.toReversed(), ['lung']).datasets).toEqual(
      rankDatasets(TEXTS, ['lung']).datasets,
    );
  });

  test('words are letters and digits of any script', () => {
    expect(wordsOf('Non-small (NSCLC), 4D; Łódź 王')).toEqual(['non', 'small', 'nsclc', '4d', 'łodz', '王']);
  });
});

describe('the nearest words', () => {
  test.each([
    ['lnug', 'lung', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['same', 'same', 0],
  ])('%j and %j are %i edits apart', (a, b, edits) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([edits, edits]);
  });
  test.each([
    ['BodyPart', ['BodyPartExamined']],
    ['collectionid', ['collection_id']],
    ['Modalty', ['Modality']],
    ['xyz', []],
    ['', []],
  ])('of columns to %j are %j', (text, expected) => {
    expect(nearest(text, ['Modality', 'BodyPartExamined', 'collection_id', 'PatientID'])).toEqual(expected);
  });
});

test('where nothing holds all words, it says which one to leave out', () => {
  expect(rankDatasets(TEXTS, ['screening', 'brain']).without).toEqual([
    { term: 'screening', datasets: 1 },
    { term: 'brain', datasets: 1 },
  ]);
  expect(rankDatasets(TEXTS, ['lung', 'ct']).without).toEqual([]);
});

test('who asks for tumors wants carcinomas too, and not the other way round', () => {
  const texts = [of('a', { cancerTypes: 'Glioblastoma' }), of('b', { cancerTypes: 'Brain Cancer' })];
  const found = (word: string) => rankDatasets(texts, [word]).datasets.map(({ id }) => id);
  expect(found('tumor')).toEqual(['a', 'b']);
  expect(found('glioblastoma')).toEqual(['a']);
  expect(found('GBM')).toEqual(['a']);
});

test('a part of a long word is suggested only where nothing is nearer', () => {
  expect(nearest('glioblastma', ['glioblastoma', 'last'])).toEqual(['glioblastoma']);
  expect(nearest('unlasting', ['last'])).toEqual(['last']);
});
