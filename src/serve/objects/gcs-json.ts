/** The JSON API of Cloud Storage, version 1, as far as reading goes. */
import { ApiError, type ApiErrorCode, toApiError } from './api-error.ts';
import type { BucketTree, StoredFile } from './bucket-tree.ts';
import { type DigestFile, type FileDigests, hexToBase64 } from './file-digests.ts';
import { checkVersion, gcsHeaders, generationOf, jsonEtag } from './gcs-object.ts';
import { compileGlob } from './glob.ts';
import { decodeName, requireBucket, requireFile } from './lookup.ts';
import { contentType, modifiedDate, objectResponse } from './object-response.ts';
import { readPageToken, writePageToken } from './page-token.ts';

const MAX_RESULTS = 1000;

interface Context {
  tree: BucketTree;
  digest: DigestFile;
  request: Request;
  url: URL;
}

/** True for paths that belong to the JSON API. */
export function isGcsJsonPath(pathname: string): boolean {
  return /^\/(download\/)?storage\/v1\//.test(pathname);
}

/** Answers a request of the JSON API; never rejects. */
export async function answerGcsJson(
  options: { tree: BucketTree; digest: DigestFile },
  request: Request,
): Promise<Response> {
  const url = new URL(request.url);
  try {
    return await route({ ...options, request, url });
  } catch (error) {
    return errorResponse(toApiError(error), isMedia(url));
  }
}

async function route(context: Context): Promise<Response> {
  const { request, url, tree } = context;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new ApiError('MethodNotAllowed');
  const path = url.pathname.replace(/^\/(download\/)?storage\/v1\//, '');
  const match = /^b(?:\/([^/]+)(?:\/(o|storageLayout)(?:\/(.+))?)?)?$/.exec(path);
  if (match === null) throw new ApiError('NotImplemented');
  const [, bucketPart, collection, objectPart] = match;
  if (bucketPart === undefined) {
    const items = (await tree.buckets()).map((bucket) => bucketResource(url.origin, bucket));
    return json({ kind: 'storage#buckets', ...(items.length > 0 ? { items } : {}) });
  }
  const bucket = decodeName(bucketPart);
  if (objectPart !== undefined) return answerObject(context, bucket, decodeName(objectPart));
  const found = await requireBucket(tree, bucket);
  if (collection === undefined) return json(bucketResource(url.origin, found));
  if (collection === 'o') return json(await listObjects(context, bucket));
  const { kind, location, locationType } = {
    kind: 'storage#storageLayout',
    location: 'US',
    locationType: 'region',
  };
  return json({ kind, bucket, location, locationType, hierarchicalNamespace: { enabled: false } });
}

async function answerObject(context: Context, bucket: string, key: string): Promise<Response> {
  const { request, url, tree, digest } = context;
  const { searchParams: parameters } = url;
  const file = await requireFile(tree, bucket, key);
  const status = checkVersion(file, key, {
    generation: parameters.get('generation'),
    generationMatch: parameters.get('ifGenerationMatch'),
    generationNotMatch: parameters.get('ifGenerationNotMatch'),
    metagenerationMatch: parameters.get('ifMetagenerationMatch'),
    metagenerationNotMatch: parameters.get('ifMetagenerationNotMatch'),
  });
  const etag = jsonEtag(file);
  if (status !== undefined) return new Response(null, { status, headers: { etag } });
  const digests = await digest(file);
  if (!isMedia(url)) return json(objectResource(url.origin, bucket, file, digests), { etag });
  const headers = { ...gcsHeaders(file, digests), 'content-disposition': 'attachment' };
  const answer = objectResponse({ request, file, etag, headers });
  if (answer instanceof Response) return answer;
  if (answer.status === 412) throw new ApiError('PreconditionFailed');
  throw new ApiError('InvalidRange', [], { headers: { 'content-range': answer.contentRange } });
}

async function listObjects({ tree, digest, url }: Context, bucket: string): Promise<unknown> {
  const { searchParams: parameters } = url;
  const text = (name: string) => parameters.get(name) ?? '';
  const glob = parameters.has('matchGlob') ? readGlob(text('matchGlob')) : undefined;
  const page = await tree.list(bucket, {
    prefix: text('prefix'),
    delimiter: text('delimiter'),
    after: parameters.has('pageToken') ? readToken(text('pageToken')) : '',
    from: parameters.get('startOffset') ?? undefined,
    until: parameters.get('endOffset') ?? undefined,
    limit: readMaxResults(parameters.get('maxResults')),
    accepts: glob === undefined ? undefined : (key) => glob.test(key),
  });
  const { objects = [], prefixes = [], next } = page ?? {};
  const items = await Promise.all(
    objects.map(async (file) => objectResource(url.origin, bucket, file, await digest(file))),
  );
  return {
    kind: 'storage#objects',
    ...(next === undefined ? {} : { nextPageToken: writePageToken(next) }),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(items.length > 0 ? { items } : {}),
  };
}

function objectResource(origin: string, bucket: string, file: StoredFile, digests: FileDigests): object {
  const generation = generationOf(file);
  const name = `b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(file.key)}`;
  const time = modifiedDate(file).toISOString();
  return {
    kind: 'storage#object',
    id: `${bucket}/${file.key}/${generation}`,
    selfLink: `${origin}/storage/v1/${name}`,
    mediaLink: `${origin}/download/storage/v1/${name}?generation=${generation}&alt=media`,
    name: file.key,
    bucket,
    generation,
    metageneration: '1',
    contentType: contentType(file.key),
    storageClass: 'STANDARD',
    size: String(file.size),
    md5Hash: hexToBase64(digests.md5),
    crc32c: hexToBase64(digests.crc32c),
    etag: jsonEtag(file),
    timeCreated: time,
    updated: time,
    timeStorageClassUpdated: time,
  };
}

function bucketResource(origin: string, { name, created }: { name: string; created: Date }): object {
  return {
    kind: 'storage#bucket',
    id: name,
    selfLink: `${origin}/storage/v1/b/${encodeURIComponent(name)}`,
    name,
    projectNumber: '0',
    metageneration: '1',
    location: 'US',
    locationType: 'region',
    storageClass: 'STANDARD',
    etag: 'CAE=',
    timeCreated: created.toISOString(),
    updated: created.toISOString(),
  };
}

function isMedia(url: URL): boolean {
  return url.searchParams.get('alt') === 'media';
}

function invalid(message: string): ApiError {
  return new ApiError('InvalidArgument', [], { message });
}

function readGlob(pattern: string): RegExp {
  const glob = compileGlob(pattern);
  if (glob === undefined) throw invalid(`Invalid argument: matchGlob '${pattern}'`);
  return glob;
}

function readToken(token: string): string {
  const after = readPageToken(token);
  if (after === undefined) throw invalid('Invalid argument: pageToken');
  return after;
}

function readMaxResults(text: string | null): number {
  if (text === null) return MAX_RESULTS;
  if (!/^\d{1,10}$/.test(text) || Number(text) === 0)
    throw invalid(`Invalid unsigned integer value: '${text}'.`);
  return Math.min(Number(text), MAX_RESULTS);
}

/** `reason` of the error document (Cloud Storage, "HTTP status and error codes for JSON"). */
const REASONS: Partial<Record<ApiErrorCode, string>> = {
  AccessDenied: 'forbidden',
  InternalError: 'internalError',
  InvalidRange: 'requestedRangeNotSatisfiable',
  MethodNotAllowed: 'methodNotAllowed',
  NoSuchBucket: 'notFound',
  NoSuchKey: 'notFound',
  NotImplemented: 'notImplemented',
  PreconditionFailed: 'conditionNotMet',
};

/** Errors of downloads are plain text, all others JSON. */
function errorResponse(error: ApiError, asText: boolean): Response {
  const { status, message, headers } = error;
  if (asText)
    return new Response(message, {
      status,
      headers: { ...headers, 'content-type': 'text/html; charset=UTF-8' },
    });
  const reason = REASONS[error.code] ?? 'invalid';
  return json(
    { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } },
    headers,
    status,
  );
}

function json(value: unknown, headers: Record<string, string> = {}, status = 200): Response {
  const text = JSON.stringify(value);
  const length = String(Buffer.byteLength(text));
  return new Response(text, {
    status,
    headers: { ...headers, 'content-type': 'application/json; charset=UTF-8', 'content-length': length },
  });
}
