import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSql } from '../catalog/tiny-tables.ts';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

let desk: SampleDesk;
beforeAll(async () => {
  desk = await openSampleDesk();
});
afterAll(async () => {
  await desk.remove();
});

const run = (...args: string[]) => desk.run(args);
const errorOf = (stderr: string) =>
  JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

describe('carrel search WORDS', () => {
  test('finds data sets by their words, best first, with how much is in each', async () => {
    const { code, stdout, stderr } = await run('search', 'lung');
    expect(code).toBe(0);
    expect(stdout.split('\n')[2]).toMatch(
      /^sample_torso +Sample-Torso: Synthetic CT .+ Lung Cancer, .+ 15 +57 /,
    );
    expect(stderr).toContain('2 of 2 data sets; carrel search lung --count counts their series');
  });

  test('all words must match, each somewhere', async () => {
    const { stdout } = await run('search', 'segmentations', 'organs', '--format', 'csv', '-q');
    expect(stdout.split('\n')[1]).toMatch(/^analysis-result,sample_organ_segmentations,/);
    const { code, stderr, stdout: none } = await run('search', 'glioblastoma', 'lung');
    expect([code, none]).toEqual([0, expect.not.stringContaining('sample_')]);
    expect(stderr).toContain('all of these words together (without glioblastoma: 2, without lung: 1)');
  });

  test('counts within the selection; what it leaves out is not listed', async () => {
    const { stdout } = await run('search', 'lung', '--modality', 'RTSTRUCT', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      archive: 'sample',
      release: 'v3',
      datasets: [{ kind: 'collection', id: 'sample_torso', series: 5, found: { lung: 'cancerTypes' } }],
    });
    expect(JSON.parse((await run('search', 'lung', '--modality', 'SM', '--json')).stdout)).toMatchObject({
      datasets: [],
    });
  });

  test('a mistyped word is exit 4 with the nearest one', async () => {
    const { code, stderr } = await run('search', 'lnug', '--json');
    expect(code).toBe(4);
    expect(errorOf(stderr)).toMatchObject({ code: 'not-found', item: 'lnug', next: 'did you mean lung?' });
  });

  test('words are a part of the selection for --count, --by, --columns and manifests', async () => {
    expect((await run('search', 'lung', '--count')).stdout).toMatch(/^60 series · /);
    expect((await run('search', 'lung', '--by', 'collection_id', '--format', 'csv', '-q')).stdout).toMatch(
      /\nsample_torso,15,/,
    );
    expect(
      (await run('search', 'lung', '--columns', 'Modality', '--limit', '1', '--format', 'csv', '-q')).stdout,
    ).toBe('Modality\nSEG\n');
    const { stdout } = await run('search', 'lung', '--format', 'uids');
    expect(stdout.trim().split('\n')).toHaveLength(60);
  });
});

describe('counting', () => {
  test('--sum adds a column up, for everything or per group', async () => {
    const whole = JSON.parse((await run('search', '--sum', 'instanceCount,bytes', '--json')).stdout) as {
      instances: number;
      bytes: number;
      sums: Record<string, number>;
    };
    expect(whole.sums).toEqual({ instanceCount: whole.instances, bytes: whole.bytes });
    const { stdout } = await run(
      'search',
      '--by',
      'Modality',
      '--sum',
      'instanceCount',
      '--format',
      'csv',
      '-q',
    );
    expect(stdout).toMatch(/^Modality,patients,studies,series,instances,bytes,sum_instanceCount\n/);
    expect(stdout).toContain('\nMR,10,11,32,704,');
  });

  test('--sum of a text is exit 2 and names the columns of numbers', async () => {
    const { code, stderr } = await run('search', '--sum', 'Modality');
    expect([code, stderr]).toEqual([2, expect.stringContaining('columns of numbers: bytes, instanceCount')]);
  });

  test('--order and --limit are about the groups', async () => {
    const { stdout } = await run(
      'search',
      '--by',
      'Modality',
      '--order',
      'patients',
      '--limit',
      '2',
      '--format',
      'csv',
      '-q',
    );
    expect(stdout.split('\n').map((line) => line.split(',')[0])).toEqual(['Modality', 'SM', 'RTSTRUCT', '']);
    const { code, stderr } = await run('search', '--by', 'Modality', '--order', 'serie');
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean series?')]);
  });

  test('--plot draws bars that fit the terminal', async () => {
    const args = ['search', '--by', 'Modality', '--plot', '-q'];
    const blocks = (await desk.run(args, { tty: 50, env: { LANG: 'C.UTF-8' } })).stdout.trimEnd().split('\n');
    expect(blocks[0]).toMatch(/^CT +55 {2}█+$/);
    expect(Math.max(...blocks.map((line) => line.length))).toBeLessThanOrEqual(50);
    const ascii = (await desk.run(args, { tty: 50, env: { LANG: 'C' } })).stdout;
    expect(ascii).toMatch(/^CT +55 {2}#+\n/);
    expect(ascii).not.toMatch(/[^\n -~]/);
    expect((await run('search', '--plot')).code).toBe(2);
  });
});

describe('listing', () => {
  test('--order sorts, before --limit cuts', async () => {
    const { stdout } = await run(
      'search',
      '--order',
      'bytes:desc',
      '--limit',
      '3',
      '--format',
      'jsonl',
      '-q',
    );
    const sizes = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { bytes: number }).bytes);
    const all = (await run('search', '--format', 'jsonl', '-q')).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { bytes: number }).bytes);
    expect(sizes).toEqual(all.sort((a, b) => b - a).slice(0, 3));
  });

  test.each([
    [['--columns', 'PatientId,instanceCont'], 'did you mean instanceCount?'],
    [['--by', 'Modalty'], 'did you mean Modality?'],
    [['--order', 'siz:desc'], 'carrel catalog schema index lists all'],
  ])('an unknown column in %j is exit 2 with the nearest ones', async (args, next) => {
    const { code, stderr } = await run('search', ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(next)]);
  });

  test('a split is by patient, and a column of every answer', async () => {
    const split = ['--split', 'train=0.5,test=0.5', '--format', 'jsonl', '-q'];
    const rows = (await run('search', '--columns', 'collection_id,PatientID', ...split)).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const parts = new Map<string, Set<string | undefined>>();
    for (const { collection_id, PatientID, split: part } of rows) {
      const key = `${collection_id} ${PatientID}`;
      parts.set(key, (parts.get(key) ?? new Set()).add(part));
    }
    expect(rows).toHaveLength(129);
    expect([...parts.values()].every((set) => set.size === 1)).toBe(true);
    expect(
      (await run('search', '--by', 'split', '--split', 'a=0.5,b=0.5', '--format', 'csv', '-q')).stdout,
    ).toMatch(/\na,\d+/);
  });

  test.each([
    [['--split', 'train=0.8'], 2, 'add up to 1'],
    [['--split', 'train'], 2, 'It looks like train=0.8'],
    [['--sample', '0'], 2, 'at least 1'],
    [['--limit', 'x'], 2, 'whole number'],
  ])('%j is exit %i', async (args, expected, text) => {
    const { code, stderr } = await run('search', ...args);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(text)]);
  });
});

describe('values', () => {
  test('are matched in any case, with a note', async () => {
    const { code, stderr, stdout } = await run('search', '--collection', 'SAMPLE_PET', '--count');
    expect([code, stderr]).toEqual([0, 'note: SAMPLE_PET → sample_pet\n']);
    expect(stdout).toMatch(/^15 series/);
  });
  test('that are nowhere are noted with their nearest ones, as long as something is left', async () => {
    const args = ['search', '--collection', 'sample_pet', '--collection', 'sample_pett', '--count'];
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([0, expect.stringContaining('did you mean sample_pet,')]);
    expect((await run(...args, '--strict')).code).toBe(4);
  });
  test('that are nowhere, and nothing is left: exit 4, and nothing on stdout', async () => {
    for (const format of ['csv', 'json', 'table', 'uids']) {
      const { code, stdout } = await run('search', '--collection', 'nlst', '--format', format);
      expect([code, stdout]).toEqual([4, '']);
    }
  });
  test('that are known but never meet are an answer: nothing, exit 0', async () => {
    const { code, stdout } = await run(
      'search',
      '--collection',
      'sample_pet',
      '--modality',
      'SM',
      '--format',
      'csv',
    );
    expect([code, stdout.split('\n')]).toEqual([0, [expect.stringMatching(/^collection_id,/), '']]);
  });
});

describe('conditions', () => {
  test('a mistake is marked in the text of the user', async () => {
    const { code, stderr } = await run(
      'search',
      '--count',
      '--where',
      "Modality = 'CT'\n  AND instanceCont > 3",
    );
    expect(code).toBe(2);
    expect(stderr).toContain('LINE 2:   AND instanceCont > 3\n              ^');
    expect((await run('search', '--count', '--where', 'instanceCount > > 3')).stderr).toContain(
      'LINE 1: instanceCount > > 3\n                        ^',
    );
  });
  test('a value that cannot be converted is the engine’s message with the condition', async () => {
    const { code, stderr } = await run('search', '--where', 'Modality::INT > 3');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /Conversion Error: Could not convert string '.+' to INT32.*\n\nin: Modality::INT > 3\nnext: TRY_CAST/,
    );
  });
});

describe('files', () => {
  test.each(['csv', 'tsv', 'json', 'jsonl', 'markdown', 'table', 'uids', 'manifest'])(
    '-o writes %s as stdout has it',
    async (format) => {
      const args = ['search', '--collection', 'sample_pet', '--format', format];
      const { code, stdout, stderr } = await run(...args, '-o', `a.${format}`);
      expect([code, stdout, stderr]).toEqual([0, '', `15 rows → a.${format}\n`]);
      const shown = (await run(...args, '-q')).stdout;
      const written = await readFile(join(desk.folder, `a.${format}`), 'utf8');
      // The head of a manifest shows the command with the name of its file.
      const body = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));
      expect(body(written)).toEqual(body(shown));
    },
  );

  test('manifest and s5cmd are the same, and s5cmd can run it', async () => {
    const args = ['search', '--collection', 'sample_pet', '--limit', '1', '--format'];
    const { stdout } = await run(...args, 'manifest');
    expect(stdout).toBe((await run(...args, 's5cmd')).stdout);
    expect(stdout).toMatch(/^cp s3:\/\/[a-z-]+\/[0-9a-f-]{36}\/\* \.$/m);
  });

  test('a failure leaves the earlier file as it was, and nothing beside it', async () => {
    await mkdir(join(desk.folder, 'kept'));
    await writeFile(join(desk.folder, 'kept', 'a.csv'), 'mine\n');
    expect((await run('search', '--collection', 'nlst', '-o', 'kept/a.csv', '--format', 'csv')).code).toBe(4);
    expect((await run('sql', "SELECT 'x'::INT FROM index", '-o', 'kept/a.csv', '--format', 'csv')).code).toBe(
      2,
    );
    expect(await readdir(join(desk.folder, 'kept'))).toEqual(['a.csv']);
    expect(await readFile(join(desk.folder, 'kept', 'a.csv'), 'utf8')).toBe('mine\n');
    const { code, stderr } = await run('search', '--format', 'csv', '-o', 'no/such/folder.csv');
    expect([code, stderr]).toEqual([8, expect.stringContaining('cannot write')]);
  });

  test('Parquet keeps types, by -o and through a pipe, and never goes to a terminal', async () => {
    const args = ['search', '--modality', 'CT', '--format', 'parquet', '--split', 'a=0.5,b=0.5'];
    expect((await run(...args, '-o', 'ct.parquet')).stderr).toBe('55 rows → ct.parquet\n');
    const path = join(desk.folder, 'ct.parquet');
    expect(
      await runSql(
        `SELECT count(*), any_value(typeof(instanceCount)), any_value(typeof(bytes)), count(DISTINCT split) FROM '${path}'`,
      ),
    ).toEqual([['55', 'BIGINT', 'BIGINT', '2']]);
    const { bytes } = await run(...args);
    expect(bytes).toEqual(await readFile(path));
    const refused = await desk.run(args, { tty: 80 });
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      2,
      '',
      expect.stringContaining('-o FILE'),
    ]);
  });

  test('Parquet of groups and of SQL', async () => {
    await run(
      'search',
      '--by',
      'Modality',
      '--sum',
      'instanceCount',
      '--format',
      'parquet',
      '-o',
      'by.parquet',
    );
    expect(
      await runSql(
        `SELECT Modality, series, sum_instanceCount FROM '${join(desk.folder, 'by.parquet')}' WHERE Modality = 'MR'`,
      ),
    ).toEqual([['MR', '32', '704']]);
    await run(
      'sql',
      'SELECT sources, subjects FROM collections_index',
      '--format',
      'parquet',
      '-o',
      'sql.parquet',
    );
    await run('sql', 'SELECT sum(instanceCount) AS n FROM index', '--format', 'parquet', '-o', 'sum.parquet');
    expect(await runSql(`SELECT n, typeof(n) FROM '${join(desk.folder, 'sum.parquet')}'`)).toEqual([
      ['2553', 'DECIMAL(38,0)'],
    ]);
    const [types] = await runSql(
      `SELECT typeof(any_value(sources)), typeof(any_value(subjects)) FROM '${join(desk.folder, 'sql.parquet')}'`,
    );
    expect(types).toEqual([expect.stringMatching(/^STRUCT\(source_id VARCHAR.*\)\[\]$/), 'BIGINT']);
    expect((await run('search', '--count', '--format', 'parquet', '-o', 'x.parquet')).code).toBe(2);
  });

  test('an unknown format is exit 2', async () => {
    expect((await run('search', '--format', 'xlsx')).code).toBe(2);
    expect((await run('sql', 'SELECT 1', '--format', 'xlsx')).code).toBe(2);
  });
});

describe('carrel sql', () => {
  test('--explain shows the plan and runs nothing', async () => {
    const { code, stdout } = await run(
      'sql',
      '--explain',
      'SELECT count(*) FROM range(1000000000000) a, range(1000000000) b',
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('CROSS_PRODUCT')]);
    expect((await run('sql', '--explain', 'DROP VIEW index')).code).toBe(2);
  });
  test('a table that is not installed is exit 4 with the command that installs it', async () => {
    const { code, stderr } = await run('sql', 'SELECT * FROM sm_index', '--no-fetch', '--json');
    expect(code).toBe(4);
    expect(errorOf(stderr)).toMatchObject({
      item: 'sm_index',
      next: expect.stringMatching(/^carrel catalog update --archive \S+ --table sm_index$/) as string,
    });
    expect((await run('sql', 'SELECT * FROM colections_index')).stderr).toContain(
      'did you mean collections_index',
    );
  });
  test.each([
    [
      'recursion without end',
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t',
    ],
    ['a cross join', 'SELECT count(*) FROM index a, index b, index c, index d, index e'],
  ])('%s is stopped by --timeout', async (_, sql) => {
    const { code, stderr } = await run('sql', sql, '--timeout', '1', '--memory', '500MB');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/stopped after 1000 ms|Out of Memory/)]);
  });
  test('a statement that wants too much memory is stopped by --memory', async () => {
    const { code, stderr } = await run(
      'sql',
      'SELECT list(a.range) FROM range(100000000) a',
      '--memory',
      '50MB',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('Out of Memory')]);
    const parquet = await run(
      'sql',
      'SELECT list(a.range) FROM range(100000000) a',
      '--memory',
      '50MB',
      '--format',
      'parquet',
      '-o',
      'big.parquet',
    );
    expect(parquet.code).toBe(2);
    expect(await readdir(desk.folder)).not.toContain('big.parquet');
  });
});
