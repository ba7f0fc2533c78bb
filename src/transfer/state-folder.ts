/**
 * The one hidden folder in a destination, `.carrel/`: the lock, the journal, and files under way.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from './disk-error.ts';
import { lockFolder } from './folder-lock.ts';
import { type Journal, openJournal } from './journal.ts';
import { partialId } from './partial-file.ts';
import { STATE_FOLDER } from './safe-names.ts';

/** The state of a destination, held by this run. */
export interface StateFolder {
  journal: Journal;
  partialFolder: string;
  /** Whether an earlier run left bytes of this file. */
  hasPartial(path: string): boolean;
  /** Gives the folder back. `complete`: nothing is under way any more, so nothing is left of it. */
  release(options: { complete: boolean; settled: boolean }): Promise<void>;
}

/**
 * Makes or takes over the state folder of `directory`, which is made too.
 *
 * @throws CarrelError `busy` where another run holds it, `permission` and the like from the disk
 */
export async function openStateFolder(directory: string): Promise<StateFolder> {
  const folder = join(directory, STATE_FOLDER);
  const partialFolder = join(folder, 'partial');
  try {
    await mkdir(folder, { recursive: true });
    const unlock = await lockFolder(join(folder, 'lock'));
    try {
      const journal = await openJournal(join(folder, 'journal.jsonl'));
      await mkdir(partialFolder, { recursive: true });
      const left = new Set(await readdir(partialFolder));
      return {
        journal,
        partialFolder,
        hasPartial: (path) => left.size > 0 && left.has(partialId(path)),
        async release({ complete, settled }) {
          try {
            await journal.close({ settled });
            if (complete) await rm(partialFolder, { recursive: true, force: true });
            else await rmdir(partialFolder).catch(() => {}); // not empty: the next run goes on with it
          } finally {
            await unlock();
          }
        },
      };
    } catch (error) {
      await unlock();
      throw error;
    }
  } catch (error) {
    throw diskError(error, folder);
  }
}
