/** Series from NBIA: what is in place afterwards, and what a server may do on the way. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/serve/index.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import {
  type FetchNbiaOptions,
  fetchNbiaSeries,
  type NbiaEvent,
} from '../../../src/tcia/nbia/fetch-series.ts';
import { createNbia, type NbiaFault } from '../server/nbia.ts';
import { worldSeries } from '../server/nbia-world.ts';

const A = '1.3.6.1.4.1.14519.5.2.1.1';
const B = '1.3.6.1.4.1.14519.5.2.1.2';
const LUNG = '1.2.840.113654.2.55.77';
const HIDDEN = '1.3.6.1.4.1.14519.5.2.1.77';
const world = [worldSeries(A, 5), worldSeries(B, 2, { PatientID: 'TEST-02', Modality: 'MR' })];
const lungs = [worldSeries(LUNG, 2, { Collection: 'NLST' }), worldSeries(HIDDEN, 1, { Collection: 'NLST' })];

const nbia = createNbia({ series: world });
const nlst = createNbia({ series: lungs });
const http = createHttpPool();
let main: Listener;
let lung: Listener;
let root: string;
let folders = 0;

beforeAll(async () => {
  main = await listen({ fetch: nbia.fetch });
  lung = await listen({ fetch: nlst.fetch });
  root = await mkdtemp(join(tmpdir(), 'carrel-nbia-'));
});
afterAll(async () => {
  await http.close();
  await main.close();
  await lung.close();
  await rm(root, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  folders += 1;
  const folder = join(root, String(folders));
  await mkdir(folder);
  return folder;
}

interface Run {
  result: Awaited<ReturnType<typeof fetchNbiaSeries>>;
  events: NbiaEvent[];
  /** Requests of both servers. */
  requests: string[];
  files: string[];
  folder: string;
}

async function run(
  series: FetchNbiaOptions['series'],
  more: Partial<FetchNbiaOptions> & { faults?: NbiaFault[] } = {},
): Promise<Run> {
  const folder = more.folder ?? (await newFolder());
  nbia.faults.splice(0, Infinity, ...(more.faults ?? []));
  nbia.requests.length = 0;
  nlst.requests.length = 0;
  const events: NbiaEvent[] = [];
  const result = await fetchNbiaSeries({
    http,
    servers: { nbia: main.url, nlst: lung.url },
    retryDelayMs: 1,
    series,
    onEvent: (event) => events.push(event),
    ...more,
    folder,
  });
  const requests = [...nbia.requests, ...nlst.requests];
  return { result, events, requests, folder, files: await visible(folder) };
}

/** Files of a destination without our state. */
async function visible(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.carrel'))
    .sort();
}

/** What lies in the state folder besides records. */
async function leftOver(folder: string): Promise<string[]> {
  return (await readdir(join(folder, '.carrel', 'nbia'))).filter((name) => !name.endsWith('.json'));
}

const zips = (requests: readonly string[]) => requests.filter((line) => line.includes('getImageWithMD5Hash'));

describe('a series', () => {
  test('comes under the names of its images, proven by the MD5 of the server', async () => {
    const { result, files, folder } = await run([A, B]);
    expect(result.failed).toEqual([]);
    expect(files).toEqual(
      [
        ...[1, 2, 3, 4, 5].map((n) => `test_nbia/TEST-01/1.3.6.1.4.1.14519.5.2.1.99/CT_${A}/${A}.${n}.dcm`),
        ...[1, 2].map((n) => `test_nbia/TEST-02/1.3.6.1.4.1.14519.5.2.1.99/MR_${B}/${B}.${n}.dcm`),
      ].sort(),
    );
    const image = world[0]?.images[2];
    const file = result.fetched
      .flatMap(({ files: all }) => all)
      .find((one) => one.sopInstanceUid === `${A}.3`);
    expect(file).toEqual({
      path: `test_nbia/TEST-01/1.3.6.1.4.1.14519.5.2.1.99/CT_${A}/${A}.3.dcm`,
      bytes: image?.bytes.length,
      digest: `md5:${createHash('md5')
        .update(image?.bytes ?? '')
        .digest('hex')}`,
      sopInstanceUid: `${A}.3`,
      verifiedBy: 'md5',
    });
    expect(await readFile(join(folder, file?.path ?? ''))).toEqual(image?.bytes);
    expect(await leftOver(folder)).toEqual([]);
  });

  test('comes in the layout asked for, with its description, its date and its licence', async () => {
    const { files, result } = await run([B], { layout: 'descriptive' });
    const [, , study, series] = (files[0] ?? '').split('/');
    expect(study).toBe('2001-02-03-CHEST_ABDOMEN-.1.99');
    // Quotes are no letters of a file name: the rest of the description stays, and a hash tells it from others.
    expect(series).toMatch(/^3-AX 5mm _soft_-2\.1\.2_[0-9a-f]{10}$/);
    expect(result.fetched[0]?.series).toMatchObject({
      imageCount: 2,
      licenseUri: expect.stringContaining('by/4.0'),
    });
  });

  test('of the National Lung Screening Trial comes from its own server, whatever its UID looks like', async () => {
    const { result, requests } = await run([LUNG, HIDDEN, A]);
    expect(result.fetched.map(({ series }) => series.server).sort()).toEqual(['nbia', 'nlst', 'nlst']);
    expect(zips(requests)).toHaveLength(3);
  });

  test('that stands untouched is not asked for again; one that was touched is', async () => {
    const { folder, result } = await run([A]);
    const [series] = result.fetched.map((one) => one.series);
    const again = await run(series === undefined ? [] : [series], { folder });
    expect(again.requests).toEqual([]);
    expect(again.result.fetched).toMatchObject([{ how: 'present', attempts: 0, files: { length: 5 } }]);
    const path = join(folder, again.files[0] ?? '');
    await writeFile(path, 'changed');
    const third = await run([A], { folder });
    expect(third.result.fetched).toMatchObject([{ how: 'fetched' }]);
    expect(await readFile(path)).toEqual(world[0]?.images[0]?.bytes);
    await utimes(path, new Date(0), new Date(0));
    expect((await run([A], { folder })).result.fetched).toMatchObject([{ how: 'fetched' }]);
  });

  test('that neither server has is named, and the others come', async () => {
    const { result } = await run(['1.2.3.4.5', B]);
    expect(result.fetched).toHaveLength(1);
    expect(result.failed).toMatchObject([{ uid: '1.2.3.4.5', error: { code: 'not-found' } }]);
    expect(result.failed[0]?.error.message).toMatch(/neither at 127\.0\.0\.1:\d+ nor at 127/);
  });
});

describe('what passes', () => {
  test.each<NbiaFault['kind']>([
    'html',
    'page',
    'busy',
    'cut',
    'short',
    'no-hashes',
    'missing',
    'flip',
    'wrong',
    'nothing',
  ])('%s once: the ZIP is fetched again from its first byte', async (kind) => {
    const { result, requests, events, files, folder } = await run([A], { faults: [{ kind, times: 1 }] });
    expect(result.failed).toEqual([]);
    expect(result.fetched).toMatchObject([{ attempts: 2, how: 'fetched' }]);
    expect(zips(requests)).toHaveLength(2);
    expect(events.filter(({ type }) => type === 'attempt-failed')).toHaveLength(1);
    expect(files).toHaveLength(5);
    expect(await leftOver(folder)).toEqual([]);
  });
});

describe('what does not', () => {
  test.each<[NbiaFault['kind'], string, RegExp]>([
    ['html', 'network', /answered 500/],
    ['page', 'network', /something else than a ZIP/],
    ['cut', 'network', /./],
    ['short', 'verification', /no md5hashes\.csv: the server broke off after 2 files/],
    ['no-hashes', 'verification', /no md5hashes\.csv/],
    ['missing', 'verification', /has 4 images, and the server says that there are 5/],
    ['flip', 'verification', /damaged/],
    ['wrong', 'verification', /00000005\.dcm has the MD5 [0-9a-f]{32}, and the server says/],
    ['nothing', 'network', /with nothing/],
    ['traversal', 'unsafe', /\.\.\/evil\.dcm/],
    ['bomb', 'unsafe', /too much|bomb|more than/i],
  ])('%s: nothing stands under its name, and the reason is told', async (kind, code, message) => {
    const { result, files, folder } = await run([A, B], { faults: [{ series: A, kind }], attempts: 2 });
    expect(result.failed).toMatchObject([
      { uid: A, error: { code, message: expect.stringMatching(message) } },
    ]);
    expect(result.fetched).toMatchObject([{ series: { SeriesInstanceUID: B } }]);
    expect(files.filter((path) => path.includes(A))).toEqual([]);
    expect(await leftOver(folder)).toEqual([]);
    expect(await readdir(root)).not.toContain('evil.dcm');
  });

  test('a link in the destination that leads out of it', async () => {
    const folder = await newFolder();
    const outside = await newFolder();
    await symlink(outside, join(folder, 'test_nbia'));
    const { result } = await run([A], { folder });
    expect(result.failed).toMatchObject([{ error: { code: 'unsafe' } }]);
    expect((await readdir(outside, { recursive: true })).filter((name) => name.endsWith('.dcm'))).toEqual([]);
  });

  test('two runs in one folder', async () => {
    const folder = await newFolder();
    // Which of them comes first is the disk's affair.
    const ends = await Promise.allSettled([run([A], { folder }), run([B], { folder })]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'busy' } });
  });

  test('but for two shares of one list', async () => {
    const folder = await newFolder();
    const options = { http, servers: { nbia: main.url, nlst: lung.url }, folder };
    const shares = await Promise.all([
      fetchNbiaSeries({ ...options, series: [A], part: '1-of-2' }),
      fetchNbiaSeries({ ...options, series: [B], part: '2-of-2' }),
    ]);
    expect(shares.map(({ fetched }) => fetched.length)).toEqual([1, 1]);
    expect(await visible(folder)).toHaveLength(7);
  });

  test('an interrupt leaves no ZIP behind', async () => {
    const folder = await newFolder();
    const stop = new AbortController();
    const halted = run([A], {
      folder,
      faults: [{ kind: 'stall' }],
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'series-start') setTimeout(() => stop.abort(), 50);
      },
    });
    await expect(halted).rejects.toMatchObject({ code: 'interrupted' });
    expect(await leftOver(folder)).toEqual([]);
  });
});

describe('the description of a series', () => {
  test.each(['spaced', 'unknown'] as const)('is understood with heads %s', async (metadata) => {
    const other = createNbia({ series: world, metadata });
    const server = await listen({ fetch: other.fetch });
    try {
      const { result } = await run([A, B], { servers: { nbia: server.url, nlst: lung.url } });
      expect(result.fetched.map(({ series }) => series.imageCount)).toEqual(expect.arrayContaining([2, 5]));
    } finally {
      await server.close();
    }
  });
});
