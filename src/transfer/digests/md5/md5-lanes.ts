/**
 * MD5 of many streams at once. One stream alone costs what `node:crypto` costs; eight together cost about a fourth of
 * it per byte, because they share the vector registers of one core. docs/decisions/0006 has the figures.
 */
import { createMd5Machine } from './machine.ts';
import { createNodeLanes } from './node-lanes.ts';
import { createSimdLanes } from './simd-lanes.ts';

/** Room for the bytes of one body, in memory that is hashed in place. */
export interface Slab {
  /**
   * To be filled by the caller. Its first bytes stay as they are until `release`; those behind the given ones may not.
   * A part of a large memory: copy what another thread is to have, for posting a view posts all of it.
   */
  readonly view: Uint8Array<ArrayBuffer>;
  /** To be called once when the caller needs the view no more, hashed or not. */
  release(): void;
}

/** The MD5 of one sequence of bytes. */
export interface Md5Stream {
  /** Takes the next bytes, in any chunking. They are copied before it returns. */
  update(chunk: Uint8Array): void;
  /**
   * A promise where this stream has brought much more than others that are to go on beside it: to be waited for before the next
   * `update`. 150 ms at most.
   */
  behind(): Promise<void> | undefined;
  /**
   * Takes the first `length` bytes of a slab, without a copy; again, with a greater length, when more of it is filled. The slab
   * is the whole of the stream, and of no other.
   */
  updateSlab(slab: Slab, length: number): void;
  /**
   * Ends the stream. Resolves with 32 hex digits, in lower case, once enough others wait as well, at the latest after
   * `waitMs` or `flush`; in the next turn of the event loop where nothing else is expected. Rejects after `abandon`.
   */
  digest(): Promise<string>;
  /** Forgets the stream and frees its memory. */
  abandon(): void;
}

/** Streams that are hashed side by side, in the thread that made them. */
export interface Md5Lanes {
  /** True where they share vector registers; false where `node:crypto` does each by itself. */
  readonly simd: boolean;
  /** Room for a body of known size; undefined where memory is used up: give ordinary chunks to `update` instead. */
  allocate(bytes: number): Slab | undefined;
  /** The same for a body that can as well go elsewhere: only while half of the memory is free, and nothing is hashed for it. */
  allocateSpare(bytes: number): Slab | undefined;
  /** Begins a stream. */
  open(): Md5Stream;
  /** Computes everything that waits, also with empty lanes. */
  flush(): void;
}

/** How much may be used, and for how long it may wait. */
export interface Md5LanesOptions {
  /** Bytes of memory for all streams and slabs; taken once, used as needed. Default 32 MiB, at least 2 MiB. */
  memoryBytes?: number | undefined;
  /** Bytes of a stream that are gathered before they are hashed; a multiple of 64. Default 32 KiB. */
  pageBytes?: number | undefined;
  /** Milliseconds that an ended stream waits for others while some are under way. Default 25 where streams end often, else 5. */
  waitMs?: number | undefined;
  /**
   * How many streams there are and will be soon, those included that wait for their digest: as long as there may come more, lanes
   * are kept free for them. Default: the streams that are open and the slabs that are being filled.
   */
  expected?: (() => number) | undefined;
  /** False for `node:crypto` in any case. */
  simd?: boolean | undefined;
}

/** Lanes for this thread: in vector registers where the machine has them, else with `node:crypto`. */
export function createMd5Lanes(options: Md5LanesOptions = {}): Md5Lanes {
  const memoryBytes = Math.max(options.memoryBytes ?? 32 << 20, 2 << 20);
  const machine = options.simd === false ? undefined : createMd5Machine({ bytes: memoryBytes });
  return machine === undefined ? createNodeLanes(memoryBytes) : createSimdLanes(machine, options);
}
