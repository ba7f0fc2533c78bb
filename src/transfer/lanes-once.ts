/** The lanes of one run in one thread. */
import { createMd5Lanes, type Md5Lanes } from './md5/md5-lanes.ts';

/** Room for the bodies of small files on their way. What does not fit is copied instead. */
const MEMORY_BYTES = 48 << 20;

/** Makes the lanes at the first call. */
export function lanesOnce(): () => Md5Lanes {
  let lanes: Md5Lanes | undefined;
  return () => {
    lanes ??= createMd5Lanes({ memoryBytes: MEMORY_BYTES });
    return lanes;
  };
}
