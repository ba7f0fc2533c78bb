/** What the tables say in words about collections and analysis results. Older tables have fewer columns, other names. */
import { cleanCitation } from './citation-text.ts';
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { textOf } from './values.ts';

/** Fields that are searched, and how much a word in them weighs. */
export const FIELD_WEIGHTS = {
  id: 10,
  title: 6,
  cancerTypes: 5,
  locations: 5,
  species: 3,
  modalities: 3,
  description: 1,
} as const;

/** A searched field. */
export type TextField = keyof typeof FIELD_WEIGHTS;

/** A collection or an analysis result in words. */
export interface DatasetText {
  kind: 'collection' | 'analysis-result';
  id: string;
  fields: Partial<Record<TextField, string>>;
}

/** What data sets are read from: rows of the tables about them, and the identifiers that the main table names. */
export interface DatasetRows {
  collections: readonly Record<string, unknown>[];
  analysisResults: readonly Record<string, unknown>[];
  collectionIds: readonly unknown[];
  analysisResultIds: readonly unknown[];
}

/** All data sets of the release; those that only `index` knows are there with their id. */
export async function readDatasetTexts(session: Session, tables: OpenTables): Promise<DatasetText[]> {
  const has = (name: string) => tables.content.tables.some((table) => table.name === name);
  const all = async (name: string) => (has(name) ? await session.rows(`SELECT * FROM ${name}`) : []);
  const ids = async (column: string) =>
    (
      await session.rows(`SELECT DISTINCT ${column} AS id FROM carrel.series WHERE ${column} IS NOT NULL`)
    ).map((row) => row['id']);
  return datasetTextsOf({
    collections: await all('collections_index'),
    analysisResults: await all('analysis_results_index'),
    collectionIds: await ids('collection_id'),
    analysisResultIds: await ids('analysis_result_id'),
  });
}

/** The same from rows that were read elsewhere. */
export function datasetTextsOf(rows: DatasetRows): DatasetText[] {
  const found = new Map<string, DatasetText>();
  const add = (kind: DatasetText['kind'], id: string | null, fields: Record<string, string | null>) => {
    const key = `${kind} ${id}`;
    if (id === null || id === '' || found.has(key)) return;
    const said = Object.entries({ id, ...fields }).filter(([, text]) => text !== null && text !== '');
    found.set(key, { kind, id, fields: Object.fromEntries(said) });
  };
  for (const row of rows.collections) {
    const sources = member(row, 'sources');
    const all = Array.isArray(sources) ? (sources as Record<string, unknown>[]) : [];
    const isDerived = (source: Record<string, unknown>) =>
      textOf(member(source, 'source_type')) === 'analysis_result';
    const originals = all.filter((source) => !isDerived(source));
    // What others derived from a collection describes it too: LIDC-IDRI itself never says "nodule".
    const derived = all
      .filter(isDerived)
      .map(
        (source) =>
          `${clean(member(source, 'source_id')) ?? ''} ${clean(member(source, 'source_title')) ?? ''}`,
      );
    const titles = [...new Set(originals.map((source) => clean(member(source, 'source_title')) ?? ''))];
    const name = clean(member(row, 'collection_name')) ?? '';
    const named = titles.some((title) => title.toLowerCase().startsWith(name.toLowerCase()));
    const codes = all.flatMap((source) => (clean(member(source, 'modalities')) ?? '').split(/[\s,;]+/));
    add('collection', textOf(member(row, 'collection_id')), {
      title: [named ? '' : name, titles.filter(Boolean).join('; ')].filter(Boolean).join(': '),
      cancerTypes: clean(member(row, 'cancer_types')),
      locations: clean(member(row, 'tumor_locations')),
      species: clean(member(row, 'species')),
      modalities: [...new Set(codes.filter(Boolean))].sort().join(', '),
      description: [clean(member(row, 'description')) ?? '', ...derived].join(' ').trim(),
    });
  }
  for (const row of rows.analysisResults) {
    add('analysis-result', textOf(member(row, 'analysis_result_id')), {
      title: clean(member(row, 'analysis_result_title')),
      modalities: clean(member(row, 'modalities')),
      description: clean(member(row, 'description')),
    });
  }
  for (const id of rows.collectionIds) add('collection', textOf(id), {});
  for (const id of rows.analysisResultIds) add('analysis-result', textOf(id), {});
  return [...found.values()];
}

function clean(value: unknown): string | null {
  const text = cleanCitation(textOf(value) ?? '');
  return text === '' ? null : text;
}

/** A member of a struct or row, whatever case and underscores its name has. */
export function member(row: Record<string, unknown>, name: string): unknown {
  const squash = (text: string) => text.toLowerCase().replaceAll('_', '');
  return Object.entries(row).find(([key]) => squash(key) === squash(name))?.[1];
}
