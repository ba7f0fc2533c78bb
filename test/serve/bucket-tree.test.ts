import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createS3App } from '../../src/serve/index.ts';
import { type BucketTree, createBucketTree, type ListQuery } from '../../src/serve/objects/bucket-tree.ts';
import { createDigestCache } from '../../src/serve/objects/file-digests.ts';
import { compareKeys } from '../../src/serve/objects/key-order.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { ask } from './wire.ts';

let buckets: BucketsFixture | undefined;
const tree = async (files: Record<string, string>) => {
  buckets = await writeBuckets(files);
  return createBucketTree(buckets.root);
};

afterEach(async () => {
  await buckets?.remove();
  buckets = undefined;
});

/** Everything that a listing names, page by page. */
async function listAll(opened: BucketTree, query: Partial<ListQuery> = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let after = query.after ?? '';
  for (;;) {
    const page = await opened.list('b', { prefix: '', delimiter: '', limit: 1000, ...query, after });
    if (page === undefined) throw new Error('no such bucket');
    pages.push([...page.objects.map(({ key }) => key), ...page.prefixes].sort(compareKeys));
    if (page.next === undefined) return pages;
    after = page.next;
  }
}

describe('listing', () => {
  test('keys come in the order of their UTF-8 bytes, folders or not', async () => {
    const keys = ['a-b', 'a.b', 'a/b', 'a0', 'a/b0/c', '～', '😀', 'Z', 'é'];
    const opened = await tree(Object.fromEntries(keys.map((key) => [`b/${key}`, ''])));
    const expected = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    expect((await listAll(opened)).flat()).toEqual(expected);
  });

  test('2,500 keys take three pages, and no key comes twice', async () => {
    const keys = Array.from({ length: 2500 }, (_, i) => `s${i % 7}/${String(i).padStart(4, '0')}.dcm`);
    const opened = await tree(Object.fromEntries(keys.map((key) => [`b/${key}`, 'x'])));
    const pages = await listAll(opened);
    expect(pages.map((page) => page.length)).toEqual([1000, 1000, 500]);
    expect(pages.flat()).toEqual(keys.toSorted());
  });

  test('rolled-up prefixes are paged like keys and never repeated', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `p/${i % 10}/${i}`);
    const opened = await tree(Object.fromEntries([...keys, 'p/x', 'q'].map((key) => [`b/${key}`, ''])));
    const pages = await listAll(opened, { prefix: 'p/', delimiter: '/', limit: 4 });
    expect(pages).toEqual([
      ['p/0/', 'p/1/', 'p/2/', 'p/3/'],
      ['p/4/', 'p/5/', 'p/6/', 'p/7/'],
      ['p/8/', 'p/9/', 'p/x'],
    ]);
  });

  test('any text may be the delimiter', async () => {
    const opened = await tree({ 'b/2024-01-x': '', 'b/2024-01-y': '', 'b/2024-02/a-b': '', 'b/none': '' });
    expect(await listAll(opened, { delimiter: '-0' })).toEqual([['2024-0', 'none']]);
    expect(await listAll(opened, { prefix: '2024-', delimiter: '-' })).toEqual([['2024-01-', '2024-02/a-']]);
  });

  test('empty folders hold no keys', async () => {
    const opened = await tree({ 'b/empty/deep/': '', 'b/x': '' });
    expect(await listAll(opened, { delimiter: '/' })).toEqual([['x']]);
  });

  test('a prefix that no key can have lists nothing', async () => {
    const opened = await tree({ 'b/x/y': '' });
    for (const prefix of ['/', '//', 'x//', './', 'nope/', 'x/y/']) {
      expect([prefix, await listAll(opened, { prefix })]).toEqual([prefix, [[]]]);
    }
  });

  test('a new file in a large folder that was just listed is seen', async () => {
    const names = Array.from({ length: 600 }, (_, i) => [`b/${String(i).padStart(3, '0')}`, ''] as const);
    const opened = await tree(Object.fromEntries(names));
    const folder = buckets?.path('b') ?? '';
    const long = new Date('2024-01-01T00:00:00Z');
    await utimes(folder, long, long);
    expect((await listAll(opened)).flat()).toHaveLength(600);
    await buckets?.write({ 'b/new': '' });
    // Ahead of the clock, so that this holds however slow the machine is.
    const now = new Date(Date.now() + 60_000);
    await utimes(folder, now, now);
    expect((await listAll(opened)).flat()).toHaveLength(601);
    // Also within the same tick of the folder's time stamp.
    await buckets?.write({ 'b/newer': '' });
    await utimes(folder, now, now);
    expect((await listAll(opened)).flat()).toHaveLength(602);
  });

  test('agrees with a sorted list of keys, whatever the tree and the question', async () => {
    const segment = fc.string({
      unit: fc.constantFrom('a', 'b', '-', '.', '0', 'é', '～', '😀'),
      minLength: 1,
      maxLength: 3,
    });
    const key = fc
      .array(
        segment.filter((text) => !/^\.{1,2}$/.test(text)),
        { minLength: 1, maxLength: 3 },
      )
      .map((parts) => parts.join('/'));
    /** A key of the tree, or a piece of one, so that questions meet what is there. */
    const near = fc.tuple(fc.nat(), fc.nat(), fc.boolean());
    const query = fc.record({
      prefix: fc.option(near, { freq: 1 }),
      delimiter: fc.constantFrom('', '/', '-', 'a'),
      after: fc.option(near),
      from: fc.option(near),
      until: fc.option(near, { freq: 1 }),
      limit: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { minLength: 1, maxLength: 12 }),
        fc.array(query, { minLength: 4, maxLength: 8 }),
        async (all, queries) => {
          const keys = all.filter((name) => !all.some((other) => other.startsWith(`${name}/`)));
          const opened = await tree(Object.fromEntries(keys.map((name) => [`b/${name}`, ''])));
          try {
            const nearKey = (choice: [number, number, boolean] | null) => {
              if (choice === null) return '';
              const [which, length, isWhole] = choice;
              const characters = Array.from(keys[which % keys.length] ?? '');
              return isWhole
                ? characters.join('')
                : characters.slice(0, length % (characters.length + 1)).join('');
            };
            for (const { prefix, after, from, until, ...rest } of queries) {
              const asked = {
                ...rest,
                prefix: nearKey(prefix),
                after: nearKey(after),
                from: nearKey(from),
                until: until === null ? undefined : nearKey(until),
              };
              const names = (await listAll(opened, asked)).flat();
              expect({ asked, names }).toEqual({ asked, names: model(keys, asked) });
            }
          } finally {
            await buckets?.remove();
          }
        },
      ),
      { numRuns: 80 },
    );
  });
});

/** What a listing must name, from all keys at once. */
function model(keys: string[], asked: Partial<ListQuery>): string[] {
  const { prefix = '', delimiter = '', after = '', from, until } = asked;
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const rollUp = (key: string) => {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return at < 0 ? key : key.slice(0, at + delimiter.length);
  };
  const isRolledUp =
    delimiter !== '' && after.startsWith(prefix) && after.endsWith(delimiter) && rollUp(after) === after;
  const wanted = keys
    .filter((key) => key.startsWith(prefix) && (after === '' || bytes(key, after) > 0))
    .filter((key) => !(isRolledUp && key.startsWith(after)))
    .filter((key) => from === undefined || bytes(key, from) >= 0)
    .filter((key) => until === undefined || bytes(key, until) < 0);
  return [...new Set(wanted.map(rollUp))].sort(bytes);
}

describe('what leads outside', () => {
  test.each([
    '..%2Fsecret',
    '%2e%2e%2fsecret',
    'x%2F..%2F..%2Fsecret',
    '..%2F..%2F..%2F..%2Fetc%2Fpasswd',
    'x%00.dcm',
    '%2e%2e%2f%2e%2e%2f',
  ])('the key %s is refused', async (key) => {
    await tree({ 'b/x': 'inside' });
    const app = createS3App({ root: join(buckets?.root ?? '', '.') });
    const response = await ask(app, `/b/${key}`);
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
  });

  test('a bucket name is never a path', async () => {
    await tree({ 'b/x': 'inside' });
    const app = createS3App({ root: buckets?.root ?? '' });
    for (const bucket of ['..%2Fb', '%2e%2e', '.', '%00', 'b%2F..']) {
      const response = await ask(app, `/${bucket}/x`);
      expect([bucket, response.status >= 400, await response.text()]).toEqual([
        bucket,
        true,
        expect.not.stringContaining('inside'),
      ]);
    }
  });

  test('links are followed inside the root and refused outside of it', async () => {
    const outside = await writeBuckets({ 'private/secret.txt': 'secret' });
    try {
      const opened = await tree({ 'b/real/file.txt': 'bytes', 'other/far.txt': 'far' });
      const at = (name: string) => buckets?.path(name) ?? '';
      await symlink(at('b'), at('linked-bucket'));
      await symlink(join(at('other'), 'far.txt'), at('b/near.txt'));
      await symlink(at('b/real'), at('b/linked-folder'));
      await symlink(outside.path('private'), at('outer-bucket'));
      await symlink(outside.path('private/secret.txt'), at('b/leak.txt'));
      await symlink(outside.path('private'), at('b/leak'));
      await symlink(at('nowhere'), at('b/broken'));
      await symlink(at('b'), at('b/real/loop'));

      expect((await opened.buckets()).map(({ name }) => name)).toEqual(['b', 'linked-bucket', 'other']);
      expect(await listAll(opened)).toEqual([['linked-folder/file.txt', 'near.txt', 'real/file.txt']]);
      expect((await opened.find('linked-bucket', 'real/file.txt'))?.size).toBe(5);
      expect((await opened.find('b', 'near.txt'))?.size).toBe(3);
      expect(await opened.find('b', 'broken')).toBe(undefined);
      for (const key of ['leak.txt', 'leak/secret.txt']) {
        await expect(opened.find('b', key)).rejects.toMatchObject({ code: 'unsafe' });
      }
      await expect(opened.find('outer-bucket', 'secret.txt')).rejects.toMatchObject({ code: 'unsafe' });
    } finally {
      await outside.remove();
    }
  });

  test('the root itself may be a link', async () => {
    await tree({ 'real/b/x': '1' });
    const link = `${buckets?.root}-link`;
    await symlink(join(buckets?.root ?? '', 'real'), link);
    try {
      expect((await createBucketTree(link).find('b', 'x'))?.size).toBe(1);
    } finally {
      await rm(link);
    }
  });
});

describe('digests', () => {
  test('are computed once per content and again when a file was replaced', async () => {
    const opened = await tree({ 'b/x': 'one' });
    const digest = createDigestCache();
    const of = async () => {
      const file = await opened.find('b', 'x');
      if (file === undefined) throw new Error('gone');
      return digest(file);
    };
    const first = of();
    expect(await of()).toBe(await first);
    await buckets?.write({ 'b/x': 'two' }, new Date('2025-01-01T00:00:00Z'));
    expect((await of()).md5).not.toBe((await first).md5);
  });

  test('a file that cannot be read fails each time it is asked for, and not for ever', async () => {
    const opened = await tree({ 'b/x': 'one' });
    const file = await opened.find('b', 'x');
    if (file === undefined) throw new Error('gone');
    const digest = createDigestCache();
    await rm(file.path);
    await expect(digest(file)).rejects.toMatchObject({ code: 'ENOENT' });
    await buckets?.write({ 'b/x': 'one' });
    expect(await digest(file)).toEqual({
      md5: 'f97c5d29941bfb1b2fdab0874906ab82',
      crc32c: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
  });

  test('a journal keeps them over restarts, and its broken lines do no harm', async () => {
    const opened = await tree({ 'b/x': 'one', 'b/y': 'two' });
    const journal = join(buckets?.root ?? '', '.cache', 'digests.jsonl');
    const file = async (key: string) => {
      const found = await opened.find('b', key);
      if (found === undefined) throw new Error('gone');
      return found;
    };
    const first = await createDigestCache({ journal })(await file('x'));
    let lines = '';
    while (!lines.endsWith('\n')) lines = await readFile(journal, 'utf8').catch(() => '');
    expect(JSON.parse(lines)).toMatchObject({ path: buckets?.path('b/x'), size: 3, ...first });

    // A digest that only the journal can know shows that the file was not read again.
    const changed = lines.replace(first.md5, 'f'.repeat(32));
    await writeFile(journal, `{"path":"cut off\n\nnull\n${changed}{"path":1}\n`);
    const again = createDigestCache({ journal });
    expect((await again(await file('x'))).md5).toBe('f'.repeat(32));
    expect((await again(await file('y'))).md5).toBe(createHash('md5').update('two').digest('hex'));
    await buckets?.write({ 'b/x': 'uno' }, new Date('2025-01-01T00:00:00Z'));
    expect((await again(await file('x'))).md5).toBe(createHash('md5').update('uno').digest('hex'));
  });

  test('a journal that cannot be written is done without', async () => {
    const opened = await tree({ 'b/x': 'one', 'not-a-folder': '' });
    const digest = createDigestCache({ journal: join(buckets?.root ?? '', 'not-a-folder', 'digests.jsonl') });
    const file = await opened.find('b', 'x');
    expect(file === undefined ? undefined : (await digest(file)).md5).toBe(
      'f97c5d29941bfb1b2fdab0874906ab82',
    );
  });

  test('a thousand files are hashed without exhausting open files', async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`b/${i}`, `${i}`]));
    await tree(files);
    await mkdir(join(buckets?.root ?? '', 'b', 'more'));
    const response = await ask(createS3App({ root: buckets?.root ?? '' }), '/b?list-type=2');
    expect(await response.text()).toContain('<KeyCount>1000</KeyCount>');
  });
});
