/**
 * How many files are fetched at once.
 *
 * `auto` starts with 32 and looks every 250 ms. As long as more jobs bring more bytes (or, for small objects, more
 * files) per second it grows by half: on a long line each job spends its time waiting, and a run that starts with few
 * would be over before it had found out. It does not grow while the threads have no time to spare: more connections would
 * only cost handshakes and memory, and a short line keeps few of them busy. Once a step brought nothing, it grows by a few each second while that pays.
 * It halves, at most once a second, when a server says 429 or 503, and then waits some seconds before it grows again.
 * The unit is requests under way; S3 and GCS limit requests per second, and both ask clients to slow down on 503 (AWS:
 * "Best practices design patterns", Google: "Request rate guidelines").
 */

const START = 32;
/** Most requests under way. */
export const MOST_JOBS = 256;
const FAST_WINDOW_MS = 250;
const WINDOW_MS = 1_000;
const CALM_MS = 5_000;
/** Growth in rate that counts as such; while growing fast, jobs grow by half: a fifth is more than noise. */
const FAST_GAIN = 1.2;
const GAIN = 1.05;
/** A thread that was busy for more of the time than this has none left for further jobs. */
const SATURATED = 0.85;

/** The present number of jobs. */
export interface Pace {
  readonly jobs: number;
  /** A server asked for less. */
  slowDown(): void;
  /**
   * Called now and then with totals since the start; `busy` is true where all jobs were in use, `workedMs` is the time that
   * the mean thread was not waiting for anything.
   */
  sample(totals: { bytes: number; files: number; busy: boolean; workedMs?: number | undefined }): void;
}

/** A fixed number of jobs, or `auto`. */
export function createPace(jobs: number | 'auto', now: () => number = Date.now): Pace {
  if (jobs !== 'auto') return { jobs: Math.max(1, Math.floor(jobs)), slowDown() {}, sample() {} };
  let current = START;
  let fast = true;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let window = { at: now(), bytes: 0, files: 0, workedMs: 0 };
  let best = { bytes: 0, files: 0 };
  return {
    get jobs() {
      return current;
    },
    slowDown() {
      fast = false;
      if (now() - slowedAt < WINDOW_MS) return;
      slowedAt = now();
      current = Math.max(1, Math.floor(current / 2));
      best = { bytes: 0, files: 0 };
    },
    sample({ bytes, files, busy, workedMs = 0 }) {
      const elapsed = now() - window.at;
      if (elapsed < (fast ? FAST_WINDOW_MS : WINDOW_MS)) return;
      const rate = { bytes: (bytes - window.bytes) / elapsed, files: (files - window.files) / elapsed };
      const saturated = (workedMs - window.workedMs) / elapsed > SATURATED;
      window = { at: now(), bytes, files, workedMs };
      const asked = fast ? FAST_GAIN : GAIN;
      const gained = rate.bytes > best.bytes * asked || rate.files > best.files * asked;
      // Nothing has come yet: that says nothing about the number of jobs.
      const silent = bytes === 0 && files === 0;
      best = { bytes: Math.max(best.bytes, rate.bytes), files: Math.max(best.files, rate.files) };
      if (silent || !busy || saturated || now() - slowedAt <= CALM_MS) return;
      if (!gained) fast = false;
      else current = Math.min(MOST_JOBS, current + Math.max(1, fast ? current >> 1 : current >> 3));
    },
  };
}
