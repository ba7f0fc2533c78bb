/**
 * The queue: starts as many files as the pace allows, and looks again whenever one ends.
 */
import type { Pace } from './pace.ts';

/** How often the pace is told about the rate. */
const SAMPLE_MS = 100;

/**
 * Works through all items; `work` must not reject. Resolves when everything that was started has ended; after an
 * abort nothing new is started.
 */
export function runJobs<T>(
  items: readonly T[],
  options: {
    pace: Pace;
    signal: AbortSignal;
    totals: () => { bytes: number; files: number; workedMs?: number | undefined };
    work: (item: T) => Promise<void>;
  },
): Promise<void> {
  const { pace, signal, totals, work } = options;
  return new Promise((resolve, reject) => {
    let next = 0;
    let active = 0;
    const pump = () => {
      while (active < pace.jobs && next < items.length && !signal.aborted) {
        const item = items[next] as T;
        next += 1;
        active += 1;
        work(item).then(ended, failed);
      }
      if (active === 0 && (next >= items.length || signal.aborted)) {
        clearInterval(timer);
        resolve();
      }
    };
    const ended = () => {
      active -= 1;
      pump();
    };
    const failed = (error: unknown) => {
      clearInterval(timer);
      reject(error);
    };
    const timer = setInterval(() => {
      pace.sample({ ...totals(), busy: active >= pace.jobs });
      pump();
    }, SAMPLE_MS);
    pump();
  });
}
