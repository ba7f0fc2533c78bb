/** Which files of a package are wanted. */
import { CarrelError } from '../../errors.ts';
import { normalisePath } from '../faspex/list-package.ts';
import { nearPaths } from './near-paths.ts';

/** What is asked for; nothing means everything. */
export interface PackageChoice {
  /** Files and folders of the package. */
  paths?: readonly string[] | undefined;
  /** Patterns as they were written; for the lock file. `keeps` is what counts. */
  include?: readonly string[] | undefined;
  exclude?: readonly string[] | undefined;
  /** The patterns, compiled. */
  keeps?: ((path: string) => boolean) | undefined;
  /** Endings without dots, in any case: `svs`. */
  kinds?: readonly string[] | undefined;
  /** Bytes, both included. */
  minSize?: number | undefined;
  maxSize?: number | undefined;
}

/** A file of a listing. */
export interface ListedFile {
  path: string;
  size?: number | undefined;
  refused?: string | undefined;
}

/** What was chosen. */
export interface ChosenFiles {
  files: ListedFile[];
  /** Left out because the server does not tell their size, and a size was asked for. */
  unsized: number;
}

/** True where not all of a package is asked for. */
export function isChoice(choice: PackageChoice): boolean {
  const { paths = [], include = [], exclude = [], kinds = [], minSize, maxSize } = choice;
  return (
    paths.some((path) => normalisePath(path) !== '') ||
    include.length + exclude.length + kinds.length > 0 ||
    minSize !== undefined ||
    maxSize !== undefined
  );
}

/** Paths as entries have them, without those that lie in another one. @throws CarrelError `bad-input` as `normalisePath` */
export function wantedPaths(paths: readonly string[] = []): string[] {
  const wanted = [...new Set(paths.map(normalisePath))];
  if (wanted.includes('')) return [];
  return wanted.filter((path) => !wanted.some((other) => other !== path && path.startsWith(`${other}/`)));
}

/**
 * Chooses among the files of a listing.
 *
 * @throws CarrelError `not-found` for paths that nothing lies at, with names like them
 */
export function chooseFiles(listed: readonly ListedFile[], choice: PackageChoice, name: string): ChosenFiles {
  const wanted = wantedPaths(choice.paths);
  const found = wanted.length === 0 ? [...listed] : below(listed, wanted, name);
  const { kinds = [], minSize, maxSize, keeps } = choice;
  const endings = kinds.map((kind) => `.${kind.toLowerCase().replace(/^\.+/, '')}`);
  const sized = minSize !== undefined || maxSize !== undefined;
  let unsized = 0;
  const files = found.filter(({ path, size }) => {
    const small = path.toLowerCase();
    if (endings.length > 0 && !endings.some((ending) => small.endsWith(ending))) return false;
    if (keeps?.(path) === false) return false;
    if (!sized) return true;
    if (size === undefined) unsized += 1;
    return size !== undefined && size >= (minSize ?? 0) && size <= (maxSize ?? Number.POSITIVE_INFINITY);
  });
  return { files, unsized };
}

function below(listed: readonly ListedFile[], wanted: readonly string[], name: string): ListedFile[] {
  const unused = new Map(wanted.map((path) => [path.normalize('NFC'), path]));
  const all = new Set(unused.keys());
  const files = listed.filter(({ path }) => {
    const composed = path.normalize('NFC');
    for (let at = composed.length; at > 0; at = composed.lastIndexOf('/', at - 1)) {
      const part = composed.slice(0, at);
      if (!all.has(part)) continue;
      unused.delete(part);
      return true;
    }
    return false;
  });
  const missing = [...unused.values()];
  if (missing.length > 0) throw noSuchPaths(missing, pathsOf(listed), name);
  return files;
}

/** The error for paths that are not in a package. */
export function noSuchPaths(missing: readonly string[], there: Iterable<string>, name: string): CarrelError {
  const [first = ''] = missing;
  const near = nearPaths(first, there);
  const shown = missing.slice(0, 5).map((path) => JSON.stringify(path));
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : '';
  return new CarrelError('not-found', `${name} holds no ${shown.join(', no ')}${more}`, {
    item: first,
    next:
      near.length > 0
        ? `did you mean ${near.map((path) => JSON.stringify(path)).join(' or ')}? Capitals and blanks count`
        : 'capitals and blanks count; carrel tcia browse shows the names',
  });
}

/** Files, and the folders that they lie in. */
function* pathsOf(listed: readonly ListedFile[]): Generator<string> {
  const folders = new Set<string>();
  for (const { path } of listed) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
      yield folder;
    }
    yield path;
  }
}
