/**
 * The profile of the Imaging Data Commons with its published tables, its mirrors aimed at this machine. The tables come
 * from the wheel (`CARREL_TEST_WHEEL`, or pip); where it cannot be had, these tests skip and say why.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realWheel, unpackedWheel } from '../catalog/real-tables.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { type CarrelResult, errorOf, filesBelow, jsonLines, runCarrel, summaryOf } from './carrel.ts';

const samples = fileURLToPath(new URL('../../../shared/samples/', import.meta.url));
const manifests = await readdir(join(samples, 'manifests')).catch((): string[] => []);
const wheel = await realWheel();

/** Series of the study that the sample manifests name. */
const STUDY = [
  '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19',
  'f0b76401-c6d1-4b61-a5fd-3fa596e6cc41',
  '4ea3bbe6-98da-4b92-abe6-2ee18927e3c9',
];
const RETIRED = [
  '2f77262c-3a4a-4e5a-bdc0-056dc2837f15',
  '35459457-bd4c-4eef-9579-47f12fc6928e',
  '9c9ab2bf-c784-4658-b0f9-d2e4b33f2dbf',
  '312788ec-8739-4e56-a857-efcab92b20ed',
  'c27b80c9-0e90-416b-8eca-0b20bc0cf8e2',
];
const COMPOUND = 'f5d6b517-2c02-4035-9444-0f15be7180ff';

describe.skipIf(wheel.path === undefined)(`with the published tables ${wheel.reason}`, () => {
  let folder: string;
  let env: Record<string, string | undefined>;
  let raw: string;
  let database: DuckDBInstance;
  let folders = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-idc-'));
    env = {
      CARREL_CACHE_DIR: join(folder, 'cache'),
      CARREL_CONFIG_DIR: join(folder, 'config'),
      // Nothing of these tests may leave the machine, also not by mistake.
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
    };
    raw = await unpackedWheel(wheel.path ?? '');
    database = await DuckDBInstance.create(':memory:');
    const added = await run(['catalog', 'add', wheel.path ?? '', '--json']);
    expect(added.code, added.stderr).toBe(0);
    expect(summaryOf(added)).toMatchObject({ archive: 'idc', release: 'v25', version: '25.0.5' });
  });
  afterAll(async () => {
    database?.closeSync();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(args: readonly string[], stdin = ''): Promise<CarrelResult> {
    return await runCarrel(args, { env, cwd: folder, stdin });
  }
  async function newFolder(): Promise<string> {
    folders += 1;
    const path = join(folder, `desk-${folders}`);
    await mkdir(path);
    return path;
  }
  /** Asks DuckDB alone, over the files as published. `{index}` and the like stand for them. */
  async function ask(sql: string): Promise<Record<string, unknown>[]> {
    const connection = await database.connect();
    try {
      const text = sql.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const file = name === 'index' ? 'idc_index' : name;
        return `read_parquet('${join(raw, `${file}.parquet`)}')`;
      });
      const reader = await connection.runAndReadAll(text);
      return reader
        .getRowObjectsJS()
        .map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([key, value]) => [
              key,
              typeof value === 'bigint' ? Number(value) : value,
            ]),
          ),
        );
    } finally {
      connection.closeSync();
    }
  }

  describe('answers are those of the published files', () => {
    test('search --count', async () => {
      const selections: [string[], string][] = [
        [[], 'true'],
        [['--collection', 'nlst', '--modality', 'CT'], "collection_id = 'nlst' AND Modality = 'CT'"],
        [
          ['--collection', 'rider_pilot', '--collection', 'ispy1', '--where', 'instanceCount > 100'],
          "collection_id IN ('rider_pilot', 'ispy1') AND instanceCount > 100",
        ],
        [
          ['--license', 'CC BY-NC 4.0', '--exclude-analysis-results'],
          "license_short_name = 'CC BY-NC 4.0' AND analysis_result_id IS NULL",
        ],
      ];
      for (const [flags, condition] of selections) {
        const result = await run(['search', ...flags, '--count', '--json']);
        expect(result.code, result.stderr).toBe(0);
        const [wanted] = await ask(
          `SELECT count(*) AS series, sum(instanceCount) AS instances, count(DISTINCT StudyInstanceUID) AS studies, count(DISTINCT collection_id) AS collections FROM {index} WHERE ${condition}`,
        );
        expect(JSON.parse(result.stdout), condition).toMatchObject(wanted ?? {});
      }
    });

    test('search --by license_short_name', async () => {
      const { stdout } = await run(['search', '--by', 'license_short_name', '--json']);
      const found = (JSON.parse(stdout) as Record<string, unknown>[]).map(
        ({ license_short_name, series, instances }) => ({ license_short_name, series, instances }),
      );
      const wanted = await ask(
        'SELECT license_short_name, count(*) AS series, sum(instanceCount) AS instances FROM {index} GROUP BY 1',
      );
      const order = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        String(a['license_short_name']).localeCompare(String(b['license_short_name']));
      expect(found.sort(order)).toEqual(wanted.sort(order));
    });

    test('show of a current series, a superseded one, and one that nobody knows', async () => {
      const [uuid = ''] = STUDY;
      const current = JSON.parse((await run(['show', uuid, '--json'])).stdout) as {
        matches: { current: boolean; row: Record<string, unknown> }[];
      };
      const [row] = await ask(
        `SELECT SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id, Modality, license_short_name, instanceCount FROM {index} WHERE crdc_series_uuid = '${uuid}'`,
      );
      expect(current.matches).toHaveLength(1);
      expect(current.matches[0]).toMatchObject({ current: true, row });

      const [retired = ''] = RETIRED;
      const prior = JSON.parse((await run(['show', retired, '--json'])).stdout) as typeof current & {
        matches: { releases: { from: string; to: string } }[];
      };
      const [known] = await ask(
        `SELECT SeriesInstanceUID, min(min_idc_version) AS first, max(max_idc_version) AS last FROM {prior_versions_index} WHERE crdc_series_uuid = '${retired}' GROUP BY 1`,
      );
      expect(prior.matches[0]).toMatchObject({
        current: false,
        releases: { from: `v${String(known?.['first'])}`, to: `v${String(known?.['last'])}` },
        row: { SeriesInstanceUID: known?.['SeriesInstanceUID'] },
      });

      const unknown = await run(['show', '00000000-0000-4000-8000-000000000000', '--json']);
      expect(unknown.code).toBe(4);
      expect(errorOf(unknown)).toMatchObject({ item: '00000000-0000-4000-8000-000000000000' });
    });

    test('history of a series that was revised', async () => {
      const uid = '1.3.6.1.4.1.5962.99.1.171941254.777277241.1640849481094.2.0';
      const { stdout, code } = await run(['history', uid, '--json']);
      expect(code).toBe(0);
      const prior = await ask(
        `SELECT DISTINCT crdc_series_uuid FROM {prior_versions_index} WHERE SeriesInstanceUID = '${uid}'`,
      );
      const now = await ask(`SELECT crdc_series_uuid FROM {index} WHERE SeriesInstanceUID = '${uid}'`);
      expect(prior.length).toBeGreaterThan(0);
      for (const { crdc_series_uuid } of [...prior, ...now])
        expect(stdout).toContain(String(crdc_series_uuid));
    });

    test('a join in SQL', async () => {
      const sql = (from: (name: string) => string) =>
        `SELECT c.cancer_types AS cancer, count(*) AS series FROM ${from('index')} i JOIN ${from('collections_index')} c USING (collection_id) WHERE i.Modality = 'SEG' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 7`;
      const { stdout, code, stderr } = await run(['sql', sql((name) => name), '--json']);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toEqual(await ask(sql((name) => `{${name}}`)));
    });
  });

  describe.skipIf(manifests.length === 0)(
    'the manifests of ../shared/samples (skipped where they are missing)',
    () => {
      let buckets: BucketsFixture;
      let servers: ObjectServers;
      let contents: Map<string, string>;
      let portalUids: string[];

      beforeAll(async () => {
        const tcia = await readFile(join(samples, 'manifests', 'CPTAC-PDA-demo.tcia'), 'utf8');
        portalUids = tcia
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => /^[\d.]+$/.test(line));
        const uids = portalUids.map((uid) => `'${uid}'`).join();
        const series = await ask(
          `SELECT crdc_series_uuid AS uuid, aws_bucket AS bucket, instanceCount AS files FROM {index} WHERE crdc_series_uuid IN (${[...STUDY, COMPOUND].map((uuid) => `'${uuid}'`).join()}) OR SeriesInstanceUID IN (${uids})`,
        );
        expect(series).toHaveLength(STUDY.length + 1 + portalUids.length);
        for (const uuid of RETIRED) series.push({ uuid, bucket: 'idc-open-data', files: 2 });
        const compound = JSON.parse(await readFile(join(samples, `crdcobj_${COMPOUND}.json`), 'utf8')) as {
          access_methods: { contents?: { drs_uri: string }[] }[];
        };
        const children = compound.access_methods.flatMap(({ contents: list = [] }) =>
          list.flatMap(({ drs_uri }) => /[0-9a-f]{8}-[0-9a-f-]{27}$/.exec(drs_uri)?.[0] ?? []),
        );
        contents = new Map();
        for (const { uuid, bucket, files } of series) {
          const names =
            uuid === COMPOUND
              ? children.slice(0, Number(files))
              : Array.from(
                  { length: Number(files) },
                  (_, index) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
                );
          for (const name of names)
            contents.set(`${String(bucket)}/${String(uuid)}/${name}.dcm`, `${String(uuid)} ${name}`);
        }
        const files: Record<string, string> = Object.fromEntries(contents);
        // The other cloud has the same keys, in buckets with names of its own.
        const gcsName: Record<string, string> = {
          'idc-open-data-two': 'idc-open-idc1',
          'idc-open-data-cr': 'idc-open-cr',
        };
        for (const [path, text] of contents) {
          const [bucket = '', ...rest] = path.split('/');
          files[[gcsName[bucket] ?? bucket, ...rest].join('/')] = text;
        }
        for (const child of children) files[`crdcobj/${COMPOUND}/${child}.dcm`] = `${COMPOUND} ${child}`;
        files[`crdcobj/${COMPOUND}/crdcobj.json`] = JSON.stringify(compound);
        buckets = await writeBuckets(files);
        servers = await startObjectServers({ root: buckets.root });
      });
      afterAll(async () => {
        await servers?.close();
        await buckets?.remove();
      });

      const mirrors = () => ['--mirror', `aws=${servers.s3.url}`, '--mirror', `gcs=${servers.gcs.url}`];

      /** The folder holds the files of these series, each with its own text. */
      async function mustHold(out: string, uuids: readonly string[]): Promise<Map<string, Buffer>> {
        const wanted = [...contents]
          .filter(([path]) => uuids.includes(path.split('/')[1] ?? ''))
          .map(([path, text]) => `${basename(path)} ${text}`)
          .sort();
        const found = await filesBelow(out);
        expect([...found].map(([path, bytes]) => `${basename(path)} ${bytes.toString()}`).sort()).toEqual(
          wanted,
        );
        expect(wanted.length).toBeGreaterThan(0);
        return found;
      }

      test.each([
        ['study_manifest_aws.s5cmd', STUDY, 'aws'],
        ['study_manifest_gcs.s5cmd', STUDY, 'gcs'],
        ['prior_version_manifest.s5cmd', RETIRED, 'aws'],
      ])('%s', async (name, uuids, mirror) => {
        const out = await newFolder();
        const result = await run([
          'get',
          join(samples, 'manifests', name),
          '-o',
          out,
          ...mirrors(),
          '--json',
        ]);
        expect(result.code, result.stderr).toBe(0);
        await mustHold(out, uuids);
        expect(summaryOf(result)).toMatchObject({ failed: 0, unresolved: 0 });
        // The header of the manifest says whose buckets are meant.
        const fetched = jsonLines(result.stdout).filter(({ type }) => type === 'file');
        expect(new Set(fetched.map((line) => line['mirror']))).toEqual(new Set([mirror]));
        expect(await run(['verify', out])).toMatchObject({ code: 0 });
      });

      test('files of a study lie where idc-index would put them', async () => {
        const out = await newFolder();
        await run(['get', join(samples, 'manifests', 'study_manifest_aws.s5cmd'), '-o', out, ...mirrors()]);
        const rows = await ask(
          `SELECT collection_id || '/' || PatientID || '/' || StudyInstanceUID || '/' || Modality || '_' || SeriesInstanceUID AS folder FROM {index} WHERE crdc_series_uuid IN (${STUDY.map((uuid) => `'${uuid}'`).join()})`,
        );
        const folders_ = new Set(
          [...(await filesBelow(out)).keys()].map((path) => path.slice(0, path.lastIndexOf('/'))),
        );
        expect([...folders_].sort()).toEqual(rows.map((row) => String(row['folder'])).sort());
      });

      test('CPTAC-PDA-demo.tcia: three series by their UIDs', async () => {
        const rows = await ask(
          `SELECT crdc_series_uuid AS uuid FROM {index} WHERE SeriesInstanceUID IN (${portalUids.map((uid) => `'${uid}'`).join()})`,
        );
        const out = await newFolder();
        const result = await run([
          'get',
          join(samples, 'manifests', 'CPTAC-PDA-demo.tcia'),
          '-o',
          out,
          ...mirrors(),
        ]);
        expect(result.code, result.stderr).toBe(0);
        await mustHold(
          out,
          rows.map(({ uuid }) => String(uuid)),
        );
      });

      test('ACNS0332-Test.tcia: series that the archive does not have are named by their lines, and nothing is written', async () => {
        const out = await newFolder();
        const path = join(samples, 'manifests', 'ACNS0332-Test.tcia');
        const result = await run(['get', path, '-o', out, '--no-nbia', ...mirrors()]);
        expect(result.code).toBe(4);
        expect(result.stderr).toMatch(
          /ACNS0332-Test\.tcia:7: "?1\.3\.6\.1\.4\.1\.14519\.5\.2\.1\.1610\.1210\.143159803486317008098701381215/,
        );
        expect(await filesBelow(out)).toEqual(new Map());
      });

      test('a manifest of a bucket that does not exist: each line is named, and the end is not 0', async () => {
        const out = await newFolder();
        const path = join(samples, 'manifests', 'study_manifest_bogus.s5cmd');
        const result = await run(['get', path, '-o', out, '--endpoint', servers.s3.url]);
        expect(result.code).toBe(4);
        for (const line of [2, 3, 4]) expect(result.stderr).toContain(`study_manifest_bogus.s5cmd:${line}: `);
        // The catalogue knows the series under their true bucket, and that is said.
        expect(result.stderr).toContain('idc-open-data');
        expect(await filesBelow(out)).toEqual(new Map());
      });

      test('check names each line of such a manifest, too', async () => {
        const path = join(samples, 'manifests', 'study_manifest_bogus.s5cmd');
        const result = await run(['manifest', 'check', path, '--json']);
        expect(result.code).toBe(3);
        const { problems } = JSON.parse(result.stdout) as { problems: { line: number; reason: string }[] };
        expect(problems.map(({ line }) => line)).toEqual([2, 3, 4]);
        for (const { reason } of problems) expect(reason).toContain('idc-open-data');
      });

      test.each([
        ['a file on this disk', () => [join(samples, `crdcobj_${COMPOUND}.json`), ...mirrors()]],
        [
          'its place in a bucket',
          () => [`gs://crdcobj/${COMPOUND}/crdcobj.json`, '--endpoint', servers.gcs.url],
        ],
      ])('the compound object, by %s: its 101 children', async (_, args) => {
        const out = await newFolder();
        const result = await run(['get', ...args(), '-o', out]);
        expect(result.code, result.stderr).toBe(0);
        expect((await mustHold(out, [COMPOUND])).size).toBe(101);
      });

      test('the folder of the compound object, read like any folder', async () => {
        const out = await newFolder();
        const result = await run([
          'get',
          `gs://crdcobj/${COMPOUND}/*.dcm`,
          '--endpoint',
          servers.gcs.url,
          '-o',
          out,
        ]);
        expect(result.code, result.stderr).toBe(0);
        await mustHold(out, [COMPOUND]);
      });

      test('a patient whose id belongs to two collections is not guessed', async () => {
        const [shared] = await ask(
          "SELECT PatientID AS id, min(collection_id) AS one, max(collection_id) AS two FROM {index} WHERE NOT regexp_matches(PatientID, '[^0-9A-Za-z-]') GROUP BY 1 HAVING count(DISTINCT collection_id) = 2 ORDER BY 1 LIMIT 1",
        );
        const result = await run([
          'get',
          String(shared?.['id']),
          '--as',
          'patient',
          '--dry-run',
          ...mirrors(),
        ]);
        expect(result.code).toBe(2);
        for (const name of ['one', 'two']) expect(result.stderr).toContain(String(shared?.[name]));
      });

      test('convert writes the manifest of the other cloud, and that one brings the same files', async () => {
        const converted = await run([
          'manifest',
          'convert',
          join(samples, 'manifests', 'study_manifest_aws.s5cmd'),
          '--to',
          's5cmd',
          '--cloud',
          'gcs',
        ]);
        expect(converted.code, converted.stderr).toBe(0);
        const out = await newFolder();
        const result = await run(['get', '-', '-o', out, ...mirrors()], converted.stdout);
        expect(result.code, result.stderr).toBe(0);
        await mustHold(out, STUDY);
      });
    },
  );
});
