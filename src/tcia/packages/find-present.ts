/** Which files of a package are here already, and proven. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../identifiers/index.ts';
import { forEachLimited, type StateFolder } from '../../transfer/index.ts';
import type { LockedPackageFile } from '../package-lock/package-lock.ts';
import { evidenceOf, type PlacedFile, proveFiles, record, type WantedFile } from './place-files.ts';

const STATS_AT_ONCE = 32;

/**
 * Tells files that need not come: the journal vouches for their bytes, or they have the digests of the list of the package, or
 * those of the lock file. A file of the right name and size alone is not believed.
 */
export async function findPresent(
  files: readonly WantedFile[],
  options: {
    directory: string;
    journal: StateFolder['journal'];
    /** Of this package, by an earlier run. */
    locked: readonly LockedPackageFile[];
    /** Read every file that is here: the journal is not believed. */
    recheck?: boolean | undefined;
    signal: AbortSignal;
  },
): Promise<{ present: PlacedFile[]; absent: WantedFile[] }> {
  const { directory, journal, signal } = options;
  const locked = new Map(options.locked.map((file) => [`${file.path}\0${file.local}`, file]));
  const present = new Map<WantedFile, PlacedFile>();
  const toProve: WantedFile[] = [];
  await forEachLimited(files, STATS_AT_ONCE, async (file) => {
    const path = join(directory, ...file.local.split('/'));
    const info = await stat(path, { bigint: true }).catch(() => undefined);
    if (info?.isFile() !== true) return;
    const size = Number(info.size);
    if (file.size !== undefined && size !== file.size) return;
    const known = options.recheck === true ? undefined : journal.get(file.local);
    const untouched = known?.size === size && known.mtimeNs === String(info.mtimeNs);
    if (known !== undefined && untouched && agree(file.digests, known.digests)) {
      present.set(file, { ...file, bytes: size, found: known.digests, evidence: evidenceOf(file) });
      return;
    }
    const before = locked.get(`${file.path}\0${file.local}`);
    const digests = file.digests.length > 0 ? file.digests : before?.size === size ? before.digests : [];
    if (digests.length > 0) toProve.push({ ...file, digests });
  });
  const byLocal = new Map(files.map((file) => [file.local, file]));
  const { placed } = await proveFiles(toProve, directory, signal);
  for (const one of placed) {
    const file = byLocal.get(one.local);
    if (file === undefined) continue;
    const proven = { ...one, digests: file.digests, evidence: evidenceOf(file) };
    await record(proven, join(directory, ...one.local.split('/')), journal);
    present.set(file, proven);
  }
  return {
    present: files.flatMap((file) => present.get(file) ?? []),
    absent: files.filter((file) => !present.has(file)),
  };
}

/** True where every digest of the list is one that was computed, or none is listed. */
function agree(wanted: readonly Digest[], found: readonly Digest[]): boolean {
  return wanted.every((digest) => found.includes(digest));
}
