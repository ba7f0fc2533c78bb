/** From the staging folder to final names: every file is proven first, recorded, then renamed. */
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortError, CarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import {
  diskError,
  type Evidence,
  forEachLimited,
  hashFile,
  lanesOnce,
  makeFolder,
  type StateFolder,
  verifyFiles,
} from '../../transfer/index.ts';
import type { PackageEvidence } from '../package-lock/package-lock.ts';

/** Files that are hashed at once where nothing tells what they should be. */
const JOBS = 8;

/** A file of a package that is to stand in the destination. */
export interface WantedFile {
  path: string;
  /** Below the destination. */
  local: string;
  size?: number | undefined;
  /** Of the lists of checksums; empty where they do not name it. */
  digests: readonly Digest[];
}

/** A file that stands there. */
export interface PlacedFile extends WantedFile {
  bytes: number;
  /** Of the bytes on disk. */
  found: Digest[];
  evidence: PackageEvidence;
}

/** Where files are proven and where they go. */
export interface Places {
  directory: string;
  /** On the same disk; files stand there under their local names. */
  staging: string;
  journal: StateFolder['journal'];
  signal: AbortSignal;
}

/** What became of some files. */
export interface Settled {
  placed: PlacedFile[];
  /** Not what they should be; their bytes are gone. */
  wrong: { file: WantedFile; error: CarrelError }[];
  missing: WantedFile[];
}

/** What a file was proven by. */
export function evidenceOf({ size, digests }: Pick<WantedFile, 'size' | 'digests'>): PackageEvidence {
  return digests.length > 0 ? 'sums' : size === undefined ? 'own' : 'size';
}

/** The same in the words of the engine's journal. */
function verifiedBy({ size, digests }: WantedFile): Evidence {
  if (digests.length === 0) return size === undefined ? 'none' : 'size';
  return digests.some((digest) => digest.startsWith('sha256:')) ? 'sha256' : 'md5';
}

/** Proves files of a folder; digests are computed of all. */
export async function proveFiles(
  files: readonly WantedFile[],
  folder: string,
  signal: AbortSignal,
): Promise<Settled> {
  const byLocal = new Map(files.map((file) => [file.local, file]));
  const settled: Settled = { placed: [], wrong: [], missing: [] };
  const listed = files.filter(({ digests }) => digests.length > 0);
  const expected = listed.map(({ local, size, digests }) => ({ path: local, size, digests: [...digests] }));
  const report = await verifyFiles(expected, { directory: folder, signal });
  for (const { path, bytes } of report.ok) {
    const file = byLocal.get(path);
    if (file !== undefined)
      settled.placed.push({ ...file, bytes, found: [...file.digests], evidence: 'sums' });
  }
  for (const { path, expected: wanted, found } of report.mismatched) {
    const file = byLocal.get(path);
    if (file !== undefined) settled.wrong.push({ file, error: differs(file.path, wanted, found) });
  }
  for (const { path, error, reason } of report.unverifiable) {
    const file = byLocal.get(path);
    const fault = error ?? new CarrelError('permission', `${path}: ${reason}`, { item: path });
    if (file !== undefined) settled.wrong.push({ file, error: fault });
  }
  settled.missing.push(...report.missing.flatMap((path) => byLocal.get(path) ?? []));
  const unlisted = files.filter(({ digests }) => digests.length === 0);
  const lanes = lanesOnce();
  await forEachLimited(unlisted, JOBS, async (file) => {
    if (signal.aborted) throw abortError(signal);
    const path = join(folder, ...file.local.split('/'));
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() !== true) settled.missing.push(file);
    else if (file.size !== undefined && info.size !== file.size)
      settled.wrong.push({ file, error: differs(file.path, `${file.size} bytes`, `${info.size} bytes`) });
    else {
      const { bytes, digests } = await hashFile(path, ['md5'], { signal, lanes: lanes() });
      settled.placed.push({ ...file, bytes, found: digests, evidence: evidenceOf(file) });
    }
  });
  return settled;
}

/** Proves what stands in the staging folder and gives it its final names; what is wrong is removed. */
export async function placeFiles(files: readonly WantedFile[], places: Places): Promise<Settled> {
  const { directory, staging, journal, signal } = places;
  const settled = await proveFiles(files, staging, signal);
  const placed: PlacedFile[] = [];
  for (const file of settled.placed) {
    const from = join(staging, ...file.local.split('/'));
    const to = join(directory, ...file.local.split('/'));
    try {
      await makeFolder(dirname(to));
      // Before the rename, which keeps the time: a record without its file is harmless.
      await record(file, from, journal);
      await rename(from, to);
      placed.push(file);
    } catch (error) {
      settled.wrong.push({ file, error: diskError(error, file.path) });
    }
  }
  for (const { file } of settled.wrong)
    await rm(join(staging, ...file.local.split('/')), { force: true, recursive: true });
  return { ...settled, placed };
}

/** Notes in the journal what a file was proven to be. */
export async function record(file: PlacedFile, path: string, journal: StateFolder['journal']): Promise<void> {
  const { mtimeNs, size } = await stat(path, { bigint: true });
  journal.add({
    path: file.local,
    size: Number(size),
    mtimeNs: String(mtimeNs),
    digests: file.found,
    verifiedBy: verifiedBy(file),
  });
}

function differs(path: string, expected: string, found: string): CarrelError {
  return new CarrelError('verification', `${path}: expected ${expected}, found ${found}`, {
    item: path,
    next: 'run the same command again; if it stays so, tell the archive',
  });
}
