/** `carrel tcia browse` of the built command against a Faspex on this machine. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../src/serve/index.ts';
import { createFaspex, type TestFaspex } from '../tcia/server/faspex.ts';
import type { FaspexFaults } from '../tcia/server/faspex-faults.ts';
import type { ServedEntry } from '../tcia/server/faspex-packages.ts';
import { manyFiles } from '../tcia/server/package-files.ts';
import { type CarrelResult, errorOf, runCarrel, startCarrel } from './carrel.ts';

const PASSCODE = '7106e341c06829c60d2c4f71a0a1158714b3ecc5';
const MTIME = '2024-03-23T21:07:20Z';
const COHORT = 'Yale_trastuzumab_response_cohort';

const HER2: ServedEntry[] = [
  { path: 'HER2_tumor_ROIs_v3.sums', size: 62_974, mtime: MTIME },
  { path: 'Yale_HER2_cohort/Annotations/Her2Pos_Case_01.xml', size: 71_509, mtime: MTIME },
  { path: 'Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs', size: 1_234_567_890, mtime: MTIME },
  {
    path: `${COHORT}/Annotations/O09-03495.xml`,
    type: 'symbolic_link',
    size: 71_509,
    mtime: MTIME,
    target: {
      path: '/pathology/HER2_ROI/pkg_v3/Yale_trastuzumab_rsponse_cohort/Annotations/O09-03495.xml',
      type: 'file',
      size: 71_509,
    },
  },
  { path: `${COHORT}/SVS/O09-03495.svs`, type: 'symbolic_link', size: null, mtime: MTIME },
];
const HOSTILE: ServedEntry[] = [
  { path: 'good.svs', size: 1 },
  { path: 'red\u001b[31m.svs', size: 1 },
  { path: 'passwd', shown: '/etc/../passwd', size: 1 },
];

let folder: string;
let faspex: TestFaspex;
let server: Listener;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-browse-'));
  faspex = createFaspex({
    packages: [
      { id: '739', passcode: PASSCODE, title: 'HER2_tumor_ROIs_v3', entries: HER2 },
      { id: '20000', passcode: PASSCODE, title: 'Large', entries: () => manyFiles(20_000, 3) },
      { id: '666', passcode: PASSCODE, title: 'Hostile', entries: HOSTILE },
    ],
  });
  server = await listen({ fetch: faspex.fetch });
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  faspex.requests.length = 0;
  for (const name of Object.keys(faspex.faults)) delete faspex.faults[name as keyof FaspexFaults];
});

const link = (id = '739') => faspex.link(server.url, id);

async function browse(...args: string[]): Promise<CarrelResult> {
  return await runCarrel(['tcia', 'browse', ...args], {
    cwd: folder,
    env: { HOME: folder, CARREL_CACHE_DIR: join(folder, 'cache'), CARREL_CONFIG_DIR: join(folder, 'config') },
  });
}

/** Whatever it printed holds nothing that opens the package. */
function withoutSecrets(result: CarrelResult): CarrelResult {
  const context = /context=(.{60})/.exec(link())?.[1] ?? '';
  for (const text of [result.stdout, result.stderr]) {
    expect(text).not.toContain(PASSCODE);
    expect(text).not.toContain(context);
    expect(text).not.toMatch(/eyJ[\w-]{20}/);
  }
  return result;
}

describe('the story of the notebook', () => {
  test('the root of a package', async () => {
    const { code, stdout, stderr } = withoutSecrets(await browse(link()));
    expect(stdout).toBe(
      [
        'kind       size  modified             path',
        '──────  ───────  ───────────────────  ─────────────────────────────────',
        'file    63.0 kB  2024-03-23 21:07:20  HER2_tumor_ROIs_v3.sums',
        'folder                                Yale_HER2_cohort/',
        'folder                                Yale_trastuzumab_response_cohort/',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe('HER2_tumor_ROIs_v3: 5 files, 1.23 GB, released 2024-03-25\n');
    expect(code).toBe(0);
  });

  test('a folder with blanks and & in its names; a file by its path', async () => {
    const { stdout } = await browse(link(), 'Yale_HER2_cohort/SVS');
    expect(stdout).toContain('Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs');
    const file = await browse(link(), '/Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs', '--format', 'csv');
    expect(file.stdout.split('\n')).toHaveLength(3);
  });

  test('CSV of everything: one flat schema, links as what they point to, unknown sizes empty', async () => {
    const { code, stdout } = withoutSecrets(await browse(link(), '--recursive', '--format', 'csv', '-q'));
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'package,path,name,kind,bytes,modified,link,target,refused,digest',
        `739,HER2_tumor_ROIs_v3.sums,HER2_tumor_ROIs_v3.sums,file,62974,${MTIME},false,,,`,
        '739,Yale_HER2_cohort,Yale_HER2_cohort,folder,,,false,,,',
        '739,Yale_HER2_cohort/Annotations,Annotations,folder,,,false,,,',
        `739,Yale_HER2_cohort/Annotations/Her2Pos_Case_01.xml,Her2Pos_Case_01.xml,file,71509,${MTIME},false,,,`,
        '739,Yale_HER2_cohort/SVS,SVS,folder,,,false,,,',
        `739,Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs,Her2Pos Case & 01.svs,file,1234567890,${MTIME},false,,,`,
        `739,${COHORT},${COHORT},folder,,,false,,,`,
        `739,${COHORT}/Annotations,Annotations,folder,,,false,,,`,
        `739,${COHORT}/Annotations/O09-03495.xml,O09-03495.xml,file,71509,${MTIME},true,/pathology/HER2_ROI/pkg_v3/Yale_trastuzumab_rsponse_cohort/Annotations/O09-03495.xml,,`,
        `739,${COHORT}/SVS,SVS,folder,,,false,,,`,
        `739,${COHORT}/SVS/O09-03495.svs,O09-03495.svs,link,,${MTIME},true,,,`,
        '',
      ].join('\n'),
    );
  });

  test('the listing of one folder has the same columns', async () => {
    const head = (result: CarrelResult) => result.stdout.split('\n')[0];
    const all = await browse(link(), '-r', '--format', 'csv');
    expect(head(await browse(link(), 'Yale_HER2_cohort', '--format', 'csv'))).toBe(head(all));
  });

  test('JSON has the same fields, with null for what is not known', async () => {
    const { stdout, stderr } = withoutSecrets(await browse(link(), `${COHORT}/SVS`, '--json'));
    expect(JSON.parse(stdout)).toEqual([
      {
        package: '739',
        path: `${COHORT}/SVS/O09-03495.svs`,
        name: 'O09-03495.svs',
        kind: 'link',
        bytes: null,
        modified: MTIME,
        link: true,
        target: null,
        refused: null,
        digest: null,
      },
    ]);
    expect(stderr).toBe('');
  });

  test.each([
    [
      ['--recursive', '--glob', '*.xml'],
      [`${COHORT}/Annotations/O09-03495.xml`, 'Yale_HER2_cohort/Annotations/Her2Pos_Case_01.xml'],
    ],
    [['--glob', 'Yale_HER2_cohort/**/*.svs'], ['Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs']],
    [
      ['--glob', '*/SVS/*'],
      [`${COHORT}/SVS/O09-03495.svs`, 'Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs'],
    ],
    [
      ['--glob', '*.sums', '--glob', 'Yale_H*'],
      ['HER2_tumor_ROIs_v3.sums', 'Yale_HER2_cohort'],
    ],
    [['--glob', '*.dcm'], []],
  ])('%j', async (flags, paths) => {
    const { code, stdout } = await browse(link(), ...flags, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { path: string }[]).map(({ path }) => path).sort()).toEqual(paths.sort());
  });
});

test('a pattern that nothing matches is no failure, and said', async () => {
  const { code, stderr } = await browse(link(), '--glob', '*.dcm');
  expect(code).toBe(0);
  expect(stderr).toContain('note: none of 3 names matches *.dcm');
});

describe('packages of 20,000 files', () => {
  test('are written as Parquet whole, though tokens end and large pages fail', async () => {
    Object.assign(faspex.faults, { failAbove: 400, requestsPerToken: 30, unavailable: 1 });
    const { code, stderr } = withoutSecrets(
      await browse(link('20000'), '--recursive', '--format', 'parquet', '-o', 'files.parquet'),
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Large: 20,000 files, 200 MB, released 2024-03-25\n20,003 rows → files.parquet\n',
    });
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const answer = await connection.runAndReadAll(
      `SELECT kind, count(*)::INT, count(DISTINCT path)::INT, sum(bytes)::BIGINT, typeof(any_value(link))
       FROM '${join(folder, 'files.parquet')}' GROUP BY ALL ORDER BY kind`,
    );
    expect(answer.getRows()).toEqual([
      ['file', 20_000, 20_000, 199_990_000n, 'BOOLEAN'],
      ['folder', 3, 3, null, 'BOOLEAN'],
    ]);
    connection.closeSync();
    instance.closeSync();
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.part'));
  });

  test('that come short are printed, said to be short, and end with 3', async () => {
    Object.assign(faspex.faults, { endsAfter: 100, noPages: true });
    const result = withoutSecrets(
      await browse(link('20000'), 'folder 000', '--format', 'csv', '-o', 'short.csv', '--json'),
    );
    expect(result.code).toBe(3);
    expect(errorOf(result)).toMatchObject({
      code: 'partial',
      exit: 3,
      message: 'the list is short: folder 000: the server counts 6667 rows and gave 100',
    });
    expect((JSON.parse(await readFile(join(folder, 'short.csv'), 'utf8')) as unknown[]).length).toBe(100);
  });

  test('that nobody can prove complete are said to be so', async () => {
    Object.assign(faspex.faults, { noTotal: true });
    const { code, stderr } = await browse(link('20000'), 'folder 000', '--format', 'csv', '-o', 'some.csv');
    expect(code).toBe(0);
    expect(stderr).toContain(
      'the list may be short: folder 000: the server does not say how many rows there are',
    );
  });
});

describe('what stands in the way', () => {
  test('a link that is refused: 8, in the words of the server', async () => {
    Object.assign(faspex.faults, { linkRefused: 'The link has expired' });
    const result = withoutSecrets(await browse(link()));
    expect(result.code).toBe(8);
    expect(result.stderr).toContain('the link was refused: the server says: The link has expired');
    expect(result.stderr).toContain('copy the address of its download button again');
  });

  test('a server in maintenance: 1, with what to do', async () => {
    Object.assign(faspex.faults, { maintenance: true });
    const result = withoutSecrets(await browse(link(), '--json'));
    expect(result.code).toBe(1);
    expect(errorOf(result)).toMatchObject({
      code: 'network',
      next: expect.stringContaining('later') as string,
    });
  });

  test('a path that is not there: 4', async () => {
    const result = withoutSecrets(await browse(link(), 'yale_her2_cohort'));
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('holds no "yale_her2_cohort"');
  });

  test('a link of Faspex 4 and something that is no link: 2, without its passcode', async () => {
    const old = `${server.url}/aspera/faspex/external_deliveries/74?passcode=${PASSCODE}`;
    const result = withoutSecrets(await browse(old));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('a link of Faspex 4');
    expect((await browse('what.txt', '--offline')).stderr).toContain('the catalogue of TCIA is not here');
    expect((await browse('')).stderr).toContain('nothing is in it');
    expect(faspex.requests).toEqual([]);
  });

  test('an interruption does not repeat the link', async () => {
    Object.assign(faspex.faults, { unavailable: 50 });
    const running = startCarrel(['tcia', 'browse', link('20000'), '-r', '--json'], { cwd: folder });
    await expect.poll(() => faspex.requests.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(3);
    running.child.kill('SIGINT');
    const result = withoutSecrets(await running.done);
    expect(result.code).toBe(130);
  });

  test('hostile names are listed, named and escaped', async () => {
    const result = await browse(link('666'));
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('red\\x1b[31m.svs');
    expect(`${result.stdout}${result.stderr}`).not.toContain('\u001b[31m');
    expect(result.stderr).toContain('"/etc/../passwd" holds a "." or ".." segment; it will not be fetched');
  });
});
