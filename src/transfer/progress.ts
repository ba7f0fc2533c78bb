/**
 * Counts what has been done, and says so at most ten times a second.
 */
import type { TransferEvent } from './events.ts';

const INTERVAL_MS = 100;

/** The rate is that of the last seconds, so that it follows the line. */
const RATE_WINDOW_MS = 5_000;

/** The counters of a run. */
export interface Progress {
  /** Bytes that came over the line, whatever became of them. */
  readonly received: number;
  readonly files: number;
  /** Bytes came; they count toward the total until `lost`. */
  add(bytes: number): void;
  /** Bytes that were already here count toward the total, but not toward the rate. */
  found(bytes: number): void;
  /** Bytes that were thrown away: they must come again. */
  lost(bytes: number): void;
  fileDone(): void;
  /** The last word; stops the clock. */
  end(): void;
}

/** Starts counting. `done` and `files` are what is present already. */
export function startProgress(options: {
  emit: (event: TransferEvent) => void;
  totalFiles: number;
  totalBytes: number | undefined;
  files: number;
  bytes: number;
}): Progress {
  const { emit, totalFiles, totalBytes } = options;
  let { files, bytes } = options;
  let received = 0;
  let said = '';
  const marks: { at: number; received: number }[] = [{ at: performance.now(), received: 0 }];
  const say = () => {
    const now = performance.now();
    marks.push({ at: now, received });
    while (marks.length > 2 && now - (marks[1]?.at ?? now) > RATE_WINDOW_MS) marks.shift();
    const state = `${files} ${bytes}`;
    if (state === said) return;
    said = state;
    const oldest = marks[0] ?? { at: now, received };
    const seconds = Math.max(0.001, (now - oldest.at) / 1000);
    const bytesPerSecond = Math.round((received - oldest.received) / seconds);
    emit({ type: 'progress', files, bytes, totalFiles, totalBytes, bytesPerSecond });
  };
  const timer = setInterval(say, INTERVAL_MS);
  timer.unref();
  return {
    get received() {
      return received;
    },
    get files() {
      return files;
    },
    add(count) {
      received += count;
      bytes += count;
    },
    found(count) {
      bytes += count;
    },
    lost(count) {
      bytes -= count;
    },
    fileDone() {
      files += 1;
    },
    end() {
      clearInterval(timer);
      say();
    },
  };
}
