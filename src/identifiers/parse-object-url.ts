/** `s3://` and `gs://` URLs, and the https views of S3 and Google Cloud Storage. */
import { decodeOnce } from './check-text.ts';
import type { ObjectUrlIdentifier } from './identifier.ts';
import { readKey } from './object-key.ts';
import { refuse } from './refuse.ts';
import { checkKey, queryValue, type UrlParts } from './url-parts.ts';

/** Bucket names of S3 and GCS: 3–63 characters, GCS up to 222 with dots; capitals from the years before the rule. */
const BUCKET = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,220}[A-Za-z0-9])?$/;

/** Reads what stands behind `s3://` or `gs://`. Keys are taken as they are: neither tool of the field decodes them. */
export function parseBucketUrl(scheme: 's3' | 'gs', body: string, text: string): ObjectUrlIdentifier {
  const slash = body.indexOf('/');
  const bucket = checkBucket(slash < 0 ? body : body.slice(0, slash), text);
  const { key, generation } = cutGeneration(scheme, slash < 0 ? '' : body.slice(slash + 1));
  return {
    kind: 'object-url',
    scheme,
    bucket,
    ...keyParts(key, true, text),
    ...(generation && { generation }),
    text,
    warnings: [],
  };
}

/** Key and its meaning; the key of a bare series UUID in small letters stays without slash. */
function keyParts(key: string, wildcards: boolean, text: string) {
  return { key: checkKey(key, text), ...readKey(key, wildcards) };
}

/** Old DRS answers and gsutil write `gs://B/K#<generation>`. */
function cutGeneration(scheme: 's3' | 'gs', key: string): { key: string; generation?: string } {
  const [, start, generation] = (scheme === 'gs' && /^(.*)#([0-9]{1,20})$/.exec(key)) || [];
  return start === undefined || generation === undefined ? { key } : { key: start, generation };
}

function checkBucket(bucket: string, text: string): string {
  if (bucket === '') throw refuse(text, 'names no bucket', 'write it as s3://bucket/key');
  if (!BUCKET.test(bucket) || bucket.includes('..'))
    throw refuse(text, 'has no valid bucket name', 'write it as s3://bucket/key');
  return bucket;
}

/** Where a host name of S3 or GCS keeps the bucket; undefined for all other hosts. */
interface HostView {
  scheme: 's3' | 'gs';
  /** Virtual-host style only. */
  bucket?: string | undefined;
  region?: string | undefined;
}

const GCS_HOST = /^(?:(.+)\.)?storage\.googleapis\.com$/;
const S3_HOST = /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+){1,3}-[0-9]))?\.amazonaws\.com$/;

/** Tells the views of S3 and GCS from other hosts. */
export function hostView(host: string): HostView | undefined {
  if (host === 'storage.cloud.google.com') return { scheme: 'gs' };
  const gcs = GCS_HOST.exec(host);
  if (gcs !== null) return { scheme: 'gs', bucket: gcs[1] };
  const s3 = S3_HOST.exec(host);
  if (s3 !== null) return { scheme: 's3', bucket: s3[1], region: s3[2] };
  return undefined;
}

/**
 * Reads an https view of a bucket: `https://s3.amazonaws.com/B/K`, `https://B.s3[.region].amazonaws.com/K`,
 * `https://storage.googleapis.com/B/K`, `https://B.storage.googleapis.com/K`. The key is decoded once; a `*` that is
 * written plainly is a wildcard, as it is in manifests.
 */
export function parseHttpsView(view: HostView, url: UrlParts, text: string): ObjectUrlIdentifier {
  const path = url.path.replace(/^\//, '');
  const slash = path.indexOf('/');
  const inPath = view.bucket === undefined;
  const bucket = inPath ? (slash < 0 ? path : path.slice(0, slash)) : (view.bucket ?? '');
  const rawKey = inPath ? (slash < 0 ? '' : path.slice(slash + 1)) : path;
  const generation = view.scheme === 'gs' ? queryValue(url.query, 'generation') : undefined;
  return {
    kind: 'object-url',
    scheme: view.scheme,
    bucket: checkBucket(decodeOnce(bucket, text), text),
    ...keyParts(decodeOnce(rawKey, text), rawKey.includes('*'), text),
    ...(view.region && { region: view.region }),
    ...(generation !== undefined && /^[0-9]{1,20}$/.test(generation) && { generation }),
    text,
    warnings: [],
  };
}
