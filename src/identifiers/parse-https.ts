/** `https://…`: DRS services, DOIs, views of buckets, Faspex links, viewers and DICOMweb, and plain web servers. */
import { decodeOnce } from './check-text.ts';
import { readDicomLink } from './dicom-link.ts';
import { readLocalId } from './guid.ts';
import type {
  DrsUrlIdentifier,
  Identifier,
  ObjectUrlIdentifier,
  ParseIdentifierOptions,
} from './identifier.ts';
import { readKey } from './object-key.ts';
import { parseDoi } from './parse-doi.ts';
import { hostView, parseHttpsView } from './parse-object-url.ts';
import { checkHost, checkKey, queryValue, type UrlParts } from './url-parts.ts';

/** Query parameters that sign a URL (S3 v2 and v4, GCS, Azure). */
const SIGNED = /(?:^|&)(?:X-Amz-Signature|X-Goog-Signature|Signature|sig)=/i;

/** Reads an http(s) URL. Throws `bad-input`. */
export function parseHttps(url: UrlParts, text: string, options: ParseIdentifierOptions): Identifier {
  const host = checkHost(url.authority, text);
  const endpoint = `${url.scheme}://${host}`;
  if (/^(?:dx\.|www\.)?doi\.org$/.test(host)) return parseDoi(decodeOnce(url.path.slice(1), text), text);
  if (isFaspexLink(url)) return { kind: 'faspex-link', url: text.trim(), host, text, warnings: [] };
  return (
    parseDrsUrl(url, endpoint, host, text, options) ??
    parseBucketView(url, host, text) ??
    readDicomLink(url, text) ??
    parsePlain(url, endpoint, text)
  );
}

/** The URL as a plain address, whatever it would be taken for otherwise (`--as url`). */
export function parsePlainHttps(url: UrlParts, text: string): ObjectUrlIdentifier {
  const host = checkHost(url.authority, text);
  return parseBucketView(url, host, text) ?? parsePlain(url, `${url.scheme}://${host}`, text);
}

/** A view of a bucket, unless its query matters: a signed URL is good only as it is. */
function parseBucketView(url: UrlParts, host: string, text: string): ObjectUrlIdentifier | undefined {
  const view = hostView(host);
  const plain = url.query === undefined || url.query === '' || /^generation=[0-9]+$/.test(url.query);
  return view !== undefined && plain && url.path.length > 1 ? parseHttpsView(view, url, text) : undefined;
}

/**
 * `/ga4gh/drs/v1/objects/<id>[/access/<access id>]` under any base, and `/index/<id>` of indexd where the id holds a
 * UUID (the word alone is too common). Servers take the id's slash escaped or not; the last `/access/` splits.
 */
function parseDrsUrl(
  url: UrlParts,
  endpoint: string,
  host: string,
  text: string,
  options: ParseIdentifierOptions,
): DrsUrlIdentifier | undefined {
  const marker = '/ga4gh/drs/v1/objects/';
  const at = url.path.indexOf(marker);
  if (at >= 0) {
    const rest = url.path.slice(at + marker.length);
    const split = rest.lastIndexOf('/access/');
    const access = split < 0 ? undefined : decodeOnce(rest.slice(split + '/access/'.length), text);
    const local = checkKey(decodeOnce(split < 0 ? rest : rest.slice(0, split), text), text);
    if (local === '') return undefined;
    const base = endpoint + url.path.slice(0, at);
    return {
      kind: 'drs-url',
      service: 'drs',
      endpoint: base,
      host,
      ...readLocalId(local, options),
      ...(access && { accessId: access }),
      text,
    };
  }
  const [, base = '', raw] = /^(.*?)\/index\/(.+)$/.exec(url.path) ?? [];
  if (raw === undefined) return undefined;
  const local = readLocalId(checkKey(decodeOnce(raw, text), text), options);
  if (local.uuid === undefined) return undefined;
  const service = host === 'dataguids.org' ? 'dataguids' : 'index';
  return { kind: 'drs-url', service, endpoint: endpoint + base, host, ...local, text };
}

/**
 * Public links of Faspex 5 (`?context=<base64 of JSON>`, the whole query escaped on some pages) and Faspex 4
 * (`external_deliveries/<n>?passcode=`). Links to send files with count too: whoever takes packages says what they are.
 */
function isFaspexLink({ path, query }: UrlParts): boolean {
  if (/(?:^|\/)(?:external_deliveries\/[0-9]+|external\/(?:dropbox_)?submissions\/new)\/?$/.test(path))
    return queryValue(query, 'passcode') !== undefined;
  if (!/^(?:.*\/public(?:\/.*)?|\/?|\/aspera\/faspex\/?)$/.test(path)) return false;
  const context =
    queryValue(query, 'context') ?? queryValue(query?.replace(/\bcontext%3D/i, 'context='), 'context');
  return (context ?? '').length >= 16;
}

function parsePlain(url: UrlParts, endpoint: string, text: string): ObjectUrlIdentifier {
  const warnings: string[] = [];
  checkKey(decodeOnce(url.path, text), text);
  if (url.query !== undefined && SIGNED.test(url.query)) {
    warnings.push('a signed URL: it ends some day, and whoever sees it can use it');
  }
  if (url.fragment !== undefined)
    warnings.push('what stands behind # stays with the reader of a page; left out');
  const path = url.path.replace(/^\//, '');
  const key = url.query === undefined ? path : `${path}?${url.query}`;
  return {
    kind: 'object-url',
    scheme: 'https',
    bucket: '',
    endpoint,
    key,
    ...readKey(path, false),
    text,
    warnings,
  };
}
