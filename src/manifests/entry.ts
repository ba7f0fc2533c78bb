/**
 * What a manifest says, whatever its format: entries and the lines that could not be used.
 */
import type { Identifier } from '../identifiers/index.ts';

/** Formats that can be read. */
export type ManifestFormat =
  | 's5cmd'
  | 'csv'
  | 'tsv'
  | 'xlsx'
  | 'json'
  | 'croissant'
  | 'tcia'
  | 'tcia-xml'
  | 'dcf'
  | 'uids'
  | 'lock'
  | 'compound-object';

/** One thing to get. */
export interface ManifestEntry {
  /** 1-based line of the text; for JSON the 1-based place in its list; 0 where the format has neither. */
  line: number;
  /** The text that it came from, for messages. */
  text: string;
  identifier: Identifier;
  /**
   * Other names that the same row gives, most specific first: for the same thing (the series uuid beside a
   * SeriesInstanceUID) or for what encloses it (the series of an instance, the collection of a patient).
   */
  others?: Identifier[] | undefined;
  /** Where the manifest itself wants it (`cp s3://… DEST`); `get` ignores it, `run` obeys. */
  destination?: string | undefined;
  /** `--endpoint-url` on the line itself: an absolute URL. The header's stands in `Manifest.endpointHint`. */
  endpoint?: string | undefined;
  /** Digests or size that the manifest itself gives. */
  digests?: string[] | undefined;
  size?: number | undefined;
}

/** A line that says nothing usable, with the reason. */
export interface ManifestProblem {
  line: number;
  text: string;
  reason: string;
}

/** A line that names another manifest, to be fetched and read by whoever has a network. */
export interface ManifestPointer {
  line: number;
  text: string;
  /** Absolute http(s) URL. */
  url: string;
}

/** The reading of a whole manifest. */
export interface Manifest {
  format: ManifestFormat;
  /** Where it was read from, for messages: a path, or `-`. */
  origin: string;
  entries: ManifestEntry[];
  problems: ManifestProblem[];
  /** Further manifests that this one names (TCIA's XML form, Croissant); undefined where it names none. */
  pointers?: ManifestPointer[] | undefined;
  /** Remarks, such as an endpoint named in a header comment. */
  notes: string[];
  /** `aws` or `gcs` where a header names an endpoint. */
  endpointHint?: string | undefined;
}
