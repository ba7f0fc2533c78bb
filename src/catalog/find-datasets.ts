/** Search by words: collections and analysis results, best first, with how much of a selection is in each. */
import type { DatasetText, TextField } from './dataset-texts.ts';
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import type { Ranking } from './rank-datasets.ts';
import type { Selection, SelectionNote } from './rows.ts';
import { type Amount, groupSelection } from './summary.ts';
import { rankByWords, wordNotes } from './words.ts';

/** A collection or an analysis result that words were found in. */
export interface DatasetMatch extends Amount {
  kind: DatasetText['kind'];
  /** `collection_id` or `analysis_result_id`. */
  id: string;
  title: string | null;
  /** As published: `Lung, Liver`; null where the tables do not say, and for analysis results. */
  cancerTypes: string | null;
  locations: string | null;
  species: string | null;
  /** Codes, original data and what was derived from it: `MR, SEG, SM`; null where the tables do not say. */
  modalities: string | null;
  /** Comparable within one answer only. */
  score: number;
  /** Word → the field in which it was best found. */
  found: Record<string, TextField>;
}

/** Answer of `findDatasets`. */
export interface DatasetList {
  /** Best first; those of which the selection holds no series are left out. */
  datasets: DatasetMatch[];
  notes: SelectionNote[];
}

/** Data sets that all words are found in, counted within a selection. Throws `usage` where there is no word. */
export async function findDatasets(
  session: Session,
  tables: OpenTables,
  words: readonly string[],
  selection: Selection,
): Promise<DatasetList> {
  const ranking = await rankByWords(session, tables, words);
  const notes = wordNotes(ranking);
  if (ranking.datasets.length === 0) return { datasets: [], notes };
  const byId = new Map<string, Amount>();
  for (const [kind, column] of [
    ['collection', 'collection_id'],
    ['analysis-result', 'analysis_result_id'],
  ] as const) {
    const { rows, notes: more } = await groupSelection(session, tables, selection, [column]);
    if (kind === 'collection') notes.push(...more);
    for (const { values, ...amount } of rows) byId.set(`${kind} ${String(values[column])}`, amount);
  }
  return { datasets: matchesOf(ranking, byId), notes };
}

/** The ranked data sets with how much there is of each, by `kind id`; those without are left out. */
export function matchesOf(ranking: Ranking, amounts: ReadonlyMap<string, Amount>): DatasetMatch[] {
  const matches = ranking.datasets.flatMap(({ kind, id, fields, score, found }): DatasetMatch[] => {
    const amount = amounts.get(`${kind} ${id}`);
    if (amount === undefined) return [];
    const { title = null, cancerTypes = null, locations = null, species = null, modalities = null } = fields;
    return [{ kind, id, title, cancerTypes, locations, species, modalities, score, found, ...amount }];
  });
  // What the words do not decide, the number of patients does.
  return matches.sort((a, b) => b.score - a.score || b.patients - a.patients);
}
