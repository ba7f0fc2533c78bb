/** The same tables twice: installed for DuckDB, and as a data set behind a fake BigQuery that Google's client talks to. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { type Archive, type ArchiveRecord, parseArchive } from '../../../src/archives/index.ts';
import {
  type BigQueryCatalog,
  type Catalog,
  installCatalog,
  openBigQueryCatalog,
  openCatalog,
} from '../../../src/catalog/index.ts';
import { createFakeBigQuery, type FakeBigQuery } from './fake-server.ts';
import { startTranslator } from './google-to-duckdb.ts';
import { createStandIn } from './stand-in.ts';

/** Project that runs the jobs of the tests. */
export const PROJECT = 'project-of-the-tests';

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
  const server = createFakeBigQuery(
    {
      async run(sql) {
        const { kind, sql: translated } = await translator.translate(sql);
        if (kind !== 'SELECT') return { kind, names: [], types: [], rows: [] };
        return { kind, ...(await standIn.rows(translated)) };
      },
    },
    PROJECT,
  );
  const listening = serve({
    fetch: (request) => server.fetch(request),
    hostname: '127.0.0.1',
    port: 0,
  }) as Server;
  await new Promise((resolve) => listening.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const credentials = join(folder, 'credentials.json');
  await writeFile(join(folder, 'token'), 'subject');
  await writeFile(
    credentials,
    JSON.stringify({
      type: 'external_account',
      audience: 'tests',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${endpoint}/v1/token`,
      credential_source: { file: join(folder, 'token') },
    }),
  );
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = credentials;
  const bigquery = openBigQueryCatalog({ archive, project: PROJECT, apiEndpoint: endpoint });
  return {
    archive,
    duckdb,
    bigquery,
    server,
    endpoint,
    env: { BIGQUERY_EMULATOR_HOST: `${endpoint}/bigquery/v2`, GOOGLE_APPLICATION_CREDENTIALS: credentials },
    async close() {
      delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
      duckdb.close();
      translator.close();
      standIn.close();
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
