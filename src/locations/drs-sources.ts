/** From the access methods of a DRS object to one location: public buckets before plain URLs before signed ones. */
import { CarrelError, isCarrelError } from '../errors.ts';
import { type ObjectUrlIdentifier, tryParseIdentifier } from '../identifiers/index.ts';
import type { DrsClient } from './drs-client.ts';
import type { DrsTarget } from './drs-endpoint.ts';
import type { DrsAccess, DrsObject } from './drs-object.ts';
import type { LocateOptions } from './locate-series.ts';
import type { ObjectLocation, Source } from './location.ts';
import { urlPlaces } from './url-sources.ts';

/** Mirror name of URLs that were signed for this moment: they hold a secret and expire, so nobody should keep them. */
export const SIGNED_MIRROR = 'drs-signed';

/**
 * The location of a single object. Buckets of the archive become its mirrors. A signed URL is only asked for where
 * there is no public one. Throws `not-found` where the object has no way to its bytes, `unsupported` where all of them
 * need protocols or request headers that stores do not have.
 */
export async function drsLocation(
  object: DrsObject,
  target: DrsTarget,
  client: DrsClient,
  options: LocateOptions,
): Promise<{ location: ObjectLocation; notes: string[] }> {
  const notes: string[] = [];
  const warm = object.access.filter(({ available }) => available);
  const access = warm.length > 0 ? warm : object.access;
  if (warm.length === 0 && access.length > 0)
    notes.push(`${target.id} is in cold storage: reading it may fail`);
  const urls = access.flatMap((method) => {
    const url = publicUrl(method, target.accessId);
    return url === undefined ? [] : [url];
  });
  const buckets = urls.filter(({ scheme }) => scheme !== 'https');
  for (const url of [...buckets, ...urls.filter((other) => !buckets.includes(other))]) {
    const { places } = urlPlaces(options.archive, url, options);
    // Every bucket that names the same key is the same object; another key (a copy elsewhere) is another set of places.
    const sources = places.map(({ mirror, place }): Source => ({ mirror, place, key: url.key }));
    const same = buckets.filter((other) => other !== url && other.key === url.key && url.scheme !== 'https');
    for (const other of same) {
      for (const { mirror, place } of urlPlaces(options.archive, other, options).places) {
        if (!sources.some((source) => source.mirror === mirror))
          sources.push({ mirror, place, key: other.key });
      }
    }
    return { location: toLocation(object, url, sources), notes };
  }
  return { location: await signedLocation(object, access, target, client, options), notes };
}

async function signedLocation(
  object: DrsObject,
  access: readonly DrsAccess[],
  target: DrsTarget,
  client: DrsClient,
  options: LocateOptions,
): Promise<ObjectLocation> {
  const ids = access.flatMap(({ accessId }) => accessId ?? []);
  const wanted = target.accessId ?? ids[0];
  if (wanted === undefined || target.endpoint === undefined) {
    const kinds = [...new Set(access.map(({ type }) => type))].join(', ');
    throw new CarrelError(
      access.length === 0 ? 'not-found' : 'unsupported',
      access.length === 0
        ? `${target.id} has no access method: its host knows it and does not say where it stands`
        : `${target.id} can only be reached by ${kinds}, with protocols or request headers that carrel does not send`,
      { item: target.id, next: 'ask the operator of the DRS host' },
    );
  }
  const order = [wanted, ...ids.filter((id) => id !== wanted)];
  let last: CarrelError | undefined;
  for (const accessId of order) {
    try {
      const { url, headers } = await client.access(target.endpoint, target.id, accessId);
      const parsed = headers.length > 0 ? undefined : httpsUrl(url);
      if (parsed !== undefined) {
        const { places } = urlPlaces(options.archive, parsed);
        const sources = places.map(
          ({ place }): Source => ({ mirror: SIGNED_MIRROR, place, key: parsed.key }),
        );
        const drs = `${target.endpoint}/objects/${encodeURIComponent(target.id)}`;
        return { ...toLocation(object, parsed, sources), drs };
      }
      last = new CarrelError('unsupported', `${target.id} needs request headers with its URL`, {
        item: target.id,
      });
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      last = error;
    }
  }
  throw last ?? new CarrelError('internal', `no access to ${target.id}`, { item: target.id });
}

/** A URL that everybody may read, where the method has one. */
function publicUrl(method: DrsAccess, wanted: string | undefined): ObjectUrlIdentifier | undefined {
  if (method.url === undefined || method.headers.length > 0) return undefined;
  if (wanted !== undefined && method.accessId !== undefined && method.accessId !== wanted) return undefined;
  const identifier = tryParseIdentifier(method.url);
  return identifier?.kind === 'object-url' && identifier.form === 'object' ? identifier : undefined;
}

/** A signed URL as it stands: also one of S3 or GCS, whose signature belongs to its host, path and query. */
function httpsUrl(url: string): ObjectUrlIdentifier | undefined {
  const match = /^(https?:\/\/[^/?#]+)\/([^#]+)/i.exec(url);
  if (match === null) return undefined;
  return {
    kind: 'object-url',
    scheme: 'https',
    bucket: '',
    endpoint: match[1],
    key: match[2] ?? '',
    form: 'object',
    layout: 'other',
    text: url,
    warnings: [],
  };
}

function toLocation(object: DrsObject, url: ObjectUrlIdentifier, sources: Source[]): ObjectLocation {
  // A web address is no key that anybody wants as a file name: it may hold a query.
  const key = url.scheme === 'https' ? url.key.replace(/[?#].*$/s, '') || object.id : url.key;
  const location: ObjectLocation = { key, size: object.size, digests: object.digests, sources };
  if (url.layout === 'hierarchical' && url.seriesUuid !== undefined)
    location.crdc_series_uuid = url.seriesUuid;
  return location;
}
