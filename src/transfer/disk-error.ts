/**
 * What the disk said, as a `CarrelError`.
 */
import { CarrelError, type ErrorCode, isCarrelError } from '../errors.ts';

/** Codes of the operating system that mean the same for every file of the run: going on makes no sense. */
const HOPELESS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

const CODES: Record<string, [ErrorCode, string]> = {
  ENOSPC: ['no-space', 'free space on the disk or choose another folder, then run the same command again'],
  EDQUOT: [
    'no-space',
    'the quota is used up; free space or choose another folder, then run the same command again',
  ],
  EROFS: ['permission', 'the file system is read-only; choose another folder'],
  EACCES: ['permission', 'choose a folder that you may write to'],
  EPERM: ['permission', 'choose a folder that you may write to'],
  EMFILE: ['busy', 'too many files are open; raise the limit (ulimit -n) or use a smaller --jobs'],
  ENFILE: ['busy', 'the system has too many files open; try again later, or with a smaller --jobs'],
  ENOENT: ['not-found', 'check that the folder was not moved or removed meanwhile'],
  EISDIR: ['unsafe', 'a folder stands where the file should; move it away'],
  ENOTDIR: ['unsafe', 'a file stands where a folder should; move it away'],
  ENOTEMPTY: ['unsafe', 'a folder stands where the file should; move it away'],
  EEXIST: ['unsafe', 'a file stands where a folder should; move it away'],
  ENAMETOOLONG: ['unsafe', 'use a shorter layout or a shorter destination'],
};

/** A failure of the local disk while a file was being fetched: no mirror is to blame, no retry helps. */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure';
  readonly error: CarrelError;
  /** True where every other file would meet the same failure. */
  readonly hopeless: boolean;

  /** @param known `hopeless` where it was decided in another thread, which had the code of the system */
  constructor(cause: unknown, path: string, known?: { hopeless: boolean }) {
    super('disk failure', { cause });
    this.error = diskError(cause, path);
    this.hopeless = known?.hopeless ?? HOPELESS.has(systemCode(cause) ?? '');
  }
}

/** The same failure as a `CarrelError`; one that is already such is handed through. */
export function diskError(cause: unknown, path: string): CarrelError {
  if (isCarrelError(cause)) return cause;
  if (cause instanceof DiskFailure) return cause.error;
  const code = systemCode(cause);
  const [kind, next] = (code === undefined ? undefined : CODES[code]) ?? ['internal', undefined];
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CarrelError(kind, `${path}: ${reason}`, { item: path, next, cause });
}

/** `ENOENT` and the like; undefined for what did not come from the operating system. */
export function systemCode(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/** Runs a piece of work on the local disk; what fails is a `DiskFailure` naming the path. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DiskFailure ? error : new DiskFailure(error, path);
  }
}
