/**
 * Nobody waits for ever: ends attempts whose server has gone silent or has slowed to a trickle.
 *
 * Stores have time-outs of their own; this is the last line, and it knows what they cannot: how fast the other
 * streams of the run are. A connection that has collapsed to 1 KiB/s never is silent, and none of the well-known
 * tools gets out of it; AWS advises to "retry the slowest 5 percent" of large requests on a new connection.
 */
import { CarrelError } from '../../errors.ts';

const TICK_MS = 500;

/** When an attempt is given up. All in milliseconds. */
export interface TransferTimeouts {
  /** Between two pieces of a body. The wait for the reply itself is the store's affair. Default 60,000. */
  idle?: number | undefined;
  /** A stream slower than a twentieth of the run's mean stream for so long is started again. Default 15,000. */
  slow?: number | undefined;
  /** A reply that takes longer than this, and four times longer than nearly all, is asked for again. Default 2,000. */
  hedge?: number | undefined;
}

/** One attempt under watch. */
export interface Lease {
  readonly signal: AbortSignal;
  /** The reply is here: from now on bytes are expected. Before, a request may wait for a free connection. */
  start(): void;
  /** Bytes came. */
  bytes(count: number): void;
  /** The engine itself holds the stream back (a bandwidth limit): the server is not to blame meanwhile. */
  hold(until: Promise<unknown>): void;
  end(): void;
}

/** Watches all attempts of a run. */
export interface Watch {
  /** @param mayBeSlow false where the stream is to be ended for being slow, too. */
  begin(options: { item: string; mayBeSlow: boolean }): Lease;
  end(): void;
}

interface Watched {
  controller: AbortController;
  item: string;
  mayBeSlow: boolean;
  started: boolean;
  lastByteAt: number;
  held: number;
  window: { at: number; bytes: number };
}

/** A stream this slow is never ended for it in the first place: nobody's line is judged by its first second. */
const SLOW_SHARE = 1 / 20;

/** Starts watching; `signal` ends every attempt. */
export function startWatch(signal: AbortSignal, timeouts: TransferTimeouts = {}): Watch {
  const idleMs = timeouts.idle ?? 60_000;
  const slowMs = timeouts.slow ?? 15_000;
  const all = new Set<Watched>();
  /** Bytes and milliseconds of all streams together: their quotient is the mean rate of one stream. */
  let bytesSeen = 0;
  let streamMs = 0;
  const give = (watched: Watched, message: string) => {
    watched.controller.abort(new CarrelError('network', message, { item: watched.item, retryable: true }));
  };
  const look = () => {
    const now = performance.now();
    for (const watched of all) {
      if (!watched.started) continue;
      streamMs += TICK_MS;
      if (watched.held > 0) {
        watched.lastByteAt = now;
        watched.window = { at: now, bytes: 0 };
      } else if (now - watched.lastByteAt > idleMs) {
        give(watched, `nothing came for ${Math.round(idleMs / 1000)} s`);
      } else if (now - watched.window.at > slowMs) {
        const rate = watched.window.bytes / (now - watched.window.at);
        if (!watched.mayBeSlow && rate < (bytesSeen / Math.max(1, streamMs)) * SLOW_SHARE) {
          give(watched, `the stream slowed down to ${Math.round(rate * 1000)} bytes per second`);
        }
        watched.window = { at: now, bytes: 0 };
      }
    }
  };
  const timer = setInterval(look, TICK_MS);
  timer.unref();
  const stop = () => {
    for (const watched of all) watched.controller.abort(signal.reason);
  };
  signal.addEventListener('abort', stop);
  return {
    begin({ item, mayBeSlow }) {
      const controller = new AbortController();
      const now = performance.now();
      const watched: Watched = {
        controller,
        item,
        mayBeSlow,
        started: false,
        lastByteAt: now,
        held: 0,
        window: { at: now, bytes: 0 },
      };
      if (signal.aborted) controller.abort(signal.reason);
      all.add(watched);
      return {
        signal: controller.signal,
        start() {
          watched.started = true;
          watched.lastByteAt = performance.now();
          watched.window = { at: watched.lastByteAt, bytes: 0 };
        },
        bytes(count) {
          bytesSeen += count;
          watched.window.bytes += count;
          watched.lastByteAt = performance.now();
        },
        hold(until) {
          watched.held += 1;
          const release = () => {
            watched.held -= 1;
          };
          until.then(release, release);
        },
        end: () => void all.delete(watched),
      };
    },
    end() {
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}
