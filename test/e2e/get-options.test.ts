/** What flags promise: plans, layouts, licences, unknown values, empty answers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startObjectServers } from '../fixtures/servers.ts';
import { writeBuckets } from '../fixtures/tree.ts';
import { filesBelow, jsonLines, openReadingRoom, type ReadingRoom, summaryOf, versionIn } from './carrel.ts';

let room: ReadingRoom;
beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());

describe('names that lead nowhere', () => {
  test.each([
    ['a word', 'sample_nothing'],
    ['a UID', '1.2.840.99999.1'],
    ['a uuid', '00000000-0000-4000-8000-000000000000'],
    ['a bucket', 's3://sample-open-data/00000000-0000-4000-8000-000000000000/'],
  ])('%s ends with 4 and is named', async (_, name) => {
    // The record's DRS host is not running here: it must not hide that the buckets have answered.
    const out = await room.newFolder();
    const result = await room.run(['get', name, '-o', out, '--json']);
    const error = jsonLines(result.stderr).at(-1);
    expect(error, result.stderr).toMatchObject({ type: 'error' });
    expect(JSON.stringify(error)).toContain(name.startsWith('s3:') ? name.split('/')[3] : name);
    // A uuid is 1 where the resolver could not be asked, since then nobody knows.
    expect(error?.['exit']).toBe(name.startsWith('0000') ? 1 : 4);
    expect(result.code).toBe(error?.['exit']);
    await room.mustHold(out, []);
  });

  test('a misspelt value of a flag is met with its nearest one', async () => {
    for (const command of [['get', '-o', await room.newFolder()], ['search'], ['licenses']]) {
      const result = await room.run([...command, '--collection', 'sample_torsoo']);
      expect(result.code, command.join(' ')).toBe(4);
      expect(result.stderr).toMatch(/sample_torsoo .*\n.*did you mean .*sample_torso\?/);
    }
  });

  test('a misspelt command or flag is, too', async () => {
    const command = await room.run(['serch']);
    expect(command.code).toBe(2);
    expect(command.stderr).toContain('Did you mean search?');
    const flag = await room.run(['get', '--colection', 'sample_torso']);
    expect(flag.code).toBe(2);
    expect(flag.stderr).toContain('Did you mean --collection?');
  });

  test('a value in another case is matched, with a note', async () => {
    const result = await room.run(['search', '--collection', 'SAMPLE_SLIDES', '--count', '--json']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ collections: 1 });
    expect(result.stdout + result.stderr).toContain('sample_slides');
  });

  test('an unknown value beside a known one is a note, with --strict it is an error', async () => {
    const args = ['--collection', 'sample_slides', '--collection', 'sample_nothing', '--count'];
    const lenient = await room.run(['search', ...args]);
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toContain('sample_nothing');
    const strict = await room.run(['search', ...args, '--strict']);
    expect(strict.code).toBe(4);
    expect(strict.stderr).toContain('sample_nothing');
  });
});

describe('an empty answer is an answer', () => {
  test('of get: exit 0, nothing planned', async () => {
    const out = await room.newFolder();
    const question = ['--collection', 'sample_torso', '--modality', 'SM'];
    const result = await room.run(['get', ...question, '-o', out, '--json']);
    expect(result.code).toBe(0);
    expect(summaryOf(result)).toMatchObject({ planned: 0, fetched: 0, failed: 0 });
  });

  test('of search: exit 0, no rows', async () => {
    const args = ['search', '--collection', 'sample_torso', '--modality', 'SM'];
    expect(JSON.parse((await room.run([...args, '--json'])).stdout)).toEqual([]);
    const count = await room.run([...args, '--count', '--json']);
    expect(count.code).toBe(0);
    expect(JSON.parse(count.stdout)).toMatchObject({ series: 0, instances: 0, bytes: 0 });
  });
});

describe('the plan', () => {
  test('of --dry-run is the whole truth, and no file is written', async () => {
    const out = join(room.folder, 'not-made');
    const args = ['get', 'sample_slides', '-o', out, '--json'];
    const dry = await room.run([...args, '--dry-run']);
    expect(dry.code).toBe(0);
    const promised = summaryOf(dry);
    expect(await filesBelow(out)).toEqual(new Map());
    await expect(readFile(join(out, 'carrel.lock.json'))).rejects.toThrow();
    const done = summaryOf(await room.run(args));
    expect(done['planned']).toBe(promised['planned']);
    expect(done['bytesFetched']).toBe(promised['bytes']);
  });

  test('names the licences before the transfer', async () => {
    const result = await room.run(['get', 'sample_torso', '--dry-run', '-o', await room.newFolder()]);
    expect(result.stderr).toMatch(/CC BY 4\.0: \d+ series/);
    expect(result.stderr).toMatch(/CC BY-NC 4\.0: \d+ series/);
  });
});

describe('the licence policy', () => {
  test('refuses with 6 before any request', async () => {
    const out = await room.newFolder();
    room.takeRequests();
    const result = await room.run([
      'get',
      'sample_phantom',
      '--license-policy',
      'commercial',
      '-o',
      out,
      '--json',
    ]);
    expect(result.code).toBe(6);
    expect(jsonLines(result.stderr).at(-1)).toMatchObject({ type: 'error', code: 'license', exit: 6 });
    expect(result.stderr).toContain('CC BY-NC 4.0');
    expect(room.takeRequests().total).toBe(0);
    await room.mustHold(out, []);
  });

  test('takes the licence of the release asked for, not the name of the bucket', async () => {
    expect(await room.run(['catalog', 'update', '--release', 'v2', '-q'])).toMatchObject({ code: 0 });
    const [series] = room.facts.series.filter(({ collectionId }) => collectionId === 'sample_phantom');
    if (series === undefined) throw new Error('no phantom');
    expect(series.license).toMatchObject({ 2: 'CC BY 3.0', 3: 'CC BY-NC 4.0' });
    expect(series.bucket).toBe('sample-open-data-cr');
    const out = await room.newFolder();
    const args = ['get', series.seriesInstanceUid, '--license-policy', 'commercial', '-o', out];
    expect(await room.run(args)).toMatchObject({ code: 6 });
    expect(await room.run([...args, '--release', 'v2'])).toMatchObject({ code: 0 });
    await room.mustHold(out, [versionIn(series, 2)]);
  });

  test('takes a list', async () => {
    const args = ['get', '--collection', 'sample_slides', '--limit', '1', '-o', await room.newFolder()];
    expect(await room.run([...args, '--license-policy', 'CC BY 4.0'])).toMatchObject({ code: 0 });
    expect(await room.run([...args, '--license-policy', 'CC BY-NC 4.0,CC0'])).toMatchObject({ code: 6 });
  });
});

describe('the layout', () => {
  const few = ['--collection', 'sample_slides', '--limit', '2'];
  async function paths(layout: string): Promise<string[]> {
    const out = await room.newFolder();
    const result = await room.run(['get', ...few, '--layout', layout, '-o', out]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return [...(await filesBelow(out)).keys()];
  }

  test('is any column of the catalogue', async () => {
    for (const path of await paths('{collection_id}/{{{Modality}}}-{SeriesNumber}_{crdc_series_uuid}/{file}'))
      expect(path).toMatch(/^sample_slides\/\{SM\}-\d+_[0-9a-f-]{36}\/[0-9a-f-]{36}\.dcm$/);
  });

  test('may be a template of idc-index', async () => {
    for (const path of await paths('%collection_id/%PatientID/%Modality_%SeriesInstanceUID'))
      expect(path).toMatch(/^sample_slides\/[^/]+\/SM_2\.25\.\d+\/[0-9a-f-]{36}\.dcm$/);
  });

  test.each([
    ['a column that does not exist', '{nonsense}/{file}', 'nonsense'],
    ['a folder above', '../{file}', '..'],
    ['a brace that is not closed', '{collection_id', '{'],
    ['a key that idc-index does not have', '%Nonsense/%PatientID', '%Nonsense'],
  ])('with %s is refused with 2 before a byte moves', async (_, layout, named) => {
    const out = await room.newFolder();
    const result = await room.run(['get', ...few, '--layout', layout, '-o', out]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(named);
    await room.mustHold(out, []);
  });

  test('never gives two objects one name, however alike they are', async () => {
    const buckets = await writeBuckets({
      'mine/a/1.dcm': 'AAAA',
      'mine/b/1.dcm': 'BBBB',
      'mine/case/x.dcm': 'small',
      'mine/case/X.dcm': 'LARGE',
      'mine/deep/file': 'a file',
      'mine/other/x.dcm': 'another',
    });
    const servers = await startObjectServers({ root: buckets.root });
    try {
      const get = async (...urls: string[]) => {
        const out = await room.newFolder();
        const result = await room.run(['get', ...urls, '--endpoint', servers.s3.url, '-o', out]);
        return { code: result.code, stderr: result.stderr, files: [...(await filesBelow(out)).keys()] };
      };
      for (const urls of [['s3://mine/a/1.dcm', 's3://mine/b/1.dcm'], ['s3://mine/case/']]) {
        const { code, stderr, files } = await get(...urls);
        expect(code, urls.join(' ')).toBe(2);
        expect(stderr).toContain('layout');
        expect(files).toEqual([]);
      }
      expect((await get('s3://mine/a/', 's3://mine/b/')).files.sort()).toEqual(['a/1.dcm', 'b/1.dcm']);
      expect((await get('s3://mine/a/1.dcm', 's3://mine/a/1.dcm')).files).toEqual(['1.dcm']);
    } finally {
      await servers.close();
      await buckets.remove();
    }
  });
});

describe('the other flags of get', () => {
  test('--verify size and --verify none say what they did', async () => {
    const args = ['get', '--collection', 'sample_slides', '--limit', '1', '--json'];
    const size = await room.run([...args, '--verify', 'size', '-o', await room.newFolder()]);
    expect(summaryOf(size)['verifiedBy']).toEqual({ size: expect.any(Number) });
    const none = await room.run([...args, '--verify', 'none', '-o', await room.newFolder()]);
    expect(summaryOf(none)['verifiedBy']).toEqual({ none: expect.any(Number) });
  });

  test('--sample draws the same patients every time, another seed others', async () => {
    const draw = async (seed: string) =>
      (await room.run(['search', '--sample', '3', '--seed', seed, '--format', 'uids'])).stdout;
    const [first, again, other] = [await draw('7'), await draw('7'), await draw('8')];
    expect(first).not.toBe('');
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('--lock writes the lock file elsewhere; verify takes both', async () => {
    const out = await room.newFolder();
    const lock = join(await room.newFolder(), 'pinned.json');
    expect(await room.run(['get', 'sample_slides', '-o', out, '--lock', lock])).toMatchObject({ code: 0 });
    expect(await room.run(['verify', lock, '-o', out])).toMatchObject({ code: 0 });
  });

  test.each([
    ['--jobs', 'zero'],
    ['--jobs', '0'],
    ['--bandwidth', 'fast'],
    ['--verify', 'maybe'],
    ['--from', 'moon'],
    ['--mirror', 'moon=http://127.0.0.1:1'],
    ['--limit', 'many'],
    ['--release', 'v99'],
    ['--as', 'thing'],
  ])('%s %s is refused', async (flag, value) => {
    const result = await room.run(['get', 'sample_slides', flag, value, '-o', await room.newFolder()]);
    expect(result.code).toBe(flag === '--release' ? 4 : 2);
    expect(result.stderr).toContain(flag === '--mirror' ? '"moon"' : flag === '--jobs' ? '--jobs' : value);
  });

  test('a query can say which series', async () => {
    const out = await room.newFolder();
    const { removed } = room.facts;
    const result = await room.run([
      'get',
      '--sql',
      `SELECT SeriesInstanceUID FROM index WHERE SeriesInstanceUID = '${removed.seriesInstanceUid}'`,
      '-o',
      out,
    ]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    await room.mustHold(out, [versionIn(removed)]);
  });

  test('a mirror may be a disk', async () => {
    const out = await room.newFolder();
    room.takeRequests();
    const mirror = `disk:aws=${join(room.sampleRoot, 'buckets')}`;
    const result = await room.run([
      'get',
      room.facts.removed.seriesInstanceUid,
      '--mirror',
      mirror,
      '--from',
      'disk',
      '-o',
      out,
    ]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(room.takeRequests().total).toBe(0);
    await room.mustHold(out, [versionIn(room.facts.removed)]);
  });
});
