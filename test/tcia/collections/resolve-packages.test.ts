import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSecret, type TciaCatalogue, withoutSecret } from '../../../src/tcia/collections/collection.ts';
import { fetchCatalogue } from '../../../src/tcia/collections/fetch-catalogue.ts';
import { findByLink, resolvePackages } from '../../../src/tcia/collections/resolve-packages.ts';
import { type CollectionRig, startCollections } from '../server/collection-rig.ts';
import { packageLink } from '../server/fixtures-collections.ts';

let rig: CollectionRig;
let catalogue: TciaCatalogue;
beforeAll(async () => {
  rig = await startCollections();
  catalogue = await fetchCatalogue(rig.servers, rig.ask);
});
afterAll(async () => await rig.close());

const packages = async (what: string, downloads: string[] = []) =>
  await resolvePackages(what, { catalogue, servers: rig.servers, downloads });
const ids = async (what: string, downloads: string[] = []) =>
  (await packages(what, downloads)).downloads.map(({ id }) => id);

describe('which downloads of a data set are fetched', () => {
  test('the only one; or the only one with images, and the others are named', async () => {
    expect(await packages('RIDER Pilot')).toMatchObject({ downloads: [{ id: 1030 }], notes: [] });
    const dlbcl = await packages('DLBCL-Morphology');
    expect(dlbcl.downloads.map(({ id }) => id)).toEqual([1001]);
    expect(dlbcl.notes.join()).toContain('1002 Clinical data (spreadsheet)');
    expect(await ids('QIBA-VolCT-1B')).toEqual([1080]);
  });

  test('of several with images one must be chosen: the error lists them', async () => {
    await expect(packages('CMB-GEC')).rejects.toMatchObject({
      code: 'ambiguous',
      next: 'choose with --download: 1010 Images (nbia); 1011 Tissue Slide Images (faspex); 1012 Molecular test results (spreadsheet); or --download all',
    });
  });

  test.each([
    [['1011'], [1011]],
    [['faspex'], [1011]],
    [['tissue slide images'], [1011]],
    [['Images'], [1010]],
    [['slide'], [1011]],
    [['pathology svs'], [1011]],
    [
      ['molecular', '1010'],
      [1010, 1012],
    ],
    [['nbia', 'Images'], [1010]],
    [['all'], [1010, 1011, 1012]],
  ])('%j chooses %j', async (choice, chosen) => expect(await ids('CMB-GEC', choice)).toEqual(chosen));

  test('pathdb means slides of a package that PathDB has one by one', async () => {
    const { downloads } = await packages('CMB-GEC', ['1010', 'pathdb']);
    expect(downloads.map(({ id, kind, url, size }) => [id, kind, url === null, size])).toEqual([
      [1010, 'nbia', false, 22_100_000_000],
      [1011, 'pathdb', true, null],
    ]);
    expect(await ids('CPTAC-Slides', ['pathdb'])).toEqual([1060]);
    await expect(packages('HER2 tumor ROIs', ['pathdb'])).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a choice that means several, or none, is refused with the choices', async () => {
    await expect(packages('HER2 tumor ROIs', ['slides'])).rejects.toMatchObject({
      code: 'ambiguous',
      message: 'slides means 2 downloads of HER2 tumor ROIs',
    });
    await expect(packages('CMB-GEC', ['genomes'])).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('1011 Tissue Slide Images') as string,
    });
    await expect(packages('CMB-GEC', [' '])).rejects.toMatchObject({ code: 'ambiguous' });
  });

  test('controlled data is refused with the page that tells how to apply; all means all that can be had', async () => {
    await expect(packages('ReMIND-Faces', ['1040'])).rejects.toMatchObject({
      code: 'permission',
      next: expect.stringContaining('controlled-data-access-policy') as string,
    });
    const all = await packages('ReMIND-Faces', ['all']);
    expect(all.downloads.map(({ id }) => id)).toEqual([1041]);
    expect(all.notes.join()).toContain('controlled access');
  });

  test('what is elsewhere is refused with its address', async () => {
    await expect(packages('QIBA-VolCT-1B', ['zenodo'])).rejects.toMatchObject({
      code: 'unsupported',
      next: 'see https://zenodo.org/record/1',
    });
  });
});

describe('links to packages', () => {
  test.each([
    packageLink(762),
    `${packageLink(762)}&redirected=true`,
    `${packageLink(762)}&amp;redirected=true`,
    packageLink(762).replaceAll('=', '%3D').replace('context%3D', 'context='),
    packageLink(762).replace(/=+$/, ''),
    packageLink(762).replace('/aspera/faspex/public/package', '/'),
  ])('form %#: the download that they belong to is found', (link) => {
    expect(findByLink(link, catalogue)).toMatchObject({
      collection: { name: 'CMB-GEC' },
      download: { id: 1011 },
    });
  });

  test('of no download, and texts that are no link', () => {
    expect(findByLink(packageLink(1), catalogue)).toBeUndefined();
    expect(findByLink('CMB-GEC', catalogue)).toBeUndefined();
  });

  test('are secrets: output has none', () => {
    const secrets = catalogue.downloads.filter(isSecret);
    expect(secrets.map(({ id }) => id)).toEqual([1001, 1011, 1020, 1021]);
    expect(JSON.stringify(catalogue.downloads.map(withoutSecret))).not.toMatch(/context=/);
  });
});
