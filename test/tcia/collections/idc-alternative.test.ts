import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../../src/archives/index.ts';
import { type Catalog, installCatalog, openCatalog } from '../../../src/catalog/index.ts';
import type { TciaDownload } from '../../../src/tcia/collections/collection.ts';
import { collectionId, idcAlternative, partsFor } from '../../../src/tcia/collections/idc-alternative.ts';
import { readDownload } from '../../../src/tcia/collections/read-records.ts';
import { installedWheel, realWheel } from '../../catalog/real-tables.ts';
import { temporaryFolder, tinyArchive, writeTinyTables } from '../../catalog/tiny-tables.ts';
import { wordpressWorld } from '../server/fixtures-collections.ts';

const named = (name: string, doi: string | null, kind: 'collection' | 'analysis-result' = 'collection') => ({
  kind,
  name,
  slug: name.toLowerCase().replaceAll(' ', '-'),
  doi,
});

function download(id: number): TciaDownload {
  const record = wordpressWorld().downloads.find((one) => one.id === id);
  const read = record === undefined ? undefined : readDownload(record);
  if (read === undefined) throw new Error(`no download ${id}`);
  return read;
}

test.each([
  ['CMB-GEC', 'cmb_gec'],
  ['RIDER Pilot', 'rider_pilot'],
  ['4D-Lung', '4d_lung'],
  ['ACRIN-HNSCC-FDG-PET/CT', 'acrin_hnscc_fdg_pet_ct'],
])('IDC calls %s %s', (name, id) => expect(collectionId(name)).toBe(id));

const wheel = await realWheel();

describe.skipIf(wheel.path === undefined)(
  `data sets of TCIA in the published tables of IDC ${wheel.reason}`,
  () => {
    let catalog: Catalog;
    beforeAll(async () => {
      const { cacheDir } = await installedWheel(wheel.path ?? '');
      catalog = await openCatalog({ archive: builtInArchive('idc'), cacheDir });
    });
    afterAll(() => catalog?.close());

    test('radiology has the DOI of TCIA, slides came under another: the collection tells', async () => {
      const found = await idcAlternative(named('CMB-GEC', '10.7937/e7kh-r486'), catalog);
      expect(found).toMatchObject({
        archive: 'idc',
        release: 'v25',
        parts: [
          {
            by: 'doi',
            sourceDoi: '10.7937/e7kh-r486',
            collectionIds: ['cmb_gec'],
            modalities: ['CT', 'MR', 'PT'],
            licenses: ['CC BY 4.0'],
            series: 251,
            command: 'carrel get 10.7937/e7kh-r486',
          },
          { by: 'collection', sourceDoi: '10.5281/zenodo.13993773', modalities: ['SM'], series: 20 },
        ],
      });
      if (found === undefined) return;
      expect(partsFor(download(1010), found).map(({ modalities }) => modalities)).toEqual([
        ['CT', 'MR', 'PT'],
      ]);
      expect(partsFor(download(1011), found).map(({ modalities }) => modalities)).toEqual([['SM']]);
      expect(partsFor(download(1012), found)).toEqual([]);
    });

    test('what others derived from a collection is no part of it; an analysis result is found by its DOI', async () => {
      const pilot = await idcAlternative(named('RIDER Pilot', '10.7937/m87f-mz83'), catalog);
      expect(pilot?.parts.map(({ sourceDoi, series }) => [sourceDoi, series])).toEqual([
        ['10.7937/m87f-mz83', 194],
      ]);
      const qiba = await idcAlternative(
        named('QIBA-VolCT-1B', '10.7937/tcia.2020.1c3h-vp70', 'analysis-result'),
        catalog,
      );
      expect(qiba?.parts).toMatchObject([{ by: 'doi', modalities: ['PR', 'SEG', 'SR'], series: 1508 }]);
      if (qiba !== undefined) expect(partsFor(download(1080), qiba).length).toBe(1);
    });

    test('what is only at TCIA is not there', async () => {
      expect(
        await idcAlternative(named('DLBCL-Morphology', '10.7937/tcia.fefx-sn51'), catalog),
      ).toBeUndefined();
      expect(await idcAlternative(named('HER2 tumor ROIs', '10.7937/nva3-n783'), catalog)).toBeUndefined();
    });

    test('without a DOI the collection alone tells', async () => {
      const found = await idcAlternative(named('RIDER Pilot', null), catalog);
      expect(found?.parts.map(({ by }) => by)).toEqual(['collection']);
    });
  },
);

test('tables of another archive are asked in the same way', async () => {
  const folder = await temporaryFolder();
  try {
    const archive = tinyArchive();
    const cacheDir = `${folder.path}/cache`;
    await installCatalog({ archive, cacheDir, sources: [await writeTinyTables(`${folder.path}/tables`)] });
    const catalog = await openCatalog({ archive, cacheDir });
    try {
      const found = await idcAlternative(named('Alpha', '10.5/alpha'), catalog);
      expect(found?.parts[0]).toMatchObject({
        by: 'doi',
        sourceDoi: '10.5/alpha',
        collectionIds: ['alpha', 'beta'],
        series: 4,
      });
      expect(found?.parts.every(({ sourceDoi }) => sourceDoi !== '10.5/seg')).toBe(true);
    } finally {
      catalog.close();
    }
  } finally {
    await rm(folder.path, { recursive: true, force: true });
  }
});
