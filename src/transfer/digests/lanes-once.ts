/** The lanes of one run in one thread. */
import { createMd5Lanes, type Md5Lanes } from './md5/md5-lanes.ts';

/** Room for the bodies of small files on their way, and for what others have waiting. What does not fit is copied instead. */
const MEMORY_BYTES = 56 << 20;

/** Lanes take 20 ms of processor time to make, which is an MD5 of so many bytes. */
const WORTH_BYTES = 8 << 20;

/**
 * Lanes that are made at the first call; none where there is too little to hash.
 *
 * @param bytes that are to be hashed, as far as known
 * @param expected as for `createMd5Lanes`
 */
export function lanesOnce(
  bytes = Number.POSITIVE_INFINITY,
  expected?: () => number,
): () => Md5Lanes | undefined {
  let lanes: Md5Lanes | undefined;
  return () => {
    if (bytes < WORTH_BYTES) return undefined;
    lanes ??= createMd5Lanes({ memoryBytes: MEMORY_BYTES, expected });
    return lanes;
  };
}
