/** Servers as pure fetch functions (`Request` → `Response`); only `listen` opens a socket. */

export type { App, OnRequest, RequestRecord } from './app.ts';
export type { Listener, ListenOptions } from './listen.ts';
export { listen } from './listen.ts';
export type { DigestCacheOptions, DigestFile, FileDigests } from './objects/file-digests.ts';
export { createDigestCache } from './objects/file-digests.ts';
export type { GcsAppOptions } from './objects/gcs.ts';
export { createGcsApp } from './objects/gcs.ts';
export type { S3AppOptions } from './objects/s3.ts';
export { createS3App } from './objects/s3.ts';
export { withRequestLog } from './request-log.ts';
