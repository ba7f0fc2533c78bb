/** The whole road: from what was asked to a verified folder and its lock file. */
export type { ArchiveCatalog } from './archive-catalog.ts';
export type {
  ArchiveEvent,
  ArchiveGetOptions,
  ArchiveGetResult,
  ArchiveLock,
  ArchiveRepairReport,
  ArchiveVerifyOptions,
  ArchiveVerifyReport,
  Asked,
  AskOptions,
  PlanOptions,
} from './archive-work.ts';
export { defaultCacheDir, defaultStateDir } from './default-cache-dir.ts';
export type { NamePolicy } from './file-names.ts';
export { type ArchiveOptions, getArchive } from './get-archive.ts';
export {
  type CohortPlan,
  fetchPlanned,
  type GetOptions,
  type GetResult,
  getPlanned,
  planCohort,
  resultUntil,
} from './get-cohort.ts';
export { isNarrowed } from './is-narrowed.ts';
export { DEFAULT_LAYOUT, type Layout, NAMED_LAYOUTS, parseLayout, pathFor, pathsFor } from './layout.ts';
export { enforceLicensePolicy, type LicenseShare, sumLicenses } from './license-policy.ts';
export { type ListedPage, type ListObjectsOptions, listObjects } from './list-objects.ts';
export {
  absentFiles,
  type FoundCopy,
  type LocalCopies,
  type LocalShare,
  lookForCopies,
  type ReuseSources,
} from './local-copies.ts';
export { type LockedCohort, lockCohort } from './lock-cohort.ts';
export { mergeParts, openParts } from './merge-parts.ts';
export { nameWithHistory } from './name-with-history.ts';
export {
  type ObjectOptions,
  type OpenArchive,
  type OpenArchiveOptions,
  openArchive,
} from './open-archive.ts';
export { type PartChoice, parsePart, takePart } from './part-of-cohort.ts';
export { openSide, pinnedOf } from './pinned-of.ts';
export type { CohortFile } from './plan-cohort.ts';
export type * from './question.ts';
export { parseRecordText, type ReadArchiveOptions, readArchive } from './read-archive.ts';
export { locateObject, type ReadOptions, type ReadTools, readObject } from './read-object.ts';
export { openReceiptLog, type ReceiptHeader, type ReceiptLog, withoutQuery } from './receipt-log.ts';
export { openReceipts, RECEIPTS_NAME, type Receipt, type ReceiptWriter, readReceipts } from './receipts.ts';
export type { DiffRow, ReleaseDiff } from './release-diff.ts';
export { resolveCohort } from './resolve-cohort.ts';
export type { GroupOf, SearchOptions, SeriesRowOf, SeriesSearch } from './series-search.ts';
export { type NamedThing, type Shown, type ShowTools, showName } from './show-name.ts';
export type { RowSchema, SqlAnswer, SqlParameter, SqlRow, SqlValue } from './sql-answer.ts';
export { withdrawnError } from './tell-withdrawn.ts';
export { type MissingFile, readTombstones, type Tombstone } from './tombstones.ts';
export { refuseUnknown, unknownValue } from './unknown-value.ts';
export {
  carryOutUpdate,
  planUpdate,
  type Retirement,
  type UpdatePlan,
  type UpdateResult,
} from './update-cohort.ts';
export { SERIES_CHANGES, type SeriesChange, type UpdateDifference } from './update-plan.ts';
export {
  isFolderGood,
  isOnlyRedacted,
  type LockedFolder,
  lockedFiles,
  openLockedFolder,
  repairFolder,
  verifyFolder,
} from './verify-cohort.ts';
export { LOCK_NAME, writeLock } from './write-lock.ts';
