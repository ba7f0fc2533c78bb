/** From a plan to verified files on disk. */

export { hashFile } from './digests/hasher.ts';
export { lanesOnce } from './digests/lanes-once.ts';
export { diskError } from './disk-error.ts';
export type * from './events.ts';
export type { Verification } from './evidence.ts';
export type { MirrorMemory } from './fetch/mirror-memory.ts';
export { fasterFirst, speedId } from './fetch/mirrors.ts';
export type { TransferRetry } from './fetch/retry.ts';
export type { TransferTimeouts } from './fetch/watch.ts';
export type { FetchOrder } from './fetch-order.ts';
export { forEachLimited } from './for-each-limited.ts';
export { checkSpace, type FreeSpace, freeSpace } from './free-space.ts';
export { makeFolder } from './make-folder.ts';
export type * from './plan.ts';
export type { LocalCopy, ReuseOptions } from './reuse.ts';
export { checkPlan, STATE_FOLDER, safeSegment } from './safe-names.ts';
export { adoptJournals } from './state/adopt-journals.ts';
export { lockFolder } from './state/folder-lock.ts';
export { type JournalRecord, readProven } from './state/journal.ts';
export { openStateFolder, type StateFolder } from './state/state-folder.ts';
export { streamObject } from './stream/stream-object.ts';
export type * from './stream/streamed-object.ts';
export { type TransferOptions, transfer } from './transfer.ts';
export { emptyResult, resultUntil, type TransferResult } from './transfer-result.ts';
export {
  type ExpectedFile,
  type ProvenFile,
  type VerifyOptions,
  type VerifyReport,
  verifyFiles,
} from './verify-files.ts';
