/**
 * The contract of a store: bytes at a place. One store is one bucket (or one folder) of one mirror.
 *
 * What every implementation promises (held by `test/contract/store.ts`):
 * - `get` answers with what was really served: `range` is read from the reply, never from the request. A server
 *   that ignores `Range` gives `range.start === 0`; the caller decides.
 * - `ifMatch` pins the object: another version is a `CarrelError` `verification`, never other bytes.
 * - a body that ends early, or that is longer than announced, rejects with `network` (retryable).
 * - a missing object is `not-found`, a refusal (401, 403) `permission`, 429/5xx/resets/time-outs `network` with
 *   `retryable` and, where the server said so, `retryAfterMs`.
 * - no retries inside: `withRetry` adds them. Nothing is written to the console.
 */
import type { Digest } from '../identifiers/index.ts';

/** Wire protocol of a mirror. `https` is a plain web server without listings. */
export type Protocol = 's3' | 'gcs' | 'https' | 'file';

/** Where a bucket stands: everything that is needed to open a store, and nothing secret. */
export interface Place {
  protocol: Protocol;
  /** `https://s3.amazonaws.com`, `http://127.0.0.1:9000`, or a folder's absolute path for `file`. */
  endpoint: string;
  bucket: string;
  region?: string | undefined;
  /** `signed` takes credentials from the usual provider chain (environment, files, metadata service). */
  access?: 'anonymous' | 'signed' | undefined;
  /** Default: `path`. */
  addressing?: 'path' | 'virtual' | undefined;
  /** Buckets whose reader pays: `requester` on S3, the project that is charged on Google. With `signed` only. */
  payer?: string | undefined;
}

/** What is known of an object without reading it. */
export interface ObjectStat {
  key: string;
  /** Bytes as stored; undefined where the server did not say. */
  size?: number | undefined;
  /** Opaque, without quotes; `<md5>-<parts>` for S3 multipart uploads. */
  etag?: string | undefined;
  /** GCS generation. */
  generation?: string | undefined;
  /** RFC 3339. */
  lastModified?: string | undefined;
  /** Digests of the whole object that the server vouches for (MD5 ETag, x-goog-hash, x-amz-checksum-*). */
  digests: Digest[];
  /** Stored `Content-Encoding`, if any: digests are of the stored bytes. */
  contentEncoding?: string | undefined;
}

/** A page of a listing. With `delimiter`, `prefixes` holds the folders at that level. */
export interface ListPage {
  objects: ObjectStat[];
  prefixes: string[];
}

/** Half-open range of bytes: `start` ≤ i < `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Options of `get`. */
export interface GetOptions {
  /** From `start` to `end` (exclusive) or to the end of the object. */
  range?: { start: number; end?: number | undefined } | undefined;
  /** ETag (S3, https), generation (GCS) or `size-mtime` tag (file) that the object must still have. */
  ifMatch?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of `list`. */
export interface ListOptions {
  delimiter?: string | undefined;
  /** Keys after this one only. */
  startAfter?: string | undefined;
  /** Upper bound of one page (default: the server's, 1,000). */
  pageSize?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A reply with its body still unread. Exactly one of `consume`, `land`, `bytes`, `cancel` must be called. */
export interface ObjectBody {
  /** The whole object, as this reply describes it. */
  stat: ObjectStat;
  /** What this reply really carries; `end` is undefined where the length was not announced. */
  range: { start: number; end?: number | undefined };
  /** Hands over the body piece by piece, in order. A piece is valid until the callback (or its promise) returns. */
  consume(onChunk: (chunk: Uint8Array) => void | Promise<void>): Promise<void>;
  /**
   * Puts the body into `target`, which is as long as `range`, without a copy on the way; `onBytes` is told of each piece that
   * stands there. Undefined where the length is not known or the store has no such way.
   */
  land?: ((target: Uint8Array, onBytes: (count: number) => void) => Promise<void>) | undefined;
  /** The body in memory; `network` error beyond `limit` bytes (default 64 MiB). */
  bytes(limit?: number): Promise<Uint8Array>;
  /** Gives the body up. */
  cancel(): void;
}

/** Bytes at a place. */
export interface Store {
  readonly place: Place;
  /** What `ifMatch` compares with, from a stat: the ETag, the generation, or undefined where nothing pins. */
  pin(stat: ObjectStat): string | undefined;
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  /** HEAD, or a ranged GET where the server has no HEAD. */
  stat(key: string, options?: { signal?: AbortSignal | undefined }): Promise<ObjectStat>;
  /**
   * Bytes of the first part of an object that was uploaded in parts, where the protocol tells (S3: `HEAD ?partNumber=1`);
   * undefined where it does not say.
   */
  firstPartSize?: (
    key: string,
    options?: { ifMatch?: string | undefined; signal?: AbortSignal | undefined },
  ) => Promise<number | undefined>;
  /** Objects whose key starts with `prefix`, in key order. `unsupported` for plain web servers. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListPage>;
  /** A URL that people can use: `s3://bucket/key`, `gs://bucket/key`, `https://…`, or a path. */
  url(key: string): string;
}

/** Opens the store of a place; the same place gives the same store. */
export interface OpenStore {
  (place: Place): Store;
  /** What another thread needs to open the same stores; undefined where a function of the caller's is involved. */
  readonly settings?: StoreSettings | undefined;
}

/** Options of stores as plain data, which can be sent to another thread: `createOpenStore(settings)`. */
export interface StoreSettings {
  http: {
    requestsPerConnection?: number | undefined;
    connectionsPerOrigin?: number | undefined;
    keepAliveMs?: number | undefined;
    timeouts?: Partial<{ connect: number; firstByte: number; idle: number }> | undefined;
    ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
    userAgent?: string | undefined;
  };
  /** The whole environment that was given, since proxies, certificates and credentials are named there. */
  env: Readonly<Record<string, string | undefined>>;
}
