/** The bytes of one object, verified as they pass. */
import { createHash } from 'node:crypto';
import { CarrelError } from '../errors.ts';
import { parseDigest, parseIdentifier } from '../identifiers/index.ts';
import { locateUrl, type ObjectLocation, resolveDrs, viaMirror } from '../locations/index.ts';
import { createCrc32c, withRetry } from '../stores/index.ts';
import type { Tools } from './question.ts';

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

/**
 * Hands over an object piece by piece. A piece is valid until the callback (or its promise) returns. A source that fails
 * before it gave anything is replaced by the next.
 *
 * @throws `verification` after the last piece, where the bytes are not those of the digest
 */
export async function readObject(
  location: ObjectLocation,
  tools: Pick<Tools, 'openStore' | 'signal'>,
  onPiece: (piece: Uint8Array) => void | Promise<void>,
): Promise<void> {
  let failure: unknown;
  for (const { place, key } of location.sources) {
    let started = false;
    try {
      const store = tools.openStore(place);
      const body = await withRetry(store).get(key, { signal: tools.signal });
      const expected = [...new Set([...location.digests, ...body.stat.digests])].map(parseDigest);
      const md5 = createHash('md5');
      const crc32c = createCrc32c();
      await body.consume(async (piece) => {
        started = true;
        md5.update(piece);
        crc32c.update(piece);
        await onPiece(piece);
      });
      const found: Record<string, string> = { md5: md5.digest('hex'), crc32c: crc32c.digest() };
      const wrong = expected.find(
        ({ algorithm, hex }) => found[algorithm] !== undefined && found[algorithm] !== hex,
      );
      if (wrong === undefined) return;
      throw new CarrelError(
        'verification',
        `${store.url(key)}: expected ${wrong.algorithm}:${wrong.hex}, found ${wrong.algorithm}:${found[wrong.algorithm]}`,
        {
          item: key,
          next: 'what was written is not to be trusted; try another mirror with --from',
        },
      );
    } catch (error) {
      // Bytes that are out cannot be taken back: only a source that gave nothing may be replaced by the next.
      if (started || tools.signal?.aborted === true) throw error;
      failure ??= error;
    }
  }
  throw failure;
}
