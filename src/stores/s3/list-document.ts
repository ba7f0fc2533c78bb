/** The XML of S3 listings (versions 1 and 2), also spoken by Google's XML interface. */
import type { XMLParser } from 'fast-xml-parser';
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
  const objects = nodesOf(root, 'Contents').flatMap((node): ObjectStat[] => {
    const key = decode(textOf(node, 'Key'));
    if (key === undefined) return [];
    const size = textOf(node, 'Size')?.trim();
    const etag = parseEtag(textOf(node, 'ETag'));
    const modified = Date.parse(textOf(node, 'LastModified')?.trim() ?? '');
    return [
      {
        key,
        size: size !== undefined && /^[0-9]{1,15}$/.test(size) ? Number(size) : undefined,
        etag,
        generation: textOf(node, 'Generation')?.trim(),
        lastModified: Number.isNaN(modified) ? undefined : new Date(modified).toISOString(),
        digests: trustEtags ? digestsOfEtag(etag) : [],
      },
    ];
  });
  return {
    objects,
    prefixes: nodesOf(root, 'CommonPrefixes').flatMap((node) => decode(textOf(node, 'Prefix')) ?? []),
    truncated: textOf(root, 'IsTruncated')?.trim() === 'true',
    continuationToken: textOf(root, 'NextContinuationToken'),
    nextMarker: decode(textOf(root, 'NextMarker')),
  };
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
  return typeof found === 'string' ? decodeEntities(found) : undefined;
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
