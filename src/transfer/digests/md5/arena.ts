/**
 * Pieces of a fixed stretch of memory: the first gap that is large enough. There are a few dozen pieces at a time, so
 * lists serve.
 */

/** Bytes of a cache line. */
const LINE = 64;

/** Hands out addresses. */
export interface Arena {
  /** The address of so many bytes, a multiple of 64; undefined where there is no gap of that size. */
  take(bytes: number): number | undefined;
  /** Gives a piece back, by its address and the same number of bytes. */
  give(at: number, bytes: number): void;
  /** Share of the stretch that is free, from 0 to 1. */
  readonly free: number;
}

/**
 * What a piece takes up: an odd number of cache lines. Eight pieces of one size that began a power of two apart would
 * all stand in one set of the cache.
 */
export function footprint(bytes: number): number {
  const lines = Math.ceil(bytes / LINE);
  return (lines % 2 === 0 ? lines + 1 : lines) * LINE;
}

/** Everything from `start` to `end` is free at first. */
export function createArena(start: number, end: number): Arena {
  const first = Math.ceil(start / LINE) * LINE;
  const gaps: { at: number; end: number }[] = [{ at: first, end }];
  let taken = 0;
  return {
    take(bytes) {
      const size = footprint(bytes);
      const index = gaps.findIndex((gap) => gap.end - gap.at >= size);
      const gap = gaps[index];
      if (gap === undefined) return undefined;
      const { at } = gap;
      gap.at += size;
      if (gap.at === gap.end) gaps.splice(index, 1);
      taken += size;
      return at;
    },
    give(at, bytes) {
      const piece = { at, end: at + footprint(bytes) };
      taken -= piece.end - at;
      const after = gaps.findIndex((gap) => gap.at > at);
      const index = after === -1 ? gaps.length : after;
      const [left, right] = [gaps[index - 1], gaps[index]];
      if (right?.at === piece.end) {
        piece.end = right.end;
        gaps.splice(index, 1);
      }
      if (left?.end === piece.at) left.end = piece.end;
      else gaps.splice(index, 0, piece);
    },
    get free() {
      return 1 - taken / (end - first);
    },
  };
}
