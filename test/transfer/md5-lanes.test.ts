import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createMd5Lanes,
  type Md5Lanes,
  type Md5Stream,
  type Slab,
} from '../../src/transfer/digests/md5/md5-lanes.ts';

/** Bytes that repeat after no power of two, so that a block in the wrong place shows. */
const SOURCE = Buffer.from(Array.from({ length: 99_991 }, (_, i) => (i * 31 + (i >> 7)) & 255));
const bytes = (length: number, from = 0): Buffer =>
  Buffer.alloc(length, Buffer.concat([SOURCE.subarray(from), SOURCE.subarray(0, from)]));
const expected = (...chunks: Uint8Array[]): string => {
  const hash = createHash('md5');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
};
/** A slab of no lanes. */
const foreign: Slab = { view: new Uint8Array(3), release() {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Around every place where padding, blocks and pages begin or end. */
const SIZES = [
  0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 121, 127, 128, 129, 191, 192, 4095, 4096, 4097, 32_703, 32_704,
  32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 526_000,
];

const KINDS: [string, () => Md5Lanes, boolean][] = [
  ['vectors', () => createMd5Lanes(), true],
  ['vectors, pages of one block', () => createMd5Lanes({ pageBytes: 64 }), true],
  ['vectors, pages of 192 bytes', () => createMd5Lanes({ pageBytes: 192 }), true],
  ['vectors, the least memory', () => createMd5Lanes({ memoryBytes: 0 }), true],
  ['node:crypto', () => createMd5Lanes({ simd: false }), false],
];

describe.each(KINDS)('MD5 in lanes: %s', (_name, create, simd) => {
  test('says what it is', () => {
    expect(create().simd).toBe(simd);
  });

  // RFC 1321, appendix A.5.
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('%j', async (text, digest) => {
    const stream = create().open();
    stream.update(Buffer.from(text));
    expect(await stream.digest()).toBe(digest);
  });

  test.each([1, 2, 4, 5, 8, 9, 64])('%d streams at once, of every size', async (count) => {
    const lanes = create();
    for (let first = 0; first < SIZES.length; first += count) {
      const some = SIZES.slice(first, first + count);
      while (some.length < count) some.push(SIZES[some.length % SIZES.length] ?? 0);
      const streams = some.map((size, index) => {
        const stream = lanes.open();
        stream.update(bytes(size, index));
        return stream;
      });
      const digests = await Promise.all(streams.map((stream) => stream.digest()));
      expect(digests).toEqual(some.map((size, index) => expected(bytes(size, index))));
    }
  });

  test('chunks of any size, in turn', async () => {
    const lanes = create();
    const bodies = SIZES.map((size, index) => bytes(size, 7 * index));
    const streams = bodies.map(() => lanes.open());
    const step = (round: number, index: number) => 1 + ((round * 7919 + index * 104_729) % 3000);
    const digests: Promise<string>[] = [];
    const at = bodies.map(() => 0);
    for (let round = 0; digests.length < bodies.length; round += 1) {
      for (const [index, body] of bodies.entries()) {
        const from = at[index] ?? 0;
        if (from > body.length) continue;
        const to = from + step(round, index);
        streams[index]?.update(body.subarray(from, to));
        at[index] = to;
        if (to > body.length) digests[index] = streams[index]?.digest() ?? Promise.resolve('');
      }
      if (digests.filter(Boolean).length === bodies.length) break;
    }
    expect(await Promise.all(digests)).toEqual(bodies.map((body) => expected(body)));
  });

  test('20 MiB and 3 bytes', async () => {
    const stream = create().open();
    const body = bytes((20 << 20) + 3);
    for (let at = 0; at < body.length; at += 100_003) stream.update(body.subarray(at, at + 100_003));
    expect(await stream.digest()).toBe(expected(body));
  });

  test('slabs are hashed in place, and stay as they were filled', async () => {
    const lanes = create();
    const jobs = SIZES.map(async (size, index) => {
      const slab = lanes.allocate(size);
      if (slab === undefined) throw new Error('no room');
      expect(slab.view.length).toBe(size);
      await turn();
      const body = bytes(size, index);
      slab.view.set(body);
      const stream = lanes.open();
      stream.updateSlab(slab, size);
      const digest = await stream.digest();
      expect(Buffer.compare(slab.view, body)).toBe(0);
      slab.release();
      return digest === expected(body);
    });
    expect(await Promise.all(jobs)).toEqual(SIZES.map(() => true));
  });

  test('a slab may be given piece by piece, as it is filled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            pieces: fc.array(fc.oneof(fc.nat(300), fc.nat(70_000)), { maxLength: 9 }),
            spare: fc.nat(99),
            early: fc.boolean(),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async (bodies) => {
          const lanes = create();
          const under = bodies.flatMap(({ pieces, spare, early }, index) => {
            const length = pieces.reduce((sum, piece) => sum + piece, 0);
            const body = bytes(length, 13 * index);
            const slab = lanes.allocate(length + spare);
            return slab === undefined
              ? [] // the least memory has no room for all
              : [{ pieces: [...pieces], body, slab, early, stream: lanes.open(), at: 0 }];
          });
          // In turns, as bodies come.
          while (under.some(({ pieces }) => pieces.length > 0)) {
            for (const one of under) {
              const piece = one.pieces.shift() ?? 0;
              one.slab.view.set(one.body.subarray(one.at, one.at + piece), one.at);
              one.at += piece;
              one.stream.updateSlab(one.slab, one.at);
            }
          }
          const digests = under.map(({ stream, slab, early }) => {
            if (early) slab.release();
            return stream.digest();
          });
          expect(await Promise.all(digests)).toEqual(under.map(({ body }) => expected(body)));
          for (const { slab, early, body } of under) {
            if (early) continue;
            expect(Buffer.compare(slab.view.subarray(0, body.length), body)).toBe(0);
            slab.release();
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('whatever happens to some streams, the others are right', async () => {
    const action = fc.record({
      stream: fc.nat(63),
      kind: fc.constantFrom('chunk', 'chunk', 'chunk', 'slab', 'end', 'abandon', 'flush', 'turn'),
      length: fc.oneof(fc.nat(200), fc.nat(5000), fc.constantFrom(32_768, 70_000)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 150 }), async (actions) => {
        const lanes = create();
        const streams = new Map<
          number,
          { stream: Md5Stream; given: Uint8Array[]; slab: Slab | undefined; filled: number }
        >();
        const ends: Promise<[string, string]>[] = [];
        for (const { stream: number, kind, length } of actions) {
          const entry = streams.get(number) ?? {
            stream: lanes.open(),
            given: [],
            slab: undefined,
            filled: 0,
          };
          streams.set(number, entry);
          const { stream, given } = entry;
          if (kind === 'chunk' && entry.slab === undefined) {
            given.push(bytes(length, number));
            stream.update(bytes(length, number));
          } else if (kind === 'slab' && (entry.slab !== undefined || given.length === 0)) {
            entry.slab ??= lanes.allocate(200_000);
            const piece = bytes(length, number).subarray(0, 200_000 - entry.filled);
            entry.slab?.view.set(piece, entry.filled);
            if (entry.slab !== undefined) given.push(piece);
            entry.filled += piece.length;
            if (entry.slab !== undefined) stream.updateSlab(entry.slab, entry.filled);
          } else if (kind === 'chunk' || kind === 'slab') {
            expect(() =>
              kind === 'chunk' ? stream.update(bytes(1)) : stream.updateSlab(entry.slab ?? foreign, 1),
            ).toThrow();
          } else if (kind === 'flush') lanes.flush();
          else if (kind === 'turn') await turn();
          else {
            streams.delete(number);
            entry.slab?.release();
            if (kind === 'abandon') stream.abandon();
            else ends.push(stream.digest().then((found) => [found, expected(...given)]));
          }
        }
        for (const { stream, given } of streams.values())
          ends.push(stream.digest().then((found) => [found, expected(...given)]));
        for (const [found, wanted] of await Promise.all(ends)) expect(found).toBe(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test('more open streams than memory has pages', async () => {
    const lanes = create();
    const streams = Array.from({ length: 600 }, () => lanes.open());
    for (let round = 0; round < 3; round += 1)
      for (const [index, stream] of streams.entries()) stream.update(bytes(777, index + round));
    const digests = await Promise.all(streams.map((stream) => stream.digest()));
    expect(digests).toEqual(
      streams.map((_, index) => expected(...[0, 1, 2].map((round) => bytes(777, index + round)))),
    );
  });

  test('memory is bounded, and comes back', async () => {
    const lanes = create();
    const size = 300_000;
    const hold = () => {
      const held = [];
      for (let slab = lanes.allocate(size); slab !== undefined; slab = lanes.allocate(size)) held.push(slab);
      return held;
    };
    const first = hold();
    expect(first.length).toBeGreaterThan(2);
    expect(first.length * size).toBeLessThanOrEqual(32 << 20);
    // Ordinary chunks still work.
    const stream = lanes.open();
    stream.update(bytes(100_000));
    expect(await stream.digest()).toBe(expected(bytes(100_000)));
    for (const slab of first) slab.release();
    for (const slab of first) slab.release(); // once more does no harm
    const second = hold();
    expect(second).toHaveLength(first.length);
    for (const slab of second) slab.release();
  });

  test('an abandoned stream gives its memory back and no digest', async () => {
    const lanes = create();
    for (let round = 0; round < 200; round += 1) {
      const stream = lanes.open();
      const slab = lanes.allocate(200_000);
      expect(slab).toBeDefined();
      if (slab !== undefined) stream.updateSlab(slab, 150_000);
      slab?.release();
      const chunks = lanes.open();
      chunks.update(bytes(100_001));
      chunks.abandon();
      stream.abandon();
      stream.abandon();
      await expect(stream.digest()).rejects.toMatchObject({ code: 'interrupted' });
    }
  });

  test('an ended stream takes nothing more, and gives its digest again', async () => {
    const stream = create().open();
    const digest = stream.digest();
    expect(() => stream.update(bytes(1))).toThrow(/has ended/);
    expect(await digest).toBe(expected());
    expect(await stream.digest()).toBe(expected());
    expect(() => stream.update(bytes(1))).toThrow(/has ended/);
  });

  test('a slab is given to one stream, alone, with no more than it holds', () => {
    const lanes = create();
    const stream = lanes.open();
    const slab = lanes.allocate(10);
    if (slab === undefined) throw new Error('no room');
    expect(() => stream.updateSlab(slab, 11)).toThrow(/11 bytes of a slab of 10/);
    stream.updateSlab(slab, 6);
    stream.updateSlab(slab, 10);
    expect(() => stream.updateSlab(slab, 9)).toThrow(/9 bytes of a slab of which 10 were given/);
    expect(() => stream.updateSlab(slab, 11)).toThrow(/11 bytes of a slab of 10/);
    expect(() => stream.update(bytes(1))).toThrow(/either chunks or one slab/);
    expect(() => lanes.open().updateSlab(slab, 10)).toThrow(/given to an MD5 before/);
    const other = lanes.open();
    other.update(bytes(1));
    const spare = lanes.allocate(10);
    if (spare !== undefined) expect(() => other.updateSlab(spare, 1)).toThrow(/either chunks or one slab/);
    if (spare !== undefined) expect(() => stream.updateSlab(spare, 1)).toThrow(/either chunks or one slab/);
    spare?.release();
    other.abandon();
    const released = lanes.allocate(10);
    released?.release();
    if (released !== undefined) expect(() => lanes.open().updateSlab(released, 1)).toThrow(/or released/);
    expect(() => lanes.open().updateSlab(foreign, 3)).toThrow(/other lanes/);
    expect(() => lanes.allocate(-1)).toThrow(/not a number of bytes/);
    expect(lanes.allocate(2 ** 40)?.view.length).toBeUndefined();
    stream.abandon();
  });
});

test('more than 2³² bits', { timeout: 300_000 }, async () => {
  const large = (process.env['CARREL_TEST_LARGE'] ?? '') !== '';
  // 520 MiB are enough to pass 2³²; the length counts in bits.
  const lanes = createMd5Lanes();
  const chunk = bytes(1 << 20);
  const streams = Array.from({ length: 4 }, () => lanes.open());
  const hash = createHash('md5');
  for (let count = 0; count < (large ? 1200 : 520); count += 1) {
    for (const stream of streams) stream.update(chunk);
    hash.update(chunk);
  }
  const digest = hash.digest('hex');
  expect(await Promise.all(streams.map((stream) => stream.digest()))).toEqual(streams.map(() => digest));
});
