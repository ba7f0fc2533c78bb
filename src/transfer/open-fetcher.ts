/**
 * Which threads carry a run out: a crew for much work, this thread for little.
 */
import { availableParallelism } from 'node:os';
import { createFetcher, type Fetcher, type FetcherOptions } from './fetcher.ts';
import { MOST_JOBS } from './pace.ts';
import type { PlannedFile } from './plan.ts';

/** A thread takes 40 ms of processor time to start: less work than this is done before it has begun. */
const WORTH_BYTES = 32 << 20;
const WORTH_FILES = 300;

/** More threads than this do not fetch faster from one machine's disk. */
const MOST_THREADS = 4;

/** Opens the fetcher for these files. */
export async function openFetcher(
  files: readonly PlannedFile[],
  options: FetcherOptions & { threads: number | 'auto' },
): Promise<Fetcher> {
  const { settings } = options.openStore;
  const threads = options.threads === 'auto' ? threadsFor(files) : Math.max(1, Math.floor(options.threads));
  // A limit holds for all threads together, and one thread is fast enough for any limit that people set.
  if (threads === 1 || settings === undefined || options.bandwidth !== undefined) {
    return createFetcher(options);
  }
  const { createCrew } = await import('./crew.ts');
  return createCrew(threads, { ...options, stores: settings, connections: MOST_JOBS });
}

function threadsFor(files: readonly PlannedFile[]): number {
  const processors = Math.min(MOST_THREADS, availableParallelism());
  let bytes = 0;
  for (const [index, { size }] of files.entries()) {
    bytes += size ?? 0;
    if (index + 1 >= WORTH_FILES || bytes >= WORTH_BYTES) return Math.min(processors, files.length);
  }
  return 1;
}
