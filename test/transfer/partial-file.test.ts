import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPartialFile } from '../../src/transfer/fetch/partial-file.ts';
import { md5 } from '../fixtures/memory-store.ts';
import { temporaryFolder } from './desk.ts';

const never = new AbortController().signal;
const sha = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const origin = (total?: number) => ({ source: 's3 a', pin: 'etag', total, replied: [] });

describe('a partial file', () => {
  test('whatever the pieces, the bytes on disk are those that came, and so is the digest', async () => {
    const folder = await temporaryFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 1_500_000 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (sizes, announced) => {
          const bytes = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
          const partial = createPartialFile(folder, { path: 'a', digests: [], sources: [] });
          await partial.begin(origin(announced ? bytes.length : undefined), new Set(['sha256']));
          let at = 0;
          for (const size of sizes) {
            const piece = Buffer.from(bytes.subarray(at, at + size));
            const waiting = partial.write(piece);
            // Without a promise the piece was copied: the connection reuses its memory at once.
            if (waiting === undefined) piece.fill(0);
            await waiting;
            piece.fill(0);
            at += size;
          }
          expect(await partial.digests()).toEqual([sha(bytes)]);
          const { file, bytes: length } = await partial.complete();
          expect(length).toBe(bytes.length);
          expect((await readFile(file)).equals(bytes)).toBe(true);
          await partial.discard();
        },
      ),
      { numRuns: 30 },
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('an attempt that was given up while the disk was writing harms nothing', async () => {
    const folder = await temporaryFolder();
    const bytes = randomBytes(5_000_000);
    const partial = createPartialFile(folder, { path: 'a', digests: [], sources: [] });
    await partial.begin(origin(bytes.length), new Set(['md5']));
    // Nobody waits for this write: the attempt was aborted meanwhile, and the next one goes on.
    void partial.write(bytes.subarray(0, 3_000_000));
    await partial.resume(origin(bytes.length), new Set(['md5', 'sha256']), never);
    await partial.write(bytes.subarray(3_000_000));
    expect(await partial.digests()).toEqual([sha(bytes), md5(bytes)]);
    expect((await readFile((await partial.complete()).file)).equals(bytes)).toBe(true);
  });

  test('is taken over by the next run with its digest, if a digest will prove it', async () => {
    const folder = await temporaryFolder();
    const bytes = randomBytes(3_000_000);
    const planned = { path: 'a', size: bytes.length, digests: [md5(bytes)], sources: [] };
    const first = createPartialFile(folder, planned);
    await first.begin(origin(bytes.length), new Set(['md5']));
    await first.write(bytes.subarray(0, 1_234_567));
    await first.keep();
    const second = createPartialFile(folder, planned);
    await second.inherit(never);
    expect(second).toMatchObject({ length: 1_234_567, pieced: true, origin: origin(bytes.length) });
    await second.resume(origin(bytes.length), new Set(['md5']), never);
    await second.write(bytes.subarray(1_234_567));
    expect(await second.digests()).toEqual([md5(bytes)]);
    expect((await readFile((await second.complete()).file)).equals(bytes)).toBe(true);
  });

  test.each([
    ['another digest is wanted now', { digests: [md5(Buffer.from('other'))] }],
    ['another size is wanted now', { size: 5 }],
    ['nothing will prove it', { digests: [] }],
  ])('is not taken over where %s', async (_, change) => {
    const folder = await temporaryFolder();
    const bytes = randomBytes(2_000_000);
    const planned = { path: 'a', size: bytes.length, digests: [md5(bytes)], sources: [] };
    const first = createPartialFile(folder, planned);
    await first.begin(origin(bytes.length), new Set(['md5']));
    await first.write(bytes.subarray(0, 1_500_000));
    await first.keep();
    const second = createPartialFile(folder, { ...planned, ...change });
    await second.inherit(never);
    expect(second).toMatchObject({ length: 0, origin: undefined });
  });

  test.each([1000, 2_000_000])(
    'refuses more than the %i bytes of the object, before they reach the disk',
    async (total) => {
      const partial = createPartialFile(await temporaryFolder(), { path: 'a', digests: [], sources: [] });
      await partial.begin(origin(total), new Set());
      await partial.write(randomBytes(total));
      expect(() => partial.write(randomBytes(1))).toThrow(
        expect.objectContaining({ code: 'network', retryable: true }),
      );
      expect(partial.length).toBe(total);
      await partial.discard();
    },
  );
});
