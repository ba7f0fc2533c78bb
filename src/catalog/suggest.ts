/** Nearest real values for what was mistyped. */
import { quoted, type Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { FIELD_COLUMNS } from './selection-fields.ts';

/** Columns of identifiers so long and many that an edit distance says nothing; only a cut-off copy is recognised. */
const OPAQUE = new Set(['SeriesInstanceUID', 'StudyInstanceUID', 'crdc_series_uuid']);

/** Up to five values of a column, nearest first: same beginning, contained, or few edits away. */
export async function suggestValues(
  session: Session,
  tables: OpenTables,
  column: string,
  value: string,
): Promise<string[]> {
  const text = value.trim().toLowerCase();
  if (text === '' || text.length > 200) return [];
  const name = quoted(column);
  const distinct = tables.relations.priorColumns.includes(column)
    ? `SELECT ${name} AS v FROM carrel.current UNION SELECT ${name} FROM prior_versions_index`
    : `SELECT DISTINCT ${name} AS v FROM carrel.series`;
  if (OPAQUE.has(column)) {
    if (text.length < 12) return [];
    const rows = await session.rows(
      `SELECT v FROM (${distinct}) WHERE starts_with(v, $text) ORDER BY 1 LIMIT 5`,
      {
        text,
      },
    );
    return rows.map((row) => String(row['v']));
  }
  // The distance is only worked out where the lengths allow a small one: 86,000 PatientIDs take 50 ms instead of 700.
  const rows = await session.rows(
    `SELECT v FROM (
       SELECT v, starts_with(lower(v), $text) AS s, length($text) >= 3 AND contains(lower(v), $text) AS c,
         CASE WHEN abs(length(v) - length($text)) <= $most THEN damerau_levenshtein(lower(v), $text) END AS d
       FROM (${distinct}) WHERE v IS NOT NULL
     ) WHERE d <= $most OR c OR (s AND length($text) >= 2)
     ORDER BY CASE WHEN d <= $most THEN d WHEN s THEN 50 ELSE 90 END, length(v), v LIMIT 5`,
    { text, most: Math.max(1, Math.floor(text.length / 3)) },
  );
  return rows.map((row) => String(row['v']));
}

/** Fields that `any` looks through, the likeliest first. */
const ANY = ['collection', 'analysisResult', 'patient', 'series', 'study', 'crdcSeriesUuid'] as const;

/** Suggestions for a field of a selection, a column of `index`, or `any`; [] for a field that does not exist. */
export async function suggestIn(
  session: Session,
  tables: OpenTables,
  field: string,
  value: string,
): Promise<string[]> {
  if (field === 'any') {
    const found: string[] = [];
    for (const one of ANY) {
      found.push(...(await suggestValues(session, tables, FIELD_COLUMNS[one], value)));
      // Who mistypes a collection does not look for a patient of a similar name.
      if (one === 'analysisResult' && found.length > 0) break;
    }
    return [...new Set(found)].slice(0, 5);
  }
  const wanted = Object.hasOwn(FIELD_COLUMNS, field)
    ? FIELD_COLUMNS[field as keyof typeof FIELD_COLUMNS]
    : field;
  const column = [...tables.relations.columns, ...Object.values(FIELD_COLUMNS)].find(
    (name) => name.toLowerCase() === wanted.toLowerCase(),
  );
  return column === undefined ? [] : suggestValues(session, tables, column, value);
}
