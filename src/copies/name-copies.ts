/** Which name each object gets on disk: the rules of the tool whose scheme it is. */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import { CarrelError } from '../errors.ts';
import { isRemote } from './address.ts';
import type { Match, Matched } from './matches.ts';

/** A destination, looked at once. */
export interface Destination {
  /** As it was typed. */
  text: string;
  path: string;
  /** A folder by its writing (`/` at the end, `.`), or because one is there. */
  isFolder: boolean;
  exists: boolean;
}

/** Reads a destination. Throws `unsupported` for a bucket (carrel never writes to one), `usage` for a wildcard, a device or a pipe. */
export async function readDestination(text: string, cwd: string): Promise<Destination> {
  if (isRemote(text)) throw noUploads(text);
  if (/[*?]/.test(text))
    throw new CarrelError('usage', `the destination ${text} holds a wildcard`, {
      item: text,
      next: 'name one folder or file; quote patterns so that the shell leaves them alone',
    });
  const path = resolve(cwd, text);
  const info = await stat(path).catch(() => undefined);
  // A file gets its name by a rename, which would put it in the place of the device: nobody means that.
  if (info !== undefined && !info.isFile() && !info.isDirectory())
    throw new CarrelError('usage', `the destination ${text} is a device or a pipe`, {
      item: text,
      next: `write into it: carrel cat URL > ${text}`,
    });
  const written = text === '' || /[/\\]$/.test(text) || /^\.{1,2}$/.test(basename(text));
  return {
    text,
    path,
    isFolder: info?.isDirectory() ?? written,
    exists: info !== undefined,
  };
}

/** The refusal of everything that would change a bucket. */
export function noUploads(item: string): CarrelError {
  return new CarrelError('unsupported', `${item}: carrel reads buckets and never writes to them`, {
    item,
    next: 'upload with s5cmd cp, aws s3 cp or gsutil cp',
  });
}

/** A match with its place on disk: `directory` is as the user named it, `path` below it with `/`. */
export interface NamedMatch {
  match: Match;
  directory: string;
  path: string;
}

/**
 * Names what one source matched.
 *
 * One object goes to `destination` itself, or into it where it is a folder. Several go into it: with the tree below the
 * fixed part of the pattern (s5cmd), under their own names (gsutil), or flat where told.
 *
 * @throws `usage` where several objects are to go to one file
 */
export function nameMatches(
  matched: Matched,
  destination: Destination,
  options: { flatten: boolean; severalSources: boolean; keepFolder: boolean },
): NamedMatch[] {
  const { several, matches, folder } = matched;
  if (!several && !options.severalSources && !destination.isFolder)
    return matches.map((match) => ({
      match,
      directory: dirname(destination.path),
      path: basename(destination.path),
    }));
  if (destination.exists && !destination.isFolder)
    throw new CarrelError('usage', `${destination.text} is a file; several objects need a folder`, {
      item: destination.text,
      next: 'name a folder',
    });
  const front = options.keepFolder && folder !== undefined && folder !== '' ? `${folder}/` : '';
  return matches.map((match) => ({
    match,
    directory: destination.path,
    path: options.flatten ? (match.name.split('/').at(-1) ?? match.name) : `${front}${match.name}`,
  }));
}

/** The absolute path of a named match. */
export function pathOf({ directory, path }: { directory: string; path: string }): string {
  return `${directory}${directory.endsWith(sep) ? '' : sep}${path.split('/').join(sep)}`;
}
