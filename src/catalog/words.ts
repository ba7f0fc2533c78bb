/** Words as a part of a selection: the data sets that they are found in, and what to say where they are not. */
import { CarrelError } from '../errors.ts';
import { type DatasetText, readDatasetTexts } from './dataset-texts.ts';
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { type Ranking, rankDatasets } from './rank-datasets.ts';
import type { SelectionNote } from './rows.ts';

/** Identifiers of the data sets that words name, as a part of a selection. */
export async function datasetsOfWords(
  session: Session,
  tables: OpenTables,
  words: readonly string[],
): Promise<{ collections: string[]; analysisResults: string[]; notes: SelectionNote[] }> {
  const ranking = await rankByWords(session, tables, words);
  return { ...idsOf(ranking), notes: wordNotes(ranking) };
}

/** Identifiers of the data sets that were found. */
export function idsOf({ datasets }: Ranking): { collections: string[]; analysisResults: string[] } {
  const ids = (wanted: DatasetText['kind']) =>
    datasets.filter(({ kind }) => kind === wanted).map(({ id }) => id);
  return { collections: ids('collection'), analysisResults: ids('analysis-result') };
}

/** Ranks the data sets of the release. Throws `usage` where there is no word. */
export async function rankByWords(
  session: Session,
  tables: OpenTables,
  words: readonly string[],
): Promise<Ranking> {
  return rankTexts(await readDatasetTexts(session, tables), words);
}

/** Ranks data sets. Throws `usage` where there is no word. */
export function rankTexts(texts: readonly DatasetText[], words: readonly string[]): Ranking {
  const ranking = rankDatasets(texts, words);
  if (ranking.terms.length > 0) return ranking;
  throw new CarrelError('usage', 'there is no word to search for', {
    item: words.join(' '),
    next: 'for example: carrel search lung CT',
  });
}

/** Words that are nowhere, with the nearest ones; words that are nowhere together. */
export function wordNotes({ datasets, terms, unknown, counts, without }: Ranking): SelectionNote[] {
  if (unknown.length > 0) {
    return unknown.map(({ term, suggestions }) => ({
      field: 'words',
      value: term,
      message: `no collection or analysis result is described by ${term}${suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(', ')}?`}`,
      suggestions,
      unknown: true,
    }));
  }
  if (datasets.length > 0) return [];
  const each =
    without.length === 0
      ? `each by itself: ${terms.map((term) => `${term} ${counts.get(term) ?? 0}`).join(', ')}`
      : without.map((one) => `without ${one.term}: ${one.datasets}`).join(', ');
  return [
    {
      field: 'words',
      value: terms.join(' '),
      message: `no collection or analysis result is described by all of these words together (${each})`,
      suggestions: without.map((one) => terms.filter((term) => term !== one.term).join(' ')),
      unknown: false,
    },
  ];
}
