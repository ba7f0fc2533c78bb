/** A read-only Google Cloud Storage over a folder of buckets, as a fetch function. */
import type { App, OnRequest } from '../app.ts';
import { withRequestLog } from '../request-log.ts';
import { withoutBody } from './api-error.ts';
import { createBucketTree } from './bucket-tree.ts';
import { createDigestCache, type DigestFile } from './file-digests.ts';
import { answerGcsJson, isGcsJsonPath } from './gcs-json.ts';
import { answerGcsXml } from './gcs-xml.ts';

/** Options of `createGcsApp`. */
export interface GcsAppOptions {
  /** Folder whose sub-folders are the buckets. */
  root: string;
  /** Requests of the XML API for `bucket.<domain>` name the bucket in the host. Path style always works. */
  domain?: string | undefined;
  onRequest?: OnRequest | undefined;
  /** Shared with other servers over the same files; default: its own. */
  digests?: DigestFile | undefined;
}

/**
 * Both reading APIs of Cloud Storage: JSON (`/storage/v1/b/…`, `/download/storage/v1/b/…`) as gsutil and
 * `gcloud storage` use it, and XML (`/bucket/object`). Sign-in is accepted and not checked. Nothing throws.
 */
export function createGcsApp(options: GcsAppOptions): App {
  const tree = createBucketTree(options.root);
  const digest = options.digests ?? createDigestCache();
  const { domain } = options;
  const app: App = {
    async fetch(request) {
      const isJson = isGcsJsonPath(new URL(request.url).pathname);
      const response = isJson
        ? await answerGcsJson({ tree, digest }, request)
        : await answerGcsXml({ tree, digest, domain }, request);
      response.headers.set('server', 'carrel');
      return request.method === 'HEAD' ? withoutBody(response) : response;
    },
  };
  return options.onRequest === undefined ? app : withRequestLog(app, options.onRequest);
}
