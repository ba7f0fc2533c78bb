/** A body on its way straight to where it belongs. */
import type { OnChunk } from './http.ts';
import type { Link } from './link.ts';

/**
 * Two ways into `target`, which keep count together: `copy` for pieces that were read before the target was known, `landing`
 * for what the socket reads into it. `onDirect` is told of the latter alone, `onBytes` of both.
 */
export function createLanding(
  target: Uint8Array,
  onBytes: (count: number) => void,
  onDirect: (count: number) => void,
): { copy: OnChunk; landing: NonNullable<Link['landing']> } {
  let filled = 0;
  const arrived = (count: number): void => {
    filled += count;
    onBytes(count);
  };
  return {
    copy(chunk) {
      target.set(chunk, filled);
      arrived(chunk.length);
    },
    landing: {
      room: () => target.subarray(filled),
      landed(count) {
        arrived(count);
        onDirect(count);
      },
    },
  };
}
