/**
 * When to try again, and how long to wait first.
 */
import type { CarrelError } from '../../errors.ts';

/** How patiently a source is tried. */
export interface TransferRetry {
  /** Attempts in a row without progress, per source. Default 5. */
  attempts?: number | undefined;
  /** Milliseconds of the first wait at most; doubles each time. Default 250. */
  baseMs?: number | undefined;
  /** Longest wait of our own, in milliseconds. Default 20,000. */
  capMs?: number | undefined;
  /**
   * How long to go on without counting attempts, in milliseconds, where the only mirror left served files before and is
   * out of reach for several at once: a line that was cut. Default 120,000.
   */
  outageMs?: number | undefined;
  /** A server that asks for a longer wait than this is left for the next one, in milliseconds. Default 120,000. */
  retryAfterCapMs?: number | undefined;
}

/** The same with every value set. */
export type RetryPolicy = { [K in keyof TransferRetry]-?: number };

/** Fills in the defaults. */
export function retryPolicy(options: TransferRetry = {}): RetryPolicy {
  return {
    attempts: options.attempts ?? 5,
    baseMs: options.baseMs ?? 250,
    capMs: options.capMs ?? 20_000,
    outageMs: options.outageMs ?? 120_000,
    retryAfterCapMs: options.retryAfterCapMs ?? 120_000,
  };
}

/**
 * Milliseconds to wait before the next attempt: anything between 0 and a bound that doubles ("full jitter", AWS
 * Architecture Blog, "Exponential Backoff And Jitter"), or what the server asked for and up to a quarter more, so
 * that the clients it sent away do not come back at once. Undefined where the server asks for too much.
 */
export function waitBefore(
  attempt: number,
  error: CarrelError,
  policy: RetryPolicy,
  random: () => number = Math.random,
): number | undefined {
  if (error.retryAfterMs !== undefined && error.retryAfterMs > 0) {
    if (error.retryAfterMs > policy.retryAfterCapMs) return undefined;
    return Math.round(error.retryAfterMs * (1 + random() / 4));
  }
  return Math.round(random() * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1)));
}
