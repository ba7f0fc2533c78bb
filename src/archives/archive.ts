/**
 * What an archive is: the published record `archive.json`, as a value. Everything that is special about one
 * archive stands in its record; no other room knows any archive by name.
 */
import type { Protocol } from './record.ts';

export type { Protocol } from './record.ts';

/** One copy of the archive's buckets on one cloud (or disk). */
export interface Mirror {
  /** `aws`, `gcs`, or what the record calls it; the word of `--from` and `--mirror`. */
  name: string;
  protocol: Protocol;
  /** Absolute URL, or an absolute path for `file` (records may give it relative to themselves). */
  endpoint: string;
  /** Scheme under which URLs name its objects. Stays what it was where `withMirrors` changes the protocol. */
  scheme?: 's3' | 'gs' | 'https' | 'file' | undefined;
  region?: string | undefined;
  access: 'anonymous' | 'signed';
  addressing?: 'path' | 'virtual' | undefined;
}

/** A class of buckets: the same keys under one name per mirror. */
export interface BucketClass {
  /** `open`, `head-scans`, `commercial-restricted`. */
  name: string;
  description: string;
  /** Mirror name → bucket name today. */
  buckets: Record<string, string>;
  /** Names of earlier years that stand in old manifests and tables. */
  historical: {
    mirror: string;
    bucket: string;
    until?: string | undefined;
    /** `flat`: the keys of that time (`<instance>.dcm`) are not valid in the bucket of today. */
    layout?: 'hierarchical' | 'flat' | undefined;
  }[];
}

/** A table of the catalogue. */
export interface CatalogTable {
  /** Name in SQL: `index`. */
  name: string;
  /** File in the artefact store: `idc_index.parquet`. */
  file: string;
  /** Fetched by `catalog update` without asking; the others when named. */
  core: boolean;
  description: string;
  /** Columns with the engine's types, where the record says them: what is known of a table before it is installed. */
  columns?: { name: string; type: string; description: string }[] | undefined;
}

/** One published version of the catalogue. */
export interface CatalogVersion {
  /** `25.0.5`. */
  version: string;
  /** Release that it describes: `v25`. */
  release: string;
  /** SHA-256 of files, where the record pins them: file name → 64 hex. */
  sha256?: Record<string, string> | undefined;
}

/** Where catalogue files come from; `{version}` and `{file}` are replaced. Tried in order. */
export interface CatalogSource {
  kind: 'artefacts' | 'release-assets' | 'wheel';
  /** Absolute URL or path with `{version}` and `{file}`. */
  url: string;
  /** Suffix of a file beside each table that holds `<hex>  <name>`: `.sha256`. */
  digestSuffix?: string | undefined;
  description: string;
}

/** A web viewer; `{StudyInstanceUID}` and `{SeriesInstanceUID}` are replaced. */
export interface Viewer {
  name: string;
  /** DICOM modalities that it is for; empty: all others. */
  modalities: string[];
  study: string;
  series: string;
}

/** Data sets on Google BigQuery, one per release. */
export interface BigQueryDataSets {
  /** Project that they are in: `bigquery-public-data`. */
  project: string;
  /** Name of the data set of a release, with `{release}` for its number: `idc_v{release}`. */
  dataset: string;
  /** How their tables are laid out: `dicom_all` is IDC's way, one row per file. */
  layout: 'dicom_all';
  /** Region: `US`. */
  location?: string | undefined;
  /** First release whose columns are known to be those that statements are made for: `v23`. */
  since?: string | undefined;
}

/** The record of an archive with its defaults filled in and its relative places made absolute. */
export interface Archive {
  name: string;
  title: string;
  home?: string | undefined;
  mirrors: Mirror[];
  bucketClasses: BucketClass[];
  catalog: {
    /** Newest first. */
    versions: CatalogVersion[];
    sources: CatalogSource[];
    tables: CatalogTable[];
    /**
     * Folder of Parquet files of a clinical table: URL or path with `{release}` and `{table}`. Which tables there are is
     * said by `clinical_index`.
     */
    clinical?: string | undefined;
    /** Bucket column of `index` → mirror name: `aws_bucket` → `aws`. */
    bucketColumns: Record<string, string>;
    /** Name of the column that numbers releases: prefix + integer, `v25`. */
    releasePrefix: string;
  };
  drs?: { prefix: string; host: string; aliases: string[]; endpoint: string } | undefined;
  /** The archive's tables on Google BigQuery, for those who ask there. */
  bigquery?: BigQueryDataSets | undefined;
  viewers: Viewer[];
  /** List of what was removed for good, as URL or path: `{ carrel_tombstones: 1, tombstones: […] }`. */
  tombstones?: string | undefined;
  /** The archive's own reference, to be cited with every data set. */
  citation?: { text: string; doi: string } | undefined;
  /** Where the record was read from: `built-in`, a path or a URL. */
  origin: string;
}
