import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveRecord, parseArchive, toRecord } from '../../src/archives/index.ts';
import { pythonWithSqlglot } from '../catalog/bigquery/google-to-duckdb.ts';
import { type Listening, listenToFake, PROJECT } from '../catalog/bigquery/listen-to-fake.ts';
import { openTwoEngines, type TwoEngines } from '../catalog/bigquery/two-engines.ts';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

const { python, reason } = pythonWithSqlglot();
const NO_CREDENTIALS = { METADATA_SERVER_DETECTION: 'none', HOME: '/nowhere' };

let desk: SampleDesk;
beforeAll(async () => {
  desk = await openSampleDesk();
});
afterAll(async () => {
  await desk.remove();
});

/** Google's client reads the environment of the process. */
async function withEnv<T>(env: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

describe('--engine bigquery without credentials', () => {
  const run = (...args: string[]) => withEnv(NO_CREDENTIALS, () => desk.run(['--', ...args].slice(1)));
  const idc = ['--archive', 'idc', '--engine', 'bigquery'];

  test('--dry-run prints the statements, and says why bytes are not known', async () => {
    const { code, stdout, stderr } = await run(
      'search',
      '--collection',
      'nlst',
      '--by',
      'Modality',
      ...idc,
      '--dry-run',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-- 1: which of the values there are\nSELECT DISTINCT 'collection' AS field/);
    expect(stdout).toContain('\n-- 2: the answer\nWITH index AS (');
    expect(stdout).toContain('`bigquery-public-data.idc_v25.dicom_all`');
    expect(stderr).toMatch(
      /^nothing was run; how much would be read is not known: there are no Google credentials/,
    );
    expect(stderr).toContain('gcloud auth application-default login');
  });

  test('--dry-run --json is one document', async () => {
    const { stdout } = await run(
      'sql',
      'SELECT COUNT(*) AS n FROM index',
      ...idc,
      '--release',
      'v24',
      '--dry-run',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      archive: 'idc',
      release: 'v24',
      engine: 'bigquery',
      statements: [{ purpose: 'the answer', sql: expect.stringContaining('idc_v24') as string, bytes: null }],
    });
  });

  test('a question is exit 8 with how to sign in', async () => {
    for (const args of [
      ['search', '--count'],
      ['sql', 'SELECT 1'],
    ]) {
      const { code, stderr } = await run(...args, ...idc, '--json');
      expect(code).toBe(8);
      expect(JSON.parse(stderr.trim())).toMatchObject({
        code: 'permission',
        next: expect.stringContaining('gcloud auth application-default login') as string,
      });
    }
  });

  test('its flags without it, an archive without a data set, and a size that is none are said', async () => {
    const errorOf = async (...args: string[]) => {
      const { code, stderr } = await run(...args);
      return `${code} ${stderr}`;
    };
    expect(await errorOf('search', '--count', '--dry-run')).toMatch(/^2 error: --dry-run is for BigQuery/);
    expect(await errorOf('search', '--count', '--engine', 'bigquery')).toMatch(
      /^1 error: the record of sample names no data set/,
    );
    expect(await errorOf('search', '--count', ...idc, '--max-bytes', 'lots')).toMatch(
      /^2 error: not a number of bytes: "lots"/,
    );
    expect(await errorOf('search', '--count', ...idc, '--release', 'v99')).toMatch(
      /^4 error: idc has no release v99/,
    );
    expect(await errorOf('search', '--where', 'a) OR (b', ...idc, '--dry-run')).toMatch(
      /^2 error: not one condition/,
    );
    expect(await errorOf('search', '--columns', 'Modalty', ...idc, '--dry-run')).toContain(
      'did you mean Modality',
    );
    expect(await errorOf('search', '--format', 'parquet', ...idc)).toMatch(
      /^2 error: Parquet is written from/,
    );
  });
});

describe('--engine bigquery with credentials', () => {
  let fake: Listening;
  beforeAll(async () => {
    fake = await listenToFake({
      run: () => Promise.resolve({ kind: 'SELECT', names: ['n'], types: ['BIGINT'], rows: [['7']] }),
    });
  });
  afterAll(() => fake.close());
  const run = (...args: string[]) =>
    withEnv(fake.env, () =>
      desk.run([...args, '--archive', 'idc', '--engine', 'bigquery', '--project', PROJECT]),
    );

  test('answers a statement, and says on stderr how much was processed for whom', async () => {
    const { code, stdout, stderr } = await run('sql', 'SELECT 7 AS n', '--format', 'csv');
    expect([code, stdout]).toEqual([0, 'n\n7\n']);
    expect(stderr).toContain(`BigQuery processed 123 MB in the project ${PROJECT}`);
    expect((await run('sql', 'SELECT 7 AS n', '--format', 'csv', '-q')).stderr).toBe('');
  });

  test('--dry-run tells the bytes and runs nothing; --max-bytes goes with the job', async () => {
    fake.server.jobs.length = 0;
    const { stderr } = await run('sql', 'SELECT 7 AS n', '--dry-run');
    expect(stderr).toBe('nothing was run; BigQuery would process 123 MB (123,456,789 bytes)\n');
    expect(fake.server.jobs.map(({ dryRun }) => dryRun)).toEqual([true]);
    const { code, stderr: refused } = await run('sql', 'SELECT 7 AS n', '--max-bytes', '10MB');
    expect([code, refused]).toEqual([2, expect.stringContaining('bytes billed: 10000000')]);
  });
});

describe.skipIf(python === undefined)(`both engines on the command line (${reason})`, () => {
  let engines: TwoEngines;
  let archivePath: string;
  beforeAll(async () => {
    const record = JSON.parse(await readFile(desk.archivePath, 'utf8')) as ArchiveRecord;
    const tables = join(desk.archivePath, '..', 'catalog', '3.0.0');
    engines = await openTwoEngines({
      python: python ?? '',
      record,
      base: desk.archivePath,
      tables,
      version: '3.0.0',
      release: 3,
    });
    const bigquery = {
      project: 'data-of-the-tests',
      dataset: 'set_v{release}',
      layout: 'dicom_all' as const,
    };
    const absolute = toRecord(parseArchive(record, { origin: desk.archivePath, base: desk.archivePath }));
    archivePath = join(desk.folder, 'with-bigquery.json');
    await writeFile(archivePath, JSON.stringify({ ...absolute, bigquery }));
  }, 120_000);
  afterAll(() => engines.close());

  test('print the same, whatever is asked', async () => {
    const run = (...args: string[]) =>
      withEnv(engines.env, () => desk.run([...args, '-q'], { env: { CARREL_ARCHIVE: archivePath } }));
    for (const args of [
      ['search', '--collection', 'sample_torso', '--count'],
      ['search', '--by', 'Modality', '--sum', 'instanceCount', '--format', 'csv'],
      ['search', '--by', 'collection_id,Modality', '--order', 'bytes:desc', '--limit', '3', '--json'],
      ['search', '--modality', 'ct', '--order', 'bytes:desc', '--limit', '5', '--format', 'csv'],
      ['search', '--sample', '3', '--split', 'train=0.5,test=0.5', '--seed', '4', '--format', 'csv'],
      ['search', 'lung', '--format', 'csv'],
      ['search', 'lung', '--modality', 'RTSTRUCT', '--count', '--json'],
      ['search', '--collection', 'sample_brain', '--format', 'manifest'],
      ['search', '--patient', 'NOBODY', '--count'],
      ['sql', 'SELECT Modality, count(*) AS n FROM index GROUP BY Modality ORDER BY Modality', '--json'],
    ]) {
      const wanted = await run(...args);
      const answer = await run(...args, '--engine', 'bigquery', '--project', PROJECT);
      expect([args, answer.code, answer.stdout]).toEqual([args, wanted.code, wanted.stdout]);
    }
  }, 180_000);
});
