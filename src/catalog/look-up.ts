/** What does this text name? One pass over the columns that can hold it. */
import type { Parameters, Row, Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { FORMERLY, formerNames, formerNameText } from './renamed.ts';
import type { Selection, SeriesRow } from './rows.ts';

/** Levels of the hierarchy that a text can name. `dataset` is a DOI. */
export type MatchLevel =
  | 'collection'
  | 'analysis-result'
  | 'dataset'
  | 'patient'
  | 'study'
  | 'series'
  | 'version'
  | 'instance';

/** One thing that a text names. */
export interface Match {
  level: MatchLevel;
  /** As published. */
  value: string;
  /** The collection, where it belongs to exactly one. */
  collection_id: string | null;
  collections: string[];
  patients: number;
  studies: number;
  series: number;
  /** Files, where known. */
  instances: number;
  bytes: number;
  /** True where the release asked for holds it. */
  current: boolean;
  /** First and last release that hold any of it, as far as the tables know. */
  minRelease: number;
  maxRelease: number;
  /** What to know about it: that a collection has another name now. */
  note?: string | undefined;
  /** Selects exactly these series; with a release where the current one holds none. */
  selection: Selection;
  /** The rows of `selection`. */
  seriesRows(options?: {
    signal?: AbortSignal | undefined;
    columns?: string[] | undefined;
  }): Promise<SeriesRow[]>;
}

/** A match before it is tied to a catalogue. */
export type BareMatch = Omit<Match, 'seriesRows'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UID = /^[0-9]+(?:\.[0-9]+)+$/;

/** Removes what people copy along with a DOI; DOIs are compared in small letters. */
export function normaliseDoi(text: string): string | undefined {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:\s*)/, '');
  return /^10\.\d{4,9}\/\S+$/.test(bare) ? bare : undefined;
}

const PARTS = `collection_id, count(DISTINCT PatientID) AS patients, count(DISTINCT StudyInstanceUID) AS studies, count(*) AS series,
  coalesce(sum(instanceCount), 0)::BIGINT AS instances, coalesce(sum(carrel_bytes), 0)::BIGINT AS bytes,
  min(carrel_min) AS first, max(carrel_max) AS last`;

/** The release that answers are about, and that of the tables. */
type ReleaseOf = Pick<OpenTables, 'release' | 'tablesRelease'>;

/** Level → condition on the columns and the field of a selection. */
export interface Probe {
  level: Exclude<MatchLevel, 'instance'>;
  column: string;
  field: keyof Selection;
}

/** What a DICOM UID can name. */
export const BY_UID: Probe[] = [
  { level: 'series', column: 'SeriesInstanceUID', field: 'series' },
  { level: 'study', column: 'StudyInstanceUID', field: 'study' },
  { level: 'patient', column: 'PatientID', field: 'patient' },
];
/** What any other name can name. */
export const BY_NAME: Probe[] = [
  { level: 'collection', column: 'collection_id', field: 'collection' },
  { level: 'analysis-result', column: 'analysis_result_id', field: 'analysisResult' },
  { level: 'patient', column: 'PatientID', field: 'patient' },
];

/** What a text can be, by its form. */
export function formOf(value: string): 'nothing' | 'uuid' | 'doi' | 'uid' | 'name' {
  if (value === '' || value.length > 1000) return 'nothing';
  if (UUID.test(value)) return 'uuid';
  if (normaliseDoi(value) !== undefined) return 'doi';
  return UID.test(value) ? 'uid' : 'name';
}

/** Everything that a text names in the release, else in earlier ones. */
export async function lookUpText(session: Session, tables: OpenTables, text: string): Promise<BareMatch[]> {
  const value = text.trim();
  if (value === '' || value.length > 1000) return [];
  if (UUID.test(value)) return matchVersion(session, tables, value.toLowerCase());
  const doi = normaliseDoi(value);
  if (doi !== undefined) return matchDoi(session, tables, doi);
  const probes = UID.test(value) ? BY_UID : BY_NAME;
  const here = await probe(session, tables, 'carrel.series', probes, value, true);
  if (here.length > 0 || !tables.relations.hasPrior) return here;
  if (probes === BY_NAME) {
    const renamed = await lookUpFormerName(session, tables, value);
    if (renamed !== undefined) return [renamed];
  }
  return probe(session, tables, 'carrel.ranges', probes, value, false);
}

/** A collection of earlier releases whose series stand in another one now. */
async function lookUpFormerName(
  session: Session,
  tables: OpenTables,
  value: string,
): Promise<BareMatch | undefined> {
  const [former] = await formerNames(session, tables, 'carrel.series', [value]);
  if (former === undefined) return undefined;
  const rows = await session.rows(`SELECT ${PARTS} FROM carrel.series WHERE ${FORMERLY} GROUP BY ALL`, {
    formerCollections: [former.name],
  });
  const match = merge(tables, 'collection', former.name, rows, { collection: [former.name] }, true);
  return { ...match, note: formerNameText(tables, former) };
}

async function probe(
  session: Session,
  tables: OpenTables,
  relation: string,
  probes: Probe[],
  value: string,
  current: boolean,
): Promise<BareMatch[]> {
  const flags = probes
    .map(({ column, level }) => `coalesce(${column} = $value, false) AS "is ${level}"`)
    .join(', ');
  const where = probes.map(({ column }) => `${column} = $value`).join(' OR ');
  const rows = await session.rows(
    `SELECT ${flags}, ${PARTS} FROM ${relation} WHERE ${where} GROUP BY ALL ORDER BY collection_id`,
    { value },
  );
  const found = matchProbes(tables, probes, value, rows, current);
  if (current) return found;
  // One after the other: a connection answers one question at a time.
  const last: BareMatch[] = [];
  for (const match of found) last.push(await atLastRelease(session, tables, match));
  return last;
}

/** Matches from groups of rows, one per collection and combination of `is <level>`, ordered by collection. */
export function matchProbes(
  tables: ReleaseOf,
  probes: readonly Probe[],
  value: string,
  rows: Row[],
  current: boolean,
): BareMatch[] {
  const found: BareMatch[] = [];
  for (const { level, field } of probes) {
    const mine = rows.filter((row) => row[`is ${level}`] === true);
    if (level === 'patient') {
      // A PatientID in two collections is two patients.
      const collections = [...new Set(mine.map((row) => String(row['collection_id'])))];
      for (const id of collections) {
        const own = mine.filter((row) => row['collection_id'] === id);
        found.push(merge(tables, level, value, own, { patient: [value], collection: [id] }, current));
      }
    } else if (mine.length > 0) found.push(merge(tables, level, value, mine, { [field]: [value] }, current));
  }
  return found;
}

/** For what the release does not hold: the last release that did, and its amount there. */
async function atLastRelease(session: Session, tables: OpenTables, match: BareMatch): Promise<BareMatch> {
  const selection = {
    ...match.selection,
    release: `${tables.archive.catalog.releasePrefix}${match.maxRelease}`,
  };
  const conditions: string[] = [];
  const parameters: Parameters = { last: match.maxRelease };
  for (const { field, column } of [...BY_UID, ...BY_NAME]) {
    const value = match.selection[field];
    if (!Array.isArray(value) || conditions.some((condition) => condition.startsWith(column))) continue;
    conditions.push(`${column} = $${field}`);
    const [first] = value;
    parameters[field] = typeof first === 'string' ? first : '';
  }
  const rows = await session.rows(
    `SELECT ${PARTS} FROM carrel.ranges WHERE ${conditions.join(' AND ')} AND $last::BIGINT BETWEEN carrel_min AND carrel_max GROUP BY ALL`,
    parameters,
  );
  return { ...merge(tables, match.level, match.value, rows, selection, false), minRelease: match.minRelease };
}

async function matchVersion(session: Session, tables: OpenTables, uuid: string): Promise<BareMatch[]> {
  const rows = await session.rows(
    `SELECT ${PARTS}, carrel_current AS newest FROM carrel.versions WHERE crdc_series_uuid = $uuid GROUP BY ALL`,
    { uuid },
  );
  return matchUuid(tables, uuid, rows);
}

/** The match of a uuid from groups of rows. */
export function matchUuid(tables: ReleaseOf, uuid: string, rows: Row[]): BareMatch[] {
  const [row] = rows;
  if (row === undefined) return [];
  const current = Number(row['first']) <= tables.release && tables.release <= Number(row['last']);
  return [merge(tables, 'version', uuid, rows, { crdcSeriesUuid: [uuid] }, current)];
}

async function matchDoi(session: Session, tables: OpenTables, doi: string): Promise<BareMatch[]> {
  const rows = await session.rows(
    `SELECT ${PARTS}, source_DOI AS published FROM carrel.series WHERE lower(source_DOI) = $doi GROUP BY ALL ORDER BY collection_id`,
    { doi },
  );
  if (rows.length === 0) return [];
  const published = [...new Set(rows.map((row) => String(row['published'])))];
  return [merge(tables, 'dataset', doi, rows, { doi: published }, true)];
}

function merge(
  tables: ReleaseOf,
  level: MatchLevel,
  value: string,
  rows: Row[],
  selection: Selection,
  current: boolean,
): BareMatch {
  const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name] ?? 0), 0);
  const collections = [...new Set(rows.map((row) => String(row['collection_id'])))];
  return {
    level,
    value,
    collection_id: collections.length === 1 ? (collections[0] ?? null) : null,
    collections,
    patients: sum('patients'),
    studies: sum('studies'),
    series: sum('series'),
    instances: sum('instances'),
    bytes: sum('bytes'),
    current,
    minRelease: rows.reduce((least, row) => Math.min(least, Number(row['first'])), tables.tablesRelease),
    maxRelease: rows.reduce((most, row) => Math.max(most, Number(row['last'])), 0),
    selection,
  };
}
