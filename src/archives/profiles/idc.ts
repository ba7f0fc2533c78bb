/**
 * The record of NCI's Imaging Data Commons, as data. Sources: IDC's documentation of its buckets and of its files and
 * metadata; the build and release of its catalogue files (ImagingDataCommons/idc-index-data); the viewer links of
 * ImagingDataCommons/idc-index. The digests were computed from the published files of 25.0.5.
 */
import type { ArchiveRecord } from '../record.ts';
import { idcColumns } from './idc-columns.ts';

const VIEWER = 'https://viewer.imaging.datacommons.cancer.gov';

/** Newest first. Each release has one version of the catalogue that is known to be right; earlier ones have none. */
const VERSIONS = ['25.0.5', '24.2.2', '23.10.1', '22.1.5', '21.0.0', '20.0.3', '19.0.3', '18.2.0', '17.0.2'];

/** SHA-256 of the core tables of 25.0.5. */
const PINNED = {
  '25.0.5': {
    'idc_index.parquet': '559808236662799938cec1da99778164fd15bbf1f6ca8dea607f6ca791d7b54c',
    'prior_versions_index.parquet': 'a820d24c919e041a4125d95e1e97bdc3359e7925d553f41958adc4f4d9bf07fc',
    'collections_index.parquet': 'af3d6464fcbf77bc6802cb48812acf5123e62d0cf95ea806a30d6c6c9883fe65',
    'analysis_results_index.parquet': '1811ae8b021e6ff820da668ba5cdea78cea1651da14dc832ea68f6b093651d0c',
    'version_metadata_index.parquet': '2eebc982d567853892fcae720682df39becb8450b34788d403a7cf46a726be53',
  },
} as Record<string, Record<string, string> | undefined>;

/** Tables in the wheel; the others are fetched when named. */
const CORE: [name: string, description: string][] = [
  [
    'index',
    'One row per series of the current release: hierarchy, acquisition, licence, DOI, size, bucket and version.',
  ],
  [
    'prior_versions_index',
    'Series versions that the current release no longer holds, with the releases that held them.',
  ],
  [
    'collections_index',
    'One row per collection: cancer types, body sites, sources with licence and citation.',
  ],
  [
    'analysis_results_index',
    'One row per set of derived data: title, DOI, licence, citation, collections it covers.',
  ],
  ['version_metadata_index', 'One row per release with its date.'],
];

const ON_REQUEST: [name: string, description: string][] = [
  [
    'clinical_index',
    'Dictionary of the clinical tables: one row per collection, table and column, with its values.',
  ],
  ['sm_index', 'Slide microscopy, per series: stain, fixation, embedding, lens power, finest pixel spacing.'],
  [
    'sm_instance_index',
    'Slide microscopy, per file: size in bytes, instance UUID, pixel spacing, image type.',
  ],
  ['seg_index', 'Segmentations: number of segments, what made them, and the series that was segmented.'],
  [
    'rtstruct_index',
    'Radiotherapy structure sets: regions of interest, how drawn, and the series they refer to.',
  ],
  ['ann_index', 'Microscopy annotations, per series: coordinate type and the annotated slide.'],
  ['ann_group_index', 'Microscopy annotations, per group: shape, count, property and algorithm.'],
  ['contrast_index', 'Contrast agent, ingredient and route, for series that name any.'],
  ['ct_index', 'CT images: spacing, thickness, kernel, tube voltage and current, exposure, pitch.'],
  [
    'mr_index',
    'MR images: field strength, sequence, echo and repetition times, flip angle, diffusion values.',
  ],
  ['pt_index', 'PET images: units, corrections, reconstruction, tracer, dose and timing.'],
  ['volume_geometry_index', 'Whether a CT, MR or PET series is a regular volume, and its geometry if so.'],
];

/** Collections published before v14 had flat keys; the two buckets of that time are gone. */
const FLAT_BUCKETS = ['idc-open', 'idc-open-idc'];

/** The record of the NCI Imaging Data Commons, as its `archive.json` would stand. */
export const idcRecord: ArchiveRecord = {
  carrel_archive: 1,
  name: 'idc',
  title: 'NCI Imaging Data Commons',
  home: 'https://portal.imaging.datacommons.cancer.gov',
  mirrors: [
    {
      name: 'aws',
      protocol: 's3',
      endpoint: 'https://s3.amazonaws.com',
      region: 'us-east-1',
      access: 'anonymous',
      addressing: 'path',
    },
    {
      name: 'gcs',
      protocol: 'gcs',
      endpoint: 'https://storage.googleapis.com',
      access: 'anonymous',
      addressing: 'path',
    },
  ],
  bucketClasses: [
    {
      name: 'open',
      description: 'Most of the data. Licences differ from series to series: read them from the catalogue.',
      buckets: { aws: 'idc-open-data', gcs: 'idc-open-data' },
      historical: [
        { mirror: 'gcs', bucket: 'public-datasets-idc', until: 'v19', layout: 'hierarchical' },
        ...FLAT_BUCKETS.map((bucket) => ({ mirror: 'gcs', bucket, until: 'v13', layout: 'flat' as const })),
      ],
    },
    {
      name: 'head-scans',
      description: 'Collections that may show heads, kept apart in case their policy changes.',
      buckets: { aws: 'idc-open-data-two', gcs: 'idc-open-idc1' },
    },
    {
      name: 'commercial-restricted',
      description: 'Data that came with a non-commercial licence; the catalogue decides, not the bucket.',
      buckets: { aws: 'idc-open-data-cr', gcs: 'idc-open-cr' },
    },
  ],
  catalog: {
    versions: VERSIONS.map((version) => ({
      version,
      release: `v${version.split('.')[0]}`,
      sha256: PINNED[version],
    })),
    sources: [
      {
        kind: 'artefacts',
        url: 'https://storage.googleapis.com/idc-index-data-artifacts/{version}/release_artifacts/{file}',
        digestSuffix: '.sha256',
        description: "IDC's public bucket of catalogue files; digests since 24.2.1.",
      },
      {
        kind: 'release-assets',
        url: 'https://github.com/ImagingDataCommons/idc-index-data/releases/download/{version}/{file}',
        description: 'Files attached to the release of idc-index-data; tags have no leading "v".',
      },
      {
        kind: 'wheel',
        url: 'pkg:pypi/idc-index-data@{version}',
        description: 'The Python package idc-index-data, a ZIP with the core tables under idc_index_data/.',
      },
    ],
    tables: [
      ...CORE.map(([name, description]) => ({ name, file: fileOf(name), core: true, description })),
      ...ON_REQUEST.map(([name, description]) => ({ name, file: fileOf(name), core: false, description })),
    ].map((table) => ({ ...table, columns: idcColumns(table.name) })),
    clinical: 's3://idc-open-metadata/bigquery_export/idc_{release}_clinical/{table}/',
    bucketColumns: { aws_bucket: 'aws' },
    releasePrefix: 'v',
  },
  drs: { prefix: 'dg.4DFC', host: 'nci-crdc.datacommons.io', aliases: ['dg.4dfc', 'dg.4DCF'] },
  bigquery: {
    project: 'bigquery-public-data',
    dataset: 'idc_v{release}',
    layout: 'dicom_all',
    location: 'US',
    // The SQL that comes with the tables of v23, v24 and v25 names every column that is asked for.
    since: 'v23',
  },
  viewers: [
    {
      name: 'slim',
      modalities: ['SM'],
      study: `${VIEWER}/slim/studies/{StudyInstanceUID}`,
      series: `${VIEWER}/slim/studies/{StudyInstanceUID}/series/{SeriesInstanceUID}`,
    },
    {
      name: 'ohif',
      modalities: [],
      study: `${VIEWER}/v3/viewer/?StudyInstanceUIDs={StudyInstanceUID}`,
      series: `${VIEWER}/v3/viewer/?StudyInstanceUIDs={StudyInstanceUID}&initialSeriesInstanceUID={SeriesInstanceUID}`,
    },
  ],
  citation: {
    text:
      'Fedorov A, et al. National Cancer Institute Imaging Data Commons: Toward Transparency, Reproducibility, and ' +
      'Scalability in Imaging Artificial Intelligence. RadioGraphics 2023;43(12):e230180.',
    doi: '10.1148/rg.230180',
  },
};

/** The main table's file has a name of its own. */
function fileOf(table: string): string {
  return table === 'index' ? 'idc_index.parquet' : `${table}.parquet`;
}
