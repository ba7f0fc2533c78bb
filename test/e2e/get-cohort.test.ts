/** A cohort of more than a thousand files: fetched once, and finished whatever ends the run in the middle. */
import { randomBytes } from 'node:crypto';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startObjectServers } from '../fixtures/servers.ts';
import { writeBuckets } from '../fixtures/tree.ts';
import {
  type ExpectedSeries,
  filesBelow,
  openReadingRoom,
  type ReadingRoom,
  summaryOf,
  versionIn,
} from './carrel.ts';

let room: ReadingRoom;
let cohort: ExpectedSeries[];
let question: string[];
let size: number;

beforeAll(async () => {
  room = await openReadingRoom();
  const { collection, modality, files } = room.facts.largeSelection;
  question = ['--collection', collection, '--modality', modality];
  size = files;
  cohort = room.facts.series
    .filter((one) => one.collectionId === collection && one.modality === modality)
    .filter(({ versions }) => versions.some(({ to }) => to === 3))
    .map((one) => versionIn(one));
});
afterAll(async () => await room?.close());
beforeEach(() => {
  room.s3.faults.length = 0;
  room.takeRequests();
});

/** Waits until the server has answered so many requests for files. */
async function untilServed(count: number): Promise<void> {
  while (servedFiles().length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Names of the files that the server was asked for, in order. */
function servedFiles(): string[] {
  return room.s3.requests.flatMap(({ method, path, status }) =>
    method === 'GET' && path.endsWith('.dcm') && status < 300 ? [basename(path, '.dcm')] : [],
  );
}

/** Every file that stands under a name that a user would open is one of the cohort, with all of its bytes. */
async function wholeFiles(folder: string): Promise<string[]> {
  const owners = new Map(
    cohort.flatMap((one) => [...one.version.instances.values()].map((uuid) => [uuid, one])),
  );
  const found = await filesBelow(folder);
  for (const [path, bytes] of found) {
    const instance = basename(path, '.dcm');
    const owner = owners.get(instance);
    expect(owner, `${path} is no file of the cohort`).toBeDefined();
    if (owner !== undefined) expect(bytes.equals(await room.source(owner, instance)), path).toBe(true);
  }
  return [...found.keys()].map((path) => basename(path, '.dcm'));
}

describe('a cohort of at least a thousand files', () => {
  test('is fetched and verified; the second run makes no request and says so', async () => {
    expect(size).toBeGreaterThanOrEqual(1000);
    const out = await room.newFolder();
    const first = await room.run(['get', ...question, '-o', out, '--json']);
    expect(first.code).toBe(0);
    expect(summaryOf(first)).toMatchObject({
      planned: size,
      fetched: size,
      failed: 0,
      verifiedBy: { md5: size },
    });
    await room.mustHold(out, cohort);
    const { s3, gcs } = room.takeRequests();
    expect({ s3, gcs }).toEqual({ s3: size + cohort.length, gcs: 0 });
    expect(summaryOf(first)['requests']).toBe(s3);

    const before = await stat(join(out, 'carrel.lock.json'), { bigint: true });
    const second = await room.run(['get', ...question, '-o', out]);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain('no request made');
    expect(second.stdout).toContain(`${size.toLocaleString('en')} already here`);
    expect(room.takeRequests().total).toBe(0);
    expect((await stat(join(out, 'carrel.lock.json'), { bigint: true })).size).toBe(before.size);
  });

  test('killed with SIGKILL in the middle, shows whole files only; the next run fetches what was missing', async () => {
    room.s3.faults.push({ path: '.dcm', fault: { kind: 'delay', milliseconds: 5 } });
    const out = await room.newFolder();
    const { child, done } = room.start(['get', ...question, '-o', out, '--jobs', '8']);
    await untilServed(300);
    child.kill('SIGKILL');
    expect((await done).signal).toBe('SIGKILL');
    const whole = await wholeFiles(out);
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.length).toBeLessThan(size);

    room.s3.faults.length = 0;
    room.takeRequests();
    const next = await room.run(['get', ...question, '-o', out, '--json']);
    expect(next.code).toBe(0);
    expect(summaryOf(next)).toMatchObject({
      planned: size,
      present: whole.length,
      fetched: size - whole.length,
    });
    await room.mustHold(out, cohort);
    const asked = servedFiles();
    expect(asked.filter((name) => whole.includes(name))).toEqual([]);
    expect(new Set(asked).size).toBe(size - whole.length);
  });

  test('interrupted once, it ends with 130, prints the command that goes on, and that command goes on', async () => {
    room.s3.faults.push({ path: '.dcm', fault: { kind: 'delay', milliseconds: 5 } });
    const out = await room.newFolder("with a blank and a '");
    const args = ['get', ...question, '-o', out, '--jobs', '8'];
    const { child, done } = room.start(args);
    await untilServed(200);
    child.kill('SIGINT');
    const stopped = await done;
    expect(stopped).toMatchObject({ code: 130, signal: null });
    const whole = await wholeFiles(out);
    expect(stopped.stderr).toMatch(
      new RegExp(`interrupted: ${whole.length} of ${size.toLocaleString('en')} files`),
    );
    const [, command = ''] = /next: carrel (.*?) {3}\(/.exec(stopped.stderr) ?? [];
    expect(unquote(command)).toEqual(args);

    room.s3.faults.length = 0;
    room.takeRequests();
    const next = await room.run(unquote(command));
    expect(next, next.stderr).toMatchObject({ code: 0 });
    await room.mustHold(out, cohort);
    expect(servedFiles().filter((name) => whole.includes(name))).toEqual([]);
  });

  test('interrupted twice, it leaves at once', async () => {
    room.s3.faults.push({ path: '.dcm', fault: { kind: 'silence' } });
    const out = await room.newFolder();
    const { child, done } = room.start(['get', ...question, '-o', out]);
    while (!room.s3.requests.some(({ path }) => path.includes('list-type'))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect((await done).code).toBe(130);
    await wholeFiles(out);
  });

  test('files that somebody took away, cut or changed since are fetched again, and only those', async () => {
    const out = await room.newFolder();
    const few = ['--collection', 'sample_phantom', '--limit', '3'];
    await room.run(['get', ...few, '-o', out]);
    const paths = [...(await filesBelow(out)).keys()];
    const [gone = '', cut = '', changed = ''] = paths;
    await rm(join(out, gone));
    await truncate(join(out, cut), 100);
    const bytes = await readFile(join(out, changed));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(join(out, changed), bytes);
    room.takeRequests();
    expect(await room.run(['get', ...few, '-o', out])).toMatchObject({ code: 0 });
    expect(servedFiles().sort()).toEqual([gone, cut, changed].map((path) => basename(path, '.dcm')).sort());
    expect(await room.run(['verify', out])).toMatchObject({ code: 0 });
  });
});

test('a large file goes on where it stopped, inside of itself', async () => {
  const content = randomBytes(24 * 1024 * 1024);
  const buckets = await writeBuckets({ 'slides/one.svs': content });
  const servers = await startObjectServers({ root: buckets.root });
  try {
    const half = 16 * 1024 * 1024;
    servers.s3.faults.push({ path: 'one.svs', method: 'GET', fault: { kind: 'stall', after: half } });
    const out = await room.newFolder();
    const args = ['get', 's3://slides/one.svs', '--endpoint', servers.s3.url, '-o', out];
    const { child, done } = room.start(args);
    const state = join(out, '.carrel');
    while ((await partialBytes(state)) < half / 2) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGKILL');
    await done;
    expect(await filesBelow(out)).toEqual(new Map());

    servers.s3.faults.length = 0;
    servers.s3.requests.length = 0;
    expect(await room.run(args)).toMatchObject({ code: 0 });
    expect((await filesBelow(out)).get('one.svs')?.equals(content)).toBe(true);
    const bodies = servers.s3.requests.filter(({ method }) => method === 'GET');
    expect(bodies.map(({ headers }) => headers['range'])).toEqual([
      expect.stringMatching(/^bytes=[1-9]\d*-/),
    ]);
    expect(bodies[0]?.bytes).toBeLessThan(content.length);
  } finally {
    await servers.close();
    await buckets.remove();
  }
});

/** Bytes of unfinished files in the state folder. */
async function partialBytes(folder: string): Promise<number> {
  return [...(await filesBelow(folder)).values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

/** What a POSIX shell makes of a printed command. */
function unquote(command: string): string[] {
  const words: string[] = [];
  for (const [, plain] of command.matchAll(/((?:'[^']*'|\\.|[^\s'\\])+)/g)) {
    words.push(
      (plain ?? '').replaceAll(
        /'([^']*)'|\\(.)/g,
        (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? '',
      ),
    );
  }
  return words;
}
