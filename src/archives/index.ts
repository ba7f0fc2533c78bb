/** What an archive is: its record, its buckets and mirrors, its releases and catalogue files, its viewers. */
export type {
  Archive,
  BigQueryDataSets,
  BucketClass,
  CatalogSource,
  CatalogTable,
  CatalogVersion,
  Mirror,
  Viewer,
} from './archive.ts';
export {
  bucketClassOf,
  bucketsFor,
  hasFlatKeys,
  type MirrorPlace,
  mirrorFor,
  placeOf,
  placesFor,
} from './buckets.ts';
export { builtInArchive, builtInArchiveNames, builtInRecord } from './built-in.ts';
export { parseArchive } from './parse-archive.ts';
export { type ArchiveRecord, archiveRecordSchema } from './record.ts';
export {
  catalogVersionFor,
  newestRelease,
  releaseName,
  releaseNumber,
  withCatalogVersion,
} from './releases.ts';
export { toRecord } from './to-record.ts';
export { type ViewerTarget, viewerUrl } from './viewer-url.ts';
export { withMirrors } from './with-mirrors.ts';
