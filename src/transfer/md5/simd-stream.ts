/**
 * One stream: cuts what comes into whole blocks, keeps the rest, and pads at the end (RFC 1321, sections 3.1 and 3.2).
 */
import { CarrelError } from '../../errors.ts';
import { firstState } from './machine.ts';
import type { Md5Stream, Slab } from './md5-lanes.ts';
import type { Segment, Work } from './scheduler.ts';

const BLOCK = 64;

/** What a stream needs of the lanes that it is one of. */
export interface Surroundings {
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Bytes of a page; behind them is room for the padding. */
  readonly pageBytes: number;
  takePage(): { at: number; free: () => void };
  claim(slab: Slab, length: number): { at: number; free: () => void };
  /** More blocks of this stream may be hashed. */
  enqueue(work: Work, segment: Segment): void;
  /** A page of this stream is full; there may be enough of them to go on. */
  onFullPage(): void;
  /** The stream has ended; its last blocks are in the queue. */
  onEnd(work: Work): void;
  /** The stream is over: hashed or given up. */
  onOver(work: Work): void;
}

/** A stream, and what the lanes want of it. */
export interface SimdStream extends Md5Stream {
  readonly work: Work;
  /** True where it keeps memory that is not in the queue. */
  readonly keepsSlab: boolean;
  /** Puts all whole blocks into the queue and frees the memory of the rest. */
  settle(): void;
}

/** Bytes that are not in the queue yet. `room` more may be written behind them. */
interface Region {
  at: number;
  fill: number;
  room: number;
  free: () => void;
}

/** Begins a stream. */
export function createSimdStream(lanes: Surroundings): SimdStream {
  const { memory, pageBytes } = lanes;
  let region: Region | undefined;
  /** Less than a block, while no region is held. */
  let carry: Uint8Array | undefined;
  let total = 0;
  let over = false;
  let promise: Promise<string> | undefined;
  let waiter: { resolve(hex: string): void; reject(error: Error): void } | undefined;

  const work: Work = {
    state: firstState(),
    queue: [],
    ended: false,
    finish() {
      over = true;
      lanes.onOver(work);
      const hash = Buffer.alloc(16);
      for (const [index, word] of work.state.entries()) hash.writeInt32LE(word, 4 * index);
      waiter?.resolve(hash.toString('hex'));
    },
  };

  const openPage = (): Region => {
    const { at, free } = lanes.takePage();
    const opened: Region = { at, fill: 0, room: pageBytes, free };
    region = opened;
    if (carry !== undefined) append(opened, carry);
    carry = undefined;
    return opened;
  };
  const append = (page: Region, bytes: Uint8Array) => {
    memory.set(bytes, page.at + page.fill);
    page.fill += bytes.length;
    page.room -= bytes.length;
  };
  /** Queues the whole blocks of the region; what is left of it is carried. */
  const settle = () => {
    if (region === undefined) return;
    const { at, fill, free } = region;
    const blocks = Math.floor(fill / BLOCK);
    const rest = memory.subarray(at + BLOCK * blocks, at + fill);
    if (rest.length > 0) carry = rest.slice();
    region = undefined;
    if (blocks === 0) free();
    else lanes.enqueue(work, { at, blocks, free });
  };
  const mustBeOpen = () => {
    if (promise !== undefined || over) throw new CarrelError('usage', 'this MD5 has ended');
  };
  const update = (chunk: Uint8Array) => {
    for (let from = 0; from < chunk.length; ) {
      if (region !== undefined && region.room === 0) settle();
      const page = region ?? openPage();
      const piece = chunk.subarray(from, from + page.room);
      append(page, piece);
      total += piece.length;
      from += piece.length;
      if (page.room > 0) continue;
      settle();
      lanes.onFullPage();
    }
  };
  const pad = () => {
    const page = region ?? openPage();
    const padded = Math.ceil((page.fill + 9) / BLOCK) * BLOCK;
    memory[page.at + page.fill] = 0x80;
    memory.fill(0, page.at + page.fill + 1, page.at + padded - 8);
    const length = new DataView(memory.buffer, page.at + padded - 8, 8);
    length.setUint32(0, (total << 3) >>> 0, true);
    length.setUint32(4, Math.floor(total / 2 ** 29), true);
    page.fill = padded;
    settle();
  };

  return {
    work,
    get keepsSlab() {
      return region !== undefined && region.room === 0;
    },
    settle,
    update(chunk) {
      mustBeOpen();
      update(chunk);
    },
    updateSlab(slab, length) {
      mustBeOpen();
      const { at, free } = lanes.claim(slab, length);
      // Blocks must go on where the last one ended: what is lacking there is copied.
      const before = total % BLOCK;
      const copied = before === 0 ? 0 : Math.min(BLOCK - before, length);
      if (copied > 0) update(memory.subarray(at, at + copied));
      if (copied === length) {
        free();
        return;
      }
      settle();
      region = { at: at + copied, fill: length - copied, room: 0, free };
      total += length - copied;
    },
    digest() {
      if (over && promise === undefined)
        return Promise.reject(new CarrelError('interrupted', 'this MD5 was given up'));
      if (promise !== undefined) return promise;
      promise = new Promise<string>((resolve, reject) => {
        waiter = { resolve, reject };
      });
      pad();
      // Only now: making room for the padding may have hashed what was there.
      work.ended = true;
      lanes.onEnd(work);
      return promise;
    },
    abandon() {
      if (over) return;
      over = true;
      region?.free();
      region = undefined;
      carry = undefined;
      lanes.onOver(work);
      promise?.catch(() => {}); // whoever gave it up need not wait for it
      waiter?.reject(new CarrelError('interrupted', 'this MD5 was given up'));
    },
  };
}
