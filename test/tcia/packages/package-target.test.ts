import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isPackageLink,
  onePackage,
  openCatalogue,
  splitWords,
  type TciaCatalogue,
  targetsOf,
} from '../../../src/tcia/index.ts';
import { startCollections } from '../server/collection-rig.ts';
import { packageLink } from '../server/fixtures-collections.ts';

async function withCatalogue(
  work: (options: Parameters<typeof targetsOf>[1]) => Promise<void>,
): Promise<void> {
  const rig = await startCollections();
  const cacheDir = await mkdtemp(join(tmpdir(), 'carrel-targets-'));
  try {
    const { catalogue } = await openCatalogue({ http: rig.ask.http, servers: rig.servers, cacheDir });
    const resolve = async () => ({ catalogue, servers: rig.servers, ask: rig.ask });
    await work({ resolve, kept: async () => catalogue });
  } finally {
    await rig.close();
    await rm(cacheDir, { recursive: true });
  }
}
const never = { resolve: async () => await Promise.reject(new Error('asked')) };

describe('what names data', () => {
  test.each([
    packageLink(739),
    `<${packageLink(739)}&amp;redirected=true>`,
    'https://faspex.cancerimagingarchive.net/?context=eyJ',
    'faspex.cancerimagingarchive.net/aspera/faspex/public/package?a=b&context=eyJ',
    'https://faspex.cancerimagingarchive.net/aspera/faspex/external_deliveries/74?passcode=x',
    packageLink(739).replace('?context=', '%3Fcontext%3D'),
  ])('a link: %s', (text) => expect(isPackageLink(text)).toBe(true));

  test.each([
    'DLBCL-Morphology',
    '10.7937/NVA3-N783',
    'https://www.cancerimagingarchive.net/collection/cmb-gec/',
    'context/a.svs',
  ])('no link: %s', (text) => expect(isPackageLink(text)).toBe(false));

  test('later words are paths, but for links, DOIs, addresses and names of the catalogue', () => {
    const kept = { collections: [{ name: 'CMB-GEC', slug: 'cmb-gec' }] } as unknown as TciaCatalogue;
    const words = [
      'her2',
      'Yale HER2/SVS',
      'cmb-gec',
      'CMB-GEC/',
      '10.7937/nva3-n783',
      packageLink(1),
      'a.sums',
    ];
    expect(splitWords(words, kept)).toEqual({
      whats: ['her2', 'cmb-gec', '10.7937/nva3-n783', packageLink(1)],
      paths: ['Yale HER2/SVS', 'CMB-GEC/', 'a.sums'],
    });
    expect(splitWords(['her2', 'cmb-gec']).paths).toEqual(['cmb-gec']);
  });
});

describe('targets', () => {
  test('a link asks nobody; the same package twice is one', async () => {
    const { packages } = await targetsOf([packageLink(739), `${packageLink(739)}&redirected=true`], never);
    expect(packages.map(({ link }) => link.packageId)).toEqual(['739']);
  });

  test('names are looked up; a link of a known package knows its data set', async () => {
    await withCatalogue(async (options) => {
      const named = await targetsOf(['dlbcl-morphology'], options);
      expect(named.packages).toMatchObject([{ name: 'DLBCL-Morphology', link: { packageId: '615' } }]);
      const { packages } = await targetsOf([packageLink(615)], options);
      expect(packages).toMatchObject([{ collection: { slug: 'dlbcl-morphology' }, download: { id: 1001 } }]);
    });
  });

  test('packages of one data set get folders of their own, by the titles of their downloads', async () => {
    await withCatalogue(async (options) => {
      const { packages } = await targetsOf(['HER2 tumor ROIs'], { ...options, downloads: ['all'] });
      expect(packages.map(({ name }) => name)).toEqual([
        'HER2 tumor ROIs Tissue Slides and ROIs',
        'HER2 tumor ROIs Tissue Slides, second package',
      ]);
    });
  });

  test('commands that take one package say what there is where it is not one', async () => {
    await withCatalogue(async (options) => {
      expect((await onePackage('CMB-GEC', options)).link.packageId).toBe('762');
      await expect(onePackage('HER2 tumor ROIs', options)).rejects.toMatchObject({
        code: 'ambiguous',
        next: expect.stringContaining('1021 Tissue Slides, second package') as string,
      });
      await expect(onePackage('RIDER Pilot', options)).rejects.toMatchObject({ code: 'unsupported' });
    });
  });
});
