/** A redacted file is told apart from a lost one: by the archive's tombstones, and by nothing else. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Archive, parseArchive, toRecord } from '../../src/archives/index.ts';
import { getPlanned, planCohort, readTombstones, resolveCohort, type Tools } from '../../src/cohort/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';

const SERIES = '11111111-1111-4111-8111-111111111111';
const GONE = '22222222-2222-4222-8222-222222222222';
const instance = (n: number) => `0000000${n}-0000-4000-8000-000000000000`;

let folder: string;
let stores: StoreOpener;
let bucket: string;
let lists = 0;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-tombstones-'));
  stores = createOpenStore();
  bucket = join(folder, 'mirror', 'open');
  for (const series of [SERIES, GONE]) {
    await mkdir(join(bucket, series), { recursive: true });
    for (const n of [1, 2, 3]) await writeFile(join(bucket, series, `${instance(n)}.dcm`), `${series} ${n}`);
  }
  server = createServer((request, response) => {
    lists += 1;
    if (request.url === '/tombstones.json') response.end(JSON.stringify(list));
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  await stores.close();
  await rm(folder, { recursive: true, force: true });
});

const list = {
  carrel_tombstones: 1,
  tombstones: [
    {
      uuid: instance(1).toUpperCase(),
      level: 'instance',
      date: '2026-02-03',
      reason: 'phi',
      description: 'A name was burnt into the pixels.',
    },
    { uuid: GONE, level: 'series', date: '2026-03-04', reason: 'consent-withdrawn' },
  ],
};

function archiveWith(tombstones: string | undefined): Archive {
  const record = {
    carrel_archive: 1,
    name: 'buried',
    title: 'An archive with a graveyard',
    mirrors: [{ name: 'disk', protocol: 'file', endpoint: 'mirror' }],
    bucketClasses: [{ name: 'open', buckets: { disk: 'open' } }],
    tombstones,
  };
  return parseArchive(record, { origin: 'test', base: join(folder, 'archive.json') });
}

const toolsOf = (archive: Archive): Tools => ({
  archive,
  catalog: undefined,
  openStore: stores.openStore,
  http: stores.pool,
  from: 'auto',
});

/** Fills a folder from both series, then takes files away from the mirror, and fetches by the lock file again. */
async function again(archive: Archive, removed: readonly string[]) {
  const tools = toolsOf(archive);
  const first = join(folder, `first-${Math.random()}`);
  const cohort = await resolveCohort({ what: [SERIES, GONE], selection: {} }, tools, { cwd: folder });
  const { lockPath } = await getPlanned(await planCohort(cohort, tools, { directory: first }), tools, {
    directory: first,
  });
  const bytes = new Map<string, Buffer>();
  for (const path of removed) {
    bytes.set(path, await readFile(join(bucket, path)));
    await rm(join(bucket, path));
  }
  try {
    const second = join(folder, `second-${Math.random()}`);
    const locked = await resolveCohort({ what: [lockPath], selection: {} }, tools, { cwd: folder });
    const plan = await planCohort(locked, tools, { directory: second });
    return { ...(await getPlanned(plan, tools, { directory: second })), second };
  } finally {
    for (const [path, content] of bytes) await writeFile(join(bucket, path), content);
  }
}

describe('a key of a lock file that no mirror has any more', () => {
  test('is redacted where a tombstone names its instance, lost where none does', async () => {
    await writeFile(join(folder, 'tombstones.json'), JSON.stringify(list));
    const removed = [`${SERIES}/${instance(1)}.dcm`, `${SERIES}/${instance(2)}.dcm`];
    const { transfer, missing, second } = await again(archiveWith('tombstones.json'), removed);
    expect(transfer.fetched).toBe(4);
    expect(
      missing.map(({ key, fate, tombstone }) => [key, fate, tombstone?.date, tombstone?.reason]),
    ).toEqual([
      [removed[0], 'redacted', '2026-02-03', 'phi'],
      [removed[1], 'lost', undefined, undefined],
    ]);
    const [redacted, lost] = transfer.failed.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(redacted?.error).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(
        'was redacted by the archive on 2026-02-03 (phi: A name was burnt into the pixels.)',
      ) as string,
    });
    expect(lost?.error.message).toContain('is lost');
    expect(await readdir(join(second, SERIES))).toEqual([`${instance(3)}.dcm`]);
  });

  test('is redacted where a tombstone names its whole series', async () => {
    const removed = [1, 2, 3].map((n) => `${GONE}/${instance(n)}.dcm`);
    const { missing } = await again(archiveWith('tombstones.json'), removed);
    // The instance's own tombstone says more than that of the series.
    expect(missing.map(({ fate, tombstone }) => [fate, tombstone?.reason])).toEqual([
      ['redacted', 'phi'],
      ['redacted', 'consent-withdrawn'],
      ['redacted', 'consent-withdrawn'],
    ]);
  });

  test('is lost in an archive that publishes no tombstones', async () => {
    const { missing } = await again(archiveWith(undefined), [`${SERIES}/${instance(1)}.dcm`]);
    expect(missing).toMatchObject([{ fate: 'lost', tombstone: null }]);
  });

  test('is lost where the list cannot be read, and a note says that', async () => {
    const { missing, plan } = await again(archiveWith('nowhere.json'), [`${SERIES}/${instance(1)}.dcm`]);
    expect(missing).toMatchObject([{ fate: 'lost' }]);
    expect(plan.notes.join()).toContain('list of tombstones could not be read');
  });
});

describe('the list of tombstones', () => {
  test('is not asked for while nothing is missing', async () => {
    const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tombstones.json`;
    lists = 0;
    expect((await again(archiveWith(place), [])).missing).toEqual([]);
    expect(lists).toBe(0);
    const { missing } = await again(archiveWith(place), [`${SERIES}/${instance(1)}.dcm`]);
    expect(missing).toMatchObject([{ fate: 'redacted' }]);
    expect(lists).toBe(1);
  });

  test('a series that is gone as a whole is called redacted before anything is fetched', async () => {
    await rm(join(bucket, GONE), { recursive: true });
    const tools = toolsOf(archiveWith('tombstones.json'));
    const series = [SERIES, GONE].map((uuid) => ({ crdc_series_uuid: uuid, row: undefined }));
    const plan = await planCohort(
      {
        archive: tools.archive,
        release: null,
        catalog: null,
        question: { what: [], selection: {} },
        series,
        objects: [],
        notes: [],
        unresolved: [],
      },
      tools,
      { directory: join(folder, 'third') },
    );
    expect(plan.failed.map(({ error }) => error.message)).toEqual([
      `${GONE} was redacted by the archive on 2026-03-04 (consent-withdrawn)`,
    ]);
  });

  test.each([
    ['no JSON', 'x'],
    ['another form', '{"tombstones":[]}'],
    [
      'a date that is none',
      '{"carrel_tombstones":1,"tombstones":[{"uuid":"11111111-1111-4111-8111-111111111111","level":"series","date":"soon","reason":"phi"}]}',
    ],
  ])('is refused whole where it is %s', async (_, text) => {
    await writeFile(join(folder, 'bad.json'), text);
    await expect(readTombstones(toolsOf(archiveWith('bad.json')))).rejects.toMatchObject({
      code: 'bad-input',
    });
  });

  test('stands in the record of an archive', () => {
    const archive = archiveWith('tombstones.json');
    expect(archive.tombstones).toBe(join(folder, 'tombstones.json'));
    expect(parseArchive(toRecord(archive), { origin: 'test' })).toEqual(archive);
  });
});
