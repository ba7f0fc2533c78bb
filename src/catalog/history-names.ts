/** What a text names in any release of any installed table. */
import { CarrelError } from '../errors.ts';
import type { Parameters, Session } from './engine.ts';
import type { HistorySource, NamedRow } from './history-sources.ts';
import type { Side } from './side-by-side.ts';

/** Levels that have a history. */
export type HistoryLevel = 'series' | 'study' | 'patient' | 'collection' | 'analysis-result';

/** What was found. */
export interface Named {
  level: HistoryLevel;
  value: string;
  /** Collections that ever held it. */
  collections: string[];
  /** SQL over the columns of `carrel.ranges`. */
  condition: string;
  parameters: Parameters;
  /** The same for a row at hand. */
  holds: (row: Record<string, unknown>) => boolean;
}

/** Where a text names several things. */
export interface NameOptions {
  as?: HistoryLevel | undefined;
  collection?: string | undefined;
}

const COLUMNS: Record<HistoryLevel, string> = {
  series: 'SeriesInstanceUID',
  study: 'StudyInstanceUID',
  patient: 'PatientID',
  collection: 'collection_id',
  'analysis-result': 'analysis_result_id',
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UID = /^[0-9]+(?:\.[0-9]+)+$/;

/** Levels that a text may be of. */
function levelsOf(text: string, { as }: NameOptions): HistoryLevel[] {
  if (as !== undefined) return [as];
  return UID.test(text) ? ['series', 'study', 'patient'] : ['collection', 'analysis-result', 'patient'];
}

/**
 * Finds a uuid, series, study or PatientID. Undefined where a collection or an analysis result may be meant: those take
 * whole columns to find. Throws `not-found`, and `ambiguous` where it names more than one thing.
 */
export async function findIdentifier(
  sources: readonly HistorySource[],
  text: string,
  options: NameOptions,
): Promise<Named | undefined> {
  if (UUID.test(text)) {
    const uuid = text.toLowerCase();
    const rows = (await rowsOf(sources, uuid)).filter((row) => row.crdc_series_uuid === uuid);
    const [first] = rows;
    if (first === undefined) throw unknown(sources, text);
    return named('series', first.SeriesInstanceUID, collectionsOf(rows));
  }
  const levels = levelsOf(text, options);
  for (const value of new Set([text, text.toLowerCase()])) {
    if (levels.some((level) => level === 'collection' || level === 'analysis-result'))
      for (const source of sources) if (await source.isDataset(value)) return undefined;
    const rows = await rowsOf(sources, value);
    const found = levels.flatMap((level) =>
      rows
        .filter((row) => row[COLUMNS[level] as keyof NamedRow] === value)
        .map((row) => ({ level, collection: row.collection_id })),
    );
    if (found.length > 0) return choose(found, value, options);
  }
  throw unknown(sources, text);
}

async function rowsOf(sources: readonly HistorySource[], id: string): Promise<NamedRow[]> {
  const rows: NamedRow[] = [];
  for (const source of sources) {
    const mine = (await source.named([id])).get(id) ?? [];
    rows.push(...mine);
    // A row of versions names one collection only, that of its last release; its ranges name those before.
    const uids = [...new Set(mine.map((row) => row.SeriesInstanceUID))];
    if (uids.length > 0) rows.push(...((await source.ranges(uids)) as unknown as NamedRow[]));
  }
  return rows;
}

function collectionsOf(rows: readonly { collection_id: string }[]): string[] {
  return [...new Set(rows.map((row) => row.collection_id))].sort();
}

/** Finds a collection or an analysis result, and whatever else has that name. */
export async function findDataset(
  session: Session,
  sides: readonly Side[],
  text: string,
  options: NameOptions,
): Promise<Named> {
  const levels = levelsOf(text, options);
  for (const value of new Set([text, text.toLowerCase()])) {
    const parts = sides.map(({ name }) => {
      const flags = levels.map((level) => `coalesce(${COLUMNS[level]} = $value, false) AS "${level}"`);
      const where = levels.map((level) => `${COLUMNS[level]} = $value`);
      return `SELECT ${flags.join(', ')}, collection_id FROM ${name}.carrel.ranges WHERE ${where.join(' OR ')}`;
    });
    const rows = await session.rows(
      `SELECT DISTINCT * FROM (${parts.join(' UNION ALL ')}) ORDER BY collection_id`,
      { value },
    );
    const found = rows.flatMap((row) =>
      levels
        .filter((level) => row[level] === true)
        .map((level) => ({ level, collection: String(row['collection_id']) })),
    );
    if (found.length > 0) return choose(found, value, options);
  }
  throw unknown(sides, text);
}

function choose(
  found: readonly { level: HistoryLevel; collection: string }[],
  value: string,
  options: NameOptions,
): Named {
  const levels = [...new Set(found.map(({ level }) => level))];
  const [level] = levels;
  if (level === undefined || levels.length > 1)
    throw new CarrelError('ambiguous', `${value} names ${levels.length} things: ${levels.join(', ')}`, {
      item: value,
      next: `choose with --as ${levels.join(' or --as ')}`,
    });
  const collections = [...new Set(found.map(({ collection }) => collection))].sort();
  const { collection } = options;
  if (level !== 'patient' || collection === undefined) return named(level, value, collections);
  if (!collections.includes(collection))
    throw new CarrelError('not-found', `patient ${value} was never in ${collection}`, {
      item: value,
      next: `it was in ${collections.join(', ')}`,
    });
  return {
    ...named(level, value, [collection]),
    condition: 'PatientID = $value AND collection_id = $collection',
    parameters: { value, collection },
    holds: (row) => row['PatientID'] === value && row['collection_id'] === collection,
  };
}

function named(level: HistoryLevel, value: string, collections: string[]): Named {
  const column = COLUMNS[level];
  return {
    level,
    value,
    collections,
    condition: `${column} = $value`,
    parameters: { value },
    holds: (row) => row[column] === value,
  };
}

function unknown(
  sides: readonly { tables: { version: string; archive: { name: string } } }[],
  text: string,
): CarrelError {
  const versions = sides.map(({ tables }) => tables.version);
  return new CarrelError(
    'not-found',
    `${JSON.stringify(text)} is in no release that the installed tables know (${versions.join(', ')})`,
    {
      item: text,
      next: 'what was withdrawn altogether stands only in the tables of its own time: carrel catalog update --release vN',
    },
  );
}
