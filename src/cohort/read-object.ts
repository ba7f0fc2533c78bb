/** The bytes of one object, verified as they pass. */
import { CarrelError } from '../errors.ts';
import { parseIdentifier } from '../identifiers/index.ts';
import { locateUrl, type ObjectLocation, resolveDrs, viaMirror } from '../locations/index.ts';
import { type StreamOptions, type StreamResult, streamObject } from '../transfer/index.ts';
import type { Tools } from './question.ts';
import { withoutQuery } from './receipt-log.ts';

/** What an object is read with. */
export type ReadTools = Pick<Tools, 'archive' | 'openStore' | 'http' | 'from' | 'drsToken' | 'signal'>;

/**
 * The one object that an address names, by its letters.
 *
 * @param url `s3://`, `gs://`, `https://`, `drs://`
 * @throws `usage` for what is no address of an object or names several, `not-found`
 */
export async function locateObject(
  url: string,
  tools: ReadTools,
  endpoint?: string,
): Promise<ObjectLocation> {
  const identifier = viaMirror(parseIdentifier(url), tools.archive);
  const { archive, openStore, from, signal } = tools;
  const options = { archive, openStore, from, signal };
  const object = identifier.kind === 'compound-object' ? identifier.location : identifier;
  let locations: ObjectLocation[];
  if (object.kind === 'object-url')
    locations = (await locateUrl(object, { ...options, endpoint, literal: true })).locations;
  else if (identifier.kind === 'drs' || identifier.kind === 'drs-url' || identifier.kind === 'guid')
    locations = (await resolveDrs(identifier, { ...options, http: tools.http, token: tools.drsToken }))
      .locations;
  else
    throw new CarrelError('usage', `${url} is no address of an object`, {
      item: url,
      next: 'give s3://, gs://, https:// or drs://; carrel get takes everything else',
    });
  const [location, ...others] = locations;
  if (location === undefined) throw new CarrelError('not-found', `nothing is at ${url}`, { item: url });
  if (others.length > 0)
    throw new CarrelError('usage', `${url} names ${others.length + 1} objects`, {
      item: url,
      next: 'cat takes one; carrel get fetches many',
    });
  return location;
}

/** How an object is read. */
export type ReadOptions = Pick<StreamOptions, 'range' | 'verify' | 'bandwidth' | 'onEvent'>;

/**
 * Hands over an object piece by piece; each piece is the taker's to keep. Verified by what would verify a file, gone on with
 * where a connection breaks, from the next source where one does not help. The last mebibyte comes only when all is proven.
 *
 * @throws `verification` where the bytes are not the right ones, `network` where the rest could not be had, what `onPiece` threw
 */
export async function readObject(
  location: Pick<ObjectLocation, 'key' | 'size' | 'digests' | 'sources'>,
  tools: Pick<Tools, 'openStore' | 'signal'>,
  onPiece: (piece: Uint8Array) => void | Promise<void>,
  options: ReadOptions = {},
): Promise<StreamResult> {
  const { size, digests, sources, key } = location;
  const { openStore, signal } = tools;
  const [source] = sources;
  const url = source === undefined ? key : openStore(source.place).url(source.key);
  // The query of a web address may be a signature; in a bucket it is part of the key.
  const name = source?.place.protocol === 'https' ? withoutQuery(url) : url;
  return await streamObject({ name, size, digests, sources }, { ...options, openStore, signal, onPiece });
}
