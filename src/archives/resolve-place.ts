/** Places in records: absolute as they are, relative ones beside the record. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CarrelError } from '../errors.ts';

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
 * trailing `/` is cut. Throws `bad-input` where it is relative and there is no base, and `unsafe` where a record from
 * the network names a folder of this machine: whoever serves the record would choose what is read here.
 */
export function resolvePlace(place: string, base?: string): string {
  const remote = base !== undefined && !isLocal(base);
  if (isUrl(place) && !/^file:/i.test(place)) return withoutTrailingSlash(place);
  if (remote && (isUrl(place) || path.isAbsolute(place))) {
    const shown = JSON.stringify(place.slice(0, 80));
    throw new CarrelError('unsafe', `a record from the network names a folder of this machine: ${shown}`, {
      item: place.slice(0, 80),
      next: 'save the record as a file, or point one of its mirrors at the folder with --mirror NAME=/FOLDER',
    });
  }
  if (/^file:/i.test(place)) return path.resolve(fileURLToPath(place));
  if (path.isAbsolute(place)) return path.resolve(place);
  if (base === undefined) {
    throw new CarrelError(
      'bad-input',
      `a relative place needs a record with a place of its own: ${JSON.stringify(place.slice(0, 80))}`,
      {
        item: place.slice(0, 80),
        next: 'write it as an absolute path or URL',
      },
    );
  }
  if (remote) return withoutTrailingSlash(joinUrl(place, base));
  const folder = path.dirname(path.resolve(/^file:/i.test(base) ? fileURLToPath(base) : base));
  return path.resolve(folder, place);
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
