/** What to know about every answer that these tables give. */
import { KNOWN_DOUBLINGS } from './old-tables.ts';
import type { OpenTables } from './open-tables.ts';

/** Columns whose absence changes what a selection can say. */
const TOLD = [
  'analysis_result_id',
  'source_DOI',
  'license_short_name',
  'BodyPartExamined',
  'Manufacturer',
  'Modality',
];

/** Sentences: that the release is derived, that tables count twice, which columns are missing. */
export function releaseNotes(tables: Omit<OpenTables, 'engine'>): string[] {
  const { archive, relations, version } = tables;
  const prefix = archive.catalog.releasePrefix;
  const [asked, own] = [`${prefix}${tables.release}`, `${prefix}${tables.tablesRelease}`];
  if (tables.derived) {
    return [
      `${asked} is derived from the tables of ${own} (${version}): its own tables are not installed`,
      `licences, DOIs and descriptions are those that ${own} gives; of series versions superseded since, the tables know neither, nor their number of files`,
    ];
  }
  const notes: string[] = [];
  const missing = relations.absent.filter((column) => TOLD.includes(column));
  if (missing.length > 0)
    notes.push(`the tables of ${own} (${version}) have no ${missing.join(', ')}: empty for every series`);
  if (relations.doubled === undefined) {
    const known = KNOWN_DOUBLINGS.find(
      (one) => one.archive === archive.name && one.release === tables.content.release,
    );
    if (known !== undefined) notes.push(known.message);
  } else if (relations.doubled > 0) {
    notes.push(
      `the tables of ${own} (${version}) count ${relations.doubled.toLocaleString('en-US')} series twice; here they count once, by the evidence of ${tables.chosen.counterpart?.version}`,
    );
  }
  return notes;
}

/** What every version has beside the columns of the table of prior versions: read off others. */
const ALWAYS = ['crdc_series_uuid', 'series_size_MB', 'aws_bucket', 'gcs_bucket'];

/** Columns that these tables leave empty: for every series, or for superseded versions where a release is derived. */
export function missingColumns({ derived, relations }: Omit<OpenTables, 'engine'>): string[] {
  if (!derived) return [...relations.absent];
  const known = new Set([...relations.priorColumns, ...ALWAYS]);
  return relations.columns.filter((column) => !known.has(column));
}
