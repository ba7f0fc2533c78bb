/** Places in records: absolute as they are, relative ones beside the record. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CarrelError } from '../errors.ts';
import { excerpt } from '../identifiers/index.ts';

/** True for `scheme:…` (two letters at least, so that `C:\x` is a path). */
export function isUrl(place: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(place);
}

/** True for a place on a disk: everything that is no URL, and `file:` URLs. */
export function isLocal(place: string): boolean {
  return !isUrl(place) || /^file:/i.test(place);
}

/**
 * Makes `place` absolute against `base` (the record's own URL or path). Braces of templates stay as they are; a
 * trailing `/` is cut. In a record from the network `/x` is a path on its server, as in a page.
 *
 * @throws `bad-input` where it is relative and there is no base; `unsafe` for a `file:` URL in a record from the network
 */
export function resolvePlace(place: string, base?: string): string {
  const remote = base !== undefined && !isLocal(base);
  if (/^file:/i.test(place)) {
    if (remote) throw localFolder(place);
    return path.resolve(fileURLToPath(place));
  }
  if (isUrl(place)) return withoutTrailingSlash(place);
  if (remote) return withoutTrailingSlash(joinUrl(place, base));
  if (path.isAbsolute(place)) return path.resolve(place);
  if (base === undefined) {
    const item = excerpt(place);
    throw new CarrelError('bad-input', `a relative place needs a record with a place of its own: "${item}"`, {
      item,
      next: 'write it as an absolute path or URL',
    });
  }
  const folder = path.dirname(path.resolve(/^file:/i.test(base) ? fileURLToPath(base) : base));
  return path.resolve(folder, place);
}

/** Whoever serves a record would choose what is read on the machine of whoever reads it. */
export function localFolder(place: string): CarrelError {
  const item = excerpt(place);
  return new CarrelError('unsafe', `a record from the network names a folder of this machine: "${item}"`, {
    item,
    next: 'save the record as a file and name that; then its folders are yours to choose',
  });
}

/** Resolves like a link in a page. Done by hand because `s3:` and `gs:` are no special schemes and braces must stay. */
function joinUrl(relative: string, base: string): string {
  const [, origin = '', rest = ''] = /^([a-z][a-z0-9+.-]+:\/\/[^/?#]*)([^?#]*)/i.exec(base) ?? [];
  const segments = relative.startsWith('/') ? [] : rest.split('/').slice(1, -1);
  for (const segment of relative.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return [origin, ...segments].join('/');
}

function withoutTrailingSlash(url: string): string {
  return /^[a-z0-9+.-]+:\/\/.*[^/]\/+$/i.test(url) ? url.replace(/\/+$/, '') : url;
}
