/**
 * A selection as SQL: every value bound, every field checked against what the catalogue really holds, so that a typing
 * error is a note with the nearest values and never a silent nothing.
 */
import { CarrelError } from '../errors.ts';
import { prepareDraw, ROW_ORDER } from './draw.ts';
import type { Parameters, Session } from './engine.ts';
import { guardCondition } from './guard.ts';
import { releaseNumber } from './layout.ts';
import type { OpenTables } from './open-tables.ts';
import { FORMERLY } from './renamed.ts';
import type { Selection, SelectionNote } from './rows.ts';
import { FIELD_COLUMNS, type SelectionField } from './selection-fields.ts';
import { materialiseSql } from './selection-sql.ts';
import { matchValues } from './selection-values.ts';
import { datasetsOfWords } from './words.ts';

export { ROW_ORDER };

const FIELDS = Object.keys(FIELD_COLUMNS) as SelectionField[];

/** A selection ready to be asked: `SELECT … FROM ${from}`; valid on the session that it was made on. */
export interface CompiledSelection {
  /** A relation with the columns of `carrel.series`. */
  from: string;
  /** True where its rows come in the order of answers by themselves. */
  ordered: boolean;
  /** Order of the answer, where it is not `ROW_ORDER`. */
  order?: string | undefined;
  /** Columns that the selection adds to the published ones: `split`. */
  added?: string[] | undefined;
  parameters: Parameters;
  notes: SelectionNote[];
}

/** Up to so many values of a field are compared one by one. */
const FEW = 32;

/**
 * Compiles a selection on a session. Throws `sql` for conditions and statements that are not, `usage` for numbers that
 * make no sense.
 */
export async function compileSelection(
  session: Session,
  tables: OpenTables,
  selection: Selection,
): Promise<CompiledSelection> {
  checkRelease(tables, selection);
  const draw = prepareDraw(tables, selection);
  const notes: SelectionNote[] = [];
  const parameters: Parameters = {};
  const known: string[] = [];
  const unknownToPrior: string[] = [];
  const named =
    selection.sql === undefined ? undefined : await materialiseSql(session, selection.sql, tables);
  // A version that was named by its uuid is that version, whatever the current release is.
  const anyRelease =
    tables.releaseAsked === false &&
    selection.release === undefined &&
    (selection.crdcSeriesUuid !== undefined || named?.column === 'crdc_series_uuid');
  const relation = anyRelease ? 'carrel.versions' : 'carrel.series';
  let ordered = tables.sorted && !anyRelease && named === undefined && draw.keepsOrder;

  for (const field of FIELDS) {
    const values = selection[field];
    if (values === undefined) continue;
    const column = FIELD_COLUMNS[field];
    const formerly: string[] = [];
    const matched = await matchValues(session, tables, relation, field, values, notes, formerly);
    parameters[field] = matched;
    // A filter keeps the order of the rows, a join with a list does not; for many values the join is faster.
    const few = matched.length <= FEW;
    if (!few) ordered = false;
    let condition = few ? `list_contains($${field}, ${column})` : `${column} IN (SELECT unnest($${field}))`;
    if (formerly.length > 0) {
      ordered = false;
      parameters['formerCollections'] = formerly;
      condition = `(${condition} OR ${FORMERLY})`;
    }
    (isPriorColumn(tables, column) ? known : unknownToPrior).push(condition);
  }
  if (named !== undefined) known.push(`${named.column} IN (SELECT id FROM ${named.table})`);
  if (selection.words !== undefined) {
    const found = await datasetsOfWords(session, tables, selection.words);
    notes.push(...found.notes);
    parameters['wordCollections'] = found.collections;
    parameters['wordResults'] = found.analysisResults;
    known.push(
      '(list_contains($wordCollections, collection_id) OR list_contains($wordResults, analysis_result_id))',
    );
  }
  for (const condition of selection.where ?? []) {
    await guardCondition(session, condition, tables);
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
  const { sql, order } = draw.apply(base, parameters, ordered);
  return { from: `(${sql})`, ordered, order, added: draw.added, parameters, notes };
}

function checkRelease(tables: OpenTables, selection: Selection): void {
  if (selection.release === undefined || selection.release === 'current') return;
  const number = releaseNumber(tables.archive, selection.release);
  if (number === tables.release) return;
  throw new CarrelError('internal', `a selection of v${number} reached the tables of v${tables.release}`);
}

/** True where superseded versions have that column too. */
function isPriorColumn(tables: OpenTables, column: string): boolean {
  return tables.relations.priorColumns.includes(column);
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
