/** ListObjectsV2 and ListObjects (version 1) of the S3 API. */
import type { BucketTree, ListQuery, StoredFile } from './bucket-tree.ts';
import type { DigestFile } from './file-digests.ts';
import { modifiedDate } from './object-response.ts';
import { S3Error } from './s3-errors.ts';
import { type XmlNode, xmlDocument } from './xml.ts';

/** Namespace of every S3 document. */
export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** Everything belongs to one made-up owner. */
export const OWNER: XmlNode = [
  'Owner',
  [
    ['ID', 'carrel'],
    ['DisplayName', 'carrel'],
  ],
];
const MAX_KEYS = 1000;

/** Answers a listing of a bucket. Throws `S3Error`. */
export async function listObjects(
  tree: BucketTree,
  digest: DigestFile,
  bucket: string,
  parameters: URLSearchParams,
): Promise<string> {
  const isV2 = parameters.get('list-type') === '2';
  const text = (name: string) => parameters.get(name) ?? '';
  const maxKeys = readMaxKeys(parameters.get('max-keys'));
  const token = isV2 ? parameters.get('continuation-token') : null;
  const start = isV2 ? text('start-after') : text('marker');
  const query: ListQuery = {
    prefix: text('prefix'),
    delimiter: text('delimiter'),
    after: token === null ? start : readToken(token),
    limit: maxKeys,
  };
  const page = await tree.list(bucket, query);
  if (page === undefined) throw new S3Error('NoSuchBucket', [['BucketName', bucket]]);

  const encode = readEncoding(parameters.get('encoding-type'));
  const withOwner = !isV2 || parameters.get('fetch-owner') === 'true';
  const contents = await Promise.all(
    page.objects.map(async (file) => contentsNode(file, encode, (await digest(file)).md5, withOwner)),
  );
  const optional = (name: string): XmlNode => [name, parameters.has(name) ? text(name) : undefined];
  const encodedOptional = (element: string, name: string): XmlNode => [
    element,
    parameters.has(name) && text(name) !== '' ? encode(text(name)) : undefined,
  ];
  const head: XmlNode[] = isV2
    ? [
        ['Name', bucket],
        ['Prefix', encode(query.prefix)],
        encodedOptional('StartAfter', 'start-after'),
        ['ContinuationToken', optional('continuation-token')[1]],
        ['NextContinuationToken', page.next === undefined ? undefined : writeToken(page.next)],
        ['KeyCount', page.objects.length + page.prefixes.length],
      ]
    : [
        ['Name', bucket],
        ['Prefix', encode(query.prefix)],
        ['Marker', encode(start)],
        // Without a delimiter S3 leaves it out: clients go on with the last key.
        ['NextMarker', page.next === undefined || query.delimiter === '' ? undefined : encode(page.next)],
      ];
  return xmlDocument(
    [
      'ListBucketResult',
      [
        ...head,
        ['MaxKeys', maxKeys],
        encodedOptional('Delimiter', 'delimiter'),
        ['EncodingType', parameters.get('encoding-type') ?? undefined],
        ['IsTruncated', page.next !== undefined],
        ...contents,
        ...page.prefixes.map((prefix): XmlNode => ['CommonPrefixes', [['Prefix', encode(prefix)]]]),
      ],
    ],
    S3_NAMESPACE,
  );
}

function contentsNode(
  file: StoredFile,
  encode: (key: string) => string,
  md5: string,
  withOwner: boolean,
): XmlNode {
  const contents: XmlNode[] = [
    ['Key', encode(file.key)],
    ['LastModified', modifiedDate(file).toISOString()],
    ['ETag', `"${md5}"`],
    ['Size', file.size],
    ...(withOwner ? [OWNER] : []),
    ['StorageClass', 'STANDARD'],
  ];
  return ['Contents', contents];
}

function readMaxKeys(text: string | null): number {
  if (text === null || text === '') return MAX_KEYS;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new S3Error(
      'InvalidArgument',
      [
        ['ArgumentName', 'max-keys'],
        ['ArgumentValue', text],
      ],
      { message: 'Provided max-keys not an integer or within integer range' },
    );
  }
  return Math.min(Number(text), MAX_KEYS);
}

function readEncoding(type: string | null): (key: string) => string {
  if (type === null || type === '') return (key) => key;
  if (type === 'url') return encodeKey;
  throw new S3Error(
    'InvalidArgument',
    [
      ['ArgumentName', 'encoding-type'],
      ['ArgumentValue', type],
    ],
    { message: 'Invalid Encoding Method specified in Request' },
  );
}

/** `encoding-type=url` is Java's URLEncoder with slashes kept: a space becomes `+`, `*` stays as it is. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}

/** Tokens are opaque to clients; the server keeps nothing between pages. */
function writeToken(after: string): string {
  return Buffer.from(`1${after}`, 'utf8').toString('base64');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text.startsWith('1') && text.length > 1 && writeToken(text.slice(1)) === token) return text.slice(1);
  throw new S3Error('InvalidArgument', [['ArgumentName', 'continuation-token']], {
    message: 'The continuation token provided is incorrect',
  });
}
