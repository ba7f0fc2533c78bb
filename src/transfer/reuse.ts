/**
 * Bytes that this machine has already, under another name: taken from there instead of from the network.
 *
 * A copy is believed by the same rules as a file in its place: what the journal of its folder says counts as long as
 * size and modification time are those that were proven; any other copy is read and compared. A plan without a digest
 * takes no copy, for nothing would show that it is the right one.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../identifiers/index.ts';
import { hashFile } from './digests/hasher.ts';
import { lanesOnce } from './digests/lanes-once.ts';
import { onDisk, systemCode } from './disk-error.ts';
import type { Evidence, FileResult } from './events.ts';
import { algorithmsOf, compare, judge } from './evidence.ts';
import { partialId } from './fetch/partial-file.ts';
import { forEachLimited } from './for-each-limited.ts';
import type { PlannedFile } from './plan.ts';
import { flushPath } from './state/flush-files.ts';
import type { Journal } from './state/journal.ts';

const AT_ONCE = 8;

/** A file on this machine that may hold the bytes of a planned one. */
export interface LocalCopy {
  /** Absolute. */
  path: string;
  /** What was proven of it, when it had this modification time; nothing where nobody proved it. */
  proven?: { mtimeNs: string; digests: Digest[] } | undefined;
}

/** Where copies may be, and how they are taken. */
export interface ReuseOptions {
  /** Called once with what is missing, before copies are asked for. */
  prepare?: ((missing: readonly PlannedFile[], signal: AbortSignal) => Promise<void>) | undefined;
  /** Copies of a file, the likeliest first. */
  copiesOf(file: PlannedFile): readonly LocalCopy[];
  /**
   * Hard links where the file system cannot share blocks. They cost nothing, but a program that changes one of the two
   * files in place changes both. Default: a copy of its own.
   */
  hardLinks?: boolean | undefined;
}

/**
 * Takes what is here; answers with those files and with the rest, in the order given. A copy that is wrong, or that
 * cannot be read, is passed over.
 *
 * @throws DiskFailure where the destination cannot be written
 */
export async function reuse(
  files: readonly PlannedFile[],
  options: ReuseOptions & {
    directory: string;
    partialFolder: string;
    journal: Pick<Journal, 'add'>;
    /** Refuses bytes that do not fit; told what copies and what is still to be fetched need together. */
    checkSpace?: ((need: number) => Promise<void>) | undefined;
    /** Each copy is written to the disk itself before it gets its name. */
    flush?: boolean | undefined;
    onHashing?: ((state: { files: number; bytes: number }) => void) | undefined;
    signal: AbortSignal;
  },
): Promise<{ reused: FileResult[]; missing: PlannedFile[] }> {
  const { directory, partialFolder, journal, signal } = options;
  await options.prepare?.(files, signal);
  const { need, unproven } = await measure(files, options, partialFolder);
  await options.checkSpace?.(need);
  if (unproven.files > 0) options.onHashing?.(unproven);
  const lanes = lanesOnce();
  const found = new Map<PlannedFile, FileResult>();

  /** The evidence for a copy, with its digests; undefined where it is another file. */
  const prove = async (
    file: PlannedFile,
    copy: LocalCopy,
  ): Promise<{ digests: Digest[]; verifiedBy: Evidence } | undefined> => {
    const info = await stat(copy.path, { bigint: true }).catch(() => undefined);
    if (!info?.isFile() || (file.size !== undefined && BigInt(file.size) !== info.size)) return undefined;
    const { proven } = copy;
    if (proven !== undefined && proven.mtimeNs === info.mtimeNs.toString()) {
      const { agrees, differs } = compare(file.digests, proven.digests);
      if (differs !== undefined) return undefined;
      if (agrees !== undefined) return { digests: proven.digests, verifiedBy: agrees };
    }
    const hashed = await hashFile(copy.path, algorithmsOf(file.digests), {
      expected: { size: file.size, digests: file.digests },
      signal,
      lanes: lanes(),
    }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (hashed === undefined) return undefined;
    const { bytes, digests } = hashed;
    const verdict = judge({
      verify: 'full',
      size: file.size,
      planned: file.digests,
      replied: [],
      bytes,
      found: digests,
    });
    return verdict.good ? { digests, verifiedBy: verdict.verifiedBy } : undefined;
  };

  await forEachLimited(files, AT_ONCE, async (file) => {
    if (signal.aborted) throw signal.reason;
    if (file.digests.length === 0) return;
    const started = performance.now();
    for (const copy of options.copiesOf(file)) {
      const proof = await prove(file, copy);
      if (proof === undefined) continue;
      const temporary = join(partialFolder, `${partialId(file.path)}.copy`);
      const final = join(directory, file.path);
      const info = await onDisk(file.path, async () => {
        await rm(temporary, { force: true });
        await take(copy.path, temporary, options.hardLinks ?? false);
        return await stat(temporary, { bigint: true });
      });
      const size = Number(info.size);
      const flushed = options.flush === true && (await flushPath(temporary));
      const record = { path: file.path, size, mtimeNs: info.mtimeNs.toString(), ...proof };
      journal.add(flushed ? { ...record, flushed } : record);
      await onDisk(file.path, async () => {
        await mkdir(dirname(final), { recursive: true });
        await rename(temporary, final);
      });
      if (flushed) await flushPath(dirname(final));
      found.set(file, {
        path: file.path,
        bytes: size,
        digest: proof.digests[0],
        verifiedBy: proof.verifiedBy,
        how: 'reused',
        attempts: 0,
        milliseconds: Math.round(performance.now() - started),
      });
      return;
    }
  });
  return {
    reused: files.flatMap((file) => found.get(file) ?? []),
    missing: files.filter((file) => !found.has(file)),
  };
}

/**
 * Bytes that the disk needs for all of these files: nothing for those that are linked or share their blocks. A copy that
 * turns out to be wrong is counted as one that is right; what is fetched instead is measured again.
 */
async function measure(
  files: readonly PlannedFile[],
  options: ReuseOptions,
  partialFolder: string,
): Promise<{ need: number; unproven: { files: number; bytes: number } }> {
  const unproven = { files: 0, bytes: 0 };
  const here = await stat(partialFolder).catch(() => undefined);
  /** By device: whether a copy of what lies there takes no room. */
  const free = new Map<number, Promise<boolean>>();
  let need = 0;
  await forEachLimited(files, AT_ONCE, async (file) => {
    const { size = 0 } = file;
    const copies = file.digests.length === 0 ? [] : options.copiesOf(file);
    for (const copy of copies) {
      const info = await stat(copy.path).catch(() => undefined);
      if (!info?.isFile() || info.size !== size) continue;
      if (copy.proven === undefined) {
        unproven.files += 1;
        unproven.bytes += size;
      }
      const linked = options.hardLinks === true && info.dev === here?.dev;
      const shares = free.get(info.dev) ?? sharesBlocks(copy.path, partialFolder);
      free.set(info.dev, shares);
      if (!linked && !(await shares)) need += size;
      return;
    }
    need += size;
  });
  return { need, unproven };
}

/** Tries it: no system says beforehand whether two places share blocks. */
async function sharesBlocks(from: string, folder: string): Promise<boolean> {
  const probe = join(folder, `probe-${randomUUID()}`);
  try {
    await copyFile(from, probe, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true });
  }
}

/** Shared blocks where the file system has them, else a link if that is wanted, else a copy. */
async function take(from: string, to: string, hardLinks: boolean): Promise<void> {
  if (!hardLinks) return await copyFile(from, to, constants.COPYFILE_FICLONE);
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await rm(to, { force: true });
    try {
      await link(from, to);
    } catch (error) {
      // Another file system, or one without links.
      if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error;
      await copyFile(from, to);
    }
  }
}
