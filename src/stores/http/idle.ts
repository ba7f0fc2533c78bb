/** Time limits between two pieces of a body. */

/** What is looked at when the time is over. */
export interface IdleSubject {
  /** There is nothing to wait for any more. */
  isOver: () => boolean;
  /** The consumer wants time. */
  isBusy: () => boolean;
  /** Reads so far. */
  arrivals: () => number;
  /** `nothing came for 20 s`. */
  onLate: (silence: string) => void;
}

/**
 * Ends a body that stalls; `refresh` the timer with each piece. The consumer's own time does not count, nor that of a
 * process that was asleep: what has arrived meanwhile is read (`setImmediate`) before the server is blamed.
 */
export function watchIdle(idleMs: number, { isOver, isBusy, arrivals, onLate }: IdleSubject): NodeJS.Timeout {
  const late = (before: number): void => {
    if (isOver()) return;
    if (isBusy() || arrivals() > before) timer.refresh();
    else onLate(`nothing came for ${idleMs / 1000} s`);
  };
  const timer = setTimeout(() => setImmediate(late, arrivals()), idleMs);
  return timer;
}
