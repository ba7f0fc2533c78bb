/** A read-only S3 over a folder of buckets, as a fetch function. */
import { randomBytes } from 'node:crypto';
import type { App, OnRequest } from '../app.ts';
import { withRequestLog } from '../request-log.ts';
import { ApiError, toApiError, withoutBody, xmlErrorResponse, xmlResponse } from './api-error.ts';
import { createBucketTree } from './bucket-tree.ts';
import { createDigestCache, type DigestFile, hexToBase64 } from './file-digests.ts';
import { readTarget, requireBucket, requireFile } from './lookup.ts';
import { modifiedDate, objectResponse } from './object-response.ts';
import { type XmlNode, xmlDocument } from './xml.ts';
import { type ListingDialect, listAsXml } from './xml-listing.ts';

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

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Everything belongs to one made-up owner. */
const OWNER: XmlNode = [
  'Owner',
  [
    ['ID', 'carrel'],
    ['DisplayName', 'carrel'],
  ],
];

const DIALECT: ListingDialect = {
  namespace: NAMESPACE,
  alwaysNextMarker: false,
  describe: (file, { md5 }, withOwner) => [
    ['LastModified', modifiedDate(file).toISOString()],
    ['ETag', `"${md5}"`],
    ['Size', file.size],
    ...(withOwner ? [OWNER] : []),
    ['StorageClass', 'STANDARD'],
  ],
};

/** Sub-resources that ask for something else than the object or the listing, and that a folder does not have. */
const ABSENT_SUBRESOURCES = new Set(
  (
    'accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle ' +
    'logging metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock ' +
    'replication requestPayment restore retention select tagging torrent uploadId uploads versions website'
  ).split(' '),
);

/**
 * A read-only S3: ListBuckets, ListObjects (versions 1 and 2), GetObject, HeadObject, HeadBucket, GetBucketLocation,
 * GetBucketVersioning. Signatures are accepted and not checked: everything below `root` is public to whoever
 * reaches the server. Errors are S3's documents; nothing throws.
 */
export function createS3App(options: S3AppOptions): App {
  const tree = createBucketTree(options.root);
  const digest = options.digests ?? createDigestCache();
  const region = options.region ?? 'us-east-1';

  const answerBucket = async (
    bucket: string,
    parameters: URLSearchParams,
    method: string,
  ): Promise<Response> => {
    await requireBucket(tree, bucket);
    const regionHeader = { 'x-amz-bucket-region': region };
    if (method === 'HEAD') return new Response(null, { headers: regionHeader });
    if (parameters.has('location')) {
      // The oldest region has no name here (S3 API reference, GetBucketLocation).
      return xmlResponse(
        xmlDocument(['LocationConstraint', region === 'us-east-1' ? '' : region], NAMESPACE),
      );
    }
    if (parameters.has('versioning'))
      return xmlResponse(xmlDocument(['VersioningConfiguration', ''], NAMESPACE));
    const listing = await listAsXml({ tree, digest, bucket, parameters, dialect: DIALECT });
    return xmlResponse(listing, 200, regionHeader);
  };

  const answerObject = async (
    bucket: string,
    key: string,
    parameters: URLSearchParams,
    request: Request,
  ): Promise<Response> => {
    const file = await requireFile(tree, bucket, key);
    const version = parameters.get('versionId');
    // `null` is the version of an object in a bucket that never had versions.
    if (version !== null && version !== 'null') {
      const details: XmlNode[] = [
        ['Key', key],
        ['VersionId', version],
      ];
      throw new ApiError('NoSuchVersion', details);
    }
    const { md5, crc32c } = await digest(file);
    const headers: Record<string, string> = {};
    // Of the whole object, so S3 leaves it out of answers to a range.
    if (
      request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' &&
      !request.headers.has('range')
    ) {
      headers['x-amz-checksum-crc32c'] = hexToBase64(crc32c);
      headers['x-amz-checksum-type'] = 'FULL_OBJECT';
    }
    const answer = objectResponse({ request, file, etag: `"${md5}"`, headers });
    if (answer instanceof Response) return answer;
    if (answer.status === 412) throw new ApiError('PreconditionFailed', [['Condition', answer.condition]]);
    const details: XmlNode[] = [
      ['RangeRequested', answer.range],
      ['ActualObjectSize', file.size],
    ];
    throw new ApiError('InvalidRange', details, { headers: { 'content-range': answer.contentRange } });
  };

  const answerService = async (): Promise<Response> => {
    const buckets = (await tree.buckets()).map(({ name, created }): XmlNode => {
      return [
        'Bucket',
        [
          ['Name', name],
          ['CreationDate', created.toISOString()],
        ],
      ];
    });
    return xmlResponse(xmlDocument(['ListAllMyBucketsResult', [OWNER, ['Buckets', buckets]]], NAMESPACE));
  };

  const route = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const { bucket, key } = readTarget(url, { domain: options.domain, plusIsSpace: true });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const resource = key !== '' ? 'OBJECT' : bucket === '' ? 'SERVICE' : 'BUCKET';
      const details: XmlNode[] = [
        ['Method', request.method],
        ['ResourceType', resource],
      ];
      throw new ApiError('MethodNotAllowed', details);
    }
    for (const name of url.searchParams.keys()) {
      if (ABSENT_SUBRESOURCES.has(name)) throw new ApiError('NotImplemented', [['Header', name]]);
    }
    if (bucket === '') return answerService();
    return key === ''
      ? answerBucket(bucket, url.searchParams, request.method)
      : answerObject(bucket, key, url.searchParams, request);
  };

  const app: App = {
    async fetch(request) {
      const id = randomBytes(8).toString('hex').toUpperCase();
      const trailer: XmlNode[] = [
        ['RequestId', id],
        ['HostId', id],
      ];
      const response = await route(request).catch((error: unknown) =>
        xmlErrorResponse(toApiError(error), trailer),
      );
      response.headers.set('x-amz-request-id', id);
      response.headers.set('x-amz-id-2', id);
      response.headers.set('server', 'carrel');
      return request.method === 'HEAD' ? withoutBody(response) : response;
    },
  };
  return options.onRequest === undefined ? app : withRequestLog(app, options.onRequest);
}
