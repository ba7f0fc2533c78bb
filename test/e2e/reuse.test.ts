/** Bytes that this machine has already are not fetched again; the server's log proves it. */
import { appendFile, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, jsonLines, openReadingRoom, type ReadingRoom, summaryOf, versionIn } from './carrel.ts';

let room: ReadingRoom;
/** The series of which one instance was corrected: most of its files stand in both versions. */
let before: string[];
let after: string[];
const corrected = () => room.facts.corrected;

beforeAll(async () => {
  room = await openReadingRoom({ releases: ['v1', 'v2', 'v3'] });
  before = [...versionIn(corrected(), 1).version.instances.values()];
  after = [...versionIn(corrected(), 3).version.instances.values()];
});
afterAll(async () => await room?.close());
beforeEach(async () => {
  room.s3.requests.length = 0;
  room.takeRequests();
  await rm(join(room.folder, 'state'), { recursive: true, force: true });
});

/** Names of the files that the server was asked for. */
function served(): string[] {
  return room.s3.requests.flatMap(({ method, path }) =>
    method === 'GET' && path.endsWith('.dcm') ? [basename(path, '.dcm')] : [],
  );
}
const changed = () => after.filter((uuid) => !before.includes(uuid));
const uuidOf = (release: number) => versionIn(corrected(), release).version.uuid;

/** The first version, fetched; the log is empty afterwards. */
async function firstVersion(env: Record<string, string> = {}): Promise<string> {
  const folder = await room.newFolder('first');
  expect((await room.run(['get', uuidOf(1), '-o', folder], { env })).code).toBe(0);
  room.s3.requests.length = 0;
  return folder;
}

describe('carrel get --reuse DIR', () => {
  test('fetches the one instance that was corrected; says how many are taken from where', async () => {
    const first = await firstVersion();
    const out = await room.newFolder('second');
    const plan = await room.run(['get', uuidOf(3), '-o', out, '--reuse', first, '--dry-run']);
    expect(plan.stderr).toContain(`on this machine already: ${after.length - 1} of ${after.length} files`);
    expect(plan.stderr).toContain(first.slice(room.folder.length + 1));
    const got = await room.run(['get', uuidOf(3), '-o', out, '--reuse', first]);
    expect(got.code).toBe(0);
    expect(got.stdout).toContain(`1 fetched`);
    expect(got.stdout).toContain(`${after.length - 1} taken from this machine`);
    expect(served()).toEqual(changed());
    await room.mustHold(out, [versionIn(corrected(), 3)]);
    const again = await room.run(['get', uuidOf(3), '-o', out, '--reuse', first, '--json']);
    expect(summaryOf(again)).toMatchObject({ present: after.length, reused: 0, requests: 0 });
  });

  test('says it in JSON', async () => {
    const first = await firstVersion();
    const out = await room.newFolder('second');
    const got = await room.run(['get', uuidOf(3), '-o', out, '--reuse', first, '--json']);
    const bytes = [...(await filesBelow(out)).values()].reduce((sum, one) => sum + one.length, 0);
    const fetched = Number(summaryOf(got)['bytesFetched']);
    expect(summaryOf(got)).toMatchObject({
      fetched: 1,
      reused: after.length - 1,
      bytesReused: bytes - fetched,
    });
    expect(jsonLines(got.stdout).find(({ type }) => type === 'reuse')).toEqual({
      type: 'reuse',
      files: after.length - 1,
      bytes: bytes - fetched,
      from: [{ folder: first, files: after.length - 1, bytes: bytes - fetched }],
    });
    expect(jsonLines(got.stdout).filter(({ how }) => how === 'reused')).toHaveLength(after.length - 1);
  });

  test('takes files that another tool fetched, by their names, and proves them', async () => {
    const first = await firstVersion();
    const foreign = await room.newFolder('foreign');
    await mkdir(join(foreign, 'deep', 'down'), { recursive: true });
    const files = [...(await filesBelow(first)).keys()].filter((path) =>
      after.includes(basename(path, '.dcm')),
    );
    for (const path of files)
      await copyFile(join(first, path), join(foreign, 'deep', 'down', basename(path)));
    // One of them is damaged without changing its size: it is fetched instead.
    const [damaged = ''] = files;
    const bytes = await readFile(join(first, damaged));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(join(foreign, 'deep', 'down', basename(damaged)), bytes);
    const out = await room.newFolder('second');
    const got = await room.run(['get', uuidOf(3), '-o', out, '--reuse', foreign, '--json']);
    expect(summaryOf(got)).toMatchObject({ fetched: 2, reused: after.length - 2, failed: 0 });
    expect(served().sort()).toEqual([...changed(), basename(damaged, '.dcm')].sort());
    await room.mustHold(out, [versionIn(corrected(), 3)]);
  });

  test('--reuse-links makes links where blocks cannot be shared', async () => {
    const first = await firstVersion();
    const out = await room.newFolder('second');
    const args = ['get', uuidOf(3), '-o', out, '--reuse', first, '--reuse-links', '--json'];
    expect(summaryOf(await room.run(args))).toMatchObject({ reused: after.length - 1 });
    const links = await Promise.all(
      [...(await filesBelow(out)).keys()].map(async (path) => (await stat(join(out, path))).nlink),
    );
    expect(links.filter((count) => count === 2).length % (after.length - 1)).toBe(0);
  });

  test.each([
    [['--reuse', 'nowhere'], 4],
    [['--reuse', 'never', '--reuse', '.'], 2],
  ])('%j ends with %i', async (flags, code) => {
    expect((await room.run(['get', uuidOf(3), '-o', 'x', ...flags])).code).toBe(code);
  });
});

describe('destinations that were filled before', () => {
  const env = { CARREL_REUSE: 'auto' };

  test('are looked through without being named; --no-reuse fetches all', async () => {
    await firstVersion(env);
    const out = await room.newFolder('second');
    const got = await room.run(['get', uuidOf(3), '-o', out, '--json'], { env });
    expect(summaryOf(got)).toMatchObject({ fetched: 1, reused: after.length - 1 });
    expect(served()).toEqual(changed());
    const third = await room.newFolder('third');
    const without = await room.run(['get', uuidOf(3), '-o', third, '--json', '--no-reuse'], { env });
    expect(summaryOf(without)).toMatchObject({ fetched: after.length, reused: 0 });
  });

  test('that are gone, changed or listed in a torn line cost nothing but the fetching', async () => {
    const first = await firstVersion(env);
    await rm(first, { recursive: true });
    await appendFile(join(room.folder, 'state', 'destinations.jsonl'), '{"v":1,"direct');
    const second = await room.newFolder('second');
    expect(summaryOf(await room.run(['get', uuidOf(1), '-o', second, '--json'], { env }))).toMatchObject({
      fetched: before.length,
    });
    for (const path of (await filesBelow(second)).keys())
      await writeFile(join(second, path), 'something else');
    const third = await room.newFolder('third');
    expect(summaryOf(await room.run(['get', uuidOf(3), '-o', third, '--json'], { env }))).toMatchObject({
      fetched: after.length,
      failed: 0,
    });
    await room.mustHold(third, [versionIn(corrected(), 3)]);
  });

  test('include this one: another layout in the same folder fetches nothing', async () => {
    const first = await firstVersion();
    const got = await room.run(['get', uuidOf(1), '-o', first, '--layout', 'flat/{file}', '--json'], { env });
    expect(summaryOf(got)).toMatchObject({ fetched: 0, reused: before.length });
    expect(served()).toEqual([]);
    expect(await readdir(join(first, 'flat'))).toHaveLength(before.length);
  });
});
