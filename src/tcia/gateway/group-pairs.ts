/** Which files of a job come one by one, and which together in a ZIP archive. */
import type { PackagePair } from '../transport.ts';

/** Files that are fetched in one stream; several come as a ZIP archive. */
export type PairGroup = readonly PackagePair[];

/** A file of this size is worth a request of its own. */
const LARGE = 16 << 20;

/** Bounds of an archive: it lies on the disk beside its files for a moment. */
const MOST_BYTES = 256 << 20;
const MOST_FILES = 200;

/** The last part of a path, as an archive would name it. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).normalize('NFC');
}

/**
 * Groups in the order of the job. Files of unknown or large size stand alone; in a group no two have the same base name
 * (not even but for case), because how much of a path an archive keeps is up to the gateway.
 */
export function groupPairs(pairs: readonly PackagePair[], zip: boolean): PairGroup[] {
  const groups: PackagePair[][] = [];
  let small: PackagePair[] = [];
  let names = new Set<string>();
  let bytes = 0;
  for (const pair of pairs) {
    if (!zip || pair.size === undefined || pair.size >= LARGE) {
      groups.push([pair]);
      continue;
    }
    const name = baseName(pair.path).toLowerCase();
    if (names.has(name) || small.length >= MOST_FILES || bytes + pair.size > MOST_BYTES) {
      groups.push(small);
      small = [];
      names = new Set();
      bytes = 0;
    }
    small.push(pair);
    names.add(name);
    bytes += pair.size;
  }
  if (small.length > 0) groups.push(small);
  return groups;
}
