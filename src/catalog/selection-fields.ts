/** The fields of a selection and the columns that they are about. */
import type { Selection } from './rows.ts';

/** Field of a selection → column. */
export const FIELD_COLUMNS = {
  collection: 'collection_id',
  analysisResult: 'analysis_result_id',
  patient: 'PatientID',
  study: 'StudyInstanceUID',
  series: 'SeriesInstanceUID',
  modality: 'Modality',
  bodyPart: 'BodyPartExamined',
  license: 'license_short_name',
  manufacturer: 'Manufacturer',
  doi: 'source_DOI',
  crdcSeriesUuid: 'crdc_series_uuid',
} as const satisfies Partial<Record<keyof Selection, string>>;

/** A field of a selection that lists values of one column. */
export type SelectionField = keyof typeof FIELD_COLUMNS;
