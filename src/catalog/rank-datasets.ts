/**
 * Ranks data sets by words: every term must be found somewhere; rare words and words in names weigh more than frequent
 * ones and those in descriptions. There are some two hundred data sets, so all of it is done anew for each question.
 */
import { type DatasetText, FIELD_WEIGHTS, type TextField } from './dataset-texts.ts';
import { nearest } from './nearest.ts';
import { kinOf, modalityWords, tellingWords } from './word-kin.ts';

/** A data set that all terms were found in. */
export interface RankedDataset extends DatasetText {
  /** Comparable within one answer only. */
  score: number;
  /** Term → field that it was best found in. */
  found: Record<string, TextField>;
}

/** Answer of `rankDatasets`. */
export interface Ranking {
  /** Best first. */
  datasets: RankedDataset[];
  /** The terms that were looked for. */
  terms: string[];
  /** Terms that no data set holds, with the nearest words that there are. */
  unknown: { term: string; suggestions: string[] }[];
  /** Term → number of data sets that hold it. */
  counts: Map<string, number>;
  /** Where nothing holds all terms: terms without which something does, and how many data sets that are. */
  without: { term: string; datasets: number }[];
}

/** Words of a text, in small letters without accents. `non-small` is two, `tcga_brca` too. */
export function wordsOf(text: string): string[] {
  return fold(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase();
}

/** `tumors` and `tumor` are the same word. */
function stem(word: string): string {
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** How well a word of a text answers a term: the word itself, one that means the same, its beginning, or a part of it. */
function quality(term: string, kin: ReadonlySet<string>, word: string): number {
  if (word === term || stem(word) === stem(term)) return 1;
  if (kin.has(word) || kin.has(stem(word))) return 0.8;
  if (term.length >= 3 && word.startsWith(term)) return 0.6;
  return term.length >= 4 && word.includes(term) ? 0.3 : 0;
}

/** Ranks the data sets by the words of a question. No words give no data sets. */
export function rankDatasets(texts: readonly DatasetText[], words: readonly string[]): Ranking {
  const terms = [...new Set(tellingWords(words.flatMap(wordsOf)))];
  const kin = new Map(terms.map((term) => [term, kinOf(term)]));
  const vocabulary = new Set<string>();
  const indexed = texts.map((text) => {
    const fields = (Object.entries(text.fields) as [TextField, string][]).map(([field, value]) => {
      const plain = wordsOf(value);
      const list = [...new Set(field === 'modalities' ? [...plain, ...modalityWords(plain)] : plain)];
      for (const word of list) vocabulary.add(word);
      return { weight: FIELD_WEIGHTS[field], field, list };
    });
    return { text, fields };
  });
  const scored = indexed.map(({ text, fields }) => {
    const best = terms.map((term) => {
      const same = kin.get(term) ?? new Set<string>();
      let top = { score: 0, field: 'id' as TextField };
      for (const { field, weight, list } of fields) {
        const score = weight * list.reduce((most, word) => Math.max(most, quality(term, same, word)), 0);
        if (score > top.score) top = { score, field };
      }
      return top;
    });
    return { text, best };
  });
  const counts = new Map(
    terms.map((term, at) => [term, scored.filter(({ best }) => (best[at]?.score ?? 0) > 0).length]),
  );
  const asked = words.flatMap(wordsOf).join(' ');
  const datasets = scored
    .filter(({ best }) => best.length > 0 && best.every(({ score }) => score > 0))
    .map(({ text, best }): RankedDataset => {
      let score = wordsOf(text.id).join(' ') === asked ? 1000 : 0;
      const found: Record<string, TextField> = {};
      for (const [at, term] of terms.entries()) {
        const one = best[at];
        if (one === undefined) continue;
        score += one.score * Math.log(1 + texts.length / (counts.get(term) ?? 1));
        found[term] = one.field;
      }
      return { ...text, score: Math.round(score * 1000) / 1000, found };
    })
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const unknown = terms
    .filter((term) => counts.get(term) === 0)
    .map((term) => ({ term, suggestions: nearest(term, vocabulary) }));
  const without =
    datasets.length > 0 || terms.length < 2
      ? []
      : terms
          .map((term, at) => ({
            term,
            datasets: scored.filter(({ best }) => best.every(({ score }, other) => other === at || score > 0))
              .length,
          }))
          .filter((one) => one.datasets > 0);
  return { datasets, terms, unknown, counts, without };
}
