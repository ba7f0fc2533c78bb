/**
 * Counts what has been done, and says so at most ten times a second.
 */
import type { TransferEvent } from './events.ts';
import type { Reading } from './threads/meter.ts';

const INTERVAL_MS = 100;

/** The rate is that of the last seconds, so that it follows the line. */
const RATE_WINDOW_MS = 5_000;

/** The report of a run under way. */
export interface Progress {
  readonly files: number;
  fileDone(mirror?: string): void;
  /** Something is tried again. */
  retried(): void;
  /** The last word; stops the clock. */
  end(): void;
}

/** Starts to report; `files` and `bytes` are what is present already. */
export function startProgress(options: {
  emit: (event: TransferEvent) => void;
  totalFiles: number;
  totalBytes: number | undefined;
  files: number;
  bytes: number;
  /** What has come since the start. */
  read: () => Reading;
}): Progress {
  const { emit, totalFiles, totalBytes } = options;
  let { files } = options;
  let retries = 0;
  let mirror: string | undefined;
  let said = '';
  const marks: { at: number; received: number }[] = [{ at: performance.now(), received: 0 }];
  const say = () => {
    const now = performance.now();
    const { received, standing } = options.read();
    const bytes = options.bytes + standing;
    marks.push({ at: now, received });
    while (marks.length > 2 && now - (marks[1]?.at ?? now) > RATE_WINDOW_MS) marks.shift();
    const state = `${files} ${bytes} ${retries}`;
    if (state === said) return;
    said = state;
    const oldest = marks[0] ?? { at: now, received };
    const seconds = Math.max(0.001, (now - oldest.at) / 1000);
    const bytesPerSecond = Math.round((received - oldest.received) / seconds);
    emit({ type: 'progress', files, bytes, totalFiles, totalBytes, bytesPerSecond, retries, mirror });
  };
  const timer = setInterval(say, INTERVAL_MS);
  timer.unref();
  return {
    get files() {
      return files;
    },
    fileDone(from) {
      files += 1;
      mirror = from ?? mirror;
    },
    retried() {
      retries += 1;
    },
    end() {
      clearInterval(timer);
      say();
    },
  };
}
