import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createOpenStore } from '../../src/stores/index.ts';
import { type PlannedFile, transfer } from '../../src/transfer/index.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { filesIn, leftovers, planOf, temporaryFolder } from './desk.ts';

/** A thousand small files and three that are held on disk while they come. */
let contents: Record<string, Buffer>;
let digests: Map<string, string>;
let buckets: BucketsFixture;
let servers: ObjectServers;
let plan: PlannedFile[];

beforeAll(async () => {
  contents = {};
  for (let i = 0; i < 1000; i += 1)
    contents[`p${i % 7}/s${i % 31}/${i}.dcm`] = randomBytes(2_000 + (i % 50) * 400);
  for (let i = 0; i < 3; i += 1) contents[`slides/${i}.dcm`] = randomBytes(5_000_000 + i);
  digests = new Map(Object.entries(contents).map(([path, bytes]) => [path, sha(bytes)]));
  buckets = await writeBuckets(
    Object.fromEntries(Object.entries(contents).map(([key, bytes]) => [`b/${key}`, bytes])),
  );
  servers = await startObjectServers({ root: buckets.root });
  plan = planOf(contents, [
    { mirror: 's3', place: { protocol: 's3', endpoint: servers.s3.url, bucket: 'b' } },
  ]);
});

afterAll(async () => {
  await servers.close();
  await buckets.remove();
});

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Starts a transfer in a process of its own; resolves when it is about to begin. */
async function start(directory: string): Promise<{ child: ChildProcess }> {
  const input = `${directory}.plan.json`;
  await writeFile(input, JSON.stringify({ directory, files: plan, jobs: 8 }));
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'run-transfer.ts'), input],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => rm(input, { force: true }));
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return { child };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Every file under a final name is whole and right; returns their paths. */
async function checkVisible(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const visible = await filesIn(directory);
  for (const path of visible)
    expect(sha(await readFile(join(directory, path))), path).toBe(digests.get(path));
  return visible;
}

/** Waits until the server has answered so many requests. */
async function answered(requests: number): Promise<void> {
  while (servers.s3.requests.length < requests) await sleep(2);
}

async function finish(directory: string) {
  servers.s3.requests.length = 0;
  const opener = createOpenStore({ env: {} });
  try {
    return await transfer(plan, { directory, openStore: opener.openStore });
  } finally {
    await opener.close();
  }
}

describe('a transfer that is killed (SIGKILL)', { timeout: 240_000 }, () => {
  test('shows no half file; the next run fetches what is missing and nothing else; the third one asks for nothing', async () => {
    const directory = join(await temporaryFolder(), 'out');
    servers.s3.requests.length = 0;
    const { child } = await start(directory);
    await answered(400);
    await kill(child);
    const visible = await checkVisible(directory);
    expect(visible.length).toBeGreaterThan(300);
    expect(visible.length).toBeLessThan(plan.length);
    const result = await finish(directory);
    expect(result).toMatchObject({
      planned: 1003,
      present: visible.length,
      fetched: 1003 - visible.length,
      failed: [],
    });
    const asked = servers.s3.requests.map(({ path }) => path.slice('/b/'.length));
    expect(asked.filter((path) => visible.includes(path))).toEqual([]);
    expect(asked).toHaveLength(1003 - visible.length);
    expect(await checkVisible(directory)).toHaveLength(1003);
    expect(await leftovers(directory)).toEqual([]);
    expect(await finish(directory)).toMatchObject({ present: 1003, fetched: 0, requests: 0 });
    expect(servers.s3.requests).toEqual([]);
  });

  test('inside of a large file goes on with what is on disk', async () => {
    const directory = join(await temporaryFolder(), 'out');
    servers.s3.faults.push({ path: 'slides', fault: { kind: 'stall', after: 3_000_000 } });
    const { child } = await start(directory);
    const partial = join(directory, '.carrel/partial');
    const large = async () => {
      const names = await readdir(partial).catch(() => []);
      const sizes = await Promise.all(names.map((name) => stat(join(partial, name)).catch(() => undefined)));
      return sizes.filter((info) => info !== undefined && info.size >= 2 << 20).length;
    };
    while ((await large()) < 3) await sleep(5);
    await kill(child);
    servers.s3.faults.length = 0;
    await checkVisible(directory);
    expect(await finish(directory)).toMatchObject({ failed: [] });
    const slides = servers.s3.requests.filter(({ path }) => path.includes('slides'));
    // Blocks of 1 MiB had been written: two of them of each.
    expect(slides.map(({ headers }) => headers['range'])).toEqual(Array(3).fill('bytes=2097152-'));
    expect(await checkVisible(directory)).toHaveLength(1003);
    expect(await leftovers(directory)).toEqual([]);
  });

  test('at any moment, again and again, comes to its end with every file right', async () => {
    const directory = join(await temporaryFolder(), 'out');
    let before = 0;
    for (let round = 0; round < 8; round += 1) {
      const { child } = await start(directory);
      await sleep(Math.random() * 250);
      await kill(child);
      // What a dying disk may add: a torn line. Where the machine is busy, no run may have come as far as a journal.
      const journal = join(directory, '.carrel/journal.jsonl');
      if (round % 2 === 1 && existsSync(journal)) await appendFile(journal, '{"path":"p0/s0/0.dc');
      const visible = await checkVisible(directory);
      expect(visible.length).toBeGreaterThanOrEqual(before);
      before = visible.length;
    }
    const result = await finish(directory);
    expect(result).toMatchObject({ failed: [], fetched: 1003 - before, present: before });
    expect(await checkVisible(directory)).toHaveLength(1003);
    expect(await leftovers(directory)).toEqual([]);
  });
});

describe('two transfers into one folder', { timeout: 240_000 }, () => {
  test('the second one is told which process is at work, and does nothing', async () => {
    const directory = join(await temporaryFolder(), 'out');
    servers.s3.requests.length = 0;
    servers.s3.faults.push({ path: '/p0/', fault: { kind: 'stall', after: 100 } });
    const { child } = await start(directory);
    await answered(20);
    const promise = finish(directory);
    await expect(promise).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`process ${child.pid} `),
    });
    servers.s3.faults.length = 0;
    await kill(child);
    expect(await finish(directory)).toMatchObject({ failed: [] });
  });
});
