import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createOpenStore, type ListOptions, type Store } from '../../src/stores/index.ts';
import { expectCode } from '../contract/store.ts';

let outside: string;
let root: string;
let store: Store;
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), 'carrel-file-store-'));
  root = join(outside, 'bucket');
  await mkdir(root);
  await writeFile(join(outside, 'secret'), 'secret');
  store = createOpenStore()({ protocol: 'file', endpoint: outside, bucket: 'bucket' });
});
afterEach(() => rm(outside, { recursive: true, force: true }));

async function keys(prefix = '', options?: ListOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const page of store.list(prefix, options))
    found.push(...page.objects.map(({ key }) => key), ...page.prefixes);
  return found;
}

describe('nothing leaves the folder', () => {
  test.each(['../secret', 'a/../../secret', '..', 'a/..'])('by %s', async (key) => {
    await expectCode(store.get(key), 'unsafe');
    await expectCode(store.stat(key), 'unsafe');
  });

  test('by links to files and to folders', async () => {
    await symlink(join(outside, 'secret'), join(root, 'link'));
    await symlink(outside, join(root, 'folder'));
    await expectCode(store.get('link'), 'unsafe');
    await expectCode(store.get('folder/secret'), 'unsafe');
    expect(await keys()).toEqual([]);
  });

  test('by an absolute key', async () => {
    await expectCode(store.get(join(outside, 'secret')), 'not-found');
  });

  test('by a folder whose name begins alike', async () => {
    await mkdir(join(outside, 'bucket-two'));
    await writeFile(join(outside, 'bucket-two', 'x'), 'x');
    await symlink(join(outside, 'bucket-two', 'x'), join(root, 'x'));
    await expectCode(store.get('x'), 'unsafe');
  });

  test('a link within the folder is an object', async () => {
    await writeFile(join(root, 'a'), 'hello');
    await symlink('a', join(root, 'b'));
    expect(Buffer.from(await (await store.get('b')).bytes()).toString()).toBe('hello');
    expect(await keys()).toEqual(['a', 'b']);
  });

  test('a NUL in a key', async () => {
    await expectCode(store.get('a\0b'), 'unsafe');
  });
});

describe('what is no file', () => {
  test.each(['', 'folder', 'folder/', 'file/x', 'file/'])('%j does not exist', async (key) => {
    await mkdir(join(root, 'folder'));
    await writeFile(join(root, 'file'), 'x');
    await expectCode(store.get(key), 'not-found');
  });

  test('a named pipe is not waited for', async () => {
    execFileSync('/usr/bin/mkfifo', [join(root, 'pipe')]);
    await expectCode(store.get('pipe'), 'not-found');
    expect(await keys()).toEqual([]);
  });

  test('a missing root', async () => {
    await rm(root, { recursive: true });
    await expectCode(keys(), 'not-found');
    await expectCode(store.get('x'), 'not-found');
  });
});

describe('a file that changes while it is read', () => {
  const content = Buffer.alloc(2_000_000, 'x');

  test.each([
    ['is cut', (path: string) => truncate(path, 1_000_000)],
    ['grows', (path: string) => appendFile(path, 'y')],
  ])('%s', async (_what, change) => {
    await writeFile(join(root, 'k'), content);
    const body = await store.get('k');
    let changed = false;
    const consumed = body.consume(async () => {
      if (!changed) await change(join(root, 'k'));
      changed = true;
    });
    await expectCode(consumed, 'verification');
  });

  test('is pinned by size and time', async () => {
    await writeFile(join(root, 'k'), 'one');
    const pin = store.pin(await store.stat('k'));
    await writeFile(join(root, 'k'), 'two');
    await expectCode(store.get('k', { ifMatch: pin }), 'verification');
  });
});

describe('listings', () => {
  test('are in the order of keys, not of folders; empty folders do not exist', async () => {
    for (const key of ['a/b', 'a-', 'a0', 'a/b-/c', 'a/b0', 'z/y/x']) {
      await mkdir(join(root, key, '..'), { recursive: true });
      await writeFile(join(root, key), '');
    }
    await mkdir(join(root, 'empty/deeper'), { recursive: true });
    expect(await keys()).toEqual(['a-', 'a/b', 'a/b-/c', 'a/b0', 'a0', 'z/y/x']);
    expect(await keys('', { delimiter: '/' })).toEqual(['a-', 'a0', 'a/', 'z/']);
  });

  test('agree with a sorted list of keys, for any tree, prefix, delimiter and start', async () => {
    const name = fc.constantFrom('a', 'b', 'a-', 'a.b', '0', 'é', '\uFB00', '😀');
    const key = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const text = fc.oneof(
      fc.constant(''),
      key,
      key.map((k) => k.slice(0, 2)),
      key.map((k) => `${k}/`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 12 }),
        text,
        fc.option(fc.constantFrom('/', '-'), { nil: undefined }),
        fc.option(text, { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        async (wanted, prefix, delimiter, startAfter, pageSize) => {
          await rm(root, { recursive: true });
          await mkdir(root);
          const all: string[] = [];
          for (const item of wanted) {
            // A name cannot be a file and a folder.
            if (wanted.some((other) => other.startsWith(`${item}/`))) continue;
            await mkdir(join(root, item, '..'), { recursive: true });
            await writeFile(join(root, item), '');
            all.push(item);
          }
          const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
          const objects: string[] = [];
          const prefixes = new Set<string>();
          for (const item of all.sort(order)) {
            if (!item.startsWith(prefix)) continue;
            const cut = delimiter === undefined ? -1 : item.indexOf(delimiter, prefix.length);
            const shown = cut < 0 ? item : item.slice(0, cut + 1);
            if (startAfter !== undefined && order(shown, startAfter) <= 0) continue;
            if (cut < 0) objects.push(shown);
            else prefixes.add(shown);
          }
          const found: { objects: string[]; prefixes: string[] } = { objects: [], prefixes: [] };
          for await (const page of store.list(prefix, { delimiter, startAfter, pageSize })) {
            expect(page.objects.length + page.prefixes.length).toBeLessThanOrEqual(pageSize);
            found.objects.push(...page.objects.map((object) => object.key));
            found.prefixes.push(...page.prefixes);
          }
          expect(found).toEqual({ objects, prefixes: [...prefixes] });
        },
      ),
      { numRuns: 150 },
    );
  });
});
