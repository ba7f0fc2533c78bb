/** Versions of series with what their files turned out to be: the raw material of every table. */
import type { SeriesContext } from '../dicom/context.ts';
import { bucketClass, type SampleBucketClass } from '../model/buckets.ts';
import { LATEST_RELEASE, RELEASES, type Release, type Source } from '../model/types.ts';
import type { Version } from './tree.ts';

/** One file of a series version. */
export interface InstanceFile {
  /** `crdc_instance_uuid`: stem of its name. */
  uuid: string;
  sopInstanceUid: string;
  md5: string;
  /** Bytes. */
  size: number;
}

/** One version of one series. */
export interface SeriesVersion {
  context: SeriesContext;
  version: Version;
  files: InstanceFile[];
}

/** The data set that a series belongs to: its derived one, or that of its collection. */
export function sourceOf(context: SeriesContext): Source {
  return context.series.analysisResult?.source ?? context.patient.collection.source;
}

/** The buckets that a series stands in. */
export function bucketsOf(context: SeriesContext): SampleBucketClass {
  return bucketClass(sourceOf(context).bucketClass);
}

/** Releases that hold the version, oldest first. */
export function releasesOf(item: SeriesVersion): Release[] {
  const last = item.version.final ?? LATEST_RELEASE;
  return RELEASES.filter((release) => release >= item.version.rev && release <= last);
}

/** True where the version is, or was, withdrawn by `release`. */
export function isWithdrawn(item: SeriesVersion, release: Release = LATEST_RELEASE): boolean {
  const { withdrawn } = item.context.series;
  return withdrawn !== undefined && release >= withdrawn;
}

/** What `release` holds. */
export function heldBy(release: Release, items: readonly SeriesVersion[]): SeriesVersion[] {
  return items.filter((item) => releasesOf(item).includes(release));
}

/** Bytes of all files. */
export function sizeOf(item: SeriesVersion): number {
  return item.files.reduce((sum, file) => sum + file.size, 0);
}
