import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TciaCatalogue } from '../../../src/tcia/collections/collection.ts';
import { fetchCatalogue } from '../../../src/tcia/collections/fetch-catalogue.ts';
import { resolveCollection } from '../../../src/tcia/collections/resolve-collection.ts';
import { searchCollections } from '../../../src/tcia/collections/search-collections.ts';
import { type CollectionRig, startCollections } from '../server/collection-rig.ts';
import { PASSCODE, packageLink } from '../server/fixtures-collections.ts';

let rig: CollectionRig;
let catalogue: TciaCatalogue;
beforeAll(async () => {
  rig = await startCollections();
  catalogue = await fetchCatalogue(rig.servers, rig.ask);
});
afterAll(async () => await rig.close());

const resolve = async (what: string, online = false) => {
  const options = { catalogue, servers: rig.servers };
  return (await resolveCollection(what, online ? { ...options, ask: rig.ask } : options)).name;
};

describe('what names a data set of TCIA', () => {
  test.each([
    'DLBCL-Morphology',
    'dlbcl-morphology',
    ' DLBCL_morphology ',
    'dlbcl morphology',
    '10.7937/TCIA.FEFX-SN51',
    'doi:10.7937/tcia.fefx-sn51',
    'https://doi.org/10.7937/TCIA.FEFX-SN51.',
    'http://dx.doi.org/10.7937%2FTCIA.FEFX-SN51',
    'doi.org/10.7937/tcia.fefx-sn51?x=1#y',
    'https://www.cancerimagingarchive.net/collection/dlbcl-morphology/',
    'https://cancerimagingarchive.net/collection/DLBCL-Morphology?utm=1#citations',
    'www.cancerimagingarchive.net/collection/dlbcl-morphology',
    'http://www.cancerimagingarchive.net/collections/dlbcl-morphology/',
    'https://wiki.cancerimagingarchive.net/display/Public/DLBCL-Morphology',
    'https://nbia.cancerimagingarchive.net/nbia-search/?MinNumberOfStudiesCriteria=1&amp;CollectionCriteria=DLBCL-Morphology',
  ])('%s', async (what) => expect(await resolve(what)).toBe('DLBCL-Morphology'));

  test('any name, however its words are joined and whatever its case', async () => {
    const words = (name: string) =>
      fc.tuple(...name.split(/[\s-]/).map((word) => fc.mixedCase(fc.constant(word))));
    const joined = fc
      .constantFrom(...catalogue.collections.map(({ name }) => name))
      .chain((name) => fc.tuple(fc.constant(name), words(name), fc.constantFrom(' ', '_', '-', '')));
    await fc.assert(
      fc.asyncProperty(joined, async ([name, parts, glue]) => {
        expect(await resolve(parts.join(glue))).toBe(name);
      }),
    );
  });

  test('a page of the server that is asked', async () => {
    expect(await resolve(`${rig.servers.wordpress}/analysis-result/qiba-volct-1b/`)).toBe('QIBA-VolCT-1B');
  });

  test('its title as a whole, and an old page of the wiki with blanks', async () => {
    expect(await resolve('qiba volct group 1b round 2 no change size measurements')).toBe('QIBA-VolCT-1B');
    expect(await resolve('https://wiki.cancerimagingarchive.net/display/Public/HER2+tumor+ROIs')).toBe(
      'HER2 tumor ROIs',
    );
  });

  test('a retired one by its name: lists hide it, names find it', async () => {
    expect(await resolve('Old-Phantom')).toBe('Old-Phantom');
  });
});

describe('what the catalogue does not know', () => {
  test('the DOI of an older version leads through DataCite to the page, where that may be asked', async () => {
    await expect(resolve('10.7937/OLD1-GEC0')).rejects.toMatchObject({ code: 'not-found' });
    expect(await resolve('10.7937/OLD1-GEC0', true)).toBe('CMB-GEC');
    await expect(resolve('10.7937/else-0001', true)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a page that moved is followed, where that may be asked', async () => {
    const page = 'https://www.cancerimagingarchive.net/collection/cmb-gastroesophageal/';
    await expect(resolve(page)).rejects.toMatchObject({ code: 'not-found' });
    expect(await resolve(page, true)).toBe('CMB-GEC');
  });

  test.each([
    ['DLBCL-Morphologie', 'DLBCL-Morphology'],
    ['morphology', 'DLBCL-Morphology'],
    ['cmbgce', 'CMB-GEC'],
    ['HER2-tumour-ROI', 'HER2 tumor ROIs'],
    ['10.7937/e7kh-r468', 'CMB-GEC'],
  ])('%s: did you mean %s?', async (what, name) => {
    await expect(resolve(what)).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringMatching(new RegExp(`^did you mean ${name}[,?]`)) as string,
    });
  });

  test('nothing is proposed that is not like it, and nothing that is hidden', async () => {
    await expect(resolve('zzzzqqq')).rejects.toMatchObject({
      next: expect.stringContaining('--refresh') as string,
    });
    await expect(resolve('Old-Phantoms')).rejects.not.toMatchObject({
      next: expect.stringContaining('Old-Phantom') as string,
    });
  });
});

describe('what names no data set is told apart', () => {
  test.each([
    ['https://wiki.cancerimagingarchive.net/pages/viewpage.action?pageId=70225642', 'old wiki'],
    ['https://wiki.cancerimagingarchive.net/x/c4hF', 'old wiki'],
    ['https://www.cancerimagingarchive.net/browse-collections/', 'names no data set'],
    ['https://www.cancerimagingarchive.net/wp-content/uploads/a.xlsx', 'a file'],
    ['https://example.org/collection/x/', 'no site of The Cancer Imaging Archive'],
    ['   ', 'no name'],
    ['a\u0000b', 'no name'],
  ])('%s', async (what, says) => {
    await expect(resolve(what)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(says) as string,
    });
  });

  test.each([
    packageLink(1).replace('https://', ''),
    packageLink(1).replace(/^.*\?/, ''),
    packageLink(1).replace(/^.*context=/, ''),
    packageLink(1),
    packageLink(1).replaceAll('&', '&amp;'),
    packageLink(1, 'http://127.0.0.1:9'),
  ])('a link to a package, which is not repeated', async (link) => {
    const error: unknown = await resolve(link).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'bad-input' });
    const { message, item, next } = error as { message: string; item?: string; next?: string };
    expect(JSON.stringify([message, item, next])).not.toMatch(/context=|eyJ/);
    expect(JSON.stringify([message, item, next])).not.toContain(PASSCODE);
  });
});

describe('search by words', () => {
  const names = (question: Parameters<typeof searchCollections>[1]) =>
    searchCollections(catalogue, question).map(({ name }) => name);

  test('without words all that TCIA lists, by name', () => {
    expect(names({})).toEqual([
      'CMB-GEC',
      'CPTAC-Slides',
      'DLBCL-Morphology',
      'HER2 tumor ROIs',
      'QIBA-VolCT-1B',
      'ReMIND-Faces',
      'RIDER Pilot',
      'Sample-Torso',
    ]);
    expect(names({ hidden: true })).toContain('Old-Phantom');
  });

  test('all words must be found; names go before texts', () => {
    expect(names({ words: ['lung'] })).toEqual(['QIBA-VolCT-1B', 'RIDER Pilot', 'CPTAC-Slides']);
    expect(names({ words: ['lung', 'segmentation'] })).toEqual([]);
    expect(names({ words: ['lung sr'] })).toEqual(['QIBA-VolCT-1B']);
    expect(names({ words: ['cptac'] })).toEqual(['CPTAC-Slides']);
    expect(names({ words: ['mullerian'] })).toEqual(['CPTAC-Slides']);
  });

  test('by kind of data set, and by kind of download', () => {
    expect(names({ kinds: ['analysis-result'] })).toEqual(['QIBA-VolCT-1B']);
    expect(names({ downloads: ['faspex'] })).toEqual(['CMB-GEC', 'DLBCL-Morphology', 'HER2 tumor ROIs']);
    expect(names({ downloads: ['pathdb', 'spreadsheet'], words: ['cmb'] })).toEqual(['CMB-GEC']);
  });
});
