/**
 * Who fetches: this thread, or a crew of others. The queue does not know which.
 */
import type { OpenStore } from '../../stores/index.ts';
import { lanesOnce } from '../digests/lanes-once.ts';
import type { FileResult, TransferEvent } from '../events.ts';
import type { Verification } from '../evidence.ts';
import { createThrottle } from '../fetch/bandwidth.ts';
import { fetchFile } from '../fetch/fetch-file.ts';
import { createHedge } from '../fetch/hedge.ts';
import { createMirrors, type MirrorChoice, type MirrorWord } from '../fetch/mirrors.ts';
import { createPartBudget } from '../fetch/parts.ts';
import type { RetryPolicy } from '../fetch/retry.ts';
import { startWatch, type TransferTimeouts } from '../fetch/watch.ts';
import type { Pace } from '../pace.ts';
import type { PlannedFile } from '../plan.ts';
import type { Journal } from '../state/journal.ts';
import { createMeter, type Reading } from './meter.ts';

/** What a fetcher works with. */
export interface FetcherOptions {
  openStore: OpenStore;
  verify: Verification;
  directory: string;
  partialFolder: string;
  /** Bytes of a file that an earlier run left, if any. */
  partialBytes(path: string): number | undefined;
  journal: Pick<Journal, 'add'>;
  pace: Pick<Pace, 'slowDown'>;
  /** Connections that one large file may use at once, by what else there is to fetch. */
  streams(): number;
  retry: RetryPolicy;
  timeouts: TransferTimeouts | undefined;
  /** Bytes per second over all files. */
  bandwidth: number | undefined;
  /** Which mirror is asked first. */
  mirrors: MirrorChoice;
  /** Told what is learned of mirrors. */
  onMirror: (word: MirrorWord) => void;
  emit(event: TransferEvent): void;
  /** Each file is written to the disk itself before it gets its name. */
  flush: boolean;
  signal: AbortSignal;
}

/** Fetches single files. */
export interface Fetcher {
  /**
   * One file, until it stands under its final name.
   *
   * @throws FetchFailure where no source gave the right bytes, DiskFailure where the local disk failed, the reason of
   *   the signal after an abort
   */
  fetch(file: PlannedFile): Promise<FileResult>;
  /** What has come so far. */
  read: () => Reading;
  /** Milliseconds that the mean thread was not waiting for anything, since some moment in the past. */
  workedMs: () => number;
  /** Gives back what it holds. Nothing may be under way. */
  end(): Promise<void>;
}

/**
 * Fetches in this thread.
 *
 * @param bytes that are to come, as far as known
 */
export function createFetcher(options: FetcherOptions, bytes = Number.POSITIVE_INFINITY): Fetcher {
  const { bandwidth, signal, timeouts, ...rest } = options;
  const meter = createMeter();
  const watch = startWatch(signal, timeouts);
  const throttle = bandwidth === undefined ? undefined : createThrottle(bandwidth, signal);
  let active = 0;
  const context = {
    ...rest,
    meter,
    watch,
    throttle,
    signal,
    mirrors: createMirrors(options.onMirror, options.mirrors),
    lanes: lanesOnce(bytes, () => active),
    partBudget: createPartBudget(),
    hedge: createHedge({ floorMs: timeouts?.hedge }),
  };
  return {
    async fetch(file) {
      active += 1;
      try {
        return await fetchFile(file, context);
      } finally {
        active -= 1;
      }
    },
    read: meter.read,
    workedMs: () => performance.eventLoopUtilization().active,
    async end() {
      watch.end();
    },
  };
}
