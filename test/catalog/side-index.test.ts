/** Look-ups answered from the side index, held against the same catalogue without it. */
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import {
  type Catalog,
  checkCatalog,
  installCatalog,
  openCatalog,
  prepareCatalog,
  type Selection,
} from '../../src/catalog/index.ts';
import { hashText } from '../../src/catalog/side-index/text-hash.ts';
import { installedWheel, realWheel, VERSION } from './real-tables.ts';
import {
  PRIOR,
  SERIES,
  seriesUid,
  temporaryFolder,
  tinyArchive,
  uuid,
  writeTinyTables,
} from './tiny-tables.ts';

/** Answers to many texts at once. */
interface ManyAnswers {
  uids: Awaited<ReturnType<Catalog['lookUpUids']>>;
  byUuid: Awaited<ReturnType<Catalog['seriesByUuid']>>;
}

async function manyAt(catalog: Catalog, texts: readonly string[]): Promise<ManyAnswers> {
  return { uids: await catalog.lookUpUids(texts), byUuid: await catalog.seriesByUuid(texts) };
}

/** Of the answers to many texts, those to one. */
const of = <T>(answers: ReadonlyMap<string, T>, text: string) => [...answers].filter(([key]) => key === text);

/**
 * Every look-up of one text, as plain values; errors as their code and message. With `known`, what is asked of many
 * texts at once is taken from there: without an index, each such question reads all tables.
 */
async function everything(catalog: Catalog, text: string, known?: ManyAnswers): Promise<unknown> {
  const attempt = async <T>(work: () => Promise<T>) =>
    work().catch((error: Error & { code?: string }) => ({ code: error.code, message: error.message }));
  const matches = await catalog.lookUp(text);
  const detailed = [];
  for (const match of matches) {
    const rows = await match.seriesRows();
    const few = await match.seriesRows({ columns: ['modality', 'nonsense'] });
    const licenses = await catalog.licenses(match.selection);
    detailed.push({ ...match, seriesRows: undefined, rows, few, licenses });
  }
  return {
    detailed,
    uids: known === undefined ? [...(await catalog.lookUpUids([text]))] : of(known.uids, text),
    byUuid: known === undefined ? [...(await catalog.seriesByUuid([text]))] : of(known.byUuid, text),
    history: await attempt(() => catalog.history(text)),
  };
}

/** Counts of a selection in every way that has an own answer. */
async function allCounts(catalog: Catalog, selection: Selection, by: readonly string[][]): Promise<unknown> {
  const sums = ['instanceCount', 'bytes'];
  const grouped = [];
  for (const columns of by) {
    grouped.push(await catalog.groupBy(selection, columns, { sums, limit: 300 }));
  }
  return {
    counts: await catalog.count(selection, { sums }),
    licenses: await catalog.licenses(selection),
    grouped,
  };
}

/** Each text once. */
function unique(texts: string[]): string[] {
  return [...new Set(texts)];
}

/** The same questions to both. */
async function expectSame(fast: Catalog, slow: Catalog, texts: readonly string[]): Promise<void> {
  const known = await manyAt(slow, texts);
  expect(await manyAt(fast, texts)).toEqual(known);
  for (const text of texts)
    expect(await everything(fast, text), text).toEqual(await everything(slow, text, known));
}

describe('a side index', { timeout: 300_000 }, () => {
  const archive = tinyArchive();
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  let cacheDir: string;
  let folder: string;
  const open = (options: { sideIndex?: boolean; release?: string } = {}) =>
    openCatalog({ archive, cacheDir, ...options });
  const sideFile = async () =>
    join(folder, (await readdir(folder)).find((name) => name.startsWith('side-index-')) ?? 'none');

  /** Whatever a text could be: all that the tables hold, and what they do not. */
  const texts = unique([
    ...SERIES.flatMap((one) => [uuid(one.n), seriesUid(one.n), one.study ?? '', one.patient ?? '']),
    ...PRIOR.flatMap(([n, id, collection, patient, study]) => [
      uuid(id),
      seriesUid(n),
      collection,
      patient,
      study,
    ]),
    'alpha',
    'beta',
    'segments',
    'ALPHA',
    '10.5/seg',
    '9.9',
    uuid(99),
    uuid(98),
    '1.2.3.4.5',
    'P',
    '',
    ' P1 ',
    ' P2',
  ]);

  beforeAll(async () => {
    root = await temporaryFolder();
    cacheDir = join(root.path, 'cache');
    const installed = await installCatalog({
      archive,
      cacheDir,
      sources: [await writeTinyTables(join(root.path, 'tables'))],
    });
    folder = installed.path;
  });
  afterAll(() => root.remove());

  test('is made by installing, and answers as the tables do', async () => {
    expect(await sideFile()).toMatch(/side-index-[0-9a-f]{16}\.carrel$/);
    const [fast, slow] = [await open(), await open({ sideIndex: false })];
    await expectSame(fast, slow, texts);
    fast.close();
    slow.close();
  });

  test('answers as the tables do where a release was named', async () => {
    for (const release of ['v5', 'v3']) {
      const [fast, slow] = [await open({ release }), await open({ release, sideIndex: false })];
      await expectSame(fast, slow, texts);
      fast.close();
      slow.close();
    }
  });

  test('selections of one thing, of several, and with anything beside', async () => {
    const [fast, slow] = [await open(), await open({ sideIndex: false })];
    const selections: Selection[] = [
      { series: [seriesUid(1)] },
      { series: [seriesUid(1), seriesUid(3)] },
      { study: ['1.1'] },
      { study: ['1.1'], modality: ['CT'] },
      { study: ['1.1'], release: 'v3' },
      { patient: ['P1'] },
      { patient: ['p1'] },
      { patient: ['P1'], collection: ['alpha'] },
      { patient: ['P1'], collection: ['ALPHA'] },
      { patient: ['P1'], collection: ['alpha', 'beta'] },
      { patient: ['P1'], collection: ['nowhere'] },
      { crdcSeriesUuid: PRIOR.slice(0, 1).map(([, id]) => uuid(id)) },
      { series: [] },
      { limit: 2 },
    ];
    for (const selection of selections) {
      expect(await fast.select(selection), JSON.stringify(selection)).toEqual(await slow.select(selection));
      expect(await fast.licenses(selection)).toEqual(await slow.licenses(selection));
    }
    fast.close();
    slow.close();
  });

  test('counts, groups and licences of every kind of selection', async () => {
    const [fast, slow] = [await open(), await open({ sideIndex: false })];
    const selections: Selection[] = [
      {},
      { collection: ['alpha'] },
      { collection: ['ALPHA'] },
      { collection: ['alpha', 'nowhere'] },
      { collection: [] },
      { modality: ['CT', 'MR'] },
      { modality: ['CT'], collection: ['beta'] },
      { license: ['commercial'] },
      { license: ['commercial'], analysisResults: 'exclude' },
      { analysisResults: 'only' },
      { analysisResults: 'include', release: 'current' },
      { patient: ['P1'] },
      { series: [seriesUid(1)] },
      { where: ['instanceCount > 1'] },
      { modality: ['CT'], limit: 1 },
      { words: ['alpha'] },
      { sample: 1 },
      { release: 'v3' },
    ];
    const by = [
      ['Modality'],
      ['collection_id', 'Modality'],
      ['PatientID'],
      ['bytes'],
      ['source_doi'],
      ['instanceCount'],
    ];
    for (const selection of selections)
      expect(await allCounts(fast, selection, by), JSON.stringify(selection)).toEqual(
        await allCounts(slow, selection, by),
      );
    await expect(fast.groupBy({}, ['Modalty'])).rejects.toMatchObject({ code: 'usage' });
    await expect(fast.groupBy({}, [])).rejects.toMatchObject({ code: 'usage' });
    await expect(fast.count({}, { sums: ['Modality'] })).rejects.toMatchObject({ code: 'usage' });
    fast.close();
    slow.close();
  });

  test('every byte of it may be wrong, and no answer is', async () => {
    const path = await sideFile();
    const whole = await readFile(path);
    const slow = await open({ sideIndex: false });
    const some = ['P1', uuid(1), '1.1', seriesUid(3)];
    const right = await Promise.all(some.map((text) => everything(slow, text)));
    const byColumns = [['Modality'], ['license_short_name', 'collection_id']];
    const rightCounts = await allCounts(slow, { modality: ['CT'] }, byColumns);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        await writeFile(path, damaged);
        const fast = await open();
        for (const [which, text] of some.entries())
          expect(await everything(fast, text)).toEqual(right[which]);
        expect(await allCounts(fast, { modality: ['CT'] }, byColumns)).toEqual(rightCounts);
        fast.close();
      }),
      { numRuns: 25 },
    );
    for (const length of [0, 10, whole.length >> 1, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length));
      const fast = await open();
      expect(await everything(fast, 'P1')).toEqual(right[0]);
      fast.close();
    }
    await writeFile(path, whole);
    slow.close();
  });

  test('a damaged one is found by the check, and made again', async () => {
    const path = await sideFile();
    const name = { cacheDir, archive: archive.name, version: '5.0.0' };
    const ofSide = async () => (await checkCatalog(name)).filter(({ table }) => table === '(side index)');
    expect(await ofSide()).toMatchObject([{ ok: true }]);
    const damaged = await readFile(path);
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    await writeFile(path, damaged);
    expect(await ofSide()).toMatchObject([{ ok: false, problem: 'it has other bytes than were written' }]);
    expect(await prepareCatalog({ archive, cacheDir, again: true })).toBe(path);
    expect(await ofSide()).toMatchObject([{ ok: true }]);
  });

  test('that of other tables is no matter: not used, and removed by the next one', async () => {
    const path = await sideFile();
    const other = join(folder, 'side-index-0123456789abcdef.carrel');
    await copyFile(path, other);
    await rm(path);
    const catalog = await open();
    expect(await catalog.lookUp('P1')).toHaveLength(2);
    // Whoever comes with a newer version of the command is told what makes it fast again.
    expect(catalog.notes.join()).toContain(`carrel catalog update --archive`);
    expect(catalog.notes.join()).toContain('--version 5.0.0');
    catalog.close();
    expect(await prepareCatalog({ archive, cacheDir })).toBe(path);
    expect((await readdir(folder)).filter((name) => name.includes('side-index'))).toHaveLength(1);
    const again = await open();
    expect(again.notes).toEqual([]);
    again.close();
  });

  test('is the same file whoever makes it; several at once do not disturb each other or a reader', async () => {
    const path = await sideFile();
    const before = await readFile(path);
    const catalog = await open();
    await Promise.all([1, 2, 3].map(() => prepareCatalog({ archive, cacheDir, again: true })));
    expect((await readFile(path)).equals(before)).toBe(true);
    expect(await catalog.lookUp('P1')).toHaveLength(2);
    catalog.close();
    expect((await readdir(folder)).filter((name) => name.startsWith('.side-index'))).toEqual([]);
  });

  test('hashes differ for texts that differ little', () => {
    const hashes = new Set<string>();
    for (let n = 0; n < 20_000; n += 1) hashes.add(hashText(`1.2.840.${n}`).join());
    expect(hashes.size).toBe(20_000);
  });
});

const wheel = await realWheel();

describe.skipIf(wheel.path === undefined)(
  `a side index of the published tables ${VERSION}`,
  { timeout: 900_000 },
  () => {
    const archive = builtInArchive('idc');
    let fast: Catalog;
    let slow: Catalog;

    beforeAll(async () => {
      const { cacheDir, installed } = await installedWheel(wheel.path ?? '');
      const bytes = installed.tables.reduce((sum, table) => sum + table.bytes, 0);
      const path = await prepareCatalog({ archive, cacheDir });
      expect((await readFile(path ?? '')).length).toBeLessThan(2 * bytes);
      fast = await openCatalog({ archive, cacheDir });
      slow = await openCatalog({ archive, cacheDir, sideIndex: false });
      expect(fast.notes).toEqual([]);
    });
    afterAll(() => {
      fast.close();
      slow.close();
    });

    /** Some values of a column, the same ones every time. */
    const some = async (column: string, from: string, limit: number) => {
      const { rows } = await slow.query(
        `SELECT DISTINCT ${column} AS v FROM ${from} ORDER BY md5(v) LIMIT ${limit}`,
      );
      const found: string[] = [];
      for await (const chunk of rows) for (const [value] of chunk) found.push(String(value));
      return found;
    };

    test('counts as the tables do', async () => {
      const by = [
        ['Modality'],
        ['collection_id', 'license_short_name'],
        ['StudyDate'],
        ['SeriesNumber'],
        ['PatientAge', 'PatientSex'],
        ['series_init_idc_version'],
      ];
      const selections: Selection[] = [
        {},
        { license: ['commercial'], modality: ['CT', 'SEG'] },
        { collection: ['nlst', 'mri_dir'], analysisResults: 'exclude' },
        { bodyPart: ['LUNG'], analysisResults: 'only' },
      ];
      for (const selection of selections)
        expect(await allCounts(fast, selection, by)).toEqual(await allCounts(slow, selection, by));
    });

    test('answers as the tables do, of any kind of identifier', async () => {
      const texts = [
        // A study that is a series, a patient of two collections, prior versions with several rows and twice the size.
        '1.3.6.1.4.1.14519.5.2.1.6279.6001.287560874054243719452635194040',
        '521955-158-R4-2163',
        'e127d258-37c2-47bb-a7d1-1faa7f47f47a',
        ...(await some('crdc_series_uuid', 'index', 3)),
        ...(await some('SeriesInstanceUID', 'index', 2)),
        ...(await some('StudyInstanceUID', 'index', 3)),
        ...(await some('PatientID', 'index', 3)),
        ...(await some('crdc_series_uuid', 'prior_versions_index', 3)),
        ...(await some('SeriesInstanceUID', 'prior_versions_index', 3)),
        ...(await some(
          'crdc_series_uuid',
          '(SELECT crdc_series_uuid FROM prior_versions_index GROUP BY 1 HAVING count(*) > 2)',
          3,
        )),
      ];
      await expectSame(fast, slow, texts);
    }, 900_000);

    test('thousands at once, scattered over all tables', async () => {
      const uids = [
        ...(await some('SeriesInstanceUID', 'index', 700)),
        ...(await some('StudyInstanceUID', 'index', 500)),
        ...(await some('PatientID', 'index', 300)),
        ...(await some('StudyInstanceUID', 'prior_versions_index', 300)),
        '1.2.3',
      ];
      expect(await fast.lookUpUids(uids)).toEqual(await slow.lookUpUids(uids));
      const uuids = [
        ...(await some('crdc_series_uuid', 'index', 1200)),
        ...(await some('crdc_series_uuid', 'prior_versions_index', 700)),
      ];
      expect(await fast.seriesByUuid(uuids)).toEqual(await slow.seriesByUuid(uuids));
      expect(await fast.seriesByUuid(uuids, { columns: [] })).toEqual(
        await slow.seriesByUuid(uuids, { columns: [] }),
      );
    });
  },
);
