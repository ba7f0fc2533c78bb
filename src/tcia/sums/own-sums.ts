/** A list of checksums for packages that have none: it proves later that nothing has changed since it was written. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { abortError, CarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import { forEachLimited, hashFile, lanesOnce } from '../../transfer/index.ts';
import { OWN_SUMS_NAME } from './own-sums-name.ts';
import { parseSums } from './parse-sums.ts';
import { printSums } from './print-sums.ts';

/** How a list of ours begins: nothing else is ever replaced. */
const MARK = 'written by carrel from the bytes on this disk; upstream gave no digests';

/** Files that are read at once. */
const JOBS = 8;

/** A file of the list. */
export interface OwnSumsFile {
  /** Below the folder, with `/`. */
  path: string;
  /** Where they are known already, the file is not read. */
  digests?: readonly Digest[] | undefined;
}

/** What was written. */
export interface OwnSums {
  /** Of the list. */
  path: string;
  /** Of every file that was handed in, in that order. */
  files: { path: string; digests: Digest[] }[];
}

/**
 * Writes `carrel.sums` into a folder, or adds to the one that an earlier run wrote; lines of files that are gone are dropped.
 * A list of that name that came from elsewhere stays, and the call fails.
 *
 * @throws CarrelError `unsafe` where the name is taken, `not-found` or `permission` from the disk, `interrupted` after an abort
 */
export async function writeOwnSums(
  folder: string,
  files: readonly OwnSumsFile[],
  options: { signal?: AbortSignal | undefined } = {},
): Promise<OwnSums> {
  const { signal } = options;
  const path = join(folder, OWN_SUMS_NAME);
  const before = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw taken(path, cause);
  });
  const comes = files.some((file) => file.path.toLowerCase() === OWN_SUMS_NAME);
  if (comes || (before !== undefined && !before.startsWith(`# ${MARK}`))) throw taken(path);
  const hashed: OwnSums['files'] = [];
  const lanes = lanesOnce();
  await forEachLimited([...files.entries()], JOBS, async ([index, file]) => {
    if (signal?.aborted) throw abortError(signal);
    const known = (file.digests ?? []).filter((digest) => digest.startsWith('md5:'));
    const read = async () => {
      const full = join(folder, file.path);
      return (await hashFile(full, ['md5'], { signal, lanes: lanes() })).digests;
    };
    hashed[index] = { path: file.path, digests: known.length > 0 ? known : await read() };
  });
  const fresh = new Set(files.map((file) => file.path));
  const kept: OwnSums['files'] = [];
  for (const entry of before === undefined ? [] : parseSums(before, path).entries) {
    if (fresh.has(entry.path)) continue;
    const info = await stat(join(folder, entry.path)).catch(() => undefined);
    if (info?.isFile() === true) kept.push(entry);
  }
  const text = printSums([...kept, ...hashed], { comment: MARK });
  if (text !== before) await replace(path, text);
  return { path, files: hashed };
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new CarrelError('permission', `cannot write ${path}: ${(cause as Error).message}`, {
      item: path,
      next: 'choose a folder that you may write to',
      cause,
    });
  }
}

function taken(path: string, cause?: unknown): CarrelError {
  return new CarrelError('unsafe', `${path} was not written by carrel and is not replaced`, {
    item: path,
    next: 'verify against it with carrel verify DIR --sums FILE, or move it away',
    cause,
  });
}
