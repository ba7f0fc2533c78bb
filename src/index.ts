/**
 * The main road as a library. Every room has a subpath of its own for everything else: `carrel/catalog`,
 * `carrel/stores`, …
 */
export { type Archive, builtInArchive, parseArchive, withMirrors } from './archives/index.ts';
export {
  type Catalog,
  installCatalog,
  openCatalog,
  type Selection,
  type SeriesRow,
  updateCatalog,
} from './catalog/index.ts';
export {
  type Cohort,
  type CohortPlan,
  type GetResult,
  getPlanned,
  openLockedFolder,
  planCohort,
  type Question,
  resolveCohort,
  type Tools,
  verifyFolder,
} from './cohort/index.ts';
export { CarrelError, type ErrorCode, isCarrelError } from './errors.ts';
export { type Digest, type Identifier, parseIdentifier, printIdentifier } from './identifiers/index.ts';
export { type LockFile, parseLock, printLock, readManifest, writeManifest } from './manifests/index.ts';
export { createOpenStore, type Store } from './stores/index.ts';
export type { TransferEvent, TransferResult } from './transfer/index.ts';
export { VERSION } from './version.ts';
