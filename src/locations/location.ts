/**
 * Where objects stand: the value that goes from `locations` to `transfer` and into the lock file.
 */
import type { Digest } from '../identifiers/index.ts';
import type { Place } from '../stores/index.ts';

/** One copy of an object. All copies of one location hold the same bytes. */
export interface Source {
  /** Name of the mirror in the archive's record (`aws`, `gcs`), or the scheme for objects outside of any archive. */
  mirror: string;
  place: Place;
  key: string;
}

/** An object and all places where it can be fetched from, best first. */
export interface ObjectLocation {
  /** `<crdc_series_uuid>/<crdc_instance_uuid>.dcm` in IDC-like archives. */
  key: string;
  /** Bytes, where known before fetching. */
  size?: number | undefined;
  /** All that is known of its content; empty where only the reply's own headers can be compared with. */
  digests: Digest[];
  sources: Source[];
  /** The series version that this object belongs to, where it belongs to one. */
  crdc_series_uuid?: string | undefined;
  /**
   * Address at a DRS host, where the only source is a URL that was signed for this moment: what may be kept instead
   * of it, and asked again.
   */
  drs?: string | undefined;
}
