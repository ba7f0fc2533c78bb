import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Catalog, installCatalog, openCatalog, type QueryResult } from '../../src/catalog/index.ts';
import { temporaryFolder, tinyArchive, writeTinyTables } from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;
let cacheDir: string;

beforeAll(async () => {
  root = await temporaryFolder();
  cacheDir = join(root.path, 'cache');
  await installCatalog({ archive, cacheDir, sources: [await writeTinyTables(join(root.path, 'tables'))] });
  catalog = await openCatalog({ archive, cacheDir });
});
afterAll(async () => {
  catalog.close();
  await root.remove();
});

async function all(result: QueryResult): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const chunk of result.rows) rows.push(...chunk);
  return rows;
}
const ask = async (sql: string) => all(await catalog.query(sql));

describe('one reading statement', () => {
  test.each([
    ['SELECT 1', [[1]]],
    ['  -- why\n /* not */ (SELECT 1);', [[1]]],
    ['WITH a AS (SELECT 2 AS n) SELECT n FROM a', [[2]]],
    ['FROM index SELECT count(*)', [[6]]],
    ['VALUES (3)', [[3]]],
    ["SELECT * FROM query_table('index') LIMIT 0", []],
    ["SELECT CT FROM (PIVOT index ON Modality IN ('CT') USING count(*) GROUP BY collection_id) LIMIT 0", []],
    ['SELECT count(*) FROM "index" WHERE Modality = \'CT\'', [[2]]],
  ])('%s', async (sql, rows) => {
    expect(await ask(sql)).toEqual(rows);
  });

  test('EXPLAIN, DESCRIBE, SHOW and SUMMARIZE read too', async () => {
    expect(JSON.stringify(await ask('EXPLAIN SELECT Modality FROM index'))).toContain('READ_PARQUET');
    expect((await ask('DESCRIBE index'))[0]).toContain('collection_id');
    expect(JSON.stringify(await ask('SHOW ALL TABLES'))).toContain('prior_versions_index');
    expect(await ask('SUMMARIZE index')).toHaveLength(18);
  });

  test('columns come with their types', async () => {
    const { columns, cancel } = await catalog.query(
      'SELECT 1::BIGINT AS n, [1.5] AS list, Modality FROM index',
    );
    expect(columns).toEqual([
      { name: 'n', type: 'BIGINT' },
      { name: 'list', type: 'DECIMAL(2,1)[]' },
      { name: 'Modality', type: 'VARCHAR' },
    ]);
    cancel();
  });
});

describe('values are JSON', () => {
  test.each([
    ['9007199254740991::BIGINT', 9007199254740991],
    ['9007199254740993::BIGINT', '9007199254740993'],
    ['170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727'],
    ['1.25::DECIMAL(10,2)', 1.25],
    ['123456789012345678901234.5::DECIMAL(30,1)', '123456789012345678901234.5'],
    ["'nan'::DOUBLE", 'NaN'],
    ["DATE '2020-02-29'", '2020-02-29'],
    ["TIMESTAMP '2020-02-29 01:02:03.5'", '2020-02-29T01:02:03.5'],
    ["TIMESTAMPTZ '2020-02-29 01:02:03+02'", '2020-02-28T23:02:03.000Z'],
    ["TIME '01:02:03'", '01:02:03'],
    ["uuid '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19'", '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19'],
    ["'ab'::BLOB", 'YWI='],
    ["{'a': [1, NULL], 'd': DATE '2020-01-01'}", { a: [1, null], d: '2020-01-01' }],
    ["MAP {'k': 1}", [{ key: 'k', value: 1 }]],
    ['NULL', null],
  ])('%s', async (sql, value) => {
    expect(await ask(`SELECT ${sql}`)).toEqual([[value]]);
  });

  test('control characters stay: printers escape, the catalogue does not', async () => {
    const [row] = await ask("SELECT SeriesDescription FROM index WHERE Modality = 'MR'");
    expect(row).toEqual(['a\u0000b\u0001c "q", it\u2019s']);
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });
});

describe('what is refused', () => {
  const folder = () => join(cacheDir, 'catalogs', 'tiny', '5.0.0');

  test.each([
    ['', /no statement/],
    ['-- only a comment', /no statement/],
    ["COPY (SELECT 1) TO 'x.csv'", /COPY is not allowed/],
    ["EXPORT DATABASE 'x'", /EXPORT is not allowed/],
    ["IMPORT DATABASE 'x'", /IMPORT is not allowed/],
    ["ATTACH 'x.db'", /ATTACH is not allowed/],
    ['PRAGMA database_size', /PRAGMA is not allowed/],
    ["PRAGMA table_info('index')", /PRAGMA is not allowed/],
    ['SET threads = 1', /SET is not allowed/],
    ['RESET threads', /RESET is not allowed/],
    ['INSTALL httpfs', /INSTALL is not allowed/],
    ['LOAD httpfs', /LOAD is not allowed/],
    ['CREATE TABLE t (a INT)', /CREATE is not allowed/],
    ['DROP VIEW index', /DROP is not allowed/],
    ['DELETE FROM index', /DELETE is not allowed/],
    ['CALL pragma_version()', /CALL is not allowed/],
    ['CHECKPOINT', /CHECKPOINT is not allowed/],
    ['BEGIN', /BEGIN is not allowed/],
    ['USE clinical', /USE is not allowed/],
    ['EXPLAIN DELETE FROM index', /DELETE is not allowed/],
    ['SELECT 1; SELECT 2', /there are 2 statements/],
    ["SELECT 1; COPY (SELECT 1) TO 'x.csv'", /statements|disabled/],
    ["EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'", /ANALYZE is not allowed/],
    ["EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO 'x.csv'", /ANALYZE is not allowed/],
    ['EXPLAIN /* */ ANALYZE CREATE TABLE t AS SELECT 1', /ANALYZE is not allowed/],
    ["SELECT * FROM read_text('/etc/hostname')", /disabled by configuration/],
    ["SELECT * FROM read_csv('/etc/passwd')", /disabled by configuration/],
    ["SELECT * FROM '/etc/passwd.csv'", /disabled by configuration|does not exist/],
    ["SELECT * FROM glob('/etc/*')", /disabled by configuration/],
    ["SELECT * FROM read_parquet('https://example.org/x.parquet')", /disabled|not exist|httpfs/i],
    ["SELECT * FROM query('SELECT 1')", /query\(\) is not allowed/],
    ["SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", /is not allowed/],
    ["SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='logs')", /is not allowed/],
    ["FROM system.main.enable_profiling(save_location='p.json', format='json')", /is not allowed/],
    ['SELECT (SELECT count(*) FROM "enable_profiling"(format=\'json\')) FROM range(2)', /is not allowed/],
    ["WITH a AS (FROM enable_profiling(format='json')) SELECT * FROM index, a", /is not allowed/],
    ['SUMMARIZE SELECT * FROM enable_logging()', /is not allowed/],
    ['SELECT * FROM index, force_checkpoint()', /is not allowed/],
    ['FROM checkpoint()', /is not allowed/],
    ["SELECT * FROM read_blob('/etc/passwd')", /disabled by configuration/],
    ["SELECT * FROM read_json('/etc/passwd')", /disabled by configuration/],
    ["SELECT * FROM parquet_metadata('/etc/passwd')", /disabled by configuration/],
    ["SELECT * FROM sniff_csv('/etc/passwd')", /disabled by configuration/],
    ['SELECT * FROM duckdb_secrets()', /disabled by configuration/],
    ["SELECT * FROM which_secret('s3://a', 's3')", /disabled by configuration|Invalid Configuration/],
    ["SELECT * FROM postgres_scan('', '', '')", /postgres_scan/],
    ["SUMMARIZE '/etc/passwd'", /disabled by configuration|does not exist/],
    ["EXPORT DATABASE 'stolen'", /EXPORT is not allowed/],
    ["IMPORT DATABASE 'stolen'", /IMPORT is not allowed/],
    ['CREATE MACRO f(a) AS a', /CREATE is not allowed/],
    ['CREATE SECRET s (TYPE s3)', /CREATE is not allowed/],
    ['PREPARE p AS SELECT 1', /PREPARE is not allowed/],
    ["WITH x AS (COPY (SELECT 1) TO 'x.csv') SELECT * FROM x", /SELECT/],
    ['SELECT * INTO t FROM index', /INTO/],
    ['PIVOT index ON Modality USING count(*)', /name the values/],
    ["SELECT getenv('HOME')", /getenv does not exist/],
    ['SELECT $1', /parameters/],
    ['SELECT * FROM index WHERE Modality = ?', /parameters/],
  ])('%s', async (sql, message) => {
    await expect(catalog.query(sql)).rejects.toMatchObject({
      code: 'sql',
      message: expect.stringMatching(message) as string,
      next: expect.any(String) as string,
    });
  });

  test('the catalogue’s own files, which may be read, cannot be written', async () => {
    const before = await readFile(join(folder(), 'idc_index.parquet'));
    const target = join(folder(), 'idc_index.parquet');
    for (const sql of [
      `COPY (SELECT 1) TO '${target}'`,
      `EXPLAIN ANALYZE COPY (SELECT 1) TO '${target}'`,
      `SELECT 1; COPY (SELECT 1) TO '${target}'`,
    ]) {
      await expect(catalog.query(sql)).rejects.toMatchObject({ code: 'sql' });
      await expect(catalog.count({ sql })).rejects.toMatchObject({ code: 'sql' });
      await expect(catalog.count({ where: [sql] })).rejects.toMatchObject({ code: 'sql' });
    }
    expect(await readFile(target)).toEqual(before);
    expect(await readdir(folder())).not.toContain('x.csv');
  });

  test('the engine’s own message comes with the place marked', async () => {
    await expect(catalog.query('SELECT Modaliti FROM index')).rejects.toThrow(
      /LINE 1: SELECT Modaliti FROM index\s+\^/,
    );
    await expect(catalog.query('SELECT 1 +')).rejects.toThrow(/syntax error/i);
  });

  test('an unknown table or a column’s earlier name is answered with what there is', async () => {
    await expect(catalog.query('SELECT * FROM inde')).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean "index"') as string,
    });
    await expect(catalog.query('SELECT CollectionId FROM prior_versions_index')).rejects.toMatchObject({
      next: expect.stringContaining('collection_id') as string,
    });
    await expect(catalog.query('SELECT * FROM seg_index')).rejects.toMatchObject({
      next: expect.stringContaining('catalog update') as string,
    });
  });
});

describe('long answers', () => {
  test('come in pieces and can be cut', async () => {
    const result = await catalog.query('SELECT range FROM range(10000)', { maxRows: 2500 });
    const sizes: number[] = [];
    for await (const chunk of result.rows) sizes.push(chunk.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2500);
    expect(result.truncated()).toBe(true);
    const whole = await catalog.query('SELECT range FROM range(2500)', { maxRows: 2500 });
    expect(await all(whole)).toHaveLength(2500);
    expect(whole.truncated()).toBe(false);
    const none = await catalog.query('SELECT 1', { maxRows: 0 });
    expect(await all(none)).toEqual([]);
    expect(none.truncated()).toBe(true);
  });

  test('leaving the loop early is fine, and so is asking several things at once', async () => {
    const first = await catalog.query('SELECT range FROM range(100000)');
    for await (const chunk of first.rows) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => ask(`SELECT ${n} + count(*) FROM index`)),
    );
    expect(answers.map(([row]) => row?.[0])).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
  });

  const endless = 'SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 1';

  test('are stopped by a time limit', async () => {
    const attempt = async () => all(await catalog.query(endless, { timeoutMs: 50 }));
    await expect(attempt()).rejects.toMatchObject({ code: 'sql', message: 'stopped after 50 ms' });
    expect(await ask('SELECT 1')).toEqual([[1]]);
  });

  test('are stopped by the user', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const attempt = async () => all(await catalog.query(endless, { signal: stop.signal }));
    await expect(attempt()).rejects.toMatchObject({ code: 'interrupted' });
    await expect(catalog.count({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(await ask('SELECT 1')).toEqual([[1]]);
  });

  test('stay within the memory they are given', async () => {
    const hungry = 'SELECT list(range) FROM range(50000000)';
    const attempt = async () => all(await catalog.query(hungry, { memoryLimit: '50MB' }));
    await expect(attempt()).rejects.toMatchObject({
      code: 'sql',
      next: expect.stringContaining('memory') as string,
    });
    await expect(catalog.query('SELECT 1', { memoryLimit: 'plenty' })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
