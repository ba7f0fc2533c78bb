/**
 * How many files are fetched at once.
 *
 * `auto` starts with 16. It grows by a quarter each second while that brings more bytes (or, for small objects, more
 * files) per second, up to 64; it halves, at most once a second, when a server says 429 or 503, and then waits a
 * few seconds before it grows again. The unit is requests under way; S3 and GCS limit requests per second, and both
 * ask clients to slow down on 503 (AWS: "Best practices design patterns", Google: "Request rate guidelines").
 */

const START = 16;
const MOST = 64;
const WINDOW_MS = 1_000;
const CALM_MS = 5_000;
/** Growth in rate that counts as such. */
const GAIN = 1.05;

/** The present number of jobs. */
export interface Pace {
  readonly jobs: number;
  /** A server asked for less. */
  slowDown(): void;
  /** Called now and then with totals since the start; `busy` is true where all jobs were in use. */
  sample(totals: { bytes: number; files: number; busy: boolean }): void;
}

/** A fixed number of jobs, or `auto`. */
export function createPace(jobs: number | 'auto', now: () => number = Date.now): Pace {
  if (jobs !== 'auto') return { jobs: Math.max(1, Math.floor(jobs)), slowDown() {}, sample() {} };
  let current = START;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let window = { at: now(), bytes: 0, files: 0 };
  let best = { bytes: 0, files: 0 };
  return {
    get jobs() {
      return current;
    },
    slowDown() {
      if (now() - slowedAt < WINDOW_MS) return;
      slowedAt = now();
      current = Math.max(1, Math.floor(current / 2));
      best = { bytes: 0, files: 0 };
    },
    sample({ bytes, files, busy }) {
      const elapsed = now() - window.at;
      if (elapsed < WINDOW_MS) return;
      const rate = { bytes: (bytes - window.bytes) / elapsed, files: (files - window.files) / elapsed };
      window = { at: now(), bytes, files };
      const gained = rate.bytes > best.bytes * GAIN || rate.files > best.files * GAIN;
      best = { bytes: Math.max(best.bytes, rate.bytes), files: Math.max(best.files, rate.files) };
      if (gained && busy && now() - slowedAt > CALM_MS) {
        current = Math.min(MOST, current + Math.max(1, current >> 2));
      }
    },
  };
}
