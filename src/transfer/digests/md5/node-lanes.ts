/** The same interface over `node:crypto`: for machines without vectors, and to compare with. */
import { createHash } from 'node:crypto';
import { CarrelError } from '../../../errors.ts';
import type { Md5Lanes, Slab } from './md5-lanes.ts';
import { checkLength, checkSize, slabIsForeign, slabIsGone } from './slabs.ts';

/** Lanes that are none: each stream is hashed by itself, when its bytes come. Slabs are bounded all the same. */
export function createNodeLanes(memoryBytes: number): Md5Lanes {
  let free = memoryBytes;
  /** Whether a slab may still be given to a stream. */
  const slabs = new WeakMap<Slab, boolean>();
  const lanes: Md5Lanes = {
    simd: false,
    allocateSpare: (bytes) => (free < memoryBytes / 2 ? undefined : lanes.allocate(bytes)),
    allocate(bytes) {
      checkSize(bytes);
      if (bytes > free) return undefined;
      free -= bytes;
      let held = true;
      const slab: Slab = {
        view: new Uint8Array(bytes),
        release() {
          if (held) free += bytes;
          held = false;
          slabs.set(slab, false);
        },
      };
      slabs.set(slab, true);
      return slab;
    },
    open() {
      const hash = createHash('md5');
      let digest: Promise<string> | undefined;
      let abandoned = false;
      const update = (bytes: Uint8Array) => {
        if (digest !== undefined || abandoned) throw new CarrelError('usage', 'this MD5 has ended');
        hash.update(bytes);
      };
      return {
        update,
        updateSlab(slab, length) {
          const fresh = slabs.get(slab);
          if (fresh === undefined) throw slabIsForeign();
          if (!fresh) throw slabIsGone();
          checkLength(length, slab.view.length);
          slabs.set(slab, false);
          update(slab.view.subarray(0, length));
        },
        digest() {
          if (abandoned) return Promise.reject(new CarrelError('interrupted', 'this MD5 was given up'));
          digest ??= Promise.resolve(hash.digest('hex'));
          return digest;
        },
        abandon() {
          abandoned = true;
        },
      };
    },
    flush() {},
  };
  return lanes;
}
