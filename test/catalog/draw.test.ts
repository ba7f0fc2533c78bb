import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Catalog, installCatalog, openCatalog, type Selection } from '../../src/catalog/index.ts';
import {
  runSql,
  SERIES,
  type TinySeries,
  temporaryFolder,
  tinyArchive,
  writeTinyTables,
} from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;
let grown: Catalog;

/** Two hundred patients more. */
const MORE: TinySeries[] = Array.from({ length: 200 }, (_, index) => ({
  n: 1000 + index,
  collection: index % 2 === 0 ? 'alpha' : 'delta',
  patient: `Q${index}`,
  study: `7.${index}`,
  mb: index / 1000,
}));

beforeAll(async () => {
  root = await temporaryFolder();
  const open = async (name: string, series: TinySeries[]) => {
    const cacheDir = join(root.path, `cache-${name}`);
    await installCatalog({
      archive,
      cacheDir,
      sources: [await writeTinyTables(join(root.path, name), { series })],
    });
    return openCatalog({ archive, cacheDir });
  };
  catalog = await open('small', SERIES);
  grown = await open('grown', [...SERIES, ...MORE]);
});
afterAll(async () => {
  catalog.close();
  grown.close();
  await root.remove();
});

const THREE = [
  { name: 'train', share: 0.8 },
  { name: 'val', share: 0.1 },
  { name: 'test', share: 0.1 },
];

/** Patient → part. */
async function parts(from: Catalog, selection: Selection): Promise<Map<string, unknown>> {
  const { rows } = await from.select({ split: THREE, ...selection });
  return new Map(rows.map((row) => [`${row.collection_id}/${row.PatientID}`, row.columns['split']]));
}

describe('a split', () => {
  test('is decided by 52 bits of md5(split, seed, collection, patient)', async () => {
    for (const [patient, part] of await parts(grown, { seed: 3 })) {
      const digest = createHash('md5')
        .update(['split', '3', ...patient.split('/')].join('\u001f'))
        .digest('hex');
      const at = Number.parseInt(digest.slice(0, 13), 16) / 2 ** 52;
      expect(part).toBe(at < 0.8 ? 'train' : at < 0.9 ? 'val' : 'test');
    }
  });

  test('never moves a patient: not when the archive grows, not in another selection', async () => {
    const before = await parts(catalog, {});
    const after = await parts(grown, {});
    expect(after.size).toBe(before.size + 200);
    for (const [patient, part] of before) expect(after.get(patient)).toBe(part);
    for (const [patient, part] of await parts(grown, { collection: ['delta'], limit: 50 }))
      expect(after.get(patient)).toBe(part);
  });

  test('has the shares asked for, and does not depend on what was sampled', async () => {
    const count = async (selection: Selection) => {
      const { rows } = await grown.groupBy({ split: THREE, ...selection }, ['split']);
      return new Map(rows.map(({ values, patients }) => [values['split'], patients]));
    };
    const all = await count({});
    expect(Math.abs((all.get('train') ?? 0) - 164)).toBeLessThan(25);
    expect([...all.values()].reduce((a, b) => a + b, 0)).toBe(205);
    // Were both drawn from the same digest, a sample of a third would be in the first part as a whole.
    expect((await count({ sample: 68 })).size).toBe(3);
  });

  test('another seed is another split', async () => {
    expect(await parts(grown, { seed: 1 })).not.toEqual(await parts(grown, { seed: 2 }));
  });

  test.each([
    [[], 'needs parts'],
    [[{ name: 'a', share: 0.5 }], 'add up to 1'],
    [[{ name: 'a b', share: 1 }], 'no name of a part'],
    [[{ name: "a'", share: 1 }], 'no name of a part'],
    [
      [
        { name: 'a', share: 0 },
        { name: 'b', share: 1 },
      ],
      'above 0',
    ],
    [
      [
        { name: 'a', share: 0.5 },
        { name: 'a', share: 0.5 },
      ],
      'same name',
    ],
    [[{ name: 'a', share: Number.NaN }], 'above 0'],
  ])('%j is refused', async (split, message) => {
    await expect(catalog.count({ split })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('a sample', () => {
  test('of series is the same everywhere and stays when other series come', async () => {
    const order = [...SERIES, ...MORE]
      .map(({ n }) => (n === 6 ? '1.3' : `2.25.${n}`))
      .map((uid) => ({ uid, key: createHash('md5').update(`5\u001f${uid}`).digest('hex') }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const { rows } = await grown.select({ sample: 20, sampleBy: 'series', seed: 5 });
    expect(rows.map((row) => row.SeriesInstanceUID).sort()).toEqual(
      order
        .slice(0, 20)
        .map(({ uid }) => uid)
        .sort(),
    );
  });

  test('is a part of every larger one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('patient', 'series'),
        async (seed, size, sampleBy) => {
          const drawn = async (sample: number) =>
            new Set(
              (await grown.select({ sample, sampleBy, seed }, { columns: [] })).rows.map(
                (row) => row.crdc_series_uuid,
              ),
            );
          const [small, large] = [await drawn(size), await drawn(size + 7)];
          for (const uuid of small) expect(large.has(uuid)).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });

  test('by anything else is refused', async () => {
    await expect(catalog.count({ sample: 1, sampleBy: 'study' as 'series' })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

describe('order and sums', () => {
  test('order comes before limit; equal values come in the usual order, empty ones last', async () => {
    const numbers = async (selection: Selection) =>
      (await catalog.select(selection)).rows.map((row) => Number(row.crdc_series_uuid.slice(-4)));
    expect(await numbers({ order: [{ column: 'bytes', descending: true }], limit: 3 })).toEqual([5, 4, 3]);
    expect(await numbers({ order: [{ column: 'modality' }] })).toEqual([1, 3, 4, 2, 5, 6]);
    for (const descending of [false, true])
      expect((await numbers({ order: [{ column: 'BodyPartExamined', descending }] })).slice(3)).toEqual([
        2, 5, 6,
      ]);
    await expect(catalog.count({ order: [{ column: 'Modalty' }] })).rejects.toMatchObject({
      code: 'usage',
      next: expect.stringContaining('did you mean Modality?') as string,
    });
  });

  test('sums of broken numbers do not depend on the order of rows', async () => {
    const { sums } = await catalog.count({}, { sums: ['series_size_MB', 'INSTANCECOUNT'] });
    expect(sums).toEqual({ series_size_MB: 16.92358, instanceCount: 12 });
    expect((await catalog.count({ modality: ['XX'] }, { sums: ['instanceCount'] })).sums).toEqual({
      instanceCount: null,
    });
    await expect(catalog.count({}, { sums: ['PatientID'] })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('Parquet', () => {
  test('has the rows, order and types of the answer, and only its own file can be written', async () => {
    const path = join(root.path, "it's.parquet");
    const selection: Selection = { order: [{ column: 'bytes', descending: true }], split: THREE };
    const written = await catalog.exportParquet({ selection, columns: ['modality', 'bytes', 'split'] }, path);
    expect(written).toEqual({ path, rows: 6, notes: [] });
    const rows = await runSql(`SELECT Modality, bytes, split FROM '${path.replaceAll("'", "''")}'`);
    const selected = (await catalog.select(selection)).rows;
    expect(rows).toEqual(selected.map((row) => [row.Modality, String(row.bytes), row.columns['split']]));
    for (const sql of [
      `COPY (SELECT 1) TO '${path}'`,
      'SELECT 1; SELECT 2',
      "SELECT * FROM read_text('/etc/hostname')",
      'DESCRIBE index',
    ])
      await expect(catalog.exportParquet({ sql }, join(root.path, 'x.parquet'))).rejects.toMatchObject({
        code: 'sql',
      });
    await expect(
      catalog.exportParquet({ sql: 'SELECT 1' }, join(root.path, 'no', 'x.parquet')),
    ).rejects.toMatchObject({
      code: 'permission',
    });
  });

  test('of another release comes from that release', async () => {
    const path = join(root.path, 'v2.parquet');
    const { rows, notes } = await catalog.exportParquet({ selection: { release: 'v2' } }, path);
    expect(rows).toBe((await catalog.count({ release: 'v2' })).series);
    expect(notes[0]?.message).toContain('v2 is derived');
  });
});
