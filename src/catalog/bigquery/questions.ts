/** Questions about a selection as statements: how much, how much per value, which series. */
import { CarrelError } from '../../errors.ts';
import { BYTES_COLUMN } from '../columns.ts';
import type { Selection } from '../rows.ts';
import { seriesColumns } from '../series-rows.ts';
import { type Grouping, groupSortName } from '../summary.ts';
import {
  type BigQuerySelection,
  columnOf,
  compileSelection,
  statementOf,
  type WordDatasets,
} from './compile-selection.ts';
import { BYTES_NAME, type DataSet } from './data-set.ts';
import { quoted } from './google-sql.ts';
import { RELATIONS } from './relations.ts';
import { SERIES_COLUMNS } from './series-columns.ts';

/** A statement, and the names of what it answers. */
export interface Statement {
  sql: string;
  /** Columns counted by, or listed. */
  names: string[];
  /** How many of the columns listed were asked for; they come first. */
  published?: number;
  /** Columns added up: the answer's columns `sum_0`, `sum_1`, … */
  sums: string[];
}

/** A question about a selection. */
export type Question = { selection: Selection } & (
  | { kind: 'count'; sums?: readonly string[] | undefined }
  | ({ kind: 'groups' } & Grouping)
  | { kind: 'series'; columns?: string[] | undefined }
);

/** Amounts have a prefix: an answer may be counted by columns of the same names. */
const AMOUNT = `COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(${BYTES_NAME}), 0) AS amount_bytes`;
const AMOUNT_COLUMNS = ['collection_id', 'PatientID', 'StudyInstanceUID', 'instanceCount', BYTES_NAME];

/** Compiles a question. Throws `usage` for columns that are not there, `sql` for what is no condition. */
export function compileQuestion(set: DataSet, question: Question, words?: WordDatasets): Statement {
  const selection = compileSelection(question.selection, words);
  if (question.kind === 'count') return compileCount(set, selection, question.sums ?? []);
  if (question.kind === 'groups') return compileGroups(set, selection, question);
  return compileSeries(set, selection, question.columns);
}

function compileCount(set: DataSet, selection: BigQuerySelection, columns: readonly string[]): Statement {
  const sums = sumsOf(columns, selection.needed);
  for (const column of AMOUNT_COLUMNS) selection.needed.add(column);
  const question = `SELECT COUNT(DISTINCT collection_id) AS collections,\n  ${AMOUNT}${sums.list}\nFROM ${selection.from}`;
  return { sql: statementOf(set, selection, question), names: [], sums: sums.names };
}

function compileGroups(set: DataSet, selection: BigQuerySelection, grouping: Grouping): Statement {
  if (grouping.columns.length === 0)
    throw new CarrelError('usage', 'no column to count by', { next: 'for example --by Modality' });
  const { needed, added } = selection;
  const sums = sumsOf(grouping.sums ?? [], needed);
  const unique = new Map(
    grouping.columns.map((column) => columnOf(column, added, needed)).map((one) => [one.name, one]),
  );
  const names = [...unique.keys()];
  for (const column of AMOUNT_COLUMNS) needed.add(column);
  const list = [...unique.values()].map(({ name, sql }) => `${sql} AS ${quoted(name)}`).join(', ');
  const order = (grouping.order ?? []).map((key) => {
    const found = groupSortName(key, names, sums.names);
    const name = found.kind === 'amount' ? `amount_${found.name}` : found.name;
    return `${quoted(name)} ${key.descending === true ? 'DESC' : 'ASC'} NULLS LAST`;
  });
  const sorted = [...order, 'amount_series DESC', ...names.map((name) => `${quoted(name)} ASC NULLS LAST`)];
  const limit = grouping.limit === undefined ? '' : `\nLIMIT ${Math.max(0, Math.trunc(grouping.limit))}`;
  const question = `SELECT ${list},\n  ${AMOUNT}${sums.list}\nFROM ${selection.from}
GROUP BY ${names.map((_, at) => at + 1).join(', ')}\nORDER BY ${sorted.join(', ')}${limit}`;
  return { sql: statementOf(set, selection, question), names, sums: sums.names };
}

function compileSeries(set: DataSet, selection: BigQuerySelection, columns: string[] | undefined): Statement {
  const { needed, added } = selection;
  const { names, published } = seriesColumns({ relations: RELATIONS }, columns, added);
  const list = names.map((name) => {
    if (!added.includes(name)) needed.add(name);
    return quoted(name);
  });
  needed.add(BYTES_NAME);
  for (const column of ['collection_id', 'PatientID', 'StudyInstanceUID']) needed.add(column);
  const question = `SELECT ${[...list, BYTES_NAME].join(', ')}\nFROM ${selection.from}\nORDER BY ${selection.order}`;
  return { sql: statementOf(set, selection, question), names, published, sums: [] };
}

function sumsOf(columns: readonly string[], needed: Set<string>): { list: string; names: string[] } {
  const found = columns.map((column) => columnOf(column, [], needed));
  const list = found.map(({ name, sql }, at) => {
    const type = name === BYTES_COLUMN ? 'BIGINT' : (SERIES_COLUMNS[name]?.type ?? 'VARCHAR');
    if (type === 'BIGINT') return `, SUM(${sql}) AS sum_${at}`;
    // Whole numbers of millionths add up the same in any order.
    if (type === 'DOUBLE') return `, SUM(CAST(ROUND(${sql} * 1000000) AS INT64)) / 1000000 AS sum_${at}`;
    throw new CarrelError('usage', `${name} is ${type}, not a number: it cannot be added up`, {
      item: name,
      next: `columns of numbers: ${[BYTES_COLUMN, ...numberColumns()].join(', ')}`,
    });
  });
  return { list: list.join(''), names: found.map(({ name }) => name) };
}

function numberColumns(): string[] {
  return Object.entries(SERIES_COLUMNS)
    .filter(([, { type }]) => type !== 'VARCHAR')
    .map(([name]) => name);
}
