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

/** All data sets of the release; those that only `index` knows are there with their id. */
export async function readDatasetTexts(session: Session, tables: OpenTables): Promise<DatasetText[]> {
  const has = (name: string) => tables.content.tables.some((table) => table.name === name);
  const found = new Map<string, DatasetText>();
  const add = (kind: DatasetText['kind'], id: string | null, fields: Record<string, string | null>) => {
    const key = `${kind} ${id}`;
    if (id === null || id === '' || found.has(key)) return;
    const said = Object.entries({ id, ...fields }).filter(([, text]) => text !== null && text !== '');
    found.set(key, { kind, id, fields: Object.fromEntries(said) });
  };
  if (has('collections_index')) {
    for (const row of await session.rows('SELECT * FROM collections_index')) {
      const sources = member(row, 'sources');
      const originals = (Array.isArray(sources) ? (sources as Record<string, unknown>[]) : []).filter(
        (source) => textOf(member(source, 'source_type')) !== 'analysis_result',
      );
      const said = (name: string) =>
        [...new Set(originals.map((source) => clean(member(source, name))).filter(Boolean))].join('; ');
      const name = clean(member(row, 'collection_name'));
      add('collection', textOf(member(row, 'collection_id')), {
        title: [name, said('source_title')].filter(Boolean).join(': '),
        cancerTypes: clean(member(row, 'cancer_types')),
        locations: clean(member(row, 'tumor_locations')),
        species: clean(member(row, 'species')),
        modalities: said('modalities'),
        description: clean(member(row, 'description')),
      });
    }
  }
  if (has('analysis_results_index')) {
    for (const row of await session.rows('SELECT * FROM analysis_results_index')) {
      add('analysis-result', textOf(member(row, 'analysis_result_id')), {
        title: clean(member(row, 'analysis_result_title')),
        modalities: clean(member(row, 'modalities')),
        description: clean(member(row, 'description')),
      });
    }
  }
  for (const row of await session.rows('SELECT DISTINCT collection_id AS id FROM carrel.series'))
    add('collection', textOf(row['id']), {});
  for (const row of await session.rows(
    'SELECT DISTINCT analysis_result_id AS id FROM carrel.series WHERE analysis_result_id IS NOT NULL',
  ))
    add('analysis-result', textOf(row['id']), {});
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
