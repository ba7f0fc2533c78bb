/**
 * A selection as SQL: every value bound, every field checked against what the catalogue really holds, so that a typing
 * error is a note with the nearest values and never a silent nothing.
 */
import { CarrelError } from '../errors.ts';
import { type Parameters, quoted, type Session } from './engine.ts';
import { guardCondition } from './guard.ts';
import { releaseNumber } from './layout.ts';
import { allowsCommercialUse } from './license-policy.ts';
import type { OpenTables } from './open-tables.ts';
import type { Selection, SelectionNote } from './rows.ts';
import { FIELD_COLUMNS } from './selection-fields.ts';
import { materialiseSql } from './selection-sql.ts';
import { suggestValues } from './suggest.ts';

type Field = keyof typeof FIELD_COLUMNS;
const FIELDS = Object.keys(FIELD_COLUMNS) as Field[];

/** A selection ready to be asked: `SELECT … FROM ${from}`; valid on the session that it was made on. */
export interface CompiledSelection {
  /** A relation with the columns of `carrel.series`. */
  from: string;
  /** True where its rows come in the order of answers by themselves. */
  ordered: boolean;
  parameters: Parameters;
  notes: SelectionNote[];
}

/** Up to so many values of a field are compared one by one. */
const FEW = 32;

/** Order of rows everywhere: stable, and the one in which the tables are published. */
export const ROW_ORDER = 'collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid';

/**
 * Compiles a selection on a session. Throws `sql` for conditions and statements that are not, `usage` for numbers that
 * make no sense.
 */
export async function compileSelection(
  session: Session,
  tables: OpenTables,
  selection: Selection,
): Promise<CompiledSelection> {
  checkNumbers(tables, selection);
  const notes: SelectionNote[] = [];
  const parameters: Parameters = {};
  const known: string[] = [];
  const unknownToPrior: string[] = [];
  const named = selection.sql === undefined ? undefined : await materialiseSql(session, selection.sql);
  // A version that was named by its uuid is that version, whatever the current release is.
  const anyRelease =
    tables.releaseAsked === false &&
    selection.release === undefined &&
    (selection.crdcSeriesUuid !== undefined || named?.column === 'crdc_series_uuid');
  const relation = anyRelease ? 'carrel.versions' : 'carrel.series';
  let ordered = tables.sorted && !anyRelease && named === undefined && selection.sample === undefined;

  for (const field of FIELDS) {
    const values = selection[field];
    if (values === undefined) continue;
    const column = FIELD_COLUMNS[field];
    const matched = await matchValues(session, tables, relation, field, values, notes);
    parameters[field] = matched;
    // A filter keeps the order of the rows, a join with a list does not; for many values the join is faster.
    const few = matched.length <= FEW;
    if (!few) ordered = false;
    const condition = few ? `list_contains($${field}, ${column})` : `${column} IN (SELECT unnest($${field}))`;
    (isPriorColumn(tables, column) ? known : unknownToPrior).push(condition);
  }
  if (named !== undefined) known.push(`${named.column} IN (SELECT id FROM ${named.table})`);
  for (const condition of selection.where ?? []) {
    await guardCondition(session, condition);
    unknownToPrior.push(`(${condition}\n)`);
    if (/\b(select|from|values|table)\b/i.test(condition)) ordered = false;
  }
  if (selection.analysisResults === 'exclude') known.push('analysis_result_id IS NULL');
  if (selection.analysisResults === 'only') unknownToPrior.push('analysis_result_id IS NOT NULL');

  const where = [...known, ...unknownToPrior];
  const base = `SELECT * FROM ${relation}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`;
  if (named !== undefined) notes.push(...(await namedNotes(session, named, relation)));
  if (selection.patient !== undefined) await noteSharedPatients(session, base, parameters, notes);
  if (tables.derived || anyRelease)
    await noteUnknownAttributes(
      session,
      tables,
      relation,
      known,
      unknownToPrior,
      selection,
      parameters,
      notes,
    );
  return { from: `(${cut(base, selection, parameters, ordered)})`, ordered, parameters, notes };
}

function checkNumbers(tables: OpenTables, selection: Selection): void {
  for (const [name, value] of Object.entries({ limit: selection.limit, sample: selection.sample })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new CarrelError('usage', `${name} must be a whole number of at least 1, not ${value}`, {
      item: String(value),
      next: `for example --${name} 10`,
    });
  }
  if (selection.release === undefined || selection.release === 'current') return;
  const number = releaseNumber(tables.archive, selection.release);
  if (number === tables.release) return;
  throw new CarrelError('internal', `a selection of v${number} reached the tables of v${tables.release}`);
}

/** True where superseded versions have that column too. */
function isPriorColumn(tables: OpenTables, column: string): boolean {
  return tables.relations.priorColumns.includes(column);
}

/** Sample of patients and limit, both the same on every machine. */
function cut(base: string, selection: Selection, parameters: Parameters, ordered: boolean): string {
  let sql = base;
  if (selection.sample !== undefined) {
    parameters['seed'] = String(selection.seed ?? 0);
    const drawn = `SELECT collection_id, PatientID FROM (${base}) GROUP BY collection_id, PatientID
      ORDER BY md5(concat_ws(chr(31), $seed, collection_id, PatientID)), collection_id, PatientID LIMIT ${selection.sample}`;
    sql = `SELECT * FROM (${base}) WHERE (collection_id, PatientID) IN (${drawn})`;
  }
  if (selection.limit === undefined) return sql;
  return `SELECT * FROM (${sql})${ordered ? '' : ` ORDER BY ${ROW_ORDER}`} LIMIT ${selection.limit}`;
}

/** The values of a field that are there, as published; notes for all that differ, are elsewhere or are nowhere. */
async function matchValues(
  session: Session,
  tables: OpenTables,
  relation: string,
  field: Field,
  values: string[],
  notes: SelectionNote[],
): Promise<string[]> {
  const column = FIELD_COLUMNS[field];
  const asked = [...new Set(field === 'license' ? await expandLicenses(session, relation, values) : values)];
  const lookup = async (from: string, list: string[], ignoringCase: boolean) => {
    const side = ignoringCase ? `lower(${quoted(column)})` : quoted(column);
    const rows = await session.rows(
      `SELECT DISTINCT ${quoted(column)} AS v FROM ${from} WHERE ${side} IN (SELECT unnest($list))`,
      {
        list: ignoringCase ? list.map((value) => value.toLowerCase()) : list,
      },
    );
    return rows.map((row) => String(row['v']));
  };
  const exact = await lookup(relation, asked, false);
  const found = new Set(exact);
  let left = asked.filter((value) => !found.has(value));
  if (left.length === 0) return exact;

  const matched = [...exact];
  const folded = await lookup(relation, left, true);
  for (const value of left) {
    const same = folded.filter((real) => real.toLowerCase() === value.toLowerCase());
    if (same.length === 0) continue;
    matched.push(...same);
    notes.push({ field, value, message: `${value} → ${same.join(', ')}`, suggestions: same, unknown: false });
  }
  left = left.filter((value) => !folded.some((real) => real.toLowerCase() === value.toLowerCase()));
  if (left.length === 0) return matched;

  const elsewhere =
    relation === 'carrel.versions' || !(tables.relations.hasPrior || tables.derived)
      ? []
      : await elsewhereNotes(session, tables, field, left);
  notes.push(...elsewhere);
  for (const value of left) {
    if (elsewhere.some((note) => note.value === value)) continue;
    const suggestions = await suggestValues(session, tables, column, value);
    const hint = suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(', ')}?`;
    notes.push({
      field,
      value,
      message: `${value} is nowhere in the catalogue${hint}`,
      suggestions,
      unknown: true,
    });
  }
  return matched;
}

/** `commercial` stands for every licence of the catalogue that allows commercial use. */
async function expandLicenses(session: Session, relation: string, values: string[]): Promise<string[]> {
  if (!values.includes('commercial')) return values;
  const rows = await session.rows(
    `SELECT DISTINCT license_short_name AS v FROM ${relation} WHERE license_short_name IS NOT NULL`,
  );
  const allowed = rows.map((row) => String(row['v'])).filter(allowsCommercialUse);
  return [...values.filter((value) => value !== 'commercial'), ...allowed];
}

/** Notes for values that the catalogue knows, but not in this release. */
async function elsewhereNotes(
  session: Session,
  tables: OpenTables,
  field: Field,
  values: string[],
): Promise<SelectionNote[]> {
  const column = quoted(FIELD_COLUMNS[field]);
  const rows = await session.rows(
    `SELECT ${column} AS v, min(carrel_min) AS first, max(carrel_max) AS last FROM carrel.versions
     WHERE lower(${column}) IN (SELECT unnest($list)) GROUP BY 1 ORDER BY 1`,
    { list: values.map((value) => value.toLowerCase()) },
  );
  const prefix = tables.archive.catalog.releasePrefix;
  return values.flatMap((value) => {
    const row = rows.find((candidate) => String(candidate['v']).toLowerCase() === value.toLowerCase());
    if (row === undefined) return [];
    const [first, last] = [Number(row['first']), Number(row['last'])];
    const when = first === last ? `${prefix}${first}` : `between ${prefix}${first} and ${prefix}${last}`;
    const message = `${row['v']} is not in ${prefix}${tables.release}; it was ${when}`;
    return [{ field, value, message, suggestions: [`--release ${prefix}${last}`], unknown: false }];
  });
}

/** A PatientID is unique only in its collection: 89 of IDC's belong to two. */
async function noteSharedPatients(
  session: Session,
  base: string,
  parameters: Parameters,
  notes: SelectionNote[],
): Promise<void> {
  const rows = await session.rows(
    `SELECT PatientID, list(DISTINCT collection_id ORDER BY collection_id) AS collections FROM (${base})
     GROUP BY 1 HAVING count(DISTINCT collection_id) > 1 ORDER BY 1 LIMIT 20`,
    parameters,
  );
  for (const row of rows) {
    const collections = row['collections'] as string[];
    notes.push({
      field: 'patient',
      value: String(row['PatientID']),
      message: `patient ${row['PatientID']} is in ${collections.length} collections, all are selected: ${collections.join(', ')}`,
      suggestions: collections.map((id) => `--collection ${id}`),
      unknown: false,
    });
  }
}

/** What a statement named that is no series here. */
async function namedNotes(
  session: Session,
  named: { table: string; column: string; count: number },
  relation: string,
): Promise<SelectionNote[]> {
  const [row] = await session.rows(
    `SELECT count(*) AS n FROM ${named.table} WHERE id NOT IN (SELECT ${named.column} FROM ${relation} WHERE ${named.column} IN (SELECT id FROM ${named.table}))`,
  );
  const missing = Number(row?.['n'] ?? 0);
  if (missing === 0) return [];
  const message = `${missing} of the ${named.count} ${named.column} of the SQL answer are no series of this release`;
  return [{ field: 'sql', value: named.column, message, suggestions: [], unknown: false }];
}

/** Superseded versions have seven known attributes; a filter on any other one leaves them out, and says so. */
async function noteUnknownAttributes(
  session: Session,
  tables: OpenTables,
  relation: string,
  known: string[],
  unknown: string[],
  selection: Selection,
  parameters: Parameters,
  notes: SelectionNote[],
): Promise<void> {
  const excluding = selection.analysisResults === 'exclude';
  if (unknown.length === 0 && !excluding) return;
  const conditions = ['NOT carrel_current', ...known];
  const left = unknown.length === 0 ? '' : ` AND (${unknown.join(' AND ')}) IS NULL`;
  const [row] = await session.rows(
    `SELECT count(*) AS n FROM ${relation} WHERE ${conditions.join(' AND ')}${left}`,
    parameters,
  );
  const count = Number(row?.['n'] ?? 0);
  if (count === 0) return;
  const name = `${tables.archive.catalog.releasePrefix}${tables.release}`;
  const kept = excluding && unknown.length === 0;
  notes.push({
    field: 'release',
    value: name,
    message: `${count} superseded series versions have attributes that the tables of ${tables.version} do not give (${kept ? 'whether they are analysis results; they are kept' : 'so these conditions cannot be decided for them; they are left out'})`,
    suggestions: [`install the tables of ${name} itself: carrel catalog update --version VERSION`],
    unknown: false,
  });
}
