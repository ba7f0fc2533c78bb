import { readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withLock } from '../../src/catalog/add-tables.ts';
import { temporaryFolder } from './tiny-tables.ts';

let root: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

describe('a lock', () => {
  test('lets one in at a time, and is gone afterwards, after a failure too', async () => {
    const path = join(root.path, 'one.lock');
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      if (most < 0) throw new Error('never');
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, undefined, work)));
    expect(most).toBe(1);
    await expect(withLock(path, undefined, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect(await readdir(root.path)).toEqual([]);
  });

  test('of a process that is gone is taken over, of one that lives is not', async () => {
    const host =
      hostname()
        .toLowerCase()
        .replaceAll(/[^0-9a-z]/g, '') || 'host';
    const path = join(root.path, 'two.lock');
    await writeFile(path, `${host} 999999999`);
    expect(await withLock(path, undefined, () => Promise.resolve('mine'))).toBe('mine');
    await writeFile(path, `${host} ${process.pid}`);
    await expect(withLock(path, undefined, () => Promise.resolve(), 100)).rejects.toMatchObject({
      code: 'busy',
      item: path,
    });
    await writeFile(path, 'elsewhere 1');
    await expect(withLock(path, undefined, () => Promise.resolve(), 100)).rejects.toMatchObject({
      code: 'busy',
    });
    await writeFile(path, '');
    await utimes(path, new Date(0), new Date(0));
    expect(await withLock(path, undefined, () => Promise.resolve('mine'), 100)).toBe('mine');
  });

  test('is not waited for after an abort', async () => {
    const path = join(root.path, 'three.lock');
    await writeFile(path, 'elsewhere 1');
    const stop = AbortSignal.timeout(60);
    await expect(withLock(path, stop, () => Promise.resolve())).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});
