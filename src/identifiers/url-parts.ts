/**
 * URLs taken apart by hand. The WHATWG `URL` class cannot be used on names of data: it rejects compact DRS URIs (their
 * UUID is no port), folds `..` away before anybody could refuse it, and encodes keys anew.
 */
import { refuse } from './refuse.ts';

/** The pieces of a URL, none of them decoded. */
export interface UrlParts {
  /** In small letters. */
  scheme: string;
  /** Between `//` and the next `/`, `?` or `#`. */
  authority: string;
  /** From the first `/`; may be empty. */
  path: string;
  /** Without `?`; undefined where there is none. */
  query: string | undefined;
  /** Without `#`; undefined where there is none. */
  fragment: string | undefined;
}

/** Splits `scheme://…`; undefined for anything else. */
export function splitUrl(text: string): UrlParts | undefined {
  const [, scheme, authority = '', path = '', query, fragment] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i.exec(text) ?? [];
  return scheme === undefined
    ? undefined
    : { scheme: scheme.toLowerCase(), authority, path, query, fragment };
}

/** `host` in small letters with `:port` where one was given. Throws `bad-input` for credentials and malformed hosts. */
export function checkHost(authority: string, text: string): string {
  if (authority.includes('@')) {
    throw refuse(text, 'holds a user name or a password', 'sign in through the environment instead');
  }
  const host = authority.toLowerCase();
  const port = Number(/:([0-9]{1,5})$/.exec(host)?.[1] ?? 0);
  if (
    port > 65535 ||
    !/^(?:[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/.test(host)
  ) {
    throw refuse(text, 'has no valid host', 'write it as https://host/path');
  }
  return host;
}

/** The first value of a query's parameter, with `+` left alone; undefined where there is none. */
export function queryValue(query: string | undefined, name: string): string | undefined {
  for (const pair of query?.replaceAll('&amp;', '&').split('&') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at) === name) return pair.slice(at + 1);
  }
  return undefined;
}

/** Throws `bad-input` for a key with a `..` segment: joined to a folder it would leave it. */
export function checkKey(key: string, text: string): string {
  if (key.split(/[/\\]/).includes('..'))
    throw refuse(text, 'holds a ".." segment', 'name the object by its own key');
  return key;
}
