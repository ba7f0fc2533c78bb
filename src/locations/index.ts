/** From names to objects: which keys, how big, with which digests, and every place that holds them. */

export { type LocateAllOptions, type LocatedRow, locateAll } from './locate-all.ts';
export {
  type Located,
  type LocatedSeries,
  type LocateOptions,
  locateSeries,
  type SeriesRef,
} from './locate-series.ts';
export { type LocateUrlOptions, locateUrl } from './locate-url.ts';
export type * from './location.ts';
export {
  type InstanceRow,
  type InstancesOptions,
  locationsFromInstances,
} from './locations-from-instances.ts';
export {
  type BucketName,
  bucketClassFor,
  type From,
  mirrorOrder,
  type SourcesOptions,
  sourcesFor,
} from './sources-for.ts';
export { wildcardMatcher, wildcardPrefix } from './wildcard.ts';
