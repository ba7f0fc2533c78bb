/** The same tables twice: installed for DuckDB, and as a data set behind a fake BigQuery that Google's client talks to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archive, type ArchiveRecord, parseArchive } from '../../../src/archives/index.ts';
import {
  type BigQueryCatalog,
  type Catalog,
  installCatalog,
  openBigQueryCatalog,
  openCatalog,
} from '../../../src/catalog/index.ts';
import type { FakeBigQuery } from './fake-server.ts';
import { startTranslator } from './google-to-duckdb.ts';
import { listenToFake, PROJECT } from './listen-to-fake.ts';
import { createStandIn } from './stand-in.ts';

/** Both engines over the same tables. */
export interface TwoEngines {
  archive: Archive;
  duckdb: Catalog;
  bigquery: BigQueryCatalog;
  server: FakeBigQuery;
  /** `http://127.0.0.1:…`, what `BIGQUERY_EMULATOR_HOST` wants, and credentials that the server takes. */
  endpoint: string;
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Opens both over a folder of Parquet files. */
export async function openTwoEngines(options: {
  python: string;
  record: ArchiveRecord;
  base?: string;
  tables: string;
  version: string;
  release: number;
}): Promise<TwoEngines> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-bigquery-'));
  const archive = parseArchive(
    {
      ...options.record,
      bigquery: { project: 'data-of-the-tests', dataset: 'set_v{release}', layout: 'dicom_all' },
    },
    { origin: 'built-in', base: options.base },
  );
  const cacheDir = join(folder, 'cache');
  await installCatalog({ archive, cacheDir, sources: [options.tables], version: options.version });
  const duckdb = await openCatalog({ archive, cacheDir, sideIndex: false });
  const file = (name: string) => join(options.tables, name);
  const standIn = await createStandIn(
    {
      index: file('idc_index.parquet'),
      collections: file('collections_index.parquet'),
      analysisResults: file('analysis_results_index.parquet'),
      releases: file('version_metadata_index.parquet'),
    },
    'data-of-the-tests',
    `set_v${options.release}`,
  );
  const translator = startTranslator(options.python);
  const fake = await listenToFake({
    async run(sql) {
      const { kind, sql: translated } = await translator.translate(sql);
      if (kind !== 'SELECT') return { kind, names: [], types: [], rows: [] };
      return { kind, ...(await standIn.rows(translated)) };
    },
  });
  const { server, endpoint, env } = fake;
  const bigquery = openBigQueryCatalog({ archive, project: PROJECT, apiEndpoint: endpoint });
  return {
    archive,
    duckdb,
    bigquery,
    server,
    endpoint,
    env,
    async close() {
      duckdb.close();
      translator.close();
      standIn.close();
      await fake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
