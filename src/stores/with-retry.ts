/** A store that asks again. */
import { abortError, type CarrelError, isCarrelError } from '../errors.ts';
import { compareKeys } from './object-key.ts';
import type { ListOptions, ListPage, Store } from './store.ts';

/** One repetition, for whoever reports them. */
export interface RetryNote {
  /** `get`, `stat` or `list`. */
  operation: 'get' | 'stat' | 'list';
  /** Key or prefix. */
  key: string;
  /** The attempt that failed: 1 is the first. */
  attempt: number;
  /** Milliseconds until the next one. */
  delayMs: number;
  error: CarrelError;
}

/** Options of `withRetry`. */
export interface RetryOptions {
  /** Attempts in all. Default 5. */
  attempts?: number | undefined;
  /** Upper bound of the first delay; it doubles with each attempt. Default 500. */
  baseMs?: number | undefined;
  /** Upper bound of any delay that we choose. Default 20,000. */
  maxMs?: number | undefined;
  /** Longest `Retry-After` that is honoured; beyond it the error is handed on. Default 120,000. */
  maxRetryAfterMs?: number | undefined;
  /** A number from 0 to 1 that the delay is multiplied with ("full jitter"). Default `Math.random`. */
  jitter?: (() => number) | undefined;
  /** Waits; rejects when the signal aborts. */
  sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  onRetry?: ((note: RetryNote) => void) | undefined;
}

/**
 * Repeats what failed for a reason that may pass (`retryable`): opening a body, a stat, a page of a listing. Never what
 * would fail the same way again: `not-found`, `permission`, `verification`. A body that breaks is not repeated here: who
 * reads it knows what has arrived, and asks for the rest.
 *
 * Delays are random between 0 and a bound that doubles (Brooker, "Exponential Backoff and Jitter", 2015), at least what
 * the server asked for in `Retry-After`.
 */
export function withRetry(store: Store, options: RetryOptions = {}): Store {
  const attempts = options.attempts ?? 5;
  const { baseMs = 500, maxMs = 20_000, maxRetryAfterMs = 120_000 } = options;
  const jitter = options.jitter ?? Math.random;
  const sleep = options.sleep ?? sleepUntil;

  /** The delay before the next attempt, or undefined where there is none. */
  const delayAfter = (error: unknown, attempt: number): number | undefined => {
    if (!isCarrelError(error) || !error.retryable || attempt >= attempts) return undefined;
    const asked = error.retryAfterMs ?? 0;
    if (asked > maxRetryAfterMs) return undefined;
    return asked + Math.round(jitter() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)));
  };

  /** Waits before the next attempt, or throws what the last one ended with. */
  const waitAfter = async (
    error: unknown,
    note: Pick<RetryNote, 'operation' | 'key' | 'attempt'>,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const delayMs = signal?.aborted ? undefined : delayAfter(error, note.attempt);
    if (delayMs === undefined) throw error;
    options.onRetry?.({ ...note, delayMs, error: error as CarrelError });
    await sleep(delayMs, signal);
  };

  const repeat = async <T>(
    operation: 'get' | 'stat',
    key: string,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        await waitAfter(error, { operation, key, attempt }, signal);
      }
    }
  };

  /** Goes on after the last key that was given. Attempts are counted anew only when something new has come. */
  async function* list(prefix: string, given: ListOptions = {}): AsyncGenerator<ListPage> {
    let { startAfter } = given;
    let lastPrefix: string | undefined;
    let attempt = 1;
    let pages = store.list(prefix, given)[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<ListPage>;
      try {
        next = await pages.next();
      } catch (error) {
        await waitAfter(error, { operation: 'list', key: prefix, attempt }, given.signal);
        attempt += 1;
        pages = store.list(prefix, { ...given, startAfter })[Symbol.asyncIterator]();
        continue;
      }
      if (next.done) return;
      const { objects } = next.value;
      // After a new beginning, a folder that was given already may come again: it holds keys behind `startAfter`.
      const prefixes = next.value.prefixes.filter(
        (key) => lastPrefix === undefined || compareKeys(key, lastPrefix) > 0,
      );
      const keys = [startAfter, objects.at(-1)?.key, prefixes.at(-1)].filter((key) => key !== undefined);
      startAfter = keys.sort(compareKeys).at(-1);
      lastPrefix = prefixes.at(-1) ?? lastPrefix;
      if (objects.length + prefixes.length > 0) attempt = 1;
      yield { objects, prefixes };
    }
  }

  return {
    ...store,
    get: (key, given) => repeat('get', key, given?.signal, () => store.get(key, given)),
    stat: (key, given) => repeat('stat', key, given?.signal, () => store.stat(key, given)),
    list,
  };
}

function sleepUntil(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortError(signal as AbortSignal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
