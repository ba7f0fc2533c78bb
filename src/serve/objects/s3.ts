/** A read-only S3 over a folder of buckets, as a fetch function. */
import { randomBytes } from 'node:crypto';
import { isCarrelError } from '../../errors.ts';
import type { App, OnRequest } from '../app.ts';
import { withRequestLog } from '../request-log.ts';
import { createBucketTree } from './bucket-tree.ts';
import { createDigestCache, type DigestFile, hexToBase64 } from './file-digests.ts';
import { objectResponse } from './object-response.ts';
import { S3Error, s3ErrorResponse } from './s3-errors.ts';
import { listObjects, OWNER, S3_NAMESPACE } from './s3-listing.ts';
import { xmlDocument } from './xml.ts';

/** Options of `createS3App`. */
export interface S3AppOptions {
  /** Folder whose sub-folders are the buckets. */
  root: string;
  /** `s3.example.org`: requests for `bucket.s3.example.org` name the bucket in the host. Path style always works. */
  domain?: string | undefined;
  /** Default `us-east-1`. */
  region?: string | undefined;
  onRequest?: OnRequest | undefined;
  /** Shared with other servers over the same files; default: its own. */
  digests?: DigestFile | undefined;
}

interface Target {
  bucket: string;
  key: string;
  parameters: URLSearchParams;
}

/** Sub-resources that ask for something else than the object or the listing itself. */
const UNKNOWN_SUBRESOURCES =
  /^(accelerate|acl|analytics|attributes|cors|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|logging|metrics|notification|object-lock|ownershipControls|policy|policyStatus|publicAccessBlock|replication|requestPayment|restore|retention|select|tagging|torrent|uploadId|uploads|versions|website)$/;

/**
 * A read-only S3: ListBuckets, ListObjects (versions 1 and 2), GetObject, HeadObject, HeadBucket, GetBucketLocation,
 * GetBucketVersioning. Signatures are accepted and not checked: everything below `root` is public to whoever
 * reaches the server. Errors are S3's documents; nothing throws.
 */
export function createS3App(options: S3AppOptions): App {
  const tree = createBucketTree(options.root);
  const digest = options.digests ?? createDigestCache();
  const region = options.region ?? 'us-east-1';

  const answerBucket = async ({ bucket, parameters }: Target, method: string): Promise<Response> => {
    const found = await tree.bucket(bucket);
    if (found === undefined) throw new S3Error('NoSuchBucket', [['BucketName', bucket]]);
    if (method === 'HEAD') {
      return new Response(null, {
        headers: { 'content-type': 'application/xml', 'x-amz-bucket-region': region },
      });
    }
    if (parameters.has('location')) {
      return xmlResponse(
        xmlDocument(['LocationConstraint', region === 'us-east-1' ? '' : region], S3_NAMESPACE),
      );
    }
    if (parameters.has('versioning'))
      return xmlResponse(xmlDocument(['VersioningConfiguration', ''], S3_NAMESPACE));
    const response = xmlResponse(await listObjects(tree, digest, bucket, parameters));
    response.headers.set('x-amz-bucket-region', region);
    return response;
  };

  const answerObject = async ({ bucket, key, parameters }: Target, request: Request): Promise<Response> => {
    if (Buffer.byteLength(key) > 1024) throw new S3Error('KeyTooLongError', [['MaxSizeAllowed', 1024]]);
    const versionId = parameters.get('versionId');
    const file = await tree.find(bucket, key);
    if (file === undefined) {
      const hasBucket = (await tree.bucket(bucket)) !== undefined;
      throw hasBucket
        ? new S3Error('NoSuchKey', [['Key', key]])
        : new S3Error('NoSuchBucket', [['BucketName', bucket]]);
    }
    if (versionId !== null && versionId !== 'null') {
      throw new S3Error('NoSuchVersion', [
        ['Key', key],
        ['VersionId', versionId],
      ]);
    }
    const digests = await digest(file);
    const headers: Record<string, string> = {};
    const isWhole = request.headers.get('range') === null;
    if (isWhole && request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
      headers['x-amz-checksum-crc32c'] = hexToBase64(digests.crc32c);
      headers['x-amz-checksum-type'] = 'FULL_OBJECT';
    }
    const answer = objectResponse({ request, file, etag: `"${digests.md5}"`, headers });
    if (answer instanceof Response) return answer;
    if (answer.status === 412) throw new S3Error('PreconditionFailed', [['Condition', answer.condition]]);
    throw new S3Error(
      'InvalidRange',
      [
        ['RangeRequested', answer.range],
        ['ActualObjectSize', file.size],
      ],
      { headers: { 'content-range': answer.contentRange } },
    );
  };

  const answerService = async (): Promise<Response> => {
    const buckets = await tree.buckets();
    return xmlResponse(
      xmlDocument(
        [
          'ListAllMyBucketsResult',
          [
            OWNER,
            [
              'Buckets',
              buckets.map(({ name, created }) => [
                'Bucket',
                [
                  ['Name', name],
                  ['CreationDate', created.toISOString()],
                ],
              ]),
            ],
          ],
        ],
        S3_NAMESPACE,
      ),
    );
  };

  const route = async (request: Request): Promise<Response> => {
    const target = readTarget(request, options.domain);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new S3Error('MethodNotAllowed', [
        ['Method', request.method],
        ['ResourceType', target.key === '' ? (target.bucket === '' ? 'SERVICE' : 'BUCKET') : 'OBJECT'],
      ]);
    }
    for (const name of target.parameters.keys()) {
      if (UNKNOWN_SUBRESOURCES.test(name)) throw new S3Error('NotImplemented', [['Header', name]]);
    }
    if (target.bucket === '') return answerService();
    return target.key === '' ? answerBucket(target, request.method) : answerObject(target, request);
  };

  const app: App = {
    async fetch(request) {
      const requestId = randomBytes(8).toString('hex').toUpperCase();
      let response: Response;
      try {
        response = await route(request);
      } catch (error) {
        response = s3ErrorResponse(toS3Error(error), request.method, requestId);
      }
      response.headers.set('x-amz-request-id', requestId);
      response.headers.set('x-amz-id-2', requestId);
      response.headers.set('server', 'carrel');
      return response;
    },
  };
  return options.onRequest === undefined ? app : withRequestLog(app, options.onRequest);
}

/** Bucket and key of a request, in either addressing style. */
function readTarget(request: Request, domain: string | undefined): Target {
  const url = new URL(request.url);
  let path: string;
  try {
    // S3 reads a bare plus in a path as a space; every client sends %2B for a plus.
    path = decodeURIComponent(url.pathname.slice(1).replaceAll('+', '%20'));
  } catch {
    throw new S3Error('InvalidURI', [['URI', url.pathname]]);
  }
  const suffix = domain === undefined ? undefined : `.${domain.toLowerCase()}`;
  if (suffix !== undefined && url.hostname.endsWith(suffix)) {
    return { bucket: url.hostname.slice(0, -suffix.length), key: path, parameters: url.searchParams };
  }
  const slash = path.indexOf('/');
  return slash < 0
    ? { bucket: path, key: '', parameters: url.searchParams }
    : { bucket: path.slice(0, slash), key: path.slice(slash + 1), parameters: url.searchParams };
}

function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  return isCarrelError(error, 'unsafe') ? new S3Error('AccessDenied') : new S3Error('InternalError');
}

function xmlResponse(document: string): Response {
  const headers = {
    'content-type': 'application/xml',
    'content-length': String(Buffer.byteLength(document)),
  };
  return new Response(document, { headers });
}
