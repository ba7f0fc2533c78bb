/** The XML API of Cloud Storage: what `storage.googleapis.com/bucket/object` answers. */
import { ApiError, toApiError, xmlErrorResponse, xmlResponse } from './api-error.ts';
import type { BucketTree } from './bucket-tree.ts';
import type { DigestFile } from './file-digests.ts';
import { checkVersion, gcsHeaders, generationOf } from './gcs-object.ts';
import { readTarget, requireBucket, requireFile } from './lookup.ts';
import { modifiedDate, objectResponse } from './object-response.ts';
import { type XmlNode, xmlDocument } from './xml.ts';
import { type ListingDialect, listAsXml } from './xml-listing.ts';

const NAMESPACE = 'http://doc.s3.amazonaws.com/2006-03-01';

const DIALECT: ListingDialect = {
  namespace: NAMESPACE,
  alwaysNextMarker: true,
  describe: (file, { md5 }) => [
    ['Generation', generationOf(file)],
    ['MetaGeneration', 1],
    ['LastModified', modifiedDate(file).toISOString()],
    ['ETag', `"${md5}"`],
    ['Size', file.size],
    ['StorageClass', 'STANDARD'],
  ],
};

/** Answers a request of the XML API; never rejects. */
export async function answerGcsXml(
  options: { tree: BucketTree; digest: DigestFile; domain?: string | undefined },
  request: Request,
): Promise<Response> {
  try {
    return await route(options, request);
  } catch (error) {
    return xmlErrorResponse(toApiError(error));
  }
}

async function route(
  { tree, digest, domain }: { tree: BucketTree; digest: DigestFile; domain?: string | undefined },
  request: Request,
): Promise<Response> {
  const url = new URL(request.url);
  const parameters = url.searchParams;
  const { bucket, key } = readTarget(url, { domain });
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new ApiError('MethodNotAllowed');
  if (bucket === '') return xmlResponse(await listBuckets(tree));
  if (key === '') {
    await requireBucket(tree, bucket);
    if (request.method === 'HEAD') return new Response(null, { headers: { 'x-goog-metageneration': '1' } });
    const subresource = SUBRESOURCES.find(([name]) => parameters.has(name));
    if (subresource !== undefined) return xmlResponse(xmlDocument(subresource[1]));
    return xmlResponse(await listAsXml({ tree, digest, bucket, parameters, dialect: DIALECT }));
  }

  const file = await requireFile(tree, bucket, key);
  const status = checkVersion(file, key, {
    generation: parameters.get('generation'),
    generationMatch: request.headers.get('x-goog-if-generation-match'),
    generationNotMatch: request.headers.get('x-goog-if-generation-not-match'),
    metagenerationMatch: request.headers.get('x-goog-if-metageneration-match'),
    metagenerationNotMatch: request.headers.get('x-goog-if-metageneration-not-match'),
  });
  const digests = await digest(file);
  const headers = gcsHeaders(file, digests);
  const etag = `"${digests.md5}"`;
  if (status !== undefined) return new Response(null, { status, headers: { ...headers, etag } });
  const answer = objectResponse({ request, file, etag, headers });
  if (answer instanceof Response) return answer;
  if (answer.status === 412) throw new ApiError('PreconditionFailed', [['Condition', answer.condition]]);
  throw new ApiError('InvalidRange', [['Details', answer.range]], {
    message: 'The requested range cannot be satisfied.',
    headers: { 'content-range': answer.contentRange },
  });
}

/** Sub-resources of a bucket that clients look at before they list it. */
const SUBRESOURCES: [string, XmlNode][] = [
  ['location', ['LocationConstraint', 'US']],
  ['versioning', ['VersioningConfiguration', '']],
  ['storageClass', ['StorageClass', 'STANDARD']],
];

async function listBuckets(tree: BucketTree): Promise<string> {
  const buckets = (await tree.buckets()).map(({ name, created }): XmlNode => {
    return [
      'Bucket',
      [
        ['Name', name],
        ['CreationDate', created.toISOString()],
      ],
    ];
  });
  return xmlDocument(['ListAllMyBucketsResult', [['Buckets', buckets]]], NAMESPACE);
}
