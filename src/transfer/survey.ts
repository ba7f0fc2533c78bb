/**
 * What of a plan is here already? One look at each file, and no read where the journal vouches for it.
 */
import { join } from 'node:path';
import type { Digest } from '../identifiers/index.ts';
import { hashFile } from './digests/hasher.ts';
import { lanesOnce } from './digests/lanes-once.ts';
import type { Evidence, FileResult } from './events.ts';
import { algorithmsOf, compare, judge, type Verification } from './evidence.ts';
import { forEachLimited } from './for-each-limited.ts';
import { lookAtFiles } from './look-at-files.ts';
import type { PlannedFile } from './plan.ts';
import type { Journal, JournalRecord } from './state/journal.ts';

const HASHES_AT_ONCE = 8;
const TELL_MS = 10_000;

/** A plan divided into what is here and what is to be fetched, both in the order of the plan. */
export interface Survey {
  present: FileResult[];
  missing: PlannedFile[];
}

interface Candidate {
  file: PlannedFile;
  /** Its place in the plan. */
  index: number;
  size: number;
  mtimeNs: string;
}

/**
 * Looks at the disk.
 *
 * A file whose journal record names its size and modification time is present without being read, if the record's
 * digests agree with the plan's. Any other file of the right size is hashed and compared. What differs, or what
 * nothing can prove, is missing; it stays until its successor is verified.
 */
export async function survey(
  files: readonly PlannedFile[],
  options: {
    directory: string;
    journal: Journal;
    verify: Verification;
    /** Told before files are read, and then every ten seconds; `bytes` are those of all of them. */
    onHashing?: ((state: { done: number; total: number; bytes: number }) => void) | undefined;
    signal: AbortSignal;
  },
): Promise<Survey> {
  const { directory, journal, verify, signal } = options;
  /** By place in the plan. */
  const here: (FileResult | undefined)[] = [];
  const doubtful: Candidate[] = [];
  await lookAtFiles(directory, files, signal, (file, index, seen) => {
    const candidate: Candidate = { file, index, ...seen };
    const record = journal.get(file.path);
    const verifiedBy = fromRecord(candidate, record, verify);
    if (verifiedBy === 'hash') doubtful.push(candidate);
    else if (verifiedBy !== undefined) here[index] = result(candidate, verifiedBy, record?.digests[0]);
  });
  const bytes = doubtful.reduce((sum, { size }) => sum + size, 0);
  const lanes = lanesOnce(bytes);
  let done = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = () => {
    if (performance.now() - toldAt < TELL_MS) return;
    toldAt = performance.now();
    options.onHashing?.({ done, total: doubtful.length, bytes });
  };
  await forEachLimited(doubtful, HASHES_AT_ONCE, async (candidate) => {
    tell();
    done += 1;
    const { file, size, mtimeNs } = candidate;
    const { bytes, digests } = await hashFile(join(directory, file.path), algorithmsOf(file.digests), {
      expected: { size: file.size, digests: file.digests },
      lanes: lanes(),
      signal,
    });
    const verdict = judge({
      verify,
      size: file.size,
      planned: file.digests,
      replied: [],
      bytes,
      found: digests,
    });
    if (!verdict.good || bytes !== size) return;
    journal.add({ path: file.path, size, mtimeNs, digests, verifiedBy: verdict.verifiedBy });
    here[candidate.index] = result(candidate, verdict.verifiedBy, digests[0]);
  });
  return {
    present: here.filter((found) => found !== undefined),
    missing: files.filter((_, index) => here[index] === undefined),
  };
}

/** The evidence that needs no read; `hash` where only reading helps; undefined where the file must be fetched. */
function fromRecord(
  { file, size, mtimeNs }: Candidate,
  record: JournalRecord | undefined,
  verify: Verification,
): Evidence | 'hash' | undefined {
  if (file.size !== undefined && file.size !== size) return undefined;
  const known =
    record !== undefined && record.size === size && record.mtimeNs === mtimeNs ? record : undefined;
  const { agrees, differs } = compare(file.digests, known?.digests ?? []);
  if (differs !== undefined) return undefined;
  if (agrees !== undefined) return agrees;
  if (verify === 'none') return known?.verifiedBy ?? 'none';
  if (verify === 'full' && file.digests.length > 0) return 'hash';
  // Nothing of the plan can be compared: the word of the run that fetched it, if it saw evidence of its own.
  if (known !== undefined && known.verifiedBy !== 'none') return known.verifiedBy;
  return file.size !== undefined && (verify === 'size' || known !== undefined) ? 'size' : undefined;
}

function result({ file, size }: Candidate, verifiedBy: Evidence, digest: Digest | undefined): FileResult {
  return {
    path: file.path,
    bytes: size,
    digest,
    verifiedBy,
    how: 'present',
    attempts: 0,
    milliseconds: 0,
  };
}
