/** What earlier releases held: withdrawn things, and collections under their former names. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Catalog, installCatalog, openCatalog, readHistoryOf } from '../../src/catalog/index.ts';
import { resolveCohort } from '../../src/cohort/index.ts';
import { createOpenStore } from '../../src/stores/index.ts';
import {
  indexValues,
  SERIES,
  temporaryFolder,
  tinyArchive,
  uuid,
  writeTable,
  writeTinyTables,
} from './tiny-tables.ts';

const archive = tinyArchive({
  versions: [
    { version: '5.0.0', release: 'v5' },
    { version: '3.1.0', release: 'v3' },
  ],
});
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let cacheDir: string;
let catalog: Catalog;

beforeAll(async () => {
  root = await temporaryFolder();
  cacheDir = join(root.path, 'cache');
  await installCatalog({ archive, cacheDir, sources: [await writeTinyTables(join(root.path, 'tables'))] });
  // Series 80 is in the tables of v3 and in no table since.
  const own = [
    ...SERIES.slice(0, 2),
    { n: 80, collection: 'alpha', patient: 'P80', study: '1.80', init: 2, revised: 3 },
  ];
  const old = await writeTable(join(root.path, 'own'), 'idc_index.parquet', indexValues(own), '3.1.0');
  await installCatalog({ archive, cacheDir, sources: [old] });
  catalog = await openCatalog({ archive, cacheDir });
});
afterAll(async () => {
  catalog.close();
  await root.remove();
});

describe('what the newest tables know nothing of', () => {
  test.each([
    [uuid(80), 'version'],
    [uuid(80).toUpperCase(), 'version'],
    ['2.25.80', 'series'],
    ['1.80', 'study'],
    ['P80', 'patient'],
  ])('%s was withdrawn, by the tables of its own time', async (name, level) => {
    const found = await catalog.withdrawn([name, '2.25.1', 'nothing', uuid(4711)]);
    expect(Object.fromEntries(found)).toEqual({
      [name]: {
        name,
        level,
        first: 'v3',
        last: 'v3',
        gone: 'v5',
        exact: false,
        knownBy: 'v3',
        versions: [uuid(80)],
      },
    });
  });

  test('what it knows in an earlier release was superseded, not withdrawn', async () => {
    expect((await catalog.withdrawn([uuid(30), 'omega', 'O1', '2.25.7'])).size).toBe(0);
  });

  test('is found in the release that it was last in', async () => {
    const old = await openCatalog({ archive, cacheDir, release: 'v3' });
    expect(await old.lookUp('2.25.80')).toMatchObject([{ level: 'series', current: true }]);
    old.close();
  });

  test.each(['2.25.80', 'P80'])('%s leads nowhere, and the error says why', async (what) => {
    const stores = createOpenStore();
    const tools = { archive, catalog, openStore: stores.openStore, http: stores.pool, from: 'auto' };
    await expect(
      resolveCohort({ what: [what], selection: {} }, tools, { cwd: root.path }),
    ).rejects.toMatchObject({
      code: 'not-found',
      item: what,
      message: `${what} was withdrawn: only in v3, gone between v4 and v5`,
      next: expect.stringContaining('--release v3') as string,
    });
    const cohort = await resolveCohort({ what: [what, '2.25.1'], selection: {} }, tools, { cwd: root.path });
    expect(cohort.unresolved.map(({ error }) => error.message)).toEqual([
      `${what} was withdrawn: only in v3, gone between v4 and v5`,
    ]);
    await stores.close();
  });
});

describe('a history', () => {
  test.each(['2.25.3', uuid(30), '2.25.5', '1.1', '1.3', 'P2', 'O1', '2.25.80', 'P80', uuid(80)])(
    'of %s is the same from side indexes and from the tables',
    async (what) => {
      const options = { archive, cacheDir, what, as: what === '1.3' ? ('study' as const) : undefined };
      const quick = await readHistoryOf(options);
      expect(quick).toEqual(await readHistoryOf({ ...options, sideIndex: false }));
    },
  );

  test('of a patient adds up, release by release, to what the engine counts', async () => {
    const history = await readHistoryOf({ archive, cacheDir, what: 'P80' });
    if (history.level === 'series') throw new Error('a patient was expected');
    expect(
      history.releases.map(({ release, evidence, series, added, removed }) => [
        release,
        evidence,
        series,
        added,
        removed,
      ]),
    ).toEqual([
      ['v3', 'published', 1, 1, 0],
      ['v4', 'derived', 0, 0, 1],
    ]);
    expect(history.series?.[0]?.versions).toMatchObject([{ state: 'withdrawn', publishedIn: [3] }]);
  });
});

describe('the evidence of a release', () => {
  test('is published or derived, with the columns that say nothing', async () => {
    expect(catalog).toMatchObject({ evidence: 'published', missing: [] });
    const derived = await openCatalog({ archive, cacheDir, release: 'v4' });
    expect(derived.evidence).toBe('derived');
    expect(derived.missing).toContain('license_short_name');
    expect(derived.missing).not.toContain('Modality');
    derived.close();
  });
});

describe('a collection under the name of earlier releases', () => {
  test('means those of its series that stand in another collection now', async () => {
    const { rows, notes } = await catalog.select({ collection: ['Gamma'] });
    expect(rows.map((row) => [row.crdc_series_uuid, row.collection_id])).toEqual([[uuid(5), 'beta']]);
    expect(notes.map(({ message }) => message)).toEqual([
      'gamma was a collection in v2 to v3; its 1 series stand in beta now, and are meant',
    ]);
    expect((await catalog.count({ collection: ['gamma', 'alpha'] })).series).toBe(4);
  });

  test('is looked up with a note', async () => {
    const [match] = await catalog.lookUp('gamma');
    expect(match).toMatchObject({
      level: 'collection',
      value: 'gamma',
      collections: ['beta'],
      series: 1,
      current: true,
    });
    expect(match?.note).toContain('stand in beta now');
    expect((await match?.seriesRows())?.map((row) => row.crdc_series_uuid)).toEqual([uuid(5)]);
  });

  test('stays what it was in a release that had it', async () => {
    const { rows } = await catalog.select({ collection: ['gamma'], release: 'v2' });
    expect(rows.map((row) => [row.crdc_series_uuid, row.collection_id])).toEqual([[uuid(50), 'gamma']]);
  });
});
