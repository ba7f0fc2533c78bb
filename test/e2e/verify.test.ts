/** `carrel verify` proves what is on disk, names what is not as pinned, and repairs it. */
import { copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, openReadingRoom, type ReadingRoom, summaryOf, versionIn } from './carrel.ts';

let room: ReadingRoom;
let out: string;
let paths: string[];

beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
beforeEach(async () => {
  out = await room.newFolder();
  const result = await room.run(['get', room.facts.revisedTwice.seriesInstanceUid, '-o', out]);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  paths = [...(await filesBelow(out)).keys()];
  room.takeRequests();
});

/** Changes one byte; size and name stay. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(join(out, path));
  bytes[500] = (bytes[500] ?? 0) ^ 0x40;
  await writeFile(join(out, path), bytes);
}

test('a folder as it was fetched is proven without a request, by its folder and by its lock file', async () => {
  for (const what of [out, join(out, 'carrel.lock.json')]) {
    const result = await room.run(['verify', what, '--json']);
    expect(result.code).toBe(0);
    expect(summaryOf(result)).toMatchObject({
      ok: paths.length,
      verifiedBy: { md5: paths.length },
      missing: [],
      mismatched: [],
    });
  }
  expect(room.takeRequests().total).toBe(0);
});

test('the folder may be moved and copied', async () => {
  const moved = `${out}-moved`;
  await rename(out, moved);
  expect(await room.run(['verify', moved])).toMatchObject({ code: 0 });
});

describe('what is not as pinned', () => {
  test('a changed byte is a MISMATCH with both digests, and 5', async () => {
    const [path = ''] = paths;
    await flip(path);
    const result = await room.run(['verify', out]);
    expect(result.code).toBe(5);
    expect(result.stdout).toMatch(/MISMATCH \S+: expected md5:[0-9a-f]{32}, found md5:[0-9a-f]{32}/);
    expect(result.stdout).toContain(path);
    expect(result.stderr).toContain('--fix');
  });

  test('a changed byte is not seen by --size, a cut file is', async () => {
    await flip(paths[0] ?? '');
    expect(await room.run(['verify', out, '--size'])).toMatchObject({ code: 0 });
    await truncate(join(out, paths[1] ?? ''), 10);
    expect(await room.run(['verify', out, '--size'])).toMatchObject({ code: 5 });
  });

  test('a missing file is MISSING, and 5', async () => {
    await rm(join(out, paths[2] ?? ''));
    const result = await room.run(['verify', out]);
    expect(result.code).toBe(5);
    expect(result.stdout).toContain(`MISSING  ${paths[2]}`);
  });

  test('--extra names files that nobody pinned; they are no failure', async () => {
    await mkdir(join(out, 'mine'));
    await writeFile(join(out, 'mine', 'notes.txt'), 'mine');
    expect((await room.run(['verify', out])).stdout).not.toContain('notes.txt');
    const result = await room.run(['verify', out, '--extra']);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('EXTRA    mine/notes.txt');
    const json = summaryOf(await room.run(['verify', out, '--extra', '--json']));
    expect(json['extra']).toEqual(['mine/notes.txt']);
  });

  test('a file that was replaced by another of the series is found', async () => {
    await copyFile(join(out, paths[0] ?? ''), join(out, paths[1] ?? ''));
    const json = summaryOf(await room.run(['verify', out, '--json']));
    expect(json['mismatched']).toEqual([expect.objectContaining({ path: paths[1] })]);
  });
});

test('--fix fetches what is wrong and what is missing, nothing else, and proves it', async () => {
  const [changed = '', gone = '', cut = ''] = paths;
  await flip(changed);
  await rm(join(out, gone));
  await truncate(join(out, cut), 10);
  const lock = await readFile(join(out, 'carrel.lock.json'), 'utf8');
  const result = await room.run(['verify', out, '--fix']);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  expect(
    room.s3.requests
      .filter(({ method }) => method === 'GET')
      .map(({ path }) => path.slice(-40))
      .sort(),
  ).toEqual([changed, gone, cut].map((path) => path.slice(-40)).sort());
  await room.mustHold(out, [versionIn(room.facts.revisedTwice)]);
  expect(await readFile(join(out, 'carrel.lock.json'), 'utf8')).toBe(lock);
  expect(await room.run(['verify', out])).toMatchObject({ code: 0 });
});

test('--fix that cannot be, because the server lies, ends with 5 and shows no wrong file', async () => {
  await rm(join(out, paths[0] ?? ''));
  room.s3.faults.push({ path: '.dcm', method: 'GET', fault: { kind: 'wrong-byte', at: 3 } });
  try {
    const result = await room.run(['verify', out, '--fix']);
    expect(result.code).toBe(5);
    expect(await filesBelow(out)).toHaveProperty('size', paths.length - 1);
  } finally {
    room.s3.faults.length = 0;
  }
});

describe('what cannot be verified', () => {
  test('a folder without a lock file, and one that is not there, end with 4', async () => {
    expect(await room.run(['verify', join(room.folder, 'nowhere')])).toMatchObject({ code: 4 });
    expect(await room.run(['verify', await room.newFolder()])).toMatchObject({ code: 4 });
  });

  test('a lock file that somebody edited is refused, not believed', async () => {
    const path = join(out, 'carrel.lock.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, text.length / 2));
    expect(await room.run(['verify', out])).toMatchObject({ code: 2 });
    // A path that leaves the folder must not be read, whatever it holds.
    await writeFile(path, text.replace(paths[0] ?? '', `../${dirname(paths[0] ?? '')}/x.dcm`));
    const result = await room.run(['verify', out]);
    expect(result.code).toBe(2);
  });
});
