/** The catalogue: installed tables, questions about them, and what to know about the answers. */
export {
  type BigQueryCatalog,
  type BigQueryCatalogOptions,
  openBigQueryCatalog,
} from './bigquery/bigquery-catalog.ts';
export type { StatementPlan } from './bigquery/plan.ts';
export type { Question } from './bigquery/questions.ts';
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
export { type CompletionWords, readCompletionWords } from './completion/words-file.ts';
export { type DiffOptions, type OpenDiff, openDiff } from './diff.ts';
export * from './diff-rows.ts';
export { decodeEntities } from './entities.ts';
export type { ParquetQuestion, ParquetResult } from './export-parquet.ts';
export type { DatasetList, DatasetMatch } from './find-datasets.ts';
export type { ReleaseAmount } from './history-amounts.ts';
export type { HistoryLevel } from './history-names.ts';
export { type HistoryOptions, readHistoryOf, type SeriesHistory, type WideHistory } from './history-of.ts';
export type { History, SeriesVersion, VersionChange } from './history-versions.ts';
export { type InstallOptions, installCatalog } from './install.ts';
export { allowsCommercialUse, type LicenseTerms, licenseTerms } from './license-policy.ts';
export type { Match, MatchLevel } from './look-up.ts';
export type { UidMatch } from './look-up-uids.ts';
export { findOddities, type Oddity } from './oddities.ts';
export { type OnlineCitations, type OnlineOptions, resolveCitations } from './online-citations.ts';
export { type OpenCatalogOptions, openCatalog } from './open-catalog.ts';
export { type AddedTable, type AddTableOptions, addTable } from './own-tables/add-table.ts';
export { checkTablesOfOwn } from './own-tables/check-own.ts';
export { listTablesOfOwn, type OwnTableInfo, removeTable } from './own-tables/table-file.ts';
export { type PrepareOptions, prepareCatalog } from './prepare-catalog.ts';
export type { QueryOptions, QueryResult } from './query.ts';
export type * from './rows.ts';
export { FIELD_COLUMNS } from './selection-fields.ts';
export type { Amount, CountOptions, Counts, GroupOptions, GroupRow, LicenseShare } from './summary.ts';
export {
  type ColumnInfo,
  columnsOfRecord,
  noSuchTable,
  type TableInfo,
  tablesOfRecord,
} from './tables.ts';
export { type UpdateOptions, updateCatalog } from './update.ts';
export type { FetchTables } from './with-fetched-tables.ts';
export { type Withdrawn, withdrawnText } from './withdrawn.ts';
export { type ParquetColumn, writeParquet } from './write-parquet.ts';
