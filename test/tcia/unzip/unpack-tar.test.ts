import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type UntarOptions, unpackTar } from '../../../src/tcia/unzip/unpack-tar.ts';
import { type MadeTarEntry, makeTar, paxRecord } from './make-tar.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carrel-untar-'));
  folder = join(root, 'out');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function unpack(archive: Uint8Array, options: Partial<UntarOptions> = {}, name = 'some.tar') {
  const path = join(root, name);
  await writeFile(path, archive);
  return await unpackTar(path, {
    nameOf: (entry) => entry.replace(/^\.\//, ''),
    folder,
    maxBytes: 1 << 24,
    maxEntries: 100,
    ...options,
  });
}

describe('a tar archive is unpacked', () => {
  test('files, folders, modes, links told and not made', async () => {
    const { files, links } = await unpack(
      makeTar([
        { name: './sdk/', kind: '5' },
        { name: './sdk/bin/ascp', bytes: 'program', mode: 0o755 },
        { name: './sdk/lib/libx.so.3', bytes: 'library' },
        { name: './sdk/lib/libx.so', kind: '2', link: 'libx.so.3' },
      ]),
    );
    expect(files.map(({ local, bytes, executable }) => [local, bytes, executable])).toEqual([
      ['sdk/bin/ascp', 7, true],
      ['sdk/lib/libx.so.3', 7, false],
    ]);
    expect(links).toEqual([{ name: './sdk/lib/libx.so', local: 'sdk/lib/libx.so', target: 'libx.so.3' }]);
    expect((await stat(join(folder, 'sdk/bin/ascp'))).mode & 0o111).not.toBe(0);
    expect(await readdir(join(folder, 'sdk/lib'))).toEqual(['libx.so.3']);
  });

  test('gzipped; long names of GNU tar and of pax; sizes of pax', async () => {
    const long = `${'folder/'.repeat(20)}file`;
    const archive = makeTar([
      { name: '././@LongLink', kind: 'L', bytes: `${long}1\0` },
      { name: 'cut', bytes: 'gnu' },
      { name: 'pax', kind: 'x', bytes: `${paxRecord('mtime', '1.5')}${paxRecord('path', `${long}2`)}` },
      { name: 'cut', bytes: 'größe' },
      { name: 'global', kind: 'g', bytes: paxRecord('comment', 'x') },
      { name: 'last', bytes: Buffer.alloc(1000, 'z') },
    ]);
    const { files } = await unpack(gzipSync(archive), {}, 'some.tar.gz');
    expect(files.map(({ local }) => local)).toEqual([`${long}1`, `${long}2`, 'last']);
    expect(await readFile(join(folder, `${long}2`), 'utf8')).toBe('größe');
  });

  test('undefined leaves an entry out', async () => {
    const nameOf = (name: string) => (name === 'b' ? 'b' : undefined);
    await unpack(
      makeTar([
        { name: 'a', bytes: Buffer.alloc(5000) },
        { name: 'b', bytes: 'b' },
      ]),
      { nameOf },
    );
    expect(await readdir(folder)).toEqual(['b']);
  });
});

describe('a hostile or damaged tar archive is refused', () => {
  test.each<[string, MadeTarEntry, string]>([
    ['traversal', { name: '../evil', bytes: 'x' }, 'leads out'],
    ['traversal in the middle', { name: 'a/../../evil', bytes: 'x' }, 'leads out'],
    ['an absolute name', { name: '/evil', bytes: 'x' }, 'absolute'],
    ['a name of Windows', { name: 'C:\\evil', bytes: 'x' }, 'absolute'],
    ['control characters', { name: 'a\u001bb', bytes: 'x' }, 'control characters'],
    ['a hard link', { name: 'a', kind: '1', link: '/etc/passwd' }, 'hard link'],
    ['a device', { name: 'a', kind: '3' }, 'device'],
    ['a bomb', { name: 'a', size: 0o77777777777 }, 'unpacks to more'],
    ['an extension without an end', { name: 'a', kind: 'x', size: 1 << 30 }, 'longer than any path'],
  ])('%s', async (_, entry, reason) => {
    const error = await unpack(makeTar([entry])).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'unsafe', message: expect.stringContaining(reason) as string });
    expect(await readdir(folder)).toEqual([]);
    expect((await readdir(root)).toSorted()).toEqual(['out', 'some.tar']);
  });

  test('two files under one name; too many entries', async () => {
    const twice = makeTar([{ name: 'a' }, { name: 'A' }]);
    await expect(unpack(twice)).rejects.toMatchObject({ code: 'unsafe' });
    await expect(unpack(twice, { maxEntries: 1 })).rejects.toMatchObject({ code: 'unsafe' });
  });

  test('cut anywhere; a header that was changed', async () => {
    const whole = makeTar([{ name: 'a', bytes: Buffer.alloc(2000, 'x') }]);
    for (const length of [0, 100, 512, 1000, 2512, 3000])
      await expect(unpack(whole.subarray(0, length))).rejects.toMatchObject({ code: 'verification' });
    expect(await readdir(folder)).toEqual(['a']);
    const packed = gzipSync(whole);
    for (const length of [5, 20, packed.length - 4])
      await expect(unpack(packed.subarray(0, length), {}, 'x.tar.gz')).rejects.toMatchObject({
        code: 'verification',
      });
    const changed = Buffer.from(whole);
    changed[0] = 0x62;
    await expect(unpack(changed)).rejects.toThrow('sum of a header');
  });
});
