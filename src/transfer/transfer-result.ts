/**
 * What a transfer has to show, also when it was stopped.
 */
import { CarrelError } from '../errors.ts';
import type { FileResult, TransferSummary } from './events.ts';

/** The summary with every file. */
export interface TransferResult extends TransferSummary {
  /** Files in place: those that were present, in the order of the plan, then as they were completed. */
  files: FileResult[];
}

/** Kept beside the error, whose shape is the same for all rooms. */
const stopped = new WeakMap<Error, TransferResult>();

/** Remembers what had been done when this error ended a transfer. */
export function attachResult(error: CarrelError, result: TransferResult): CarrelError {
  stopped.set(error, result);
  return error;
}

/** What had been done when a transfer was stopped: for the error that `transfer` rejected with. */
export function resultUntil(error: unknown): TransferResult | undefined {
  return error instanceof Error ? stopped.get(error) : undefined;
}

/** Nothing yet. */
export function emptyResult(planned: number): TransferResult {
  return {
    planned,
    fetched: 0,
    present: 0,
    reused: 0,
    failed: [],
    bytesFetched: 0,
    bytesPresent: 0,
    bytesReused: 0,
    verifiedBy: {},
    requests: 0,
    milliseconds: 0,
    files: [],
  };
}

/** Adds a file that is in place. */
export function countFile(result: TransferResult, file: FileResult): void {
  result[file.how] += 1;
  if (file.how === 'present') result.bytesPresent += file.bytes;
  else if (file.how === 'reused') result.bytesReused += file.bytes;
  else result.bytesFetched += file.bytes;
  result.verifiedBy[file.verifiedBy] = (result.verifiedBy[file.verifiedBy] ?? 0) + 1;
  result.files.push(file);
}

/** The error of a run that its signal ended, with how far it came. */
export function interrupted(reason: CarrelError, result: TransferResult): CarrelError {
  const done = result.fetched + result.present + result.reused;
  return new CarrelError('interrupted', `interrupted: ${done} of ${result.planned} files are in place`, {
    next: 'run the same command again: it goes on where it stopped',
    cause: reason.cause ?? reason,
    retryable: true,
  });
}
