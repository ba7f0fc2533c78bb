/** Where a 3xx reply leads, and what may be taken along. */
import { CarrelError } from '../../errors.ts';
import type { HttpHeaders } from './http.ts';
import { withoutSecrets } from './http-error.ts';
import { parseTarget, parseUrl } from './target.ts';

/** Redirects that are followed for one request. */
export const MAX_REDIRECTS = 5;

/** Fields that prove who we are: they never leave the origin that they were meant for. */
const CREDENTIALS = /^(authorization|proxy-authorization|cookie|x-amz-.*|x-goog-iam-.*|x-auth-.*|x-api-key)$/;

/** What changes from one request to the next. */
export interface Hop {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: Uint8Array | undefined;
}

/** True where the reply names another place. S3's `PermanentRedirect` has the status but no `Location`. */
export function isRedirect(status: number, headers: HttpHeaders): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.has('location');
}

/**
 * The next request. Throws `unsafe` where it would leave encryption, `network` for a malformed address.
 */
export function followRedirect(hop: Hop, status: number, location: string): Hop {
  const item = withoutSecrets(hop.url);
  const next = parseUrl(location, hop.url);
  if (next === null || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
    throw new CarrelError('network', `${item}: redirected to something that is no web address`, {
      item,
      status,
    });
  }
  // A location that is absolute already is taken as it stands: its path may be an object key with `..` in it.
  const url = /^https?:\/\//i.test(location) && next.username === '' ? location : next.href;
  const [from, to] = [parseTarget(hop.url), parseTarget(url)];
  if (from.secure && !to.secure) {
    throw new CarrelError('unsafe', `${item}: redirected from https to http (${to.host})`, {
      item,
      next: 'ask the operator of the server; the transfer would be readable and changeable on the way',
      status,
    });
  }
  const toGet = status === 303 ? hop.method !== 'HEAD' : status < 303 && hop.method === 'POST';
  const kept = Object.entries(hop.headers).filter(
    ([name]) => from.origin === to.origin || !CREDENTIALS.test(name.toLowerCase()),
  );
  const headers = Object.fromEntries(kept.filter(([name]) => !(toGet && /^content-/i.test(name))));
  return { method: toGet ? 'GET' : hop.method, url, headers, body: toGet ? undefined : hop.body };
}

/** The failure of a request that is sent around. */
export function tooManyRedirects(url: string): CarrelError {
  const item = withoutSecrets(url);
  return new CarrelError('network', `${item}: redirected more than ${MAX_REDIRECTS} times`, {
    item,
    next: 'the server sends its visitors in a circle; check the address',
  });
}
