/**
 * Moves a folder from the release of its lock file to another one. The old lock file stays until everything is done, and
 * every step is found done by the next run: so a run that was ended anywhere is finished by the same command.
 */
import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../identifiers/index.ts';
import type { LockedFile, LockFile } from '../manifests/index.ts';
import {
  hashFile,
  type JournalRecord,
  lockFolder,
  makeFolder,
  readProven,
  STATE_FOLDER,
} from '../transfer/index.ts';
import { followQuestion, whyGone } from './follow-question.ts';
import { type CohortPlan, fetchPlanned, type GetOptions, type GetResult, planCohort } from './get-cohort.ts';
import type { Tools } from './question.ts';
import { compareWithLock, type UpdateDifference } from './update-plan.ts';
import type { LockedFolder } from './verify-cohort.ts';
import { writeLock } from './write-lock.ts';

/** What becomes of files that the release does not have any more. */
export type Retirement = 'keep' | 'move' | 'remove';

/** What a folder has to become. */
export interface UpdatePlan {
  folder: LockedFolder;
  plan: CohortPlan;
  difference: UpdateDifference;
  /** Pinned series that are left out, and why. */
  gone: { series: LockFile['series'][number]; reason: string }[];
  /** Folder that retired files are moved to: `retired-v2`. */
  retiredFolder: string;
}

/** What came of it. */
export interface UpdateResult extends GetResult {
  /** Retired files that were moved or removed. */
  retired: LockedFile[];
  /** Files that were to be retired or renamed, but are not as they were fetched: left as they are. */
  leftAlone: string[];
  /** False where files failed: then nothing was retired, and the old lock file stands. */
  complete: boolean;
  /** Name that the old lock file was kept under. */
  oldLock: string | undefined;
}

/** Plans an update to the release of `tools.catalog`. No file is touched. */
export async function planUpdate(
  folder: LockedFolder,
  tools: Tools,
  options: { cwd: string } & Pick<GetOptions, 'licensePolicy' | 'onLocated'>,
): Promise<UpdatePlan> {
  const { cwd, ...rest } = options;
  const cohort = await followQuestion(folder.lock, tools, { cwd });
  const plan = await planCohort(cohort, tools, { ...rest, directory: folder.directory });
  const difference = compareWithLock(folder.lock, plan);
  const gone = difference.removed.length === 0 ? [] : await whyGone(difference.removed, tools);
  const name = folder.lock.release ?? 'earlier';
  return { folder, plan, difference, gone, retiredFolder: `retired-${name}` };
}

/**
 * Carries it out: renames what has another path now, fetches what is new, retires what is gone, writes the lock file.
 *
 * @throws `busy` where another run works in the folder; what `transfer` throws
 */
export async function carryOutUpdate(
  update: UpdatePlan,
  tools: Tools,
  options: Omit<GetOptions, 'directory' | 'lockPath' | 'layout'> & { retirement: Retirement },
): Promise<UpdateResult> {
  const { folder, plan, difference } = update;
  const { directory } = folder;
  const { retirement, ...rest } = options;
  const leftAlone: string[] = [];
  const retired: LockedFile[] = [];
  await makeFolder(join(directory, STATE_FOLDER));
  await exclusively(directory, async () => {
    const isOurs = await ownFiles(directory, [
      ...difference.moves.map(({ from }) => from),
      ...pathsTaken(difference),
    ]);
    for (const { from, to } of difference.moves) {
      if (!(await exists(join(directory, from.path))) || (await exists(join(directory, to)))) continue;
      if (await isOurs(from)) await moveFile(directory, from.path, to);
      else leftAlone.push(from.path);
    }
    if (retirement !== 'move') return;
    for (const file of pathsTaken(difference)) {
      if (await isOurs(file)) {
        await moveFile(directory, file.path, `${update.retiredFolder}/${file.path}`);
        retired.push(file);
      }
    }
  });
  const got = await fetchPlanned(plan, tools, { ...rest, directory });
  const fates = new Set(got.missing.map(({ path }) => path));
  // What no mirror has will not come by trying again.
  const complete =
    plan.failed.every(({ error }) => error.code === 'not-found') &&
    got.transfer.failed.every(({ path }) => fates.has(path));
  if (!complete)
    return {
      ...got,
      lockPath: folder.lockPath,
      movedLock: undefined,
      retired,
      leftAlone,
      complete,
      oldLock: undefined,
    };
  if (retirement !== 'keep')
    await exclusively(directory, async () => {
      const files = difference.retired.flatMap(({ file, replaced }) => (replaced ? [] : [file]));
      const isOurs = await ownFiles(directory, files);
      for (const file of files) {
        if (!(await exists(join(directory, file.path)))) continue;
        if (!(await isOurs(file))) leftAlone.push(file.path);
        else {
          if (retirement === 'move')
            await moveFile(directory, file.path, `${update.retiredFolder}/${file.path}`);
          else {
            await rm(join(directory, file.path));
            await removeEmpty(directory, file.path);
          }
          retired.push(file);
        }
      }
    });
  const oldLock = await keepOldLock(folder, got.lock);
  const movedLock = await writeLock(got.lock, folder.lockPath, { replace: true });
  return { ...got, lockPath: folder.lockPath, movedLock, retired, leftAlone, complete, oldLock };
}

/** Old files whose path another file takes. */
function pathsTaken({ retired }: UpdateDifference): LockedFile[] {
  return retired.flatMap(({ file, replaced }) => (replaced ? [file] : []));
}

/** No transfer works in the folder meanwhile. */
async function exclusively(directory: string, work: () => Promise<void>): Promise<void> {
  const unlock = await lockFolder(join(directory, STATE_FOLDER, 'lock'));
  try {
    await work();
  } finally {
    await unlock();
  }
}

/** Tells whether a file is still as it was fetched: by the journal, else by its digest. What cannot be proven is not ours. */
async function ownFiles(
  directory: string,
  files: readonly LockedFile[],
): Promise<(file: LockedFile) => Promise<boolean>> {
  const journal = join(directory, STATE_FOLDER, 'journal.jsonl');
  const records = files.length === 0 ? new Map<string, JournalRecord>() : await readProven(journal);
  return async (file) => {
    const path = join(directory, file.path);
    const info = await stat(path, { bigint: true }).catch(() => undefined);
    if (!info?.isFile() || Number(info.size) !== file.size) return false;
    const record = records.get(file.path);
    const known = record?.mtimeNs === info.mtimeNs.toString() ? record.digests : [];
    if (file.digests.length === 0) return known.length > 0 || record?.mtimeNs === info.mtimeNs.toString();
    if (file.digests.some((digest) => known.includes(digest))) return true;
    const algorithms = new Set(file.digests.map((digest) => digest.split(':')[0]));
    const { digests } = await hashFile(path, algorithms as Set<never>);
    return file.digests.every((digest: Digest) => digests.includes(digest));
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Renames below the destination, and takes folders away that are empty by that. */
async function moveFile(directory: string, from: string, to: string): Promise<void> {
  await mkdir(dirname(join(directory, to)), { recursive: true });
  await rename(join(directory, from), join(directory, to));
  await removeEmpty(directory, from);
}

async function removeEmpty(directory: string, path: string): Promise<void> {
  for (let below = dirname(path); below !== '.' && below !== ''; below = dirname(below)) {
    try {
      await rmdir(join(directory, below));
    } catch {
      return;
    }
  }
}

/** `carrel.lock.v2.json`; a run that goes on finds it there already. */
async function keepOldLock({ lock, lockPath }: LockedFolder, next: LockFile): Promise<string | undefined> {
  if (lock.release === next.release) return undefined;
  const text = await readFile(lockPath, 'utf8');
  for (let number = 0; ; number += 1) {
    const name = `${lock.release ?? 'earlier'}${number === 0 ? '' : `.${number}`}`;
    const path = lockPath.replace(/(\.json)?$/, `.${name}.json`);
    const before = await readFile(path, 'utf8').catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error;
    });
    if (before === text) return path;
    if (before !== undefined) continue;
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, text);
    await rename(temporary, path);
    return path;
  }
}
