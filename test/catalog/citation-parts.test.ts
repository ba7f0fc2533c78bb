import { describe, expect, test } from 'vitest';
import { citationParts } from '../../src/catalog/citation-parts.ts';

describe('a reference is taken apart where its parts are plainly there', () => {
  test('people, year, version, publisher', () => {
    expect(
      citationParts(
        'Kalpathy-Cramer, J., Napel, S., & Zhao, B. (2015). QIN multi-site (Version 3) [Data set]. The Cancer Imaging Archive. https://doi.org/10.7937/X',
      ),
    ).toEqual({
      authors: [
        { family: 'Kalpathy-Cramer', given: 'J.' },
        { family: 'Napel', given: 'S.' },
        { family: 'Zhao', given: 'B.' },
      ],
      others: false,
      year: '2015',
      version: '3',
      publisher: 'The Cancer Imaging Archive',
    });
  });

  test.each([
    [
      'Armato III, Samuel G., Van Beek, E. J. R., … Clarke, L. P. (2015). T.',
      true,
      ['Armato III/Samuel G.', 'Van Beek/E. J. R.', 'Clarke/L. P.'],
    ],
    ['Siot, P.-H., & LE, V. K. (2026). T.', false, ['Siot/P.-H.', 'LE/V. K.']],
    [
      'National Lung Screening Trial Research Team. (2013). T.',
      false,
      ['National Lung Screening Trial Research Team'],
    ],
    ['Proteomic Consortium (CPTAC). (2018). T.', false, ['Proteomic Consortium (CPTAC)']],
    ['Clunie, D., GTEx Consortium, & Kim, E. (2024). T.', false, ['Clunie, D., GTEx Consortium, & Kim, E.']],
    ['Deepa Krishnaswamy, & Andrey Fedorov (2024). T.', false, ['Deepa Krishnaswamy, & Andrey Fedorov']],
    ['A title without anything', false, []],
    ['', false, []],
  ])('%s', (text, others, names) => {
    const parts = citationParts(text);
    const shown = parts.authors.map((one) => ('literal' in one ? one.literal : `${one.family}/${one.given}`));
    expect([parts.others, shown]).toEqual([others, names]);
  });
});
