import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMd5Lanes } from '../../src/transfer/digests/md5/md5-lanes.ts';
import {
  createMultipartMd5,
  parseMultipartEtag,
  partSizesFor,
} from '../../src/transfer/digests/multipart-etag.ts';

const MEBI = 2 ** 20;

/** The formula, from the bytes as a whole. */
function etagOf(bytes: Uint8Array, partSize: number): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || parts.length === 0; at += partSize)
    parts.push(
      createHash('md5')
        .update(bytes.subarray(at, at + partSize))
        .digest(),
    );
  return `${createHash('md5').update(Buffer.concat(parts)).digest('hex')}-${parts.length}`;
}

describe('an ETag of parts', () => {
  test('is read', () => {
    expect(parseMultipartEtag('D41D8CD98F00B204E9800998ECF8427E-12')).toEqual({
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
      parts: 12,
    });
  });

  test.each([
    undefined,
    '',
    'd41d8cd98f00b204e9800998ecf8427e',
    '"d41d8cd98f00b204e9800998ecf8427e-2"',
    'd41d8cd98f00b204e9800998ecf8427e-0',
    'd41d8cd98f00b204e9800998ecf8427e-01',
    'd41d8cd98f00b204e9800998ecf8427e-10001',
    'd41d8cd98f00b204e9800998ecf8427-2',
  ])('but not from %j', (etag) => {
    expect(parseMultipartEtag(etag)).toBeUndefined();
  });
});

describe('the sizes that parts may have', () => {
  test.each<[string, number, number, number]>([
    ['the tools of AWS', 30 * MEBI, 8, 4],
    ['SDKs', 23 * MEBI + 1, 5, 5],
    ['s3cmd', 100 * MEBI, 15, 7],
    ['s5cmd', 5120 * MEBI, 50, 103],
    ['100 MiB', 1234 * MEBI, 100, 13],
    ['1 GiB', 4096 * MEBI + 7, 1024, 5],
    ['a whole number of MiB that nobody has for a default', 300 * MEBI, 37, 9],
  ])('%s', (_, size, mebibytes, parts) => {
    expect(Math.ceil(size / (mebibytes * MEBI))).toBe(parts);
    expect(partSizesFor({ parts, size, limit: 64 })).toContain(mebibytes * MEBI);
  });

  test('defaults come first', () => {
    expect(partSizesFor({ parts: 2, size: 14 * MEBI })[0]).toBe(8 * MEBI);
    expect(partSizesFor({ parts: 2, size: 9 * MEBI }).slice(0, 2)).toEqual([8 * MEBI, 5 * MEBI]);
    expect(partSizesFor({ parts: 3, size: 240_000_000 })).toContain(100_000_000);
  });

  test('the least and the largest object of a number of parts', () => {
    expect(partSizesFor({ parts: 2, size: 8 * MEBI + 1 })).toContain(8 * MEBI);
    expect(partSizesFor({ parts: 2, size: 16 * MEBI })).toContain(8 * MEBI);
    expect(partSizesFor({ parts: 2, size: 16 * MEBI + 1 })).not.toContain(8 * MEBI);
    expect(partSizesFor({ parts: 3, size: 16 * MEBI })).not.toContain(8 * MEBI);
  });

  test('what the server says of part 1 settles it', () => {
    expect(partSizesFor({ parts: 3, size: 1000, firstPart: 400 })).toEqual([400]);
    expect(partSizesFor({ parts: 3, size: 1000, firstPart: 100 })).toEqual([]);
    expect(partSizesFor({ parts: 1, size: 1000, firstPart: 1000 })).toEqual([1000]);
    expect(partSizesFor({ parts: 1, size: 1000, firstPart: 999 })).toEqual([]);
  });

  test('one part is everything', () => {
    expect(partSizesFor({ parts: 1, size: 7 * 2 ** 30 })).toEqual([7 * 2 ** 30]);
    expect(partSizesFor({ parts: 1, size: 0 })).toEqual([1]);
  });

  test.each([
    [0, 5],
    [2, 0],
    [2, 1],
    [-1, 100],
    [1.5, 100],
    [3, Number.NaN],
  ])('none for %d parts of %d bytes', (parts, size) => {
    expect(partSizesFor({ parts, size })).toEqual([]);
  });

  test('every one of them gives the right number of parts, none twice, no more than asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.maxSafeNat(),
        fc.integer({ min: 1, max: 20 }),
        (parts, any, limit) => {
          const size = any % (5 * 2 ** 40);
          const sizes = partSizesFor({ parts, size, limit });
          expect(sizes.length).toBeLessThanOrEqual(limit);
          expect(new Set(sizes).size).toBe(sizes.length);
          for (const bytes of sizes) expect(Math.max(1, Math.ceil(size / bytes))).toBe(parts);
        },
      ),
    );
  });

  test('whatever default an uploader has, it is among them', () => {
    const mebibytes = fc.constantFrom(5, 8, 15, 16, 25, 32, 50, 64, 100, 128, 256, 512, 1024);
    fc.assert(
      fc.property(
        mebibytes,
        fc.integer({ min: 2, max: 500 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (count, parts, last) => {
          const partSize = count * MEBI;
          const size = (parts - 1) * partSize + Math.ceil(last * partSize);
          expect(partSizesFor({ parts, size, limit: 20 })).toContain(partSize);
        },
      ),
    );
  });
});

describe.each([
  ['node:crypto', () => undefined],
  ['lanes', () => createMd5Lanes({ memoryBytes: 2 << 20, pageBytes: 4096 })],
])('ETags in one pass: %s', (_, create) => {
  test('are those of the formula, for every size of parts and any chunking', async () => {
    const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 });
    const chunks = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 8 });
    const lanes = create();
    await fc.assert(
      fc.asyncProperty(sizes, chunks, async (partSizes, pieces) => {
        const whole = Buffer.concat(pieces);
        const parted = createMultipartMd5(partSizes, lanes === undefined ? {} : { open: () => lanes.open() });
        for (const piece of pieces) parted.update(piece);
        const expected = partSizes.map((partSize) => ({ partSize, etag: etagOf(whole, partSize) }));
        expect(await parted.etags()).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test('tell which size it was, and that it was none of them', async () => {
    const bytes = Buffer.alloc(20 * MEBI + 3, 'part');
    const lanes = create();
    const run = () => {
      const parted = createMultipartMd5(
        partSizesFor({ parts: 3, size: bytes.length }),
        lanes && { open: () => lanes.open() },
      );
      parted.update(bytes);
      return parted;
    };
    expect(await run().matches(etagOf(bytes, 8 * MEBI).toUpperCase())).toBe(8 * MEBI);
    expect(await run().matches(etagOf(bytes, 10_000_000))).toBe(10_000_000);
    expect(await run().matches(etagOf(bytes, 8 * MEBI + 1))).toBeUndefined();
    expect(await run().matches(etagOf(bytes.subarray(1), 8 * MEBI))).toBeUndefined();
  });

  test('can be given up', async () => {
    const lanes = create();
    const parted = createMultipartMd5([10, 20], lanes && { open: () => lanes.open() });
    parted.update(Buffer.alloc(15));
    parted.abandon();
    // The lanes are free for others.
    const other = createMultipartMd5([10], lanes && { open: () => lanes.open() });
    expect(await other.matches(etagOf(Buffer.alloc(0), 10))).toBe(10);
  });
});
