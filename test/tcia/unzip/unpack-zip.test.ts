import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type UnpackedFile, type UnpackOptions, unpackZip } from '../../../src/tcia/index.ts';
import { type MadeEntry, makeZip } from './make-zip.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carrel-unzip-'));
  folder = join(root, 'out');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function unpack(archive: Uint8Array, options: Partial<UnpackOptions> = {}): Promise<UnpackedFile[]> {
  const path = join(root, 'some.zip');
  await writeFile(path, archive);
  const whole = { nameOf: (name: string) => name, folder, maxBytes: 1 << 24, maxEntries: 1000, ...options };
  return (await unpackZip(path, whole)).entries;
}

async function refusal(archive: Uint8Array, options: Partial<UnpackOptions> = {}) {
  const error = await unpack(archive, options).catch((caught: unknown) => caught);
  expect(await readdir(folder)).toEqual([]);
  expect((await readdir(root)).toSorted()).toEqual(['out', 'some.zip']);
  return error;
}

describe('a ZIP archive is unpacked', () => {
  test('stored and deflated entries, folders, names with spaces and beyond ASCII', async () => {
    const archive = makeZip([
      { name: 'LICENSE', bytes: 'CC BY 4.0', deflate: false },
      { name: 'a b & c/' },
      { name: 'a b & c/größe.xml', bytes: '<a/>' },
      { name: 'empty', bytes: '' },
    ]);
    const seen: string[] = [];
    const files = await unpack(archive, { onFile: ({ local }) => seen.push(local) });
    expect(files).toEqual([
      {
        name: 'LICENSE',
        local: 'LICENSE',
        bytes: 9,
        digest: createHash('md5').update('CC BY 4.0').digest('hex'),
      },
      {
        name: 'a b & c/größe.xml',
        local: 'a b & c/größe.xml',
        bytes: 4,
        digest: createHash('md5').update('<a/>').digest('hex'),
      },
      { name: 'empty', local: 'empty', bytes: 0, digest: 'd41d8cd98f00b204e9800998ecf8427e' },
    ]);
    expect(seen).toEqual(['LICENSE', 'a b & c/größe.xml', 'empty']);
    expect(await readFile(join(folder, 'a b & c', 'größe.xml'), 'utf8')).toBe('<a/>');
  });

  test('under the names that the caller chooses; undefined leaves an entry out', async () => {
    const archive = makeZip([
      { name: '00000000.dcm', bytes: 'one' },
      { name: 'LICENSE', bytes: 'x' },
    ]);
    const nameOf = (name: string) => (name.endsWith('.dcm') ? `series/${name}` : undefined);
    expect((await unpack(archive, { nameOf })).map(({ local }) => local)).toEqual(['series/00000000.dcm']);
    expect(await readdir(folder)).toEqual(['series']);
  });

  test('any bytes come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }), async (bodies) => {
        const entries = bodies.map((bytes, at) => ({ name: `f${at}`, bytes, deflate: at % 2 === 0 }));
        await unpack(makeZip(entries));
        for (const [at, bytes] of bodies.entries())
          expect(Buffer.from(bytes).equals(await readFile(join(folder, `f${at}`)))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a hostile archive is refused before a byte is written', () => {
  const hostile: [string, readonly MadeEntry[], RegExp][] = [
    ['traversal', [{ name: '../evil', bytes: 'x' }], /relative path/],
    ['traversal in the middle', [{ name: 'a/../../evil', bytes: 'x' }], /relative path/],
    ['traversal with backslashes', [{ name: '..\\..\\evil', bytes: 'x' }], /relative path/],
    ['an absolute name', [{ name: '/etc/evil', bytes: 'x' }], /absolute path/],
    ['a drive letter', [{ name: 'C:\\evil', bytes: 'x' }], /absolute path/],
    ['control characters', [{ name: 'a\u001b[2Jb', bytes: 'x' }], /control characters/],
    ['a line break', [{ name: 'a\nb', bytes: 'x' }], /control characters/],
    ['a name that Windows reserves', [{ name: 'aux.dcm', bytes: 'x' }], /reserved/],
    ['a symbolic link', [{ name: 'link', bytes: '/etc/passwd', mode: 0o120777 }], /link or a device/],
    ['a device', [{ name: 'dev', bytes: '', mode: 0o060666 }], /link or a device/],
    ['one name twice', [{ name: 'a' }, { name: 'a' }], /two entries/],
    ['names that differ by case alone', [{ name: 'a' }, { name: 'A' }], /collide/],
    ['a file that is also a folder', [{ name: 'a' }, { name: 'a/b' }], /both a file and a folder/],
    [
      'entries that share bytes',
      [
        { name: 'a', bytes: 'xx' },
        { name: 'b', bytes: 'xx', offset: 0 },
      ],
      /shares/,
    ],
    ['a size that deflate cannot reach', [{ name: 'a', bytes: 'x', size: 1 << 23 }], /claims to grow/],
  ];
  test.each(hostile)('%s', async (_, entries, reason) => {
    const error = await refusal(makeZip([{ name: 'good', bytes: 'good' }, ...entries].slice(-3)));
    expect(error).toMatchObject({ code: 'unsafe', message: expect.stringMatching(reason) as string });
  });

  test('overlap is found although the first entry is good', async () => {
    const entries = [
      { name: 'a', bytes: 'same' },
      { name: 'b', bytes: 'same', offset: 0 },
    ];
    expect(await refusal(makeZip(entries))).toMatchObject({ code: 'unsafe' });
  });

  test('more bytes than the caller allows', async () => {
    const bomb = makeZip([{ name: 'zeros', bytes: new Uint8Array(1 << 20) }]);
    expect(await refusal(bomb, { maxBytes: (1 << 20) - 1 })).toMatchObject({ code: 'unsafe' });
  });

  test('more entries than the caller allows', async () => {
    const many = makeZip(Array.from({ length: 11 }, (_, at) => ({ name: `f${at}` })));
    expect(await refusal(many, { maxEntries: 10 })).toMatchObject({ code: 'unsafe' });
  });

  test('a link in the folder does not lead out of it', async () => {
    await mkdir(join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), join(folder, 'sub'));
    const error = await unpack(makeZip([{ name: 'sub/x', bytes: 'x' }])).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'unsafe', message: expect.stringContaining('leads out') as string });
    expect(await readdir(join(root, 'elsewhere'))).toEqual([]);
  });

  test('a link under the name of a file is replaced, not followed', async () => {
    await writeFile(join(root, 'outside'), 'untouched');
    await symlink(join(root, 'outside'), join(folder, 'x'));
    await symlink(join(root, 'outside'), join(folder, 'x.part'));
    await unpack(makeZip([{ name: 'x', bytes: 'new' }]));
    expect(await readFile(join(root, 'outside'), 'utf8')).toBe('untouched');
    expect(await readFile(join(folder, 'x'), 'utf8')).toBe('new');
  });
});

describe('a damaged archive is told from a whole one', () => {
  const good = [
    { name: 'a', bytes: 'first' },
    { name: 'b', bytes: 'second second second' },
  ];

  test('cut anywhere', async () => {
    const whole = makeZip(good);
    for (let length = 0; length < whole.length; length += 7) {
      const error = await refusal(whole.subarray(0, length));
      expect(error).toMatchObject({ code: 'verification', retryable: true });
    }
  });

  test('an end record that counts fewer entries than there are', async () => {
    expect(await refusal(makeZip(good, { count: 1 }))).toMatchObject({
      code: 'verification',
      message: expect.stringContaining('directory does not end') as string,
    });
  });

  test('a wrong CRC-32: the entry is named, the ones before it stay, no part is left', async () => {
    const archive = makeZip([
      { name: 'a', bytes: 'first' },
      { name: 'b', bytes: 'x', crc32: 7 },
    ]);
    const error = await unpack(archive).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'verification', item: 'b', retryable: true });
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('more bytes than announced', async () => {
    const archive = makeZip([{ name: 'a', bytes: 'xxxxxxxx', size: 4 }]);
    expect(await refusal(archive)).toMatchObject({ code: 'verification', item: 'a' });
  });

  test('encryption and unknown methods are unsupported', async () => {
    expect(await refusal(makeZip([{ name: 'a', bytes: 'x', flags: 1 }]))).toMatchObject({
      code: 'unsupported',
    });
    expect(await refusal(makeZip([{ name: 'a', bytes: 'x', method: 14 }]))).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('method 14') as string,
    });
  });

  test('a signal stops it', async () => {
    const signal = AbortSignal.abort();
    expect(await refusal(makeZip(good), { signal })).toMatchObject({ code: 'interrupted' });
  });
});
