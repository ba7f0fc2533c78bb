import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archives/index.ts';
import {
  type Catalog,
  type CatalogEvent,
  installCatalog,
  openCatalog,
  updateCatalog,
} from '../../src/catalog/index.ts';
import { createOpenStore, type OpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { seriesUid, temporaryFolder, tinyArchive, writeTable, writeTinyTables } from './tiny-tables.ts';

const DICTIONARY = `SELECT * FROM (VALUES
  ('alpha', 'proj.alpha_demo', 'alpha_demo', 'dicom_patient_id', 'PatientID in DICOM', []),
  ('alpha', 'proj.alpha_demo', 'alpha_demo', 'stage', 'Clinical stage', [{'option_code': '1', 'option_description': 'early'}, {'option_code': '2', 'option_description': 'late'}]))
  AS t(collection_id, table_name, short_table_name, "column", column_label, "values")`;

let root: Awaited<ReturnType<typeof temporaryFolder>>;
let published: string;
let servers: ObjectServers;
let opener: StoreOpener;
let archive: Archive;
let cacheDir: string;
let serial = 0;
const catalogs: Catalog[] = [];
/** Sends public buckets to the servers on this machine. */
const openStore: OpenStore = (place) =>
  opener(place.protocol === 's3' ? { ...place, endpoint: servers.s3.url } : place);

beforeAll(async () => {
  root = await temporaryFolder();
  published = join(root.path, 'published');
  await writeTinyTables(join(published, '5.0.0'), { slides: true });
  await writeTable(join(published, '5.0.0'), 'clinical_index.parquet', DICTIONARY);
  const buckets = join(root.path, 'buckets');
  for (const part of [0, 1])
    await writeTable(
      join(buckets, 'open-metadata', 'export', 'v5_clinical', 'alpha_demo'),
      `00000000000${part}.parquet`,
      `SELECT 'P${part + 1}' AS dicom_patient_id, '${part + 1}' AS stage, ${part} AS source_batch`,
    );
  await writeTable(
    join(buckets, 'open-metadata', 'export', 'v5_clinical', 'beta_demo'),
    'a.parquet',
    "SELECT 'P1' AS dicom_patient_id",
  );
  servers = await startObjectServers({ root: buckets });
});
beforeEach(async () => {
  serial += 1;
  cacheDir = join(root.path, `cache-${serial}`);
  opener = createOpenStore({ env: {} });
  archive = tinyArchive({
    sources: [{ kind: 'artefacts', url: join(published, '{version}', '{file}'), description: 'disk' }],
    tables: [{ name: 'clinical_index', file: 'clinical_index.parquet', description: 'Dictionary.' }],
    clinical: 's3://open-metadata/export/{release}_clinical/{table}/',
  });
  await updateCatalog({ archive, cacheDir, openStore });
});
afterEach(async () => {
  for (const catalog of catalogs.splice(0)) catalog.close();
  await opener.close();
});
afterAll(async () => {
  await servers.close();
  await root.remove();
});

async function open(events?: CatalogEvent[], sideIndex?: boolean): Promise<Catalog> {
  const fetchTables = { openStore, onEvent: (event: CatalogEvent) => events?.push(event) };
  const catalog = await openCatalog({
    archive,
    cacheDir,
    sideIndex,
    ...(events === undefined ? {} : { fetchTables }),
  });
  catalogs.push(catalog);
  return catalog;
}
async function ask(catalog: Catalog, sql: string): Promise<unknown[][]> {
  const { rows } = await catalog.query(sql);
  const all: unknown[][] = [];
  for await (const piece of rows) all.push(...piece);
  return all;
}
const notes = (events: CatalogEvent[]) =>
  events.flatMap((event) => (event.type === 'note' ? [event.message] : []));

describe('a table that a question names and that is not installed', () => {
  test('is fetched, with a note, and the question answered; the next one finds it', async () => {
    const events: CatalogEvent[] = [];
    const catalog = await open(events);
    const sql = 'SELECT Modality, instance_size FROM index JOIN sm_instance_index USING (SeriesInstanceUID)';
    expect(await ask(catalog, sql)).toEqual([['SM', 10_000_000]]);
    expect(notes(events)[0]).toBe('the table sm_instance_index of 5.0.0 is not installed: fetching it');
    expect(events).toContainEqual(expect.objectContaining({ type: 'table', table: 'sm_instance_index' }));
    events.length = 0;
    expect(await ask(catalog, sql)).toHaveLength(1);
    expect(await ask(await open(), sql)).toHaveLength(1);
    expect(events).toEqual([]);
    expect((await catalog.tables()).find(({ name }) => name === 'sm_instance_index')?.installed).toBe(true);
    expect((await catalog.instancesOf(seriesUid(5)))?.length).toBe(1);
  });

  test.each<[string, (catalog: Catalog) => Promise<unknown>]>([
    [
      'count',
      (catalog) =>
        catalog.count({ where: ['SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM sm_instance_index)'] }),
    ],
    [
      'count with sql',
      (catalog) => catalog.count({ sql: 'SELECT SeriesInstanceUID FROM sm_instance_index' }),
    ],
    ['select', (catalog) => catalog.select({ sql: 'SELECT SeriesInstanceUID FROM sm_instance_index' })],
    [
      'selectStream',
      async (catalog) => {
        const { rows } = await catalog.selectStream({
          sql: 'SELECT SeriesInstanceUID FROM sm_instance_index',
        });
        for await (const piece of rows) expect(piece).toHaveLength(1);
      },
    ],
    [
      'groupBy',
      (catalog) => catalog.groupBy({ sql: 'SELECT SeriesInstanceUID FROM sm_instance_index' }, ['Modality']),
    ],
    ['licenses', (catalog) => catalog.licenses({ sql: 'SELECT SeriesInstanceUID FROM sm_instance_index' })],
    ['citations', (catalog) => catalog.citations({ sql: 'SELECT SeriesInstanceUID FROM sm_instance_index' })],
    [
      'exportParquet',
      (catalog) =>
        catalog.exportParquet({ sql: 'SELECT * FROM sm_instance_index' }, join(cacheDir, 'x.parquet')),
    ],
  ])('is fetched for %s too, with and without a side index', async (_, question) => {
    for (const sideIndex of [true, false]) {
      await rm(join(cacheDir, 'catalogs'), { recursive: true });
      await updateCatalog({ archive, cacheDir, openStore });
      const events: CatalogEvent[] = [];
      await question(await open(events, sideIndex));
      expect(notes(events)).toContain('the table sm_instance_index of 5.0.0 is not installed: fetching it');
    }
  });

  test('is fetched once for two questions at a time', async () => {
    const events: CatalogEvent[] = [];
    const catalog = await open(events);
    const both = await Promise.all([1, 2].map(() => ask(catalog, 'SELECT count(*) FROM sm_instance_index')));
    expect(both).toEqual([[[1]], [[1]]]);
    expect(events.filter(({ type }) => type === 'table')).toHaveLength(1);
  });

  test('is not fetched where nobody said so: the error has the command', async () => {
    await expect(ask(await open(), 'SELECT * FROM sm_instance_index')).rejects.toMatchObject({
      code: 'not-found',
      item: 'sm_instance_index',
      next: 'carrel catalog update --archive /somewhere/archive.json --table sm_instance_index',
    });
  });

  test('where no source delivers it, the error says why and what to do, and the catalogue goes on', async () => {
    const aside = join(root.path, 'aside.parquet');
    const path = join(published, '5.0.0', 'sm_instance_index.parquet');
    await rename(path, aside);
    try {
      const catalog = await open([]);
      await expect(ask(catalog, 'SELECT * FROM sm_instance_index')).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringMatching(
          /^the table sm_instance_index is not installed, and could not be fetched: .*5\.0\.0/s,
        ) as string,
        next: expect.stringMatching(
          /carrel catalog update .*--table sm_instance_index .* carrel catalog add FILE/,
        ) as string,
      });
      expect(await ask(catalog, 'SELECT count(*) FROM index')).toEqual([[6]]);
    } finally {
      await rename(aside, path);
    }
  });

  test('a table that nobody has, and a mistake, stay what they were', async () => {
    const events: CatalogEvent[] = [];
    const catalog = await open(events);
    await expect(ask(catalog, 'SELECT * FROM nowhere')).rejects.toMatchObject({ code: 'sql' });
    await expect(ask(catalog, 'SELECT nothing FROM index')).rejects.toMatchObject({ code: 'sql' });
    expect(events).toEqual([]);
  });
});

describe('clinical tables', () => {
  test('are fetched from their folders when a question names them, under clinical.NAME', async () => {
    const events: CatalogEvent[] = [];
    const catalog = await open(events);
    const sql = `SELECT DISTINCT PatientID, stage FROM index JOIN clinical.alpha_demo ON PatientID = dicom_patient_id
      WHERE collection_id = 'alpha' ORDER BY 1`;
    expect(await ask(catalog, sql)).toEqual([
      ['P1', '1'],
      ['P2', '2'],
    ]);
    expect(notes(events)[0]).toBe('the table clinical.alpha_demo of 5.0.0 is not installed: fetching it');
    await expect(ask(catalog, 'SELECT * FROM clinical.omega_demo')).rejects.toMatchObject({ code: 'sql' });
  });

  test('are listed with their labels and values by the dictionary, installed or not', async () => {
    await updateCatalog({ archive, cacheDir, openStore, tables: ['clinical_index'] });
    const before = await open();
    expect((await before.tables()).find(({ name }) => name === 'clinical.alpha_demo')).toEqual({
      name: 'clinical.alpha_demo',
      installed: false,
      rows: null,
      columns: 2,
      bytes: null,
      description: 'Clinical data of alpha.',
      get: 'carrel catalog update --archive /somewhere/archive.json --table clinical.alpha_demo',
    });
    const stage = {
      name: 'stage',
      description: 'Clinical stage',
      values: [
        { code: '1', description: 'early' },
        { code: '2', description: 'late' },
      ],
    };
    expect(await before.schema('clinical.alpha_demo')).toContainEqual({ ...stage, type: '' });
    const installed = await updateCatalog({ archive, cacheDir, openStore, tables: ['clinical'] });
    expect(installed.added).toEqual(['clinical.alpha_demo', 'clinical.beta_demo']);
    const after = await open();
    expect((await after.tables()).find(({ name }) => name === 'clinical.alpha_demo')).toMatchObject({
      installed: true,
      rows: 2,
      columns: 3,
    });
    expect(await after.schema('ALPHA_demo')).toContainEqual({ ...stage, type: 'VARCHAR' });
    await expect(
      updateCatalog({ archive, cacheDir, openStore, tables: ['clinical.omega_demo'] }),
    ).rejects.toMatchObject({ code: 'not-found', item: 'clinical.omega_demo' });
  });

  test('one that stands among the others is listed once, under clinical.NAME', async () => {
    const folder = join(root.path, `among-${serial}`);
    await mkdir(folder);
    await writeTable(folder, 'alpha_demo.parquet', "SELECT 'P1' AS dicom_patient_id, '2' AS stage");
    await writeTable(folder, 'clinical_index.parquet', DICTIONARY);
    await installCatalog({ archive, cacheDir, sources: [folder], version: '5.0.0' });
    const catalog = await open();
    const names = (await catalog.tables()).map(({ name }) => name).filter((name) => name.includes('demo'));
    expect(names).toEqual(['clinical.alpha_demo']);
    expect((await catalog.schema('clinical.alpha_demo')).map(({ description }) => description)).toEqual([
      'PatientID in DICOM',
      'Clinical stage',
    ]);
  });
});
