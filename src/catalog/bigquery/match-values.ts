/** Values of a selection against those of the data set: as published, then in any case, then the nearest. */
import { nearest } from '../nearest.ts';
import type { Selection, SelectionNote } from '../rows.ts';
import { FIELD_COLUMNS, type SelectionField } from '../selection-fields.ts';
import { type DataSet, valuesOf } from './data-set.ts';
import { isOneOf, literal } from './google-sql.ts';

/** Runs a statement whose rows are texts. */
export type ReadTexts = (sql: string) => Promise<(string | null)[][]>;

/** Fields whose values are looked for by themselves; of the others everything is known without asking. */
function asked(selection: Selection): [SelectionField, string[]][] {
  return (Object.keys(FIELD_COLUMNS) as SelectionField[]).flatMap((field) => {
    const values = (selection[field] ?? []).filter((value) => field !== 'license' || value !== 'commercial');
    return values.length === 0 ? [] : [[field, [...new Set(values)]] as [SelectionField, string[]]];
  });
}

/**
 * The statement that finds out which values there are, in whatever case; undefined where a selection names none. It
 * reads only the columns of the fields named.
 */
export function valuesStatement(set: DataSet, selection: Selection): string | undefined {
  const fields = asked(selection);
  if (fields.length === 0) return undefined;
  return fields
    .map(([field, values]) => {
      const { sql, from } = valuesOf(set, FIELD_COLUMNS[field]);
      const folded = [...new Set(values.map((value) => value.toLowerCase()))];
      return `SELECT DISTINCT ${literal(field)} AS field, ${sql} AS value FROM ${from}\nWHERE ${isOneOf(`LOWER(${sql})`, folded)}`;
    })
    .join('\nUNION ALL\n');
}

/** Too many or too long to be guessed at. */
const OPAQUE = new Set<SelectionField>(['series', 'study', 'crdcSeriesUuid', 'patient']);

/** The selection with the values that are there, as published, and notes for all that differ or are nowhere. */
export async function matchValues(
  set: DataSet,
  selection: Selection,
  releaseName: string,
  read: ReadTexts,
): Promise<{ selection: Selection; notes: SelectionNote[] }> {
  const sql = valuesStatement(set, selection);
  if (sql === undefined) return { selection, notes: [] };
  const rows = await read(sql);
  const notes: SelectionNote[] = [];
  const matched: Selection = { ...selection };
  for (const [field, values] of asked(selection)) {
    const real = rows.flatMap(([name, value]) => (name === field && value !== null ? [value ?? ''] : []));
    const found: string[] =
      field === 'license' && selection.license?.includes('commercial') ? ['commercial'] : [];
    for (const value of values) {
      if (real.includes(value)) {
        found.push(value);
        continue;
      }
      const same = real.filter((one) => one.toLowerCase() === value.toLowerCase()).toSorted();
      found.push(...same);
      if (same.length > 0)
        notes.push({
          field,
          value,
          message: `${value} → ${same.join(', ')}`,
          suggestions: same,
          unknown: false,
        });
      else notes.push(await unknownNote(set, field, value, releaseName, read));
    }
    matched[field] = [...new Set(found)];
  }
  return { selection: matched, notes };
}

async function unknownNote(
  set: DataSet,
  field: SelectionField,
  value: string,
  releaseName: string,
  read: ReadTexts,
): Promise<SelectionNote> {
  let suggestions: string[] = [];
  if (!OPAQUE.has(field)) {
    const { sql, from } = valuesOf(set, FIELD_COLUMNS[field]);
    const rows = await read(`SELECT DISTINCT ${sql} AS value FROM ${from} WHERE ${sql} IS NOT NULL`);
    suggestions = nearest(
      value,
      rows.map(([one]) => one ?? ''),
    );
  }
  const hint = suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(', ')}?`;
  return {
    field,
    value,
    message: `${value} is nowhere in ${releaseName} on BigQuery${hint}`,
    suggestions,
    unknown: true,
  };
}
