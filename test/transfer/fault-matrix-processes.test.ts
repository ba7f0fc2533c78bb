/**
 * The fault matrix, fourth table: the built command as a process. Killed at random moments, told to stop, short of file
 * descriptors, started twice. After each: no half file under a final name, and a later run completes.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BIN, type CarrelResult, NODE, startCarrel } from '../e2e/carrel.ts';
import { bounded, visibleIn } from '../fixtures/fault-rig.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

const KILLS = 50;
/** So many kills, one after the other, meet each destination before it is completed. */
const KILLS_EACH = 5;

const digests = new Map<string, string>();
let buckets: BucketsFixture;
let servers: ObjectServers;
let state: string;
let total = 0;

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  const files: Record<string, Buffer> = {};
  for (let index = 0; index < 150; index += 1) files[`b/s/${index}.dcm`] = randomBytes(20_000 + index * 100);
  for (let index = 0; index < 3; index += 1) files[`b/s/large-${index}.dcm`] = randomBytes(3_000_000 + index);
  for (const [path, bytes] of Object.entries(files)) {
    digests.set(path.slice(2), sha(bytes));
    total += bytes.length;
  }
  buckets = await writeBuckets(files);
  servers = await startObjectServers({ root: buckets.root });
  state = await mkdtemp(join(tmpdir(), 'carrel-state-'));
});
afterAll(async () => {
  await servers?.close();
  await buckets?.remove();
  await rm(state, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-process-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  servers.s3.requests.length = 0;
  return join(folder, 'out');
}

const args = (directory: string) =>
  ['get', 's3://b/s/*', '--endpoint', servers.s3.url, '-o', directory].concat([
    '--no-config',
    '--no-reuse',
    '--cache-dir',
    join(state, 'cache'),
    '--json',
  ]);

function start(directory: string, ...more: string[]) {
  const running = startCarrel([...args(directory), ...more], { env: { CARREL_STATE_DIR: state } });
  onTestFinished(() => void running.child.kill('SIGKILL'));
  return running;
}

/** Every visible file is whole and right; answers with how many there are. */
async function visible(directory: string): Promise<number> {
  const paths = (await visibleIn(directory).catch(() => [])).filter(
    (path) => !/^carrel\.(lock|receipts)/.test(path),
  );
  for (const path of paths) {
    expect(sha(await readFile(join(directory, path))), path).toBe(digests.get(`s/${path}`));
  }
  return paths.length;
}

async function complete(directory: string): Promise<CarrelResult> {
  const end = await bounded(() => start(directory).done, 60_000);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(await visible(directory)).toBe(digests.size);
  return end;
}

/** Waits for so many answers to objects, or the end. */
async function answered(count: number, done: Promise<unknown>): Promise<void> {
  let ended = false;
  void done.finally(() => {
    ended = true;
  });
  while (!ended && servers.s3.requests.filter(({ path }) => path.includes('.dcm')).length < count)
    await sleep(2);
}

describe('kill -9', { timeout: 400_000 }, () => {
  test(`at ${KILLS} random moments: no half file is ever visible, little is fetched twice, and all is completed`, async () => {
    let bytes = 0;
    let killed = 0;
    for (let round = 0; round < KILLS / KILLS_EACH; round += 1) {
      const directory = await newFolder();
      let before = 0;
      for (let kill = 0; kill < KILLS_EACH; kill += 1) {
        const had = servers.s3.requests.length;
        const { child, done } = start(directory, '--jobs', '8');
        // Also before the first answer, and between two: a random wait after a random answer.
        await answered(had + Math.floor(Math.random() * 35), done);
        await sleep(Math.random() * 10);
        child.kill('SIGKILL');
        const { signal } = await done;
        if (signal === 'SIGKILL') killed += 1;
        const now = await visible(directory);
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
      }
      await complete(directory);
      bytes += servers.s3.requests
        .filter(({ path }) => path.includes('.dcm'))
        .reduce((sum, one) => sum + one.bytes, 0);
    }
    const twice = bytes / ((KILLS / KILLS_EACH) * total) - 1;
    process.stdout.write(
      `kill -9: ${killed} runs killed, half files visible: 0, bytes fetched more than once: ${(twice * 100).toFixed(1)} % over ${KILLS_EACH} kills, ${((twice * 100) / KILLS_EACH).toFixed(1)} % per kill\n`,
    );
    expect(killed).toBeGreaterThan(KILLS / 2);
    // What is under way at a kill: up to eight files, of which the large ones are kept.
    expect(twice / KILLS_EACH).toBeLessThan(0.35);
  });
});

describe('a signal', { timeout: 120_000 }, () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends the run in order, and the next one goes on',
    async (signal) => {
      const directory = await newFolder();
      servers.s3.faults.push({ path: '.dcm', skip: 40, fault: { kind: 'delay', milliseconds: 3_000 } });
      const { child, done } = start(directory, '--jobs', '8');
      await answered(30, done);
      child.kill(signal);
      const end = await bounded(() => done);
      servers.s3.faults.length = 0;
      expect(end.signal ?? end.code, end.stderr).toBe(130);
      expect(end.stderr).toContain('carrel get');
      const here = await visible(directory);
      expect(here).toBeGreaterThan(0);
      expect(here).toBeLessThan(digests.size);
      servers.s3.requests.length = 0;
      await complete(directory);
      // What the first run had asked for when it ended may be answered, and counted, only now: eight at most.
      const asked = servers.s3.requests.filter(({ path }) => path.includes('.dcm')).length;
      expect(asked).toBeGreaterThanOrEqual(digests.size - here);
      expect(asked).toBeLessThanOrEqual(digests.size - here + 8);
    },
  );
});

describe('two runs at once', { timeout: 120_000 }, () => {
  test('into one folder: the second one is told who is at work, and the first one completes', async () => {
    const directory = await newFolder();
    servers.s3.faults.push({
      path: '.dcm',
      skip: 20,
      times: 5,
      fault: { kind: 'delay', milliseconds: 2_500 },
    });
    const first = start(directory, '--jobs', '2');
    await answered(10, first.done);
    const second = await bounded(() => start(directory).done);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(first.child.pid));
    const end = await bounded(() => first.done);
    servers.s3.faults.length = 0;
    expect(end.code, end.stderr).toBe(0);
    expect(await visible(directory)).toBe(digests.size);
  });

  test('into two folders: both complete', async () => {
    const folders = [await newFolder(), await newFolder()];
    const ends = await bounded(() => Promise.all(folders.map((folder) => start(folder).done)), 60_000);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    for (const folder of folders) expect(await visible(folder)).toBe(digests.size);
  });
});

describe.skipIf(process.platform === 'win32')('a limit of the system', { timeout: 120_000 }, () => {
  /** The command below a shell that sets a limit first. */
  const limited = (limit: string, directory: string, ...more: string[]) =>
    new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) => {
      const child = spawn(
        'bash',
        ['-c', `${limit}; exec "$0" "$@"`, NODE, BIN, ...args(directory), ...more],
        {
          env: { PATH: process.env['PATH'], HOME: process.env['HOME'], CARREL_STATE_DIR: state },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      let stderr = '';
      child.stdout.on('data', (text: Buffer) => {
        stderr += text
          .toString()
          .split('\n')
          .filter((line) => line.includes('"failure"'))
          .join('\n');
      });
      child.stderr.on('data', (text: Buffer) => {
        stderr += text.toString();
      });
      child.on('close', (code, signal) => resolve({ code, signal, stderr }));
    });

  test.each(['auto', '200'])(
    'of 64 file descriptors, --jobs %s: right or told, and the next run completes',
    async (jobs) => {
      const directory = await newFolder();
      const { code, signal, stderr } = await bounded(
        () => limited('ulimit -n 64', directory, '--jobs', jobs),
        60_000,
      );
      process.stdout.write(
        `64 file descriptors, --jobs ${jobs}: exit ${code ?? signal}, ${await visible(directory)} of ${digests.size} files\n`,
      );
      expect(signal).toBeNull();
      // On a machine that is busy enough a file may be given up, honestly.
      expect([0, 3], stderr).toContain(code);
      await complete(directory);
    },
  );

  test('of one megabyte per file: told, nothing half, and the next run completes', async () => {
    const directory = await newFolder();
    const { code, signal } = await bounded(() => limited('trap "" XFSZ; ulimit -f 1024', directory), 60_000);
    expect(signal).toBeNull();
    expect(code).not.toBe(0);
    expect(await visible(directory)).toBeLessThan(digests.size);
    await complete(directory);
  });
});
