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

/**
 * Deals items out into `parts` of about equal weight: the heaviest first, each to the part that is lightest so far (Graham's
 * LPT rule: the heaviest part is at most a third above the best possible). The order of the items does not matter: the same
 * items with the same names and weights give the same parts on every machine. Each part is in the order of the items.
 *
 * @throws `usage` for a number of parts that is not a whole number above zero
 */
export function balancedParts<T>(
  items: readonly T[],
  parts: number,
  options: { weight: (item: T) => number; name: (item: T) => string },
): T[][] {
  if (!Number.isSafeInteger(parts) || parts < 1)
    throw new CarrelError('usage', `${parts} is no number of parts`, {
      next: 'give a whole number above zero',
    });
  const weighed = items.map((item, at) => ({
    at,
    weight: Math.max(options.weight(item), 0),
    name: options.name(item),
  }));
  weighed.sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const dealt = Array.from({ length: parts }, (_, index) => ({ index, weight: 0, taken: [] as number[] }));
  for (const { at, weight } of weighed) {
    // Of equally light parts, the one with fewer items: things without a weight are dealt out by number.
    const lightest = takeFirst(dealt);
    lightest.weight += weight;
    lightest.taken.push(at);
    sink(dealt);
  }
  dealt.sort((a, b) => a.index - b.index);
  return dealt.map(({ taken }) => taken.sort((a, b) => a - b).flatMap((at) => items.slice(at, at + 1)));
}

interface Dealt {
  index: number;
  weight: number;
  taken: number[];
}

function takeFirst(heap: readonly Dealt[]): Dealt {
  const [first] = heap;
  if (first === undefined) throw new CarrelError('internal', 'no part is left');
  return first;
}

function lighter(a: Dealt, b: Dealt): boolean {
  return (a.weight - b.weight || a.taken.length - b.taken.length || a.index - b.index) < 0;
}

/** Puts the first of a heap where it belongs after it has become heavier. */
function sink(heap: Dealt[]): void {
  for (let at = 0; ; ) {
    let next = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      const [one, best] = [heap[child], heap[next]];
      if (one !== undefined && best !== undefined && lighter(one, best)) next = child;
    }
    const [here, there] = [heap[at], heap[next]];
    if (next === at || here === undefined || there === undefined) return;
    heap[at] = there;
    heap[next] = here;
    at = next;
  }
}
