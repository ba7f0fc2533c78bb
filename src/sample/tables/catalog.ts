/** The list of tables: what they are called, what is in them, and who makes their rows. */
import type { Release, SampleModel } from '../model/types.ts';
import type { SeriesVersion } from '../releases/series-version.ts';
import {
  CLINICAL_INDEX_COLUMNS,
  CLINICAL_TABLES,
  clinicalColumns,
  clinicalIndexRows,
  clinicalRows,
} from './clinical.ts';
import {
  ANALYSIS_RESULTS_COLUMNS,
  analysisResultRows,
  COLLECTIONS_COLUMNS,
  collectionRows,
  VERSION_METADATA_COLUMNS,
  versionMetadataRows,
} from './datasets.ts';
import { RTSTRUCT_COLUMNS, rtstructRows, SEG_COLUMNS, segRows } from './derived.ts';
import { INDEX_COLUMNS, indexRows } from './index-table.ts';
import type { Columns, Row } from './parquet.ts';
import { PRIOR_COLUMNS, priorRows } from './prior-versions.ts';
import { SM_COLUMNS, SM_INSTANCE_COLUMNS, smInstanceRows, smRows } from './slides.ts';

/** A table of the sample's catalogue. */
export interface SampleTable {
  name: string;
  file: string;
  core: boolean;
  description: string;
  columns: Columns;
  rows(release: Release, items: readonly SeriesVersion[], model: SampleModel): Row[];
}

/** All tables, the core ones first. */
export const SAMPLE_TABLES: readonly SampleTable[] = [
  {
    name: 'index',
    file: 'idc_index.parquet',
    core: true,
    description: 'One row per series of the release.',
    columns: INDEX_COLUMNS,
    rows: indexRows,
  },
  {
    name: 'prior_versions_index',
    file: 'prior_versions_index.parquet',
    core: true,
    description: 'Series versions that the release no longer holds, with the releases that held them.',
    columns: PRIOR_COLUMNS,
    rows: priorRows,
  },
  {
    name: 'collections_index',
    file: 'collections_index.parquet',
    core: true,
    description: 'One row per collection, with its sources, licences and citations.',
    columns: COLLECTIONS_COLUMNS,
    rows: (release, items, model) => collectionRows(model, release, items),
  },
  {
    name: 'analysis_results_index',
    file: 'analysis_results_index.parquet',
    core: true,
    description: 'One row per derived data set.',
    columns: ANALYSIS_RESULTS_COLUMNS,
    rows: (release, items, model) => analysisResultRows(model, release, items),
  },
  {
    name: 'version_metadata_index',
    file: 'version_metadata_index.parquet',
    core: true,
    description: 'One row per release with its date.',
    columns: VERSION_METADATA_COLUMNS,
    rows: (release) => versionMetadataRows(release),
  },
  {
    name: 'sm_index',
    file: 'sm_index.parquet',
    core: false,
    description: 'Slide microscopy, per series.',
    columns: SM_COLUMNS,
    rows: smRows,
  },
  {
    name: 'sm_instance_index',
    file: 'sm_instance_index.parquet',
    core: false,
    description: 'Slide microscopy, per file: size and instance UUID.',
    columns: SM_INSTANCE_COLUMNS,
    rows: smInstanceRows,
  },
  {
    name: 'seg_index',
    file: 'seg_index.parquet',
    core: false,
    description: 'Segmentations and the series that they segment.',
    columns: SEG_COLUMNS,
    rows: segRows,
  },
  {
    name: 'rtstruct_index',
    file: 'rtstruct_index.parquet',
    core: false,
    description: 'Structure sets and the series that they refer to.',
    columns: RTSTRUCT_COLUMNS,
    rows: rtstructRows,
  },
  {
    name: 'clinical_index',
    file: 'clinical_index.parquet',
    core: false,
    description: 'Dictionary of the clinical tables: one row per column.',
    columns: CLINICAL_INDEX_COLUMNS,
    rows: (release) => clinicalIndexRows(release),
  },
  ...CLINICAL_TABLES.map(
    (table): SampleTable => ({
      name: table.name,
      file: `${table.name}.parquet`,
      core: false,
      description: `Clinical data of ${table.collection.name}: one row per patient.`,
      columns: clinicalColumns(table),
      rows: (release, items) => clinicalRows(table, release, items),
    }),
  ),
];

/** Version of the catalogue that a release publishes. */
export function catalogVersionOf(release: Release): string {
  return `${release}.0.0`;
}
