/** A selection as steps of one GoogleSQL statement, each a name in its WITH clause. */
import { CarrelError } from '../../errors.ts';
import { answerColumn, BYTES_COLUMN } from '../columns.ts';
import { prepareDraw, SPLIT_COLUMN } from '../draw.ts';
import type { Selection, SortKey, SplitPart } from '../rows.ts';
import { FIELD_COLUMNS, type SelectionField } from '../selection-fields.ts';
import { BYTES_NAME, type DataSet, otherTable, seriesTable, TABLE_NAMES } from './data-set.ts';
import { asksForAll, checkEnclosed, isOneOf, literal, mentionsOf, quoted, type Token } from './google-sql.ts';
import { RELATIONS } from './relations.ts';
import { SERIES_COLUMNS } from './series-columns.ts';

/** Order of rows everywhere; a series has one version in a release, so its uuid adds nothing. */
const ROW_ORDER = 'collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID';
const ORDER_COLUMNS = ['collection_id', 'PatientID', 'StudyInstanceUID', 'SeriesInstanceUID'];

/** What words of a selection name: identifiers of data sets. */
export interface WordDatasets {
  collections: readonly string[];
  analysisResults: readonly string[];
}

/** A selection taken apart, to be put around a question. */
export interface BigQuerySelection {
  /** Steps after the tables, in order: `name AS (…)`. */
  steps: string[];
  /** Name of the last step: what the question is asked of. */
  from: string;
  /** Columns of `index` that the steps read. */
  needed: Set<string>;
  /** Other tables that the user's own text reads. */
  tables: Set<string>;
  /** Columns that the selection adds. */
  added: string[];
  /** What the rows are sorted by. */
  order: string;
}

/** Licences that allow commercial use, as `licenseTerms` reads their short names. */
const COMMERCIAL = (() => {
  const name = "UPPER(TRIM(REGEXP_REPLACE(license_short_name, r'[\\s_-]+', ' ')))";
  return `(REGEXP_CONTAINS(${name}, r'^(CC0|CC BY)\\b') AND NOT REGEXP_CONTAINS(${name}, r'\\bNC\\b'))`;
})();

/** Compiles a selection whose values are those of the data set already. Throws `usage`, `sql`. */
export function compileSelection(selection: Selection, words?: WordDatasets): BigQuerySelection {
  const draw = prepareDraw({ relations: RELATIONS }, selection);
  const needed = new Set<string>(['SeriesInstanceUID']);
  const tables = new Set<string>();
  const conditions: string[] = [];
  for (const field of Object.keys(FIELD_COLUMNS) as SelectionField[]) {
    const values = selection[field];
    if (values === undefined) continue;
    const column = FIELD_COLUMNS[field];
    needed.add(column);
    conditions.push(conditionOf(field, column, values));
  }
  if (words !== undefined) {
    needed.add('collection_id').add('analysis_result_id');
    const { collections, analysisResults } = words;
    conditions.push(
      `(${isOneOf('collection_id', collections)} OR IFNULL(${isOneOf('analysis_result_id', analysisResults)}, FALSE))`,
    );
  }
  if (selection.sql !== undefined) {
    const tokens = checkEnclosed(selection.sql, 'statement');
    for (const column of columnsIn(tokens)) needed.add(column);
    for (const table of tablesIn(tokens)) tables.add(table);
    const column = namingColumn(tokens, selection.sql);
    needed.add(column);
    conditions.push(`${column} IN (SELECT ${column} FROM (\n${selection.sql}\n))`);
  }
  for (const condition of selection.where ?? []) {
    const tokens = checkEnclosed(condition, 'condition');
    for (const column of columnsIn(tokens)) needed.add(column);
    for (const table of tablesIn(tokens)) tables.add(table);
    conditions.push(`(${condition}\n)`);
  }
  if (selection.analysisResults === 'exclude') conditions.push('analysis_result_id IS NULL');
  if (selection.analysisResults === 'only') conditions.push('analysis_result_id IS NOT NULL');
  if (selection.analysisResults !== undefined) needed.add('analysis_result_id');

  const steps: string[] = [];
  let from = 'index';
  const step = (name: string, sql: string) => {
    steps.push(`${name} AS (\n  ${sql}\n)`);
    from = name;
  };
  if (conditions.length > 0) step('selected', `SELECT * FROM index WHERE ${conditions.join('\n    AND ')}`);
  const { sample, sampleBy = 'patient', split, limit } = selection;
  const seed = literal(String(selection.seed ?? 0));
  if (sample !== undefined && sampleBy === 'series') {
    const digest = digestOf([seed, 'SeriesInstanceUID']);
    step('sampled', `SELECT * FROM ${from} ORDER BY ${digest}, SeriesInstanceUID LIMIT ${sample}`);
  } else if (sample !== undefined) {
    needed.add('collection_id').add('PatientID');
    const before = from;
    step(
      'drawn',
      `SELECT collection_id, PatientID FROM ${before} GROUP BY collection_id, PatientID
  ORDER BY ${digestOf([seed, 'collection_id', 'PatientID'])}, collection_id, PatientID LIMIT ${sample}`,
    );
    step('sampled', `SELECT ${before}.* FROM ${before} JOIN drawn USING (collection_id, PatientID)`);
  }
  if (split !== undefined) {
    needed.add('collection_id').add('PatientID');
    step('parted', partedSql(from, split, seed));
  }
  const order = orderBy(selection.order ?? [], draw.added, needed);
  if (limit !== undefined) {
    for (const column of ORDER_COLUMNS) needed.add(column);
    step('limited', `SELECT * FROM ${from} ORDER BY ${order} LIMIT ${limit}`);
  }
  return { steps, from, needed, tables, added: draw.added, order };
}

/** A statement: the tables that it needs, the steps of the selection, and the question asked of the last of them. */
export function statementOf(set: DataSet, selection: BigQuerySelection, question: string): string {
  const parts = [
    ...TABLE_NAMES.flatMap((name) =>
      name === 'index'
        ? [seriesTable(set, selection.needed)]
        : selection.tables.has(name)
          ? [otherTable(set, name)]
          : [],
    ),
    ...selection.steps,
  ];
  const sql = `WITH ${parts.join(',\n')}\n${question}`;
  if (sql.length <= MOST_CHARACTERS) return sql;
  throw new CarrelError(
    'usage',
    `the statement has ${sql.length} characters; BigQuery takes ${MOST_CHARACTERS}`,
    {
      next: 'select by fewer values, or leave out --engine bigquery',
    },
  );
}

/** Longest statement that BigQuery takes, before it looks at parameters (its page of quotas and limits). */
const MOST_CHARACTERS = 1024 * 1024;

function conditionOf(field: SelectionField, column: string, values: readonly string[]): string {
  if (field !== 'license' || !values.includes('commercial')) return isOneOf(column, values);
  const named = values.filter((value) => value !== 'commercial');
  return named.length === 0 ? COMMERCIAL : `(${isOneOf(column, named)} OR ${COMMERCIAL})`;
}

/** Columns of `index` that a text names, or all where it may ask for all. */
export function columnsIn(tokens: readonly Token[]): string[] {
  const all = Object.keys(SERIES_COLUMNS);
  if (asksForAll(tokens)) return all;
  const named = mentionsOf(tokens);
  return all.filter((name) => named.has(name.toLowerCase()));
}

/** Tables of Carrel that a text names and does not define itself, `index` too. */
export function tablesIn(tokens: readonly Token[]): string[] {
  const isOne = (name: string): boolean => (TABLE_NAMES as readonly string[]).includes(name);
  const own = new Set(
    tokens.flatMap(({ text }, at) =>
      tokens[at + 1]?.text.toLowerCase() === 'as' && tokens[at + 2]?.text === '(' ? [text.toLowerCase()] : [],
    ),
  );
  const named = tokens.flatMap(({ kind, text }, at) => {
    const name = text.toLowerCase();
    const whole = (kind === 'word' || kind === 'name') && tokens[at - 1]?.text !== '.';
    return whole && isOne(name) && !own.has(name) ? [name] : [];
  });
  return [...new Set(named)];
}

/** By which column the user's SELECT names series; whether it really has it is for the server to say. */
function namingColumn(tokens: readonly Token[], sql: string): string {
  const named = mentionsOf(tokens);
  if (named.has('crdc_series_uuid')) return 'crdc_series_uuid';
  if (named.has('seriesinstanceuid') || asksForAll(tokens)) return 'SeriesInstanceUID';
  throw new CarrelError('sql', 'the statement names no series', {
    item: sql.slice(0, 200),
    next: 'select crdc_series_uuid (a version) or SeriesInstanceUID (a series)',
  });
}

/** MD5 in hex of parts joined by U+001F, as the installed tables draw by it. */
function digestOf(parts: readonly string[]): string {
  return `TO_HEX(MD5(ARRAY_TO_STRING([${parts.join(', ')}], CHR(31))))`;
}

/** The column `split`; the same bits decide as over the installed tables. */
function partedSql(from: string, parts: readonly SplitPart[], seed: string): string {
  let sum = 0;
  const cases = parts.slice(0, -1).map(({ name, share }) => {
    sum += share;
    return `WHEN carrel_draw < ${Math.round(sum * 2 ** 52)} THEN ${literal(name)}`;
  });
  const last = literal(parts.at(-1)?.name ?? '');
  const part = cases.length === 0 ? last : `CASE ${cases.join(' ')} ELSE ${last} END`;
  const digest = digestOf(["'split'", seed, 'collection_id', 'PatientID']);
  return `SELECT * EXCEPT (carrel_draw), ${part} AS ${SPLIT_COLUMN} FROM (
    SELECT *, CAST(CONCAT('0x', SUBSTR(${digest}, 1, 13)) AS INT64) AS carrel_draw FROM ${from}
  )`;
}

/** A column of an answer: its SQL over the steps. Notes what it needs. Throws `usage`. */
export function columnOf(
  name: string,
  added: readonly string[],
  needed: Set<string>,
): { name: string; sql: string } {
  const found = answerColumn({ relations: RELATIONS }, name, added);
  if (found === BYTES_COLUMN) {
    needed.add(BYTES_NAME);
    return { name: found, sql: BYTES_NAME };
  }
  if (!added.includes(found)) needed.add(found);
  return { name: found, sql: quoted(found) };
}

function orderBy(keys: readonly SortKey[], added: readonly string[], needed: Set<string>): string {
  const asked = keys.map(
    ({ column, descending }) =>
      `${columnOf(column, added, needed).sql} ${descending === true ? 'DESC' : 'ASC'} NULLS LAST`,
  );
  return [...asked, ROW_ORDER].join(', ');
}
