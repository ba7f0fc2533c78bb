/** Rows of the engine as `SeriesRow`. */
import type { Archive } from '../archives/index.ts';
import { quoted, type Row, readChunks, type Session } from './engine.ts';
import { bucketColumnsOf, type OpenTables } from './open-tables.ts';
import type { SeriesRow } from './rows.ts';
import { type CompiledSelection, ROW_ORDER } from './selection.ts';
import { numberOf, textOf } from './values.ts';

/** Columns that a `SeriesRow` needs beside the published ones asked for. */
const NEEDED = [
  'crdc_series_uuid',
  'SeriesInstanceUID',
  'StudyInstanceUID',
  'PatientID',
  'collection_id',
  'Modality',
  'analysis_result_id',
  'license_short_name',
  'source_DOI',
  'instanceCount',
];
const OWN = ['carrel_bytes', 'carrel_rounded', 'carrel_min', 'carrel_max', 'carrel_current'];

/** Published columns to fetch for a wish: those asked for that exist (by any case), or all. */
function wanted(tables: OpenTables, columns: string[] | undefined): string[] {
  if (columns === undefined) return tables.relations.columns;
  const asked = new Set(columns.map((column) => column.toLowerCase()));
  return tables.relations.columns.filter((column) => asked.has(column.toLowerCase()));
}

/** `SELECT` list for `SeriesRow`s. */
export function seriesColumns(tables: OpenTables, columns?: string[]): string {
  const names = [...wanted(tables, columns), ...NEEDED, ...tables.relations.bucketColumns, ...OWN];
  return [...new Set(names)].map(quoted).join(', ');
}

/** The rows of a compiled selection in pieces, in the order of the tables. */
export async function* streamSeries(
  session: Session,
  tables: OpenTables,
  compiled: CompiledSelection,
  columns?: string[],
): AsyncGenerator<SeriesRow[]> {
  const sql = `SELECT ${seriesColumns(tables, columns)} FROM ${compiled.from} ORDER BY ${ROW_ORDER}`;
  const result = await session.stream(sql, compiled.parameters);
  const names = result.deduplicatedColumnNames();
  const published = wanted(tables, columns);
  for await (const chunk of readChunks(result)) {
    yield chunk.map((values) => {
      const row: Row = {};
      for (const [index, name] of names.entries()) row[name] = values[index];
      return toSeriesRow(tables, row, published);
    });
  }
}

/** One row, with buckets of mirrors that the table leaves empty filled in from the archive's record. */
export function toSeriesRow(
  tables: OpenTables,
  row: Row,
  published: string[] = tables.relations.columns,
): SeriesRow {
  const columns: Row = {};
  for (const name of published) columns[name] = row[name] ?? null;
  return {
    crdc_series_uuid: String(row['crdc_series_uuid']),
    SeriesInstanceUID: String(row['SeriesInstanceUID']),
    StudyInstanceUID: String(row['StudyInstanceUID']),
    PatientID: String(row['PatientID']),
    collection_id: String(row['collection_id']),
    Modality: textOf(row['Modality']),
    analysis_result_id: textOf(row['analysis_result_id']),
    license_short_name: textOf(row['license_short_name']),
    source_DOI: textOf(row['source_DOI']),
    instanceCount: numberOf(row['instanceCount']),
    bytes: numberOf(row['carrel_bytes']),
    bytesRounded: row['carrel_rounded'] === true,
    buckets: bucketsOf(tables.archive, row),
    minRelease: Number(row['carrel_min']),
    maxRelease: Number(row['carrel_max']),
    current: row['carrel_current'] === true,
    columns,
  };
}

/**
 * Buckets by mirror. Prior tables before v25 leave `aws_bucket` empty in up to 6,735 rows: the class of the other
 * mirror's bucket, under its present or a former name, says which it is.
 */
export function bucketsOf(archive: Archive, row: Row): Record<string, string> {
  const buckets: Record<string, string> = {};
  for (const [column, mirror] of Object.entries(bucketColumnsOf(archive))) {
    const bucket = textOf(row[column]);
    if (bucket !== null && bucket !== '') buckets[mirror] ??= bucket;
  }
  for (const [mirror, bucket] of Object.entries(buckets)) {
    const found = archive.bucketClasses.find(
      (candidate) =>
        candidate.buckets[mirror] === bucket ||
        candidate.historical.some((former) => former.mirror === mirror && former.bucket === bucket),
    );
    for (const [other, name] of Object.entries(found?.buckets ?? {})) {
      if (Object.values(archive.catalog.bucketColumns).includes(other)) buckets[other] ??= name;
    }
  }
  return buckets;
}
