/**
 * Digests: names of bytes by their content, printed `algorithm:hex` everywhere (lock files, JSON, receipts).
 */
import { CarrelError } from '../errors.ts';

/** Algorithms that evidence can come in. All cover the whole object. */
export type DigestAlgorithm = 'md5' | 'crc32c' | 'crc64nvme' | 'sha256';

/** `md5:9e107d9d372bb6826bd81d3542a419d6`; hex in lower case. */
export type Digest = `${DigestAlgorithm}:${string}`;

/** Length of the hex text of each algorithm. */
const HEX_LENGTH: Record<DigestAlgorithm, number> = { md5: 32, crc32c: 8, crc64nvme: 16, sha256: 64 };

/** True for a well-formed digest text. */
export function isDigest(text: string): text is Digest {
  const [algorithm, hex, ...rest] = text.split(':');
  if (algorithm === undefined || hex === undefined || rest.length > 0) return false;
  const length = (HEX_LENGTH as Record<string, number | undefined>)[algorithm];
  return length !== undefined && hex.length === length && /^[0-9a-f]+$/.test(hex);
}

/** Splits a digest. Throws `bad-input` where the text is none. */
export function parseDigest(text: string): { algorithm: DigestAlgorithm; hex: string } {
  if (!isDigest(text)) {
    throw new CarrelError('bad-input', `not a digest: ${JSON.stringify(text.slice(0, 80))}`, {
      item: text.slice(0, 80),
      next: 'digests look like md5:<32 hex>, crc32c:<8 hex>, crc64nvme:<16 hex> or sha256:<64 hex>',
    });
  }
  const [algorithm, hex] = text.split(':') as [DigestAlgorithm, string];
  return { algorithm, hex };
}
