/** ListObjectsV2 and ListObjects (version 1), which the XML API of GCS answers with few differences. */
import { ApiError } from './api-error.ts';
import type { BucketTree, ListQuery, StoredFile } from './bucket-tree.ts';
import type { DigestFile, FileDigests } from './file-digests.ts';
import { readPageToken, writePageToken } from './page-token.ts';
import { type XmlNode, xmlDocument } from './xml.ts';

/** What differs between the two APIs. */
export interface ListingDialect {
  namespace: string;
  /** Elements of an object behind its key. */
  describe(file: StoredFile, digests: FileDigests, withOwner: boolean): XmlNode[];
  /** S3 gives `NextMarker` only with a delimiter (clients go on with the last key), GCS always. */
  alwaysNextMarker: boolean;
}

const MAX_KEYS = 1000;

/** Answers a listing of a bucket. Throws `ApiError`. */
export async function listAsXml(options: {
  tree: BucketTree;
  digest: DigestFile;
  bucket: string;
  parameters: URLSearchParams;
  dialect: ListingDialect;
}): Promise<string> {
  const { tree, digest, bucket, parameters, dialect } = options;
  const isV2 = parameters.get('list-type') === '2';
  const text = (name: string) => parameters.get(name) ?? '';
  const token = isV2 ? parameters.get('continuation-token') : null;
  const start = text(isV2 ? 'start-after' : 'marker');
  const query: ListQuery = {
    prefix: text('prefix'),
    delimiter: text('delimiter'),
    after: token === null ? start : readToken(token),
    limit: readMaxKeys(parameters.get('max-keys')),
  };
  const encode = chooseEncoding(parameters.get('encoding-type'));
  const page = await tree.list(bucket, query);
  if (page === undefined) throw new ApiError('NoSuchBucket', [['BucketName', bucket]]);

  const withOwner = !isV2 || parameters.get('fetch-owner') === 'true';
  const contents = await Promise.all(
    page.objects.map(async (file): Promise<XmlNode> => {
      return [
        'Contents',
        [['Key', encode(file.key)], ...dialect.describe(file, await digest(file), withOwner)],
      ];
    }),
  );
  const unlessEmpty = (value: string) => (value === '' ? undefined : encode(value));
  const hasNextMarker = page.next !== undefined && (dialect.alwaysNextMarker || query.delimiter !== '');
  const position: XmlNode[] = isV2
    ? [
        ['StartAfter', unlessEmpty(start)],
        ['ContinuationToken', token ?? undefined],
        ['NextContinuationToken', page.next === undefined ? undefined : writePageToken(page.next)],
        ['KeyCount', page.objects.length + page.prefixes.length],
      ]
    : [
        ['Marker', encode(start)],
        ['NextMarker', hasNextMarker ? encode(page.next ?? '') : undefined],
      ];
  const nodes: XmlNode[] = [
    ['Name', bucket],
    ['Prefix', encode(query.prefix)],
    ...position,
    ['MaxKeys', query.limit],
    ['Delimiter', unlessEmpty(query.delimiter)],
    ['EncodingType', parameters.get('encoding-type') ?? undefined],
    ['IsTruncated', page.next !== undefined],
    ...contents,
    ...page.prefixes.map((prefix): XmlNode => ['CommonPrefixes', [['Prefix', encode(prefix)]]]),
  ];
  return xmlDocument(['ListBucketResult', nodes], dialect.namespace);
}

function invalidArgument(name: string, value: string, message: string): ApiError {
  const details: XmlNode[] = [
    ['ArgumentName', name],
    ['ArgumentValue', value],
  ];
  return new ApiError('InvalidArgument', details, { message });
}

function readMaxKeys(text: string | null): number {
  if (text === null || text === '') return MAX_KEYS;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw invalidArgument('max-keys', text, 'Provided max-keys not an integer or within integer range');
  }
  return Math.min(Number(text), MAX_KEYS);
}

function readToken(token: string): string {
  const after = readPageToken(token);
  if (after !== undefined) return after;
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
}

function chooseEncoding(type: string | null): (key: string) => string {
  if (type === null || type === '') return (key) => key;
  if (type === 'url') return encodeKey;
  throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request');
}

/** `encoding-type=url` is Java's URLEncoder with slashes kept: a space becomes `+`, `*` stays as it is. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}
