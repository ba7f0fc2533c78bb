/** What becomes of names that hurt a file system: refused with the reason, or made safe. */
import { createHash } from 'node:crypto';
import { CarrelError, isCarrelError } from '../errors.ts';
import { checkPlan } from '../transfer/index.ts';

/** `strict` refuses the whole plan, `escape` gives such objects other names. */
export type NamePolicy = 'strict' | 'escape';

/**
 * Refuses the name of an object, as the bucket has it, where it could not stand below a destination.
 *
 * @throws CarrelError `unsafe` with the reason
 */
export function refuseHostileName(name: string): void {
  try {
    checkPlan([{ path: name, digests: [], sources: [] }]);
  } catch (error) {
    if (!isCarrelError(error, 'unsafe')) throw error;
    throw new CarrelError('unsafe', error.message, {
      item: name,
      next: '--names escape fetches it under a safe name; or leave it out of what you ask for',
      cause: error,
    });
  }
}

/**
 * Gives names of their own to files that would stand in each other's way: equal but for case or Unicode form, or a
 * folder of others. The last segment gets `_` and ten digits of the SHA-256 of the key; all but the first are renamed.
 */
export function tellApart<F extends { path: string; key: string }>(files: readonly F[]): F[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      folders.add(fold(path.slice(0, at)));
    }
  }
  const taken = new Set<string>();
  return files.map((file) => {
    const folded = fold(file.path);
    if (!taken.has(folded) && !folders.has(folded)) {
      taken.add(folded);
      return file;
    }
    const hash = createHash('sha256').update(Buffer.from(file.key, 'utf16le')).digest('hex').slice(0, 10);
    const path = `${file.path}_${hash}`;
    taken.add(fold(path));
    return { ...file, path };
  });
}

function fold(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
