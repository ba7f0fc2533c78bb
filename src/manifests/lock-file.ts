/**
 * `carrel.lock.json`: a cohort pinned to its bytes. Sorted, without times or paths of the machine, so that two
 * runs of the same cohort give the same text. Schema: `docs/carrel-lock.schema.json`.
 */
import type { Digest } from '../identifiers/index.ts';

/** A file of the cohort. */
export interface LockedFile {
  /** Below the destination, with `/`. */
  path: string;
  key: string;
  size: number;
  /** Sorted; at least one unless nothing was to be had. */
  digests: Digest[];
  /** Mirror name → bucket. For objects outside of any archive: scheme → URL without the key. */
  mirrors: Record<string, string>;
}

/** A series version of the cohort. */
export interface LockedSeries {
  crdc_series_uuid: string;
  SeriesInstanceUID: string | null;
  StudyInstanceUID: string | null;
  PatientID: string | null;
  collection_id: string | null;
  Modality: string | null;
  license_short_name: string | null;
  source_DOI: string | null;
  /** Sorted by key. */
  files: LockedFile[];
}

/** The lock file. */
export interface LockFile {
  carrel_lock: 1;
  archive: { name: string; origin: string };
  /** `v25`; null for cohorts without a catalogue (bare URLs). */
  release: string | null;
  catalog: { version: string; digest: Digest } | null;
  /** The question asked, as it was asked. */
  question: { what: string[]; selection: Record<string, unknown> };
  layout: string;
  /** Sorted by `crdc_series_uuid`. */
  series: LockedSeries[];
  /** Objects that belong to no series, sorted by path. */
  files: LockedFile[];
}
