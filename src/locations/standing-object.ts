/**
 * Objects of large listings. A million of them are held at once, and each would have a list of sources with a source in it,
 * and a list of digests, that say nothing new: these are made when they are asked for, a new list each time.
 *
 * They are members of the object itself, as in a literal: copies, JSON and threads see what they see in any location.
 */
import type { Digest } from '../identifiers/index.ts';
import type { ObjectLocation, Source } from './location.ts';
import type { MirrorPlace } from './sources-for.ts';

/** An object at places that it shares with others of its listing. */
class StandingObject implements ObjectLocation {
  key: string;
  size: number | undefined;
  declare digests: Digest[];
  declare sources: Source[];
  #digests: Digest | readonly Digest[];
  #places: readonly MirrorPlace[];

  constructor(
    key: string,
    size: number | undefined,
    digests: readonly Digest[],
    places: readonly MirrorPlace[],
  ) {
    this.key = key;
    this.size = size;
    const [only] = digests;
    this.#digests = digests.length === 1 && only !== undefined ? only : digests;
    this.#places = places;
    Object.defineProperty(this, 'digests', DIGESTS);
    Object.defineProperty(this, 'sources', SOURCES);
  }

  static digestsOf(one: StandingObject): Digest[] {
    return typeof one.#digests === 'string' ? [one.#digests] : [...one.#digests];
  }

  static sourcesOf(one: StandingObject): Source[] {
    return one.#places.map(({ mirror, place }) => ({ mirror, place, key: one.key }));
  }
}

// One descriptor for all of them: V8 then keeps it with the shape, and not with each object.
const DIGESTS: PropertyDescriptor & ThisType<StandingObject> = {
  enumerable: true,
  configurable: true,
  get() {
    return StandingObject.digestsOf(this);
  },
};
const SOURCES: PropertyDescriptor & ThisType<StandingObject> = {
  enumerable: true,
  configurable: true,
  get() {
    return StandingObject.sourcesOf(this);
  },
};

/**
 * A location without lists of its own. `digests` and `sources` are new lists each time: who changes one changes that one only.
 *
 * @param places shared by the objects of a listing, best first; not to be changed
 */
export function standingObject(
  { key, size, digests }: { key: string; size?: number | undefined; digests: readonly Digest[] },
  places: readonly MirrorPlace[],
): ObjectLocation {
  return new StandingObject(key, size, digests, places);
}
