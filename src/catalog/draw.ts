/**
 * Which rows of a selection are taken, and in which order: sample, split, order, limit. Everything is decided by MD5 of
 * a seed and published identifiers, so that it is the same on every machine, with any number of threads, and years later.
 */
import { CarrelError } from '../errors.ts';
import { columnSql } from './columns.ts';
import { literal, type Parameters } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import type { Selection, SortKey, SplitPart } from './rows.ts';

/** Order of rows everywhere: stable, and the one in which the tables are published. */
export const ROW_ORDER = 'collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid';

/** Name of the column that a split adds. */
export const SPLIT_COLUMN = 'split';

/** What is to be drawn, checked. */
export interface Draw {
  /** False where rows do not come in `ROW_ORDER` of themselves. */
  keepsOrder: boolean;
  /** Columns that it adds. */
  added: string[];
  /** Puts it around a SELECT; binds what it needs. `ordered`: the SELECT gives its rows in `ROW_ORDER`. */
  apply(base: string, parameters: Parameters, ordered: boolean): { sql: string; order: string | undefined };
}

/** Checks the numbers and names of a selection. Throws `usage`. */
export function prepareDraw(tables: Pick<OpenTables, 'relations'>, selection: Selection): Draw {
  const { sample, sampleBy = 'patient', split, limit } = selection;
  for (const [name, value] of Object.entries({ limit, sample })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw usage(
      `${name} must be a whole number of at least 1, not ${value}`,
      String(value),
      `for example --${name} 10`,
    );
  }
  if (sampleBy !== 'patient' && sampleBy !== 'series') {
    throw usage(`a sample is drawn by patient or by series, not by ${String(sampleBy)}`, String(sampleBy));
  }
  const added = split === undefined ? [] : [SPLIT_COLUMN];
  if (split !== undefined) checkSplit(tables, split);
  const order = selection.order?.length ? orderBy(tables, selection.order, added) : undefined;
  return {
    added,
    keepsOrder: sample === undefined && order === undefined,
    apply(base, parameters, ordered) {
      if (sample !== undefined || split !== undefined) parameters['seed'] = String(selection.seed ?? 0);
      let sql = base;
      if (sample !== undefined)
        sql = sampleBy === 'series' ? drawSeries(sql, sample) : drawPatients(sql, sample);
      if (split !== undefined) sql = withSplit(sql, split);
      if (limit !== undefined) {
        sql = `SELECT * FROM (${sql})${ordered ? '' : ` ORDER BY ${order ?? ROW_ORDER}`} LIMIT ${limit}`;
      }
      return { sql, order };
    },
  };
}

/** Whole patients: those with the smallest digests. */
function drawPatients(base: string, sample: number): string {
  const drawn = `SELECT collection_id, PatientID FROM (${base}) GROUP BY collection_id, PatientID
      ORDER BY md5(concat_ws(chr(31), $seed, collection_id, PatientID)), collection_id, PatientID LIMIT ${sample}`;
  return `SELECT * FROM (${base}) WHERE (collection_id, PatientID) IN (${drawn})`;
}

/** Single series: a new version of a series does not change whether it is drawn. */
function drawSeries(base: string, sample: number): string {
  return `SELECT * FROM (${base}) ORDER BY md5(concat_ws(chr(31), $seed, SeriesInstanceUID)), SeriesInstanceUID, crdc_series_uuid LIMIT ${sample}`;
}

/** 52 bits: whole numbers that JavaScript and the engine hold alike. */
const RANGE = 2 ** 52;

/**
 * The part depends on seed, collection and patient alone, so a patient keeps its part whatever is added to the archive
 * or left out of the selection. The word in the digest keeps it independent of `sample`: otherwise the patients drawn
 * first would all be in the first part.
 */
function withSplit(base: string, parts: readonly SplitPart[]): string {
  let sum = 0;
  const cases = parts.slice(0, -1).map(({ name, share }) => {
    sum += share;
    return `WHEN carrel_draw < ${Math.round(sum * RANGE)} THEN ${literal(name)}`;
  });
  const last = literal(parts.at(-1)?.name ?? '');
  const part = cases.length === 0 ? last : `CASE ${cases.join(' ')} ELSE ${last} END`;
  return `SELECT * EXCLUDE (carrel_draw), ${part} AS ${SPLIT_COLUMN} FROM (
      SELECT *, ('0x' || left(md5(concat_ws(chr(31), 'split', $seed, collection_id, PatientID)), 13))::BIGINT AS carrel_draw FROM (${base}))`;
}

function checkSplit(tables: Pick<OpenTables, 'relations'>, parts: readonly SplitPart[]): void {
  const example = 'for example train=0.8,val=0.1,test=0.1';
  if (tables.relations.columns.some((name) => name.toLowerCase() === SPLIT_COLUMN)) {
    throw usage('this archive has a column of its own called split', SPLIT_COLUMN, 'ask without a split');
  }
  if (parts.length === 0) throw usage('a split needs parts', '', example);
  for (const { name, share } of parts) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw usage(`${JSON.stringify(name)} is no name of a part: letters, digits, _ and -`, name, example);
    }
    if (!(share > 0 && share <= 1)) {
      throw usage(`the share of ${name} must be above 0 and at most 1, not ${share}`, String(share), example);
    }
  }
  if (new Set(parts.map(({ name }) => name)).size !== parts.length) {
    throw usage(
      'two parts of the split have the same name',
      parts.map(({ name }) => name).join(','),
      example,
    );
  }
  const sum = parts.reduce((all, { share }) => all + share, 0);
  if (Math.abs(sum - 1) > 1e-9) {
    throw usage(
      `the shares of a split add up to 1, these to ${Number(sum.toPrecision(10))}`,
      String(sum),
      example,
    );
  }
}

/** The order asked for, then the usual one, so that equal values have an order too. */
function orderBy(
  tables: Pick<OpenTables, 'relations'>,
  keys: readonly SortKey[],
  added: readonly string[],
): string {
  const asked = keys.map(
    ({ column, descending }) =>
      `${columnSql(tables, column, added)} ${descending === true ? 'DESC' : 'ASC'} NULLS LAST`,
  );
  return `${asked.join(', ')}, ${ROW_ORDER}`;
}

function usage(message: string, item: string, next?: string): CarrelError {
  return new CarrelError('usage', message, { item, next });
}
