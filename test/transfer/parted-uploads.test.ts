import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/identifiers/index.ts';
import { transfer, verifyFiles } from '../../src/transfer/index.ts';
import { createMemoryStore, md5, memoryPlace } from '../fixtures/memory-store.ts';
import { opener, planOf, QUICK, temporaryFolder } from './desk.ts';

const MIB = 1 << 20;

/** The ETag that S3 gives to an upload in parts. */
function etagOf(bytes: Uint8Array, partSize: number): Digest {
  const hash = createHash('md5');
  let parts = 0;
  for (let at = 0; at < bytes.length; at += partSize, parts += 1)
    hash.update(
      createHash('md5')
        .update(bytes.subarray(at, at + partSize))
        .digest(),
    );
  return `s3etag:${hash.digest('hex')}-${parts}`;
}

/** Fetches an object that only such an ETag vouches for. */
async function fetchParted(
  bytes: Buffer,
  options: { uploadedIn: number; served?: Buffer; tells?: boolean; inPlan?: boolean },
) {
  const directory = await temporaryFolder();
  const digest = etagOf(bytes, options.uploadedIn);
  const store = createMemoryStore({
    slide: { bytes: options.served ?? bytes, digests: [digest], etag: digest.slice('s3etag:'.length) },
  });
  const asked: string[] = [];
  if (options.tells !== undefined)
    store.firstPartSize = async (key) => {
      asked.push(key);
      return options.tells ? options.uploadedIn : undefined;
    };
  const plan = planOf({ slide: bytes }, [{ mirror: 'm', place: memoryPlace }], (file) => ({
    ...file,
    digests: options.inPlan === false ? [] : [digest],
  }));
  const result = await transfer(plan, { directory, openStore: opener([store]), retry: QUICK });
  return { result, asked, store, directory, plan, digest };
}

describe('an object that was uploaded in parts', () => {
  test.each([
    ['of one small part', 700_000, 5 * MIB],
    ['of parts of 5 MiB', 12 * MIB + 5, 5 * MIB],
    ['of parts of 8 MiB, over several connections', 41 * MIB + 77, 8 * MIB],
  ])('%s is proven by its ETag', async (_what, size, uploadedIn) => {
    const bytes = randomBytes(size);
    for (const inPlan of [true, false]) {
      const { result, asked, directory, plan } = await fetchParted(bytes, {
        uploadedIn,
        tells: true,
        inPlan,
      });
      expect(result).toMatchObject({ fetched: 1, failed: [], verifiedBy: { s3etag: 1 } });
      expect(asked).toEqual([]);
      // An MD5 was computed beside it, which every mirror can be compared with from now on.
      expect(result.files[0]?.digest).toBe(md5(bytes));
      const digests = plan[0]?.digests ?? [];
      if (!inPlan) continue;
      const report = await verifyFiles([{ path: 'slide', size, digests }], { directory });
      expect(report.ok).toMatchObject([{ verifiedBy: 's3etag' }]);
    }
  });

  test('in parts of an unusual size is proven with the size that the server tells', async () => {
    const { result, asked } = await fetchParted(randomBytes(9 * MIB), { uploadedIn: 3_333_333, tells: true });
    expect(result).toMatchObject({ fetched: 1, verifiedBy: { s3etag: 1 } });
    expect(asked).toEqual(['slide']);
  });

  test('is by its size only where the server does not tell', async () => {
    const { result } = await fetchParted(randomBytes(9 * MIB), { uploadedIn: 3_333_333, tells: false });
    expect(result).toMatchObject({ fetched: 1, verifiedBy: { size: 1 } });
  });

  test('with a wrong byte leaves no file', async () => {
    const bytes = randomBytes(12 * MIB);
    const served = Buffer.from(bytes);
    served[7 * MIB] = (served[7 * MIB] ?? 0) ^ 1;
    const { result, store } = await fetchParted(bytes, { uploadedIn: 5 * MIB, served, tells: true });
    expect(result.fetched).toBe(0);
    expect(result.failed[0]?.error.code).toBe('verification');
    expect(store.requests.length).toBe(2);
  });
});
