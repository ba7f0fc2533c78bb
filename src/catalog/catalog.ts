/** The open catalogue as an interface: what other rooms and programs see. */
import type { Archive } from '../archives/index.ts';
import type { Digest } from '../identifiers/index.ts';
import type { CitationList } from './citations.ts';
import type { ParquetQuestion, ParquetResult } from './export-parquet.ts';
import type { DatasetList } from './find-datasets.ts';
import type { History } from './history-versions.ts';
import type { Match } from './look-up.ts';
import type { UidMatch } from './look-up-uids.ts';
import type { QueryOptions, QueryResult } from './query.ts';
import type { Selection, SelectionNote, SeriesRow } from './rows.ts';
import type { CountOptions, Counts, GroupOptions, GroupRow, LicenseShare } from './summary.ts';
import type { ColumnInfo, TableInfo } from './tables.ts';
import type { Withdrawn } from './withdrawn.ts';

/** Options of every question. */
export interface Options {
  signal?: AbortSignal | undefined;
}

/** Options of `select`. */
export interface SelectOptions extends Options {
  /** Published columns to read into `SeriesRow.columns`; default all. Fewer are faster. */
  columns?: string[] | undefined;
}

/** Series by selection, or by uuids of versions. */
export type SelectionOrUuids = Selection | readonly string[];

/** A release of the archive. */
export interface ReleaseInfo {
  release: string;
  number: number;
  /** `YYYY-MM-DD`; null where the tables do not say. */
  date: string | null;
  /** True for the release that the installed tables describe. */
  newest: boolean;
}

/** One file of a series, from the one table that lists files (slide microscopy). */
export interface InstanceRow {
  SOPInstanceUID: string;
  SeriesInstanceUID: string;
  crdc_instance_uuid: string | null;
  /** Bytes, exact. */
  bytes: number | null;
  columns: Record<string, unknown>;
}

/** An open catalogue: the tables of one version, seen at one release. */
export interface Catalog {
  readonly archive: Archive;
  /** Version of the tables: `25.0.5`. */
  readonly version: string;
  /** Number of the release that answers are about. */
  readonly release: number;
  /** `v25`. */
  readonly releaseName: string;
  /** True where the release is derived from the tables of a newer one. */
  readonly derived: boolean;
  /** What answers rest on: the tables that the release published, or newer ones that it is `derived` from. */
  readonly evidence: 'published' | 'derived';
  /** Columns that say nothing: for no series (`published`: the tables lack them), or for no superseded version (`derived`). */
  readonly missing: string[];
  /** SHA-256 of the main table. */
  readonly digest: Digest;
  /** What to know about every answer: that the release is derived, what is unknown then. */
  readonly notes: string[];
  /** Runs one reading statement. Throws `sql` for anything else, with the engine's message. */
  query(sql: string, options?: QueryOptions): Promise<QueryResult>;
  /** Writes an answer as a Parquet file with the engine's types; the file appears when it is whole. */
  exportParquet(question: ParquetQuestion, path: string, options?: QueryOptions): Promise<ParquetResult>;
  /** All tables, those that are not installed too. */
  tables(options?: Options): Promise<TableInfo[]>;
  /**
   * Columns of an answer about a selection under their published names: those of `index`, `bytes`, and what the selection
   * adds (`split`). Throws `usage` with the nearest names.
   */
  answerColumns(columns: readonly string[], selection?: Selection): string[];
  /** Columns of a table. Throws `not-found` with the nearest names. */
  schema(table: string, options?: Options): Promise<ColumnInfo[]>;
  /** The series of a selection, ordered by collection, patient, study, series. */
  select(
    selection: Selection,
    options?: SelectOptions,
  ): Promise<{ rows: SeriesRow[]; notes: SelectionNote[] }>;
  /** The same, in pieces of up to 2,048 rows; the notes are known before the first piece. */
  selectStream(
    selection: Selection,
    options?: SelectOptions,
  ): Promise<{ rows: AsyncIterable<SeriesRow[]>; notes: SelectionNote[] }>;
  count(selection: Selection, options?: CountOptions): Promise<Counts>;
  /** Counts per value of the columns, largest number of series first. */
  groupBy(
    selection: Selection,
    columns: string[],
    options?: GroupOptions,
  ): Promise<{ rows: GroupRow[]; notes: SelectionNote[] }>;
  /** Collections and analysis results that all words are found in, best first, counted within a selection. */
  findDatasets(words: readonly string[], selection?: Selection, options?: Options): Promise<DatasetList>;
  /** Everything that the text names; [] where nothing. */
  lookUp(text: string, options?: Options): Promise<Match[]>;
  /** What many DICOM UIDs name, in one pass; what is unknown is missing from the map. */
  lookUpUids(uids: readonly string[], options?: Options): Promise<Map<string, UidMatch[]>>;
  /** Versions by uuid, current or superseded, of any release; what is unknown is missing from the map. */
  seriesByUuid(uuids: readonly string[], options?: SelectOptions): Promise<Map<string, SeriesRow>>;
  /** A file by instance uuid or SOPInstanceUID; undefined where unknown or where `sm_instance_index` is not installed. */
  instanceLookup(id: string, options?: Options): Promise<InstanceRow | undefined>;
  /** The files of a series as `sm_instance_index` lists them; undefined where it is not installed. */
  instancesOf(seriesUid: string, options?: Options): Promise<InstanceRow[] | undefined>;
  /** Versions of a series by SeriesInstanceUID or by the uuid of any of them. Throws `not-found`. */
  history(id: string, options?: Options): Promise<History>;
  /**
   * Which of these uuids, UIDs and PatientIDs were withdrawn: the newest installed tables know nothing of them, older
   * installed ones do. All others are missing from the map.
   */
  withdrawn(names: readonly string[], options?: Options): Promise<Map<string, Withdrawn>>;
  /** Releases, newest first. */
  releases(options?: Options): Promise<ReleaseInfo[]>;
  /** Real values nearest to a mistyped one; of all fields where `field` is `any`. */
  suggest(field: string, value: string, options?: Options): Promise<string[]>;
  licenses(
    what: SelectionOrUuids,
    options?: Options,
  ): Promise<{ licenses: LicenseShare[]; notes: SelectionNote[] }>;
  citations(what: SelectionOrUuids, options?: Options): Promise<CitationList>;
  close(): void;
}
