/** What a later run over the same folder adds to its lock file. */
import type { LockedDownload, LockedPackage, LockedPackageFile, PackageLock } from './package-lock.ts';
import { createPackageLock } from './print-package-lock.ts';

/**
 * Joins the lock file of a folder with what a run has fetched into it. Files of one package are joined by their path, and the
 * later run is believed; a file that it wrote over belongs to no earlier package any more, and a package without files is
 * dropped. The question becomes that of both: the whole package where either asked for it.
 */
export function mergePackageLocks(before: PackageLock | undefined, after: PackageLock): PackageLock {
  const written = new Set(packageFiles(after).map(({ local }) => fold(local)));
  const merged = new Map(after.packages.map((one) => [keyOf(one), one]));
  for (const earlier of before?.packages ?? []) {
    const later = merged.get(keyOf(earlier));
    const again = new Set(later?.files.map(({ path }) => path));
    const kept = earlier.files.filter(({ path, local }) => !again.has(path) && !written.has(fold(local)));
    if (later !== undefined)
      merged.set(keyOf(later), {
        ...later,
        layout: kept.length === 0 || earlier.layout === later.layout ? later.layout : undefined,
        names: kept.length > 0 && earlier.names === 'escape' ? 'escape' : later.names,
        question: joinQuestions(earlier.question, later.question),
        files: [...kept, ...later.files],
      });
    else if (kept.length > 0) merged.set(keyOf(earlier), { ...earlier, files: kept });
  }
  return createPackageLock([...merged.values()], mergeDownloads(before, after, written));
}

function mergeDownloads(
  before: PackageLock | undefined,
  { downloads: fresh = [] }: PackageLock,
  written: ReadonlySet<string>,
): LockedDownload[] {
  const keyOfDownload = ({ collection, download, kind }: LockedDownload) =>
    `${collection.slug} ${download} ${kind}`;
  const merged = new Map(fresh.map((one) => [keyOfDownload(one), one]));
  for (const earlier of before?.downloads ?? []) {
    const later = merged.get(keyOfDownload(earlier));
    const kept = earlier.files.filter(({ local }) => !written.has(fold(local)));
    if (later !== undefined || kept.length > 0)
      merged.set(keyOfDownload(earlier), {
        ...(later ?? earlier),
        files: [...kept, ...(later?.files ?? [])],
      });
  }
  return [...merged.values()];
}

/** Every file of every package, and those that came over HTTPS. */
export function packageFiles({ packages, downloads = [] }: PackageLock): LockedPackageFile[] {
  return [...packages, ...downloads].flatMap(({ files }) => files);
}

function keyOf({ host, package_id: id }: LockedPackage): string {
  return `${host.toLowerCase()} ${id}`;
}

/** Names that one file system or another takes for the same. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

type Question = LockedPackage['question'];

function joinQuestions(a: Question, b: Question): Question {
  const isWhole = ({ paths, include, exclude }: Question) =>
    paths.length + include.length + exclude.length === 0;
  if (isWhole(a) || isWhole(b)) return { paths: [], include: [], exclude: [] };
  return {
    paths: [...a.paths, ...b.paths],
    include: [...a.include, ...b.include],
    // What only one of them left out may have come with the other.
    exclude: a.exclude.filter((pattern) => b.exclude.includes(pattern)),
  };
}
