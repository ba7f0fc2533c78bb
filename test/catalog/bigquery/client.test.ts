import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBigQueryJobs } from '../../../src/catalog/bigquery/client.ts';
import { rowReader, typeOf } from '../../../src/catalog/bigquery/rows.ts';
import { openBigQueryCatalog } from '../../../src/catalog/index.ts';
import { isCarrelError } from '../../../src/errors.ts';
import { tinyArchive } from '../tiny-tables.ts';
import type { Backend } from './fake-server.ts';
import { type Listening, listenToFake, PROJECT } from './listen-to-fake.ts';

/** Answers any statement with so many rows; `INSERT …` and `a; b` are no SELECT. */
const backend: Backend = {
  run(sql) {
    if (sql.includes('Modalty')) return Promise.reject(new Error('Unrecognized name: Modalty at [1:8]'));
    const kind = sql.startsWith('INSERT') ? 'INSERT' : sql.includes('SCRIPT') ? 'SCRIPT' : 'SELECT';
    const rows = Array.from({ length: 5000 }, (_, at) => [String(at), at % 2 === 0 ? null : 'odd']);
    return Promise.resolve({ kind, names: ['n', 'word'], types: ['BIGINT', 'VARCHAR'], rows });
  },
};

let fake: Listening;
beforeAll(async () => {
  fake = await listenToFake(backend);
});
afterAll(() => fake.close());
afterEach(() => {
  fake.server.behaviour.page = 1000;
  fake.server.behaviour.pending = 0;
  delete fake.server.behaviour.fail;
  fake.server.jobs.length = 0;
});

const open = (more: { maxBytes?: number; project?: string | undefined } = {}) =>
  createBigQueryJobs({ project: PROJECT, apiEndpoint: fake.endpoint, ...more });
const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!isCarrelError(error)) throw new Error(`not a CarrelError: ${String(error)}`);
  return error;
};
const readAll = async (pages: AsyncIterable<unknown[]>) => {
  const sizes: number[] = [];
  for await (const page of pages) sizes.push(page.length);
  return sizes;
};

describe('jobs of BigQuery', () => {
  test('a dry run tells bytes, the kind of statement and its columns, and runs nothing', async () => {
    expect(await open().plan('SELECT 1')).toEqual({
      bytes: 123_456_789,
      statementType: 'SELECT',
      fields: [
        { name: 'n', type: 'INTEGER' },
        { name: 'word', type: 'STRING' },
      ],
    });
    expect(fake.server.jobs.map(({ dryRun }) => dryRun)).toEqual([true]);
  });

  test('answers come page by page, also of a job that takes its time', async () => {
    fake.server.behaviour.pending = 2;
    const answer = await open().run('SELECT 1');
    expect(answer.bytes).toBe(123_456_789);
    expect(await readAll(answer.pages)).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(fake.server.jobs.map(({ cancelled }) => cancelled)).toEqual([false]);
  });

  test('whoever stops reading cancels the job', async () => {
    const { pages } = await open().run('SELECT 1');
    for await (const page of pages) if (page.length > 0) break;
    await vi.waitFor(() => expect(fake.server.jobs.map(({ cancelled }) => cancelled)).toEqual([true]));
  });

  test('a signal ends the wait and cancels the job', async () => {
    fake.server.behaviour.pending = 1_000_000;
    const control = new AbortController();
    const work = failure(open().run('SELECT 1', { signal: control.signal }));
    await vi.waitFor(() => expect(fake.server.jobs).toHaveLength(1));
    control.abort();
    expect(await work).toMatchObject({ code: 'interrupted' });
    await vi.waitFor(() => expect(fake.server.jobs.map(({ cancelled }) => cancelled)).toEqual([true]));
  });

  test('a limit on bytes is handed on, and what exceeds it is said with what to do', async () => {
    const error = await failure(open({ maxBytes: 1_000_000 }).run('SELECT 1'));
    expect(error).toMatchObject({ code: 'usage', next: expect.stringContaining('--max-bytes') as string });
    expect(error.message).toContain('123456789 or higher required');
    expect(fake.server.jobs[0]?.configuration['maximumBytesBilled']).toBe('1000000');
  });

  test.each([
    [403, 'accessDenied', 'permission', 'BigQuery Job User'],
    [403, 'billingNotEnabled', 'permission', '--project'],
    [403, 'quotaExceeded', 'network', 'quota'],
    [404, 'notFound', 'not-found', 'lack that release'],
    [400, 'invalidQuery', 'sql', undefined],
    [401, 'authError', 'permission', 'gcloud auth application-default login'],
  ])('%i %s is the error %s', async (status, reason, code, next) => {
    fake.server.behaviour.fail = { insert: [status, reason, `the server said ${reason}`] };
    const error = await failure(open().plan('SELECT 1'));
    expect(error).toMatchObject({ code, status });
    expect(error.message).toContain(`the server said ${reason}`);
    if (next !== undefined) expect(error.next).toContain(next);
  });

  test('a job that fails while it runs is an error of the answer', async () => {
    fake.server.behaviour.fail = {
      results: [400, 'resourcesExceeded', 'Resources exceeded during query execution'],
    };
    expect(await failure(open().run('SELECT 1'))).toMatchObject({ code: 'sql' });
  });

  test('without credentials it is said how to sign in', async () => {
    const before = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    const home = process.env['HOME'];
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    process.env['METADATA_SERVER_DETECTION'] = 'none';
    process.env['HOME'] = '/nowhere';
    try {
      expect(await failure(open().plan('SELECT 1'))).toMatchObject({
        code: 'permission',
        message: 'there are no Google credentials to ask BigQuery with',
        next: expect.stringContaining('gcloud auth application-default login') as string,
      });
    } finally {
      process.env['GOOGLE_APPLICATION_CREDENTIALS'] = before;
      process.env['HOME'] = home;
      delete process.env['METADATA_SERVER_DETECTION'];
    }
  });
});

describe('the catalogue over them', () => {
  const archive = {
    ...tinyArchive(),
    bigquery: {
      project: 'data-of-the-tests',
      dataset: 'set_v{release}',
      layout: 'dicom_all' as const,
      since: 'v4',
    },
  };
  const catalog = (release?: string) =>
    openBigQueryCatalog({ archive, release, project: PROJECT, apiEndpoint: fake.endpoint });

  test('runs a SELECT only', async () => {
    expect(await failure(catalog().query('INSERT INTO x VALUES (1)'))).toMatchObject({
      code: 'sql',
      message: expect.stringContaining('INSERT is not allowed') as string,
    });
    expect(await failure(catalog().query("SELECT 'SCRIPT'"))).toMatchObject({ code: 'sql' });
    expect(fake.server.jobs.every(({ dryRun }) => dryRun)).toBe(true);
  });

  test('names tables of the data set without their path, and stops after so many rows', async () => {
    const { rows, truncated, columns } = await catalog().query('SELECT n FROM dicom_all', { maxRows: 2500 });
    let count = 0;
    for await (const piece of rows) count += piece.length;
    expect([count, truncated()]).toEqual([2500, true]);
    expect(columns[0]).toEqual({ name: 'n', type: 'BIGINT' });
    expect(fake.server.jobs[0]?.configuration['defaultDataset']).toEqual({
      projectId: 'data-of-the-tests',
      datasetId: 'set_v5',
    });
  });

  test('asks the data set of the release, and says where its columns are not known', () => {
    expect(catalog().notes).toEqual([]);
    expect(catalog('v3')).toMatchObject({
      releaseName: 'v3',
      notes: [expect.stringContaining('set_v3') as string],
    });
    expect(() => catalog('v9')).toThrow('no release v9');
    expect(() => openBigQueryCatalog({ archive: tinyArchive() })).toThrow('names no data set on BigQuery');
  });

  test("the server's words about a condition name it", async () => {
    const error = await failure(catalog().count({ where: ['Modalty = 1'] }));
    expect(error).toMatchObject({ code: 'sql', item: 'Modalty = 1' });
    expect(error.message).toContain('Unrecognized name: Modalty');
  });

  test('a plan tells the bytes of each statement, or why they are not known', async () => {
    const question = { kind: 'count' as const, selection: { collection: ['alpha'] } };
    const plans = await catalog().plan(question);
    expect(plans.map(({ bytes }) => bytes)).toEqual([123_456_789, 123_456_789]);
    expect(fake.server.jobs.every(({ dryRun }) => dryRun)).toBe(true);
    fake.server.behaviour.fail = { insert: [403, 'accessDenied', 'no'] };
    const unknown = await catalog().plan(question);
    expect(unknown.map(({ bytes, unknown: why }) => [bytes, why?.code])).toEqual([
      [null, 'permission'],
      [null, 'permission'],
    ]);
  });
});

describe('rows of the server', () => {
  const one = (type: string, v: unknown, more: object = {}) =>
    rowReader([{ name: 'x', type, ...more }])({ f: [{ v }] })[0];

  test('become the values that the installed tables give', () => {
    expect(one('INTEGER', '42')).toBe(42);
    expect(one('INTEGER', '9007199254740993')).toBe('9007199254740993');
    expect(one('FLOAT', '1.5')).toBe(1.5);
    expect(one('FLOAT', 'NaN')).toBe('NaN');
    expect(one('BOOLEAN', 'false')).toBe(false);
    expect(one('NUMERIC', '12.50')).toBe(12.5);
    expect(one('BIGNUMERIC', '1234567890123456789.123')).toBe('1234567890123456789.123');
    expect(one('TIMESTAMP', '1672574400123456')).toBe('2023-01-01T12:00:00.123Z');
    expect(one('DATETIME', '2023-01-01T12:00:00')).toBe('2023-01-01T12:00:00');
    expect(one('DATE', '2023-01-01')).toBe('2023-01-01');
    expect(one('JSON', '{"a":[1]}')).toEqual({ a: [1] });
    expect(one('STRING', null)).toBeNull();
    expect(one('STRING', [{ v: 'a' }, { v: null }], { mode: 'REPEATED' })).toEqual(['a', null]);
    const fields = [
      { name: 'a', type: 'INTEGER' },
      { name: 'b', type: 'STRING', mode: 'REPEATED' },
    ];
    expect(
      one('RECORD', [{ v: { f: [{ v: '1' }, { v: [{ v: 'x' }] }] } }], { mode: 'REPEATED', fields }),
    ).toEqual([{ a: 1, b: ['x'] }]);
    expect(typeOf({ name: 'x', type: 'INTEGER', mode: 'REPEATED' })).toBe('BIGINT[]');
  });
});
