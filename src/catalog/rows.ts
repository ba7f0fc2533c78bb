/**
 * Rows of the catalogue that other rooms work with. Column names are the published ones.
 */

/** One series version. Columns beyond these are there under their published names. */
export interface SeriesRow {
  crdc_series_uuid: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientID: string;
  collection_id: string;
  Modality: string | null;
  analysis_result_id?: string | null;
  /** Of the release asked for; null where no table says (versions that were superseded). */
  license_short_name: string | null;
  source_DOI: string | null;
  instanceCount: number | null;
  /** Bytes; from `series_size_MB` (10^6), so rounded to 10 kB for prior versions. */
  bytes: number | null;
  /** True where `bytes` is rounded. */
  bytesRounded: boolean;
  /** Bucket by mirror, as the table names it: `{ aws: 'idc-open-data' }`. */
  buckets: Record<string, string>;
  /** First and last release (numbers) that hold this version, as far as the tables know. */
  minRelease: number;
  maxRelease: number;
  /** True where it belongs to the newest release of the tables. */
  current: boolean;
  /** All published columns of the row, for layouts and answers. */
  columns: Record<string, unknown>;
}

/** The selection flags of every command. Different fields must all hold; values of one field are alternatives. */
export interface Selection {
  collection?: string[];
  analysisResult?: string[];
  patient?: string[];
  study?: string[];
  series?: string[];
  modality?: string[];
  bodyPart?: string[];
  license?: string[];
  manufacturer?: string[];
  /** DOIs of data sets (`source_DOI`), without `https://doi.org/`. */
  doi?: string[];
  /** Versions by uuid. */
  crdcSeriesUuid?: string[];
  /** SQL conditions on the columns of `index`; all must hold. */
  where?: string[];
  /** A SELECT whose result names series by `crdc_series_uuid` or `SeriesInstanceUID`. */
  sql?: string;
  analysisResults?: 'include' | 'exclude' | 'only';
  /** `v24`, `24`, `current`. */
  release?: string;
  /** Words that describe the data set (collection or analysis result) which a series is in; all must match. */
  words?: string[];
  /** Order before `limit`; default: collection, patient, study, series. */
  order?: SortKey[];
  limit?: number;
  /** Number of patients drawn, the same on every machine for the same seed. */
  sample?: number;
  /** What `sample` draws: whole patients (default) or single series. */
  sampleBy?: 'patient' | 'series';
  seed?: number;
  /** Adds the column `split`: every patient in one of these parts, decided by patient and seed alone. */
  split?: SplitPart[];
}

/** A column to sort by; empty values come last either way. */
export interface SortKey {
  column: string;
  descending?: boolean;
}

/** A part of a split. */
export interface SplitPart {
  /** Letters, digits, `_` and `-`. */
  name: string;
  /** Between 0 and 1; the shares of a split add up to 1. */
  share: number;
}

/** Something that the user should know about an answer; never an error. */
export interface SelectionNote {
  /** Flag or field that it concerns. */
  field: string;
  value: string;
  message: string;
  suggestions: string[];
  /** True where the value was found nowhere in the catalogue. */
  unknown: boolean;
}
