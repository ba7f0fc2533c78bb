import { execFile } from 'node:child_process';
import { lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

let desk: SampleDesk;
beforeAll(async () => {
  desk = await openSampleDesk();
});
afterAll(async () => {
  await desk.remove();
});

const run = (...args: string[]) => desk.run(args);

describe('values of a selection', () => {
  test('names with other separators are the same names, and a note says so', async () => {
    const { code, stdout, stderr } = await run('search', '--collection', 'Sample-Torso', '--count');
    expect([code, stderr]).toEqual([0, 'note: Sample-Torso → sample_torso\n']);
    expect(stdout).toContain('1 collection ');
    const license = await run('search', '--license', 'cc-by-4.0', '--count');
    expect([license.code, license.stderr]).toEqual([0, 'note: cc-by-4.0 → CC BY 4.0\n']);
  });

  test('a PatientID is never taken for one with other separators', async () => {
    const [first] = JSON.parse((await run('search', '--by', 'PatientID', '--json')).stdout) as {
      PatientID: string;
    }[];
    const other = (first?.PatientID ?? '').replace(/[-_]/, '--');
    expect(other).not.toBe(first?.PatientID);
    expect((await run('search', '--patient', other)).code).toBe(4);
  });

  test('a value of another flag is answered with that flag', async () => {
    const { code, stderr } = await run('search', '--collection', 'CT');
    expect([code, stderr]).toEqual([4, expect.stringContaining('did you mean --modality CT')]);
    const [row] = JSON.parse(
      (await run('search', '--limit', '1', '--columns', 'StudyInstanceUID', '--json')).stdout,
    ) as {
      StudyInstanceUID: string;
    }[];
    const study = row?.StudyInstanceUID ?? '';
    expect((await run('search', '--series', study)).stderr).toContain(`--study ${study}`);
  });

  test.each([
    [['--where', ''], 'the condition is empty'],
    [['--where', "Modality = 'CT' AND"], 'the condition ends too early'],
    [['--where', "Modalty = 'CT'"], 'did you mean Modality?'],
    [['--analysis-results', 'only', '--exclude-analysis-results'], 'contradict'],
  ])('%j is exit 2 and says why', async (args, text) => {
    const { code, stdout, stderr } = await run('search', '--count', ...args);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(text)]);
  });

  test.each(["' OR 1=1 --", '%', 'a\u0000b', '\u001b[31mred', '', 'ß𝄞', '*', 'x'.repeat(5000)])(
    'is text and nothing else: %j',
    async (value) => {
      for (const flag of ['--collection', '--patient', '--series', '--license']) {
        const { code, stdout, stderr } = await run('search', flag, value, '--count');
        expect([code, stdout]).toEqual([4, '']);
        expect(stderr).toContain('is nowhere in the catalogue');
        expect(stderr).not.toMatch(/[\u0000\u001b]/);
      }
    },
  );
});

describe('groups', () => {
  test('are sorted by what the answer calls its columns', async () => {
    const args = ['search', '--by', 'Modality', '--sum', 'instanceCount', '--format', 'csv', '-q', '--order'];
    const bySum = await run(...args, 'sum_instanceCount:desc');
    expect(bySum.code).toBe(0);
    expect(bySum.stdout).toBe((await run(...args, 'instanceCount:desc')).stdout);
    expect((await run(...args, 'size:desc')).stdout).toBe((await run(...args, 'bytes:desc')).stdout);
    expect((await run(...args, 'sum_instanceCuont')).stderr).toContain('did you mean sum_instanceCount');
  });
});

describe('-o', () => {
  const args = ['search', '--limit', '2', '--format', 'csv', '-o'];

  test('keeps a link a link, and replaces what it points to', async () => {
    await writeFile(join(desk.folder, 'real.csv'), 'old');
    await symlink('real.csv', join(desk.folder, 'link.csv'));
    expect((await run(...args, 'link.csv')).code).toBe(0);
    expect((await lstat(join(desk.folder, 'link.csv'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(desk.folder, 'real.csv'), 'utf8')).toMatch(/^collection_id,/);
  });

  test.skipIf(process.platform === 'win32')(
    'writes into a named pipe instead of taking its place',
    async () => {
      const pipe = join(desk.folder, 'pipe');
      await promisify(execFile)('mkfifo', [pipe]);
      for (const format of ['csv', 'parquet']) {
        const reader = promisify(execFile)('cat', [pipe], { encoding: 'buffer' });
        const { code } = await run('search', '--limit', '2', '--format', format, '-o', 'pipe');
        expect(code).toBe(0);
        const { stdout } = await reader;
        expect(stdout.subarray(0, 4).toString()).toBe(format === 'csv' ? 'coll' : 'PAR1');
        expect((await lstat(pipe)).isFIFO()).toBe(true);
      }
    },
  );

  test('a folder, no name, and a folder that is not there are told apart', async () => {
    for (const format of ['csv', 'parquet']) {
      const to = (name: string) => run('search', '--limit', '2', '--format', format, '-o', name);
      expect(await to('.')).toMatchObject({ code: 8, stderr: expect.stringContaining('is a folder') });
      expect((await to('')).code).toBe(2);
      const { code, stderr } = await to('no/such.csv');
      expect([code, stderr]).toEqual([8, expect.not.stringContaining('.part')]);
    }
    expect((await readdir(desk.folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('lists for other tools', () => {
  test('are the same whether or not something repeats a series', async () => {
    const plain = await run('search', '--modality', 'CT', '--format', 'uids');
    const uids = plain.stdout.trim().split('\n');
    expect(new Set(uids).size).toBe(uids.length);
    const sql = await run(
      'search',
      '--sql',
      "SELECT SeriesInstanceUID FROM index WHERE Modality = 'CT'",
      '--format',
      'uids',
    );
    expect(sql.stdout).toBe(plain.stdout);
  });

  test('of nothing say so', async () => {
    const { code, stdout, stderr } = await run('search', '--where', 'false', '--format', 'uids');
    expect([code, stdout, stderr]).toEqual([0, '', 'no series match\n']);
  });
});
