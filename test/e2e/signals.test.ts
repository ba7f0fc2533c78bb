/** Signals to the built command: below `nohup`, and twice at once. What single ones do stands in the fault matrix. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { BIN, filesBelow, NODE } from './carrel.ts';

const FILES = 40;
let folder: string;
let buckets: BucketsFixture;
let servers: ObjectServers;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-signals-'));
  buckets = await writeBuckets(
    Object.fromEntries(
      Array.from({ length: FILES }, (_, index) => [`b/s/${index}.bin`, 'x'.repeat(index + 1)]),
    ),
  );
  servers = await startObjectServers({ root: buckets.root });
});
afterAll(async () => {
  await servers?.close();
  await buckets?.remove();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  servers.s3.requests.length = 0;
  servers.s3.faults.length = 0;
  // Half of the files come at once; the others take their time.
  servers.s3.faults.push({
    path: '.bin',
    method: 'GET',
    skip: FILES / 2,
    fault: { kind: 'delay', milliseconds: 1_500 },
  });
});

/** Starts a line of bash in a session of its own, as a terminal does. */
async function start(script: string, out: string) {
  const words = ['cp', 's3://b/s/*', `${out}/`, '--jobs', '4', '--endpoint-url', servers.s3.url];
  const child: ChildProcess = spawn('bash', ['-c', script, NODE, BIN, ...words], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: folder, CARREL_STATE_DIR: join(folder, 'state') },
  });
  const group = -(child.pid ?? 0);
  onTestFinished(() => {
    try {
      process.kill(group, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  });
  let stderr = '';
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  while (servers.s3.requests.filter(({ path }) => path.includes('.bin')).length < FILES / 2) await sleep(20);
  return {
    signal(name: NodeJS.Signals) {
      try {
        process.kill(group, name);
      } catch (error) {
        // It may be over by now.
        expect(error).toMatchObject({ code: 'ESRCH' });
      }
    },
    async end() {
      await closed;
      const { exitCode: code, signalCode } = child;
      return { stderr, code, signalCode, files: (await filesBelow(out)).size };
    },
  };
}

describe.skipIf(process.platform === 'win32')('a terminal that is closed', () => {
  test.each([
    ['nohup carrel', 'nohup "$0" "$@"; exit $?'],
    ['a script below nohup', `nohup bash -c '"$0" "$@"; exit $?' "$0" "$@"`],
    ["trap '' HUP", `trap '' HUP; "$0" "$@"; exit $?`],
  ])('%s outlives it', async (_, script) => {
    const out = await mkdtemp(join(folder, 'out-'));
    const running = await start(script, out);
    running.signal('SIGHUP');
    const { files, stderr } = await running.end();
    expect(files, stderr).toBe(FILES);
    expect(stderr).toContain('complete');
  });

  test('carrel alone ends with it, in order', async () => {
    const out = await mkdtemp(join(folder, 'out-'));
    const running = await start('"$0" "$@"; exit $?', out);
    running.signal('SIGHUP');
    const { files, stderr } = await running.end();
    expect(files).toBeLessThan(FILES);
    expect(stderr).toContain('carrel cp');
  });
});

describe.skipIf(process.platform === 'win32')('a signal that comes twice at once', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s is one signal: the end is in order', async (name) => {
    const out = await mkdtemp(join(folder, 'out-'));
    const running = await start('exec "$0" "$@"', out);
    running.signal(name);
    running.signal(name);
    await sleep(20);
    running.signal(name);
    const { code, signalCode, files, stderr } = await running.end();
    // Node gives signals back to the system while it takes itself down: the last one may come when all is done.
    expect([130, name], stderr).toContain(code ?? signalCode);
    expect(stderr).toContain('carrel cp');
    expect(files).toBeLessThan(FILES);
    expect(await readdir(join(out, '.carrel'))).not.toContain('lock');
  });
});
