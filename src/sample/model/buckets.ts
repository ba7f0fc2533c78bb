/** Buckets of the sample: three classes, two clouds, and one name of earlier days. */
import type { Release } from './types.ts';

/** A class of buckets. */
export interface SampleBucketClass {
  name: string;
  description: string;
  aws: string;
  /** Name on the other cloud, per release. */
  gcs: Record<Release, string>;
}

const OPEN: SampleBucketClass = {
  name: 'open',
  description: 'most series',
  aws: 'sample-open-data',
  gcs: { 1: 'public-datasets-sample', 2: 'sample-open-data', 3: 'sample-open-data' },
};

const HEAD: SampleBucketClass = {
  name: 'head-scans',
  description: 'series that may show a face',
  aws: 'sample-open-data-two',
  gcs: { 1: 'sample-open-heads', 2: 'sample-open-heads', 3: 'sample-open-heads' },
};

const NON_COMMERCIAL: SampleBucketClass = {
  name: 'commercial-restricted',
  description: 'series that were not for commercial use when they came; the licence is in the tables',
  aws: 'sample-open-data-cr',
  gcs: { 1: 'sample-open-cr', 2: 'sample-open-cr', 3: 'sample-open-cr' },
};

/** All classes, in the order of the record. */
export const BUCKET_CLASSES: readonly SampleBucketClass[] = [OPEN, HEAD, NON_COMMERCIAL];

/** The class of that name. */
export function bucketClass(name: string): SampleBucketClass {
  return BUCKET_CLASSES.find((candidate) => candidate.name === name) ?? OPEN;
}
