/** Columns that questions cannot do without, by table: a file that lacks one is refused before it is installed. */
import { CarrelError } from '../errors.ts';

/** Each entry is a column, or several of which one is enough. In any case of letters, as SQL takes them. */
const REQUIRED: Record<string, (string | string[])[]> = {
  // Tables of v17 to v19 say the version of a series in its URL only.
  index: [
    'collection_id',
    'PatientID',
    'StudyInstanceUID',
    'SeriesInstanceUID',
    ['crdc_series_uuid', 'series_aws_url'],
  ],
  prior_versions_index: [
    'collection_id',
    'PatientID',
    'StudyInstanceUID',
    'SeriesInstanceUID',
    'crdc_series_uuid',
    'series_size_MB',
    'min_idc_version',
    'max_idc_version',
  ],
  collections_index: ['collection_id'],
  analysis_results_index: [['analysis_result_id', 'ID']],
  version_metadata_index: ['idc_version'],
  clinical_index: ['short_table_name'],
  sm_instance_index: ['SOPInstanceUID', 'SeriesInstanceUID'],
};

/** Names of the columns that a table lacks: `crdc_series_uuid or series_aws_url`. */
export function lackingColumns(table: string, columns: readonly string[]): string[] {
  const there = new Set(columns.map((column) => column.toLowerCase()));
  return (REQUIRED[table] ?? [])
    .map((entry) => (typeof entry === 'string' ? [entry] : entry))
    .filter((names) => !names.some((name) => there.has(name.toLowerCase())))
    .map((names) => names.join(' or '));
}

/** Throws `bad-input` naming the table and the columns that it lacks; `shown` is the file, for people. */
export function mustHaveColumns(table: string, columns: readonly string[], shown?: string): void {
  const lacking = lackingColumns(table, columns);
  if (lacking.length === 0) return;
  throw new CarrelError(
    'bad-input',
    `the table ${table} lacks ${lacking.join(', ')}${shown === undefined ? '' : ` (${shown})`}`,
    {
      item: table,
      next:
        table === 'index'
          ? 'install tables of an archive: one row per series'
          : `give the ${table} that the archive publishes, or leave it out; carrel catalog add --as NAME takes any table`,
    },
  );
}
