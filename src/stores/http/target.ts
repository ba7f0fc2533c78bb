/** A URL taken apart for a request line, without the normalisation of the `URL` class. */
import { CarrelError } from '../../errors.ts';
import { withoutSecrets } from './http-error.ts';

/** Where a request goes and what it asks for. */
export interface Target {
  secure: boolean;
  /** Name or address, without brackets. */
  host: string;
  port: number;
  /** `host` or `host:port` as in the `Host` field. */
  authority: string;
  /** `https://host:port`: what connections are kept by. */
  origin: string;
  /** Path and query as they go over the wire. */
  path: string;
}

/**
 * Takes an absolute `http:` or `https:` URL apart. The path keeps `..`, `%2e` and `//`: in an object key they are
 * ordinary characters. Throws `usage` for anything else, for a user in the URL and for control characters.
 */
export function parseTarget(url: string): Target {
  const found = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(url);
  const refuse = (why: string): never => {
    const item = withoutSecrets(url).slice(0, 200);
    throw new CarrelError('usage', `not a web address (${why}): ${item}`, {
      item,
      next: 'give http://… or https://…',
    });
  };
  if (found === null) return refuse('it does not begin with http:// or https://');
  const [, scheme = '', authority = '', rest = ''] = found;
  if (authority.includes('@')) return refuse('it holds a user');
  const place = placeOf(`${scheme}://${authority}/`);
  if (place === undefined) return refuse('its host is malformed');
  return { ...place, path: encodePath(rest.startsWith('/') ? rest : `/${rest}`) };
}

type Place = Omit<Target, 'path'>;

/** The last one: a run asks one host thousands of times. */
let lastPlace: { url: string; place: Place } | undefined;

function placeOf(url: string): Place | undefined {
  if (lastPlace?.url === url) return lastPlace.place;
  const parsed = parseUrl(url);
  if (parsed === null || parsed.hostname === '') return undefined;
  const secure = parsed.protocol === 'https:';
  const place = {
    secure,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port),
    authority: parsed.host,
    origin: parsed.origin,
  };
  lastPlace = { url, place };
  return place;
}

/** The `URL` of a text, resolved against `base`, or null (`URL.parse` comes with Node 22 only). */
export function parseUrl(text: string, base?: string): URL | null {
  return URL.canParse(text, base) ? new URL(text, base) : null;
}

/** Encodes only what would break a request line: blanks, control characters, everything beyond ASCII. */
function encodePath(path: string): string {
  return /^[\x21-\x7e]*$/.test(path) ? path : path.replace(/[^\x21-\x7e]+/g, percentEncode);
}

function percentEncode(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}
