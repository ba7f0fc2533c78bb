/**
 * The one hidden folder in a destination, `.carrel/`: the lock, the journal, and files under way.
 */
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../disk-error.ts';
import { partialId } from '../fetch/partial-file.ts';
import { makeFolder } from '../make-folder.ts';
import { STATE_FOLDER } from '../safe-names.ts';
import { flushFiles } from './flush-files.ts';
import { lockFolder } from './folder-lock.ts';
import { type Journal, openJournal } from './journal.ts';

/** The state of a destination, held by this run. */
export interface StateFolder {
  journal: Journal;
  partialFolder: string;
  /** Bytes of this file that an earlier run left; undefined where it left nothing. */
  partialBytes(path: string): number | undefined;
  /**
   * Gives the folder back. `complete`: nothing is under way any more, so nothing is left of it. `flush`: what was recorded
   * is written to the disk itself first.
   */
  release(options: { complete: boolean; flush?: boolean | undefined }): Promise<void>;
}

/**
 * Makes or takes over the state folder of `directory`, which is made too.
 *
 * @param part name of a share that has a state of its own, so that several runs may work in one folder
 * @throws CarrelError `busy` where another run holds it, `permission` and the like from the disk
 */
export async function openStateFolder(directory: string, part?: string): Promise<StateFolder> {
  const folder = join(directory, STATE_FOLDER, ...(part === undefined ? [] : ['parts', part]));
  const partialFolder = join(folder, 'partial');
  try {
    await makeFolder(folder);
    const unlock = await lockFolder(join(folder, 'lock'));
    try {
      const journal = await openJournal(join(folder, 'journal.jsonl'));
      await makeFolder(partialFolder);
      const left = await sizesIn(partialFolder);
      return {
        journal,
        partialFolder,
        partialBytes: (path) => (left.size === 0 ? undefined : left.get(partialId(path))),
        async release({ complete, flush = true }) {
          try {
            const settled = flush && (await flushFiles(directory, journal.added));
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

async function sizesIn(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info !== undefined) sizes.set(name, info.size);
  }
  return sizes;
}
