/**
 * The synthetic commons as data: what its owners hand in, release by release. Nothing here has a uuid; those are
 * the work of the versioning (`../releases/`).
 */

/** Number of a release: 1, 2, 3. */
export type Release = 1 | 2 | 3;

/** All releases, oldest first. */
export const RELEASES: readonly Release[] = [1, 2, 3];

/** The release that is current once the sample is finished. */
export const LATEST_RELEASE: Release = 3;

/** Object types that the sample writes. */
export type ObjectKind = 'ct' | 'mr' | 'pt' | 'seg' | 'rtstruct' | 'sr' | 'sm';

/** A licence as the tables print it. */
export interface License {
  license_url: string;
  license_long_name: string;
  license_short_name: string;
}

/** A published data set: what a DOI stands for. */
export interface Source {
  doi: string;
  title: string;
  type: 'original_data' | 'analysis_result';
  modalities: string;
  /** With `<i>` and `&amp;`, as the real tables have them. */
  citation: string;
  /** Licence per release; it may change without a new version of any series. */
  license: Record<Release, License>;
  /** Class of buckets that its series stand in. */
  bucketClass: string;
  provenance: {
    data_contributor: string;
    source_data_provider: string;
    deidentification_party: string;
    dicom_conversion_by: string;
  };
}

/** A collection. */
export interface Collection {
  name: string;
  id: string;
  cancerTypes: string;
  tumorLocations: string;
  species: string;
  source: Source;
  supportingData: string | null;
  programId: string;
  status: 'Complete' | 'Ongoing';
  updated: string | null;
  description: string;
}

/** A derived data set; its series share the collection of what they were derived from. */
export interface AnalysisResult {
  id: string;
  source: Source;
  updated: string;
  description: string;
}

/** A change that the owner of a series makes for a release. */
export interface Change {
  release: Release;
  action: 'correct' | 'add' | 'remove';
  /** Which instance, counted from 0 over all that the series ever has. */
  instance: number;
}

/** A span of releases, both ends included. */
export interface Span {
  from: Release;
  to: Release;
}

/** Who made the pictures. */
export interface Equipment {
  manufacturer: string;
  model: string;
  software: string;
}

/** A series. */
export interface SeriesModel {
  /** Unique in its study: `ct-3mm`. */
  key: string;
  kind: ObjectKind;
  number: number;
  description: string;
  /** What the tables say instead, where they differ from the files. */
  tableDescription?: string;
  /** As the tables have it. Files have it too, where it is a term of DICOM. */
  bodyPart: string | null;
  equipment: Equipment;
  /** Instances in its first release. */
  instances: number;
  /** Distance of slices in mm. */
  spacing: number;
  /** Contrast or reconstruction: `T1`, `B30f`. */
  variety: string;
  analysisResult?: AnalysisResult;
  /** Key of the series that it was derived from. */
  of?: string;
  present: Span[];
  changes: Change[];
  /** Has the UID of that study of another patient, by `origin` and key of the study. */
  uidOfStudy?: { origin: string; study: string };
  /** Release from which it is withdrawn: gone from the buckets and from every table of that release and later. */
  withdrawn?: Release;
  /** Release for which the prior table has a second row of twice the size. */
  doubledIn?: Release;
}

/** A study. */
export interface StudyModel {
  key: string;
  /** `YYYY-MM-DD`, shifted. */
  date: string;
  description: string;
  series: SeriesModel[];
}

/** A patient in one collection. */
export interface PatientModel {
  collection: Collection;
  id: string;
  /** What UIDs and pixels are drawn from. Two patients with one origin hold the same files. */
  origin: string;
  sex: 'F' | 'M' | 'O' | null;
  /** `045Y`; null: unknown. */
  age: string | null;
  studies: StudyModel[];
}

/** The whole commons. */
export interface SampleModel {
  seed: string;
  scale: number;
  collections: Collection[];
  analysisResults: AnalysisResult[];
  patients: PatientModel[];
}
