/**
 * Files that nothing vouches for but the ETag of an upload in parts, where none of the usual sizes of parts gives it. Such
 * bytes are either wrong, or their uploader chose an odd size: the server is asked, which costs one request.
 */
import type { Digest } from '../../identifiers/index.ts';
import type { Source } from '../../locations/index.ts';
import type { Verdict } from '../evidence.ts';
import type { PlannedFile } from '../plan.ts';
import type { PartialFile } from './partial-file.ts';
import type { Reception } from './receive.ts';

/**
 * The verdict once more, with the size of the parts from the server. Stays as it is where there is stronger evidence, and
 * where the server does not tell.
 */
export async function proveParts(
  verdict: Verdict,
  source: Source,
  file: PlannedFile,
  partial: PartialFile,
  reception: Pick<Reception, 'openStore' | 'meter' | 'signal' | 'verify'>,
): Promise<Verdict> {
  if (reception.verify !== 'full' || !verdict.good) return verdict;
  if (verdict.verifiedBy !== 'size' && verdict.verifiedBy !== 'none') return verdict;
  const known = [...file.digests, ...(partial.origin?.replied ?? [])];
  const expected = known.find((digest): digest is Digest => digest.startsWith('s3etag:'));
  const { firstPartSize } = reception.openStore(source.place);
  if (expected === undefined || firstPartSize === undefined) return verdict;
  const { signal, meter } = reception;
  meter.request();
  const partSize = await firstPartSize(source.key, { ifMatch: partial.origin?.pin, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    },
  );
  if (partSize === undefined) return verdict;
  const found = `s3etag:${await partial.etagFor(partSize, signal)}`;
  return found === expected ? { good: true, verifiedBy: 's3etag' } : { good: false, expected, found };
}
