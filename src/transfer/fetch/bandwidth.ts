/**
 * A limit of bytes per second over all files of a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Accounts for bytes that came; the promise, if any, resolves when more may be read. */
export type Throttle = (bytes: number) => Promise<void> | undefined;

/** At most a quarter of a second's worth of bytes may come at once. */
const BURST_SECONDS = 0.25;

/**
 * A token bucket. Not reading makes TCP's window close, so the server slows down; nothing is thrown away.
 *
 * @param bytesPerSecond more than 0
 */
export function createThrottle(bytesPerSecond: number, signal: AbortSignal): Throttle {
  let free = bytesPerSecond * BURST_SECONDS;
  let last = performance.now();
  return (bytes) => {
    const now = performance.now();
    free = Math.min(free + ((now - last) / 1000) * bytesPerSecond, bytesPerSecond * BURST_SECONDS);
    last = now;
    free -= bytes;
    if (free >= 0) return undefined;
    return sleep((-free / bytesPerSecond) * 1000, undefined, { signal });
  };
}
