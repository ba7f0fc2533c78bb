/** Counting: how much a selection is, per value of a column, per licence. Patients are counted per collection. */
import { CarrelError } from '../errors.ts';
import type { SelectionOrUuids } from './catalog.ts';
import { answerColumn, columnSql, sumSql } from './columns.ts';
import { type Parameters, quoted, type Row, type Session } from './engine.ts';
import { licenseTerms } from './license-policy.ts';
import { nearest } from './nearest.ts';
import type { OpenTables } from './open-tables.ts';
import type { SelectionNote, SortKey } from './rows.ts';
import { type CompiledSelection, compileSelection } from './selection.ts';
import { textOf } from './values.ts';

/** How much there is. */
export interface Amount {
  /** Distinct pairs of collection and PatientID: a PatientID alone names 89 people of IDC twice. */
  patients: number;
  studies: number;
  series: number;
  /** Files, where known. */
  instances: number;
  /** Exact whole bytes unless `seriesRounded` says otherwise. */
  bytes: number;
  /** Series whose number of files no table gives (superseded versions). */
  seriesWithoutInstances: number;
  /** Series whose size is rounded to 10 kB. */
  seriesRounded: number;
}

/** Answer of `count`. */
export interface Counts extends Amount {
  collections: number;
  /** Sum per column asked for: whole numbers beyond 2^53 as text; null where no row has a value. */
  sums?: Record<string, number | string | null>;
  notes: SelectionNote[];
}

/** One row of `groupBy`. */
export interface GroupRow extends Amount {
  /** Value per column asked for; null where the archive has none. */
  values: Record<string, unknown>;
  /** Sum per column asked for. */
  sums?: Record<string, number | string | null>;
}

/** Options of `count`. */
export interface CountOptions {
  signal?: AbortSignal | undefined;
  /** Columns of numbers to add up. */
  sums?: string[] | undefined;
}

/** Options of `groupBy`. */
export interface GroupOptions extends CountOptions {
  /** By columns of the answer; default: largest number of series first. */
  order?: SortKey[] | undefined;
  /** At most that many rows. */
  limit?: number | undefined;
}

/** How much there is under one licence. */
export interface LicenseShare extends Amount {
  /** Short name as published; null where the tables do not say. */
  license: string | null;
  /** By `allowsCommercialUse`. */
  commercial: boolean;
  /** Why commercial use is allowed or not. */
  why: string;
  collections: number;
}

const AMOUNT = `count(DISTINCT hash(collection_id, PatientID)) AS patients, count(DISTINCT hash(StudyInstanceUID)) AS studies,
  count(*) AS series, coalesce(sum(instanceCount), 0)::BIGINT AS instances, coalesce(sum(carrel_bytes), 0)::BIGINT AS bytes,
  count(*) FILTER (instanceCount IS NULL) AS seriesWithoutInstances, count(*) FILTER (carrel_rounded) AS seriesRounded`;

function amountOf(row: Row): Amount {
  const number = (name: string) => Number(row[name] ?? 0);
  return {
    patients: number('patients'),
    studies: number('studies'),
    series: number('series'),
    instances: number('instances'),
    bytes: number('bytes'),
    seriesWithoutInstances: number('seriesWithoutInstances'),
    seriesRounded: number('seriesRounded'),
  };
}

/** Compiles a selection, or a list of uuids of any release. */
export async function compileEither(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
): Promise<CompiledSelection> {
  if (!isUuids(what)) return compileSelection(session, tables, what);
  const parameters: Parameters = { uuids: what.map((uuid) => uuid.toLowerCase()) };
  return {
    from: '(SELECT * FROM carrel.versions WHERE crdc_series_uuid IN (SELECT unnest($uuids)))',
    parameters,
    ordered: false,
    notes: [],
  };
}

function isUuids(what: SelectionOrUuids): what is readonly string[] {
  return Array.isArray(what);
}

/** Counts of a selection. */
export async function countSelection(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
  sums: readonly string[] = [],
): Promise<Counts> {
  const wanted = sums.map((column) => sumSql(tables, column));
  const { from, parameters, notes } = await compileEither(session, tables, what);
  const [row = {}] = await session.rows(
    `SELECT count(DISTINCT collection_id) AS collections, ${AMOUNT}${sumList(wanted)} FROM ${from}`,
    parameters,
  );
  return {
    collections: Number(row['collections'] ?? 0),
    ...amountOf(row),
    ...sumsOf(row, wanted),
    notes,
  };
}

/** What to count by. */
export interface Grouping {
  columns: readonly string[];
  sums?: readonly string[] | undefined;
  order?: readonly SortKey[] | undefined;
  limit?: number | undefined;
}

/** A grouping as SQL; the sums come as `sum_0`, `sum_1`, … Throws `usage` for a column that is not there. */
export async function compileGrouping(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
  { columns, sums = [], order = [], limit }: Grouping,
): Promise<{ sql: string; names: string[]; wanted: Sum[]; parameters: Parameters; notes: SelectionNote[] }> {
  if (columns.length === 0)
    throw new CarrelError('usage', 'no column to count by', { next: 'for example --by Modality' });
  const wanted = sums.map((column) => sumSql(tables, column));
  const { from, parameters, notes, added } = await compileEither(session, tables, what);
  const names = [...new Set(columns.map((column) => answerColumn(tables, column, added)))];
  const list = names.map((name) => `${columnSql(tables, name, added)} AS ${quoted(name)}`).join(', ');
  const sorted = [
    ...order.map((key) => sortSql(key, names, wanted)),
    'series DESC',
    ...names.map((name) => `${quoted(name)} NULLS LAST`),
  ];
  const cut = limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.trunc(limit))}`;
  return {
    sql: `SELECT ${list}, ${AMOUNT}${sumList(wanted)} FROM ${from} GROUP BY ${names.map((_, at) => at + 1).join(', ')} ORDER BY ${sorted.join(', ')}${cut}`,
    names,
    wanted,
    parameters,
    notes,
  };
}

/** Counts per value of columns of `index`. Throws `usage` for a column that is not there. */
export async function groupSelection(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
  columns: readonly string[],
  options: Omit<Grouping, 'columns'> = {},
): Promise<{ rows: GroupRow[]; notes: SelectionNote[] }> {
  const grouping = { ...options, columns };
  const { sql, names, wanted, parameters, notes } = await compileGrouping(session, tables, what, grouping);
  const rows = await session.rows(sql, parameters);
  return {
    rows: rows.map((row) => ({
      values: Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
      ...amountOf(row),
      ...sumsOf(row, wanted),
    })),
    notes,
  };
}

/** A column to be added up. */
export interface Sum {
  name: string;
  sql: string;
}

function sumList(wanted: readonly Sum[]): string {
  return wanted.map(({ sql }, at) => `, ${sql} AS sum_${at}`).join('');
}

function sumsOf(row: Row, wanted: readonly Sum[]): { sums?: Record<string, number | string | null> } {
  if (wanted.length === 0) return {};
  const sums = wanted.map(({ name }, at) => [name, (row[`sum_${at}`] ?? null) as number | string | null]);
  return { sums: Object.fromEntries(sums) as Record<string, number | string | null> };
}

const COUNTED = ['patients', 'studies', 'series', 'instances', 'bytes'];

function sortSql(key: SortKey, names: readonly string[], wanted: readonly Sum[]): string {
  const { name } = groupSortName(
    key,
    names,
    wanted.map((sum) => sum.name),
  );
  return `${quoted(name)} ${key.descending === true ? 'DESC' : 'ASC'} NULLS LAST`;
}

/**
 * The column of a grouped answer to sort by: one of those counted by, an amount, or a sum (`sum_0`). Throws `usage`
 * with the nearest names.
 */
export function groupSortName(
  { column }: SortKey,
  names: readonly string[],
  sums: readonly string[],
): { kind: 'value' | 'amount' | 'sum'; name: string } {
  const text = column.toLowerCase();
  const is = (name: string) => name.toLowerCase() === text;
  const value = names.find(is);
  if (value !== undefined) return { kind: 'value', name: value };
  // Answers call a sum `sum_COLUMN`, and tables for people call bytes `size`.
  const amount = COUNTED.find(is) ?? (text === 'size' ? 'bytes' : undefined);
  if (amount !== undefined) return { kind: 'amount', name: amount };
  const sum = sums.findIndex((one) => is(one) || is(`sum_${one}`));
  if (sum >= 0) return { kind: 'sum', name: `sum_${sum}` };
  const all = [...new Set([...names, ...COUNTED, ...sums.map((one) => `sum_${one}`)])];
  const near = nearest(column, all);
  throw new CarrelError('usage', `the answer has no column ${column} to sort by`, {
    item: column,
    next: near.length > 0 ? `did you mean ${near.join(', ')}?` : `its columns are ${all.join(', ')}`,
  });
}

/** A selection by licence, largest first. */
export async function licensesOf(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
): Promise<{ licenses: LicenseShare[]; notes: SelectionNote[] }> {
  const { from, parameters, notes } = await compileEither(session, tables, what);
  const rows = await session.rows(
    `SELECT license_short_name, count(DISTINCT collection_id) AS collections, ${AMOUNT} FROM ${from}
     GROUP BY 1 ORDER BY bytes DESC, license_short_name NULLS LAST`,
    parameters,
  );
  return {
    licenses: rows.map((row) => {
      const license = textOf(row['license_short_name']);
      return {
        license,
        ...licenseTerms(license),
        collections: Number(row['collections']),
        ...amountOf(row),
      };
    }),
    notes,
  };
}
