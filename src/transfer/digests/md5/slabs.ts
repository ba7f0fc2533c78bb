/** Room for whole bodies, given back when both are through with it: who hashes and who writes. */
import { CarrelError } from '../../../errors.ts';
import { type Arena, createArena } from './arena.ts';
import type { Slab } from './md5-lanes.ts';

/** Bytes behind a body: its padding may begin in a new block, and takes that one to its end. */
export const PADDING_BYTES = 128;

/** The slabs of one memory. */
export class Slabs {
  /** Slabs that were handed out and neither given to a stream nor released: bodies on their way. */
  filling = 0;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly arena: Arena;
  /** Called when a slab is released that no stream had. */
  readonly onRelease: () => void;

  /** Slabs from `start` to the end of the memory. */
  constructor(memory: Uint8Array<ArrayBuffer>, start: number, onRelease: () => void) {
    this.memory = memory;
    this.arena = createArena(start, memory.length);
    this.onRelease = onRelease;
  }

  /** Undefined where there is no room. */
  take(bytes: number): Slab | undefined {
    checkSize(bytes);
    const at = this.arena.take(bytes + PADDING_BYTES);
    if (at === undefined) return undefined;
    this.filling += 1;
    return new MemorySlab(this, at, bytes);
  }

  /**
   * Takes a slab for a stream, which calls `free` when it is hashed.
   *
   * @throws CarrelError `usage` for one of another memory, or one that was given before or released
   */
  claim(slab: Slab): { at: number; free: () => void } {
    if (!(slab instanceof MemorySlab) || slab.owner !== this) throw slabIsForeign();
    return slab.claim();
  }
}

class MemorySlab implements Slab {
  readonly owner: Slabs;
  readonly view: Uint8Array<ArrayBuffer>;
  readonly #at: number;
  #held = true;
  #given = false;
  #hashing = false;

  constructor(owner: Slabs, at: number, bytes: number) {
    this.owner = owner;
    this.view = owner.memory.subarray(at, at + bytes);
    this.#at = at;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#leave();
    if (this.#given) return;
    this.owner.filling -= 1;
    this.owner.onRelease();
  }

  claim(): { at: number; free: () => void } {
    if (this.#given || !this.#held) throw slabIsGone();
    this.#given = true;
    this.#hashing = true;
    this.owner.filling -= 1;
    return { at: this.#at, free: () => this.#hashed() };
  }

  #hashed(): void {
    this.#hashing = false;
    this.#leave();
  }

  #leave(): void {
    if (!this.#held && !this.#hashing) this.owner.arena.give(this.#at, this.view.length + PADDING_BYTES);
  }
}

/** @throws CarrelError `usage` for what is no size */
export function checkSize(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new CarrelError('usage', `not a number of bytes: ${bytes}`, { item: String(bytes) });
}

/** @throws CarrelError `usage` for more than a slab of `bytes` holds, or less than the `before` that were given of it */
export function checkLength(length: number, bytes: number, before: number): void {
  if (!Number.isSafeInteger(length) || length < 0 || length > bytes)
    throw new CarrelError('usage', `${length} bytes of a slab of ${bytes}`, { item: String(length) });
  if (length < before)
    throw new CarrelError('usage', `${length} bytes of a slab of which ${before} were given`, {
      item: String(length),
    });
}

/** What a slab of other lanes is refused with. */
export function slabIsForeign(): CarrelError {
  return new CarrelError('usage', 'this slab belongs to other lanes');
}

/** What a slab is refused with beside other bytes. */
export function slabIsNotAll(): CarrelError {
  return new CarrelError('usage', 'a stream takes either chunks or one slab');
}

/** What a slab is refused with that was used. */
export function slabIsGone(): CarrelError {
  return new CarrelError('usage', 'this slab was given to an MD5 before, or released');
}
