/** A cohort moves from one release to another: only what changed is fetched, and nothing of the user's is touched. */
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type ExpectedSeries,
  filesBelow,
  jsonLines,
  openReadingRoom,
  type ReadingRoom,
  summaryOf,
  versionIn,
} from './carrel.ts';

let room: ReadingRoom;
let question: string[];

beforeAll(async () => {
  room = await openReadingRoom({ releases: ['v2', 'v3'] });
  const { removed, revisedTwice, withdrawn, retired } = room.facts;
  const collections = new Set(
    [removed, revisedTwice, withdrawn, retired].map(({ collectionId }) => collectionId),
  );
  question = [
    ...[...collections].flatMap((id) => ['--collection', id]),
    '--modality',
    removed.modality,
    '--modality',
    withdrawn.modality,
  ];
  const [before, after] = [instancesIn(2), instancesIn(3)];
  news = [...after].filter((uuid) => !before.has(uuid)).sort();
  olds = [...before].filter((uuid) => !after.has(uuid)).sort();
});
afterAll(async () => await room?.close());
beforeEach(() => {
  room.s3.faults.length = 0;
  room.s3.requests.length = 0;
  room.gcs.requests.length = 0;
});

/** What the question means in a release, by the facts. */
function cohortIn(release: number): ExpectedSeries[] {
  const values = (flag: string) => question.filter((_, at) => question[at - 1] === flag);
  return (
    room.facts.series
      .filter(({ collectionId }) => values('--collection').includes(collectionId))
      .filter(({ modality }) => values('--modality').includes(modality))
      // Nobody can fetch what was wiped from the buckets.
      .filter((one) => one !== room.facts.withdrawn)
      .filter(({ versions }) => versions.some(({ from, to }) => from <= release && release <= to))
      .map((one) => versionIn(one, release))
  );
}
function instancesIn(release: number): Set<string> {
  return new Set(cohortIn(release).flatMap(({ version }) => [...version.instances.values()]));
}
/** Instances that are new in v3, and those that only v2 had. */
let news: string[];
let olds: string[];
const fresh = () => news;
const gone = () => olds;

/** Names of the files that the servers were asked for, sorted. */
function served(): string[] {
  return [...room.s3.requests, ...room.gcs.requests]
    .flatMap(({ method, path }) =>
      method === 'GET' && path.endsWith('.dcm') ? [basename(path, '.dcm')] : [],
    )
    .sort();
}
async function namesIn(folder: string): Promise<string[]> {
  return [...(await filesBelow(folder)).keys()]
    .filter((path) => path.endsWith('.dcm'))
    .map((path) => basename(path, '.dcm'))
    .sort();
}

/** The cohort as it was in v2; the log is empty afterwards. */
async function fetched(): Promise<string> {
  const folder = await room.newFolder('data');
  const { code, stderr } = await room.run(['get', ...question, '--release', 'v2', '-o', folder]);
  expect({ code, stderr }).toMatchObject({ code: 3 });
  expect(stderr).toContain(versionIn(room.facts.withdrawn, 2).version.uuid);
  room.s3.requests.length = 0;
  room.gcs.requests.length = 0;
  return folder;
}

describe('carrel update', () => {
  test('shows the difference and stops with --dry-run', async () => {
    expect(fresh().length).toBeGreaterThan(0);
    expect(gone().length).toBeGreaterThan(0);
    const folder = await fetched();
    const before = await readFile(join(folder, 'carrel.lock.json'), 'utf8');
    const dry = await room.run(['update', folder, '--dry-run', '--json']);
    expect(dry.code).toBe(0);
    const update = jsonLines(dry.stdout).find(({ type }) => type === 'update');
    expect(update).toMatchObject({
      from: 'v2',
      to: 'v3',
      files: {
        fresh: { files: fresh().length },
        retired: { files: gone().length },
        unchanged: { files: instancesIn(3).size - fresh().length },
      },
    });
    const diff = JSON.parse(
      (await room.run(['diff', join(folder, 'carrel.lock.json'), 'v3', '--json'])).stdout,
    ) as {
      changes: Record<string, { series: number }>;
    };
    const changes = (update?.['changes'] ?? {}) as typeof diff.changes;
    for (const [change, { series }] of Object.entries(diff.changes))
      expect(changes[change]?.series, change).toBe(series);
    expect(served()).toEqual([]);
    expect(await readFile(join(folder, 'carrel.lock.json'), 'utf8')).toBe(before);
  });

  test('fetches exactly the instances that are new; writes the lock file that get would; keeps the old one', async () => {
    const folder = await fetched();
    const before = await readFile(join(folder, 'carrel.lock.json'), 'utf8');
    const done = await room.run(['update', folder, '--json']);
    expect(done).toMatchObject({ code: 0 });
    expect(served()).toEqual(fresh());
    expect(summaryOf(done)).toMatchObject({ fetched: fresh().length, failed: 0 });
    expect(await namesIn(folder)).toEqual([...new Set([...instancesIn(3), ...gone()])].sort());
    expect(await readFile(join(folder, 'carrel.lock.v2.json'), 'utf8')).toBe(before);
    const other = await room.newFolder('other');
    await room.run(['get', ...question, '--release', 'v3', '-o', other, '--reuse', folder]);
    expect(await readFile(join(folder, 'carrel.lock.json'), 'utf8')).toBe(
      await readFile(join(other, 'carrel.lock.json'), 'utf8'),
    );
    expect((await room.run(['verify', folder])).code).toBe(0);
    room.takeRequests();
    const again = await room.run(['update', folder]);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('no request made');
  });

  test('--retired move and remove touch only what was fetched and not changed since', async () => {
    for (const how of ['move', 'remove']) {
      const folder = await fetched();
      const files = [...(await filesBelow(folder)).keys()].filter((path) =>
        gone().includes(basename(path, '.dcm')),
      );
      const [changed = '', ...others] = files;
      await appendFile(join(folder, changed), 'notes of the user');
      const own = join(folder, changed, '..', 'own.txt');
      await writeFile(own, 'mine');
      await mkdir(join(folder, 'empty'));
      const done = await room.run(['update', folder, '--retired', how]);
      expect(done.code).toBe(0);
      expect(done.stderr).toContain(`left alone ${changed}`);
      expect(await readFile(own, 'utf8')).toBe('mine');
      expect((await stat(join(folder, 'empty'))).isDirectory()).toBe(true);
      const left = [...(await filesBelow(folder)).keys()].filter((path) => !path.startsWith('retired-'));
      expect(left.filter((path) => files.includes(path))).toEqual([changed]);
      const moved = (await readdir(join(folder, 'retired-v2'), { recursive: true }).catch(() => []))
        .filter((path) => path.endsWith('.dcm'))
        .sort();
      expect(moved).toEqual(how === 'move' ? others.sort() : []);
      expect((await room.run(['verify', folder])).code).toBe(0);
      if (how === 'move') {
        // Back again: what was moved away is taken from there.
        room.s3.requests.length = 0;
        expect((await room.run(['update', folder, '--to', 'v2', '--retired', 'move'])).code).toBe(3);
        expect(served()).toEqual([basename(changed, '.dcm')]);
      }
    }
  });

  test('says what was withdrawn', async () => {
    const folder = await fetched();
    const { withdrawn } = room.facts;
    // Pinned when it could still be had.
    const lock = JSON.parse(await readFile(join(folder, 'carrel.lock.json'), 'utf8')) as { series: object[] };
    const { uuid } = versionIn(withdrawn, 2).version;
    lock.series.push({
      ...lock.series[0],
      crdc_series_uuid: uuid,
      SeriesInstanceUID: withdrawn.seriesInstanceUid,
      files: [],
    });
    await writeFile(join(folder, 'carrel.lock.json'), JSON.stringify(lock));
    const { stderr } = await room.run(['update', folder, '--dry-run']);
    expect(stderr).toContain(`gone ${withdrawn.seriesInstanceUid} was withdrawn`);
  });

  test('follows series that were named by their uuids', async () => {
    const folder = await room.newFolder('named');
    const { revisedTwice, removed, retired } = room.facts;
    const named = [revisedTwice, removed, retired].map((one) => versionIn(one, 2).version.uuid);
    const list = join(await room.newFolder('lists'), 'list.txt');
    await writeFile(list, named.join('\n'));
    for (const what of [named, [list]]) {
      await rm(folder, { recursive: true });
      expect((await room.run(['get', ...what, '--release', 'v2', '-o', folder])).code).toBe(0);
      const done = await room.run(['update', folder, '--retired', 'remove']);
      expect(done.code).toBe(0);
      await rm(join(folder, 'carrel.lock.v2.json'));
      await room.mustHold(folder, [versionIn(revisedTwice), versionIn(removed)]);
    }
  });

  test('killed anywhere, the same command ends right', async () => {
    const folder = await fetched();
    const until = async (ready: () => boolean | Promise<boolean>) => {
      const { child, done } = room.start(['update', folder, '--retired', 'move']);
      while (child.exitCode === null && child.signalCode === null && !(await ready()))
        await new Promise((resolve) => setTimeout(resolve, 2));
      child.kill('SIGKILL');
      await done;
    };
    room.s3.faults.push({ path: '.dcm', fault: { kind: 'delay', milliseconds: 100 } });
    await until(() => room.s3.requests.length > 0);
    expect(JSON.parse(await readFile(join(folder, 'carrel.lock.json'), 'utf8'))).toMatchObject({
      release: 'v2',
    });
    room.s3.faults.length = 0;
    const moved = () =>
      stat(join(folder, 'retired-v2')).then(
        () => true,
        () => false,
      );
    await until(moved);
    await until(() =>
      stat(join(folder, 'carrel.lock.v2.json')).then(
        () => true,
        () => false,
      ),
    );
    expect((await room.run(['update', folder, '--retired', 'move'])).code).toBe(0);
    const here = [...(await filesBelow(folder)).keys()].filter((path) => !path.startsWith('retired-'));
    expect(here.flatMap((path) => (path.endsWith('.dcm') ? [basename(path, '.dcm')] : [])).sort()).toEqual(
      [...instancesIn(3)].sort(),
    );
    expect((await room.run(['verify', folder])).code).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'carrel.lock.json'), 'utf8'))).toMatchObject({
      release: 'v3',
    });
  });

  test('with files that fail keeps the lock file and retires nothing', async () => {
    const folder = await fetched();
    room.s3.faults.push({ path: `${fresh()[0]}.dcm`, fault: { kind: 'status', status: 403 } });
    room.gcs.faults.push({ path: `${fresh()[0]}.dcm`, fault: { kind: 'status', status: 403 } });
    const done = await room.run(['update', folder, '--retired', 'remove']);
    expect([1, 3, 8]).toContain(done.code);
    expect(done.stderr).toContain('not done');
    expect(JSON.parse(await readFile(join(folder, 'carrel.lock.json'), 'utf8'))).toMatchObject({
      release: 'v2',
    });
    expect((await namesIn(folder)).filter((name) => gone().includes(name))).toEqual(gone());
    room.gcs.faults.length = 0;
    room.s3.faults.length = 0;
    expect((await room.run(['update', folder, '--retired', 'remove'])).code).toBe(0);
    expect(await namesIn(folder)).toEqual([...instancesIn(3)].sort());
  });

  test.each([
    [['update', 'nowhere'], 4],
    [['update', '.', '--retired', 'burn'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await room.run(args)).code).toBe(code);
  });
});
