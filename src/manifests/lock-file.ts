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
  /** Set where this is one share of a cohort that several runs fetch (`get --part 3/10`). */
  part?: LockPart | undefined;
}

/** A share of a cohort, and what tells whether all shares of it are there. */
export interface LockPart {
  /** From 1. */
  index: number;
  of: number;
  /** Series and other objects of this share; the lock file has fewer where some could not be located. */
  series: number;
  objects: number;
  /** Of the names of all series and objects of the whole cohort. */
  cohort: Digest;
}
