/** Web addresses of an archive's own mirrors, such as an institute's cache, as what they are: buckets. */
import type { Archive } from '../archives/index.ts';
import { type Identifier, parseIdentifier } from '../identifiers/index.ts';

/**
 * `https://cache.example/idc-open-data/<uuid>/…` as `s3://idc-open-data/<uuid>/…`, where `https://cache.example` is
 * the endpoint of a mirror of the archive: only so is it listed, verified by its digests, and found on the other mirrors.
 * Every other identifier is handed back as it is.
 */
export function viaMirror(identifier: Identifier, archive: Archive): Identifier {
  const url = identifier.kind === 'compound-object' ? identifier.location : identifier;
  if (url.kind !== 'object-url' || url.scheme !== 'https' || url.endpoint === undefined) return identifier;
  const address = `${url.endpoint}/${url.key}`;
  for (const { endpoint, protocol, scheme, addressing } of archive.mirrors) {
    const base = `${endpoint.replace(/\/+$/, '')}/`;
    if (protocol === 'https' || protocol === 'file' || addressing === 'virtual' || !address.startsWith(base))
      continue;
    try {
      const path = decodeURIComponent(address.slice(base.length));
      return {
        ...parseIdentifier(`${scheme ?? (protocol === 'gcs' ? 'gs' : 's3')}://${path}`),
        text: identifier.text,
      };
    } catch {
      // No bucket and key after all: an address like any other.
      return identifier;
    }
  }
  return identifier;
}
