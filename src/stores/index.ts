/** Bytes at a place. */
export { type Crc32c, combineCrc32c, createCrc32c } from './crc32c.ts';
export type {
  HttpHeaders,
  HttpPool,
  HttpPoolOptions,
  HttpReply,
  HttpRequest,
  HttpStats,
  HttpTimeouts,
  OnChunk,
} from './http/http.ts';
export { createHttpPool } from './http/pool.ts';
export { createOpenStore, type OpenStoreOptions, type StoreOpener } from './open-store.ts';
export type { S3CredentialProvider, S3Credentials } from './s3/sign.ts';
export type {
  ByteRange,
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectStat,
  OpenStore,
  Place,
  Protocol,
  Store,
  StoreSettings,
} from './store.ts';
export { withLimit } from './with-limit.ts';
export { type RetryNote, type RetryOptions, withRetry } from './with-retry.ts';
