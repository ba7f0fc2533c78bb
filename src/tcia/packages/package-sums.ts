/** What the lists of checksums of a package say of its files. */
import type { Digest } from '../../identifiers/index.ts';
import type { PackageEntry } from '../faspex/package-entry.ts';
import { applyMapping, mapSums, type SumsMapping } from '../sums/map-sums.ts';
import type { SumsList } from '../sums/parse-sums.ts';
import { indexFiles } from '../sums/path-forms.ts';

/** Folders in front of a path that a list may have and the package lacks. */
const MOST_STRIPPED = 3;

/**
 * Paths of the package by its lists, each with its digests. Complete only where every line means a file: `undefined` where the
 * root, of which alone the names are known, does not tell what the lines mean.
 */
export function listedBySums(
  lists: readonly SumsList[],
  root: readonly Pick<PackageEntry, 'path'>[],
): Map<string, Digest[]> | undefined {
  const names = new Set(root.map(({ path }) => path.normalize('NFC')));
  const listed = new Map<string, Digest[]>();
  for (const { entries, conflicts, problemCount } of lists) {
    if (conflicts.length > 0 || problemCount > 0) return undefined;
    const mapping = mappingFor(entries, names);
    if (mapping === undefined) return undefined;
    for (const { path, digests } of entries) listed.set(applyMapping(path, mapping) ?? path, digests);
  }
  return listed.size === 0 ? undefined : listed;
}

/** The folder that all lines have in front, and without which they begin with names of the root. */
function mappingFor(entries: SumsList['entries'], names: ReadonlySet<string>): SumsMapping | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const segments = first.path.split('/');
  for (let count = 0; count <= Math.min(MOST_STRIPPED, segments.length - 1); count += 1) {
    const mapping = { strip: segments.slice(0, count).join('/'), add: '' };
    const fits = entries.every(({ path }) => {
      const rest = applyMapping(path, mapping);
      return rest !== undefined && names.has((rest.split('/')[0] ?? '').normalize('NFC'));
    });
    if (fits) return mapping;
  }
  return undefined;
}

/** Digests of files by the lists: path of the package → digests. What two lists contradict each other about has none. */
export function digestsFor(lists: readonly SumsList[], paths: readonly string[]): Map<string, Digest[]> {
  const index = indexFiles(paths);
  const found = new Map<string, Digest[]>();
  const bad = new Set<string>();
  for (const { entries, conflicts } of lists) {
    const { files } = mapSums([...entries, ...conflicts], index);
    for (const { path } of conflicts) bad.add(files.get(path) ?? '');
    for (const { path, digests } of entries) {
      const file = files.get(path);
      if (file === undefined) continue;
      const known = found.get(file) ?? [];
      for (const digest of digests) {
        const kind = digest.slice(0, digest.indexOf(':') + 1);
        const same = known.find((one) => one.startsWith(kind));
        if (same === undefined) known.push(digest);
        else if (same !== digest) bad.add(file);
      }
      found.set(file, known);
    }
  }
  for (const path of bad) found.delete(path);
  return found;
}
