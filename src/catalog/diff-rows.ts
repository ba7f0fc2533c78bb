/** What a comparison of two releases says: its words and its shapes. */

/**
 * What became of a series. `revised`: it has another uuid, so other bytes. `moved`: the same version stands in another
 * collection or another class of buckets.
 */
export type Change = 'added' | 'removed' | 'revised' | 'moved' | 'unchanged';

/** In the order in which they are told. */
export const CHANGES: readonly Change[] = ['added', 'removed', 'revised', 'moved', 'unchanged'];

/** Series, files and bytes before and after; of what was added there is nothing before. */
export interface ChangeAmount {
  series: number;
  bytesBefore: number;
  bytesAfter: number;
}

/** Amounts per change. */
export type ChangeAmounts = Record<Change, ChangeAmount>;

/** What stands on one side. */
export interface DiffSide {
  /** `v23`, or the name of a lock file. */
  name: string;
  /** `published`: its own tables; `derived`: newer ones; `pinned`: a list of versions. */
  evidence: 'published' | 'derived' | 'pinned';
  /** Version of the tables; null for a list. */
  version: string | null;
  series: number;
  bytes: number;
}

/** A series version that somebody pinned (a lock file). */
export interface PinnedSeries {
  crdc_series_uuid: string;
  SeriesInstanceUID: string | null;
  StudyInstanceUID: string | null;
  PatientID: string | null;
  collection_id: string | null;
  Modality: string | null;
  license_short_name: string | null;
  source_DOI: string | null;
  instanceCount: number | null;
  bytes: number | null;
  /** Bucket by mirror. */
  buckets: Record<string, string>;
}

/** A list of versions as one side of a comparison. */
export interface Pinned {
  name: string;
  series: readonly PinnedSeries[];
  /** The question that the list answered: asked of the other side again, it tells what is new. */
  selection?: object | undefined;
}

/** Changes of files of slides, where `sm_instance_index` is installed. */
export interface InstanceChanges {
  added: number;
  removed: number;
  revised: number;
  unchanged: number;
  /** Slide series whose files one of the sides does not list. */
  seriesUnknown: number;
}

/** The comparison. */
export interface Diff {
  from: DiffSide;
  to: DiffSide;
  changes: ChangeAmounts;
  /** Series that are the same version under another licence; a licence is no part of a version. */
  relicensed: number;
  /** Sizes on one of the sides are rounded to 10 kB. */
  bytesRounded: boolean;
  by?: { values: Record<string, unknown>; changes: ChangeAmounts }[] | undefined;
  instances?: InstanceChanges | undefined;
  notes: string[];
}

/** Columns of the list of a comparison. */
export const DIFF_COLUMNS = [
  'change',
  'collection_id',
  'PatientID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'Modality',
  'uuid_before',
  'uuid_after',
  'bytes_before',
  'bytes_after',
  'files_before',
  'files_after',
  'collection_before',
  'collection_after',
  'bucket_before',
  'bucket_after',
  'license_before',
  'license_after',
] as const;
