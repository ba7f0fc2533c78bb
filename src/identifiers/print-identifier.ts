/** Writes an identifier in its canonical form. */
import type {
  AsKind,
  DrsIdentifier,
  DrsUrlIdentifier,
  Identifier,
  ObjectUrlIdentifier,
} from './identifier.ts';
import { readKey } from './object-key.ts';
import { isGuidPrefix } from './uuid.ts';

/**
 * The canonical text. `parseIdentifier(printIdentifier(x), { as: asKindOf(x) })` equals `x` but for `text` and
 * `warnings`. Signed URLs and Faspex links are secrets, and are printed whole.
 */
export function printIdentifier(identifier: Identifier): string {
  switch (identifier.kind) {
    case 'dicom-uid':
      return identifier.uid;
    case 'crdc-uuid':
      return identifier.uuid;
    case 'guid':
      return `${identifier.prefix}/${identifier.uuid}`;
    case 'drs':
      return printDrs(identifier);
    case 'drs-url':
      return printDrsUrl(identifier);
    case 'object-url':
      return printObjectUrl(identifier);
    case 'compound-object':
      return printIdentifier(identifier.location);
    case 'doi':
      return identifier.doi;
    case 'faspex-link':
      return identifier.url;
    case 'path':
      return printPath(identifier.path);
    case 'stdin':
      return '-';
    case 'name':
      return identifier.name;
  }
}

/** Blanks at the ends of a text are not part of it: a path that has them is written as the URL that keeps them. */
function printPath(path: string): string {
  if (path === path.trim()) return path;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${encoded}` : `file:///${encoded}`;
}

/** What `--as` must say so that the canonical text is read as this identifier; undefined where nothing is needed. */
export function asKindOf(identifier: Identifier): AsKind | undefined {
  if (identifier.kind === 'dicom-uid' || identifier.kind === 'crdc-uuid' || identifier.kind === 'name') {
    return identifier.level;
  }
  if (identifier.kind === 'path') return 'path';
  if (identifier.kind !== 'object-url') return undefined;
  const isSpecial = identifier.scheme === 'https' || /(?:^|\/)crdcobj\.json$/.test(identifier.key);
  return isSpecial ? 'url' : undefined;
}

/** The escaped form of the specification for hosts; IDC's own for GUIDs. */
function printDrs({ style, host, prefix, id }: DrsIdentifier): string {
  if (style === 'hosted') return `drs://${host ?? ''}/${encodeURIComponent(id)}`;
  const isGuid = prefix !== undefined && isGuidPrefix(prefix);
  const local = encodeURIComponent(isGuid ? id.slice(prefix.length + 1) : id);
  return `drs://${prefix ?? ''}${style === 'compact' ? ':' : '/'}${local}`;
}

function printDrsUrl({ service, endpoint, id, accessId }: DrsUrlIdentifier): string {
  if (service !== 'drs') return `${endpoint}/index/${encodeKey(id)}`;
  const access = accessId === undefined ? '' : `/access/${encodeURIComponent(accessId)}`;
  return `${endpoint}/ga4gh/drs/v1/objects/${encodeURIComponent(id)}${access}`;
}

/** `s3://` and `gs://` wherever they say it all; the https view where a region or a literal `*` would be lost. */
function printObjectUrl(identifier: ObjectUrlIdentifier): string {
  const { scheme, bucket, key, endpoint, region, generation, form } = identifier;
  if (scheme === 'https') return `${endpoint ?? ''}/${key}`;
  const suffix = generation === undefined ? '' : `#${generation}`;
  const looksLikeGeneration = scheme === 'gs' && generation === undefined && /#[0-9]+$/.test(key);
  const misread = readKey(key, true).form !== form || key !== key.trimEnd() || looksLikeGeneration;
  if (region === undefined && !misread) return `${scheme}://${bucket}/${key}${suffix}`;
  const host =
    scheme === 'gs'
      ? 'storage.googleapis.com'
      : `s3${region === undefined ? '' : `.${region}`}.amazonaws.com`;
  const path = form === 'wildcard' ? encodeKey(key) : encodeKey(key).replaceAll('*', '%2A');
  return `https://${host}/${bucket}/${path}${generation === undefined ? '' : `?generation=${generation}`}`;
}

/** Percent-encodes the segments of a key; `/` and `*` stay. */
function encodeKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
