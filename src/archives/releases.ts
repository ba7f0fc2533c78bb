/** Numbers and names of releases, and the version of the catalogue that belongs to each. */
import { CarrelError } from '../errors.ts';
import { excerpt } from '../identifiers/index.ts';
import type { Archive, CatalogVersion } from './archive.ts';

/** Highest number of a release: what fits a column of the catalogue with room to spare. */
const MAX_RELEASE = 999_999_999;

/** Number of the newest release that the record knows, 0 where it knows none. */
export function newestRelease(archive: Archive): number {
  const { releasePrefix, versions } = archive.catalog;
  return Math.max(0, ...versions.map(({ release }) => Number(release.slice(releasePrefix.length))));
}

/**
 * The number of a release: `v24`, `V24`, `24`, 24, or `current` for the newest.
 *
 * @throws `usage` for what names no release; `not-found` for one after the newest
 */
export function releaseNumber(archive: Archive, release: string | number): number {
  const newest = newestRelease(archive);
  const text = String(release).trim().toLowerCase();
  if (text === 'current' && newest > 0) return newest;
  const prefix = archive.catalog.releasePrefix.toLowerCase();
  const digits = prefix !== '' && text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const number = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
  const item = excerpt(String(release));
  if (number < 1 || number > MAX_RELEASE) {
    const example = releaseName(archive, newest || 1);
    throw new CarrelError('usage', `"${item}" names no release`, {
      item,
      next: `write it as ${example}, ${newest || 1} or current`,
    });
  }
  if (number > newest && newest > 0) {
    throw new CarrelError(
      'not-found',
      `${archive.name} has no release ${item}; the newest known is ${releaseName(archive, newest)}`,
      {
        item,
        next: 'carrel catalog list shows the releases there are; a newer record or version of Carrel may know more',
      },
    );
  }
  return number;
}

/** `v24`. */
export function releaseName(archive: Archive, release: number): string {
  return `${archive.catalog.releasePrefix}${release}`;
}

/**
 * The newest version of the catalogue that a release published itself; undefined for releases before the first one
 * that is known (they can only be told from later tables).
 *
 * @param release default: the newest
 * @throws like `releaseNumber`
 */
export function catalogVersionFor(
  archive: Archive,
  release: string | number = 'current',
): CatalogVersion | undefined {
  const { versions } = archive.catalog;
  if (versions.length === 0) return undefined;
  const name = releaseName(archive, releaseNumber(archive, release));
  return versions.find((version) => version.release === name);
}

/**
 * The archive with one more version of its catalogue, for releases that came after the record. It goes before older
 * ones of the same release; a version that is there already is replaced.
 */
export function withCatalogVersion(archive: Archive, version: CatalogVersion): Archive {
  const number = ({ release }: CatalogVersion) =>
    Number(release.slice(archive.catalog.releasePrefix.length)) || 0;
  const others = archive.catalog.versions.filter((other) => other.version !== version.version);
  const at = others.findIndex((other) => number(other) <= number(version));
  const versions = others.toSpliced(at < 0 ? others.length : at, 0, version);
  return { ...archive, catalog: { ...archive.catalog, versions } };
}
