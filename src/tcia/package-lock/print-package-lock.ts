/** Builds and writes the lock file of packages: order is by UTF-16 code unit, never by language. */
import { type Digest, isDigest } from '../../identifiers/index.ts';
import { PACKAGE_LOCK_VERSION } from './lock-schema.ts';
import type {
  LockedDownload,
  LockedPackage,
  LockedPackageFile,
  LockedWebFile,
  PackageLock,
} from './package-lock.ts';

/** Builds a lock: sorts everything, takes each name once, drops members that do not belong (a link, a passcode). */
export function createPackageLock(
  packages: readonly LockedPackage[],
  downloads: readonly LockedDownload[] = [],
): PackageLock {
  return {
    carrel_tcia_lock: PACKAGE_LOCK_VERSION,
    packages: packages
      .map(lockedPackage)
      .sort((a, b) => compare(a.host, b.host) || compareIds(a.package_id, b.package_id)),
    ...(downloads.length === 0
      ? {}
      : {
          downloads: downloads
            .map(lockedDownload)
            .sort(
              (a, b) =>
                compare(a.collection.slug, b.collection.slug) ||
                a.download - b.download ||
                compare(a.kind, b.kind),
            ),
        }),
  };
}

/** The text of a lock file: members in a fixed order, two blanks of indent, a line feed at the end. */
export function printPackageLock(lock: PackageLock): string {
  return `${JSON.stringify(createPackageLock(lock.packages, lock.downloads), null, 2)}\n`;
}

function lockedPackage(one: LockedPackage): LockedPackage {
  const { collection, question } = one;
  return {
    host: one.host.toLowerCase(),
    package_id: one.package_id,
    package_uuid: one.package_uuid,
    title: one.title,
    collection:
      collection === null
        ? null
        : {
            slug: collection.slug,
            version: collection.version,
            doi: collection.doi,
            ...(collection.download === undefined ? {} : { download: collection.download }),
          },
    ...(one.layout === undefined ? {} : { layout: one.layout }),
    ...(one.names === undefined ? {} : { names: one.names }),
    question: {
      paths: sorted(question.paths),
      include: sorted(question.include),
      exclude: sorted(question.exclude),
    },
    files: one.files.map(lockedFile).sort((a, b) => compare(a.path, b.path) || compare(a.local, b.local)),
  };
}

function lockedDownload({ collection, download, title, kind, files }: LockedDownload): LockedDownload {
  const { slug, version, doi } = collection;
  return {
    collection: { slug, version, doi },
    download,
    title,
    kind,
    files: files
      .map((file): LockedWebFile => ({ ...lockedFile(file), etag: file.etag, modified: file.modified }))
      .sort((a, b) => compare(a.path, b.path) || compare(a.local, b.local)),
  };
}

function lockedFile({ path, local, size, digests, evidence }: LockedPackageFile): LockedPackageFile {
  return { path, local, size, digests: sorted<Digest>(digests).filter(isDigest), evidence };
}

function sorted<T extends string>(texts: readonly T[]): T[] {
  return [...new Set(texts)].sort(compare);
}

/** Ids are numbers as text. */
function compareIds(a: string, b: string): number {
  return /^\d+$/.test(a) && /^\d+$/.test(b) ? Number(a) - Number(b) || compare(a, b) : compare(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
