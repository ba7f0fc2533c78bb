/** A process that has too many files and connections open: it waits until others are closed, instead of giving a file up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../disk-error.ts';

/** Together some seconds: by then other files are done, or the limit is too low for any. */
const WAITS_MS = [20, 50, 100, 200, 400, 800, 1_600, 3_200];

/** True where the system has no file descriptor left, for this process or at all. */
export function isOutOfFiles(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'EMFILE' || code === 'ENFILE';
}

/** Does a piece of work that opens a file; where none can be opened, again and again, a little later. */
export async function whenFilesAreFree<T>(work: () => T | Promise<T>): Promise<T> {
  for (const wait of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isOutOfFiles(error)) throw error;
      // Not all at the same moment.
      await sleep(wait * (0.5 + Math.random()));
    }
  }
  return await work();
}
