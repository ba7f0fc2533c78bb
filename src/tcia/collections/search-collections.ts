/** Search by words in the catalogue of TCIA. */
import type { TciaCatalogue, TciaCollection, TciaCollectionKind, TciaDownloadKind } from './collection.ts';
import { downloadsOf } from './collection.ts';

/** What is wanted. */
export interface CollectionQuestion {
  /** All must be found. */
  words?: readonly string[] | undefined;
  /** Kinds of data sets; alternatives. */
  kinds?: readonly TciaCollectionKind[] | undefined;
  /** Kinds of downloads, one of which a data set must have. */
  downloads?: readonly TciaDownloadKind[] | undefined;
  /** With those that TCIA keeps out of its own lists. */
  hidden?: boolean | undefined;
}

/** Where a word is worth how much. */
const FIELDS: readonly [weight: number, texts: (collection: TciaCollection) => readonly (string | null)[]][] =
  [
    [100, ({ slug, name, doi }) => [slug, name, doi]],
    [40, ({ title, programs }) => [title, ...programs]],
    [30, ({ cancerTypes, cancerLocations }) => [...cancerTypes, ...cancerLocations]],
    [20, ({ dataTypes, species, supportingData }) => [...dataTypes, ...species, ...supportingData]],
    [10, ({ licenses, collections, status }) => [...licenses, ...collections, status]],
    [1, ({ summary }) => [summary]],
  ];

/** Data sets that all words are found in, best first; without words all of them by name. */
export function searchCollections(catalogue: TciaCatalogue, question: CollectionQuestion): TciaCollection[] {
  const { kinds = [], downloads = [], hidden = false } = question;
  const words = (question.words ?? [])
    .flatMap((word) => fold(word).split(/\s+/))
    .filter((word) => word !== '');
  const scored = catalogue.collections.flatMap((collection) => {
    if (collection.hidden && !hidden) return [];
    if (kinds.length > 0 && !kinds.includes(collection.kind)) return [];
    if (
      downloads.length > 0 &&
      !downloadsOf(catalogue, collection).some(({ kind }) => downloads.includes(kind))
    )
      return [];
    const score = scoreOf(collection, words);
    return score === undefined ? [] : [{ collection, score }];
  });
  return scored
    .sort((a, b) => b.score - a.score || compare(a.collection, b.collection))
    .map(({ collection }) => collection);
}

function compare(a: TciaCollection, b: TciaCollection): number {
  const [x, y] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : a.kind < b.kind ? -1 : 1;
}

/** Sum over the words of the best place of each; undefined where a word is nowhere. Whole words count double. */
function scoreOf(collection: TciaCollection, words: readonly string[]): number | undefined {
  let sum = 0;
  for (const word of words) {
    let best = 0;
    for (const [weight, textsOf] of FIELDS) {
      for (const text of textsOf(collection)) {
        const folded = fold(text ?? '');
        const at = folded.indexOf(word);
        if (at < 0) continue;
        const isWhole = folded.split(/[^\p{L}\p{N}]+/u).includes(word);
        best = Math.max(best, weight * (folded === word ? 3 : isWhole ? 2 : 1));
      }
    }
    if (best === 0) return undefined;
    sum += best;
  }
  return sum;
}

/** Small letters without accents. */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
    .trim();
}
