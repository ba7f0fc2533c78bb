import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

let desk: SampleDesk;
beforeAll(async () => {
  desk = await openSampleDesk();
}, 120_000);
afterAll(() => desk.remove());
const run = (...args: string[]) => desk.run(args);

describe('carrel catalog tables and schema', () => {
  test('the archive’s tables are listed before anything is installed, with the commands that get them', async () => {
    const env = { CARREL_CACHE_DIR: join(desk.folder, 'nothing'), CARREL_ARCHIVE: 'idc' };
    const { code, stdout, stderr } = await desk.run(['catalog', 'tables'], { env });
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2 + 17);
    expect(stdout).toMatch(/^index +\(not installed\) +31 {2}One row per series/m);
    expect(stderr).toMatch(/no catalogue is installed; carrel catalog update gets the core tables/);
    const listed = JSON.parse((await desk.run(['catalog', 'tables', '--json'], { env })).stdout) as {
      name: string;
      columns: number;
      get: string;
    }[];
    expect(listed.map(({ columns }) => columns).reduce((sum, columns) => sum + columns, 0)).toBe(224);
    expect(listed.find(({ name }) => name === 'ct_index')?.get).toBe(
      'carrel catalog update --table ct_index',
    );
    for (const { name } of listed) {
      const schema = await desk.run(['catalog', 'schema', name, '--json'], { env });
      const columns = JSON.parse(schema.stdout) as { name: string; type: string; description: string }[];
      for (const column of columns) {
        expect(column.type).toMatch(/^(VARCHAR|BIGINT|DOUBLE|BOOLEAN|STRUCT)(\[\])?$/);
        expect(column.description).toMatch(/\S{2}/);
      }
    }
    const unknown = await desk.run(['catalog', 'schema', 'smindex'], { env });
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining('did you mean sm_index')]);
  });

  test('clinical tables stand under clinical.NAME, with labels and values', async () => {
    await run('catalog', 'update', '-q', '--table', 'clinical_index', '--table', 'sample_torso_clinical');
    const tables = (await run('catalog', 'tables')).stdout;
    expect(tables).toMatch(/^clinical\.sample_torso_clinical +\d+ +\d+/m);
    const { stdout } = await run('catalog', 'schema', 'clinical.sample_torso_clinical');
    expect(stdout).toMatch(/^dicom_patient_id +VARCHAR +PatientID in DICOM/m);
    expect(stdout).toMatch(/^stage +VARCHAR +Clinical stage \(\S+: .+; \S+: .+\)/m);
  });
});

describe('a table that sql and search name', () => {
  test('is fetched, with notes on stderr only; --no-fetch and the setting leave it', async () => {
    const cache = join(desk.folder, 'fetching');
    const env = { CARREL_CACHE_DIR: cache };
    expect((await desk.run(['catalog', 'update', '-q'], { env })).code).toBe(0);
    const sql = ['sql', 'SELECT count(*) AS n FROM sm_instance_index', '--json'];
    const off = await desk.run(sql, { env: { ...env, CARREL_FETCH_TABLES: 'never' } });
    expect(off.code).toBe(4);
    expect((await desk.run([...sql, '--no-fetch'], { env })).code).toBe(4);
    const wrong = await desk.run(sql, { env: { ...env, CARREL_FETCH_TABLES: 'perhaps' } });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('auto or never')]);
    const where = 'SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM sm_instance_index)';
    const counted = await desk.run(['search', '--where', where, '--count'], { env });
    expect(counted.code).toBe(0);
    expect(counted.stderr).toContain('note: the table sm_instance_index of');
    expect(counted.stderr).toContain('sm_instance_index: ');
    expect(counted.stdout).not.toContain('note:');
    const again = await desk.run(sql, { env });
    expect([again.code, again.stderr]).toEqual([0, '']);
  });
});

describe('a table of one’s own', () => {
  test('is added, listed, asked, checked and removed by its name', async () => {
    await writeFile(join(desk.folder, 'labels.csv'), 'PatientID,grade\nTORSO-0001,3\nTORSO-0002,1\n');
    const added = await run('catalog', 'add', '--as', 'labels', 'labels.csv');
    expect([added.code, added.stdout]).toEqual([
      0,
      expect.stringMatching(/^table labels added: 2 rows, 2 columns, /),
    ]);
    expect(added.stderr).toContain('columns: PatientID VARCHAR, grade BIGINT');
    expect((await run('catalog', 'add', '--as', 'labels', 'labels.csv', '-q')).stdout).toMatch(
      /^table labels unchanged/,
    );
    expect((await run('catalog', 'list')).stdout).toMatch(
      new RegExp(`^labels +2 +2 .* ${join(desk.folder, 'labels.csv')}$`, 'm'),
    );
    expect(JSON.parse((await run('catalog', 'list', '--json')).stdout)).toContainEqual(
      expect.objectContaining({ table: 'labels', rows: 2, linked: false }),
    );
    expect((await run('catalog', 'tables')).stdout).toMatch(/^labels +2 +2 {2}Your own, copied from /m);
    expect((await run('catalog', 'schema', 'labels')).stdout).toMatch(/^grade +BIGINT/m);
    const joined = await run(
      'sql',
      'SELECT DISTINCT PatientID, grade FROM index JOIN labels USING (PatientID) ORDER BY 1',
      '--format',
      'csv',
    );
    expect(joined.stdout).toBe('PatientID,grade\nTORSO-0001,3\nTORSO-0002,1\n');
    const where = 'PatientID IN (SELECT PatientID FROM labels WHERE grade > 2)';
    expect((await run('search', '--where', where, '--by', 'PatientID', '--format', 'csv')).stdout).toMatch(
      /^TORSO-0001,/m,
    );
    expect((await run('catalog', 'check', '--bytes')).code).toBe(0);
    // It goes with every release.
    const older = await run('sql', '--release', 'v2', 'SELECT count(*) FROM labels', '--format', 'csv', '-q');
    expect(older.stdout).toMatch(/\n2\n$/);
    expect((await run('catalog', 'remove', 'labels')).stdout).toMatch(/^removed table labels, /);
    expect((await run('sql', 'FROM labels')).code).toBe(2);
  });

  test('its flags and its mistakes say what to do', async () => {
    await writeFile(join(desk.folder, 'bad.csv'), 'a,b\n1,2\n3\n');
    const bad = await run('catalog', 'add', '--as', 'bad', 'bad.csv');
    expect([bad.code, bad.stderr]).toEqual([
      2,
      expect.stringMatching(/bad\.csv, line 3: 1 fields where the first line has 2/),
    ]);
    expect((await run('catalog', 'add', 'bad.csv', '--link')).stderr).toContain('add --as NAME');
    expect((await run('catalog', 'add', 's3://bucket/x.parquet')).stderr).toContain('--as NAME');
    expect((await run('catalog', 'add', '--as', 'index', 'bad.csv')).code).toBe(2);
    const linked = await run('catalog', 'add', '--as', 'live', '--link', 'bad.csv');
    expect(linked.code).toBe(2);
    await writeFile(join(desk.folder, 'bad.csv'), 'a,b\n1,2\n');
    expect((await run('catalog', 'add', '--as', 'live', '--link', 'bad.csv')).stdout).toMatch(
      /^table live linked: 2 columns/,
    );
    expect((await run('catalog', 'remove', 'live')).stdout).toContain('the linked file stays');
    expect((await run('catalog', 'remove', 'live')).code).toBe(4);
  });
});
