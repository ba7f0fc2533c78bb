/** From a bucket of an archive and a key to every copy of the object, best first. */
import { type Archive, type BucketClass, bucketClassOf, type Mirror, placeOf } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import type { Place } from '../stores/index.ts';
import type { Source } from './location.ts';

/** `auto`, or the name of a mirror of the archive. */
export type From = 'auto' | (string & {});

/** A bucket by its name (on any mirror, also a historical one), or by mirror as rows of the catalogue give it. */
export type BucketName = string | Readonly<Record<string, string>>;

/** Options of `sourcesFor`. */
export interface SourcesOptions {
  /** `auto` (the default): all mirrors, best first. A name: that mirror and no other. */
  from?: From | undefined;
}

/** Where an object stands on one mirror, before its key is known. */
export interface MirrorPlace {
  mirror: string;
  place: Place;
}

/**
 * The mirrors to ask, best first: those on this machine's disks, then the order of the record. With a name, only that
 * one. Throws `usage` for a name that the archive does not have.
 */
export function mirrorOrder(archive: Archive, from: From = 'auto'): Mirror[] {
  if (from === 'auto') {
    const isFile = (mirror: Mirror): boolean => mirror.protocol === 'file';
    return [...archive.mirrors.filter(isFile), ...archive.mirrors.filter((mirror) => !isFile(mirror))];
  }
  const mirror = archive.mirrors.find(({ name }) => name === from);
  if (mirror !== undefined) return [mirror];
  const names = archive.mirrors.map(({ name }) => name).join(', ');
  throw new CarrelError('usage', `the archive ${archive.name} has no mirror ${JSON.stringify(from)}`, {
    item: from,
    next: `its mirrors are ${names}; auto tries them in this order`,
  });
}

/** The class that a bucket belongs to, by any of its names today or of earlier years; undefined for foreign buckets. */
export function bucketClassFor(archive: Archive, bucket: BucketName): BucketClass | undefined {
  if (typeof bucket === 'string') return bucketClassOf(archive, bucket);
  // Two mirrors may use one name for different classes, so what the row says of its mirror comes first.
  const pairs = Object.entries(bucket);
  for (const [mirror, name] of pairs) {
    const found = archive.bucketClasses.find(({ buckets }) => buckets[mirror] === name);
    if (found !== undefined) return found;
  }
  for (const [, name] of pairs) {
    const found = bucketClassOf(archive, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Every place of a class of buckets, best first; mirrors that do not hold the class are left out. `prefer` (a mirror)
 * goes before the others with `auto`, after those on a disk.
 */
export function classPlaces(
  archive: Archive,
  bucketClass: BucketClass,
  from: From = 'auto',
  prefer?: string,
): MirrorPlace[] {
  const places = mirrorOrder(archive, from).flatMap((mirror) => {
    const bucket = bucketClass.buckets[mirror.name];
    return bucket === undefined ? [] : [{ mirror: mirror.name, place: placeOf(mirror, bucket) }];
  });
  const rank = ({ mirror, place }: MirrorPlace): number =>
    place.protocol === 'file' ? 0 : mirror === prefer ? 1 : 2;
  return prefer === undefined ? places : places.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Every copy of an object of the archive, best first.
 * Throws `usage` for an unknown mirror, `not-found` for a bucket that is not the archive's or that the mirror asked
 * for does not hold.
 */
export function sourcesFor(
  archive: Archive,
  bucket: BucketName,
  key: string,
  options: SourcesOptions = {},
): Source[] {
  const shown = typeof bucket === 'string' ? bucket : Object.values(bucket).join(', ');
  const bucketClass = bucketClassFor(archive, bucket);
  if (bucketClass === undefined) {
    const known = archive.bucketClasses.flatMap(({ buckets }) => Object.values(buckets));
    throw new CarrelError('not-found', `${shown} is no bucket of the archive ${archive.name}`, {
      item: shown,
      next: `its buckets are ${[...new Set(known)].join(', ')}`,
    });
  }
  const places = classPlaces(archive, bucketClass, options.from);
  if (places.length === 0) {
    throw new CarrelError('not-found', `no mirror asked for holds the bucket class ${bucketClass.name}`, {
      item: shown,
      next: `it stands on ${Object.keys(bucketClass.buckets).join(', ')}; use --from auto`,
    });
  }
  return places.map(({ mirror, place }) => ({ mirror, place, key }));
}
