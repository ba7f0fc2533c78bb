import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createOpenStore } from '../../src/stores/index.ts';
import { type PlannedFile, type TransferEvent, transfer, verifyFiles } from '../../src/transfer/index.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { eventsOf, filesIn, leftovers, planOf, QUICK, randomFiles, temporaryFolder } from './desk.ts';

let contents: Record<string, Buffer>;
let buckets: BucketsFixture;
let servers: ObjectServers;
let plan: PlannedFile[];

beforeAll(async () => {
  contents = { ...randomFiles(120, 40_000), ...randomFiles(2, 5_000_000, 'slides') };
  buckets = await writeBuckets(
    Object.fromEntries(Object.entries(contents).map(([key, bytes]) => [`b/${key}`, bytes])),
  );
  servers = await startObjectServers({ root: buckets.root });
  plan = planOf(contents, [place()]);
});

afterAll(async () => {
  await servers.close();
  await buckets.remove();
});

const place = (mirror = 's3', bucket = 'b', endpoint = servers.s3.url) => ({
  mirror,
  place: { protocol: 's3' as const, endpoint, bucket },
});

function opener() {
  const stores = createOpenStore({ env: {} });
  onTestFinished(() => stores.close());
  return stores;
}

describe('several threads', () => {
  test('bring what one brings: every file, proven, recorded, and nothing else', async () => {
    const directory = await temporaryFolder();
    const events: TransferEvent[] = [];
    const { openStore } = opener();
    const result = await transfer(plan, {
      directory,
      openStore,
      threads: 2,
      onEvent: (event) => events.push(event),
    });
    expect(result).toMatchObject({
      fetched: 122,
      failed: [],
      verifiedBy: { md5: 122 },
      requests: 122,
      bytesFetched: 120 * 40_000 + 10_000_000,
    });
    expect(eventsOf(events, 'progress').at(-1)).toMatchObject({ files: 122, bytes: result.bytesFetched });
    expect(await filesIn(directory)).toEqual(Object.keys(contents).sort());
    expect(await leftovers(directory)).toEqual([]);
    const expected = plan.map(({ path, size, digests }) => ({ path, size, digests }));
    expect((await verifyFiles(expected, { directory, extra: true })).ok).toHaveLength(122);
    // The journal of the first run is enough for the second.
    expect(await transfer(plan, { directory, openStore, threads: 2 })).toMatchObject({
      present: 122,
      requests: 0,
    });
  });

  test('hand on errors with their code, their item and their next step', async () => {
    const directory = await temporaryFolder();
    const wrong = plan.slice(0, 4).map((file, index) => ({
      ...file,
      digests: index === 0 ? [`md5:${'0'.repeat(32)}` as const] : file.digests,
      sources: index === 1 ? file.sources.map((source) => ({ ...source, key: 'no/such' })) : file.sources,
    }));
    const { failed, fetched } = await transfer(wrong, {
      directory,
      openStore: opener().openStore,
      threads: 2,
      retry: QUICK,
    });
    expect(fetched).toBe(2);
    const byPath = new Map(failed.map(({ path, error }) => [path, error]));
    expect(byPath.get(wrong[0]?.path ?? '')).toMatchObject({
      name: 'CarrelError',
      code: 'verification',
      item: wrong[0]?.path,
    });
    expect(byPath.get(wrong[1]?.path ?? '')).toMatchObject({ code: 'not-found', status: 404 });
    expect(byPath.get(wrong[1]?.path ?? '')?.next).toBeDefined();
  });

  test('tell each other of a mirror that is down', async () => {
    const directory = await temporaryFolder();
    const dead = planOf(contents, [place('dead', 'b', 'http://127.0.0.1:9'), place()]);
    const notes: string[] = [];
    const result = await transfer(dead, {
      directory,
      openStore: opener().openStore,
      threads: 2,
      jobs: 4,
      retry: { ...QUICK, attempts: 2 },
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
    });
    expect(result).toMatchObject({ fetched: 122, failed: [] });
    // A request that finds nobody is counted, too; most files were never sent there.
    expect(result.requests).toBeLessThan(122 + 40);
    expect(notes.filter((note) => note.includes('dead does not answer well')).length).toBeLessThanOrEqual(2);
  });

  test('stop when they are told to, and the next run goes on', async () => {
    const directory = await temporaryFolder();
    const stop = new AbortController();
    const running = transfer(plan, {
      directory,
      openStore: opener().openStore,
      threads: 2,
      jobs: 4,
      signal: stop.signal,
      onEvent: (event) => event.type === 'file' && stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    const here = (await filesIn(directory)).length;
    expect(here).toBeGreaterThan(0);
    expect(here).toBeLessThan(122);
    const again = await transfer(plan, { directory, openStore: opener().openStore, threads: 2 });
    expect(again).toMatchObject({ failed: [] });
    expect(again.present + again.fetched).toBe(122);
    expect(again.present).toBeGreaterThanOrEqual(here);
    for (const [path, bytes] of Object.entries(contents))
      expect((await readFile(join(directory, path))).equals(bytes)).toBe(true);
  });

  test('a disk that takes nothing ends the run', async () => {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'series'), 'a file where a folder should be');
    const { failed } = await transfer(plan, { directory, openStore: opener().openStore, threads: 2 });
    expect(failed).toHaveLength(120);
    expect(failed[0]?.error).toMatchObject({ code: 'unsafe' });
    await rm(join(directory, 'series'));
  });

  test('are not used where a function of the caller’s opens the stores', async () => {
    const directory = await temporaryFolder();
    const { openStore } = opener();
    const opened: string[] = [];
    const result = await transfer(plan.slice(0, 3), {
      directory,
      openStore: (at) => {
        opened.push(at.bucket);
        return openStore(at);
      },
      threads: 2,
    });
    expect(result.fetched).toBe(3);
    expect(opened).toContain('b');
  });
});
