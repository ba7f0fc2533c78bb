/**
 * `carrel.lock.tcia.json`: packages pinned to their files, beside `carrel.lock.json` where a folder holds both. Sorted, without
 * times, so that two runs give the same text; without secrets, so that it can be published with a paper. The way to a package
 * is its collection: links are looked up anew, since TCIA gives every version another one.
 */
import type { Digest } from '../../identifiers/index.ts';

/** Name in a destination. */
export const PACKAGE_LOCK_NAME = 'carrel.lock.tcia.json';

/** What a file was proven by: see the schema. */
export type PackageEvidence = 'sums' | 'size' | 'own' | 'none';

/** A file of a package. */
export interface LockedPackageFile {
  /** In the package. */
  path: string;
  /** Below the destination, with `/`. */
  local: string;
  /** Bytes on disk. */
  size: number;
  digests: Digest[];
  evidence: PackageEvidence;
}

/** A package, or what was taken of it. */
export interface LockedPackage {
  /** Server of Faspex, without scheme: `faspex.cancerimagingarchive.net`. */
  host: string;
  package_id: string;
  /** Of this delivery. */
  package_uuid: string | null;
  title: string | null;
  /** Null where the package was named by its link alone. */
  collection: {
    slug: string;
    version: string | null;
    doi: string | null;
    /** Id of the download that leads to the package. */
    download?: number | undefined;
  } | null;
  /** Template of the local names; undefined where not all files have theirs of one. */
  layout?: string | undefined;
  names?: 'strict' | 'escape' | undefined;
  /** The whole package where all are empty. */
  question: { paths: string[]; include: string[]; exclude: string[] };
  files: LockedPackageFile[];
}

/** A file that came over HTTPS. */
export interface LockedWebFile extends LockedPackageFile {
  /** What its server said of it then; null where it did not. */
  etag: string | null;
  /** RFC 3339. */
  modified: string | null;
}

/** A download that is no package: slides of PathDB, a file of the web site. */
export interface LockedDownload {
  collection: { slug: string; version: string | null; doi: string | null };
  /** Its id at TCIA. */
  download: number;
  title: string;
  /** `pathdb`, `spreadsheet`, `file` … */
  kind: string;
  files: LockedWebFile[];
}

/** The lock file. */
export interface PackageLock {
  carrel_tcia_lock: 1;
  packages: LockedPackage[];
  /** Undefined where there are none. */
  downloads?: LockedDownload[] | undefined;
}
