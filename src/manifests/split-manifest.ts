/** Cuts a list into shards for array jobs. */
import { CarrelError } from '../errors.ts';

/** Options of `splitManifest`. */
export interface SplitManifestOptions<T> {
  /** Weight of an item, such as its bytes (default: 1 each). */
  weight?: ((item: T) => number) | undefined;
}

/**
 * Cuts a list into `shards` consecutive pieces of about equal weight. The same list gives the same pieces; one after
 * the other they are the list again. No piece is empty unless there are fewer items than shards: those come last.
 * Throws `usage` for a number of shards that is not a whole number above zero.
 */
export function splitManifest<T>(
  items: readonly T[],
  shards: number,
  options: SplitManifestOptions<T> = {},
): T[][] {
  if (!Number.isSafeInteger(shards) || shards < 1) {
    throw new CarrelError('usage', `${shards} is no number of shards`, {
      next: 'give a whole number above zero',
    });
  }
  const weights: number[] = items.map((item) => Math.max(options.weight?.(item) ?? 1, 0));
  // Of no weight at all: by number, as without weights.
  if (!weights.some((weight) => weight > 0)) weights.fill(1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pieces: T[][] = [];
  let start = 0;
  let done = 0;
  for (let shard = 0; shard < shards; shard += 1) {
    const wanted = (total * (shard + 1)) / shards;
    const left = shards - shard - 1;
    let end = start;
    // At least one each, and one for each shard that is still to come; then up to the nearer side of the mark.
    while (end < items.length) {
      const weight = weights[end] ?? 0;
      const mustTake = end === start || left === 0;
      const mustLeave = items.length - end <= left && end > start;
      if (mustLeave || (!mustTake && done + weight / 2 > wanted)) break;
      done += weight;
      end += 1;
    }
    pieces.push(items.slice(start, end));
    start = end;
  }
  return pieces;
}
