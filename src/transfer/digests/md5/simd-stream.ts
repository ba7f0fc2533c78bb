/**
 * One stream: cuts what comes into whole blocks, keeps the rest, and pads at the end (RFC 1321, sections 3.1 and 3.2).
 *
 * A class, and slabs too: there may be a hundred thousand small bodies a second, and closures for each of them cost
 * more than their hashing.
 */
import { CarrelError } from '../../../errors.ts';
import { firstState, type Md5State } from './machine.ts';
import type { Md5Stream, Slab } from './md5-lanes.ts';
import type { Segment, Work } from './scheduler.ts';
import { checkLength, slabIsNotAll } from './slabs.ts';

const BLOCK = 64;

/** Pages that a stream may have waiting before it is told to wait as well: a quarter of all. */
const MOST_PAGES = 160;

/** What a stream needs of the lanes that it is one of. */
export interface Surroundings {
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Bytes of a page; behind them is room for the padding. */
  readonly pageBytes: number;
  takePage(): { at: number; free: () => void };
  /** Takes a slab; throws `usage` where it must not be given. */
  claim(slab: Slab): { at: number; free: () => void };
  /** More blocks of this stream may be hashed. */
  enqueue(work: Work, segment: Segment): void;
  /** Some stream has a page full of blocks in the queue; there may be enough of them to go on. */
  onFullPage(): void;
  /** A stream has ended; its last blocks are in the queue. */
  onEnd(stream: SimdStream): void;
  /** A stream has brought so much that it waits until that is hashed. */
  onBehind(stream: SimdStream): void;
  /** It is hashed. */
  onCaughtUp(stream: SimdStream): void;
  /** The stream is over: hashed or given up. */
  onOver(stream: SimdStream): void;
}

/** Bytes that are not in the queue yet. `room` more may be written behind them. */
interface Region {
  at: number;
  fill: number;
  room: number;
  free: () => void;
}

/** A stream in the lanes of a machine. */
export class SimdStream implements Md5Stream, Work {
  readonly state: Md5State = firstState();
  readonly queue: Segment[] = [];
  ended = false;
  readonly #lanes: Surroundings;
  #region: Region | undefined;
  /** All of the stream, where it is not chunks; `#region` is what of it is not in the queue yet. */
  #slab: Slab | undefined;
  /** Less than a block, while no region is held. */
  #carry: Uint8Array | undefined;
  #total = 0;
  #over = false;
  #digest: Promise<string> | undefined;
  #resolve: ((hex: string) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #caughtUp: (() => void) | undefined;

  constructor(lanes: Surroundings) {
    this.#lanes = lanes;
  }

  /** Puts all whole blocks into the queue and frees the memory of the rest; a slab may still grow, and stays. */
  settle(): void {
    const region = this.#region;
    if (region === undefined) return;
    const { at, fill, free } = region;
    const blocks = Math.floor(fill / BLOCK);
    if (this.#slab !== undefined) {
      if (blocks === 0) return;
      region.at += BLOCK * blocks;
      region.fill -= BLOCK * blocks;
      this.#lanes.enqueue(this, { at, blocks, free: undefined });
      return;
    }
    this.#region = undefined;
    if (fill > BLOCK * blocks) this.#carry = this.#lanes.memory.slice(at + BLOCK * blocks, at + fill);
    if (blocks === 0) free();
    else this.#lanes.enqueue(this, { at, blocks, free });
  }

  finish(): void {
    this.#over = true;
    this.#lanes.onOver(this);
    const hash = Buffer.allocUnsafe(16);
    for (let word = 0; word < 4; word += 1) hash.writeInt32LE(this.state[word] ?? 0, 4 * word);
    this.#resolve?.(hash.toString('hex'));
  }

  behind(): Promise<void> | undefined {
    if (this.queue.length < MOST_PAGES || this.#over) return undefined;
    return new Promise((resolve) => {
      this.#caughtUp = resolve;
      this.#lanes.onBehind(this);
    });
  }

  catchUp(): void {
    if (this.#caughtUp === undefined) return;
    this.#lanes.onCaughtUp(this);
    this.#caughtUp();
    this.#caughtUp = undefined;
  }

  update(chunk: Uint8Array): void {
    this.#mustBeOpen();
    if (this.#slab !== undefined) throw slabIsNotAll();
    this.#append(chunk);
  }

  updateSlab(slab: Slab, length: number): void {
    this.#mustBeOpen();
    const region = this.#slab === slab ? this.#region : undefined;
    if (region === undefined && (this.#total > 0 || this.#slab !== undefined)) throw slabIsNotAll();
    checkLength(length, slab.view.length, this.#total);
    const own = region ?? { ...this.#lanes.claim(slab), fill: 0, room: 0 };
    this.#slab = slab;
    this.#region = own;
    own.fill += length - this.#total;
    this.#total = length;
    if (own.fill < this.#lanes.pageBytes) return;
    this.settle();
    this.#lanes.onFullPage();
  }

  digest(): Promise<string> {
    if (this.#digest !== undefined) return this.#digest;
    if (this.#over) return Promise.reject(isGivenUp());
    this.#digest = new Promise<string>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#pad();
    // Only now: making room for the padding may have hashed what was there.
    this.ended = true;
    this.#lanes.onEnd(this);
    return this.#digest;
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#caughtUp?.();
    this.#region?.free();
    this.#region = undefined;
    this.#carry = undefined;
    this.#lanes.onOver(this);
    this.#digest?.catch(() => {}); // whoever gave it up need not wait for it
    this.#reject?.(isGivenUp());
  }

  #mustBeOpen(): void {
    if (this.#digest !== undefined || this.#over) throw new CarrelError('usage', 'this MD5 has ended');
  }

  #append(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; ) {
      const page = this.#region ?? this.#openPage();
      const piece = chunk.subarray(from, from + page.room);
      this.#write(page, piece);
      this.#total += piece.length;
      from += piece.length;
      if (page.room > 0) continue;
      this.settle();
      this.#lanes.onFullPage();
    }
  }

  #openPage(): Region {
    const { at, free } = this.#lanes.takePage();
    const page: Region = { at, fill: 0, room: this.#lanes.pageBytes, free };
    this.#region = page;
    if (this.#carry !== undefined) this.#write(page, this.#carry);
    this.#carry = undefined;
    return page;
  }

  #write(page: Region, bytes: Uint8Array): void {
    this.#lanes.memory.set(bytes, page.at + page.fill);
    page.fill += bytes.length;
    page.room -= bytes.length;
  }

  /** One bit, zeros, and the number of bits; a slab has room behind it, like a page. */
  #pad(): void {
    const { memory, view } = this.#lanes;
    const page = this.#region ?? this.#openPage();
    const end = page.at + page.fill;
    const padded = Math.ceil((page.fill + 9) / BLOCK) * BLOCK;
    const length = page.at + padded - 8;
    memory[end] = 0x80;
    memory.fill(0, end + 1, length);
    view.setInt32(length, this.#total << 3, true);
    view.setInt32(length + 4, Math.floor(this.#total / 2 ** 29), true);
    this.#region = undefined;
    this.#lanes.enqueue(this, { at: page.at, blocks: padded / BLOCK, free: page.free });
  }
}

function isGivenUp(): CarrelError {
  return new CarrelError('interrupted', 'this MD5 was given up');
}
