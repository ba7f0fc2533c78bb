/**
 * Digests: names of bytes by their content, printed `algorithm:hex` everywhere (lock files, JSON, receipts).
 */
import { CarrelError } from '../errors.ts';

/**
 * Algorithms that evidence can come in. All cover the whole object. `s3etag` is the ETag of an S3 object that was
 * uploaded in parts: the MD5 of the MD5s of its parts, and their number; it proves bytes to whoever finds the size of
 * the parts.
 */
export type DigestAlgorithm = 'md5' | 'crc32c' | 'crc64nvme' | 'sha256' | 's3etag';

/** `md5:9e107d9d372bb6826bd81d3542a419d6`; hex in lower case. `s3etag:<32 hex>-<parts>`. */
export type Digest = `${DigestAlgorithm}:${string}`;

/** What they look like: one pattern, for this is asked of every file of a cohort. */
const DIGEST =
  /^(?:md5:[0-9a-f]{32}|crc32c:[0-9a-f]{8}|crc64nvme:[0-9a-f]{16}|sha256:[0-9a-f]{64}|s3etag:[0-9a-f]{32}-[1-9][0-9]{0,4})$/;

/** True for a well-formed digest text. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Splits a digest. Throws `bad-input` where the text is none. */
export function parseDigest(text: string): { algorithm: DigestAlgorithm; hex: string } {
  if (!isDigest(text)) {
    throw new CarrelError('bad-input', `not a digest: ${JSON.stringify(text.slice(0, 80))}`, {
      item: text.slice(0, 80),
      next: 'digests look like md5:<32 hex>, crc32c:<8 hex>, crc64nvme:<16 hex>, sha256:<64 hex> or s3etag:<32 hex>-<parts>',
    });
  }
  const [algorithm, hex] = text.split(':') as [DigestAlgorithm, string];
  return { algorithm, hex };
}
