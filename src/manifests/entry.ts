/**
 * What a manifest says, whatever its format: entries and the lines that could not be used.
 */
import type { Identifier } from '../identifiers/index.ts';

/** Formats that can be read. */
export type ManifestFormat = 's5cmd' | 'csv' | 'tsv' | 'json' | 'tcia' | 'dcf' | 'uids' | 'lock' | 'compound-object';

/** One thing to get. */
export interface ManifestEntry {
  /** 1-based line (row for CSV; 0 where the format has no lines). */
  line: number;
  /** The text that it came from, for messages. */
  text: string;
  identifier: Identifier;
  /** Where the manifest itself wants it (`cp s3://… DEST`); `get` ignores it, `run` obeys. */
  destination?: string | undefined;
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

/** The reading of a whole manifest. */
export interface Manifest {
  format: ManifestFormat;
  /** Where it was read from, for messages: a path, or `-`. */
  origin: string;
  entries: ManifestEntry[];
  problems: ManifestProblem[];
  /** Remarks, such as an endpoint named in a header comment. */
  notes: string[];
  /** `aws` or `gcs` where a header names an endpoint. */
  endpointHint?: string | undefined;
}
