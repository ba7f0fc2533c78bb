import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  checkCatalog,
  installCatalog,
  listCatalogs,
  openCatalog,
  removeCatalog,
} from '../../src/catalog/index.ts';
import {
  indexValues,
  SERIES,
  temporaryFolder,
  tinyArchive,
  writeTable,
  writeTinyTables,
} from './tiny-tables.ts';
import { writeZip } from './zip-file.ts';

const archive = tinyArchive();
const WORKER = fileURLToPath(import.meta.resolve('./install-worker.ts'));
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let tables: string;
let wheel: string;
let serial = 0;
const freshFolder = (name: string) => {
  serial += 1;
  return join(root.path, `${name}-${serial}`);
};
const freshCache = () => freshFolder('cache');

beforeAll(async () => {
  root = await temporaryFolder();
  tables = await writeTinyTables(join(root.path, 'tables'));
  const entries: Record<string, Buffer | string> = {
    'tiny_index_data-5.0.0.dist-info/METADATA': 'Name: tiny',
  };
  for (const name of await readdir(tables))
    entries[`tiny_index_data/${name}`] = await readFile(join(tables, name));
  entries['tiny_index_data/idc_index_schema.json'] = JSON.stringify({
    table_description: 'Series.',
    columns: [{ name: 'Modality', type: 'STRING', mode: 'NULLABLE', description: 'what made it' }],
  });
  entries['tiny_index_data/seg_index_schema.json'] = JSON.stringify({
    columns: [{ name: 'names', type: 'STRING', mode: 'REPEATED', description: 'segments' }],
  });
  wheel = await writeZip(join(root.path, 'tiny_index_data-5.0.0-py3-none-any.whl'), entries);
});
afterAll(() => root.remove());

describe('installing a catalogue', () => {
  test('from a wheel, a folder or loose files gives the same tables under <cache>/catalogs/<archive>/<version>', async () => {
    const files = (await readdir(tables)).map((name) => join(tables, name));
    const seen: unknown[] = [];
    for (const sources of [[wheel], [tables], files]) {
      const cacheDir = freshCache();
      const installed = await installCatalog({ archive, cacheDir, sources });
      expect(installed.path).toBe(join(cacheDir, 'catalogs', 'tiny', '5.0.0'));
      expect(installed.added).toHaveLength(5);
      seen.push({ version: installed.version, release: installed.release, tables: installed.tables });
      expect(await readdir(join(cacheDir, 'catalogs', 'tiny'))).toEqual(['5.0.0']);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject({ version: '5.0.0', release: 'v5' });
  });

  test('writes catalog.json with sizes, digests, rows and provenance', async () => {
    const { path } = await installCatalog({ archive, cacheDir: freshCache(), sources: [wheel] });
    const content = JSON.parse(await readFile(join(path, 'catalog.json'), 'utf8')) as Record<string, unknown>;
    expect(content).toMatchObject({
      carrel_catalog: 1,
      archive: 'tiny',
      version: '5.0.0',
      builtFrom: '5.0.0-0-gabc',
      sources: ['tiny_index_data-5.0.0-py3-none-any.whl'],
    });
    expect(content['tables']).toContainEqual(
      expect.objectContaining({
        name: 'index',
        rows: 6,
        columns: 18,
        sizes: 'exact',
        files: [expect.objectContaining({ path: 'idc_index.parquet' })],
      }),
    );
    expect(content['tables']).toContainEqual(
      expect.objectContaining({ name: 'prior_versions_index', sizes: 'rounded' }),
    );
  });

  test('a second time changes nothing', async () => {
    const cacheDir = freshCache();
    await installCatalog({ archive, cacheDir, sources: [wheel] });
    const again = await installCatalog({ archive, cacheDir, sources: [wheel] });
    expect(again.added).toEqual([]);
  });

  test('a table can be added later; another table of the same name and version is refused', async () => {
    const cacheDir = freshCache();
    await installCatalog({ archive, cacheDir, sources: [wheel] });
    const slides = await writeTinyTables(join(root.path, 'with-slides'), { slides: true });
    const added = await installCatalog({
      archive,
      cacheDir,
      sources: [join(slides, 'sm_instance_index.parquet')],
    });
    expect(added.added).toEqual(['sm_instance_index']);
    expect(added.tables).toHaveLength(6);
    const other = await writeTable(
      join(root.path, 'other'),
      'idc_index.parquet',
      indexValues(SERIES.slice(1)),
      '5.0.0',
    );
    await expect(installCatalog({ archive, cacheDir, sources: [other] })).rejects.toMatchObject({
      code: 'bad-input',
      item: 'index',
    });
  });

  test('clinical tables are installed under clinical.NAME, in parts too', async () => {
    const folder = join(root.path, 'clinical-source');
    await writeTinyTables(folder);
    await writeTable(
      join(folder, 'clinical_data', 'alpha_demo'),
      '000.parquet',
      "SELECT 'P1' AS dicom_patient_id, 7 AS age",
    );
    await writeTable(
      join(folder, 'clinical_data', 'alpha_demo'),
      '001.parquet',
      "SELECT 'P2' AS dicom_patient_id, 8 AS age",
    );
    const cacheDir = freshCache();
    const installed = await installCatalog({ archive, cacheDir, sources: [folder] });
    expect(installed.tables.map(({ name }) => name)).toContain('clinical.alpha_demo');
    const catalog = await openCatalog({ archive, cacheDir });
    const { rows } = await catalog.query(
      'SELECT Modality, age FROM index JOIN clinical.alpha_demo ON PatientID = dicom_patient_id ORDER BY ALL',
    );
    const all: unknown[][] = [];
    for await (const chunk of rows) all.push(...chunk);
    expect(all).toEqual([
      ['CT', 7],
      ['CT', 8],
      ['MR', 7],
      ['SEG', 7],
    ]);
    expect(await catalog.schema('clinical.alpha_demo')).toEqual([
      { name: 'dicom_patient_id', type: 'VARCHAR', description: '' },
      { name: 'age', type: 'INTEGER', description: '' },
    ]);
    catalog.close();
  });

  test('a clinical table among the others is under clinical.NAME too', async () => {
    const folder = join(root.path, 'clinical-among');
    await writeTinyTables(folder);
    await writeTable(folder, 'beta_demo.parquet', "SELECT 'P1' AS dicom_patient_id, 9 AS age");
    await writeTable(
      folder,
      'clinical_index.parquet',
      "SELECT 'beta_demo' AS short_table_name, 'age' AS column_label",
    );
    const cacheDir = freshCache();
    await installCatalog({ archive, cacheDir, sources: [folder] });
    const catalog = await openCatalog({ archive, cacheDir });
    const { rows } = await catalog.query('SELECT a.age, b.age FROM clinical.beta_demo a, beta_demo b');
    for await (const chunk of rows) expect(chunk).toEqual([[9, 9]]);
    catalog.close();
  });

  test('schema files describe columns, of tables that are not installed too', async () => {
    const cacheDir = freshCache();
    await installCatalog({ archive, cacheDir, sources: [wheel] });
    const catalog = await openCatalog({ archive, cacheDir });
    expect(await catalog.schema('index')).toContainEqual({
      name: 'Modality',
      type: 'VARCHAR',
      description: 'what made it',
    });
    expect(await catalog.schema('seg_index')).toEqual([
      { name: 'names', type: 'VARCHAR[]', description: 'segments' },
    ]);
    const listed = await catalog.tables();
    expect(listed.find(({ name }) => name === 'sm_instance_index')).toMatchObject({
      installed: false,
      rows: null,
    });
    expect(listed.find(({ name }) => name === 'index')).toMatchObject({
      installed: true,
      rows: 6,
      description: 'One row per series.',
    });
    await expect(catalog.schema('idx')).rejects.toMatchObject({ code: 'not-found' });
    catalog.close();
  });
});

describe('what cannot be installed', () => {
  test.each<[string, (folder: string) => Promise<string>, string, RegExp]>([
    [
      'a file that is not there',
      async (folder) => join(folder, 'none.whl'),
      'not-found',
      /no file or folder/,
    ],
    [
      'a text',
      async (folder) => save(folder, 'a.whl', 'hello, this is no wheel'),
      'bad-input',
      /neither a ZIP archive/,
    ],
    [
      'an empty file',
      async (folder) => save(folder, 'idc_index.parquet', ''),
      'bad-input',
      /empty \(0 bytes\)/,
    ],
    [
      'a wheel cut short',
      async (folder) => cut(wheel, join(folder, 'cut.whl'), 2000),
      'bad-input',
      /cannot be read as a ZIP/,
    ],
    [
      'a wheel without tables',
      async (folder) => writeZip(join(folder, 'numpy-2.0.0-py3.whl'), { 'numpy/core.py': '' }),
      'bad-input',
      /no table \(\.parquet\)/,
    ],
    [
      'a wheel with an empty table',
      async (folder) => writeZip(join(folder, 't-5.0.0-py3.whl'), { 't/idc_index.parquet': '' }),
      'bad-input',
      /it has 0 bytes/,
    ],
    [
      'a wheel of another package',
      async (folder) =>
        writeZip(join(folder, 'other-5.0.0-py3-none-any.whl'), {
          'other-5.0.0.dist-info/METADATA': 'Name: other',
          'other/idc_index.parquet': await readFile(join(tables, 'idc_index.parquet')),
        }),
      'bad-input',
      /other-5\.0\.0-py3-none-any\.whl is the package other; the tables of tiny are in tiny-index-data/,
    ],
    [
      'a main table without a column that it needs',
      async (folder) => {
        const all = `SELECT * EXCLUDE (StudyInstanceUID) FROM (${indexValues(SERIES)})`;
        await writeTable(folder, 'idc_index.parquet', all, '5.0.0');
        return folder;
      },
      'bad-input',
      /the table index lacks StudyInstanceUID \(idc_index\.parquet\)/,
    ],
    [
      'a main table that does not tell versions apart',
      async (folder) => {
        const all = `SELECT * EXCLUDE (crdc_series_uuid, series_aws_url) FROM (${indexValues(SERIES)})`;
        await writeTable(folder, 'idc_index.parquet', all, '5.0.0');
        return folder;
      },
      'bad-input',
      /the table index lacks crdc_series_uuid or series_aws_url/,
    ],
    [
      'a table of prior versions without their ranges',
      async (folder) => {
        await writeTinyTables(folder);
        const prior = join(tables, 'prior_versions_index.parquet');
        const select = `SELECT * EXCLUDE (min_idc_version, max_idc_version) FROM '${prior}'`;
        await writeTable(folder, 'prior_versions_index.parquet', select, '5.0.0');
        return folder;
      },
      'bad-input',
      /the table prior_versions_index lacks min_idc_version, max_idc_version/,
    ],
    [
      'a table cut short',
      async (folder) => cut(join(tables, 'idc_index.parquet'), join(folder, 'idc_index.parquet'), 900),
      'bad-input',
      /no whole Parquet file/,
    ],
    [
      'prior versions without the main table',
      async () => join(tables, 'prior_versions_index.parquet'),
      'bad-input',
      /main table \(index\)/,
    ],
  ])('%s: the error names it', async (_, source, code, message) => {
    const folder = freshFolder('wrong');
    await mkdir(folder, { recursive: true });
    const cacheDir = freshCache();
    const attempt = installCatalog({ archive, cacheDir, sources: [await source(folder)] });
    await expect(attempt).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      next: expect.any(String) as string,
    });
    expect(await listCatalogs({ cacheDir })).toEqual([]);
    expect(await readdir(join(cacheDir, 'catalogs', 'tiny'))).toEqual([]);
  });

  test('a table that says no version needs one, and one of another version is refused', async () => {
    const folder = join(root.path, 'versions');
    const silent = await writeTable(folder, 'idc_index.parquet', indexValues(SERIES));
    await expect(
      installCatalog({ archive, cacheDir: freshCache(), sources: [silent] }),
    ).rejects.toMatchObject({
      code: 'bad-input',
      next: expect.stringContaining('--version') as string,
    });
    const named = await installCatalog({
      archive,
      cacheDir: freshCache(),
      sources: [silent],
      version: '5.0.0',
    });
    expect(named.version).toBe('5.0.0');
    await expect(
      installCatalog({ archive, cacheDir: freshCache(), sources: [wheel], version: '6.0.0' }),
    ).rejects.toThrow(/different versions: 6.0.0, 5.0.0/);
    const prior = await writeTable(folder, 'prior_versions_index.parquet', 'SELECT 1 AS a', '4.0.0');
    await expect(
      installCatalog({ archive, cacheDir: freshCache(), sources: [wheel, prior] }),
    ).rejects.toThrow(/twice|different versions/);
  });

  test('a version that would leave the folder is refused', async () => {
    const silent = join(root.path, 'versions', 'idc_index.parquet');
    await expect(
      installCatalog({ archive, cacheDir: freshCache(), sources: [silent], version: '../x' }),
    ).rejects.toMatchObject({ code: 'usage' });
  });

  test('bytes that differ from those pinned in the record are refused', async () => {
    const pinned = tinyArchive({
      versions: [{ version: '5.0.0', release: 'v5', sha256: { 'idc_index.parquet': 'a'.repeat(64) } }],
    });
    await expect(
      installCatalog({ archive: pinned, cacheDir: freshCache(), sources: [wheel] }),
    ).rejects.toMatchObject({
      code: 'verification',
      message: expect.stringContaining('idc_index.parquet') as string,
    });
  });
});

describe('two processes, and one that dies', () => {
  const worker = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', WORKER, ...args]);

  test('both installs of one version succeed, and one catalogue stands', async () => {
    const cacheDir = freshCache();
    const answers = await Promise.all([1, 2, 3].map(() => worker(cacheDir, wheel)));
    const added = answers
      .map(({ stdout }) => (JSON.parse(stdout) as { added: string[] }).added.length)
      .sort((a, b) => a - b);
    expect(added).toEqual([0, 0, 5]);
    expect(await readdir(join(cacheDir, 'catalogs', 'tiny'))).toEqual(['5.0.0']);
    expect((await checkCatalog({ cacheDir, archive: 'tiny', version: '5.0.0' })).every(({ ok }) => ok)).toBe(
      true,
    );
  });

  test('killed in the middle: no half catalogue, and the next install sweeps up', async () => {
    const cacheDir = freshCache();
    await expect(worker(cacheDir, wheel, 'die')).rejects.toMatchObject({ signal: 'SIGKILL' });
    expect(await listCatalogs({ cacheDir })).toEqual([]);
    await expect(openCatalog({ archive, cacheDir })).rejects.toMatchObject({ code: 'not-found' });
    expect(await readdir(join(cacheDir, 'catalogs', 'tiny'))).toHaveLength(1);
    await installCatalog({ archive, cacheDir, sources: [wheel] });
    expect(await readdir(join(cacheDir, 'catalogs', 'tiny'))).toEqual(['5.0.0']);
  });
});

describe('installed catalogues', () => {
  test('nothing installed: the error has both commands', async () => {
    await expect(openCatalog({ archive, cacheDir: freshCache() })).rejects.toMatchObject({
      code: 'not-found',
      next: 'carrel catalog update --archive /somewhere/archive.json, or without direct access: pip download --no-deps tiny-index-data==5.0.0 && carrel catalog add --archive /somewhere/archive.json tiny_index_data-5.0.0-py3-none-any.whl',
    });
  });

  test('a table that lost bytes is named when the catalogue is opened, and installing again repairs it', async () => {
    const cacheDir = freshCache();
    const { path } = await installCatalog({ archive, cacheDir, sources: [wheel] });
    await truncate(join(path, 'prior_versions_index.parquet'), 500);
    await expect(openCatalog({ archive, cacheDir })).rejects.toMatchObject({
      code: 'verification',
      message: expect.stringMatching(
        /table prior_versions_index of catalogue 5\.0\.0 is damaged: .* has 500 bytes/,
      ) as string,
    });
    const repaired = await installCatalog({ archive, cacheDir, sources: [wheel] });
    expect(repaired.added).toEqual(['prior_versions_index']);
    (await openCatalog({ archive, cacheDir })).close();
  });

  test('a table whose bytes changed is found by the full check, and installing again repairs it', async () => {
    const cacheDir = freshCache();
    const { path } = await installCatalog({ archive, cacheDir, sources: [wheel] });
    const bytes = await readFile(join(path, 'idc_index.parquet'));
    bytes[100] = (bytes[100] ?? 0) ^ 0xff;
    await writeFile(join(path, 'idc_index.parquet'), bytes);
    const bad = (await checkCatalog({ cacheDir, archive: 'tiny', version: '5.0.0' })).filter(({ ok }) => !ok);
    expect(bad).toEqual([
      {
        table: 'index',
        file: 'idc_index.parquet',
        ok: false,
        problem: 'idc_index.parquet has other bytes than were installed',
      },
    ]);
    expect((await installCatalog({ archive, cacheDir, sources: [wheel] })).added).toEqual(['index']);
    expect((await checkCatalog({ cacheDir, archive: 'tiny', version: '5.0.0' })).every(({ ok }) => ok)).toBe(
      true,
    );
  });

  test('a damaged catalog.json is named, not read; other versions stay usable, and it can be removed', async () => {
    const cacheDir = freshCache();
    const { path } = await installCatalog({ archive, cacheDir, sources: [wheel] });
    await writeFile(join(path, 'catalog.json'), '{"carrel_catalog": 1');
    await expect(openCatalog({ archive, cacheDir })).rejects.toMatchObject({
      code: 'verification',
      item: join(path, 'catalog.json'),
    });
    expect(await listCatalogs({ cacheDir })).toMatchObject([
      { version: '5.0.0', problem: `${join(path, 'catalog.json')} is damaged`, tables: [] },
    ]);
    const older = join(root.path, 'older');
    await writeTinyTables(older, { version: '4.0.0' });
    await installCatalog({ archive, cacheDir, sources: [older] });
    await expect(openCatalog({ archive, cacheDir })).rejects.toMatchObject({ code: 'verification' });
    (await openCatalog({ archive, cacheDir, version: '4.0.0' })).close();
    (await openCatalog({ archive, cacheDir, release: 'v4' })).close();
    await removeCatalog({ cacheDir, archive: 'tiny', version: '5.0.0' });
    (await openCatalog({ archive, cacheDir })).close();
  });

  test('are listed newest first by number, and can be removed', async () => {
    const cacheDir = freshCache();
    for (const version of ['9.0.0', '10.0.1', '10.0.0']) {
      const folder = join(root.path, `v${version}`);
      await writeTinyTables(folder, { version });
      await installCatalog({ archive, cacheDir, sources: [folder] });
    }
    const versions = async () => (await listCatalogs({ cacheDir })).map(({ version }) => version);
    expect(await versions()).toEqual(['10.0.1', '10.0.0', '9.0.0']);
    await removeCatalog({ cacheDir, archive: 'tiny', version: '10.0.1' });
    expect(await versions()).toEqual(['10.0.0', '9.0.0']);
    await expect(removeCatalog({ cacheDir, archive: 'tiny', version: '1.0.0' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('folders whose names mean something to file patterns or SQL work', async () => {
    const cacheDir = join(root.path, "it's [a] *cache? ünï");
    await installCatalog({ archive, cacheDir, sources: [wheel] });
    const catalog = await openCatalog({ archive, cacheDir });
    expect((await catalog.count({})).series).toBe(6);
    catalog.close();
  });
});

async function save(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function cut(from: string, to: string, size: number): Promise<string> {
  await copyFile(from, to);
  await truncate(to, size);
  return to;
}
