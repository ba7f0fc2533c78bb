/** The table `index`: one row per series of a release. Columns and their order as in idc-index-data 25.0.5. */
import { OBJECT_TYPES } from '../dicom/render.ts';
import type { Release } from '../model/types.ts';
import { bucketsOf, heldBy, type SeriesVersion, sizeOf, sourceOf } from '../releases/series-version.ts';
import type { Columns, Row } from './parquet.ts';

/** Columns of `index`. */
export const INDEX_COLUMNS: Columns = {
  collection_id: 'text',
  analysis_result_id: 'text',
  PatientID: 'text',
  SeriesInstanceUID: 'text',
  StudyInstanceUID: 'text',
  source_DOI: 'text',
  PatientAge: 'text',
  PatientSex: 'text',
  StudyDate: 'text',
  StudyDescription: 'text',
  BodyPartExamined: 'text',
  Modality: 'text',
  SOPClassUID: 'text',
  sop_class_name: 'text',
  TransferSyntaxUID: 'text',
  transfer_syntax_name: 'text',
  PhotometricInterpretation: 'text',
  PixelRepresentation: 'text',
  Manufacturer: 'text',
  ManufacturerModelName: 'text',
  SeriesDate: 'text',
  SeriesDescription: 'text',
  SeriesNumber: 'text',
  instanceCount: 'integer',
  license_short_name: 'text',
  series_init_idc_version: 'integer',
  series_revised_idc_version: 'integer',
  aws_bucket: 'text',
  crdc_series_uuid: 'text',
  series_aws_url: 'text',
  series_size_MB: 'double',
};

/** Rows of `index` as `release` publishes it, sorted by collection, patient, study and series. */
export function indexRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  const rows = heldBy(release, items).map((item) => ({
    item,
    order: [
      item.context.patient.collection.id,
      item.context.patient.id,
      item.context.studyUid,
      item.context.seriesUid,
    ].join('\u0000'),
  }));
  rows.sort((a, b) => (a.order < b.order ? -1 : 1));
  return rows.map(({ item }) => indexRow(release, item));
}

function indexRow(release: Release, item: SeriesVersion): Row {
  const { context, version } = item;
  const { patient, study, series } = context;
  const type = OBJECT_TYPES[series.kind];
  const source = sourceOf(context);
  const bucket = bucketsOf(context).aws;
  return {
    collection_id: patient.collection.id,
    analysis_result_id: series.analysisResult?.id ?? null,
    PatientID: patient.id,
    SeriesInstanceUID: context.seriesUid,
    StudyInstanceUID: context.studyUid,
    source_DOI: source.doi,
    PatientAge: patient.age,
    PatientSex: patient.sex,
    StudyDate: study.date,
    StudyDescription: study.description,
    BodyPartExamined: series.bodyPart,
    Modality: type.modality,
    SOPClassUID: type.sopClassUid,
    sop_class_name: type.sopClassName,
    TransferSyntaxUID: '1.2.840.10008.1.2.1',
    transfer_syntax_name: 'Explicit VR Little Endian',
    PhotometricInterpretation: type.photometricInterpretation,
    PixelRepresentation: type.pixelRepresentation,
    Manufacturer: series.equipment.manufacturer,
    ManufacturerModelName: series.equipment.model,
    SeriesDate: study.date,
    SeriesDescription: series.tableDescription ?? series.description,
    SeriesNumber: String(series.number),
    instanceCount: item.files.length,
    license_short_name: source.license[release].license_short_name,
    series_init_idc_version: version.init,
    series_revised_idc_version: version.rev,
    aws_bucket: bucket,
    crdc_series_uuid: version.uuid,
    series_aws_url: `s3://${bucket}/${version.uuid}/*`,
    series_size_MB: sizeOf(item) / 1_000_000,
  };
}
