/** What is said about releases v17 to v25, held against the tables that each of them published, by plain SQL. */
import { mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { CHANGES, findOddities, openCatalog, openDiff, readHistoryOf } from '../../src/catalog/index.ts';
import { allWheels, EARLIER, installedReleases, VERSION } from './real-tables.ts';
import { temporaryFolder } from './tiny-tables.ts';

const { paths, reason } = await allWheels();
const archive = builtInArchive('idc');
const RELEASES = [17, 18, 19, 20, 21, 22, 23, 24] as const;

describe.skipIf(paths === undefined)(`releases of the public archive ${reason}`, { timeout: 300_000 }, () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Every version installed. */
  let all: string;
  /** Only the newest. */
  let newest: string;
  let raw: (sql: string) => Promise<unknown[][]>;
  let close: () => void;
  /** The main table as it was published. */
  const tableOf = (release: number) => join(versionFolder(release), 'idc_index.parquet');
  const versionFolder = (release: number) =>
    join(all, 'catalogs', 'idc', release === 25 ? VERSION : EARLIER[release as keyof typeof EARLIER]);
  /** A cache with some releases only: links to the files that are installed already. */
  const only = async (...releases: number[]) => {
    const cache = await mkdtemp(join(root.path, 'only-'));
    for (const release of releases) {
      const folder = versionFolder(release);
      const target = join(cache, 'catalogs', 'idc', basename(folder));
      await mkdir(target, { recursive: true });
      for (const name of await readdir(folder)) await symlink(join(folder, name), join(target, name));
    }
    return cache;
  };

  beforeAll(async () => {
    root = await temporaryFolder();
    all = await installedReleases(paths ?? new Map());
    newest = await only(25);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    raw = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
    for (const release of [...RELEASES, 25]) {
      const uuid = release < 20 ? "split_part(series_aws_url, '/', 4)" : 'crdc_series_uuid';
      const bucket = release < 20 ? "split_part(series_aws_url, '/', 3)" : 'aws_bucket';
      await raw(
        `CREATE TABLE v${release} AS SELECT ${uuid} AS uuid, ${bucket} AS bucket, SeriesInstanceUID AS uid, collection_id, PatientID, StudyInstanceUID, license_short_name AS license,
           instanceCount AS files, round(series_size_MB * 1e6)::BIGINT AS bytes FROM '${tableOf(release)}'`,
      );
    }
    close = () => {
      connection.closeSync();
      instance.closeSync();
    };
  }, 600_000);
  afterAll(async () => {
    close?.();
    await root?.remove();
  });

  test.each(RELEASES)('v%i is answered from its own tables, to the last series', async (release) => {
    const catalog = await openCatalog({ archive, cacheDir: all, release: `v${release}` });
    try {
      expect(catalog).toMatchObject({ derived: false, version: EARLIER[release] });
      const counts = await catalog.count({});
      const [row] = await raw(
        `SELECT count(*), count(DISTINCT collection_id), count(DISTINCT StudyInstanceUID), sum(files)::BIGINT, sum(bytes)::BIGINT FROM v${release}`,
      );
      const [series, collections, studies, files, bytes] = (row ?? []).map(Number);
      expect(counts).toMatchObject({ series, collections, studies });
      if (release !== 23) expect([counts.instances, counts.bytes]).toEqual([files, bytes]);
    } finally {
      catalog.close();
    }
  });

  test('the columns that a release did not have yet are NULL, and that is said', async () => {
    const catalog = await openCatalog({ archive, cacheDir: all, release: 'v17' });
    expect(catalog.notes).toEqual([
      'the tables of v17 (17.0.2) have no analysis_result_id: empty for every series',
    ]);
    const { rows } = await catalog.query(
      'SELECT count(crdc_series_uuid), count(aws_bucket), count(analysis_result_id) FROM index',
    );
    for await (const piece of rows) expect(piece).toEqual([[511830, 511830, 0]]);
    catalog.close();
  });

  test('the tables about collections answer to the same names in every release', async () => {
    for (const release of ['v23', 'v24', 'v25']) {
      const catalog = await openCatalog({ archive, cacheDir: all, release });
      const { rows } = await catalog.query(
        "SELECT collection_id, cancer_types, tumor_locations, subjects, status, updated, description FROM collections_index WHERE collection_id = 'nlst'",
      );
      for await (const piece of rows)
        expect(piece[0]?.slice(0, 2)).toEqual(['nlst', 'Lung Cancer, Non-Cancer']);
      const names = (await catalog.schema('collections_index')).map(({ name }) => name);
      expect(names).toContain('cancer_types');
      expect(names).not.toContain('CancerTypes');
      catalog.close();
    }
  });

  test('v23 counts 3,111 series twice; with a neighbour installed they count once', async () => {
    const [bad] = await raw(
      'SELECT count(*), sum(a.files - b.files)::BIGINT, sum(a.bytes - b.bytes)::BIGINT FROM v23 a JOIN v24 b USING (uuid) WHERE a.files <> b.files',
    );
    const [published] = await raw('SELECT sum(files)::BIGINT, sum(bytes)::BIGINT FROM v23');
    const [doubled, files, bytes] = (bad ?? []).map(Number);
    expect(doubled).toBe(3111);
    const catalog = await openCatalog({ archive, cacheDir: all, release: 'v23' });
    const counts = await catalog.count({});
    expect(counts.instances).toBe(Number(published?.[0]) - (files ?? 0));
    expect(counts.bytes).toBe(Number(published?.[1]) - (bytes ?? 0));
    expect(catalog.notes.join()).toContain(
      'count 3,111 series twice; here they count once, by the evidence of 24.2.2',
    );
    const { rows } = await catalog.query('SELECT sum(instanceCount)::BIGINT FROM index');
    for await (const piece of rows) expect(piece).toEqual([[counts.instances]]);
    catalog.close();

    const alone = await openCatalog({ archive, cacheDir: await only(23) });
    expect((await alone.count({})).instances).toBe(Number(published?.[0]));
    expect(alone.notes.join()).toContain('count 3,111 series of tcga_brca twice');
    alone.close();
    const beside = await openCatalog({ archive, cacheDir: await only(22, 23), release: 'v23' });
    expect(beside.notes.join()).toContain('by the evidence of 22.1.5');
    beside.close();
  });

  test.each([
    [24, 61, 0],
    [23, 61, 0],
    [22, 61, 0],
    [21, 61, 0],
    [20, 61, 0],
    [19, 61, 0],
    [18, 61, 5],
    [17, 61, 8],
  ])(
    'v%i derived from v25 has %i series of mri_dir too many and lacks %i that were withdrawn',
    async (release, more, fewer) => {
      const catalog = await openCatalog({ archive, cacheDir: newest, release: `v${release}` });
      expect(catalog).toMatchObject({ evidence: 'derived', version: '25.0.5' });
      expect(catalog.notes[0]).toContain(`v${release} is derived from the tables of v25`);
      const path = join(root.path, `derived-${release}.parquet`);
      await catalog.exportParquet(
        { sql: 'SELECT crdc_series_uuid AS uuid, collection_id AS c FROM index' },
        path,
      );
      catalog.close();
      const [row] = await raw(
        `SELECT count(*)::INTEGER, count(DISTINCT d.uuid)::INTEGER, count(*) FILTER (WHERE o.uuid IS NULL)::INTEGER,
           count(*) FILTER (WHERE o.uuid IS NULL AND d.c <> 'mri_dir')::INTEGER,
           (SELECT count(*) FROM v${release} WHERE uuid NOT IN (SELECT uuid FROM '${path}'))::INTEGER, (SELECT count(*) FROM v${release})::INTEGER
         FROM '${path}' d LEFT JOIN v${release} o USING (uuid)`,
      );
      const [rows, distinct, extra, others, absent, own] = (row ?? []).map(Number);
      expect([extra, others, absent]).toEqual([more, 0, fewer]);
      expect([rows, distinct]).toEqual([(own ?? 0) + more - fewer, rows]);
    },
    300_000,
  );

  test('a release without tables is derived from the nearest ones that can give it', async () => {
    const cache = await only(23, 24, 25);
    // The tables of v23 do not say since when a series is as it is; those of v24 do, and know nothing of mri_dir.
    const catalog = await openCatalog({ archive, cacheDir: cache, release: 'v22' });
    expect(catalog).toMatchObject({ version: '24.2.2', derived: true });
    expect((await catalog.count({})).series).toBe(965_407);
    catalog.close();
  });

  test.each([
    [17, 385_276, 0, 699],
    [18, 44_496, 4_107, 50],
    [19, 12_469, 2_384, 590],
    [20, 3_405, 97, 0],
    [21, 14_549, 30, 3_686],
    [22, 28_742, 76, 1_812],
    [23, 39_872, 1_034, 7],
    [24, 11_407, 127, 12_043],
  ])(
    'v%i to the next: %i added, %i removed, %i revised, as plain SQL on both tables says',
    async (from, added, removed, revised) => {
      const to = from + 1;
      const diff = await openDiff({
        archive,
        cacheDir: all,
        from: `v${from}`,
        to: `v${to}`,
        by: ['collection_id'],
      });
      try {
        expect([diff.from.evidence, diff.to.evidence]).toEqual(['published', 'published']);
        const { changes } = diff;
        expect([changes.added.series, changes.removed.series, changes.revised.series]).toEqual([
          added,
          removed,
          revised,
        ]);
        const half = (side: string, release: number) =>
          release === 23
            ? `CASE WHEN ${side}.uuid IN (SELECT x.uuid FROM v23 x JOIN v24 y USING (uuid) WHERE x.files = 2 * y.files) THEN ${side}.bytes // 2 ELSE ${side}.bytes END`
            : `${side}.bytes`;
        const rows = await raw(
          `SELECT CASE WHEN a.uid IS NULL THEN 'added' WHEN b.uid IS NULL THEN 'removed' WHEN a.uuid <> b.uuid THEN 'revised'
             WHEN a.collection_id <> b.collection_id OR a.bucket <> b.bucket THEN 'moved' ELSE 'unchanged' END AS change,
           coalesce(b.collection_id, a.collection_id) AS c, count(*)::INTEGER, coalesce(sum(${half('a', from)}), 0)::BIGINT, coalesce(sum(${half('b', to)}), 0)::BIGINT
         FROM v${from} a FULL JOIN v${to} b USING (uid) GROUP BY ALL`,
        );
        const expected = new Map(
          rows.map(([change, c, ...amount]) => [`${change} ${c}`, amount.map(Number)]),
        );
        const found = new Map<string, number[]>();
        for (const { values, changes: one } of diff.by ?? []) {
          for (const change of CHANGES) {
            const { series, bytesBefore, bytesAfter } = one[change];
            if (series > 0)
              found.set(`${change} ${String(values['collection_id'])}`, [series, bytesBefore, bytesAfter]);
          }
        }
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
        const [licenses] = await raw(
          `SELECT count(*)::INTEGER FROM v${from} a JOIN v${to} b USING (uuid) WHERE a.license <> b.license`,
        );
        expect(diff.relicensed).toBe(licenses?.[0]);
      } finally {
        diff.close();
      }
    },
    300_000,
  );

  test('the list of a comparison names each series once, with both versions', async () => {
    const diff = await openDiff({
      archive,
      cacheDir: all,
      from: 'v24',
      to: 'v25',
      selection: { collection: ['NLST'], modality: ['CT'] },
    });
    const listed: unknown[][] = [];
    for await (const piece of diff.list({ changes: ['revised', 'added'] })) listed.push(...piece);
    diff.close();
    const rows = await raw(
      `SELECT count(*)::INTEGER FROM v24 a JOIN v25 b USING (uid) WHERE a.uuid <> b.uuid AND b.collection_id = 'nlst'
       AND uid IN (SELECT SeriesInstanceUID FROM '${tableOf(25)}' WHERE Modality = 'CT')`,
    );
    expect(listed.filter(([change]) => change === 'revised')).toHaveLength(Number(rows[0]?.[0]));
    expect(new Set(listed.map((row) => row[4])).size).toBe(listed.length);
    expect(diff.notes).toContain('NLST → nlst');
  });

  test('phantom_fda changed its bucket and its licence with v24, and not one version', async () => {
    const diff = await openDiff({
      archive,
      cacheDir: all,
      from: 'v23',
      to: 'v24',
      selection: { collection: ['phantom_fda'] },
    });
    expect(diff.changes.moved.series).toBe(4433);
    expect(diff.changes.unchanged.series + diff.changes.revised.series).toBe(0);
    expect(diff.relicensed).toBe(4433);
    diff.close();
    for (const [release, license] of [
      ['v21', 'CC BY-NC'],
      ['v23', 'CC BY 3.0'],
      ['v25', 'CC BY-NC'],
    ] as const) {
      const catalog = await openCatalog({ archive, cacheDir: all, release });
      const { licenses } = await catalog.licenses({ collection: ['phantom_fda'] });
      expect(licenses.map(({ license: name }) => name?.startsWith(license))).toEqual(
        licenses.map(() => true),
      );
      catalog.close();
    }
  });

  test('renamed collections are found under every name that they had', async () => {
    const catalog = await openCatalog({ archive, cacheDir: newest });
    for (const [name, series, last] of [
      ['apollo', 43, 4],
      ['apollo_5_lscc', 43, 11],
      ['apollo_5_thym', 20, 11],
    ] as const) {
      const [match] = await catalog.lookUp(name);
      expect(match).toMatchObject({
        level: 'collection',
        value: name,
        collections: ['varepop_apollo'],
        series,
      });
      expect(match?.note).toContain(`${series} series stand in varepop_apollo now`);
      const { rows, notes } = await catalog.select({ collection: [name] }, { columns: [] });
      expect(rows.map((row) => row.collection_id)).toEqual(
        Array.from({ length: series }, () => 'varepop_apollo'),
      );
      expect(notes.map(({ message }) => message)).toEqual([match?.note]);
      const before = await catalog.select({ collection: [name], release: `v${last}` }, { columns: [] });
      expect(before.rows.map((row) => row.SeriesInstanceUID).sort()).toEqual(
        rows.map((row) => row.SeriesInstanceUID).sort(),
      );
    }
    catalog.close();
    const history = await readHistoryOf({ archive, cacheDir: newest, what: 'apollo', seriesLimit: 50 });
    if (history.level === 'series' || history.series === null) throw new Error('a collection was expected');
    expect(history.releases.map(({ release, series }) => [release, series])).toEqual([
      ['v2', 43],
      ['v3', 43],
      ['v4', 43],
      ['v5', 0],
    ]);
    const collections = new Set(
      history.series.map(({ versions }) => versions.map((version) => version.collection_id).join(' → ')),
    );
    expect(collections).toContain('apollo → apollo_5_lscc → varepop_apollo');
    const returned = history.series.flatMap(({ versions }) => versions.filter((version) => version.returned));
    expect(
      returned.every(({ collection_id: id, minRelease }) => id === 'varepop_apollo' && minRelease === 21),
    ).toBe(true);
  });

  test('withdrawn versions are called withdrawn where older tables still list them', async () => {
    const slide = await readHistoryOf({
      archive,
      cacheDir: all,
      what: '1eafaa1c-5669-4761-be1d-232d5c02fa4b',
    });
    if (slide.level !== 'series') throw new Error('a series was expected');
    expect(
      slide.versions.map(({ state, minRelease, maxRelease }) => [state, minRelease, maxRelease]),
    ).toEqual([
      ['withdrawn', 17, 17],
      ['superseded', 18, 24],
      ['current', 25, 25],
    ]);
    expect(slide.notes.join('\n')).toContain(
      '1eafaa1c-5669-4761-be1d-232d5c02fa4b was withdrawn: older tables list it (v17)',
    );
    await expect(
      readHistoryOf({ archive, cacheDir: newest, what: '1eafaa1c-5669-4761-be1d-232d5c02fa4b' }),
    ).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('tables of its own time') as string,
    });

    const patient = await readHistoryOf({ archive, cacheDir: all, what: 'C3N-04457' });
    if (patient.level === 'series' || patient.series === null) throw new Error('a patient was expected');
    const withdrawn = patient.series.flatMap(({ versions }) =>
      versions.filter(({ state }) => state === 'withdrawn'),
    );
    expect(withdrawn.map(({ minRelease, maxRelease }) => [minRelease, maxRelease])).toEqual(
      Array.from({ length: 5 }, () => [2, 18]),
    );
    expect(withdrawn.reduce((sum, { instanceCount }) => sum + (instanceCount ?? 0), 0)).toBe(1019);
    expect(patient.releases.find(({ release }) => release === 'v19')).toMatchObject({
      removed: 5,
      evidence: 'published',
    });
  });

  test('what was withdrawn is said as that by the catalogue, with the release that still lists it', async () => {
    const catalog = await openCatalog({ archive, cacheDir: all });
    const slide = '1eafaa1c-5669-4761-be1d-232d5c02fa4b';
    const patient = await readHistoryOf({ archive, cacheDir: all, what: 'C3N-04457' });
    const uids = (patient.level === 'series' ? [] : (patient.series ?? [])).flatMap((one) =>
      one.versions.every(({ state }) => state === 'withdrawn') ? [one.SeriesInstanceUID] : [],
    );
    const found = await catalog.withdrawn([slide, ...uids, 'nlst', '1.2.3']);
    expect(found.get(slide)).toMatchObject({
      level: 'version',
      first: 'v17',
      last: 'v17',
      gone: 'v18',
      exact: true,
      knownBy: 'v17',
    });
    expect(uids).toHaveLength(5);
    for (const uid of uids)
      expect(found.get(uid)).toMatchObject({
        level: 'series',
        first: 'v2',
        last: 'v18',
        gone: 'v19',
        knownBy: 'v18',
      });
    expect(found.size).toBe(6);
    catalog.close();
    const old = await openCatalog({ archive, cacheDir: all, release: 'v18' });
    expect(await old.lookUp(uids[0] ?? '')).toMatchObject([{ level: 'series', current: true }]);
    old.close();
  });

  test('mri_dir became public with v25, whatever its series_init_idc_version says', async () => {
    const history = await readHistoryOf({ archive, cacheDir: all, what: 'mri_dir' });
    if (history.level === 'series') throw new Error('a collection was expected');
    expect(history.releases.map(({ release, series, added }) => [release, series, added])).toEqual([
      ['v25', 61, 61],
    ]);
    const [one] = history.series ?? [];
    expect(one?.versions[0]).toMatchObject({
      publishedIn: [25],
      absentFrom: [17, 18, 19, 20, 21, 22, 23, 24],
    });
  });

  test('old tables tell how many files a superseded version had', async () => {
    const [row] = await raw(
      'SELECT min(a.uid) FROM v24 a JOIN v25 b USING (uid) WHERE a.uuid <> b.uuid AND a.files <> b.files',
    );
    const [expected] = await raw(
      `SELECT a.uuid, a.files, b.files FROM v24 a JOIN v25 b USING (uid) WHERE uid = '${String(row?.[0])}'`,
    );
    const history = await readHistoryOf({ archive, cacheDir: all, what: String(row?.[0]) });
    if (history.level !== 'series') throw new Error('a series was expected');
    const last = history.versions.at(-1);
    expect(history.versions.at(-2)).toMatchObject({
      crdc_series_uuid: expected?.[0],
      instanceCount: Number(expected?.[1]),
    });
    expect(last?.changes).toContainEqual({
      what: 'files',
      before: Number(expected?.[1]),
      after: Number(expected?.[2]),
    });
  });

  test.each<[string, Record<string, number>]>([
    [
      '17.0.2',
      { 'size-zero': 2309, withdrawn: 8, 'listed-later': 61, 'doi-empty': 3949, 'control-characters': 720 },
    ],
    ['18.2.0', { withdrawn: 5, 'listed-later': 61, 'doi-empty': 3949 }],
    ['22.1.5', { 'bucket-missing': 3813, 'listed-later': 61, withdrawn: 0 }],
    [
      '23.10.1',
      { 'counted-twice': 3111, 'bucket-missing': 5701, 'license-changed': 19714, 'bucket-changed': 4433 },
    ],
    ['24.2.2', { 'counted-twice': 0, 'bucket-missing': 6735, 'license-changed': 0 }],
    [
      '25.0.5',
      {
        'several-ranges': 11338,
        'row-inside-another': 48,
        'counted-twice': 0,
        'revised-without-prior': 5,
        'history-starts-late': 9,
        'size-zero': 1828,
        'patient-in-two-collections': 89,
        'study-and-series': 85,
      },
    ],
  ])(
    'the oddities of %s',
    async (version, expected) => {
      const found = await findOddities({ archive, cacheDir: all, version });
      expect(Object.fromEntries(found.map(({ rule, count }) => [rule, count]))).toMatchObject(expected);
    },
    300_000,
  );
});
