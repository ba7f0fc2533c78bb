/** What proves a stream: the digests that prove a file, computed without a second look at the bytes. */
import type { Digest } from '../../identifiers/index.ts';
import type { ObjectStat, Store } from '../../stores/index.ts';
import { createHasher } from '../digests/hasher.ts';
import {
  createMultipartMd5,
  type MultipartMd5,
  parseMultipartEtag,
  partSizesFor,
} from '../digests/multipart-etag.ts';
import { algorithmsOf, judge, type Verdict, type Verification } from '../evidence.ts';

/** Sizes of parts that are tried where the server does not tell: each costs an MD5 of everything. */
const ETAG_TRIES = 4;

/** Digests under way. */
export interface StreamCheck {
  update(piece: Uint8Array): void;
  /** The judgement over so many bytes, and the digests of these. */
  verdict(bytes: number): Promise<{ verdict: Verdict; digests: Digest[] }>;
  abandon(): void;
}

/** What a stream is judged by. */
export interface CheckOptions {
  verify: Verification;
  /** Bytes that are to come, where known. */
  size: number | undefined;
  /** Digests that are known before; none for bytes out of an object. */
  planned: readonly Digest[];
  /** The reply. */
  stat: ObjectStat;
  /** False for bytes out of an object: what is said of the whole proves nothing of them. */
  whole: boolean;
  signal: AbortSignal;
}

/**
 * Digests for what is known of an object. Where only the ETag of an upload in parts is known, the server is asked for the size
 * of the first part before the first byte is taken, since nothing can be read again later: one request.
 */
export async function openCheck(store: Store, key: string, options: CheckOptions): Promise<StreamCheck> {
  const { verify, size, planned, stat, whole, signal } = options;
  const compared = verify === 'full' && whole;
  const replied = compared ? stat.digests : [];
  const algorithms = compared ? algorithmsOf(planned, replied) : new Set<never>();
  const etags = new Set([...planned, ...replied].filter((digest) => digest.startsWith('s3etag:')));
  let parts: { md5: MultipartMd5; isCertain: boolean } | undefined;
  if (algorithms.has('s3etag')) {
    const firstPart = await store
      .firstPartSize?.(key, { ifMatch: store.pin(stat), signal })
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      });
    const sizes = [...etags].flatMap((etag) => {
      const parsed = parseMultipartEtag(etag.slice('s3etag:'.length));
      if (parsed === undefined || size === undefined) return [];
      return partSizesFor({ parts: parsed.parts, size, firstPart, limit: ETAG_TRIES });
    });
    parts = { md5: createMultipartMd5([...new Set(sizes)]), isCertain: firstPart !== undefined };
  }
  const hasher = createHasher([...algorithms].filter((name) => name !== 's3etag'));
  return {
    update(piece) {
      hasher.update(piece);
      parts?.md5.update(piece);
    },
    async verdict(bytes) {
      const digests = await hasher.digests();
      for (const { etag } of (await parts?.md5.etags()) ?? []) {
        const digest: Digest = `s3etag:${etag}`;
        // A guess that fits proves the bytes; one that does not was a wrong guess.
        if (parts?.isCertain === true || etags.has(digest)) digests.unshift(digest);
      }
      const found = compared ? digests : [];
      return {
        verdict: judge({ verify, size, planned: compared ? planned : [], replied, bytes, found }),
        digests: found,
      };
    },
    abandon() {
      hasher.abandon();
      parts?.md5.abandon();
    },
  };
}
