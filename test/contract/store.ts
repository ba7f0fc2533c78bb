/**
 * What every store promises, as tests that run over each implementation against each server. An implementation that
 * cannot keep a promise names it in `skips` with the reason.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCarrelError } from '../../src/errors.ts';
import { type Digest, parseDigest } from '../../src/identifiers/index.ts';
import { createCrc32c, type ObjectStat, type Store } from '../../src/stores/index.ts';
import { createCrc64Nvme } from '../../src/transfer/digests/crc64nvme.ts';

/** A store over a bucket that holds `CONTRACT_OBJECTS` and nothing else. */
export interface StoreUnderTest {
  store: Store;
  /** Puts other bytes under a key. */
  replace(key: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** 1.5 MB in which every place is recognisable. */
const LARGE = Buffer.from(Array.from({ length: 375_000 }, (_, i) => `${i % 1000}`.padStart(4, '.')).join(''));

/** Keys, some of them awkward, and what they hold. */
export const CONTRACT_OBJECTS: Record<string, Uint8Array> = Object.fromEntries(
  Object.entries({
    '0001': 'a key that is no number',
    'a.txt': 'hello world',
    empty: '',
    large: LARGE,
    'odd/100%': 'percent',
    'odd/100%25': 'percent, as if encoded',
    'odd/a b': 'blank',
    'odd/a+b': 'plus',
    "odd/it's (one)!*": 'marks that encodeURIComponent leaves alone',
    'odd/q?x=1#f&<>"': 'marks of URLs and of XML',
    'odd/ümläut/日本/😀': 'beyond ASCII',
    'order/a-': '1',
    'order/a/b': '2',
    'order/a0': '3',
    'order/\uFB00': 'before the next one in bytes, behind it in UTF-16',
    'order/😀': '5',
    'tree/1.dcm': 'one',
    'tree/2.dcm': 'two',
    'tree/sub/3.dcm': 'three',
    'tree/sub/deep/4.dcm': 'four',
  }).map(([key, content]) => [key, Buffer.from(content)]),
);

const KEYS = Object.keys(CONTRACT_OBJECTS).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** Names of the tests below, for skips. */
export type ContractTest =
  | 'lists'
  | 'lists in the order of bytes'
  | 'digests'
  | 'digests in listings'
  | 'pins'
  | 'odd keys'
  | 'tells that a range begins beyond the end'
  | 'replaces';

/** Runs the contract. `skips` maps a promise to the reason why this pair of store and server cannot keep it. */
export function testStore(
  name: string,
  setup: () => Promise<StoreUnderTest>,
  skips: Partial<Record<ContractTest, string>> = {},
): void {
  const unless = (what: ContractTest) => (skips[what] === undefined ? test : test.skip);
  const because = (what: ContractTest) => (skips[what] === undefined ? '' : ` (skipped: ${skips[what]})`);

  describe(`store: ${name}`, () => {
    let under: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      under = await setup();
      store = under.store;
    });
    afterAll(async () => {
      await under?.close();
    });

    describe('get', () => {
      test('the whole object, and says so', async () => {
        const body = await store.get('a.txt');
        expect(body.range).toEqual({ start: 0, end: 11 });
        expect(body.stat).toMatchObject({ key: 'a.txt', size: 11 });
        expect(text(await body.bytes())).toBe('hello world');
      });

      test('an empty object', async () => {
        const body = await store.get('empty');
        expect(body.stat.size).toBe(0);
        expect(await body.bytes()).toHaveLength(0);
      });

      test('a large object in pieces, in order, while the consumer takes its time', async () => {
        const body = await store.get('large');
        const pieces: Buffer[] = [];
        let busy = 0;
        await body.consume(async (chunk) => {
          busy += 1;
          expect(busy).toBe(1);
          const before = Buffer.from(chunk);
          await new Promise((resolve) => setTimeout(resolve, 1));
          // Still the same bytes: nothing was written over them meanwhile.
          expect(Buffer.compare(before, chunk)).toBe(0);
          pieces.push(before);
          busy -= 1;
        });
        expect(Buffer.concat(pieces).equals(LARGE)).toBe(true);
      });

      test('a large object straight to its place, and another one after it', async () => {
        for (const range of [undefined, { start: 100_001 }]) {
          const body = await store.get('large', range === undefined ? {} : { range });
          const { land } = body;
          if (land === undefined) return body.cancel();
          const around = Buffer.alloc(LARGE.length + 200, 7);
          const target = around.subarray(100, 100 + LARGE.length - (range?.start ?? 0));
          let count = 0;
          await land(target, (bytes) => {
            count += bytes;
          });
          expect(count).toBe(target.length);
          expect(LARGE.subarray(range?.start ?? 0).equals(target)).toBe(true);
          expect([...around.subarray(0, 100)].every((byte) => byte === 7)).toBe(true);
          expect([...around.subarray(100 + target.length)].every((byte) => byte === 7)).toBe(true);
        }
      });

      test.each([
        ['from the middle', { start: 6, end: 9 }, 'wor'],
        ['the first byte', { start: 0, end: 1 }, 'h'],
        ['to the end', { start: 6 }, 'world'],
        ['beyond the end', { start: 6, end: 99 }, 'world'],
        ['all of it', { start: 0 }, 'hello world'],
      ])('a range: %s', async (_what, range, expected) => {
        const body = await store.get('a.txt', { range });
        expect(body.range).toEqual({ start: range.start, end: range.start + expected.length });
        expect(body.stat.size).toBe(11);
        expect(text(await body.bytes())).toBe(expected);
      });

      test('a range that begins at the end is empty: the rest of a complete file', async () => {
        const body = await store.get('a.txt', { range: { start: 11 } });
        expect(body.range).toEqual({ start: 11, end: 11 });
        expect(body.stat.size).toBe(11);
        expect(await body.bytes()).toHaveLength(0);
      });

      test('a range of an empty object is empty', async () => {
        const body = await store.get('empty', { range: { start: 0, end: 10 } });
        expect(await body.bytes()).toHaveLength(0);
      });

      unless('tells that a range begins beyond the end')(
        `a range that begins beyond the end is a verification error${because('tells that a range begins beyond the end')}`,
        async () => {
          await expectCode(store.get('a.txt', { range: { start: 12 } }), 'verification');
        },
      );

      test.each([{ start: -1 }, { start: 5, end: 5 }, { start: 1.5 }])(
        'what is no range is a usage error: %j',
        async (range) => {
          await expectCode(store.get('a.txt', { range }), 'usage');
        },
      );

      test('a missing object is not-found, and the message names it', async () => {
        const error = await expectCode(store.get('tree/missing.dcm'), 'not-found');
        expect(error.message).toContain('tree/missing.dcm');
        expect(error.retryable).toBe(false);
      });

      test('a folder is no object', async () => {
        await expectCode(store.get('tree/sub'), 'not-found');
      });

      unless('odd keys').each(KEYS.filter((key) => key.startsWith('odd/')))(
        `an odd key: %s${because('odd keys')}`,
        async (key) => {
          expect(text(await (await store.get(key)).bytes())).toBe(text(CONTRACT_OBJECTS[key]!));
          expect((await store.stat(key)).key).toBe(key);
        },
      );

      test('more than may be held in memory is refused', async () => {
        await expectCode((await store.get('large')).bytes(1_499_999), 'network');
        expect(await (await store.get('large')).bytes(1_500_000)).toHaveLength(1_500_000);
      });

      test('a body that is given up does not disturb the next one', async () => {
        for (let i = 0; i < 5; i += 1) (await store.get('large')).cancel();
        expect(text(await (await store.get('a.txt')).bytes())).toBe('hello world');
      });

      test('the consumer’s own failure comes back as it is', async () => {
        const body = await store.get('large');
        const failure = new Error('the disk is full');
        const consumed = body.consume(() => {
          throw failure;
        });
        await expect(consumed).rejects.toBe(failure);
        const later = (await store.get('large')).consume(async () => {
          throw failure;
        });
        await expect(later).rejects.toBe(failure);
      });

      test('many at once', async () => {
        const bodies = await Promise.all(
          Array.from({ length: 60 }, async (_, i) =>
            text(await (await store.get('large', { range: { start: i * 4, end: i * 4 + 4 } })).bytes()),
          ),
        );
        expect(bodies).toEqual(Array.from({ length: 60 }, (_, i) => `${i}`.padStart(4, '.')));
      });
    });

    describe('stat', () => {
      test('size and date', async () => {
        const stat = await store.stat('large');
        expect(stat).toMatchObject({ key: 'large', size: 1_500_000 });
        expect(new Date(stat.lastModified ?? '').getFullYear()).toBeGreaterThan(2000);
      });

      test('an empty object', async () => {
        expect(await store.stat('empty')).toMatchObject({ size: 0 });
      });

      test('a missing object', async () => {
        await expectCode(store.stat('missing'), 'not-found');
      });
    });

    unless('digests')(`every digest that is given is true${because('digests')}`, async () => {
      for (const key of ['a.txt', 'empty', 'large', '0001']) {
        const stats = [await store.stat(key), (await open(store, key)).stat];
        if (skips.lists === undefined && skips['digests in listings'] === undefined)
          stats.push(...(await listAll(store, key)).filter((stat) => stat.key === key));
        for (const { digests } of stats) {
          expect(digests.length).toBeGreaterThan(0);
          for (const digest of digests) expect(digest).toBe(digestOf(digest, CONTRACT_OBJECTS[key]!));
        }
      }
    });

    describe('pins', () => {
      unless('pins')(`the same version is given${because('pins')}`, async () => {
        const pin = store.pin(await store.stat('a.txt'));
        expect(pin).toBeTypeOf('string');
        const body = await store.get('a.txt', { ifMatch: pin, range: { start: 1, end: 3 } });
        expect(text(await body.bytes())).toBe('el');
        const opened = await open(store, 'a.txt');
        expect(store.pin(opened.stat)).toBe(pin);
        if (skips.lists !== undefined) return;
        const [listed] = await listAll(store, 'a.txt');
        expect(store.pin(listed as ObjectStat)).toBe(pin);
      });

      const canReplace = skips.pins === undefined ? 'replaces' : 'pins';
      unless(canReplace)(
        `another version is a verification error, never other bytes${because(canReplace)}`,
        async () => {
          const pin = store.pin(await store.stat('tree/1.dcm'));
          await under.replace('tree/1.dcm', Buffer.from('ONE'));
          await expectCode(store.get('tree/1.dcm', { ifMatch: pin }), 'verification');
          await expectCode(store.get('tree/1.dcm', { ifMatch: pin, range: { start: 1 } }), 'verification');
          expect(text(await (await store.get('tree/1.dcm')).bytes())).toBe('ONE');
          await under.replace('tree/1.dcm', CONTRACT_OBJECTS['tree/1.dcm']!);
        },
      );
    });

    describe(`list${because('lists')}`, () => {
      const listTest = unless('lists');

      unless(skips.lists === undefined ? 'lists in the order of bytes' : 'lists')(
        `everything, once, in the order of the keys’ bytes${because('lists in the order of bytes')}`,
        async () => {
          const listed = await listAll(store, '');
          expect(listed.map(({ key }) => key)).toEqual(KEYS);
        },
      );

      listTest('with the size of each object', async () => {
        for (const { key, size } of await listAll(store, ''))
          expect(size).toBe(CONTRACT_OBJECTS[key]!.length);
      });

      listTest('a prefix need not end at a slash', async () => {
        expect(await keys(store, 'tree/su')).toEqual(['tree/sub/3.dcm', 'tree/sub/deep/4.dcm']);
        expect(await keys(store, 'a.txt')).toEqual(['a.txt']);
      });

      listTest('a prefix with marks', async () => {
        expect(await keys(store, 'odd/a+')).toEqual(['odd/a+b']);
        expect(await keys(store, 'odd/a ')).toEqual(['odd/a b']);
        expect(await keys(store, 'odd/100%2')).toEqual(['odd/100%25']);
      });

      listTest('nothing', async () => {
        expect(await keys(store, 'no/such/prefix')).toEqual([]);
      });

      listTest('one level, with the folders at it', async () => {
        const pages = await collect(store.list('tree/', { delimiter: '/' }));
        expect(pages.flatMap(({ objects }) => objects.map(({ key }) => key))).toEqual([
          'tree/1.dcm',
          'tree/2.dcm',
        ]);
        expect(pages.flatMap(({ prefixes }) => prefixes)).toEqual(['tree/sub/']);
      });

      listTest('the folders of the bucket', async () => {
        const pages = await collect(store.list('', { delimiter: '/' }));
        expect(pages.flatMap(({ prefixes }) => prefixes)).toEqual(['odd/', 'order/', 'tree/']);
      });

      listTest('by pages of any size, without gap or repetition', async () => {
        for (const pageSize of [1, 2, 7]) {
          const pages = await collect(store.list('', { pageSize }));
          expect(pages.flatMap(({ objects }) => objects.map(({ key }) => key)).sort()).toEqual(
            [...KEYS].sort(),
          );
          expect(Math.max(...pages.map(({ objects }) => objects.length))).toBeLessThanOrEqual(pageSize);
        }
      });

      listTest('by pages with folders', async () => {
        const pages = await collect(store.list('', { pageSize: 2, delimiter: '/' }));
        expect(pages.flatMap(({ prefixes }) => prefixes)).toEqual(['odd/', 'order/', 'tree/']);
        expect(pages.flatMap(({ objects }) => objects.map(({ key }) => key))).toEqual([
          '0001',
          'a.txt',
          'empty',
          'large',
        ]);
      });

      listTest('after a key', async () => {
        expect(await keys(store, 'tree/', { startAfter: 'tree/2.dcm' })).toEqual([
          'tree/sub/3.dcm',
          'tree/sub/deep/4.dcm',
        ]);
        expect(await keys(store, 'tree/', { startAfter: 'tree/2', pageSize: 1 })).toEqual([
          'tree/2.dcm',
          'tree/sub/3.dcm',
          'tree/sub/deep/4.dcm',
        ]);
        expect(await keys(store, '', { startAfter: 'zzz' })).toEqual([]);
      });
    });

    describe('signals', () => {
      test('aborted before: nothing is done', async () => {
        const signal = AbortSignal.abort();
        await expectCode(store.get('a.txt', { signal }), 'interrupted');
        await expectCode(store.stat('a.txt', { signal }), 'interrupted');
        if (skips.lists === undefined) await expectCode(collect(store.list('', { signal })), 'interrupted');
      });

      test('aborted in the middle of a body', async () => {
        const control = new AbortController();
        const body = await store.get('large', { signal: control.signal });
        let received = 0;
        const consumed = body.consume(async (chunk) => {
          received += chunk.length;
          control.abort();
          await new Promise((resolve) => setTimeout(resolve, 1));
        });
        await expectCode(consumed, 'interrupted');
        expect(received).toBeLessThan(1_500_000);
      });

      test('the reason of the abort is handed on', async () => {
        const control = new AbortController();
        const body = await store.get('large', { signal: control.signal });
        control.abort(new Error('the user pressed Ctrl-C'));
        const error = await expectCode(body.bytes(), 'interrupted');
        expect(error.cause).toMatchObject({ message: 'the user pressed Ctrl-C' });
      });
    });

    test('an address for people', () => {
      expect(store.url('tree/1.dcm')).toMatch(/^(s3:\/\/|gs:\/\/|https?:\/\/|\/).*tree\/1\.dcm$/);
    });
  });
}

/** A body that is read to its end. */
async function open(store: Store, key: string) {
  const body = await store.get(key);
  await body.bytes();
  return body;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function listAll(
  store: Store,
  prefix: string,
  options?: Parameters<Store['list']>[1],
): Promise<ObjectStat[]> {
  return (await collect(store.list(prefix, options))).flatMap(({ objects }) => objects);
}

async function keys(store: Store, prefix: string, options?: Parameters<Store['list']>[1]): Promise<string[]> {
  return (await listAll(store, prefix, options)).map(({ key }) => key);
}

/** The digest of `bytes` by the algorithm of `like`. */
function digestOf(like: Digest, bytes: Uint8Array): string {
  const { algorithm } = parseDigest(like);
  if (algorithm !== 'crc32c' && algorithm !== 'crc64nvme')
    return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  const crc = algorithm === 'crc32c' ? createCrc32c() : createCrc64Nvme();
  crc.update(bytes);
  return `${algorithm}:${crc.digest()}`;
}

/** The failure of a promise, which must be a `CarrelError` of that code. */
export async function expectCode(promise: Promise<unknown>, code: string) {
  const error = await promise.then(
    () => expect.fail(`succeeded instead of failing with ${code}`),
    (failure: unknown) => failure,
  );
  if (!isCarrelError(error)) throw error;
  expect({ code: error.code, message: error.message }).toMatchObject({ code });
  return error;
}
