/** The jobs of s5cmd, gsutil, gcloud storage and aws s3: addresses by their letters → objects → names on disk → files. */
export type { Access, PlaceOptions } from './access.ts';
export { type Address, isRemote, parseAddress } from './address.ts';
export { isFiltered, type NameFilters, nameFilter, nothingLeft } from './filters.ts';
export { compileGlob, type Glob, type GlobLanguage } from './glob.ts';
export { type AddressPage, listAddress } from './list-address.ts';
export { findMatches, type Match, type Matched, type MatchOptions, type MatchTools } from './matches.ts';
export { noUploads } from './name-copies.ts';
export {
  type Copy,
  type CopyGroup,
  type CopyPlan,
  type CopyRequest,
  type PlanTools,
  type Problem,
  planCopies,
} from './plan-copies.ts';
export { type RunCopiesOptions, runCopies } from './run-copies.ts';
export { parseRunFile, type RunFile } from './run-file.ts';
export { findExtra, removeExtra } from './sync.ts';
