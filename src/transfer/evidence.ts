/**
 * The judgement: are these the right bytes, and how do we know?
 */
import type { Digest, DigestAlgorithm } from '../identifiers/index.ts';
import { STRONGEST_FIRST } from './digests/hasher.ts';
import type { Evidence } from './events.ts';

/** How much is asked for: every known digest, the size, or nothing. */
export type Verification = 'full' | 'size' | 'none';

/** What is known and what was found. */
export interface Claim {
  verify: Verification;
  /** Bytes that the plan names, else that the server announced. */
  size: number | undefined;
  /** Digests of the plan. */
  planned: readonly Digest[];
  /** Digests of the server's reply. */
  replied: readonly Digest[];
  /** Bytes that came. */
  bytes: number;
  /** Digests of these bytes. */
  found: readonly Digest[];
}

/** Good, with the strongest evidence; or wrong, with the first difference. */
export type Verdict =
  | { good: true; verifiedBy: Evidence; disagreed?: { expected: Digest; found: Digest } }
  | { good: false; expected: string; found: string };

/**
 * Compares what came with all that is known of it.
 *
 * Every digest of the plan that was computed must agree, and so must those of the reply, with one exception: where
 * the plan's own SHA-256 or MD5 agrees, a different digest in the reply's headers is reported in `disagreed` and
 * not held against the bytes (an S3 ETag of an encrypted object looks like an MD5 and is none; AWS: "Common
 * response headers", ETag).
 */
export function judge(claim: Claim): Verdict {
  if (claim.verify === 'none') return { good: true, verifiedBy: 'none' };
  if (claim.size !== undefined && claim.size !== claim.bytes) {
    return { good: false, expected: `${claim.size} bytes`, found: `${claim.bytes} bytes` };
  }
  if (claim.verify === 'size') return { good: true, verifiedBy: claim.size === undefined ? 'none' : 'size' };
  const planned = compare(claim.planned, claim.found);
  if (planned.differs !== undefined) return { good: false, ...planned.differs };
  const replied = compare(claim.replied, claim.found);
  if (replied.differs !== undefined) {
    if (planned.agrees !== 'sha256' && planned.agrees !== 'md5') return { good: false, ...replied.differs };
    return { good: true, verifiedBy: planned.agrees, disagreed: replied.differs };
  }
  const verifiedBy =
    strongest(planned.agrees, replied.agrees) ?? (claim.size === undefined ? 'none' : 'size');
  return { good: true, verifiedBy };
}

/** The strongest algorithm that both lists hold with the same value, and the first with another one. */
export function compare(
  expected: readonly Digest[],
  found: readonly Digest[],
): { agrees: DigestAlgorithm | undefined; differs: { expected: Digest; found: Digest } | undefined } {
  let agrees: DigestAlgorithm | undefined;
  for (const algorithm of STRONGEST_FIRST) {
    const actual = found.find((digest) => digest.startsWith(`${algorithm}:`));
    if (actual === undefined) continue;
    for (const digest of expected) {
      if (!digest.startsWith(`${algorithm}:`)) continue;
      if (digest !== actual) return { agrees: undefined, differs: { expected: digest, found: actual } };
      agrees ??= algorithm;
    }
  }
  return { agrees, differs: undefined };
}

/** As dear as an MD5, and weaker. */
const COSTLY: readonly DigestAlgorithm[] = ['crc64nvme', 's3etag'];

/**
 * The algorithms to compute for some digests, given from what is trusted most. A CRC-64, or the ETag of an upload in
 * parts, is left out where the same or an earlier list holds an MD5 or SHA-256: it would cost as much and prove nothing
 * more.
 */
export function algorithmsOf(...lists: (readonly Digest[])[]): Set<DigestAlgorithm> {
  const found = new Set<DigestAlgorithm>();
  for (const list of lists) {
    for (const digest of list) {
      for (const algorithm of STRONGEST_FIRST)
        if (!COSTLY.includes(algorithm) && digest.startsWith(`${algorithm}:`)) found.add(algorithm);
    }
    if (found.has('md5') || found.has('sha256')) continue;
    for (const algorithm of COSTLY)
      if (list.some((digest) => digest.startsWith(`${algorithm}:`))) found.add(algorithm);
  }
  return found;
}

function strongest(...kinds: (DigestAlgorithm | undefined)[]): DigestAlgorithm | undefined {
  return STRONGEST_FIRST.find((algorithm) => kinds.includes(algorithm));
}
