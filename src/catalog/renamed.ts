/**
 * Collections under the names of earlier releases. IDC's six `apollo` collections left with v4 and v11, and their series
 * came back with v21 in `varepop_apollo`, among 1,443 others: a former name means those series and no more.
 */
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import type { SelectionNote } from './rows.ts';

/** A former name of a collection. */
export interface FormerName {
  /** As published then. */
  name: string;
  /** Releases that had it. */
  first: number;
  last: number;
  /** Where its series stand in the release asked for. */
  now: string[];
  series: number;
}

/** Condition on the series of a release: those that stood in one of the collections `$formerCollections` before. */
export const FORMERLY =
  'SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM carrel.ranges WHERE list_contains($formerCollections, collection_id))';

/** Those of the values, which `relation` does not hold, whose series it holds under another collection. */
export async function formerNames(
  session: Session,
  tables: OpenTables,
  relation: string,
  values: readonly string[],
): Promise<FormerName[]> {
  if (!tables.relations.hasPrior || values.length === 0) return [];
  const rows = await session.rows(
    `SELECT r.name, first, last, list(DISTINCT s.collection_id ORDER BY s.collection_id) AS now, count(DISTINCT s.SeriesInstanceUID) AS series
     FROM (SELECT collection_id AS name, SeriesInstanceUID, min(carrel_min) OVER (PARTITION BY collection_id) AS first, max(carrel_max) OVER (PARTITION BY collection_id) AS last
       FROM carrel.ranges WHERE NOT carrel_current AND lower(collection_id) IN (SELECT unnest($list))) r
     JOIN ${relation} s USING (SeriesInstanceUID) GROUP BY 1, 2, 3 ORDER BY 1`,
    { list: values.map((value) => value.toLowerCase()) },
  );
  return rows
    .map((row) => ({
      name: String(row['name']),
      first: Number(row['first']),
      last: Number(row['last']),
      now: row['now'] as string[],
      series: Number(row['series']),
    }))
    .filter(({ name, now }) => !now.includes(name));
}

/** `apollo was a collection in v2 to v4; its 43 series stand in varepop_apollo now, and are meant`. */
export function formerNameText(tables: OpenTables, { name, first, last, now, series }: FormerName): string {
  const prefix = tables.archive.catalog.releasePrefix;
  const when = first === last ? `${prefix}${first}` : `${prefix}${first} to ${prefix}${last}`;
  return `${name} was a collection in ${when}; its ${series.toLocaleString('en-US')} series stand in ${now.join(', ')} now, and are meant`;
}

/** The same as a note of a selection. */
export function formerNameNote(tables: OpenTables, former: FormerName, value: string): SelectionNote {
  return {
    field: 'collection',
    value,
    message: formerNameText(tables, former),
    suggestions: former.now.map((id) => `--collection ${id}`),
    unknown: false,
  };
}
