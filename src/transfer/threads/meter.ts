/**
 * The counters of a run's bytes. They lie in memory that threads can share: the thread that fetches writes, the one
 * that reports reads, and nothing is sent. Each meter has one writer, so a plain store is enough.
 */

/** Where those who receive bytes say so. */
export interface Meter {
  /** Bytes came over the line; they count toward the total until `lost`. */
  add(bytes: number): void;
  /** Bytes that were already here count toward the total, but not toward the rate. */
  found(bytes: number): void;
  /** Bytes that were thrown away: they must come again. */
  lost(bytes: number): void;
  /** A request is sent. */
  request(): void;
}

/** What a meter, or several, have counted. */
export interface Reading {
  /** Bytes that came over the line, whatever became of them. */
  received: number;
  /** Bytes that are here and count toward the total. */
  standing: number;
  requests: number;
}

const CELLS = 3;

/** Memory for one meter that another thread can read. */
export function sharedMeterMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(CELLS * Float64Array.BYTES_PER_ELEMENT);
}

/** A meter, in memory of its own or in some that is shared. */
export function createMeter(memory: SharedArrayBuffer | ArrayBuffer = new ArrayBuffer(CELLS * 8)): Meter & {
  read: () => Reading;
} {
  const cells = new Float64Array(memory);
  const change = (cell: number, by: number) => {
    cells[cell] = (cells[cell] ?? 0) + by;
  };
  return {
    add(bytes) {
      change(0, bytes);
      change(1, bytes);
    },
    found: (bytes) => change(1, bytes),
    lost: (bytes) => change(1, -bytes),
    request: () => change(2, 1),
    read: () => ({ received: cells[0] ?? 0, standing: cells[1] ?? 0, requests: cells[2] ?? 0 }),
  };
}

/** The sum of several readings. */
export function sumReadings(readings: readonly Reading[]): Reading {
  const sum = { received: 0, standing: 0, requests: 0 };
  for (const { received, standing, requests } of readings) {
    sum.received += received;
    sum.standing += standing;
    sum.requests += requests;
  }
  return sum;
}
