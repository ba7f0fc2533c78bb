/**
 * The main road as a library: `openArchive`, and the functions that it is made of. Every room has a subpath of its own
 * for everything else: `carrel/catalog`, `carrel/stores`, …
 */
export { type Archive, builtInArchive, parseArchive, withMirrors } from './archives/index.ts';
export {
  type Catalog,
  type Counts,
  installCatalog,
  openCatalog,
  type Selection,
  type SelectionNote,
  type SeriesRow,
  updateCatalog,
} from './catalog/index.ts';
export {
  type ArchiveCatalog,
  type ArchiveEvent,
  type ArchiveGetOptions,
  type ArchiveGetResult,
  type ArchiveLock,
  type ArchiveRepairReport,
  type ArchiveVerifyOptions,
  type ArchiveVerifyReport,
  type Asked,
  type AskOptions,
  type Cohort,
  type CohortPlan,
  type DiffRow,
  type GetResult,
  type GroupOf,
  getPlanned,
  type NamedThing,
  type OpenArchive,
  type OpenArchiveOptions,
  openArchive,
  openLockedFolder,
  type PlanOptions,
  planCohort,
  type Question,
  type ReleaseDiff,
  type RowSchema,
  resolveCohort,
  type SearchOptions,
  type SeriesRowOf,
  type SeriesSearch,
  type SqlAnswer,
  type SqlParameter,
  type SqlRow,
  type SqlValue,
  type Tools,
  verifyFolder,
} from './cohort/index.ts';
export { CarrelError, type ErrorCode, isCarrelError } from './errors.ts';
export { type Digest, type Identifier, parseIdentifier, printIdentifier } from './identifiers/index.ts';
export { type LockFile, parseLock, printLock, readManifest, writeManifest } from './manifests/index.ts';
export { createOpenStore, type Store } from './stores/index.ts';
export type { TransferEvent, TransferResult } from './transfer/index.ts';
export { VERSION } from './version.ts';
