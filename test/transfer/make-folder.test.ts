import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../src/transfer/make-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a destination', () => {
  test('is made with everything above it, also by two runs at once', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await Promise.all([makeFolder(path), makeFolder(path)]);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  test('below a file is a usage error that names the file', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(makeFolder(join(folder, 'file', 'deep'))).rejects.toMatchObject({
      code: 'usage',
      item: join(folder, 'file'),
    });
  });

  test.skipIf(process.platform !== 'linux')(
    'on a file system that makes no folders is an error, and ends',
    async () => {
      await expect(makeFolder('/proc/nothing/here')).rejects.toMatchObject({
        code: 'permission',
        item: '/proc/nothing',
      });
    },
  );
});
