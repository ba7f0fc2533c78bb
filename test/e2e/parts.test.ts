/** Many machines, one cohort: shares that need no talking, in one folder at the same time, and the proof at the end. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, jsonLines, openReadingRoom, type ReadingRoom, summaryOf } from './carrel.ts';

let room: ReadingRoom;
const question = ['--collection', 'sample_pet', '--collection', 'sample_brain'];
const of = 3;

beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
beforeEach(() => {
  room.s3.faults.length = 0;
  room.takeRequests();
});

describe('carrel get --part', () => {
  test('three runs in one folder at once fetch everything once; --merge gives the lock file of a plain get', async () => {
    const folder = await room.newFolder('shared');
    const runs = await Promise.all(
      [1, 2, 3].map((index) =>
        room.run(['get', ...question, '--part', `${index}/${of}`, '-o', folder, '--json']),
      ),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const served = room.s3.requests.flatMap(({ path }) => (path.endsWith('.dcm') ? [basename(path)] : []));
    expect(new Set(served).size).toBe(served.length);
    const merged = await room.run(['verify', folder, '--merge', '--json']);
    expect(merged.code).toBe(0);
    expect(jsonLines(merged.stdout).find(({ type }) => type === 'merge')).toMatchObject({
      parts: 3,
      files: served.length,
    });
    const whole = await room.newFolder('whole');
    const plain = await room.run(['get', ...question, '-o', whole, '--reuse', folder, '--json']);
    expect(summaryOf(plain)).toMatchObject({ fetched: 0, reused: served.length });
    expect(await readFile(join(folder, 'carrel.lock.json'), 'utf8')).toBe(
      await readFile(join(whole, 'carrel.lock.json'), 'utf8'),
    );
    expect((await readdir(folder)).filter((name) => name.includes('-of-'))).toEqual([]);
    const receipts = jsonLines(await readFile(join(folder, 'carrel.receipts.jsonl'), 'utf8'));
    expect(receipts.filter(({ type }) => type === 'file')).toHaveLength(served.length);
    room.takeRequests();
    const again = await room.run(['get', ...question, '-o', folder]);
    expect(again.stdout).toContain('no request made');
    expect(room.takeRequests().total).toBe(0);
  });

  test('shares are whole series of about equal bytes, counted from 1 or from 0', async () => {
    const sizes: number[] = [];
    const series: string[] = [];
    for (const [flags, index] of [
      [[], 1],
      [[], 2],
      [['--part-base', '0'], 2],
    ] as const) {
      const folder = await room.newFolder('own');
      const { code } = await room.run([
        'get',
        ...question,
        '--part',
        `${index}/${of}`,
        ...flags,
        '-o',
        folder,
      ]);
      expect(code).toBe(0);
      const [name = ''] = (await readdir(folder)).filter((one) => one.startsWith('carrel.lock'));
      const lock = JSON.parse(await readFile(join(folder, name), 'utf8')) as {
        series: { crdc_series_uuid: string }[];
      };
      series.push(...lock.series.map((one) => one.crdc_series_uuid));
      sizes.push([...(await filesBelow(folder)).values()].reduce((sum, bytes) => sum + bytes.length, 0));
    }
    expect(new Set(series).size).toBe(series.length);
    expect(Math.max(...sizes)).toBeLessThan(1.34 * (sizes.reduce((sum, one) => sum + one, 0) / of));
  });

  test('--merge says which share is missing, and refuses shares of different cohorts', async () => {
    const folder = await room.newFolder('shared');
    await room.run(['get', ...question, '--part', '1/3', '-o', folder]);
    await room.run(['get', ...question, '--part', '3/3', '-o', folder]);
    const short = await room.run(['verify', folder, '--merge']);
    expect(short.code).toBe(2);
    expect(short.stderr).toContain('1 of 3 shares are missing: 2');
    await room.run(['get', '--collection', 'sample_pet', '--part', '2/3', '-o', folder]);
    const mixed = await room.run(['verify', folder, '--merge']);
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toContain('different cohorts');
    expect(await readdir(folder)).not.toContain('carrel.lock.json');
  });

  test('--merge finds a file that is missing or damaged', async () => {
    const folder = await room.newFolder('shared');
    for (const index of [1, 2]) await room.run(['get', ...question, '--part', `${index}/2`, '-o', folder]);
    const [first = '', second = ''] = [...(await filesBelow(folder)).keys()].filter((path) =>
      path.endsWith('.dcm'),
    );
    await rm(join(folder, first));
    await writeFile(join(folder, second), 'damaged');
    const { code, stdout } = await room.run(['verify', folder, '--merge']);
    expect(code).toBe(5);
    expect(stdout).toContain(`MISSING  ${first}`);
    expect(stdout).toContain(`MISMATCH ${second}`);
    expect((await room.run(['verify', folder, '--fix'])).code).toBe(0);
  });

  test.each([['0/3'], ['4/3'], ['3'], ['x/3'], ['1/0']])('%s is no share', async (part) => {
    expect((await room.run(['get', ...question, '--part', part, '-o', 'x'])).code).toBe(2);
  });
});

describe('the licence policy', () => {
  // Three of the series are not for commercial use: some shares hold none of them.
  const mixed = ['sample_phantom', 'sample_pet'];
  const policy = ['--license-policy', 'commercial'];

  test('is held against the whole: every share is refused before anything is asked for', async () => {
    const folder = await room.newFolder('refused');
    for (const index of [1, 2, 3]) {
      const { code, stderr } = await room.run([
        'get',
        ...mixed,
        '--part',
        `${index}/3`,
        ...policy,
        '-o',
        folder,
      ]);
      expect(code, stderr).toBe(6);
      expect(stderr).toContain('CC BY-NC');
    }
    expect(room.takeRequests().total).toBe(0);
    expect(await filesBelow(folder)).toEqual(new Map());
    const allowed = await room.run(
      ['get', ...question, '--license', 'CC BY 4.0', '--part', '1/3', ...policy].concat(['-o', folder]),
    );
    expect(allowed.code, allowed.stderr).toBe(0);
  });

  test('manifest split refuses the whole manifest, and writes no part; --shards cannot tell', async () => {
    const folder = await room.newFolder('lists');
    const list = join(folder, 'mixed.txt');
    const { stdout } = await room.run([
      'search',
      ...mixed.flatMap((name) => ['--collection', name]),
      '--format',
      'uids',
    ]);
    await writeFile(list, stdout);
    const split = (...more: string[]) =>
      room.run(['manifest', 'split', list, '-o', join(folder, 'new', 'parts'), ...more]);
    const refused = await split('--parts', '3', ...policy);
    expect(refused.code, refused.stderr).toBe(6);
    expect(refused.stderr).toContain('CC BY-NC');
    const set = await room.run(['manifest', 'split', list, '--parts', '3', '-o', folder], {
      env: { CARREL_LICENSE_POLICY: 'commercial' },
    });
    expect(set.code).toBe(6);
    expect((await split('--shards', '3', ...policy)).code).toBe(2);
    expect(await readdir(folder)).toEqual(['mixed.txt']);
    expect((await split('--parts', '3')).code).toBe(0);
    expect(await readdir(join(folder, 'new', 'parts'))).toHaveLength(3);
  });
});

describe('carrel manifest split --parts', () => {
  test('deals out by bytes, the same whatever the order of the lines', async () => {
    const folder = await room.newFolder('lists');
    const list = join(folder, 'all.txt');
    const { stdout } = await room.run(['search', ...question, '--format', 'uids']);
    const uids = stdout.trim().split('\n');
    const read = async (lines: string[]) => {
      await writeFile(list, lines.join('\n'));
      expect((await room.run(['manifest', 'split', list, '--parts', '3', '-o', folder])).code).toBe(0);
      const names = (await readdir(folder))
        .filter((name) => name.startsWith('all.') && name !== 'all.txt')
        .sort();
      return await Promise.all(
        names.map(async (name) => (await readFile(join(folder, name), 'utf8')).trim().split('\n').sort()),
      );
    };
    const parts = await read(uids);
    expect(parts).toHaveLength(3);
    expect(parts.flat().sort()).toEqual([...uids].sort());
    expect(await read(uids.toReversed())).toEqual(parts);
    expect((await room.run(['manifest', 'split', list])).code).toBe(2);
  });
});
