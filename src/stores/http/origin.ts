/** The connections to one origin: kept ones, open ones, and who waits for one. */
import { abortError, CarrelError } from '../../errors.ts';
import { createConnection } from './connection.ts';
import type { Link } from './link.ts';
import type { Connection, ConnectionEvents } from './wire.ts';

/** Limits of one origin. */
export interface OriginLimits {
  connections: number;
  requestsPerConnection: number;
  keepAliveMs: number;
}

/** Connections to one origin. */
export interface Origin {
  /**
   * A connection for one request: a kept one (the most recently used), a new one, or the next that becomes free, in the
   * order of asking. `fresh` refuses kept ones.
   */
  acquire(options: { fresh: boolean; signal?: AbortSignal | undefined }): Promise<Connection>;
  close(): void;
}

interface Waiter {
  grant: (kept: Connection | undefined) => void;
  refuse: (error: Error) => void;
}

interface Kept {
  connection: Connection;
  timer: NodeJS.Timeout;
}

/** @param open opens a link; called with a slot held */
export function createOrigin(
  open: (signal: AbortSignal | undefined) => Promise<Link>,
  limits: OriginLimits,
  onBody: (bytes: number) => void,
): Origin {
  const kept: Kept[] = [];
  const inUse = new Set<Connection>();
  const waiters: Waiter[] = [];
  let slots = 0; // connections open or being opened
  let closed = false;

  const events: ConnectionEvents = {
    onBody,
    onFree(connection) {
      if (closed || connection.requests >= limits.requestsPerConnection) return connection.destroy();
      const next = waiters.shift();
      if (next !== undefined) return next.grant(connection);
      keep(connection);
    },
    onClosed(connection) {
      inUse.delete(connection);
      const at = kept.findIndex((entry) => entry.connection === connection);
      if (at >= 0) clearTimeout(kept.splice(at, 1)[0]?.timer);
      freeSlot();
    },
  };

  return {
    async acquire({ fresh, signal }) {
      if (signal?.aborted) throw abortError(signal);
      if (closed) throw closedError();
      const ready = fresh ? undefined : takeKept();
      if (ready !== undefined) return ready;
      if (fresh && slots >= limits.connections) kept[0]?.connection.destroy();
      if (slots >= limits.connections) {
        // What is granted here has just finished a reply, so it serves those who want a fresh one too.
        const granted = await waitForTurn(fresh, signal);
        if (granted !== undefined) return granted;
      } else {
        slots += 1;
      }
      return openConnection(signal);
    },
    close() {
      closed = true;
      for (const waiter of waiters.splice(0)) waiter.refuse(closedError());
      // Each one leaves its list as it is destroyed.
      const all = new Set([...inUse, ...kept.map(({ connection }) => connection)]);
      for (const connection of all) connection.destroy();
    },
  };

  async function openConnection(signal: AbortSignal | undefined): Promise<Connection> {
    let link: Link;
    try {
      link = await open(signal);
    } catch (error) {
      freeSlot();
      throw error;
    }
    const connection = createConnection(link, events);
    inUse.add(connection);
    if (closed) {
      connection.destroy();
      throw closedError();
    }
    return connection;
  }

  /** The slot goes to the next in line, who opens a connection of their own. */
  function freeSlot(): void {
    const next = closed ? undefined : waiters.shift();
    if (next === undefined) slots -= 1;
    else next.grant(undefined);
  }

  function waitForTurn(first: boolean, signal: AbortSignal | undefined): Promise<Connection | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = waiters.indexOf(waiter);
        if (at >= 0) waiters.splice(at, 1);
        reject(abortError(signal as AbortSignal));
      };
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        grant(connection) {
          done();
          resolve(connection);
        },
        refuse(error) {
          done();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (first) waiters.unshift(waiter);
      else waiters.push(waiter);
    });
  }

  function keep(connection: Connection): void {
    inUse.delete(connection);
    connection.setActive(false);
    // A server that says `timeout=5` closes after five seconds; half a second is left for the way.
    const seconds = connection.keepAliveSeconds;
    const ms = Math.min(
      limits.keepAliveMs,
      seconds === undefined ? Infinity : Math.max(seconds * 1000 - 500, 0),
    );
    const timer = setTimeout(() => connection.destroy(), ms);
    timer.unref();
    kept.push({ connection, timer });
  }

  function takeKept(): Connection | undefined {
    const entry = kept.pop();
    if (entry === undefined) return undefined;
    clearTimeout(entry.timer);
    entry.connection.setActive(true);
    inUse.add(entry.connection);
    return entry.connection;
  }
}

function closedError(): CarrelError {
  return new CarrelError('interrupted', 'the connection pool was closed');
}
