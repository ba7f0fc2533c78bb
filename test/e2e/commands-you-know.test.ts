/**
 * docs/commands-you-know.md is true: every carrel command in it is run as it stands, by a shell, against servers of this
 * machine which hold objects under the same keys. The catalogue is a part of the published one; without that the tests
 * skip.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInRecord } from '../../src/archives/index.ts';
import { realWheel, unpackedWheel } from '../catalog/real-tables.ts';
import { type DrsHost, startDrsHost } from '../fixtures/drs-host.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { BIN, filesBelow, NODE, runCarrel } from './carrel.ts';

const page = await readFile(new URL('../../docs/commands-you-know.md', import.meta.url), 'utf8');
const wheel = await realWheel();

/** Second column of every row that has a command. */
const commands = page.split('\n').flatMap((line) => {
  const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  const command = /^`(carrel .*)`$/.exec(cells[2] ?? '')?.[1];
  return command === undefined ? [] : [command.replaceAll('\\|', '|')];
});
const distinct = [...new Set(commands)];

const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';
const SERIES = 'cc9c8541-949d-48d9-beaf-7028aa4906dc';
const COMPOUND = 'f5d6b517-2c02-4035-9444-0f15be7180ff';
const RETIRED = '2f77262c-3a4a-4e5a-bdc0-056dc2837f15';
const STUDY = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';

test('the page has commands, and nothing that cannot be done yet', () => {
  expect(commands.length).toBeGreaterThan(50);
  expect(page).not.toContain('| not yet |');
});

describe.skipIf(wheel.path === undefined)(`every command of the page runs ${wheel.reason}`, () => {
  let folder: string;
  let buckets: BucketsFixture;
  let servers: ObjectServers;
  let host: DrsHost;
  let env: Record<string, string | undefined>;
  let desk: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-page-'));
    desk = join(folder, 'desk');
    await mkdir(join(folder, 'bin'), { recursive: true });
    await mkdir(desk);
    // A package as another tool left it, with its list of checksums.
    const pack = join(desk, 'PKG - HER2_tumor_ROIs_v3');
    await mkdir(pack);
    await writeFile(join(pack, 'empty file.xml'), '');
    await writeFile(
      join(pack, 'HER2_tumor_ROIs_v3.sums'),
      'd41d8cd98f00b204e9800998ecf8427e empty file.xml\n',
    );
    const name = (index: number) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const folderOf = (bucket: string, uuid: string, count: number) =>
      Array.from(
        { length: count },
        (_, index) => [`${bucket}/${uuid}/${name(index)}.dcm`, `${uuid} ${index}`] as const,
      );
    const tables = join(folder, 'tables');
    await cp(await unpackedWheel(wheel.path ?? ''), tables, { recursive: true });
    const rider = await cutTables(tables);
    const part = await partOfDicomAll(join(folder, 'part.parquet'));
    buckets = await writeBuckets(
      Object.fromEntries([
        [
          'idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm',
          'an image',
        ],
        [`idc-open-data/${SERIES}/${INSTANCE}.dcm`, 'by its DRS id'],
        ...folderOf('idc-open-data', STUDY, 3),
        ...rider.flatMap(({ uuid, bucket, files }) => folderOf(bucket, uuid, files)),
        ...folderOf('idc-open-data', RETIRED, 1),
        ...folderOf('idc-open-data', COMPOUND, 101),
        [`crdcobj/${COMPOUND}/00f84d01-384b-4610-a8db-ebb68f3b3dc3.dcm`, 'a child'],
        [`crdcobj/${COMPOUND}/011bc2f0-3b70-4a9d-b9de-9b9022c6facc.dcm`, 'another'],
        [
          `crdcobj/${COMPOUND}/crdcobj.json`,
          JSON.stringify({
            encoding_version: '1.0',
            object_type: 'DICOM series',
            id: COMPOUND,
            self_uri: `drs://dg.4DFC/${COMPOUND}`,
            access_methods: [
              {
                method: 'children',
                mime_type: 'application/dicom',
                contents: [
                  '00f84d01-384b-4610-a8db-ebb68f3b3dc3',
                  '011bc2f0-3b70-4a9d-b9de-9b9022c6facc',
                ].map((uuid) => ({ name: `1.2.3.${uuid.length}`, drs_uri: `drs://dg.4DFC/${uuid}` })),
              },
            ],
          }),
        ],
        ['idc-open-metadata/bigquery_export/idc_current/dicom_all/000000000000.parquet', part],
        ['idc-open-metadata/bigquery_export/idc_current/dicom_all/000000000001.parquet', part],
        ['idc-open-metadata/bigquery_export/idc_v23/dicom_all/000000000000.parquet', part],
      ]),
    );
    servers = await startObjectServers({ root: buckets.root });
    const drsId = `dg.4DFC/${INSTANCE}`;
    host = await startDrsHost({
      objects: {
        [drsId]: {
          id: drsId,
          size: 'by its DRS id'.length,
          access_methods: [
            {
              type: 's3',
              access_id: 's3',
              access_url: { url: `s3://idc-open-data/${SERIES}/${INSTANCE}.dcm` },
            },
          ],
        },
      },
    });
    // The record of the archive as it is, but for its places; and two public buckets more, which are not the archive's.
    const record = structuredClone(builtInRecord('idc'));
    record.mirrors = record.mirrors.map((mirror) => ({
      ...mirror,
      endpoint: mirror.name === 'aws' ? servers.s3.url : servers.gcs.url,
    }));
    for (const bucket of ['crdcobj', 'idc-open-metadata']) {
      record.bucketClasses.push({ name: bucket, buckets: { aws: bucket, gcs: bucket } });
    }
    // The tables below are a part of the published ones.
    for (const version of record.catalog?.versions ?? []) delete version.sha256;
    record.drs = {
      ...record.drs,
      prefix: 'dg.4DFC',
      host: 'nci-crdc.datacommons.io',
      endpoint: host.endpoint,
    };
    await writeFile(join(folder, 'archive.json'), JSON.stringify(record));
    await writeFile(join(folder, 'bin', 'carrel'), `#!/bin/sh\nexec "${NODE}" "${BIN}" "$@"\n`);
    await chmod(join(folder, 'bin', 'carrel'), 0o755);
    await writeFile(join(desk, 'manifest.txt'), `cp s3://idc-open-data/${STUDY}/* ./local_folder/\n`);
    await writeFile(
      join(desk, 'manifest.tcia'),
      'manifestVersion=3.0\nListOfSeriesToDownload=\n1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101\n',
    );
    env = {
      PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      HOME: folder,
      CARREL_ARCHIVE: join(folder, 'archive.json'),
      CARREL_CACHE_DIR: join(folder, 'cache'),
      CARREL_CONFIG_DIR: join(folder, 'config'),
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
    };
    const added = await runCarrel(['catalog', 'add', tables, '--version', '25.0.5'], { env });
    expect(added.code, added.stderr).toBe(0);
  });
  afterAll(async () => {
    await servers?.close();
    await host?.close();
    await buckets?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a line of the page in a shell. Only what cannot stand in a test is replaced. */
  async function shell(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const line = command.replaceAll('https://cache.example', servers.s3.url);
    return await new Promise((resolve) => {
      execFile(
        'bash',
        ['-c', `set -o pipefail; ${line}`],
        { cwd: desk, env, maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  test.each(distinct)('%s', async (command) => {
    const { code, stdout, stderr } = await shell(command);
    expect(code, stdout + stderr).toBe(0);
    const quiet = command.includes(' > ');
    // What copies files says so on stderr, and keeps stdout for data.
    if (!quiet) expect(/carrel (?:cp|sync|run) /.test(command) ? stderr : stdout).not.toBe('');
    const output = / > (\S+)$/.exec(command)?.[1];
    if (output !== undefined) expect((await readFile(join(desk, output))).length).toBeGreaterThan(0);
    const target = / -o (\S+)/.exec(command)?.[1];
    if (command.startsWith('carrel get ') && target !== undefined && !command.includes('--dry-run')) {
      expect((await filesBelow(join(desk, target))).size).toBeGreaterThan(0);
    }
  });

  test('the files that they brought are the objects', async () => {
    const found = await filesBelow(join(desk, 'series_folder'));
    expect([...found].map(([path, bytes]) => [path, bytes.toString()])).toEqual([
      ['0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm', 'an image'],
    ]);
    expect(await readFile(join(desk, 'local_file.dcm'), 'utf8')).toBe('an image');
  });
});

/** One part of the table that has a row per file: a few columns of one file. */
async function partOfDicomAll(path: string): Promise<Buffer> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const row = `SELECT '${INSTANCE}' AS crdc_instance_uuid, '1.2.3' AS SOPInstanceUID, '1.2' AS SeriesInstanceUID`;
    await connection.run(`COPY (${row}) TO '${path}' (FORMAT parquet)`);
    return await readFile(path);
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

/** Leaves what the page talks of: the whole would take a second to open, each time. Answers with the series of one collection. */
async function cutTables(folder: string): Promise<{ uuid: string; bucket: string; files: number }[]> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const series = (table: string) => `read_parquet('${join(folder, `${table}.parquet`)}')`;
    for (const table of ['idc_index', 'prior_versions_index']) {
      const cut = join(folder, `${table}.cut`);
      await connection.run(
        `COPY (SELECT * FROM ${series(table)} WHERE collection_id IN ('rider_pilot', 'ispy1', 'rider_lung_pet_ct') OR crdc_series_uuid IN ('${COMPOUND}', '${RETIRED}')) TO '${cut}' (FORMAT parquet)`,
      );
      await rename(cut, join(folder, `${table}.parquet`));
    }
    const reader = await connection.runAndReadAll(
      `SELECT crdc_series_uuid AS uuid, aws_bucket AS bucket, instanceCount AS files FROM ${series('idc_index')} WHERE collection_id = 'rider_pilot'`,
    );
    return reader.getRowObjectsJS().map(({ uuid, bucket, files }) => ({
      uuid: String(uuid),
      bucket: String(bucket),
      files: Number(files),
    }));
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
