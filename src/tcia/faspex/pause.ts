/** Waiting before something is tried again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, type CarrelError } from '../../errors.ts';

const LONGEST_MS = 120_000;

/** Waits as long as the server asked for, or `delayMs`. Throws `interrupted` at once where the signal says so. */
export async function pause(
  error: CarrelError,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await sleep(Math.min(error.retryAfterMs ?? delayMs, LONGEST_MS), undefined, { signal });
  } catch {
    throw abortError(signal ?? AbortSignal.abort());
  }
}
