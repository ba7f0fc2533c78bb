/**
 * What the threads of a run say to each other. Errors cross as plain data: a structured clone would make bare `Error`s
 * of them, without code and next step.
 */
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { StoreSettings } from '../../stores/index.ts';
import { DiskFailure } from '../disk-error.ts';
import type { FileResult, TransferEvent } from '../events.ts';
import type { Verification } from '../evidence.ts';
import { FetchFailure } from '../fetch/fetch-file.ts';
import type { MirrorChoice, MirrorWord } from '../fetch/mirrors.ts';
import type { RetryPolicy } from '../fetch/retry.ts';
import type { TransferTimeouts } from '../fetch/watch.ts';
import type { PlannedFile } from '../plan.ts';
import type { JournalRecord } from '../state/journal.ts';

/** What a thread is started with. */
export interface CrewSettings {
  stores: StoreSettings;
  verify: Verification;
  directory: string;
  partialFolder: string;
  retry: RetryPolicy;
  timeouts: TransferTimeouts | undefined;
  flush: boolean;
  mirrors: MirrorChoice;
  /** Memory of its meter. */
  meter: SharedArrayBuffer;
}

/** To a thread; several at once. */
export type ToCrew =
  | { type: 'kernels'; code: Uint8Array<ArrayBuffer> }
  | { type: 'fetch'; id: number; file: PlannedFile; partialBytes: number | undefined; streams: number }
  | { type: 'mirror'; word: MirrorWord }
  | { type: 'stop'; reason: PackedError }
  | { type: 'end' };

/** From a thread; several at once. */
export type FromCrew =
  | { type: 'done'; id: number; result: FileResult; record: JournalRecord | undefined }
  | { type: 'failed'; id: number; error: PackedError }
  | { type: 'event'; event: TransferEvent }
  | { type: 'mirror'; word: MirrorWord }
  | { type: 'slow-down' };

/** An error as data. */
export interface PackedError {
  kind: 'fetch' | 'disk' | 'carrel';
  /** Of a `FetchFailure`. */
  attempts: number;
  /** Of a `DiskFailure`. */
  hopeless: boolean;
  error: Pick<CarrelError, 'code' | 'message' | 'item' | 'next' | 'retryable' | 'status' | 'retryAfterMs'>;
}

/** Packs whatever was thrown. */
export function packError(thrown: unknown): PackedError {
  if (thrown instanceof FetchFailure)
    return { kind: 'fetch', attempts: thrown.attempts, hopeless: false, error: fieldsOf(thrown.error) };
  if (thrown instanceof DiskFailure)
    return { kind: 'disk', attempts: 1, hopeless: thrown.hopeless, error: fieldsOf(thrown.error) };
  const error = isCarrelError(thrown) ? thrown : new CarrelError('internal', textOf(thrown));
  return { kind: 'carrel', attempts: 1, hopeless: false, error: fieldsOf(error) };
}

/** The same error again, of the same class. */
export function unpackError({ kind, attempts, hopeless, error }: PackedError): Error {
  const { code, message, ...details } = error;
  const same = new CarrelError(code, message, details);
  if (kind === 'fetch') return new FetchFailure(same, attempts);
  return kind === 'disk' ? new DiskFailure(same, error.item ?? '', { hopeless }) : same;
}

function fieldsOf({ code, message, item, next, retryable, status, retryAfterMs }: CarrelError) {
  return { code, message, item, next, retryable, status, retryAfterMs };
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
