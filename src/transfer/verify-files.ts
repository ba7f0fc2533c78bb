/**
 * Proves what is on disk, without any network.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { abortError, type CarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import { hashFile } from './digests/hasher.ts';
import { lanesOnce } from './digests/lanes-once.ts';
import { diskError, systemCode } from './disk-error.ts';
import type { Evidence, TransferEvent } from './events.ts';
import { algorithmsOf, judge } from './evidence.ts';
import { forEachLimited } from './for-each-limited.ts';
import type { PlannedFile } from './plan.ts';
import { startProgress } from './progress.ts';
import { checkPlan, STATE_FOLDER } from './safe-names.ts';
import { createMeter } from './threads/meter.ts';

/** Files read at once: enough to keep a disk busy while one core hashes. */
const JOBS = 8;

/** What a file should be. */
export type ExpectedFile = Pick<PlannedFile, 'path' | 'size' | 'digests'>;

/** A file that is what it should be. */
export interface ProvenFile {
  path: string;
  bytes: number;
  digest: Digest | undefined;
  verifiedBy: Evidence;
}

/** The state of a folder, in the order of the list. */
export interface VerifyReport {
  ok: ProvenFile[];
  missing: string[];
  mismatched: { path: string; expected: string; found: string }[];
  /** There, but with nothing to compare with, or not readable. */
  unverifiable: { path: string; reason: string; error?: CarrelError | undefined }[];
  /** On disk, but not in the list; only where it was asked for. */
  extra?: string[] | undefined;
}

/** How to verify. */
export interface VerifyOptions {
  directory: string;
  /** `full`: every digest that is known; `size`: sizes only. Default `full`. */
  mode?: 'full' | 'size' | undefined;
  /** Files at once. Default 8. */
  jobs?: number | undefined;
  /** `progress` events, at most ten a second. */
  onEvent?: ((event: TransferEvent) => void) | undefined;
  /** Also list what the list does not name; the state folder and `ignore` (paths below the directory) are left out. */
  extra?: boolean | undefined;
  ignore?: readonly string[] | undefined;
  /** The list names files as they stand on this disk already, also such that no plan may write. */
  anyNames?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Compares files on disk with what they should be. Reads every byte in `full` mode; the journal is not asked, for
 * what it says is what is to be proven.
 *
 * @throws CarrelError `unsafe` for a list with unsafe names, `interrupted` after an abort
 */
export async function verifyFiles(
  files: readonly ExpectedFile[],
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { signal } = options;
  const directory = resolve(options.directory);
  const mode = options.mode ?? 'full';
  if (options.anyNames !== true) checkPlan(files.map((file) => ({ ...file, sources: [] })));
  const report: VerifyReport = { ok: [], missing: [], mismatched: [], unverifiable: [] };
  const places = new Map(files.map(({ path }, index) => [path, index]));
  const totalBytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const lanes = lanesOnce(mode === 'full' ? totalBytes : 0);
  const meter = createMeter();
  const progress = startProgress({
    emit: options.onEvent ?? (() => {}),
    read: meter.read,
    totalFiles: files.length,
    totalBytes,
    files: 0,
    bytes: 0,
  });
  try {
    await forEachLimited(files, options.jobs ?? JOBS, async (file) => {
      if (signal?.aborted) throw abortError(signal);
      await verifyOne(file, { directory, mode, lanes }, report, signal);
      meter.add(file.size ?? 0);
      progress.fileDone();
    });
  } finally {
    progress.end();
  }
  const inOrder = (a: string, b: string) => (places.get(a) ?? 0) - (places.get(b) ?? 0);
  report.missing.sort(inOrder);
  for (const list of [report.ok, report.mismatched, report.unverifiable])
    list.sort((a, b) => inOrder(a.path, b.path));
  if (options.extra)
    report.extra = await listExtra(directory, new Set([...places.keys(), ...(options.ignore ?? [])]));
  return report;
}

async function verifyOne(
  file: ExpectedFile,
  how: { directory: string; mode: 'full' | 'size'; lanes: ReturnType<typeof lanesOnce> },
  report: VerifyReport,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { path, size, digests } = file;
  const { directory, mode, lanes } = how;
  const full = join(directory, path);
  try {
    const info = await stat(full);
    if (!info.isFile()) {
      report.mismatched.push({
        path,
        expected: 'a file',
        found: info.isDirectory() ? 'a folder' : 'something else',
      });
      return;
    }
    const known = { verify: mode, size, planned: digests, replied: [] };
    const early = judge({ ...known, bytes: info.size, found: [] });
    if (!early.good) {
      report.mismatched.push({ path, expected: early.expected, found: early.found });
      return;
    }
    const read = mode === 'full' && digests.length > 0;
    const hashed = read
      ? await hashFile(full, algorithmsOf(digests), { signal, lanes: lanes(), expected: { size, digests } })
      : undefined;
    const bytes = hashed?.bytes ?? info.size;
    const verdict = judge({ ...known, bytes, found: hashed?.digests ?? [] });
    if (!verdict.good) report.mismatched.push({ path, expected: verdict.expected, found: verdict.found });
    else if (verdict.verifiedBy === 'none') {
      report.unverifiable.push({ path, reason: 'neither its size nor a digest is known' });
    } else report.ok.push({ path, bytes, digest: hashed?.digests[0], verifiedBy: verdict.verifiedBy });
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') report.missing.push(path);
    else {
      const known = diskError(error, path);
      report.unverifiable.push({ path, reason: known.message, error: known });
    }
  }
}

/** Files below a folder that nobody named, sorted. Links are named, not followed. */
async function listExtra(directory: string, named: ReadonlySet<string>): Promise<string[]> {
  const extra: string[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (path === STATE_FOLDER || named.has(path)) continue;
      if (entry.isDirectory()) await visit(path);
      else extra.push(path);
    }
  };
  await visit('').catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw diskError(error, directory);
  });
  return extra.sort();
}
