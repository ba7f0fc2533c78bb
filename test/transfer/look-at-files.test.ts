import { mkdir, mkdtemp, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookAtFiles } from '../../src/transfer/look-at-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-look-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const look = async (paths: readonly string[], signal = new AbortController().signal) => {
  const seen: [string, number, number][] = [];
  await lookAtFiles(
    folder,
    paths.map((path) => ({ path })),
    signal,
    ({ path }, index, { size }) => void seen.push([path, index, size]),
  );
  return seen;
};

describe('a look at the files of a plan', () => {
  test('tells those that are there, with their places in the plan', async () => {
    await mkdir(join(folder, 'one/deep'), { recursive: true });
    await writeFile(join(folder, 'one/a'), 'hello');
    await writeFile(join(folder, 'one/deep/b'), '');
    await writeFile(join(folder, 'c'), 'x');
    expect(await look(['c', 'one/a', 'one/missing', 'one/deep/b', 'two/a', 'two/b', 'd'])).toEqual([
      ['c', 0, 1],
      ['one/a', 1, 5],
      ['one/deep/b', 3, 0],
    ]);
  });

  test('takes no folder, and no file in the place of a folder, for a file; follows links', async () => {
    await mkdir(join(folder, 'odd/folder'), { recursive: true });
    await writeFile(join(folder, 'odd/file'), 'abc');
    await symlink('file', join(folder, 'odd/link'));
    await symlink('nowhere', join(folder, 'odd/broken'));
    await symlink('round', join(folder, 'odd/round'));
    const found = await look(['odd/folder', 'odd/file/below', 'odd/link', 'odd/broken', 'odd/round']);
    expect(found).toEqual([['odd/link', 2, 3]]);
  });

  test('tells the time of change to the nanosecond, as the journal keeps it', async () => {
    await writeFile(join(folder, 'time'), '');
    await utimes(join(folder, 'time'), 1_700_000_000, 1_700_000_000.123_456);
    const seen: string[] = [];
    await lookAtFiles(
      folder,
      [{ path: 'time' }],
      new AbortController().signal,
      (_file, _index, { mtimeNs }) => {
        seen.push(mtimeNs);
      },
    );
    expect(seen).toEqual([(await stat(join(folder, 'time'), { bigint: true })).mtimeNs.toString()]);
  });

  test('ends when it is told to', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(look(['c'], stopped)).rejects.toThrow('enough');
  });
});
