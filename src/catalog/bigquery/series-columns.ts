/**
 * The table `index` made from a data set of the layout `dicom_all`: one row per file, with DICOM attributes and the
 * archive's own columns. The meaning of each column is that of the SQL that comes with the published tables
 * (`idc_index.sql` in idc-index-data 24 and 25); the statements here are made anew, and differ in three ways: values are
 * `MIN` and not any one, so that the same question has the same answer twice; a table is joined only where one of its
 * columns is asked for, because BigQuery reads (and bills) whole columns; what is joined has one row per key, so that
 * nothing can be counted twice.
 */

import { SOP_CLASS_NAMES, TRANSFER_SYNTAX_NAMES } from './dicom-names.ts';
import { literal } from './google-sql.ts';

/** Where a column is read from: the table of files, or one joined to it. */
export type Source = 'files' | 'curated' | 'revisions';

/** A column of `index`. */
export interface SeriesColumn {
  source: Source;
  /** Its type in DuckDB's words, as the installed tables have it. */
  type: 'VARCHAR' | 'BIGINT' | 'DOUBLE';
  /** The value for a series, over the rows of its files. */
  sql: string;
}

/** A value that all files of a series share. */
const shared = (sql: string, source: Source = 'files'): SeriesColumn => ({
  source,
  type: 'VARCHAR',
  sql: `MIN(${sql})`,
});

/** Distinct values of the files of a series, joined by commas. */
const joined = (sql: string): SeriesColumn => ({
  source: 'files',
  type: 'VARCHAR',
  sql: `STRING_AGG(DISTINCT ${sql}, ',' ORDER BY ${sql})`,
});

function nameOf(column: string, names: Readonly<Record<string, string>>): string {
  const cases = Object.entries(names).map(([uid, name]) => `WHEN ${literal(uid)} THEN ${literal(name)}`);
  return `CASE ${column} ${cases.join(' ')} END`;
}

const BYTES = 'SUM(CAST(files.instance_size AS INT64))';

/** Whole bytes of a series: not published, but what sizes are added up with. */
export const BYTES_SQL = BYTES;

/** Column → how it is made, in the order of the published table. */
export const SERIES_COLUMNS: Readonly<Record<string, SeriesColumn>> = {
  collection_id: shared('files.collection_id'),
  analysis_result_id: shared('files.analysis_result_id'),
  PatientID: shared('files.PatientID'),
  SeriesInstanceUID: { source: 'files', type: 'VARCHAR', sql: 'files.SeriesInstanceUID' },
  StudyInstanceUID: shared('files.StudyInstanceUID'),
  source_DOI: shared('files.source_DOI'),
  PatientAge: shared("NULLIF(files.PatientAge, '')"),
  PatientSex: shared('files.PatientSex'),
  StudyDate: shared('CAST(files.StudyDate AS STRING)'),
  StudyDescription: shared('files.StudyDescription'),
  BodyPartExamined: shared('curated.BodyPartExamined', 'curated'),
  Modality: shared('files.Modality'),
  SOPClassUID: shared('files.SOPClassUID'),
  sop_class_name: shared(nameOf('files.SOPClassUID', SOP_CLASS_NAMES)),
  TransferSyntaxUID: joined('files.TransferSyntaxUID'),
  transfer_syntax_name: joined(nameOf('files.TransferSyntaxUID', TRANSFER_SYNTAX_NAMES)),
  PhotometricInterpretation: joined('files.PhotometricInterpretation'),
  PixelRepresentation: joined('CAST(files.PixelRepresentation AS STRING)'),
  Manufacturer: shared('files.Manufacturer'),
  ManufacturerModelName: shared('files.ManufacturerModelName'),
  SeriesDate: shared('CAST(files.SeriesDate AS STRING)'),
  SeriesDescription: shared("NULLIF(files.SeriesDescription, '')"),
  SeriesNumber: shared('CAST(files.SeriesNumber AS STRING)'),
  instanceCount: { source: 'files', type: 'BIGINT', sql: 'COUNT(*)' },
  license_short_name: shared('files.license_short_name'),
  series_init_idc_version: { ...shared('revisions.series_init_idc_version', 'revisions'), type: 'BIGINT' },
  series_revised_idc_version: {
    ...shared('revisions.series_revised_idc_version', 'revisions'),
    type: 'BIGINT',
  },
  aws_bucket: shared('files.aws_bucket'),
  crdc_series_uuid: shared('files.crdc_series_uuid'),
  series_aws_url: shared("CONCAT(files.series_aws_url, '*')"),
  series_size_MB: { source: 'files', type: 'DOUBLE', sql: `CAST(${BYTES} AS FLOAT64) / 1000000` },
};
