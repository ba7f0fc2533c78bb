import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type LocalCopy,
  type ReuseOptions,
  type TransferOptions,
  transfer,
} from '../../src/transfer/index.ts';
import { createMemoryStore, md5, memoryPlace } from '../fixtures/memory-store.ts';
import { filesIn, leftovers, opener, planOf, randomFiles, read, temporaryFolder } from './desk.ts';

/** Four files in a store, and a folder elsewhere on the machine with a copy of each under another name. */
async function scene(options: { proven?: boolean } = {}) {
  const contents = randomFiles(4, 30_000);
  const store = createMemoryStore(contents);
  const elsewhere = await temporaryFolder();
  const directory = await temporaryFolder();
  const copies = new Map<string, LocalCopy>();
  for (const [index, [path, bytes]] of Object.entries(contents).entries()) {
    const copy = join(elsewhere, `old-${index}.dcm`);
    await writeFile(copy, bytes);
    const { mtimeNs } = await stat(copy, { bigint: true });
    const proven = { mtimeNs: mtimeNs.toString(), digests: [md5(bytes)] };
    copies.set(path, { path: copy, ...(options.proven ? { proven } : {}) });
  }
  const get = (
    more: Partial<ReuseOptions> = {},
    plan = planOf(contents, [{ mirror: 'm', place: memoryPlace }]),
    options: Partial<TransferOptions> = {},
  ) =>
    transfer(plan, {
      ...options,
      directory,
      openStore: opener([store]),
      reuse: { copiesOf: ({ path }) => [copies.get(path) ?? { path: '/nowhere' }], ...more },
    });
  return { contents, store, elsewhere, directory, copies, get };
}

describe('bytes that are on this machine already', () => {
  test.each([true, false])('are taken from there, proven before: %s', async (proven) => {
    const { contents, store, directory, get } = await scene({ proven });
    const result = await get();
    expect(result).toMatchObject({
      fetched: 0,
      present: 0,
      reused: 4,
      bytesReused: 120_000,
      bytesFetched: 0,
      requests: 0,
      verifiedBy: { md5: 4 },
    });
    expect(result.files[0]).toMatchObject({ how: 'reused', attempts: 0 });
    expect(store.requests).toEqual([]);
    for (const [path, bytes] of Object.entries(contents))
      expect((await read(directory, path)).equals(bytes)).toBe(true);
    expect(await leftovers(directory)).toEqual([]);
    expect(await get()).toMatchObject({ present: 4, requests: 0 });
  });

  test('are a file of their own: changing one does not change the other', async () => {
    const { contents, directory, copies, get } = await scene();
    await get();
    const [path = ''] = Object.keys(contents);
    await writeFile(join(directory, path), 'changed');
    const original = await readFile(copies.get(path)?.path ?? '');
    expect(original.equals(contents[path] ?? Buffer.of())).toBe(true);
  });

  test('are linked where that is wanted', async () => {
    const { contents, directory, copies, get } = await scene();
    await get({ hardLinks: true });
    const [path = ''] = Object.keys(contents);
    const [one, other] = [await stat(join(directory, path)), await stat(copies.get(path)?.path ?? '')];
    // A file system that shares blocks does that instead.
    if (other.nlink === 2) expect(one.ino).toBe(other.ino);
    expect((await read(directory, path)).equals(contents[path] ?? Buffer.of())).toBe(true);
  });

  test('are fetched where the copy is another file, is gone, or cannot be read', async () => {
    const { contents, directory, copies, get } = await scene({ proven: true });
    const paths = Object.keys(contents);
    const [first = '', second = '', third = ''] = paths.map((path) => copies.get(path)?.path ?? '');
    const wrong = Buffer.from(contents[paths[0] ?? ''] ?? '');
    wrong[7] = (wrong[7] ?? 0) ^ 1;
    await writeFile(first, wrong);
    await writeFile(second, 'short');
    copies.set(paths[2] ?? '', { path: `${third}.gone` });
    await mkdir(`${copies.get(paths[3] ?? '')?.path}.folder`);
    copies.set(paths[3] ?? '', { path: `${copies.get(paths[3] ?? '')?.path}.folder` });
    expect(await get()).toMatchObject({ fetched: 4, reused: 0, failed: [] });
    for (const path of paths)
      expect((await read(directory, path)).equals(contents[path] ?? Buffer.of())).toBe(true);
  });

  test('a copy that was changed since it was proven is read again', async () => {
    const { contents, copies, get } = await scene({ proven: true });
    const [path = ''] = Object.keys(contents);
    const copy = copies.get(path)?.path ?? '';
    const wrong = Buffer.from(contents[path] ?? '');
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    await writeFile(copy, wrong);
    await utimes(copy, new Date(0), new Date(0));
    expect(await get()).toMatchObject({ fetched: 1, reused: 3 });
  });

  test('nothing is taken for a file that no digest describes', async () => {
    const { contents, get } = await scene();
    const plan = planOf(contents, [{ mirror: 'm', place: memoryPlace }], (file) => ({
      ...file,
      digests: [],
    }));
    expect(await get({}, plan)).toMatchObject({ fetched: 4, reused: 0 });
  });

  test('count as bytes that need room, unless they are linked', async () => {
    const { directory, elsewhere, get } = await scene({ proven: true });
    const freeSpace = async () => 40_000;
    const shares = await copyFile(
      join(elsewhere, 'old-0.dcm'),
      join(elsewhere, 'probe'),
      constants.COPYFILE_FICLONE_FORCE,
    ).then(
      () => true,
      () => false,
    );
    const more = { freeSpace, freeSpaceReserve: 0 };
    if (!shares) {
      await expect(get({}, undefined, more)).rejects.toMatchObject({ code: 'no-space' });
      expect((await filesIn(directory)).length).toBe(0);
    }
    expect(await get({ hardLinks: true }, undefined, more)).toMatchObject({ reused: 4, fetched: 0 });
  });
});
