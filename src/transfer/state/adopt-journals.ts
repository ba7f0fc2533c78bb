/** Takes what the journals of shares vouch for into the journal of the folder, when the shares have become one cohort. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { STATE_FOLDER } from '../safe-names.ts';
import { lockFolder } from './folder-lock.ts';
import { openJournal, readProven } from './journal.ts';

/**
 * Takes over the journals of all shares in a destination and removes their state.
 *
 * @throws CarrelError `busy` where a run works in the folder or at one of the shares
 */
export async function adoptJournals(directory: string): Promise<void> {
  const state = join(directory, STATE_FOLDER);
  const parts = await readdir(join(state, 'parts')).catch(() => []);
  if (parts.length === 0) return;
  await makeFolder(state);
  const unlocks = [await lockFolder(join(state, 'lock'))];
  try {
    for (const part of parts) unlocks.push(await lockFolder(join(state, 'parts', part, 'lock')));
    const journal = await openJournal(join(state, 'journal.jsonl'));
    for (const part of parts) {
      for (const record of (await readProven(join(state, 'parts', part, 'journal.jsonl'))).values())
        journal.add(record);
    }
    await journal.close({ settled: true });
    await rm(join(state, 'parts'), { recursive: true });
  } finally {
    for (const unlock of unlocks) await unlock();
  }
}
