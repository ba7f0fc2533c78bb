/**
 * One file, from its first request to its final name: attempts, mirrors, the judgement, the rename.
 */
import { renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { Source } from '../../locations/index.ts';
import type { Md5Lanes } from '../digests/md5/md5-lanes.ts';
import { DiskFailure, onDisk, systemCode } from '../disk-error.ts';
import type { FileResult, TransferEvent } from '../events.ts';
import { judge, type Verdict } from '../evidence.ts';
import type { Pace } from '../pace.ts';
import type { PlannedFile } from '../plan.ts';
import { flushPath } from '../state/flush-files.ts';
import type { Journal } from '../state/journal.ts';
import type { Mirrors } from './mirrors.ts';
import { isOutOfFiles } from './out-of-files.ts';
import { createPartialFile, type PartialFile } from './partial-file.ts';
import { proveParts } from './prove-parts.ts';
import { OtherObject, type Reception, receive, startAgain } from './receive.ts';
import { type RetryPolicy, waitBefore } from './retry.ts';
import { isThrottling, isUnconnected, isUnreachable } from './unreachable.ts';

/** More bytes than before by at least so many: the attempt was worth it, and the count starts again. */
const PROGRESS_BYTES = 1 << 20;

/** Only the first attempts may be ended for being slow: a line that really is slow must get through. */
const IMPATIENT_ATTEMPTS = 2;

/** Wrong bytes from one source are asked for so many times. */
const WRONG_TRIES = 2;

/** What all files of a run share. */
export interface FetchContext extends Reception {
  directory: string;
  partialFolder: string;
  /** Bytes of a file that an earlier run left, if any. */
  partialBytes(path: string): number | undefined;
  journal: Pick<Journal, 'add'>;
  mirrors: Mirrors;
  pace: Pick<Pace, 'slowDown'>;
  retry: RetryPolicy;
  /** Each file is written to the disk itself before it gets its name. */
  flush?: boolean | undefined;
  /** Where this thread computes MD5; undefined where there is too little to hash for it. */
  lanes: () => Md5Lanes | undefined;
  emit(event: TransferEvent): void;
}

/** A file that could not be had, after so many attempts. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure';
  readonly error: CarrelError;
  readonly attempts: number;

  constructor(error: CarrelError, attempts: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.attempts = attempts;
  }
}

interface Count {
  attempts: number;
}

/** What was wrong with a source, for the error that names them all. */
interface Complaint {
  source: Source;
  error: CarrelError;
}

type Good = Extract<Verdict, { good: true }>;

/**
 * Fetches one file and puts it under its final name.
 *
 * @throws FetchFailure where no source gave the right bytes
 * @throws DiskFailure where the local disk failed
 * @throws CarrelError `interrupted` (or whatever ended the run) after an abort; bytes so far are kept
 */
export async function fetchFile(file: PlannedFile, context: FetchContext): Promise<FileResult> {
  const started = performance.now();
  const partial = createPartialFile(context.partialFolder, file, context.lanes());
  const count: Count = { attempts: 0 };
  const complaints: Complaint[] = [];
  try {
    if (context.partialBytes(file.path) !== undefined) await takeOver(partial, context);
    const sources = context.mirrors.order(file.sources);
    const mirrors = sources.length;
    for (const [index, source] of sources.entries()) {
      const asked = { at: performance.now(), bytes: partial.length };
      const served = await fetchFrom(source, file, partial, context, count, index < sources.length - 1);
      if (served instanceof CarrelError) {
        // It only asked for less: before the file is given up, it is asked again.
        if (index < mirrors - 1 && isThrottling(served)) sources.push(source);
        else complaints.push({ source, error: served });
        continue;
      }
      const came = partial.length - asked.bytes;
      context.mirrors.served(source, { bytes: came, ms: performance.now() - asked.at });
      const digests = await partial.digests();
      const { file: temporary, bytes, mtimeNs } = await partial.complete();
      const { verifiedBy } = served;
      const record = { path: file.path, size: bytes, mtimeNs: mtimeNs.toString(), digests, verifiedBy };
      const flushed = context.flush === true && (await flushPath(temporary));
      await onDisk(file.path, async () => context.journal.add(flushed ? { ...record, flushed } : record));
      const final = join(context.directory, file.path);
      await moveIntoPlace(temporary, final);
      if (flushed) await flushPath(dirname(final));
      await partial.moved();
      return {
        path: file.path,
        bytes,
        digest: digests[0],
        verifiedBy: served.verifiedBy,
        how: 'fetched',
        mirror: source.mirror,
        attempts: count.attempts,
        milliseconds: Math.round(performance.now() - started),
      };
    }
    throw new FetchFailure(summarize(file, complaints), count.attempts);
  } catch (error) {
    await partial.keep().catch(() => {});
    throw error;
  }
}

/** Tries one source until it has given the right bytes or there is no more hope; then says why. */
async function fetchFrom(
  source: Source,
  file: PlannedFile,
  partial: PartialFile,
  context: FetchContext,
  count: Count,
  hasNext: boolean,
): Promise<Good | CarrelError> {
  const { mirrors, pace, meter, retry, signal } = context;
  const attempts = mirrors.attempts(source, retry.attempts);
  let fruitless = 0;
  let patience = 0;
  let wrong = 0;
  let furthest = partial.length;
  let hasGiven = false;
  let failingSince: number | undefined;
  for (;;) {
    if (signal.aborted) throw signal.reason;
    count.attempts += 1;
    let error: CarrelError;
    try {
      if (partial.length === 0 || partial.length !== partial.origin?.total) {
        await receive(source, file, partial, context, { mayBeSlow: count.attempts > IMPATIENT_ATTEMPTS });
      }
      const judged = await judgePartial(file, partial, context);
      const verdict = await proveParts(judged, source, file, partial, context);
      if (verdict.good) return verdict;
      const { pieced } = partial;
      await startAgain(partial, meter);
      error = wrongBytes(file, verdict);
      // Pieces of another run or another mirror may be at fault: this source gets a chance of its own.
      if (!pieced) wrong += 1;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof DiskFailure) throw cause;
      if (cause instanceof OtherObject) {
        await startAgain(partial, meter);
        error = wrongBytes(file, cause);
        wrong += 1;
      } else {
        error = isCarrelError(cause) ? cause : new CarrelError('internal', String(cause), { cause });
        if (isThrottling(error)) {
          mirrors.throttled(source);
          // Another mirror has the same bytes now.
          if (hasNext) return error;
          pace.slowDown();
        }
        hasGiven ||= partial.length > furthest;
        const seen = { isGone: isUnconnected(error), hasGiven };
        // A mirror that was given up already, after all that waiting, gets one chance per file and no more.
        const isLast = !hasNext && attempts > 1 && isUnreachable(error);
        const waitsForLine = isLast && mirrors.unreachable(source, file.path, seen);
        const changed = error.code === 'verification' || error.status === 412 || error.status === 416;
        if (changed && partial.length > 0) await startAgain(partial, meter);
        else if (!error.retryable && !waitsForLine) return error;
        if (partial.length >= furthest + PROGRESS_BYTES) {
          [fruitless, patience, failingSince] = [0, 0, undefined];
        }
        furthest = Math.max(furthest, partial.length);
        failingSince ??= performance.now();
        // Without a free descriptor nobody was asked at all.
        const mayWait = waitsForLine || isOutOfFiles(error.cause);
        const patient = mayWait && performance.now() - failingSince < retry.outageMs;
        if (patient) patience += 1;
        else fruitless = patience > 0 && mayWait ? attempts : fruitless + 1;
      }
    }
    if (wrong >= WRONG_TRIES) {
      if (mirrors.lied(source) && hasNext) {
        note(context, `${source.mirror} gave wrong bytes and is asked last from now on`, file.path);
      }
      return error;
    }
    const waitMs = fruitless < attempts ? waitBefore(fruitless + patience, error, retry) : undefined;
    if (waitMs === undefined) {
      if (mirrors.failed(source))
        note(context, `${source.mirror} does not answer well: ${error.message}`, file.path);
      return error;
    }
    context.emit({
      type: 'retry',
      path: file.path,
      mirror: source.mirror,
      attempt: count.attempts,
      waitMs,
      reason: error.message,
    });
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
}

/** Bytes that an earlier run left, if the verification at the end will prove them. */
async function takeOver(partial: PartialFile, context: FetchContext): Promise<void> {
  if (context.verify !== 'full') return;
  await partial.inherit(context.signal);
  context.meter.found(partial.length);
}

async function judgePartial(
  file: PlannedFile,
  partial: PartialFile,
  context: FetchContext,
): Promise<Verdict> {
  const { origin, length } = partial;
  const verdict = judge({
    verify: context.verify,
    size: file.size ?? origin?.total,
    planned: file.digests,
    replied: origin?.replied ?? [],
    bytes: length,
    found: await partial.digests(),
  });
  if (verdict.good && verdict.disagreed !== undefined) {
    const { expected, found } = verdict.disagreed;
    note(context, `the server announced ${expected}, the bytes are ${found} as planned`, file.path);
  }
  return verdict;
}

/** The rename that makes a file visible; its folder is made when it turns out to be missing. */
async function moveIntoPlace(temporary: string, final: string): Promise<void> {
  await onDisk(final, async () => {
    try {
      renameSync(temporary, final);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await mkdir(dirname(final), { recursive: true });
      renameSync(temporary, final);
    }
  });
}

function wrongBytes({ path }: PlannedFile, wrong: { expected: string; found: string }): CarrelError {
  return new CarrelError('verification', `${path}: ${wrong.expected} expected, ${wrong.found} found`, {
    item: path,
    next: 'nothing was written; try another mirror, or check whether the plan is out of date',
  });
}

/** One error for all sources: the gravest code, every reason. */
function summarize(file: PlannedFile, complaints: Complaint[]): CarrelError {
  const gravest = (['verification', 'network', 'permission', 'not-found'] as const).flatMap((code) =>
    complaints.filter(({ error }) => error.code === code),
  );
  const first = gravest[0] ?? complaints[0];
  if (first === undefined) {
    return new CarrelError('bad-input', `${file.path}: the plan names no source`, { item: file.path });
  }
  const reasons = complaints.map(({ source, error }) =>
    complaints.length === 1 ? error.message : `${source.mirror}: ${error.message}`,
  );
  const text = reasons.join('; ');
  const { code, next, retryable, status } = first.error;
  return new CarrelError(code, text.startsWith(`${file.path}:`) ? text : `${file.path}: ${text}`, {
    item: file.path,
    next: next ?? 'run the same command again: it goes on where it stopped',
    cause: first.error,
    retryable,
    status,
  });
}

function note(context: FetchContext, message: string, item: string): void {
  context.emit({ type: 'note', message, item });
}
