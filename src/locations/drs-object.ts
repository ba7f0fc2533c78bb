/**
 * DRS objects (GA4GH DRS 1.2 to 1.5) as servers really write them, in our own terms.
 *
 * Met in the wild: `size` as text, `null` names, empty `contents` on single objects, `drs_uri` as text or list, times
 * without a zone, a `mime_type` that is never right, no `access_methods` at all, checksum types by several names.
 */
import { CarrelError } from '../errors.ts';
import { type Digest, isDigest } from '../identifiers/index.ts';

/** One way to the bytes. */
export interface DrsAccess {
  /** `s3`, `gs`, `https`, … */
  type: string;
  url?: string | undefined;
  /** Request headers that the URL needs: secrets. */
  headers: string[];
  accessId?: string | undefined;
  region?: string | undefined;
  /** False for cold storage. */
  available: boolean;
}

/** A child of a bundle. */
export interface DrsChild {
  name: string;
  id?: string | undefined;
  uris: string[];
  contents: DrsChild[];
}

/** A DRS object. With children it is a bundle. */
export interface DrsObject {
  id: string;
  name?: string | undefined;
  size?: number | undefined;
  digests: Digest[];
  access: DrsAccess[];
  contents: DrsChild[];
}

const ALGORITHMS: Record<string, 'md5' | 'sha256' | 'crc32c'> = {
  md5: 'md5',
  'md-5': 'md5',
  'sha-256': 'sha256',
  sha256: 'sha256',
  crc32c: 'crc32c',
};

const HEX_LENGTH = { md5: 32, sha256: 64, crc32c: 8 };

/** Reads the answer of a DRS host. Throws `network` (not retryable) for what is no DRS object at all. */
export function parseDrsObject(json: unknown, url: string): DrsObject {
  const value = record(json);
  const contents = list(value?.contents).map(parseChild);
  const access = list(value?.access_methods).flatMap(parseAccess);
  const id = textOf(value?.id) ?? textOf(value?.did);
  if (value === undefined || (id === undefined && access.length === 0 && contents.length === 0)) {
    throw new CarrelError('network', `${url} did not answer with a DRS object`, {
      item: url,
      next: 'check that the host serves GA4GH DRS under /ga4gh/drs/v1',
    });
  }
  return {
    id: id ?? '',
    name: textOf(value.name),
    size: parseSize(value.size),
    digests: [...new Set(list(value.checksums).flatMap(parseChecksum))],
    access,
    contents,
  };
}

/** An `AccessURL`. Undefined where there is none in it. */
export function parseAccessUrl(json: unknown): { url: string; headers: string[] } | undefined {
  const value = record(json);
  const url = textOf(value?.url);
  return url === undefined ? undefined : { url, headers: parseHeaders(value?.headers) };
}

/** An indexd record (`/index/<id>`): `urls`, `hashes`, `size`; the form that dataguids.org hands through. */
export function parseIndexRecord(json: unknown, url: string): DrsObject {
  const value = record(json);
  const urls = list(value?.urls).flatMap((item) => textOf(item) ?? []);
  if (value === undefined || urls.length === 0) {
    throw new CarrelError('network', `${url} did not answer with an index record that names a place`, {
      item: url,
    });
  }
  const hashes = Object.entries(record(value.hashes) ?? {}).map(([type, checksum]) => ({ type, checksum }));
  return {
    id: textOf(value.did) ?? '',
    name: textOf(value.file_name),
    size: parseSize(value.size),
    digests: [...new Set(hashes.flatMap(parseChecksum))],
    access: urls.map((at) => ({ type: at.split(':')[0] ?? '', url: at, headers: [], available: true })),
    contents: [],
  };
}

function parseAccess(json: unknown): DrsAccess[] {
  const value = record(json);
  if (value === undefined) return [];
  // DRS 1.x: an object; some early hosts: the bare text.
  const at = parseAccessUrl(value.access_url) ?? parseAccessUrl({ url: value.access_url });
  const accessId = textOf(value.access_id);
  if (at === undefined && accessId === undefined) return [];
  return [
    {
      type: textOf(value.type)?.toLowerCase() ?? at?.url.split(':')[0] ?? '',
      url: at?.url,
      headers: at?.headers ?? [],
      accessId,
      region: textOf(value.region),
      available: value.available !== false,
    },
  ];
}

function parseChild(json: unknown): DrsChild {
  const value = record(json);
  const uris = Array.isArray(value?.drs_uri) ? value.drs_uri : [value?.drs_uri];
  return {
    name: textOf(value?.name) ?? '',
    id: textOf(value?.id),
    uris: uris.flatMap((uri: unknown) => textOf(uri) ?? []),
    contents: list(value?.contents).map(parseChild),
  };
}

function parseChecksum(json: unknown): Digest[] {
  const value = record(json);
  const algorithm = ALGORITHMS[textOf(value?.type)?.toLowerCase() ?? ''];
  const checksum = textOf(value?.checksum);
  if (algorithm === undefined || checksum === undefined) return [];
  // Google writes CRC32C and MD5 in base64; four bytes are eight characters either way, so length does not tell.
  const isHex = checksum.length === HEX_LENGTH[algorithm] && /^[0-9a-f]+$/i.test(checksum);
  const hex = isHex ? checksum.toLowerCase() : Buffer.from(checksum, 'base64').toString('hex');
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? [digest] : [];
}

function parseSize(value: unknown): number | undefined {
  const size = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function parseHeaders(value: unknown): string[] {
  // The specification has a list of `Name: value`; Azul and others send an object.
  if (Array.isArray(value)) return value.flatMap((header: unknown) => textOf(header) ?? []);
  return Object.entries(record(value) ?? {}).flatMap(([name, header]) =>
    typeof header === 'string' ? [`${name}: ${header}`] : [],
  );
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
