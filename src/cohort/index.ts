/** The whole road: from what was asked to a verified folder and its lock file. */
export {
  type CohortPlan,
  type GetOptions,
  type GetResult,
  getPlanned,
  planCohort,
  resultUntil,
} from './get-cohort.ts';
export { DEFAULT_LAYOUT, type Layout, parseLayout, pathFor } from './layout.ts';
export { enforceLicensePolicy, type LicenseShare, sumLicenses } from './license-policy.ts';
export { type LockedCohort, lockCohort } from './lock-cohort.ts';
export { nameWithHistory } from './name-with-history.ts';
export { pinnedOf } from './pinned-of.ts';
export type { CohortFile } from './plan-cohort.ts';
export type * from './question.ts';
export { parseRecordText, type ReadArchiveOptions, readArchive } from './read-archive.ts';
export { isNarrowed, resolveCohort } from './resolve-cohort.ts';
export { type NamedThing, type Shown, type ShowTools, showName } from './show-name.ts';
export { type LockedFolder, lockedFiles, openLockedFolder, verifyFolder } from './verify-cohort.ts';
export { LOCK_NAME, writeLock } from './write-lock.ts';
