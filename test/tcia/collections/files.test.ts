import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { downloadsOf, type TciaCatalogue } from '../../../src/tcia/collections/collection.ts';
import { citationOf, fetchDoi } from '../../../src/tcia/collections/datacite.ts';
import { fetchCatalogue } from '../../../src/tcia/collections/fetch-catalogue.ts';
import { mediaFile } from '../../../src/tcia/collections/media-files.ts';
import { pathdbCollections, pathdbFiles } from '../../../src/tcia/collections/pathdb.ts';
import { type CollectionRig, startCollections } from '../server/collection-rig.ts';
import { pathdbWorld } from '../server/fixtures-collections.ts';

let rig: CollectionRig;
let catalogue: TciaCatalogue;
beforeAll(async () => {
  rig = await startCollections();
  catalogue = await fetchCatalogue(rig.servers, rig.ask);
});
afterEach(() => rig.pathdb.faults.splice(0));
afterAll(async () => await rig.close());

const slides = { name: 'CPTAC-Slides', slug: 'cptac-slides' };
const text = async (url: string) => await (await rig.ask.http.request({ url })).text();

describe('slides of PathDB as files over HTTPS', () => {
  test('all pages, each with an address that answers and a name of its own', async () => {
    const pages: number[] = [];
    const files = await pathdbFiles(slides, {
      ...rig.ask,
      servers: rig.servers,
      onPage: (images) => pages.push(images),
    });
    expect(files.map(({ name }) => name)).toEqual([
      'C3L-001/slide 1.svs',
      'C3L-002/slide 1.svs',
      'C3L-002/Slide 1 (2).svs',
      'C3L-003/100%#2.svs',
      '.._../_..',
    ]);
    expect(pages).toEqual([3, 5]);
    expect(await Promise.all(files.slice(0, 4).map(async ({ url }) => await text(url)))).toEqual([
      'slide 11',
      'slide 12',
      'slide 13',
      'slide 14',
    ]);
    expect(files[0]).toMatchObject({
      subject: 'C3L-001',
      image: 'C3L-001-11',
      width: 49_799,
      height: 38_471,
      changed: '2024-01-16',
    });
    expect(files[0]).not.toHaveProperty('size');
  });

  test('addresses of the public host become https where no other server is named', async () => {
    const publicServers = { ...rig.servers, pathdb: 'https://pathdb.cancerimagingarchive.net' };
    const http: typeof rig.ask.http = {
      request: async (request) =>
        await rig.ask.http.request({
          ...request,
          url: request.url.replace(publicServers.pathdb, rig.servers.pathdb),
        }),
    };
    const [file] = await pathdbFiles(slides, { ...rig.ask, http, servers: publicServers });
    expect(file?.url).toBe('https://pathdb.cancerimagingarchive.net/system/files/wsi/cptac/a/slide%201.svs');
  });

  test('the collections of PathDB', async () => {
    expect(await pathdbCollections(rig.servers, rig.ask)).toEqual([
      { id: 12, name: 'CMB-GEC', updated: '2024-01-16' },
      { id: 31, name: 'CPTAC_Slides', updated: '2024-01-16' },
    ]);
    const absent = pathdbFiles(
      { name: 'RIDER Pilot', slug: 'rider-pilot' },
      { ...rig.ask, servers: rig.servers },
    );
    await expect(absent).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('carrel tcia show') as string,
    });
  });

  test('a page that fails is asked for again; one that stays away fails the list, which is never short', async () => {
    rig.pathdb.faults.push({ path: /page=1/, kind: 502, times: 1 });
    expect((await pathdbFiles(slides, { ...rig.ask, servers: rig.servers })).length).toBe(5);
    rig.pathdb.faults.push({ path: /page=1/, kind: 'maintenance' });
    await expect(pathdbFiles(slides, { ...rig.ask, servers: rig.servers })).rejects.toMatchObject({
      code: 'network',
    });
  });

  test('pages that repeat end in an error, not in a circle', async () => {
    const odd = await startCollections({ pathdb: { pagesRepeat: true } });
    try {
      const work = pathdbFiles(slides, { ...odd.ask, servers: odd.servers });
      await expect(work).rejects.toMatchObject({
        message: expect.stringContaining('the same as the one before') as string,
      });
    } finally {
      await odd.close();
    }
  });

  test('an image without an address is named', async () => {
    const collections = pathdbWorld();
    for (const slide of collections[1]?.slides.slice(1, 2) ?? []) slide.address = false;
    const odd = await startCollections({ pathdb: { collections } });
    try {
      const work = pathdbFiles(slides, { ...odd.ask, servers: odd.servers });
      await expect(work).rejects.toMatchObject({ item: 'C3L-002-12' });
    } finally {
      await odd.close();
    }
  });
});

describe('files of the web site', () => {
  const one = (id: number) => {
    const found = catalogue.downloads.find((download) => download.id === id);
    if (found === undefined) throw new Error(`no download ${id}`);
    return found;
  };
  const file = async (id: number) => await mediaFile(one(id), { ...rig.ask, servers: rig.servers });

  test('by number: the address, the name and the exact size', async () => {
    const found = await file(1002);
    expect(found).toEqual({
      url: `${rig.servers.wordpress}/wp-content/uploads/2020/10/DLBCL%20clinical.xlsx`,
      name: 'DLBCL clinical.xlsx',
      size: 24,
    });
    expect(await text(found.url)).toContain('not really a workbook');
    expect(await text((await file(1041)).url)).toContain('PK');
  });

  test('by address: without a size, since that of the page is rounded', async () => {
    expect(await file(1012)).toEqual({
      url: `${rig.servers.wordpress}/wp-content/uploads/CMB-GEC%20results.csv`,
      name: 'CMB-GEC results.csv',
    });
  });

  test.each([
    [1001, 'a package'],
    [1060, 'slides'],
    [1081, 'another archive'],
  ])('%i is none: %s', async (id) => {
    await expect(file(id)).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('downloads of a data set keep the order of the page', () => {
    const gec = catalogue.collections.find(({ name }) => name === 'CMB-GEC');
    expect(
      downloadsOf(catalogue, { downloads: [...(gec?.downloads ?? [])].reverse() }).map(({ id }) => id),
    ).toEqual([1012, 1011, 1010]);
    expect(downloadsOf(catalogue, { downloads: [1, 1010] }).map(({ id }) => id)).toEqual([1010]);
  });
});

describe('DataCite', () => {
  test('tells where a DOI leads and what it is related to', async () => {
    const record = await fetchDoi(rig.servers.datacite, '10.7937/old1-gec0', rig.ask);
    expect(record).toMatchObject({
      url: 'https://www.cancerimagingarchive.net/collection/cmb-gec/',
      related: [{ relation: 'IsPreviousVersionOf', doi: '10.7937/e7kh-r486' }],
    });
    expect(citationOf(record)).toBe(
      'n. n. (2021). CMB-GEC, as it was (Version 1) [Data set]. The Cancer Imaging Archive. https://doi.org/10.7937/old1-gec0',
    );
  });

  test('an unknown DOI is not found, an odd answer is no record', async () => {
    await expect(fetchDoi(rig.servers.datacite, '10.7937/none', rig.ask)).rejects.toMatchObject({
      code: 'not-found',
    });
    rig.datacite.faults.push({ path: /else/, kind: 'empty-list', times: 1 });
    await expect(fetchDoi(rig.servers.datacite, '10.7937/else-0001', rig.ask)).rejects.toMatchObject({
      code: 'network',
    });
  });
});
