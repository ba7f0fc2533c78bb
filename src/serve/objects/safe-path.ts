/** Keys to paths below a root, and nothing else: the one place where a name from the network meets the disk. */
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CarrelError } from '../../errors.ts';

/** Names of buckets: letters, digits, `.`, `_`, `-`, first a letter or digit. Hidden folders are no buckets. */
export function isBucketName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,221}$/.test(name);
}

/**
 * The parts of a key as file names, or undefined where no file can have that name (empty part, `.`).
 * Throws `unsafe` for `..`, NUL, and on Windows for backslashes and drive letters.
 */
export function keySegments(key: string): string[] | undefined {
  const segments = key.split('/');
  if (segments.includes('..') || key.includes('\0') || (sep === '\\' && /[\\:]/.test(key))) {
    throw new CarrelError('unsafe', `refused: the key ${JSON.stringify(key)} leads outside of its bucket`, {
      item: key,
    });
  }
  return segments.some((segment) => segment === '' || segment === '.') ? undefined : segments;
}

/** True for `path` itself and everything below `folder`; both must be real paths. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * The real path of `segments` below `folder`, undefined where there is none.
 * Throws `unsafe` where a symbolic link on the way leaves `root`.
 */
export async function realPathBelow(
  root: string,
  folder: string,
  segments: string[],
): Promise<string | undefined> {
  let path: string;
  try {
    path = await realpath(join(folder, ...segments));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (!isInside(root, path)) {
    const item = segments.join('/');
    throw new CarrelError('unsafe', `refused: ${JSON.stringify(item)} is a link that leaves the root`, {
      item,
    });
  }
  return path;
}

/** True for the ways in which a file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    code === 'ENOENT' ||
    code === 'ENOTDIR' ||
    code === 'ENAMETOOLONG' ||
    code === 'ELOOP' ||
    code === 'EINVAL'
  );
}
