/** Room for whole bodies: counted references into the arena, because hashing and writing end at different times. */
import { CarrelError } from '../../errors.ts';
import { createArena } from './arena.ts';
import type { Slab } from './md5-lanes.ts';

/** Bytes behind a body: its padding may begin in a new block, and takes that one to its end. */
export const PADDING_BYTES = 128;

/** The slabs of one memory. */
export interface Slabs {
  /** Slabs that were handed out and neither given to a stream nor released: bodies on their way. */
  readonly filling: number;
  take(bytes: number): Slab | undefined;
  /**
   * Takes a slab for a stream.
   *
   * @throws CarrelError `usage` for one of another memory, one that was given before or released, or too long a length
   */
  claim(slab: Slab, length: number): { at: number; free: () => void };
}

/**
 * Slabs between `start` and `end`.
 *
 * @param onRelease called when a slab is released that no stream had
 */
export function createSlabs(memory: Uint8Array<ArrayBuffer>, start: number, onRelease: () => void): Slabs {
  const arena = createArena(start, memory.length);
  const known = new WeakMap<Slab, { claim(length: number): { at: number; free: () => void } }>();
  let filling = 0;
  return {
    get filling() {
      return filling;
    },
    take(bytes) {
      if (!Number.isSafeInteger(bytes) || bytes < 0)
        throw new CarrelError('usage', `not a number of bytes: ${bytes}`, { item: String(bytes) });
      const at = arena.take(bytes + PADDING_BYTES);
      if (at === undefined) return undefined;
      let [held, hashing, given] = [true, false, false];
      filling += 1;
      const leave = () => {
        if (!held && !hashing) arena.give(at, bytes + PADDING_BYTES);
      };
      const slab: Slab = {
        view: memory.subarray(at, at + bytes),
        release() {
          if (!held) return;
          held = false;
          leave();
          if (given) return;
          filling -= 1;
          onRelease();
        },
      };
      known.set(slab, {
        claim(length) {
          if (given || !held)
            throw new CarrelError('usage', 'this slab was given to an MD5 before, or released');
          if (!Number.isSafeInteger(length) || length < 0 || length > bytes)
            throw new CarrelError('usage', `${length} bytes of a slab of ${bytes}`, { item: String(length) });
          [given, hashing] = [true, true];
          filling -= 1;
          return {
            at,
            free() {
              hashing = false;
              leave();
            },
          };
        },
      });
      return slab;
    },
    claim(slab, length) {
      const entry = known.get(slab);
      if (entry === undefined) throw new CarrelError('usage', 'this slab belongs to other lanes');
      return entry.claim(length);
    },
  };
}
