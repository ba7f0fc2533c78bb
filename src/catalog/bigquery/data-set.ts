/** The tables of Carrel as parts of a statement over an archive's data set on BigQuery: `WITH name AS (…)`. */
import type { Archive } from '../../archives/index.ts';
import { CarrelError } from '../../errors.ts';
import { BYTES_SQL, SERIES_COLUMNS, type Source } from './series-columns.ts';

/** A data set of one release. */
export interface DataSet {
  /** `bigquery-public-data`. */
  project: string;
  /** `idc_v25`. */
  name: string;
  /** Region where its jobs run; BigQuery finds it where it is not said. */
  location: string | undefined;
  release: number;
}

/** The data set of a release. Throws `unsupported` for an archive whose record names none. */
export function dataSetOf(archive: Archive, release: number): DataSet {
  const { bigquery } = archive;
  if (bigquery === undefined) {
    throw new CarrelError('unsupported', `the record of ${archive.name} names no data set on BigQuery`, {
      item: archive.name,
      next: 'leave out --engine bigquery, or add the field "bigquery" to the archive\'s record (docs/bigquery.md)',
    });
  }
  return {
    project: bigquery.project,
    name: bigquery.dataset.replaceAll('{release}', String(release)),
    location: bigquery.location,
    release,
  };
}

/** A table of the data set as it is written in a statement. */
export function tableOf({ project, name }: DataSet, table: string): string {
  return `\`${project}.${name}.${table}\``;
}

/** Names of the tables that statements can use, the main one first. */
export const TABLE_NAMES = [
  'index',
  'collections_index',
  'analysis_results_index',
  'version_metadata_index',
] as const;

/** Alias of the table of files, and what is joined to it: one row per key. */
const FILES = 'dicom_all';

function joinOf(set: DataSet, source: Exclude<Source, 'files'>): string {
  if (source === 'curated')
    return `LEFT JOIN (
    SELECT SOPInstanceUID, MIN(BodyPartExamined) AS BodyPartExamined
    FROM ${tableOf(set, 'dicom_metadata_curated')} GROUP BY SOPInstanceUID
  ) AS curated ON files.SOPInstanceUID = curated.SOPInstanceUID`;
  return `LEFT JOIN (
    SELECT SeriesInstanceUID, MIN(series_init_idc_version) AS series_init_idc_version,
      MAX(series_revised_idc_version) AS series_revised_idc_version
    FROM ${tableOf(set, 'auxiliary_metadata')} GROUP BY SeriesInstanceUID
  ) AS revisions ON files.SeriesInstanceUID = revisions.SeriesInstanceUID`;
}

/** Name of the column of whole bytes beside the published ones. */
export const BYTES_NAME = 'carrel_bytes';

/** The table `index` with those of its columns that are needed (and the series); `carrel_bytes` where it is named. */
export function seriesTable(set: DataSet, needed: ReadonlySet<string>): string {
  const columns = Object.entries(SERIES_COLUMNS).filter(
    ([name]) => needed.has(name) || name === 'SeriesInstanceUID',
  );
  const list = columns.map(([name, { sql }]) => (sql === `files.${name}` ? sql : `${sql} AS ${name}`));
  if (needed.has(BYTES_NAME)) list.push(`${BYTES_SQL} AS ${BYTES_NAME}`);
  const joins = (['curated', 'revisions'] as const)
    .filter((source) => columns.some(([, column]) => column.source === source))
    .map((source) => `\n  ${joinOf(set, source)}`);
  return `index AS (
  SELECT ${list.join(',\n    ')}
  FROM ${tableOf(set, FILES)} AS files${joins.join('')}
  GROUP BY files.SeriesInstanceUID
)`;
}

/** Columns of the other tables, as the SQL that comes with the published ones takes them. */
const OTHERS = {
  collections_index: [
    'original_collections_metadata',
    `collection_name, collection_id, cancer_types, tumor_locations, subjects, species, sources,
    NULLIF(supporting_data, '') AS supporting_data, program_id, status, CAST(updated AS STRING) AS updated, description`,
  ],
  analysis_results_index: [
    'analysis_results_metadata',
    `analysis_result_id, analysis_result_title, source_doi AS source_DOI, source_url, subjects, collections, modalities,
    CAST(updated AS STRING) AS updated, license_url, license_long_name, license_short_name, description, citation`,
  ],
  version_metadata_index: ['version_metadata', 'idc_version, version_timestamp'],
} as const;

/** A table other than `index`. */
export function otherTable(set: DataSet, name: keyof typeof OTHERS): string {
  const [table, columns] = OTHERS[name];
  return `${name} AS (\n  SELECT ${columns}\n  FROM ${tableOf(set, table)}\n)`;
}

/** A statement for all rows of the table behind `collections_index` or `analysis_results_index`, whatever its columns. */
export function rowsOf(set: DataSet, name: keyof typeof OTHERS): string {
  return `SELECT * FROM ${tableOf(set, OTHERS[name][0])}`;
}

/** The values of a column of `index` where they come from, file by file: `[expression, FROM …]`. */
export function valuesOf(set: DataSet, column: string): { sql: string; from: string } {
  const curated = SERIES_COLUMNS[column]?.source === 'curated';
  const table = tableOf(set, curated ? 'dicom_metadata_curated' : FILES);
  return { sql: column, from: table };
}
