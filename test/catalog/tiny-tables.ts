/** A catalogue small enough to be read, with one case of every trap that the real tables hold. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Archive } from '../../src/archives/index.ts';
import { parseArchive } from '../../src/archives/index.ts';

/** A temporary folder and how to remove it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'carrel-catalog-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** An archive like the public one, with two clouds and three classes of buckets. */
export function tinyArchive(
  changes: { sources?: unknown[]; versions?: unknown[]; tables?: unknown[]; clinical?: string } = {},
): Archive {
  return parseArchive(
    {
      carrel_archive: 1,
      name: 'tiny',
      title: 'A tiny archive',
      mirrors: [
        { name: 'aws', protocol: 's3', endpoint: 'https://s3.example.org' },
        { name: 'gcs', protocol: 'gcs', endpoint: 'https://gcs.example.org' },
      ],
      bucketClasses: [
        {
          name: 'open',
          description: 'Most data.',
          buckets: { aws: 'open-aws', gcs: 'open-gcs' },
          historical: [{ mirror: 'gcs', bucket: 'old-gcs', until: 'v2' }],
        },
        { name: 'closed', description: 'The rest.', buckets: { aws: 'nc-aws', gcs: 'nc-gcs' } },
      ],
      catalog: {
        versions: changes.versions ?? [{ version: '5.0.0', release: 'v5' }],
        sources: changes.sources ?? [
          { kind: 'wheel', url: 'pkg:pypi/tiny-index-data@{version}', description: 'a package' },
        ],
        tables: [
          { name: 'index', file: 'idc_index.parquet', core: true, description: 'One row per series.' },
          {
            name: 'prior_versions_index',
            file: 'prior_versions_index.parquet',
            core: true,
            description: 'Superseded.',
          },
          {
            name: 'collections_index',
            file: 'collections_index.parquet',
            core: true,
            description: 'Collections.',
          },
          {
            name: 'analysis_results_index',
            file: 'analysis_results_index.parquet',
            core: true,
            description: 'Derived.',
          },
          {
            name: 'version_metadata_index',
            file: 'version_metadata_index.parquet',
            core: true,
            description: 'Releases.',
          },
          {
            name: 'sm_instance_index',
            file: 'sm_instance_index.parquet',
            core: false,
            description: 'Slides, per file.',
          },
          ...(changes.tables ?? []),
        ],
        ...(changes.clinical === undefined ? {} : { clinical: changes.clinical }),
        bucketColumns: { aws_bucket: 'aws' },
        releasePrefix: 'v',
      },
      viewers: [],
      citation: { text: 'The Archivists. A tiny archive. 2020.', doi: '10.1234/ARCHIVE' },
    },
    { origin: '/somewhere/archive.json' },
  );
}

/** Uuids that can be read: `uuid(7)` ends in 7. */
export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** A row of the main table: only what a test is about has to be said. */
export interface TinySeries {
  n: number;
  collection?: string;
  patient?: string;
  study?: string;
  modality?: string;
  analysis?: string | null;
  body?: string | null;
  maker?: string | null;
  license?: string;
  doi?: string | null;
  files?: number;
  mb?: number;
  init?: number;
  revised?: number;
  description?: string;
  bucket?: string;
}

/** The series of release v5. */
export const SERIES: TinySeries[] = [
  {
    n: 1,
    collection: 'alpha',
    patient: 'P1',
    study: '1.1',
    modality: 'CT',
    mb: 1.000001,
    body: 'CHEST',
    maker: 'Maker A',
  },
  {
    n: 2,
    collection: 'alpha',
    patient: 'P1',
    study: '1.1',
    modality: 'SEG',
    mb: 0.5,
    analysis: 'segments',
    doi: '10.5/seg',
    license: 'CC BY-NC 4.0',
    bucket: 'nc-aws',
  },
  {
    n: 3,
    collection: 'alpha',
    patient: 'P2',
    study: '1.2',
    modality: 'CT',
    mb: 2.123456,
    revised: 4,
    init: 1,
    body: 'PHANTOM',
  },
  {
    n: 4,
    collection: 'beta',
    patient: 'P1',
    study: '1.3',
    modality: 'MR',
    mb: 3.3,
    files: 7,
    body: 'Phantom',
    description: 'a\u0000b\u0001c "q", it\u2019s',
  },
  {
    n: 5,
    collection: 'beta',
    patient: '1.4',
    study: '1.4',
    modality: 'SM',
    mb: 10,
    license: 'Terms of the Museum; 1999',
    init: 2,
    revised: 5,
    doi: '10.5/slides',
  },
  {
    n: 6,
    collection: 'beta',
    patient: 'P 3=x',
    study: '1.005',
    modality: 'SR',
    mb: 0.000123,
    init: 3,
    revised: 3,
    maker: '"Quoted, Inc."',
  },
];

const quote = (text: string | null | undefined) =>
  text === null || text === undefined ? 'NULL' : `'${text.replaceAll("'", "''")}'`;

/** SeriesInstanceUID of series n. */
export function seriesUid(n: number): string {
  return n === 6 ? '1.3' : `2.25.${n}`;
}

const SCHEMA = `collection_id, analysis_result_id, PatientID, SeriesInstanceUID, StudyInstanceUID, source_DOI, BodyPartExamined, Modality,
  Manufacturer, SeriesDescription, instanceCount, license_short_name, series_init_idc_version, series_revised_idc_version, aws_bucket,
  crdc_series_uuid, series_aws_url, series_size_MB`;

/** `VALUES` of the main table. */
export function indexValues(series: TinySeries[]): string {
  const rows = series.map((one) => {
    const bucket = one.bucket ?? 'open-aws';
    // Control characters cannot stand in a literal.
    const description =
      one.description === undefined
        ? 'NULL'
        : `decode('${[...Buffer.from(one.description)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'::BLOB)`;
    return `(${quote(one.collection ?? 'alpha')}, ${quote(one.analysis)}, ${quote(one.patient ?? 'P1')}, ${quote(seriesUid(one.n))}, ${quote(one.study ?? '1.1')},
      ${quote(one.doi === undefined ? '10.5/ALPHA' : one.doi)}, ${quote(one.body)}, ${quote(one.modality ?? 'CT')}, ${quote(one.maker)}, ${description},
      ${one.files ?? 1}::BIGINT, ${quote(one.license ?? 'CC BY 4.0')}, ${one.init ?? 1}::BIGINT, ${one.revised ?? one.init ?? 1}::BIGINT, ${quote(bucket)},
      ${quote(uuid(one.n))}, ${quote(`s3://${bucket}/${uuid(one.n)}/*`)}, ${one.mb ?? 1}::DOUBLE)`;
  });
  return `SELECT * FROM (VALUES ${rows.join(', ')}) AS t(${SCHEMA})`;
}

/** Rows of the prior table: uuid number, series number, collection, patient, study, bucket, MB, first, last. */
export const PRIOR: [number, number, string, string, string, string, number, number, number][] = [
  // series 3 before v4: the bucket moved between v2 and v3, and a third row doubles the size inside the second range
  [30, 3, 'alpha', 'P2', '1.2', 'old-gcs', 2.12, 1, 2],
  [30, 3, 'alpha', 'P2', '1.2', 'open-gcs', 2.12, 3, 3],
  [30, 3, 'alpha', 'P2', '1.2', 'open-gcs', 4.24, 3, 3],
  // series 5: v2 to v3, nothing in v4, new in v5; of another collection then
  [50, 5, 'gamma', '1.4', '1.4', 'nc-gcs', 10, 2, 3],
  // series 7 left after v2; its collection exists nowhere else
  [70, 7, 'omega', 'O1', '1.7', 'open-gcs', 0, 1, 2],
];

function priorValues(): string {
  const rows = PRIOR.map(
    ([id, n, collection, patient, study, bucket, mb, first, last]) =>
      `('${collection}', '${patient}', '${seriesUid(n)}', '${study}', 'CT', '${bucket}', '${uuid(id)}', ${mb}::DOUBLE, NULL::VARCHAR, NULL::VARCHAR, ${first}::BIGINT, ${last}::BIGINT)`,
  );
  return `SELECT * FROM (VALUES ${rows.join(', ')}) AS t(collection_id, PatientID, SeriesInstanceUID, StudyInstanceUID, Modality, gcs_bucket,
    crdc_series_uuid, series_size_MB, series_aws_url, aws_bucket, min_idc_version, max_idc_version)`;
}

const COLLECTIONS = `SELECT * FROM (VALUES
  ('alpha', [{'source_doi': '10.5/alpha', 'source_title': 'Alpha', 'citation': 'A. Author, & B. Bäcker (2020). <i>The alpha\nset</i> &amp; more. https://doi.org/10.5/ALPHA'}]),
  ('beta', [{'source_doi': '10.5/Slides', 'source_title': 'Slides {1}', 'citation': 'C. Author (2021b). Slides_100%.'}])) AS t(collection_id, sources)`;
const RESULTS = `SELECT 'segments' AS analysis_result_id, 'Segments' AS analysis_result_title, '10.5/SEG' AS source_DOI, 'D. Author (2022). Segments. https://doi.org/10.5/seg' AS citation`;
const RELEASES = `SELECT n AS idc_version, '202' || n || '-01-01' AS version_timestamp FROM (VALUES (1::BIGINT), (2), (3), (4), (5)) AS t(n)`;
const SLIDES = `SELECT '9.9' AS SOPInstanceUID, '${seriesUid(5)}' AS SeriesInstanceUID, 10000000::BIGINT AS instance_size, '${uuid(99)}' AS crdc_instance_uuid`;

/** Runs SQL in an engine of its own. */
export async function runSql(...statements: string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    let rows: unknown[][] = [];
    for (const sql of statements) rows = await (await connection.run(sql)).getRowsJson();
    connection.closeSync();
    return rows;
  } finally {
    instance.closeSync();
  }
}

/** Writes one table; `version` becomes the Parquet key that names what built it. */
export async function writeTable(
  folder: string,
  file: string,
  select: string,
  version?: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, file);
  const key = version === undefined ? '' : `, KV_METADATA {idc_index_data_version: '${version}-0-gabc'}`;
  await runSql(`COPY (${select}) TO '${path}' (FORMAT parquet, COMPRESSION zstd${key})`);
  return path;
}

/** All tables of v5 in a folder. */
export async function writeTinyTables(
  folder: string,
  options: { series?: TinySeries[]; version?: string; slides?: boolean } = {},
): Promise<string> {
  const version = options.version ?? '5.0.0';
  await writeTable(folder, 'idc_index.parquet', indexValues(options.series ?? SERIES), version);
  await writeTable(folder, 'prior_versions_index.parquet', priorValues(), version);
  await writeTable(folder, 'collections_index.parquet', COLLECTIONS, version);
  await writeTable(folder, 'analysis_results_index.parquet', RESULTS, version);
  await writeTable(folder, 'version_metadata_index.parquet', RELEASES, version);
  if (options.slides === true) await writeTable(folder, 'sm_instance_index.parquet', SLIDES, version);
  return folder;
}
