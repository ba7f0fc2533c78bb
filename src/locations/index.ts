/** From names to objects: which keys, how big, with which digests, and every place that holds them. */
export { type CompoundChild, type CompoundObject, readCompoundObject } from './compound-object.ts';
export { type DrsClientOptions, type DrsHttp, drsTokenFrom } from './drs-client.ts';
export { SIGNED_MIRROR } from './drs-sources.ts';
export { type LocateAllOptions, type LocatedRow, locateAll } from './locate-all.ts';
export {
  fetchCompoundObject,
  type LocateCompoundOptions,
  type LocatedCompound,
  locateCompound,
} from './locate-compound.ts';
export {
  type Located,
  type LocatedSeries,
  type LocateOptions,
  locateSeries,
  type SeriesRef,
} from './locate-series.ts';
export { type LocateUrlOptions, locateUrl } from './locate-url.ts';
export { type LocatedUuid, type LocateUuidOptions, locateUuid } from './locate-uuid.ts';
export { type LocatedUuidRow, type LocateUuidsOptions, locateUuids } from './locate-uuids.ts';
export type * from './location.ts';
export {
  type InstanceRow,
  type InstancesOptions,
  locationsFromInstances,
} from './locations-from-instances.ts';
export { type ResolveDrsOptions, type ResolvedDrs, resolveDrs } from './resolve-drs.ts';
export {
  type BucketName,
  bucketClassFor,
  type From,
  mirrorOrder,
  type SourcesOptions,
  sourcesFor,
} from './sources-for.ts';
export { type UrlPlaceOptions, urlPlaces } from './url-sources.ts';
export { viaMirror } from './via-mirror.ts';
export { wildcardMatcher, wildcardPrefix } from './wildcard.ts';
