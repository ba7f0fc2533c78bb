/** Data sets whose names somebody may have meant. */
import type { TciaCollection } from './collection.ts';

/** Likeness below which a name is no help. */
const LEAST = 0.45;

/** Up to `limit` (default 5) data sets with names like the text, nearest first. Hidden ones are not proposed. */
export function nearestCollections(
  text: string,
  collections: readonly TciaCollection[],
  limit = 5,
): TciaCollection[] {
  const wanted = letters(text);
  if (wanted.length < 2 || wanted.length > 200) return [];
  return collections
    .flatMap((collection) => {
      if (collection.hidden) return [];
      const names = [collection.slug, collection.name, collection.doi ?? ''];
      const like = Math.max(...names.map((name) => likeness(wanted, letters(name))));
      return like >= LEAST ? [{ collection, like }] : [];
    })
    .sort((a, b) => b.like - a.like || (a.collection.slug < b.collection.slug ? -1 : 1))
    .slice(0, limit)
    .map(({ collection }) => collection);
}

function letters(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/**
 * How like two names are, from 0 to 1: the share of pairs of letters that they have in common (Dice), which swapped words
 * (`morphology-dlbcl`) lower little; a name that begins with the other, or holds it, counts as near.
 */
function likeness(a: string, b: string): number {
  if (a === '' || b === '') return 0;
  const shorter = Math.min(a.length, b.length);
  const bonus =
    shorter < 3 ? 0 : b.startsWith(a) || a.startsWith(b) ? 0.5 : b.includes(a) || a.includes(b) ? 0.45 : 0;
  const counts = new Map<string, number>();
  for (const pair of pairsOf(a)) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  let common = 0;
  for (const pair of pairsOf(b)) {
    const left = counts.get(pair) ?? 0;
    if (left === 0) continue;
    common += 1;
    counts.set(pair, left - 1);
  }
  const all = a.length - 1 + (b.length - 1);
  const dice = all <= 0 ? (a === b ? 1 : 0) : (2 * common) / all;
  return Math.max(dice, bonus);
}

function pairsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2));
}
