/**
 * What was asked, and the answer: a cohort. A selection or a list of names, pinned to a release.
 */
import type { Archive } from '../archives/index.ts';
import type { Catalog, Selection, SeriesRow } from '../catalog/index.ts';
import type { CarrelError } from '../errors.ts';
import type { AsKind, Digest } from '../identifiers/index.ts';
import type { ObjectLocation } from '../locations/index.ts';
import type { LockedFile, LockedSeries, LockPart, ManifestFormat } from '../manifests/index.ts';
import type { HttpPool, OpenStore } from '../stores/index.ts';
import type { LicenseShare } from './license-policy.ts';

/** What a cohort is resolved with. */
export interface Tools {
  archive: Archive;
  openStore: OpenStore;
  /** For DRS hosts. */
  http: HttpPool;
  /** Undefined where no catalogue is installed: bare UUIDs and URLs still work. */
  catalog: Catalog | undefined;
  /** Why there is none; thrown as soon as something needs it. */
  catalogError?: CarrelError | undefined;
  /** Mirror to prefer: `auto` or a name of the record. */
  from: string;
  /** Bearer token for a DRS host; never logged. */
  drsToken?: ((host: string) => string | undefined) | undefined;
  signal?: AbortSignal | undefined;
}

/** What was asked. */
export interface Question {
  /** Identifiers, URLs, paths of manifests, `-`. */
  what: readonly string[];
  selection: Selection;
  as?: AsKind | undefined;
  /** Take everything that an ambiguous PatientID may mean. */
  all?: boolean | undefined;
  /** An unknown value of a selection flag is an error. */
  strict?: boolean | undefined;
  /** Endpoint for buckets outside of the archive. */
  endpoint?: string | undefined;
  /**
   * Series that somebody else may have: UIDs that no table knows (or, with `first`, before any is asked) and that `takes` wants
   * go to `Cohort.elsewhere`. Not where a selection narrows what was named.
   */
  elsewhere?: { first: boolean; takes: (name: ElsewhereAsked) => boolean } | undefined;
  /** Reads `-`. */
  readStdin?: (() => Promise<Uint8Array>) | undefined;
}

/** Where a name stands that may be set aside. */
export interface ElsewhereAsked {
  /** `argument`, or `file.txt:12`. */
  origin: string;
  /** Format of its manifest; undefined for an argument. */
  manifest?: ManifestFormat | undefined;
}

/** A series version of the cohort. */
export interface CohortSeries {
  crdc_series_uuid: string;
  /** Undefined where no table knows it. */
  row: SeriesRow | undefined;
  /** Only these instances; undefined means all. */
  instances?: ReadonlySet<string> | undefined;
  /** Already located (found in the buckets, or pinned by a lock file). */
  locations?: readonly ObjectLocation[] | undefined;
  /** Mirror that a URL or the header of a manifest names: asked first, unless `--from` says otherwise. */
  prefer?: string | undefined;
  /** The lock file's own record, where it came from one: paths and digests are taken from it. */
  locked?: LockedSeries | undefined;
}

/** An object outside of any series, with its path below the destination. */
export interface CohortObject {
  location: ObjectLocation;
  path: string;
  /** As the bucket has it below what was asked for, where that may not be safe. */
  name?: string | undefined;
  locked?: LockedFile | undefined;
}

/** Something that the user should know. */
export interface CohortNote {
  item?: string | undefined;
  message: string;
}

/** A name that led nowhere. */
export interface Unresolved {
  /** As given. */
  item: string;
  /** `argument`, or `file.txt:12`. */
  origin: string;
  error: CarrelError;
}

/** The answer: what is to be had. */
export interface Cohort {
  archive: Archive;
  /** Null where no catalogue was asked. */
  release: string | null;
  catalog: { version: string; digest: Digest } | null;
  /** As the lock file records it. */
  question: { what: string[]; selection: object };
  series: CohortSeries[];
  objects: CohortObject[];
  notes: CohortNote[];
  unresolved: Unresolved[];
  /** Series for somebody else, by SeriesInstanceUID; see `Question.elsewhere`. */
  elsewhere?: { uid: string; origin: string }[] | undefined;
  /** Set where this is one share of a larger cohort. */
  part?: LockPart | undefined;
  /** Licences of the whole that this is a share of: what the licence policy is held against. */
  wholeLicenses?: LicenseShare[] | undefined;
  /** Layout that a lock file recorded; a flag overrides it. */
  layout?: string | undefined;
}
