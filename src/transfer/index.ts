/** From a plan to verified files on disk. */

export { adoptJournals } from './adopt-journals.ts';
export { diskError } from './disk-error.ts';
export type * from './events.ts';
export type { Verification } from './evidence.ts';
export type { FetchOrder } from './fetch-order.ts';
export { lockFolder } from './folder-lock.ts';
export { forEachLimited } from './for-each-limited.ts';
export { checkSpace, type FreeSpace, freeSpace } from './free-space.ts';
export { hashFile } from './hasher.ts';
export { type JournalRecord, readProven } from './journal.ts';
export { lanesOnce } from './lanes-once.ts';
export { makeFolder } from './make-folder.ts';
export type { MirrorMemory } from './mirror-memory.ts';
export { fasterFirst, speedId } from './mirrors.ts';
export type * from './plan.ts';
export type { TransferRetry } from './retry.ts';
export type { LocalCopy, ReuseOptions } from './reuse.ts';
export { checkPlan, STATE_FOLDER, safeSegment } from './safe-names.ts';
export { openStateFolder, type StateFolder } from './state-folder.ts';
export { type TransferOptions, transfer } from './transfer.ts';
export { emptyResult, resultUntil, type TransferResult } from './transfer-result.ts';
export {
  type ExpectedFile,
  type ProvenFile,
  type VerifyOptions,
  type VerifyReport,
  verifyFiles,
} from './verify-files.ts';
export type { TransferTimeouts } from './watch.ts';
