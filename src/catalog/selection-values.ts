/** Values of a selection against those that the catalogue holds: as published, then in any case, then the nearest. */
import { quoted, type Session } from './engine.ts';
import { allowsCommercialUse } from './license-policy.ts';
import type { OpenTables } from './open-tables.ts';
import { formerNameNote, formerNames } from './renamed.ts';
import type { SelectionNote } from './rows.ts';
import { FIELD_COLUMNS, type SelectionField } from './selection-fields.ts';
import { suggestValues } from './suggest.ts';

/**
 * The values of a field that are there, as published; notes for all that differ, are elsewhere or are nowhere.
 *
 * @param formerly takes names of collections of earlier releases whose series stand in another collection now
 */
export async function matchValues(
  session: Session,
  tables: OpenTables,
  relation: string,
  field: SelectionField,
  values: string[],
  notes: SelectionNote[],
  formerly: string[] = [],
): Promise<string[]> {
  const column = FIELD_COLUMNS[field];
  const asked = [...new Set(field === 'license' ? await expandLicenses(session, relation, values) : values)];
  const lookup = async (from: string, list: string[], ignoringCase: boolean) => {
    const side = ignoringCase ? `lower(${quoted(column)})` : quoted(column);
    const rows = await session.rows(
      `SELECT DISTINCT ${quoted(column)} AS v FROM ${from} WHERE ${side} IN (SELECT unnest($list)) ORDER BY 1`,
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

  if (SPELT_IN_MANY_WAYS.has(field)) {
    const rows = await session.rows(
      `SELECT DISTINCT ${quoted(column)} AS v FROM ${relation} WHERE ${quoted(column)} IS NOT NULL ORDER BY 1`,
    );
    for (const value of left) {
      const same = rows.map((row) => String(row['v'])).filter((real) => bare(real) === bare(value));
      if (same.length === 0 || bare(value) === '') continue;
      matched.push(...same);
      notes.push({
        field,
        value,
        message: `${value} → ${same.join(', ')}`,
        suggestions: same,
        unknown: false,
      });
      left = left.filter((one) => one !== value);
    }
    if (left.length === 0) return matched;
  }

  if (field === 'collection' && relation === 'carrel.series') {
    for (const former of await formerNames(session, tables, relation, left)) {
      const value = left.find((one) => one.toLowerCase() === former.name.toLowerCase()) ?? former.name;
      formerly.push(former.name);
      notes.push(formerNameNote(tables, former, value));
      left = left.filter((one) => one !== value);
    }
    if (left.length === 0) return matched;
  }
  const elsewhere =
    relation === 'carrel.versions' || !(tables.relations.hasPrior || tables.derived)
      ? []
      : await elsewhereNotes(session, tables, field, left);
  notes.push(...elsewhere);
  for (const value of left) {
    if (elsewhere.some((note) => note.value === value)) continue;
    const suggestions = [
      ...(await otherFields(session, relation, field, value)),
      ...(await suggestValues(session, tables, column, value)),
    ];
    if (field === 'license' && /commercial/i.test(value)) suggestions.push('commercial');
    const hint = suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(', ')}?`;
    notes.push({
      field,
      value,
      message: `${value === '' ? `an empty ${column}` : value} is nowhere in the catalogue${hint}`,
      suggestions,
      unknown: true,
    });
  }
  return matched;
}

/** Fields that others spell with other separators: `TCGA-BRCA` is `tcga_brca`, `CC-BY-4.0` is `CC BY 4.0`. */
const SPELT_IN_MANY_WAYS: ReadonlySet<SelectionField> = new Set(['collection', 'analysisResult', 'license']);

const bare = (text: string) => text.toLowerCase().replaceAll(/[\s_-]+/g, '');

/** Flags of the fields in which a value may stand that was given for another one. */
const FLAGS: Partial<Record<SelectionField, string>> = {
  collection: '--collection',
  analysisResult: '--analysis-result',
  patient: '--patient',
  study: '--study',
  series: '--series',
  modality: '--modality',
  bodyPart: '--body-part',
  manufacturer: '--manufacturer',
};

/** Where else a value stands exactly, in any case: `--collection CT` means `--modality CT`. */
async function otherFields(
  session: Session,
  relation: string,
  field: SelectionField,
  value: string,
): Promise<string[]> {
  if (value === '') return [];
  // An UID can only be one of three things; looking for it in the others would only take time.
  const uid = /^[\d.]{16,}$/.test(value);
  const others = Object.entries(FLAGS).filter(
    ([name]) => name !== field && (['study', 'series'].includes(name) ? uid : !uid || name === 'patient'),
  );
  const list = others.map(([name]) => {
    const column = quoted(FIELD_COLUMNS[name as SelectionField]);
    return `any_value(${column}) FILTER (${column} IN ($value, lower($value), upper($value))) AS "${name}"`;
  });
  const [row] = await session.rows(`SELECT ${list.join(', ')} FROM ${relation}`, { value });
  return others.flatMap(([name, flag]) => {
    const real = row?.[name];
    return real === null || real === undefined ? [] : [`${flag} ${String(real)}`];
  });
}

/** `commercial` stands for every licence of the catalogue that allows commercial use. */
async function expandLicenses(session: Session, relation: string, values: string[]): Promise<string[]> {
  if (!values.includes('commercial')) return values;
  const rows = await session.rows(
    `SELECT DISTINCT license_short_name AS v FROM ${relation} WHERE license_short_name IS NOT NULL ORDER BY 1`,
  );
  const allowed = rows.map((row) => String(row['v'])).filter(allowsCommercialUse);
  return [...values.filter((value) => value !== 'commercial'), ...allowed];
}

/** Notes for values that the catalogue knows, but not in this release. */
async function elsewhereNotes(
  session: Session,
  tables: OpenTables,
  field: SelectionField,
  values: string[],
): Promise<SelectionNote[]> {
  const column = quoted(FIELD_COLUMNS[field]);
  const rows = await session.rows(
    `SELECT ${column} AS v, min(carrel_min) AS first, max(carrel_max) AS last FROM carrel.ranges
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
