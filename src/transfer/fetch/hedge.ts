/**
 * A second request where the first one is unusually slow to answer. A few of thousands of replies take seconds where the
 * others take milliseconds; asking again after a while, and taking whichever comes first, cuts that tail for a few more
 * requests (Dean and Barroso, "The Tail at Scale", 2013; AWS advises the same for S3).
 */
import type { ObjectBody } from '../../stores/index.ts';

/** Share of the requests that may be asked twice, and how many are free. */
const SHARE = 0.02;
const FREE = 2;

/** Nobody is asked again sooner. */
const FLOOR_MS = 2_000;

/** How much slower than nearly all others a reply has to be. */
const FACTOR = 4;

/** Replies that the usual time is drawn from, and how many of them it takes to know. */
const SAMPLES = 256;
const ENOUGH = 20;

/** Asks twice where that helps. */
export interface Hedge {
  /** Opens a body; `ask` may be called a second time. The reply that comes too late is cancelled. */
  open(ask: () => Promise<ObjectBody>): Promise<ObjectBody>;
}

/** A hedge for one thread of a run. */
export function createHedge(options: { floorMs?: number | undefined } = {}): Hedge {
  const floorMs = options.floorMs ?? FLOOR_MS;
  const times: number[] = [];
  let at = 0;
  let asked = 0;
  let hedged = 0;

  const note = (ms: number): void => {
    times[at] = ms;
    at = (at + 1) % SAMPLES;
  };
  const isSpent = (): boolean => hedged >= FREE + asked * SHARE;

  let usual = 0;
  /** Milliseconds to wait for a reply; undefined where nobody is asked twice. */
  const patience = (): number | undefined => {
    if (times.length < ENOUGH || isSpent()) return undefined;
    // The 95th percentile changes slowly: it need not be drawn for each request.
    if (asked % ENOUGH === 0 || usual === 0) {
      const sorted = [...times].sort((a, b) => a - b);
      usual = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    }
    return Math.max(floorMs, FACTOR * usual);
  };

  return {
    open(ask) {
      asked += 1;
      const started = performance.now();
      return new Promise((resolve, reject) => {
        let underWay = 0;
        let settled = false;
        let timer: NodeJS.Timeout | undefined;
        const settle = (): void => {
          settled = true;
          clearTimeout(timer);
        };
        const start = (): void => {
          underWay += 1;
          ask().then(
            (body) => {
              if (settled) return body.cancel();
              settle();
              note(performance.now() - started);
              resolve(body);
            },
            (error: unknown) => {
              underWay -= 1;
              if (settled || underWay > 0) return;
              settle();
              reject(error);
            },
          );
        };
        const ms = patience();
        if (ms !== undefined) {
          timer = setTimeout(() => {
            // Many may have waited since: the share is looked at when it is used.
            if (isSpent()) return;
            hedged += 1;
            start();
          }, ms);
        }
        start();
      });
    },
  };
}
