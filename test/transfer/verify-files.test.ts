import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/identifiers/index.ts';
import { hashFile, type TransferEvent, verifyFiles } from '../../src/transfer/index.ts';
import { md5, sha256 } from '../fixtures/memory-store.ts';
import { eventsOf, randomFiles, temporaryFolder } from './desk.ts';

/** Files on disk and the list that they agree with. */
async function folderWith(contents: Record<string, Uint8Array>) {
  const directory = await temporaryFolder();
  for (const [path, bytes] of Object.entries(contents)) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  const list = Object.entries(contents).map(([path, bytes]) => ({
    path,
    size: bytes.length,
    digests: [md5(bytes)],
  }));
  return { directory, list };
}

describe('verifyFiles', () => {
  test('proves every file, in the order of the list', async () => {
    const { directory, list } = await folderWith(randomFiles(30, 5000));
    const events: TransferEvent[] = [];
    const report = await verifyFiles(list, { directory, onEvent: (event) => events.push(event) });
    expect(report).toMatchObject({ missing: [], mismatched: [], unverifiable: [] });
    expect(report.extra).toBeUndefined();
    expect(
      report.ok.map(({ path, bytes, digest, verifiedBy }) => ({ path, bytes, digest, verifiedBy })),
    ).toEqual(
      list.map(({ path, size, digests }) => ({ path, bytes: size, digest: digests[0], verifiedBy: 'md5' })),
    );
    expect(eventsOf(events, 'progress').at(-1)).toMatchObject({ files: 30, bytes: 150_000 });
  });

  test('tells missing, cut, damaged and surplus files apart', async () => {
    const contents = randomFiles(5, 1000);
    const { directory, list } = await folderWith(contents);
    const [good, gone, cut, damaged, folder] = list.map(({ path }) => path) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await rm(join(directory, gone));
    await truncate(join(directory, cut), 999);
    const wrong = randomBytes(1000);
    await writeFile(join(directory, damaged), wrong);
    await rm(join(directory, folder));
    await mkdir(join(directory, folder));
    await writeFile(join(directory, 'surplus.txt'), 'x');
    await writeFile(join(directory, 'carrel.lock.json'), '{}');
    await mkdir(join(directory, '.carrel'));
    await writeFile(join(directory, '.carrel/journal.jsonl'), '');
    const report = await verifyFiles(list, { directory, extra: true, ignore: ['carrel.lock.json'] });
    expect(report.ok.map(({ path }) => path)).toEqual([good]);
    expect(report.missing).toEqual([gone]);
    expect(report.mismatched).toEqual([
      { path: cut, expected: '1000 bytes', found: '999 bytes' },
      { path: damaged, expected: md5(contents[damaged] ?? wrong), found: md5(wrong) },
      { path: folder, expected: 'a file', found: 'a folder' },
    ]);
    expect(report.extra).toEqual(['surplus.txt']);
  });

  test('every digest of the list must agree, and the strongest is the evidence', async () => {
    const bytes = randomBytes(2_500_000);
    const { directory } = await folderWith({ a: bytes });
    const good: Digest[] = [md5(bytes), sha256(bytes)];
    const report = await verifyFiles([{ path: 'a', digests: good }], { directory });
    expect(report.ok).toMatchObject([{ verifiedBy: 'sha256', digest: sha256(bytes) }]);
    const bad: Digest[] = [sha256(bytes), `md5:${'0'.repeat(32)}`];
    expect((await verifyFiles([{ path: 'a', digests: bad }], { directory })).mismatched).toHaveLength(1);
  });

  test('by size reads nothing, and says that it is only the size', async () => {
    const { directory, list } = await folderWith({ a: randomBytes(10) });
    await writeFile(join(directory, 'a'), randomBytes(10));
    expect((await verifyFiles(list, { directory, mode: 'size' })).ok).toMatchObject([{ verifiedBy: 'size' }]);
  });

  test('what nothing is known of cannot be proven', async () => {
    const { directory } = await folderWith({ a: randomBytes(10) });
    const report = await verifyFiles([{ path: 'a', digests: [] }], { directory });
    expect(report.unverifiable).toEqual([{ path: 'a', reason: 'neither its size nor a digest is known' }]);
  });

  test.skipIf(process.getuid?.() === 0)('what cannot be read is told with its reason', async () => {
    const { directory, list } = await folderWith({ a: randomBytes(10) });
    await chmod(join(directory, 'a'), 0);
    expect((await verifyFiles(list, { directory })).unverifiable).toMatchObject([
      { path: 'a', error: { code: 'permission' } },
    ]);
  });

  test('a link to the right bytes counts as the file; a dangling one is missing', async () => {
    const { directory, list } = await folderWith({ a: randomBytes(10), b: randomBytes(10) });
    const elsewhere = await temporaryFolder();
    await rm(join(directory, 'b'));
    await symlink(join(elsewhere, 'nothing'), join(directory, 'b'));
    expect(await verifyFiles(list, { directory })).toMatchObject({ ok: [{ path: 'a' }], missing: ['b'] });
  });

  test('never looks outside of the folder', async () => {
    const { directory } = await folderWith({ a: randomBytes(10) });
    const promise = verifyFiles([{ path: '../a', digests: [] }], { directory });
    await expect(promise).rejects.toMatchObject({ code: 'unsafe' });
  });

  test('ends when it is told to', async () => {
    const { directory, list } = await folderWith(randomFiles(10, 100));
    await expect(verifyFiles(list, { directory, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  test('a folder that does not exist has all files missing and none to spare', async () => {
    const directory = join(await temporaryFolder(), 'nowhere');
    const report = await verifyFiles([{ path: 'a', digests: [] }], { directory, extra: true });
    expect(report).toMatchObject({ missing: ['a'], extra: [] });
  });
});

describe('hashFile', () => {
  test.each([0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2_500_000])(
    'of %i bytes gives all digests in one pass',
    async (size) => {
      const bytes = randomBytes(size);
      const { directory } = await folderWith({ a: bytes });
      const { digests } = await hashFile(join(directory, 'a'), ['crc32c', 'md5', 'sha256']);
      expect(digests.slice(0, 2)).toEqual([
        `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
        `md5:${createHash('md5').update(bytes).digest('hex')}`,
      ]);
      expect(digests[2]).toMatch(/^crc32c:[0-9a-f]{8}$/);
    },
  );

  test('CRC32C is the Castagnoli one (RFC 3720, B.4: 32 bytes of zero)', async () => {
    const { directory } = await folderWith({ a: new Uint8Array(32) });
    expect((await hashFile(join(directory, 'a'), ['crc32c'])).digests).toEqual(['crc32c:8a9136aa']);
  });

  test('of a missing file is not-found', async () => {
    await expect(hashFile(join(await temporaryFolder(), 'a'), ['md5'])).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
