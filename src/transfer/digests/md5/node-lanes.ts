/** The same interface over `node:crypto`: for machines without vectors, and to compare with. */
import { createHash } from 'node:crypto';
import { CarrelError } from '../../../errors.ts';
import type { Md5Lanes, Slab } from './md5-lanes.ts';
import { checkLength, checkSize, slabIsForeign, slabIsGone, slabIsNotAll } from './slabs.ts';

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
      let own: Slab | undefined;
      let taken = 0;
      const mustBeOpen = () => {
        if (digest !== undefined || abandoned) throw new CarrelError('usage', 'this MD5 has ended');
      };
      return {
        update(bytes) {
          mustBeOpen();
          if (own !== undefined) throw slabIsNotAll();
          taken += bytes.length;
          hash.update(bytes);
        },
        behind: () => undefined,
        updateSlab(slab, length) {
          mustBeOpen();
          if (own !== slab) {
            if (own !== undefined || taken > 0) throw slabIsNotAll();
            const fresh = slabs.get(slab);
            if (fresh === undefined) throw slabIsForeign();
            if (!fresh) throw slabIsGone();
          }
          checkLength(length, slab.view.length, taken);
          slabs.set(slab, false);
          own = slab;
          hash.update(slab.view.subarray(taken, length));
          taken = length;
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
