/**
 * Where the bucket of a URL stands. Buckets of the archive go to its mirrors (so a redirected mirror redirects URLs as
 * well, and every URL gets the other clouds as failover); any other bucket to the public endpoint of its scheme.
 */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import type { ObjectUrlIdentifier } from '../identifiers/index.ts';
import type { Place } from '../stores/index.ts';
import { bucketClassFor, classPlaces, type From, type MirrorPlace } from './sources-for.ts';

/** Endpoints of buckets that belong to no archive. */
const PUBLIC_ENDPOINT = { s3: 'https://s3.amazonaws.com', gs: 'https://storage.googleapis.com' } as const;

/** Where else a URL may be looked for than where it says. */
export interface UrlPlaceOptions {
  from?: From | undefined;
  /** Absolute URL of the endpoint to use instead, as `--endpoint-url` of s5cmd. Overrides the archive's mirrors. */
  endpoint?: string | undefined;
  /** `gcs` where a manifest's header names Google's endpoint: its `s3://` URLs are buckets of GCS. */
  endpointHint?: string | undefined;
}

/** Places of a URL's bucket and the class of the archive that it belongs to, if any. */
export interface UrlPlaces {
  bucketClass: string | undefined;
  places: MirrorPlace[];
}

/** Every place where the bucket of a URL can be read, best first. Never empty. */
export function urlPlaces(
  archive: Archive,
  url: ObjectUrlIdentifier,
  options: UrlPlaceOptions = {},
): UrlPlaces {
  if (url.scheme === 'https') {
    const place: Place = { protocol: 'https', endpoint: url.endpoint ?? '', bucket: '' };
    return { bucketClass: undefined, places: [{ mirror: 'https', place }] };
  }
  const hint = options.endpointHint ?? hintOfEndpoint(options.endpoint);
  const google = url.scheme === 'gs' || hint === 'gcs';
  if (options.endpoint !== undefined && hintOfEndpoint(options.endpoint) === undefined) {
    const protocol = url.scheme === 'gs' ? 'gcs' : 's3';
    const place: Place = { protocol, endpoint: options.endpoint.replace(/\/+$/, ''), bucket: url.bucket };
    if (url.region !== undefined) place.region = url.region;
    return { bucketClass: undefined, places: [{ mirror: url.scheme, place }] };
  }
  const bucketClass = bucketClassFor(archive, url.bucket);
  if (bucketClass === undefined) {
    const place: Place = {
      protocol: google ? 'gcs' : 's3',
      endpoint: PUBLIC_ENDPOINT[google ? 'gs' : 's3'],
      bucket: url.bucket,
      access: 'anonymous',
    };
    if (!google && url.region !== undefined) place.region = url.region;
    return { bucketClass: undefined, places: [{ mirror: google ? 'gs' : 's3', place }] };
  }
  // A URL names its cloud: that mirror goes first, the others stay as failover.
  const prefer = archive.mirrors.find(({ scheme }) => scheme === (google ? 'gs' : 's3'))?.name;
  const places = classPlaces(archive, bucketClass, options.from, prefer);
  if (places.length === 0) {
    throw new CarrelError('not-found', `the mirror asked for does not hold the bucket ${url.bucket}`, {
      item: url.text.trim(),
      next: `it stands on ${Object.keys(bucketClass.buckets).join(', ')}; use --from auto`,
    });
  }
  return { bucketClass: bucketClass.name, places };
}

/** The two public endpoints say no more than which cloud is meant. */
function hintOfEndpoint(endpoint: string | undefined): 'aws' | 'gcs' | undefined {
  if (endpoint === undefined) return undefined;
  if (/^https:\/\/s3(?:\.[a-z0-9-]+)?\.amazonaws\.com\/?$/i.test(endpoint)) return 'aws';
  return /^https:\/\/storage\.googleapis\.com\/?$/i.test(endpoint) ? 'gcs' : undefined;
}
