/** The catalogue: installed tables, questions about them, and what to know about the answers. */
export type {
  Catalog,
  InstanceRow,
  Options as CatalogOptions,
  ReleaseInfo,
  SelectionOrUuids,
  SelectOptions,
} from './catalog.ts';
export {
  type CatalogEvent,
  type CatalogName,
  checkCatalog,
  type InstalledCatalog,
  listCatalogs,
  removeCatalog,
  type TableCheck,
} from './catalogs.ts';
export {
  CITATION_FORMATS,
  type Citation,
  type CitationFormat,
  type CitationList,
  formatCitations,
} from './citations.ts';
export { type DiffOptions, type OpenDiff, openDiff } from './diff.ts';
export * from './diff-rows.ts';
export type { ParquetQuestion, ParquetResult } from './export-parquet.ts';
export type { DatasetList, DatasetMatch } from './find-datasets.ts';
export type { History, SeriesVersion } from './history.ts';
export type { HistoryLevel } from './history-names.ts';
export { type HistoryOptions, readHistoryOf, type SeriesHistory, type WideHistory } from './history-of.ts';
export type { ReleaseAmount } from './history-releases.ts';
export type { KnownHistory, KnownVersion, VersionChange } from './history-versions.ts';
export { type InstallOptions, installCatalog } from './install.ts';
export { allowsCommercialUse, type LicenseTerms, licenseTerms } from './license-policy.ts';
export type { Match, MatchLevel } from './look-up.ts';
export type { UidMatch } from './look-up-uids.ts';
export { findOddities, type Oddity } from './oddities.ts';
export { type OnlineCitations, type OnlineOptions, resolveCitations } from './online-citations.ts';
export { type OpenCatalogOptions, openCatalog } from './open-catalog.ts';
export { type PrepareOptions, prepareCatalog } from './prepare-catalog.ts';
export type { QueryOptions, QueryResult } from './query.ts';
export type * from './rows.ts';
export { FIELD_COLUMNS } from './selection-fields.ts';
export type { Amount, CountOptions, Counts, GroupOptions, GroupRow, LicenseShare } from './summary.ts';
export type { ColumnInfo, TableInfo } from './tables.ts';
export { type UpdateOptions, updateCatalog } from './update.ts';
