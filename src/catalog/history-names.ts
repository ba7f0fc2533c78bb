/** What a text names in any release of any installed table. */
import { CarrelError } from '../errors.ts';
import type { Parameters, Session } from './engine.ts';
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

/** Finds it. Throws `not-found`, and `ambiguous` where it names more than one thing. */
export async function findNamed(
  session: Session,
  sides: readonly Side[],
  text: string,
  options: { as?: HistoryLevel | undefined; collection?: string | undefined },
): Promise<Named> {
  if (UUID.test(text)) {
    const uuid = text.toLowerCase();
    const parts = sides.map(
      ({ name }) =>
        `SELECT SeriesInstanceUID AS uid, collection_id FROM ${name}.carrel.ranges WHERE crdc_series_uuid = $value`,
    );
    const rows = await session.rows(parts.join(' UNION '), { value: uuid });
    const uid = rows[0]?.['uid'];
    if (typeof uid !== 'string') throw unknown(sides, text);
    return {
      level: 'series',
      value: uid,
      collections: rows.map((row) => String(row['collection_id'])),
      condition: 'SeriesInstanceUID = $value',
      parameters: { value: uid },
    };
  }
  const levels: HistoryLevel[] =
    options.as !== undefined
      ? [options.as]
      : UID.test(text)
        ? ['series', 'study', 'patient']
        : ['collection', 'analysis-result', 'patient'];
  for (const value of new Set([text, text.toLowerCase()])) {
    const found = await findAt(session, sides, levels, value);
    if (found.length > 0) return choose(found, value, options);
  }
  throw unknown(sides, text);
}

async function findAt(
  session: Session,
  sides: readonly Side[],
  levels: readonly HistoryLevel[],
  value: string,
): Promise<{ level: HistoryLevel; collection: string }[]> {
  const parts = sides.map(({ name }) => {
    const flags = levels.map((level) => `coalesce(${COLUMNS[level]} = $value, false) AS "${level}"`);
    const where = levels.map((level) => `${COLUMNS[level]} = $value`);
    return `SELECT ${flags.join(', ')}, collection_id FROM ${name}.carrel.ranges WHERE ${where.join(' OR ')}`;
  });
  const rows = await session.rows(
    `SELECT DISTINCT * FROM (${parts.join(' UNION ALL ')}) ORDER BY collection_id`,
    {
      value,
    },
  );
  return rows.flatMap((row) =>
    levels
      .filter((level) => row[level] === true)
      .map((level) => ({ level, collection: String(row['collection_id']) })),
  );
}

function choose(
  found: readonly { level: HistoryLevel; collection: string }[],
  value: string,
  options: { collection?: string | undefined },
): Named {
  const levels = [...new Set(found.map(({ level }) => level))];
  const [level] = levels;
  if (level === undefined || levels.length > 1)
    throw new CarrelError('ambiguous', `${value} names ${levels.length} things: ${levels.join(', ')}`, {
      item: value,
      next: `choose with --as ${levels.join(' or --as ')}`,
    });
  const collections = [...new Set(found.map(({ collection }) => collection))];
  if (level === 'patient' && options.collection !== undefined) {
    if (!collections.includes(options.collection))
      throw new CarrelError('not-found', `patient ${value} was never in ${options.collection}`, {
        item: value,
        next: `it was in ${collections.join(', ')}`,
      });
    return {
      level,
      value,
      collections: [options.collection],
      condition: 'PatientID = $value AND collection_id = $collection',
      parameters: { value, collection: options.collection },
    };
  }
  return { level, value, collections, condition: `${COLUMNS[level]} = $value`, parameters: { value } };
}

function unknown(sides: readonly Side[], text: string): CarrelError {
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
