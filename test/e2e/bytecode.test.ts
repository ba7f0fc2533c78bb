/** What a run leaves for the next one: the bytecode of what it ran, which nobody else may have written. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NODE, runCarrel } from './carrel.ts';

const windows = process.platform === 'win32';
let folder: string;
let state: string;
let runs = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-bytecode-'));
});
beforeEach(() => {
  runs += 1;
  state = join(folder, String(runs));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** A command that is whole without an archive. */
async function show(env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await runCarrel(['config', 'show'], {
    env: { CARREL_STATE_DIR: state, CARREL_CONFIG_DIR: folder, ...env },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.replaceAll(state, '');
}

/** Files below the folder, by name. Node 22 has folders and names of its own. */
async function kept(): Promise<string[]> {
  const entries = await readdir(join(state, 'bytecode'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}

test('a run leaves its bytecode, readable by its user alone, and the next one uses it', async () => {
  const first = await show();
  const [file = ''] = await kept();
  const { mode, mtimeMs, ino } = await stat(file);
  if (!windows) expect(mode & 0o077).toBe(0);
  expect(await show()).toBe(first);
  // What is refused is written anew.
  expect(await stat(file)).toMatchObject({ mtimeMs, ino });
});

test('a run that is told so leaves nothing', async () => {
  await show({ NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(await kept()).toEqual([]);
});

test('each command has its own, and its help another', async () => {
  await show();
  await runCarrel(['config', '--help'], { env: { CARREL_STATE_DIR: state } });
  await runCarrel(['get', '--help'], { env: { CARREL_STATE_DIR: state } });
  const uses = new Set(
    (await kept()).map((path) => /(config|config-help|get-help)(?:$|[\\/])/.exec(path)?.[1]),
  );
  expect(uses).toEqual(new Set(['config', 'config-help', 'get-help']));
});

test('what is loaded on the way is found by a run out of bytecode, too', async () => {
  const signed: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    signed.push(request.headers.authorization?.slice(0, 16));
    response.setHeader('content-type', 'application/xml');
    response.end(
      '<ListBucketResult><Name>one</Name><IsTruncated>false</IsTruncated><Contents><Key>a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"0cc175b9c0f1b6a831c399e269772661"</ETag><Size>1</Size></Contents></ListBucketResult>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { CARREL_STATE_DIR: state, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    // The first leaves its bytecode, and so has to end well.
    for (let run = 0; run < 2; run += 1) {
      const args = ['ls', 's3://one/', '--endpoint', endpoint, '--sign', '--json'];
      const { code, stderr } = await runCarrel(args, { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect((await kept()).length).toBeGreaterThan(0);
    expect(signed).toEqual(['AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256']);
  } finally {
    server.close();
  }
});

// Where Node keeps the bytecode by itself, reading it is Node's business.
describe.skipIf(windows || NODE !== process.execPath || !process.versions.v8.startsWith('11.'))(
  'on Node 20',
  () => {
    // Node 22 writes whatever way a process ends.
    test('a command that fails leaves nothing', async () => {
      const { code } = await runCarrel(['config', 'shove'], { env: { CARREL_STATE_DIR: state } });
      expect(code).toBe(2);
      expect(await kept()).toEqual([]);
    });

    test.each([
      [
        'a flipped bit',
        (bytes: Buffer) => bytes.with(bytes.length >> 1, (bytes.at(bytes.length >> 1) ?? 0) ^ 1),
      ],
      ['a lost end', (bytes: Buffer) => bytes.subarray(0, -1000)],
      ['nothing at all', () => Buffer.alloc(0)],
    ])('%s is noticed, and the file written anew', async (_name, damage) => {
      const first = await show();
      const [file = ''] = await kept();
      const whole = await readFile(file);
      await writeFile(file, damage(whole));
      expect(await show()).toBe(first);
      const again = await readFile(file);
      expect(again.length).toBeGreaterThan(whole.length / 2);
      expect(again.readUInt32LE(4)).toBe(again.length - 8);
    });

    test('a file that others may write to is not read', async () => {
      await show();
      const [file = ''] = await kept();
      const { ino } = await stat(file);
      await chmod(file, 0o666);
      await show();
      const after = await stat(file);
      expect(after.ino).not.toBe(ino);
      expect(after.mode & 0o077).toBe(0);
    });

    test('a folder that others may write to is left alone', async () => {
      await mkdir(join(state, 'bytecode'), { recursive: true });
      await chmod(join(state, 'bytecode'), 0o777);
      await show();
      expect(await kept()).toEqual([]);
    });

    test('a link in its place is not followed', async () => {
      await mkdir(state);
      await mkdir(join(folder, `elsewhere-${runs}`));
      await symlink(join(folder, `elsewhere-${runs}`), join(state, 'bytecode'));
      await show();
      expect(await readdir(join(folder, `elsewhere-${runs}`))).toEqual([]);
    });

    test('a state folder that cannot be made is no fault', async () => {
      await writeFile(state, 'a file');
      await show();
      expect(await readFile(state, 'utf8')).toBe('a file');
    });
  },
);
