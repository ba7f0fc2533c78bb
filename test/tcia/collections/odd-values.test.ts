import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressOf,
  dateOf,
  doiOf,
  idsOf,
  isTicked,
  numberOf,
  sizeOf,
} from '../../../src/tcia/collections/odd-values.ts';
import { plainList, plainText, splitList } from '../../../src/tcia/collections/plain-text.ts';

describe('texts of WordPress', () => {
  test.each([
    ['<p>H&amp;E&nbsp;slides<br>of <em>lymph nodes</em></p>', 'H&E slides of lymph nodes'],
    ['Biobank &#8211; Collection &#x27;9&#x27;', "Biobank – Collection '9'"],
    ['tumours < 3 cm, p<0.05', 'tumours < 3 cm, p<0.05'],
    ['a<script>alert(1)</script>b<!-- c -->', 'a b'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    [
      'see <a href="x">https://h/aspera/faspex/public/package?a=1&amp;context=eyJ=</a> now',
      'see [link to a package] now',
    ],
    ['&unknown; &#xD800; &#0;', '&unknown; &#xD800; &#0;'],
    [{ rendered: ' a  b ' }, 'a b'],
    [{ ID: 3, post_title: 'NBIA Data Retriever' }, 'NBIA Data Retriever'],
    [['CT', false, '', 'MR', 'CT'], 'CT, MR'],
    [12, '12'],
    [false, ''],
    [null, ''],
    [{}, ''],
  ])('%j reads %j', (value, text) => expect(plainText(value)).toBe(text));

  test('lists come as lists, as one text, and as objects whose members are numbered', () => {
    expect(plainList({ 0: 'Esophagus', 2: 'Stomach' })).toEqual(['Esophagus', 'Stomach']);
    expect(splitList('Lung Cancer, Liver Cancer; Other')).toEqual(['Lung Cancer', 'Liver Cancer', 'Other']);
    expect(splitList(['Kidney, renal pelvis', 'Lung'])).toEqual(['Kidney, renal pelvis', 'Lung']);
    expect(splitList(false)).toEqual([]);
  });

  test('no value whatever throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(typeof plainText(value)).toBe('string');
        for (const read of [numberOf, dateOf, doiOf, idsOf, addressOf, isTicked]) read(value);
        sizeOf(value, value);
      }),
    );
  });
});

describe('numbers, dates and sizes', () => {
  test.each([
    ['1,234', 1234],
    [' 43 120 ', 43120],
    [18, 18],
    ['18.0', 18],
    ['-1', null],
    ['about 20', null],
    ['', null],
    [false, null],
  ])('%j counts %j', (value, count) => expect(numberOf(value)).toBe(count));

  test.each([
    ['2024-05-31T10:00:00', '2024-05-31'],
    ['20240531', '2024-05-31'],
    ['5/3/2024', '2024-05-03'],
    ['July 2, 2026', '2026-07-02'],
    ['2024-02-30', null],
    ['20241301', null],
    ['soon', null],
    [false, null],
  ])('%j is the day %j', (value, day) => expect(dateOf(value)).toBe(day));

  test.each([
    ['1.2', 'gb', 1_200_000_000],
    ['220.5', 'GB', 220_500_000_000],
    ['356 MB', '', 356_000_000],
    ['356 MB', 'GB', 356_000_000],
    ['1,024', 'kb', 1_024_000],
    ['1', 'GiB', 1_073_741_824],
    [22.1, 'GB', 22_100_000_000],
    ['1.5', 'TB', 1_500_000_000_000],
    ['12', '', null],
    ['unknown', 'GB', null],
    ['1,5', 'GB', null],
    ['0', 'GB', null],
    [false, false, null],
  ])('(%j, %j) is %j bytes', (size, unit, bytes) => expect(sizeOf(size, unit)).toBe(bytes));
});

describe('references', () => {
  test.each([
    ['https://doi.org/10.7937/TCIA.FEFX-SN51', '10.7937/tcia.fefx-sn51'],
    ['doi:10.7937/NVA3-N783.', '10.7937/nva3-n783'],
    ['10.7937/E7KH-R486 ', '10.7937/e7kh-r486'],
    [
      '<a href="https://dx.doi.org/10.7937%2FK9/TCIA.2016.ELN8YGLE">here</a>',
      '10.7937/k9/tcia.2016.eln8ygle',
    ],
    ['(https://doi.org/10.5281/zenodo.123)', '10.5281/zenodo.123'],
    ['none', null],
    [false, null],
  ])('the DOI of %j is %j', (value, doi) => expect(doiOf(value)).toBe(doi));

  test('ids come as numbers, as text and as posts; each once, nothing for false', () => {
    expect(idsOf([1001, '1002', { ID: 1003 }, { id: '1001' }, false, '', 0, 'x'])).toEqual([
      1001, 1002, 1003,
    ]);
    expect(idsOf(false)).toEqual([]);
    expect(idsOf('7')).toEqual([7]);
    expect(idsOf({ 0: 5, 3: 6 })).toEqual([5, 6]);
  });

  test('an address loses what HTML did to it, and nothing else', () => {
    expect(addressOf(' https://h/?context=ey+/J%3D%3D&amp;redirected=true&#038;a=&lt; ')).toBe(
      'https://h/?context=ey+/J%3D%3D&redirected=true&a=&lt;',
    );
    expect(addressOf('ftp://h/')).toBeNull();
    expect(addressOf('https://')).toBeNull();
    expect(addressOf(false)).toBeNull();
  });

  test.each([
    ['1', true],
    [1, true],
    [true, true],
    [['1'], true],
    ['0', false],
    ['', false],
    [false, false],
    [[], false],
  ])('%j is ticked: %j', (value, ticked) => expect(isTicked(value)).toBe(ticked));
});
