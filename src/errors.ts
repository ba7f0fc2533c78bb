/**
 * The closed union of errors. Every failure that a user can meet is a `CarrelError` with a stable code,
 * the item that it concerns and what to do next. The command line maps codes to exit codes in one table
 * (`cli/exit-codes.ts`); libraries match on `code`, never on the text.
 */

/** Stable reasons. Codes may be added, never renamed. */
export type ErrorCode =
  | 'usage' // the call itself is wrong: unknown flag, two that exclude each other, bad value
  | 'bad-input' // what was handed in cannot be read: a manifest, a record, an identifier
  | 'ambiguous' // names more than one thing; the choices are in the message
  | 'not-found' // an identifier, release, table, bucket or object that does not exist
  | 'verification' // bytes differ from the evidence
  | 'license' // refused by the licence policy
  | 'no-space' // the plan does not fit on the disk
  | 'permission' // sign-in or permission needed
  | 'network' // could not be reached, timed out, or answered with a failure
  | 'sql' // the engine refused the statement
  | 'busy' // another process holds what is needed
  | 'unsafe' // would hurt: traversal, colliding names, a leak of credentials
  | 'interrupted' // stopped by the user
  | 'partial' // some items failed; they were listed
  | 'unsupported' // this machine or build cannot do it
  | 'internal'; // a defect of ours

/** What a `CarrelError` carries beside its message. */
export interface CarrelErrorDetails {
  /** What the error is about, as the user wrote it: an identifier, a path, a URL, `file.txt:12`. */
  item?: string | undefined;
  /** The next step, as a sentence or a command. */
  next?: string | undefined;
  cause?: unknown;
  /** True where the same request may succeed later (time-outs, 503, resets). */
  retryable?: boolean;
  /** HTTP status, where a server answered. */
  status?: number | undefined;
  /** Milliseconds that a server asked us to wait (`Retry-After`). */
  retryAfterMs?: number | undefined;
}

/** The only error class that crosses a room's door. */
export class CarrelError extends Error {
  override readonly name = 'CarrelError';
  readonly code: ErrorCode;
  readonly item: string | undefined;
  readonly next: string | undefined;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: CarrelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.item = details.item;
    this.next = details.next;
    this.retryable = details.retryable ?? false;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** True for a `CarrelError`; with codes, only for those. Works across two copies of the package. */
export function isCarrelError(error: unknown, ...codes: ErrorCode[]): error is CarrelError {
  if (!(error instanceof Error) || error.name !== 'CarrelError') return false;
  return codes.length === 0 || codes.includes((error as CarrelError).code);
}

/** The reason of an abort as a `CarrelError` with code `interrupted` (or the reason itself if it is one). */
export function abortError(signal: AbortSignal): CarrelError {
  if (isCarrelError(signal.reason)) return signal.reason;
  return new CarrelError('interrupted', 'interrupted', { cause: signal.reason });
}
