import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import type { Digest } from '../../src/identifiers/index.ts';
import { createCrc32c, type Place } from '../../src/stores/index.ts';
import { createCrc64Nvme } from '../../src/transfer/digests/crc64nvme.ts';
import { createMultipartMd5 } from '../../src/transfer/digests/multipart-etag.ts';
import { type StreamOptions, streamObject, type TransferEvent } from '../../src/transfer/index.ts';
import { createMemoryStore, type MemoryStore, md5, memoryPlace, sha256 } from '../fixtures/memory-store.ts';
import { opener, QUICK } from './desk.ts';

const MIB = 1 << 20;
const otherPlace: Place = { ...memoryPlace, bucket: 'other' };

/** Streams `key` and keeps what came. */
function streaming(
  stores: MemoryStore[],
  known: { size?: number; digests?: Digest[] } = {},
  options: Partial<StreamOptions> = {},
) {
  const pieces: Uint8Array[] = [];
  const events: TransferEvent[] = [];
  const result = streamObject(
    {
      name: 's3://memory/k',
      size: known.size,
      digests: known.digests ?? [],
      sources: stores.map(({ place }) => ({ mirror: place.bucket, place, key: 'k' })),
    },
    {
      openStore: opener(stores),
      onPiece: (piece) => void pieces.push(piece),
      onEvent: (event) => void events.push(event),
      retry: QUICK,
      ...options,
    },
  );
  return { result, events, came: () => Buffer.concat(pieces) };
}

const crc32c = (bytes: Uint8Array): Digest => {
  const crc = createCrc32c();
  crc.update(bytes);
  return `crc32c:${crc.digest()}`;
};
const crc64 = (bytes: Uint8Array): Digest => {
  const crc = createCrc64Nvme();
  crc.update(bytes);
  return `crc64nvme:${crc.digest()}`;
};
async function etagOf(bytes: Uint8Array, partSize: number): Promise<string> {
  const parts = createMultipartMd5([partSize]);
  parts.update(bytes);
  return (await parts.etags())[0]?.etag ?? '';
}

describe('a stream is proven by what would prove a file', () => {
  const bytes = randomBytes(3 * MIB + 5);
  const wrong = Buffer.from(bytes);
  wrong[wrong.length - 2] = (wrong[wrong.length - 2] ?? 0) ^ 1;

  const evidence: [string, Digest][] = [
    ['sha256', sha256(bytes)],
    ['md5', md5(bytes)],
    ['crc64nvme', crc64(bytes)],
    ['crc32c', crc32c(bytes)],
  ];

  test.each(evidence)('%s of the plan, and of the reply', async (name, digest) => {
    for (const [planned, replied] of [
      [[digest], []],
      [[], [digest]],
    ] as const) {
      const store = createMemoryStore({ k: { bytes, digests: [...replied], etag: 'e' } });
      const { result, came } = streaming([store], { size: bytes.length, digests: [...planned] });
      expect(await result).toEqual({ bytes: bytes.length, verifiedBy: name, digest, mirror: 'memory' });
      expect(came().equals(bytes)).toBe(true);
    }
  });

  test.each(evidence)('%s that differs: an error, and the end was not handed over', async (_, digest) => {
    const store = createMemoryStore({ k: { bytes: wrong, digests: [digest], etag: 'e' } });
    const { result, came } = streaming([store]);
    await expect(result).rejects.toMatchObject({ code: 'verification', item: 's3://memory/k' });
    expect(came().length).toBeGreaterThan(0);
    expect(came().length).toBeLessThanOrEqual(bytes.length - MIB);
  });

  test('the ETag of an upload in parts, where the server tells the size of the first', async () => {
    // No usual size: only who was told can know.
    const etag = await etagOf(bytes, 1_234_567);
    const digest: Digest = `s3etag:${etag}`;
    const asked: (string | undefined)[] = [];
    const parted = (content: Buffer) =>
      Object.assign(createMemoryStore({ k: { bytes: content, digests: [digest], etag } }), {
        firstPartSize: async (_key: string, options?: { ifMatch?: string | undefined }) => {
          asked.push(options?.ifMatch);
          return 1_234_567;
        },
      });
    expect(await streaming([parted(bytes)]).result).toMatchObject({ verifiedBy: 's3etag', digest });
    await expect(streaming([parted(wrong)]).result).rejects.toMatchObject({ code: 'verification' });
    expect(asked).toEqual([etag, etag]);
  });

  test('the same where nobody tells: by the sizes that uploaders use, else only the size was compared', async () => {
    const etag = await etagOf(bytes, MIB);
    const store = createMemoryStore({ k: { bytes, digests: [`s3etag:${etag}`], etag } });
    expect(await streaming([store]).result).toMatchObject({ verifiedBy: 's3etag' });
    const odd = await etagOf(bytes, 1_234_567);
    const other = createMemoryStore({ k: { bytes, digests: [`s3etag:${odd}`], etag: odd } });
    expect(await streaming([other]).result).toMatchObject({ verifiedBy: 'size' });
  });

  test('nothing to compare with is said: size, or none', async () => {
    expect(await streaming([createMemoryStore({ k: bytes })]).result).toMatchObject({ verifiedBy: 'size' });
    const store = createMemoryStore({ k: { bytes, sizeless: true } });
    expect(await streaming([store]).result).toMatchObject({ verifiedBy: 'none' });
  });

  test('an object of no bytes', async () => {
    const store = createMemoryStore({ k: new Uint8Array() });
    const { result, came } = streaming([store], { size: 0, digests: [md5(new Uint8Array())] });
    expect(await result).toMatchObject({ bytes: 0, verifiedBy: 'md5' });
    expect(came()).toHaveLength(0);
  });
});

describe('wrong bytes', () => {
  test('of a small object are never seen: they are asked for again, then from the next mirror', async () => {
    const bytes = randomBytes(70_000);
    const [liar, honest] = [createMemoryStore({ k: bytes }), createMemoryStore({ k: bytes }, otherPlace)];
    liar.misbehave = () => ({ bytes: randomBytes(70_000) });
    const { result, came } = streaming([liar, honest], { size: 70_000, digests: [md5(bytes)] });
    expect(await result).toMatchObject({ mirror: 'other', verifiedBy: 'md5' });
    expect(came().equals(bytes)).toBe(true);
    expect(liar.requests).toHaveLength(2);
  });

  test('of the only mirror are an error that says that nothing was written', async () => {
    const store = createMemoryStore({ k: randomBytes(100) });
    const { result, came } = streaming([store], { digests: [md5(Buffer.from('right'))] });
    await expect(result).rejects.toMatchObject({
      code: 'verification',
      next: expect.stringContaining('nothing of it was written'),
    });
    expect(came()).toHaveLength(0);
  });

  test('a size that is not the known one ends it before the first byte', async () => {
    const store = createMemoryStore({ k: randomBytes(2 * MIB) });
    const { result, came } = streaming([store], { size: 7 });
    await expect(result).rejects.toMatchObject({ code: 'verification' });
    expect(came()).toHaveLength(0);
  });
});

describe('a connection that breaks', () => {
  const bytes = randomBytes(4 * MIB);

  test('is gone on from, pinned to the object of the beginning', async () => {
    const store = createMemoryStore({ k: { bytes, etag: 'one' } });
    store.misbehave = (_, count) => (count <= 3 ? { cutAfter: MIB + 100 } : undefined);
    const { result, came, events } = streaming([store], { digests: [md5(bytes)] });
    expect(await result).toMatchObject({ verifiedBy: 'md5', bytes: bytes.length });
    expect(came().equals(bytes)).toBe(true);
    expect(store.requests.map(({ start, ifMatch }) => [start > 0, ifMatch])).toEqual([
      [false, undefined],
      [true, 'one'],
      [true, 'one'],
      [true, 'one'],
    ]);
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(3);
  });

  test('is gone on from where the server ignores the range, without a byte twice', async () => {
    const store = createMemoryStore({ k: bytes });
    store.misbehave = (_, count) => (count === 1 ? { cutAfter: 2 * MIB } : { ignoreRange: true });
    const { result, came } = streaming([store], { digests: [md5(bytes)] });
    await result;
    expect(came().equals(bytes)).toBe(true);
  });

  test('goes on at another mirror where a digest of the whole is known, and not where none is', async () => {
    const mirrors = () => {
      const first = createMemoryStore({ k: bytes });
      const second = createMemoryStore({ k: bytes }, otherPlace);
      first.misbehave = (_, count) =>
        count === 1
          ? { cutAfter: 2 * MIB }
          : { error: new CarrelError('network', 'refused', { retryable: true }) };
      return [first, second];
    };
    const proven = streaming(mirrors(), { digests: [md5(bytes)] });
    expect(await proven.result).toMatchObject({ mirror: 'other', verifiedBy: 'md5' });
    expect(proven.came().equals(bytes)).toBe(true);
    const unproven = streaming(mirrors());
    await expect(unproven.result).rejects.toMatchObject({
      code: 'network',
      next: expect.stringContaining('bytes of it were written'),
    });
  });

  test('never mixes: an object that changed meanwhile is an error, or begins anew where nothing was seen yet', async () => {
    const changing = (content: Buffer, cutAfter: number) => {
      const store = createMemoryStore({ k: { bytes: content, etag: 'old' } });
      store.misbehave = (_, count) => {
        if (count > 1) store.objects.set('k', { bytes: after.subarray(0, content.length), etag: 'new' });
        return count === 1 ? { cutAfter } : undefined;
      };
      return store;
    };
    const after = randomBytes(bytes.length);
    const large = streaming([changing(bytes, 2 * MIB)]);
    await expect(large.result).rejects.toMatchObject({ code: 'verification' });
    const small = streaming([changing(bytes.subarray(0, 200_000), 100_000)]);
    await small.result;
    expect(small.came().equals(after.subarray(0, 200_000))).toBe(true);
  });

  test('for ever is an error that names the object', async () => {
    const store = createMemoryStore({ k: bytes });
    store.misbehave = () => ({ cutAfter: 10 });
    await expect(streaming([store]).result).rejects.toMatchObject({ code: 'network', item: 's3://memory/k' });
    expect(store.requests.length).toBeLessThan(8);
  });
});

describe('bytes out of an object', () => {
  const bytes = randomBytes(300_000);

  test.each<[{ start: number; end?: number }]>([
    [{ start: 0, end: 10 }],
    [{ start: 100_000, end: 250_000 }],
    [{ start: 299_999 }],
  ])('%j', async (range) => {
    for (const ignoreRange of [false, true]) {
      const store = createMemoryStore({ k: bytes });
      store.misbehave = () => ({ ignoreRange });
      // A digest of the whole proves nothing of a part: it must not be held against it either.
      const { result, came } = streaming([store], { size: bytes.length, digests: [md5(bytes)] }, { range });
      expect(await result).toMatchObject({ verifiedBy: 'size' });
      expect(came().equals(bytes.subarray(range.start, range.end))).toBe(true);
    }
  });

  test('are gone on with like whole ones', async () => {
    const store = createMemoryStore({ k: bytes });
    store.misbehave = (_, count) => (count === 1 ? { cutAfter: 70_000 } : undefined);
    const { result, came } = streaming([store], {}, { range: { start: 1_000, end: 201_000 } });
    expect(await result).toMatchObject({ bytes: 200_000 });
    expect(came().equals(bytes.subarray(1_000, 201_000))).toBe(true);
  });
});

test('what the taker throws ends the stream as it is, and nothing more is asked', async () => {
  const store = createMemoryStore({ k: randomBytes(5 * MIB) });
  const refusal = new Error('closed');
  const onPiece = () => {
    throw refusal;
  };
  await expect(streaming([store], {}, { onPiece }).result).rejects.toBe(refusal);
  expect(store.requests).toHaveLength(1);
});

test('an abort ends it as interrupted', async () => {
  const stop = new AbortController();
  const store = createMemoryStore({ k: randomBytes(5 * MIB) });
  store.misbehave = () => ({ beforePiece: async (sent) => void (sent > MIB && stop.abort()) });
  await expect(streaming([store], {}, { signal: stop.signal }).result).rejects.toMatchObject({
    code: 'interrupted',
  });
});
