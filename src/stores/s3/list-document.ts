/** The XML of S3 listings (versions 1 and 2), also spoken by Google's XML interface. */
import type { XMLParser } from 'fast-xml-parser';
import type { Digest } from '../../identifiers/index.ts';
import { decodeListed } from '../object-key.ts';
import { digestsOfEtag, parseEtag } from '../reply-stat.ts';
import type { ObjectStat } from '../store.ts';
import { scanListing } from './scan-listing.ts';

/** A parsed page. */
export interface ListDocument {
  objects: ObjectStat[];
  prefixes: string[];
  truncated: boolean;
  /** Where the next page begins: version 2. */
  continuationToken?: string | undefined;
  /** Where the next page begins: version 1; servers may leave it out without a delimiter. */
  nextMarker?: string | undefined;
}

type Node = Record<string, unknown>;

/** Nearly every ETag, as it stands in the text. */
const QUOTED_MD5 = /^(?:"|&quot;|&#34;)([0-9a-f]{32})(?:"|&quot;|&#34;)$/;

let parser: Promise<XMLParser> | undefined;

/** Made at the first listing; nothing else needs XML. */
function loadParser(): Promise<XMLParser> {
  parser ??= import('fast-xml-parser').then(
    ({ XMLParser }) =>
      new XMLParser({
        parseTagValue: false, // the key 0001 is not the number 1
        ignoreAttributes: true,
        removeNSPrefix: true,
        trimValues: false, // keys may begin or end with blanks
        processEntities: false, // decoded below, in one pass
        isArray: (name) => name === 'Contents' || name === 'CommonPrefixes',
      }),
  );
  return parser;
}

/**
 * Parses a listing; undefined where the text is none (a captive portal's page, an error document).
 *
 * @param trustEtags whether an ETag of 32 hex digits is an MD5: not where objects may be encrypted with KMS keys,
 * which a listing does not tell
 */
export async function parseListDocument(xml: string, trustEtags: boolean): Promise<ListDocument | undefined> {
  // Own entities could make a small text large; no server needs a document type here.
  if (/<!DOCTYPE/i.test(xml)) return undefined;
  const scanned = scanListing(xml);
  const root: Node | undefined =
    scanned === undefined ? await parseRoot(xml) : { ...scanned.fields, ...scanned };
  if (root === undefined) return undefined;
  const encoded = textOf(root, 'EncodingType') === 'url';
  const decode = (text: string | undefined): string | undefined =>
    text === undefined || !encoded ? text : decodeListed(text);
  const texts: string[] = [];
  const objects: ObjectStat[] = [];
  for (const node of nodesOf(root, 'Contents')) {
    const key = decode(textOf(node, 'Key'));
    if (key === undefined) continue;
    const size = textOf(node, 'Size')?.trim();
    const quoted = node['ETag'];
    const md5 = typeof quoted === 'string' ? QUOTED_MD5.exec(quoted)?.[1] : undefined;
    const etag = md5 ?? parseEtag(textOf(node, 'ETag'));
    const digests = !trustEtags ? [] : md5 === undefined ? digestsOfEtag(etag) : [`md5:${md5}` as const];
    texts.push(key, digests[0] ?? '');
    objects.push({
      key,
      size: size !== undefined && /^[0-9]{1,15}$/.test(size) ? Number(size) : undefined,
      etag,
      generation: textOf(node, 'Generation')?.trim(),
      lastModified: isoDate(textOf(node, 'LastModified')?.trim() ?? ''),
      digests,
    });
  }
  detach(objects, texts);
  return {
    objects,
    prefixes: nodesOf(root, 'CommonPrefixes').flatMap((node) => decode(textOf(node, 'Prefix')) ?? []),
    truncated: textOf(root, 'IsTruncated')?.trim() === 'true',
    continuationToken: textOf(root, 'NextContinuationToken'),
    nextMarker: decode(textOf(root, 'NextMarker')),
  };
}

/** As nearly every server writes it, and as we do; not the last days of a month, which not every month has. */
const ISO_DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

function isoDate(text: string): string | undefined {
  if (ISO_DATE.test(text)) return text;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/**
 * Gives keys and digests memory of their own. A piece of a string holds on to the whole of it: the million keys of a
 * large cohort would keep the text of a thousand pages. To write and read JSON is the cheapest way to copy many.
 *
 * @param texts key and first digest (or nothing) of each object
 */
function detach(objects: readonly ObjectStat[], texts: readonly string[]): void {
  const own = JSON.parse(JSON.stringify(texts)) as string[];
  objects.forEach((object, index) => {
    object.key = own[2 * index] ?? object.key;
    if (object.digests.length > 0) object.digests[0] = own[2 * index + 1] as Digest;
  });
}

/** The listing as the general parser sees it. */
async function parseRoot(xml: string): Promise<Node | undefined> {
  const xmlParser = await loadParser();
  let root: unknown;
  try {
    root = (xmlParser.parse(xml) as Node)['ListBucketResult'];
  } catch {
    return undefined;
  }
  if (root === '') return {};
  return isNode(root) ? root : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nodesOf(node: Node, name: string): Node[] {
  const found = node[name];
  return Array.isArray(found) ? found.filter(isNode) : [];
}

function textOf(node: Node, name: string): string | undefined {
  const found = node[name];
  if (typeof found !== 'string') return undefined;
  return found.includes('&') ? decodeEntities(found) : found;
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The five entities of XML and numeric references, each once: `&amp;lt;` is `&lt;`. */
function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return NAMED[name as string] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
