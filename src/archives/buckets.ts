/**
 * From a bucket's name to the places where its objects can be read. A bucket is known by any name that it has or had
 * on any mirror; the keys in all copies are the same.
 */
import type { Archive, BucketClass, Mirror } from './archive.ts';

/** Structurally a `Place` of the stores: everything that is needed to open one, and nothing secret. */
export interface MirrorPlace {
  protocol: Mirror['protocol'];
  endpoint: string;
  bucket: string;
  region?: string | undefined;
  access: 'anonymous' | 'signed';
  addressing?: 'path' | 'virtual' | undefined;
}

/** The class that a bucket belongs to, by today's or an earlier name; undefined for a stranger. */
export function bucketClassOf(archive: Archive, bucket: string): BucketClass | undefined {
  const { bucketClasses } = archive;
  return (
    bucketClasses.find(({ buckets }) => Object.values(buckets).includes(bucket)) ??
    bucketClasses.find(({ historical }) => historical.some((entry) => entry.bucket === bucket))
  );
}

/** Mirror name → today's name of the bucket there; empty for a stranger. */
export function bucketsFor(archive: Archive, bucket: string): Record<string, string> {
  return { ...bucketClassOf(archive, bucket)?.buckets };
}

/**
 * True where the name is of a time with other keys (`<instance>.dcm`): an object of it must be looked up by its UUID,
 * not under the same key in the bucket of today.
 */
export function hasFlatKeys(archive: Archive, bucket: string): boolean {
  const entry = bucketClassOf(archive, bucket)?.historical.find((historical) => historical.bucket === bucket);
  return entry?.layout === 'flat';
}

/**
 * The mirror that a URL means: the one of its scheme that has the bucket under that name, now or before; else any that
 * has it (`s3://` with a Google bucket is how s5cmd reads Google's S3 interface). Where two clouds use one name and
 * one scheme, the first mirror of the record. Undefined for a stranger.
 *
 * @param scheme `s3`, `gs`, `https` or `file`; undefined where a table names a bucket without saying where
 */
export function mirrorFor(archive: Archive, scheme: string | undefined, bucket: string): Mirror | undefined {
  const bucketClass = bucketClassOf(archive, bucket);
  if (bucketClass === undefined) return undefined;
  const having = archive.mirrors.filter(
    ({ name }) =>
      bucketClass.buckets[name] === bucket ||
      bucketClass.historical.some((entry) => entry.mirror === name && entry.bucket === bucket),
  );
  return having.find((mirror) => mirror.scheme === scheme) ?? having[0];
}

/**
 * Every place where the objects of a bucket stand, best first: the mirror that the URL means, then the others in the
 * record's order, each under its name of today. Empty for a stranger.
 */
export function placesFor(
  archive: Archive,
  bucket: string,
  options: { scheme?: string | undefined } = {},
): { mirror: string; place: MirrorPlace }[] {
  const buckets = bucketsFor(archive, bucket);
  const meant = options.scheme === undefined ? undefined : mirrorFor(archive, options.scheme, bucket);
  const order =
    meant === undefined ? archive.mirrors : [meant, ...archive.mirrors.filter((mirror) => mirror !== meant)];
  return order.flatMap((mirror) => {
    const name = Object.hasOwn(buckets, mirror.name) ? buckets[mirror.name] : undefined;
    return name === undefined ? [] : [{ mirror: mirror.name, place: placeOf(mirror, name) }];
  });
}

/** A bucket on a mirror. */
export function placeOf(mirror: Mirror, bucket: string): MirrorPlace {
  const { protocol, endpoint, region, access, addressing } = mirror;
  return { protocol, endpoint, bucket, region, access, addressing };
}
