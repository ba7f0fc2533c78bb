/**
 * The table `prior_versions_index`: series versions that a release no longer holds, with the releases that did. A
 * version has a row for every name that its bucket on the second cloud had; sizes are rounded to two decimals.
 */
import { OBJECT_TYPES } from '../dicom/render.ts';
import type { Release } from '../model/types.ts';
import {
  bucketsOf,
  isWithdrawn,
  releasesOf,
  type SeriesVersion,
  sizeOf,
} from '../releases/series-version.ts';
import type { Columns, Row } from './parquet.ts';

/** Columns of `prior_versions_index`. */
export const PRIOR_COLUMNS: Columns = {
  collection_id: 'text',
  PatientID: 'text',
  SeriesInstanceUID: 'text',
  StudyInstanceUID: 'text',
  Modality: 'text',
  gcs_bucket: 'text',
  crdc_series_uuid: 'text',
  series_size_MB: 'double',
  series_aws_url: 'text',
  aws_bucket: 'text',
  min_idc_version: 'integer',
  max_idc_version: 'integer',
};

/** Rows as `release` publishes them. Withdrawn versions leave no trace, as in the real tables. */
export function priorRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  return items
    .filter(({ version }) => version.final !== null && version.final < release)
    .filter((item) => !isWithdrawn(item, release))
    .flatMap(rowsOf)
    .sort((a, b) => compareText(orderOf(a), orderOf(b)));
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** By collection, first release and modality, as in the real table; uuid and size make the order total. */
function orderOf(row: Row): string {
  const columns = ['collection_id', 'min_idc_version', 'Modality', 'crdc_series_uuid', 'series_size_MB'];
  return JSON.stringify(columns.map((column) => row[column]));
}

function rowsOf(item: SeriesVersion): Row[] {
  const { context, version } = item;
  const buckets = bucketsOf(context);
  const spans: { gcs: string; from: Release; to: Release }[] = [];
  for (const release of releasesOf(item)) {
    const gcs = buckets.gcs[release];
    const last = spans.at(-1);
    if (last?.gcs === gcs) last.to = release;
    else spans.push({ gcs, from: release, to: release });
  }
  const size = Math.round(sizeOf(item) / 10_000) / 100;
  const row = (gcs: string, from: Release, to: Release, megabytes: number): Row => ({
    collection_id: context.patient.collection.id,
    PatientID: context.patient.id,
    SeriesInstanceUID: context.seriesUid,
    StudyInstanceUID: context.studyUid,
    Modality: OBJECT_TYPES[context.series.kind].modality,
    gcs_bucket: gcs,
    crdc_series_uuid: version.uuid,
    series_size_MB: megabytes,
    series_aws_url: `s3://${buckets.aws}/${version.uuid}/*`,
    aws_bucket: buckets.aws,
    min_idc_version: from,
    max_idc_version: to,
  });
  const rows = spans.map(({ gcs, from, to }) => row(gcs, from, to, size));
  // 48 versions have a third row in the real table: inside their range, with twice the size.
  const doubled = context.series.doubledIn;
  if (doubled !== undefined && releasesOf(item).includes(doubled)) {
    rows.push(row(buckets.gcs[doubled], doubled, doubled, size * 2));
  }
  return rows;
}
