/**
 * Which threads carry a run out: a crew for much work, this thread for little.
 */
import { availableParallelism } from 'node:os';
import { MOST_JOBS } from '../pace.ts';
import type { PlannedFile } from '../plan.ts';
import { createFetcher, type Fetcher, type FetcherOptions } from './fetcher.ts';

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
  const bytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const much = files.length >= WORTH_FILES || bytes >= WORTH_BYTES;
  const most = Math.min(MOST_THREADS, availableParallelism(), files.length);
  const threads = options.threads === 'auto' ? (much ? most : 1) : Math.max(1, Math.floor(options.threads));
  // A limit holds for all threads together, and one thread is fast enough for any limit that people set.
  if (threads === 1 || settings === undefined || options.bandwidth !== undefined) {
    return createFetcher(options, bytes);
  }
  const { createCrew } = await import('./crew.ts');
  return createCrew(threads, { ...options, stores: settings, connections: MOST_JOBS });
}
