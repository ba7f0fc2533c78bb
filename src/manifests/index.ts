/** Lists of things to get: read, checked, written, split; and the lock file. */
export type * from './entry.ts';
export { hasLockMember, type LockFormat, readLockDocument } from './lock-document.ts';
export type * from './lock-file.ts';
export { type InspectedManifest, inspectManifest, manifestKind } from './manifest-kind.ts';
export { isLockLike, type ParseLockOptions, parseLock } from './parse-lock.ts';
export { type CreateLockInput, createLock, type LockSeriesInput, printLock } from './print-lock.ts';
export { type ReadManifestOptions, readManifest } from './read-manifest.ts';
export { parseRunLine, type RunLine } from './read-s5cmd.ts';
export { quoteWord, type ShellWords, shellWords } from './shell-words.ts';
export { balancedParts, type SplitManifestOptions, splitManifest } from './split-manifest.ts';
export {
  type ManifestRow,
  type WritableFormat,
  type WriteManifestOptions,
  writeManifest,
} from './write-manifest.ts';
