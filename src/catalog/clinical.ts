/**
 * Clinical tables: the SQL schema `clinical`. Which there are and what their columns and values mean is said by
 * `clinical_index`; each table's columns are its own, always with `dicom_patient_id`, which is `PatientID` of `index`.
 */
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';

/** Beginning of the name of a clinical table. */
export const CLINICAL = 'clinical.';

/** What the dictionary says of a column. */
export interface ClinicalColumn {
  name: string;
  label: string;
  /** All values with their meanings; empty where there are many, or where they speak for themselves. */
  values: { code: string; description: string }[];
}

/** A clinical table as the dictionary knows it. */
export interface ClinicalTable {
  /** Without `clinical.`. */
  name: string;
  collection: string;
  columns: number;
}

function hasDictionary(tables: OpenTables): boolean {
  return tables.content.tables.some(({ name }) => name === 'clinical_index');
}

/** Clinical tables that the dictionary names, by name; none where it is not installed. */
export async function clinicalTables(session: Session, tables: OpenTables): Promise<ClinicalTable[]> {
  if (!hasDictionary(tables)) return [];
  const rows = await session
    .rows(
      `SELECT short_table_name AS name, min(collection_id) AS collection, count(DISTINCT "column") AS columns
       FROM main.clinical_index GROUP BY 1 ORDER BY 1`,
    )
    // A dictionary of another form says nothing of tables.
    .catch(() => []);
  return rows
    .filter((row) => typeof row['name'] === 'string')
    .map((row) => ({
      name: String(row['name']),
      collection: String(row['collection'] ?? ''),
      columns: Number(row['columns'] ?? 0),
    }));
}

/** What the dictionary says of the columns of one table (without `clinical.`), in its order. */
export async function clinicalColumns(
  session: Session,
  tables: OpenTables,
  table: string,
): Promise<ClinicalColumn[]> {
  if (!hasDictionary(tables)) return [];
  const rows = await session
    .rows(
      `SELECT "column" AS name, column_label AS label, "values" AS options FROM main.clinical_index
       WHERE lower(short_table_name) = lower($table)`,
      { table },
    )
    .catch(() => []);
  return rows.map((row) => ({
    name: String(row['name']),
    label: String(row['label'] ?? ''),
    values: optionsOf(row['options']),
  }));
}

function optionsOf(list: unknown): ClinicalColumn['values'] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((option: unknown) => {
    if (typeof option !== 'object' || option === null) return [];
    const { option_code: code, option_description: description } = option as Record<string, unknown>;
    return code === null || code === undefined
      ? []
      : [{ code: String(code), description: String(description ?? '') }];
  });
}
