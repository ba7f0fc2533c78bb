/** What the head of a reply says about an object. */
import type { Digest, DigestAlgorithm } from '../identifiers/index.ts';
import type { HttpHeaders } from './http/http.ts';
import type { ObjectStat } from './store.ts';

/** How far the server's ETag can be taken for an MD5. */
export type EtagMeaning = 'md5' | 'opaque';

/** A parsed `Content-Range: bytes 0-99/1000`. `end` is exclusive. */
export interface ContentRange {
  start: number;
  end: number;
  total?: number | undefined;
}

/** Reads `Content-Range`; undefined where it is missing or malformed. */
export function parseContentRange(headers: HttpHeaders): ContentRange | undefined {
  const found = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/(?:([0-9]{1,15})|\*)$/i.exec(
    headers.get('content-range') ?? '',
  );
  if (found === null) return undefined;
  const [start, last] = [Number(found[1]), Number(found[2])];
  const total = found[3] === undefined ? undefined : Number(found[3]);
  if (last < start || (total !== undefined && last >= total)) return undefined;
  return { start, end: last + 1, total };
}

/** The size in `Content-Range: bytes *\/1000` of a 416. */
export function parseUnsatisfied(headers: HttpHeaders): number | undefined {
  const found = /^bytes \*\/([0-9]{1,15})$/i.exec(headers.get('content-range') ?? '');
  return found === null ? undefined : Number(found[1]);
}

/** The size in the XML of S3's 416. */
export function parseActualSize(xml: string): number | undefined {
  const found = /<ActualObjectSize>([0-9]{1,15})<\/ActualObjectSize>/.exec(xml);
  return found === null ? undefined : Number(found[1]);
}

/** An ETag without its quotes; a weak one keeps its `W/`, so that it is not taken for a pin. Empty ones are none. */
export function parseEtag(text: string | undefined): string | undefined {
  const bare = text?.trim().replace(/^(W\/)?"(.*)"$/s, '$1$2');
  return bare === undefined || bare === '' || bare === 'W/' ? undefined : bare;
}

/** What an ETag proves: the MD5 of the object, or, as `…-N`, the MD5s of its N parts. Others prove nothing. */
export function digestsOfEtag(etag: string | undefined): Digest[] {
  const found = /^([0-9a-f]{32})(-[1-9][0-9]{0,4})?$/.exec(etag?.toLowerCase() ?? '');
  if (found === null) return [];
  return [found[2] === undefined ? `md5:${found[0]}` : `s3etag:${found[0]}`];
}

/** A base64 digest as `algorithm:hex`, or nothing where its length is wrong (composite ones end in `-N`). */
export function digestOfBase64(algorithm: DigestAlgorithm, text: string | undefined): Digest[] {
  const bytes = { md5: 16, crc32c: 4, crc64nvme: 8, sha256: 32, s3etag: undefined }[algorithm];
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return [];
  const raw = Buffer.from(text, 'base64');
  return raw.length === bytes ? [`${algorithm}:${raw.toString('hex')}`] : [];
}

/**
 * The object behind a reply.
 *
 * @param size bytes of the whole object, worked out by the caller from `Content-Length` or `Content-Range`
 */
export function statOfHeaders(
  key: string,
  headers: HttpHeaders,
  size: number | undefined,
  etagMeaning: EtagMeaning,
): ObjectStat {
  const etag = parseEtag(headers.get('etag'));
  const digests = [...googleDigests(headers), ...amazonDigests(headers)];
  if (
    etagMeaning === 'md5' &&
    isPlainEncryption(headers) &&
    !digests.some((digest) => digest.startsWith('md5:'))
  ) {
    digests.push(...digestsOfEtag(etag));
  }
  const encoding = headers.get('x-goog-stored-content-encoding') ?? headers.get('content-encoding');
  return {
    key,
    size,
    etag,
    generation: headers.get('x-goog-generation'),
    // Read when it is asked for: transfers do not, and dates are dear.
    get lastModified() {
      return isoDate(headers.get('last-modified'));
    },
    digests,
    // `aws-chunked` names how an upload was sent, not what is stored; some clients leave it behind.
    contentEncoding:
      encoding === 'identity' || encoding === 'aws-chunked' || encoding === '' ? undefined : encoding,
  };
}

function isoDate(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** `x-goog-hash: crc32c=…,md5=…`: of the whole stored object, also on replies to ranges. */
function googleDigests(headers: HttpHeaders): Digest[] {
  const fields = (headers.get('x-goog-hash') ?? '').split(/\s*,\s*/);
  return (['crc32c', 'md5'] as const).flatMap((name) =>
    digestOfBase64(name, fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1)),
  );
}

/** The last one only where its type is named. */
const AMAZON_CHECKSUMS = ['crc32c', 'sha256', 'crc64nvme'] as const;

/**
 * `x-amz-checksum-*`, where it is of the whole object: not `COMPOSITE`, and not on a partial reply, where S3 gives the
 * checksum of a part if the range happens to be one. `crc64nvme` came together with the type, so it must be named.
 */
function amazonDigests(headers: HttpHeaders): Digest[] {
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (type === 'COMPOSITE' || headers.has('content-range')) return [];
  const names = type === 'FULL_OBJECT' ? AMAZON_CHECKSUMS : AMAZON_CHECKSUMS.slice(0, 2);
  return names.flatMap((name) => digestOfBase64(name, headers.get(`x-amz-checksum-${name}`)));
}

/** Under KMS or customer keys the ETag is no MD5, though it looks like one. */
function isPlainEncryption(headers: HttpHeaders): boolean {
  const kind = headers.get('x-amz-server-side-encryption') ?? '';
  return !kind.startsWith('aws:') && !headers.has('x-amz-server-side-encryption-customer-algorithm');
}
