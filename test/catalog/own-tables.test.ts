import { cp, mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AddTableOptions,
  addTable,
  type CatalogEvent,
  checkTablesOfOwn,
  installCatalog,
  listTablesOfOwn,
  openCatalog,
  removeTable,
} from '../../src/catalog/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import {
  type ForeignServer,
  findTool,
  s3Request,
  startFakeGcs,
  startVersitygw,
} from '../stores/foreign-servers.ts';
import { seriesUid, temporaryFolder, tinyArchive, writeTable, writeTinyTables } from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let installed: string;
let cacheDir: string;
let here: string;
let opener: StoreOpener;
let serial = 0;

beforeAll(async () => {
  root = await temporaryFolder();
  installed = join(root.path, 'installed');
  const tables = await writeTinyTables(join(root.path, 'tables'));
  await installCatalog({ archive, cacheDir: installed, sources: [tables] });
});
beforeEach(async () => {
  serial += 1;
  cacheDir = join(root.path, `cache-${serial}`);
  here = join(root.path, `here-${serial}`);
  await cp(installed, cacheDir, { recursive: true });
  await mkdir(here);
  opener = createOpenStore({ env: {} });
});
afterEach(() => opener.close());
afterAll(() => root.remove());

const save = async (name: string, content: string | Uint8Array) => {
  const path = join(here, name);
  await writeFile(path, content);
  return path;
};
const add = (name: string, sources: string[], more: Partial<AddTableOptions> = {}) =>
  addTable({ archive, cacheDir, name, sources, openStore: opener, ...more });
async function rowsOf(sql: string): Promise<unknown[][]> {
  const catalog = await openCatalog({ archive, cacheDir });
  try {
    const { rows } = await catalog.query(sql);
    const all: unknown[][] = [];
    for await (const piece of rows) all.push(...piece);
    return all;
  } finally {
    catalog.close();
  }
}

describe('a table of one’s own from CSV', () => {
  test('is joined with the archive’s tables, in SQL and in conditions', async () => {
    const path = await save(
      'labels.csv',
      `SeriesInstanceUID,grade,note\n${seriesUid(1)},3,"good, ""sharp"""\n${seriesUid(4)},1,\n`,
    );
    const added = await add('labels', [path]);
    expect(added).toMatchObject({
      table: 'labels',
      rows: 2,
      linked: false,
      changed: true,
      sources: [path],
      columns: [
        { name: 'SeriesInstanceUID', type: 'VARCHAR' },
        { name: 'grade', type: 'BIGINT' },
        { name: 'note', type: 'VARCHAR' },
      ],
    });
    expect(
      await rowsOf(
        'SELECT Modality, grade, note FROM index JOIN labels USING (SeriesInstanceUID) ORDER BY 2',
      ),
    ).toEqual([
      ['MR', 1, null],
      ['CT', 3, 'good, "sharp"'],
    ]);
    const catalog = await openCatalog({ archive, cacheDir });
    const where = ['SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM labels WHERE grade > 2)'];
    expect((await catalog.count({ where })).series).toBe(1);
    expect((await catalog.count({ sql: 'SELECT SeriesInstanceUID FROM labels' })).series).toBe(2);
    expect((await catalog.tables()).find(({ name }) => name === 'labels')).toMatchObject({
      installed: true,
      rows: 2,
      own: { sources: [path], linked: false },
    });
    expect(await catalog.schema('Labels')).toContainEqual({ name: 'grade', type: 'BIGINT', description: '' });
    catalog.close();
  });

  test('keeps identifiers as text: by name, and where a number begins with a zero', async () => {
    const path = await save('ids.csv', 'PatientID,case_id,site,n\n17,5,007,1\n18,6,12,2\n');
    expect((await add('ids', [path])).columns.map(({ type }) => type)).toEqual([
      'VARCHAR',
      'VARCHAR',
      'VARCHAR',
      'BIGINT',
    ]);
    expect(await rowsOf('SELECT * FROM ids')).toEqual([
      ['17', '5', '007', 1],
      ['18', '6', '12', 2],
    ]);
  });

  test.each([
    ['semicolons', 'a.csv', 'x;y\n1;2,5\n', [[1, '2,5']]],
    ['tabs', 'a.tsv', 'x\ty\n1\t2\n', [[1, 2]]],
    ['a mark of the byte order, CRLF', 'a.csv', '\uFEFFx,y\r\n1,2\r\n', [[1, 2]]],
    ['a line break within quotation marks', 'a.csv', 'x,y\n1,"a\nb"\n', [[1, 'a\nb']]],
    ['one column', 'a.csv', 'x\n1\n', [[1]]],
    ['text beyond the first 20,000 lines', 'a.csv', `x\n${'1\n'.repeat(30_000)}z\n`, 30_001],
  ])('reads %s', async (_, name, text, rows) => {
    await add('t', [await save(name, text)]);
    if (typeof rows === 'number') expect(await rowsOf('SELECT count(*) FROM t')).toEqual([[rows]]);
    else expect(await rowsOf('SELECT * FROM t')).toEqual(rows);
  });

  test('unpacks .gz, and puts several files together by the names of their columns', async () => {
    const one = await save('one.csv.gz', gzipSync('a,b\n1,x\n'));
    const two = await save('two.csv', 'b,a,c\ny,2,true\n');
    expect((await add('pair', [one, two])).rows).toBe(2);
    expect(await rowsOf('SELECT a, b, c FROM pair ORDER BY a')).toEqual([
      [1, 'x', null],
      [2, 'y', true],
    ]);
  });

  test.each([
    [
      'a field too many',
      'a,b\n1,2\n3,4,5\n',
      /bad\.csv, line 3: 3 fields where the first line has 2: 3,4,5/,
      ':3',
    ],
    ['a field too few', 'a,b\n1\n3,4\n', /bad\.csv, line 2: 1 fields where the first line has 2/, ':2'],
    ['an open quotation mark', 'a,b\n1,2\n3,"4\n', /bad\.csv, line 3: a quotation mark is not closed/, ':3'],
    ['no names', '1,2\n3,4\n', /line 1: these are values, not names: 1, 2/, ':1'],
    ['a name twice', 'a,A\n3,4\n', /line 1: two columns are called A/, ':1'],
    ['a column without a name', 'a,,c\n3,4,5\n', /line 1: column 2 has no name/, ':1'],
    ['nothing', '', /bad\.csv is empty/, ''],
    ['another encoding', Buffer.from('a,b\n\xe9,1\n', 'latin1'), /bad\.csv, line \d: not text in UTF-8/, ''],
    ['a spreadsheet', Buffer.from('PK\u0003\u0004\0\0\0'), /bad\.csv is not text in UTF-8/, ''],
  ])('with %s is refused with its line, and leaves nothing', async (_, text, message, item) => {
    const path = await save('bad.csv', text);
    await expect(add('bad', [path])).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as string,
      item: expect.stringContaining(item) as string,
      next: expect.any(String) as string,
    });
    expect(await listTablesOfOwn({ cacheDir, archive: 'tiny' })).toEqual([]);
    const left = await readdir(join(cacheDir, 'catalogs', 'tiny'), { recursive: true });
    expect(left.filter((name) => name.includes('incoming') || /own-bad/.test(name))).toEqual([]);
  });
});

describe('a copy and a link', () => {
  test('a copy stays as it was until it is added again; an unchanged file is not copied again', async () => {
    const path = await save('l.csv', 'x\n1\n');
    await add('l', [path]);
    expect((await add('l', [path])).changed).toBe(false);
    await writeFile(path, 'x\n1\n2\n');
    expect(await rowsOf('SELECT count(*) FROM l')).toEqual([[1]]);
    expect(await add('l', [path])).toMatchObject({ changed: true, rows: 2 });
    expect(await rowsOf('SELECT count(*) FROM l')).toEqual([[2]]);
    const copies = await readdir(join(cacheDir, 'catalogs', 'tiny', '.tables', 'l'));
    expect(copies.filter((name) => name !== 'table.json')).toHaveLength(1);
    await rm(path);
    expect(await rowsOf('SELECT count(*) FROM l')).toEqual([[2]]);
  });

  test('a link follows its file; where that is gone or wrong, only its own table cannot be asked', async () => {
    const path = await save('live.csv', 'PatientID,n\n1,5\n');
    expect(await add('live', [path], { link: true })).toMatchObject({ linked: true, rows: null });
    await writeFile(path, 'PatientID,n\n1,5\n2,6\n');
    expect(await rowsOf('SELECT * FROM live')).toEqual([
      ['1', 5],
      ['2', 6],
    ]);
    await writeFile(path, 'PatientID,n\n1,5\n2,6,7\n');
    await expect(rowsOf('SELECT * FROM live')).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/your table live cannot be read: .*line 3: 3 fields/) as string,
    });
    await rm(path);
    await expect(rowsOf('SELECT * FROM live')).rejects.toMatchObject({
      code: 'not-found',
      message: `your table live cannot be read: ${path} is missing`,
    });
    expect(await rowsOf('SELECT count(*) FROM index')).toEqual([[6]]);
    await expect(add('far', ['https://127.0.0.1:1/a.csv'], { link: true })).rejects.toMatchObject({
      code: expect.stringMatching(/usage|network/) as string,
    });
  });

  test('a copy that lost bytes is named when it is asked for, and adding it again repairs it', async () => {
    const path = await writeTable(here, 'p.parquet', 'SELECT range AS n FROM range(1000)');
    const { path: folder } = await add('p', [path]);
    const [copy = ''] = (await readdir(folder)).filter((name) => name !== 'table.json');
    await truncate(join(folder, copy, '00000.parquet'), 50);
    await expect(rowsOf('SELECT * FROM p')).rejects.toMatchObject({
      code: 'verification',
      message: expect.stringMatching(/your table p cannot be read: .* has 50 bytes/) as string,
    });
    const bad = { table: 'p', ok: false };
    expect(await checkTablesOfOwn({ cacheDir, archive: 'tiny' })).toMatchObject([bad]);
    expect((await add('p', [path])).changed).toBe(true);
    expect(await rowsOf('SELECT count(*) FROM p')).toEqual([[1000]]);
  });

  test('of copies whose bytes changed under the same size, the digest tells', async () => {
    const path = await writeTable(here, 'p.parquet', 'SELECT range AS n FROM range(1000)');
    const { path: folder } = await add('p', [path]);
    const [copy = ''] = (await readdir(folder)).filter((name) => name !== 'table.json');
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 0xff;
    await writeFile(join(folder, copy, '00000.parquet'), bytes);
    expect(await checkTablesOfOwn({ cacheDir, archive: 'tiny' })).toMatchObject([
      { table: 'p', ok: false, problem: expect.stringContaining('other bytes') as string },
    ]);
    await add('p', [path]);
    expect(await checkTablesOfOwn({ cacheDir, archive: 'tiny' })).toMatchObject([{ ok: true }]);
  });

  test('removing one leaves the linked file, and every version of the archive', async () => {
    const path = await save('l.csv', 'x\n1\n');
    await add('l', [path], { link: true });
    await removeTable({ cacheDir, archive: 'tiny', name: 'L' });
    expect(await readdir(here)).toEqual(['l.csv']);
    await expect(rowsOf('FROM l')).rejects.toMatchObject({ code: 'sql' });
    await expect(removeTable({ cacheDir, archive: 'tiny', name: 'l' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('the engine reads the files of the tables and nothing beside them', async () => {
    const path = await save('l.csv', 'x\n1\n');
    const secret = await save('secret.csv', 'x\nsecret\n');
    await add('l', [path], { link: true });
    await expect(rowsOf(`SELECT * FROM read_csv('${secret}')`)).rejects.toMatchObject({ code: 'sql' });
    await expect(rowsOf(`COPY (SELECT 1) TO '${path}'`)).rejects.toMatchObject({ code: 'sql' });
  });
});

describe('its name', () => {
  test.each([
    ['of a table of the archive', 'INDEX', /tiny has a table INDEX itself/],
    ['of one that is not installed', 'sm_instance_index', /tiny has a table/],
    ['a word of SQL', 'select', /select is a word of SQL/],
    ['of a schema', 'clinical', /a word of SQL/],
    ['of the engine’s own tables', 'duckdb_tables', /a word of SQL/],
    ['with a blank', 'my table', /cannot be the name/],
    ['that leads out of the folder', '../x', /cannot be the name/],
    ['with a quotation mark', 'a"b', /cannot be the name/],
  ])('%s is refused', async (_, name, message) => {
    const path = await save('l.csv', 'x\n1\n');
    await expect(add(name, [path])).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message) as string,
    });
  });

  test('of another table of one’s own is refused too, until it is to be replaced', async () => {
    const [one, two] = [await save('1.csv', 'x\n1\n'), await save('2.csv', 'y\n2\n')];
    await add('t', [one]);
    await expect(add('T', [two])).rejects.toMatchObject({
      code: 'usage',
      next: expect.stringContaining('--replace') as string,
    });
    await add('t', [two], { replace: true });
    expect(await rowsOf('SELECT y FROM t')).toEqual([[2]]);
  });
});

/** Three parts of one export, with what else stands in such a folder. */
async function writeParts(folder: string): Promise<void> {
  for (const part of [0, 1, 2])
    await writeTable(
      folder,
      `00000000000${part}.parquet`,
      `SELECT '${seriesUid(part + 1)}' AS SeriesInstanceUID, ${part}::BIGINT AS part${part === 2 ? ", 'late' AS extra" : ''}`,
    );
  await writeFile(join(folder, '_SUCCESS'), '');
  await writeFile(join(folder, 'readme.txt'), 'about');
}
const JOINED = 'SELECT part, Modality, extra FROM index JOIN dicom_all USING (SeriesInstanceUID) ORDER BY 1';
const PARTS = [
  [0, 'CT', null],
  [1, 'SEG', null],
  [2, 'CT', 'late'],
];

describe('a folder of Parquet parts', () => {
  let servers: ObjectServers;
  let buckets: string;
  beforeAll(async () => {
    buckets = join(root.path, 'buckets');
    await writeParts(join(buckets, 'open-metadata', 'export', 'v5', 'dicom_all'));
    servers = await startObjectServers({ root: buckets });
  });
  afterAll(() => servers.close());

  test.each([
    ['on this disk', () => [join(buckets, 'open-metadata/export/v5/dicom_all')], undefined],
    ['by a pattern', () => [join(buckets, 'open-metadata/export/v5/dicom_all/*.parquet')], undefined],
    ['over s3://', () => ['s3://open-metadata/export/v5/dicom_all/'], () => servers.s3.url],
    [
      'over s3:// without the last slash',
      () => ['s3://open-metadata/export/v5/dicom_all'],
      () => servers.s3.url,
    ],
    [
      'over s3:// by a pattern',
      () => ['s3://open-metadata/export/*/dicom_all/*.parquet'],
      () => servers.s3.url,
    ],
    ['over gs://', () => ['gs://open-metadata/export/v5/dicom_all/'], () => servers.gcs.url],
    [
      'over https://, file by file',
      () =>
        [0, 1, 2].map(
          (part) => `${servers.s3.url}/open-metadata/export/v5/dicom_all/00000000000${part}.parquet`,
        ),
      undefined,
    ],
  ])('%s is one table, matched by name of columns', async (_, sources, endpoint) => {
    const events: CatalogEvent[] = [];
    const added = await add('dicom_all', sources(), {
      endpoint: endpoint?.(),
      onEvent: (event) => events.push(event),
    });
    expect(added).toMatchObject({ rows: 3, changed: true });
    expect(await rowsOf(JOINED)).toEqual(PARTS);
    const last = events.filter((event) => event.type === 'progress').at(-1);
    expect(last).toMatchObject({ table: 'dicom_all', bytes: added.bytes, total: added.bytes });
  });

  test('a part that did not change is not fetched again; a new one is', async () => {
    const sources = ['s3://growing/t/'];
    await writeTable(join(buckets, 'growing', 't'), 'a.parquet', 'SELECT 1 AS n');
    await add('t', sources, { endpoint: servers.s3.url });
    await writeTable(join(buckets, 'growing', 't'), 'b.parquet', 'SELECT 2 AS n');
    servers.s3.requests.length = 0;
    expect(await add('t', sources, { endpoint: servers.s3.url })).toMatchObject({ changed: true, rows: 2 });
    const fetched = servers.s3.requests
      .map((request) => JSON.stringify(request))
      .filter((text) => text.includes('.parquet'));
    expect(fetched.filter((text) => text.includes('a.parquet'))).toEqual([]);
    expect(fetched.filter((text) => text.includes('b.parquet'))).not.toEqual([]);
    expect(await add('t', sources, { endpoint: servers.s3.url })).toMatchObject({ changed: false });
  });

  test('parts left from an earlier export are told by their dates', async () => {
    const folder = join(buckets, 'stale', 't');
    for (const part of ['a', 'b', 'c', 'd']) await writeTable(folder, `${part}.parquet`, 'SELECT 1 AS n');
    await utimes(join(folder, 'd.parquet'), new Date('2020-01-01'), new Date('2020-01-01'));
    const notes: string[] = [];
    const onEvent = (event: CatalogEvent) => {
      if (event.type === 'note') notes.push(event.message);
    };
    await add('t', [folder], { onEvent });
    expect(notes).toEqual([expect.stringMatching(/1 of 4 parts are older .*d\.parquet: 2020-01-01/)]);
  });

  test('what is no Parquet is named, and nothing is left', async () => {
    await mkdir(join(buckets, 'wrong', 't'), { recursive: true });
    await writeTable(join(buckets, 'wrong', 't'), 'a.parquet', 'SELECT 1 AS n');
    await writeFile(join(buckets, 'wrong', 't', 'b.parquet'), 'PAR1 but not for long');
    await expect(add('t', ['s3://wrong/t/'], { endpoint: servers.s3.url })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/b\.parquet is no whole Parquet file/) as string,
    });
    expect(await listTablesOfOwn({ cacheDir, archive: 'tiny' })).toEqual([]);
  });

  test('nothing there, a folder over https, Parquet beside CSV: each says what to do', async () => {
    await expect(add('t', ['s3://open-metadata/none/'], { endpoint: servers.s3.url })).rejects.toMatchObject({
      code: 'not-found',
      item: 's3://open-metadata/none/',
    });
    await expect(add('t', [`${servers.s3.url}/open-metadata/export/`])).rejects.toMatchObject({
      code: 'usage',
      next: expect.stringContaining('s3://') as string,
    });
    const both = [await save('a.csv', 'x\n1\n'), await writeTable(here, 'a.parquet', 'SELECT 1 AS n')];
    await expect(add('t', both)).rejects.toMatchObject({ code: 'usage' });
    await expect(add('t', ['ftp://127.0.0.1/a.parquet'])).rejects.toMatchObject({ code: 'usage' });
  });

  test('a download that breaks off is continued', async () => {
    const parquet = await writeTable(
      here,
      'big.parquet',
      'SELECT range AS n, md5(range::VARCHAR) AS t FROM range(20000)',
    );
    const bytes = await readFile(parquet);
    const ranges: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      if (request.method === 'HEAD')
        return response.writeHead(200, { etag: '"1"', 'content-length': bytes.length }).end();
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      ranges.push(request.headers.range);
      response.writeHead(start > 0 ? 206 : 200, {
        etag: '"1"',
        'content-length': bytes.length - start,
        ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
      });
      if (start > 0) return response.end(bytes.subarray(start));
      return response.write(bytes.subarray(0, 10_000), () => setTimeout(() => response.destroy(), 20));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/big.parquet`;
      expect((await add('big', [url])).rows).toBe(20_000);
      expect(ranges).toEqual([undefined, 'bytes=10000-']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a folder of Parquet parts on servers of others', () => {
  const versitygw = findTool('versitygw');
  const fakeGcs = findTool('fake-gcs-server');
  let parts: [string, Buffer][];
  beforeAll(async () => {
    const folder = join(root.path, 'foreign-parts');
    await writeParts(folder);
    parts = await Promise.all(
      (await readdir(folder)).map(
        async (name) => [name, await readFile(join(folder, name))] as [string, Buffer],
      ),
    );
  });

  test('versitygw, s3://', async ({ skip }) => {
    if (versitygw === undefined) return skip('versitygw is missing (scripts/fetch-test-tools.sh)');
    const server: ForeignServer = await startVersitygw(versitygw);
    try {
      await s3Request(server.url, 'PUT', '/metadata');
      for (const [name, body] of parts)
        await s3Request(server.url, 'PUT', `/metadata/export/dicom_all/${name}`, { body });
      const policy = {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: ['s3:GetObject', 's3:ListBucket'],
            Resource: ['arn:aws:s3:::metadata', 'arn:aws:s3:::metadata/*'],
          },
        ],
      };
      await s3Request(server.url, 'PUT', '/metadata', {
        query: { policy: '' },
        body: JSON.stringify(policy),
      });
      await add('dicom_all', ['s3://metadata/export/dicom_all/'], { endpoint: server.url });
      expect(await rowsOf(JOINED)).toEqual(PARTS);
    } finally {
      await server.close();
    }
  });

  test('fake-gcs-server, gs://', async ({ skip }) => {
    if (fakeGcs === undefined) return skip('fake-gcs-server is missing (scripts/fetch-test-tools.sh)');
    const server: ForeignServer = await startFakeGcs(fakeGcs);
    try {
      const post = (path: string, body: Buffer | string, type: string) =>
        fetch(`${server.url}${path}`, {
          method: 'POST',
          body: Buffer.from(body),
          headers: { 'content-type': type },
        });
      await post('/storage/v1/b?project=test', JSON.stringify({ name: 'metadata' }), 'application/json');
      for (const [name, body] of parts) {
        const key = encodeURIComponent(`export/dicom_all/${name}`);
        await post(
          `/upload/storage/v1/b/metadata/o?uploadType=media&name=${key}`,
          body,
          'application/octet-stream',
        );
      }
      await add('dicom_all', ['gs://metadata/export/dicom_all/'], { endpoint: server.url });
      expect(await rowsOf(JOINED)).toEqual(PARTS);
    } finally {
      await server.close();
    }
  });
});
