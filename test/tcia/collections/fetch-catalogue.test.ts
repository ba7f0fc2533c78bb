import { afterEach, describe, expect, test } from 'vitest';
import { isCarrelError } from '../../../src/errors.ts';
import { downloadsOf, type TciaCatalogue } from '../../../src/tcia/collections/collection.ts';
import { fetchCatalogue } from '../../../src/tcia/collections/fetch-catalogue.ts';
import { fetchList } from '../../../src/tcia/collections/wordpress.ts';
import { type CollectionRig, startCollections } from '../server/collection-rig.ts';
import { packageLink } from '../server/fixtures-collections.ts';
import type { WebFault } from '../server/web-faults.ts';

let rig: CollectionRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function fetched(options: Parameters<typeof startCollections>[0] = {}): Promise<TciaCatalogue> {
  rig = await startCollections(options);
  return await fetchCatalogue(rig.servers, rig.ask);
}

async function failure(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; next: string | undefined }> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!isCarrelError(error)) throw new Error(`expected a CarrelError, got ${String(error)}`);
  return { code: error.code, message: error.message, next: error.next };
}

const named = (catalogue: TciaCatalogue, name: string) => {
  const found = catalogue.collections.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

describe('the catalogue of TCIA, read from its collection manager', () => {
  test('data sets are read from records as odd as the real ones', async () => {
    const catalogue = await fetched();
    expect(named(catalogue, 'CMB-GEC')).toEqual({
      id: 102,
      kind: 'collection',
      slug: 'cmb-gec',
      name: 'CMB-GEC',
      title: 'Cancer Moonshot Biobank – Gastroesophageal Cancer Collection',
      doi: '10.7937/e7kh-r486',
      version: '9',
      updated: '2026-07-02',
      status: 'Ongoing',
      subjects: 18,
      species: ['Human'],
      cancerTypes: ['Gastroesophageal Cancer'],
      cancerLocations: ['Esophagus', 'Stomach'],
      dataTypes: ['CT', 'MR', 'PT', 'Histopathology'],
      supportingData: ['Clinical'],
      programs: ['Cancer Moonshot Biobank'],
      licenses: ['CC BY 4.0'],
      access: 'public',
      summary: null,
      collections: [],
      downloads: [1010, 1011, 1012],
      versions: [6003, 6002],
      citations: [5003],
      page: `${rig?.servers.wordpress}/collection/cmb-gec/`,
      hidden: false,
    });
    expect(catalogue.collections.map(({ name }) => name)).toEqual([
      'DLBCL-Morphology',
      'CMB-GEC',
      'HER2 tumor ROIs',
      'RIDER Pilot',
      'ReMIND-Faces',
      'Old-Phantom',
      'CPTAC-Slides',
      'Sample-Torso',
      'QIBA-VolCT-1B',
    ]);
    expect(named(catalogue, 'QIBA-VolCT-1B')).toMatchObject({
      kind: 'analysis-result',
      collections: ['RIDER Pilot'],
    });
    expect(named(catalogue, 'Old-Phantom').hidden).toBe(true);
    expect(named(catalogue, 'ReMIND-Faces')).toMatchObject({
      access: 'mixed',
      licenses: ['NIH Controlled Data Access', 'CC BY-NC 4.0'],
    });
    expect(named(catalogue, 'DLBCL-Morphology').title).toContain('Lymphoma (DLBCL) tissue');
  });

  test('downloads have their kind, size, counts and version; links lose what HTML did to them', async () => {
    const catalogue = await fetched();
    const [slides, clinical] = downloadsOf(catalogue, named(catalogue, 'DLBCL-Morphology'));
    expect(slides).toMatchObject({
      title: 'Tissue Slide Images & Annotations',
      kind: 'faspex',
      url: `${packageLink(615)}&redirected=true`,
      license: 'CC BY 3.0',
      requirements: 'Requires IBM-Aspera-Connect plugin',
      access: 'public',
      size: 220_500_000_000,
      counts: { subjects: 209, studies: null, series: null, images: 152 },
      version: '1',
    });
    expect(clinical).toMatchObject({
      kind: 'spreadsheet',
      media: 9001,
      url: 'https://www.cancerimagingarchive.net/wp-content/uploads/2020/10/DLBCL%20clinical.xlsx',
      size: 24,
    });
    expect(downloadsOf(catalogue, named(catalogue, 'CMB-GEC')).map(({ kind }) => kind)).toEqual([
      'nbia',
      'faspex',
      'spreadsheet',
    ]);
    expect(
      downloadsOf(catalogue, named(catalogue, 'HER2 tumor ROIs')).map(({ kind, size }) => [kind, size]),
    ).toEqual([
      ['faspex', 1.5e12],
      ['faspex', null],
    ]);
    expect(downloadsOf(catalogue, named(catalogue, 'CMB-GEC'))[0]?.size).toBe(22_100_000_000);
    expect(downloadsOf(catalogue, named(catalogue, 'CPTAC-Slides')).map(({ kind }) => kind)).toEqual([
      'pathdb',
    ]);
    expect(catalogue.downloads.map(({ id }) => id)).not.toContain(1999);
  });

  test('citations and versions are plain text', async () => {
    const { citations, versions } = await fetched();
    expect(citations.map(({ text }) => text)[0]).toBe(
      'Vrabac, D., Smit, A., et al. (2020). DLBCL-Morphology (Version 1) [Data set]. The Cancer Imaging Archive. https://doi.org/10.7937/TCIA.FEFX-SN51',
    );
    expect(citations.map(({ doi }) => doi)).toEqual([
      '10.7937/tcia.fefx-sn51',
      '10.1007/s10278-013-9622-7',
      '10.7937/e7kh-r486',
    ]);
    expect(versions).toEqual([
      { id: 6001, number: '1', date: '2020-10-01', text: null },
      { id: 6002, number: '8', date: '2025-01-01', text: 'Added 3 subjects' },
      { id: 6003, number: '9', date: '2026-07-02', text: 'Added 2 subjects' },
    ]);
  });

  test('files are looked up a hundred in one request; where lists are refused they stay known by number', async () => {
    const catalogue = await fetched({ wordpress: { mediaLists: false } });
    const manifest = downloadsOf(catalogue, named(catalogue, 'CMB-GEC'))[0];
    expect(manifest).toMatchObject({ kind: 'nbia', url: null, media: 9002 });
    expect(rig?.wordpress.requests.filter((line) => line.includes('/media')).length).toBe(1);
  });

  test('it takes six requests here, and asks only for the fields that are used', async () => {
    await fetched();
    expect(rig?.wordpress.requests.length).toBe(6);
    expect(rig?.wordpress.requests[0]).toContain('_fields=id%2Cslug%2Clink');
    expect(rig?.wordpress.requests.join()).not.toContain('yoast');
  });
});

describe('a list of several pages', () => {
  const ask = async (options: Parameters<typeof startCollections>[0], perPage = 2) => {
    rig = await startCollections(options);
    const list = await fetchList(
      rig.servers.wordpress,
      'downloads',
      { fields: ['id', 'slug'], perPage },
      rig.ask,
    );
    return list.map(({ id }) => id);
  };

  test('is read to its end, also where the links name another host', async () => {
    const all = await ask({ wordpress: { linkOrigin: 'https://www.cancerimagingarchive.net' } });
    expect(all.length).toBe(rig?.wordpress.world.downloads.length);
    expect(rig?.wordpress.requests.length).toBe(Math.ceil(all.length / 2));
  });

  test('can be asked for some ids, or searched', async () => {
    rig = await startCollections();
    const question = { fields: ['id', 'slug'], include: [102, 104] };
    expect(
      (await fetchList(rig.servers.wordpress, 'collections', question, rig.ask)).map(({ id }) => id),
    ).toEqual([102, 104]);
    const found = await fetchList(
      rig.servers.wordpress,
      'collections',
      { fields: ['id'], search: 'moonshot' },
      rig.ask,
    );
    expect(found.map(({ id }) => id)).toEqual([102]);
  });

  test('is asked for again where a page fails once', async () => {
    const faults: WebFault[] = [
      { path: /page=2/, kind: 500, times: 1 },
      { path: /page=3/, kind: 'drop', times: 1 },
    ];
    expect((await ask({ wordpress: { faults } })).length).toBe(rig?.wordpress.world.downloads.length);
  });

  test.each([
    ['is missing', { path: /page=2/, kind: 404 }, 'not-found', "page 2 of TCIA's list of downloads"],
    ['stays away', { path: /page=2/, kind: 503 }, 'network', 'answered 503'],
    [
      'is a page of maintenance',
      { path: /page=2/, kind: 'maintenance' },
      'network',
      'did not answer with JSON',
    ],
    ['is empty', { path: /page=2$/, kind: 'empty-list' }, 'network', 'not complete'],
  ] as const)('is refused as a whole where a page %s', async (_, fault, code, says) => {
    rig = await startCollections({
      wordpress: { faults: [fault] },
    });
    const work = fetchList(rig.servers.wordpress, 'downloads', { fields: ['id'], perPage: 4 }, rig.ask);
    const error = await failure(work);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
  });

  test('of a server that always names the same next page is not followed for ever', async () => {
    rig = await startCollections();
    const http = {
      request: async () => {
        const headers = new Map([['link', '<https://h/?page=1>; rel="next"']]);
        return {
          status: 200,
          headers,
          url: '',
          consume: async () => undefined,
          bytes: async () => new Uint8Array(),
          text: async () => '[]',
          cancel: () => undefined,
        };
      },
    };
    const error = await failure(fetchList(rig.servers.wordpress, 'downloads', { fields: ['id'] }, { http }));
    expect(error.message).toContain('always names another page');
  });
});
