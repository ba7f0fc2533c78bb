/** What the command says and how it ends where an archive took files out of its buckets. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';

const SERIES = '11111111-1111-4111-8111-111111111111';
const instance = (n: number) => `0000000${n}-0000-4000-8000-000000000000`;

let folder: string;
let data: string;
let bucket: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-buried-'));
  bucket = join(folder, 'mirror', 'open', SERIES);
  await mkdir(bucket, { recursive: true });
  for (const n of [1, 2, 3]) await writeFile(join(bucket, `${instance(n)}.dcm`), `bytes ${n}`);
  const record = {
    carrel_archive: 1,
    name: 'buried',
    title: 'An archive with a graveyard',
    mirrors: [{ name: 'disk', protocol: 'file', endpoint: 'mirror' }],
    bucketClasses: [{ name: 'open', buckets: { disk: 'open' } }],
    tombstones: 'tombstones.json',
  };
  await writeFile(join(folder, 'archive.json'), JSON.stringify(record));
  const tombstones = [{ uuid: instance(1), level: 'instance', date: '2026-02-03', reason: 'phi' }];
  await writeFile(join(folder, 'tombstones.json'), JSON.stringify({ carrel_tombstones: 1, tombstones }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A folder that was filled while every file was there. */
beforeEach(async () => {
  for (const n of [1, 2, 3]) await writeFile(join(bucket, `${instance(n)}.dcm`), `bytes ${n}`);
  data = await mkdtemp(join(folder, 'data-'));
  expect(await carrel('get', SERIES, '-o', data)).toMatchObject({ code: 0 });
});

/** The command; its own code, and what it wrote. */
async function carrel(...args: string[]) {
  const texts = { out: '', err: '' };
  const keep = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[name] += chunk.toString();
        done();
      },
    });
  const code = await main([...args, '--archive', join(folder, 'archive.json')], {
    out: keep('out'),
    err: keep('err'),
    in: Readable.from([]),
    env: { CARREL_CACHE_DIR: join(folder, 'cache'), CARREL_CONFIG_DIR: join(folder, 'config') },
    cwd: folder,
  });
  return { code, ...texts };
}

/** Takes files out of the mirror, and the same out of the folder. */
async function takeAway(...numbers: number[]) {
  for (const n of numbers) await rm(join(bucket, `${instance(n)}.dcm`));
  const paths = await readdir(data, { recursive: true });
  for (const path of paths)
    if (numbers.some((n) => path.endsWith(`${instance(n)}.dcm`))) await rm(join(data, path));
}
const summaryOf = (text: string) =>
  JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

describe('get of a lock file', () => {
  test('names what was redacted and what is lost, each with the reason, and ends with 3', async () => {
    const lock = join(data, 'carrel.lock.json');
    await takeAway(1, 2);
    const { code, out, err } = await carrel('get', lock, '-o', join(data, 'again'));
    expect(code).toBe(3);
    expect(err).toMatch(
      new RegExp(`^redacted .*${instance(1)}\\.dcm: by the archive on 2026-02-03: phi$`, 'm'),
    );
    expect(err).toMatch(
      new RegExp(`^lost .*${instance(2)}\\.dcm: no mirror has it, and no tombstone explains it$`, 'm'),
    );
    expect(out).toContain('2 failed (1 redacted, 1 lost)');
  });

  test('says the same in JSON', async () => {
    await takeAway(1, 2);
    const { code, out } = await carrel(
      'get',
      join(data, 'carrel.lock.json'),
      '-o',
      join(data, 'again'),
      '--json',
    );
    expect(code).toBe(3);
    expect(summaryOf(out)).toMatchObject({ failed: 2, redacted: 1, lost: 1 });
  });
});

describe('verify --fix', () => {
  test('brings back what it can; where only redacted files are missing it ends with 3', async () => {
    await takeAway(1);
    const [other] = (await readdir(data, { recursive: true })).filter((path) => path.includes(instance(3)));
    await writeFile(join(data, other ?? ''), 'damaged');
    const { code, out, err } = await carrel('verify', data, '--fix');
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`^redacted .*${instance(1)}\\.dcm`, 'm'));
    expect(out).toMatch(/2 right .*, 0 wrong, 1 missing, 0 unproven/);
    // Another --fix would not help: it is not offered.
    expect(err).not.toContain('--fix');
    expect(summaryOf((await carrel('verify', data, '--fix', '--json')).out)).toMatchObject({
      ok: 2,
      redacted: [{ tombstone: { date: '2026-02-03' } }],
      lost: [],
    });
  });

  test('ends with 5 where a file is lost: nobody said that it may be missing', async () => {
    await takeAway(1, 2);
    const { code, err } = await carrel('verify', data, '--fix');
    expect(code).toBe(5);
    expect(err).toMatch(new RegExp(`^lost .*${instance(2)}\\.dcm`, 'm'));
  });

  test('ends with 0 where everything could be brought back', async () => {
    const paths = await readdir(data, { recursive: true });
    for (const path of paths) if (path.endsWith('.dcm')) await rm(join(data, path));
    expect(await carrel('verify', data, '--fix')).toMatchObject({ code: 0 });
  });
});
