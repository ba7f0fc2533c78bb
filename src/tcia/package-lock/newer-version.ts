/** Has TCIA published something newer than what a folder holds? */
import type { PackageLock } from './package-lock.ts';

/** A collection as it is now. */
export interface FreshCollection {
  slug: string;
  version?: string | null | undefined;
  /** Of the package, or packages, that its downloads lead to now. */
  packageId?: string | readonly string[] | undefined;
}

/** What is newer, as a sentence and in parts. */
export interface NewerVersion {
  slug: string;
  message: string;
  locked: { version: string | null; packageIds: string[] };
  now: { version: string | null; packageIds: string[] };
}

/**
 * Compares a lock file with a collection as it is now; undefined where the collection is not in the lock file or nothing is
 * newer. The version speaks where both sides have one. Where one has none, the package does: every version of a collection is
 * another package, so a package that no download leads to any more was followed by another one.
 */
export function newerVersionOf(lock: PackageLock, fresh: FreshCollection): NewerVersion | undefined {
  const slug = fresh.slug.toLowerCase();
  const mine = lock.packages.filter(({ collection }) => collection?.slug.toLowerCase() === slug);
  if (mine.length === 0) return undefined;
  const versions = [...new Set(mine.map(({ collection }) => collection?.version ?? null))];
  const version = versions.includes(null) ? null : (oldest(versions.filter((one) => one !== null)) ?? null);
  const packageIds = mine.map(({ package_id: id }) => id);
  const freshIds = fresh.packageId === undefined ? [] : [fresh.packageId].flat();
  const found = (text: string): NewerVersion => ({
    slug: fresh.slug,
    message: text,
    locked: { version, packageIds },
    now: { version: fresh.version ?? null, packageIds: freshIds },
  });
  if (version !== null && fresh.version !== undefined && fresh.version !== null) {
    return compareVersions(fresh.version, version) > 0
      ? found(`${fresh.slug} has a new version: ${fresh.version}; this folder holds version ${version}`)
      : undefined;
  }
  if (freshIds.length === 0) return undefined;
  const gone = packageIds.filter((id) => !freshIds.includes(id));
  if (gone.length === 0) return undefined;
  return found(
    `${fresh.slug} stands in another package now (${freshIds.join(', ')}); this folder holds ${gone.join(', ')}, so it has probably a new version`,
  );
}

function oldest(versions: readonly string[]): string | undefined {
  return [...versions].sort(compareVersions)[0];
}

/** By their numbers, part by part: `2` < `10`, `1.9` < `1.10`, `Version 3` = `3`. Texts without numbers by their letters. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  if (left.length === 0 || right.length === 0) return a === b ? 0 : a < b ? -1 : 1;
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}
