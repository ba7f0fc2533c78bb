/** Shares of a cohort in one folder become one: one lock file, one journal, one file of receipts. */
import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError } from '../errors.ts';
import { parseLock } from '../manifests/index.ts';
import { adoptJournals } from '../transfer/index.ts';
import { joinParts } from './part-of-cohort.ts';
import { RECEIPTS_NAME, readReceipts } from './receipts.ts';
import type { LockedFolder } from './verify-cohort.ts';
import { LOCK_NAME, writeLock } from './write-lock.ts';

const PART_LOCK = /^carrel\.lock\.\d+-of-\d+\.json$/;
const PART_RECEIPTS = /^carrel\.receipts\.\d+-of-\d+\.jsonl$/;

/** The shares in a folder as one lock file that stands in memory only. */
export async function openParts(directory: string): Promise<LockedFolder & { parts: number }> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => PART_LOCK.test(name));
  if (names.length === 0)
    throw new CarrelError('not-found', `${directory} holds no lock file of a share`, {
      item: directory,
      next: 'carrel get … --part 1/10 writes carrel.lock.1-of-10.json there',
    });
  const locks = await Promise.all(
    names.map(async (name) => parseLock(await readFile(join(directory, name), 'utf8'), { origin: name })),
  );
  const lock = joinParts(locks);
  return { lock, lockPath: join(directory, LOCK_NAME), directory, parts: locks.length };
}

/**
 * Writes the joined lock file, then takes journals and receipts of the shares over, then removes what was theirs. A run that
 * was ended in between is finished by the next one.
 *
 * @returns the name that a lock file of another cohort was moved to
 */
export async function mergeParts({ directory, lock, lockPath }: LockedFolder): Promise<string | undefined> {
  const moved = await writeLock(lock, lockPath);
  await adoptJournals(directory);
  const names = await readdir(directory);
  const receipts = join(directory, RECEIPTS_NAME);
  const known = new Set(
    (await readReceipts(receipts)).filter(({ type }) => type === 'end').map(({ run }) => run),
  );
  for (const name of names.filter((one) => PART_RECEIPTS.test(one))) {
    const fresh = (await readReceipts(join(directory, name))).filter(({ run }) => !known.has(run));
    if (fresh.length > 0) await appendFile(receipts, fresh.map((one) => `${JSON.stringify(one)}\n`).join(''));
    await rm(join(directory, name));
  }
  for (const name of names.filter((one) => PART_LOCK.test(one))) await rm(join(directory, name));
  return moved;
}
