/** Counting: how much a selection is, per value of a column, per licence. Patients are counted per collection. */
import { CarrelError } from '../errors.ts';
import type { SelectionOrUuids } from './catalog.ts';
import { type Parameters, quoted, type Row, type Session } from './engine.ts';
import { allowsCommercialUse } from './license-policy.ts';
import type { OpenTables } from './open-tables.ts';
import type { SelectionNote } from './rows.ts';
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
  notes: SelectionNote[];
}

/** One row of `groupBy`. */
export interface GroupRow extends Amount {
  /** Value per column asked for; null where the archive has none. */
  values: Record<string, unknown>;
}

/** Options of `groupBy`. */
export interface GroupOptions {
  signal?: AbortSignal | undefined;
  /** At most that many rows. */
  limit?: number | undefined;
}

/** How much there is under one licence. */
export interface LicenseShare extends Amount {
  /** Short name as published; null where the tables do not say. */
  license: string | null;
  /** By `allowsCommercialUse`. */
  commercial: boolean;
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
): Promise<Counts> {
  const { from, parameters, notes } = await compileEither(session, tables, what);
  const [row = {}] = await session.rows(
    `SELECT count(DISTINCT collection_id) AS collections, ${AMOUNT} FROM ${from}`,
    parameters,
  );
  return { collections: Number(row['collections'] ?? 0), ...amountOf(row), notes };
}

/** Counts per value of columns of `index`. Throws `not-found` for a column that is not there. */
export async function groupSelection(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
  columns: string[],
  limit?: number,
): Promise<{ rows: GroupRow[]; notes: SelectionNote[] }> {
  const names = columns.map((column) => publishedColumn(tables, column));
  if (names.length === 0)
    throw new CarrelError('usage', 'no column to count by', { next: 'for example --by Modality' });
  const { from, parameters, notes } = await compileEither(session, tables, what);
  const list = names.map(quoted).join(', ');
  const rows = await session.rows(
    `SELECT ${list}, ${AMOUNT} FROM ${from} GROUP BY ${list} ORDER BY series DESC, ${names.map((name) => `${quoted(name)} NULLS LAST`).join(', ')}${limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.trunc(limit))}`}`,
    parameters,
  );
  return {
    rows: rows.map((row) => ({
      values: Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
      ...amountOf(row),
    })),
    notes,
  };
}

/** The published name of a column, whatever case it was written in. Throws `not-found` with the nearest names. */
export function publishedColumn(tables: OpenTables, column: string): string {
  const { columns } = tables.relations;
  const found =
    columns.find((name) => name === column) ??
    columns.find((name) => name.toLowerCase() === column.toLowerCase());
  if (found !== undefined) return found;
  const squash = (name: string) => name.toLowerCase().replaceAll('_', '');
  const near = columns.filter(
    (name) => squash(name).includes(squash(column)) || squash(column).includes(squash(name)),
  );
  throw new CarrelError('not-found', `the table index has no column ${column}`, {
    item: column,
    next: `${near.length > 0 ? `did you mean ${near.slice(0, 5).join(', ')}? ` : ''}carrel catalog schema index lists all`,
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
        commercial: allowsCommercialUse(license),
        collections: Number(row['collections']),
        ...amountOf(row),
      };
    }),
    notes,
  };
}
