/** `carrel tcia install-ascp` and `carrel doctor tcia`, with servers on loopback. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../src/serve/index.ts';
import { makeTar } from '../tcia/unzip/make-tar.ts';
import { type CarrelResult, startCarrel } from './carrel.ts';

const FAKE_ASCP = fileURLToPath(new URL('../tcia/server/fake-ascp.mjs', import.meta.url));

let root: string;
let env: Record<string, string>;
let archive: string;
let sha256: string;
let key: string;
let web: Listener;
let fasp: Server;
let broken = false;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'carrel-e2e-ascp-'));
  // Nothing of IBM that this machine may have is found.
  env = { HOME: join(root, 'home'), CARREL_STATE_DIR: join(root, 'state'), GEM_HOME: '', GEM_PATH: '' };
  const bytes = gzipSync(
    makeTar([
      { name: 'sdk/bin/ascp', bytes: await readFile(FAKE_ASCP), mode: 0o755 },
      { name: 'sdk/aspera/aspera-license', bytes: 'licence' },
    ]),
  );
  archive = join(root, 'sdk.tar.gz');
  await writeFile(archive, bytes);
  sha256 = createHash('sha256').update(bytes).digest('hex');
  key = join(root, 'key.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  web = await listen({
    fetch: async () => (broken ? new Response('maintenance', { status: 503 }) : new Response('[]')),
  });
  fasp = createServer((socket) => socket.on('error', () => {}));
  fasp.listen(0, '127.0.0.1');
  await once(fasp, 'listening');
});
afterAll(async () => {
  await web.close();
  fasp.close();
  await rm(root, { recursive: true, force: true });
});

async function carrel(...args: string[]): Promise<CarrelResult> {
  return await startCarrel(args, { env, cwd: root }).done;
}

interface Told {
  findings: { check: string; state: string; detail: string; next?: string }[];
  verdict: string;
  alternatives: { name: string }[];
}

async function doctor(...args: string[]): Promise<Told & { code: number | null; stderr: string }> {
  const servers = ['wordpress', 'pathdb'].flatMap((name) => ['--server', `${name}=${web.url}`]);
  const { code, stdout, stderr } = await carrel(
    'doctor',
    'tcia',
    '--json',
    '--faspex',
    web.url,
    ...servers,
    ...args,
  );
  return { code, stderr, ...(JSON.parse(stdout) as Told) };
}

function states(told: Told): Record<string, string> {
  return Object.fromEntries(told.findings.map(({ check, state }) => [check.replace(/ \d+$/, ''), state]));
}

/** What stands in the state folder, beside the bytecode that Node 22 and later leave after any run. */
const installed = async (): Promise<string[]> =>
  (await readdir(join(root, 'state')).catch(() => [])).filter((name) => name !== 'bytecode');

describe('carrel tcia install-ascp', () => {
  test('fetches nothing before IBM’s terms were accepted, and shows what and whose they are', async () => {
    const { code, stderr } = await carrel('tcia', 'install-ascp', '--from', 'sdk.tar.gz');
    expect(code).toBe(2);
    expect(stderr).toContain('licence terms of IBM');
    expect(stderr).toContain('--accept-terms');
    expect(await installed()).toEqual([]);
  });

  test('refuses other bytes than were pinned, and a digest that is none', async () => {
    const wrong = await carrel(
      'tcia',
      'install-ascp',
      '--accept-terms',
      '--from',
      archive,
      '--sha256',
      '0'.repeat(64),
    );
    expect([wrong.code, wrong.stderr.includes(sha256)]).toEqual([5, true]);
    expect((await carrel('tcia', 'install-ascp', '--sha256', 'xyz')).code).toBe(2);
    expect(await installed()).toEqual([]);
  });

  test('installs from file://, where doctor then finds it', async () => {
    const before = await doctor('--offline');
    expect(states(before)).toMatchObject({ ascp: 'fail', 'client key': 'fail' });
    const from = pathToFileURL(archive).href;
    const { code, stdout } = await carrel(
      'tcia',
      'install-ascp',
      '--accept-terms',
      '--from',
      from,
      '--sha256',
      sha256,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('ascp 4.4.7.1234 stands in state/ascp/ascp and runs');
    expect(stdout).toContain('as expected');
    expect(stdout).toContain('no client key yet');
    const after = await doctor('--offline', '--ssh-key', key);
    expect(states(after)).toEqual({ ascp: 'ok', 'licence of ascp': 'ok', 'client key': 'ok' });
    expect(after.findings[0]?.detail).toContain('installed by carrel');
    expect(after.verdict).toBe('ascp is ready; no server was asked.');
  });

  test('says the digest that nobody pinned, as JSON too, and takes another folder', async () => {
    const args = ['tcia', 'install-ascp', '--accept-terms', '--from', archive, '--to', 'elsewhere/ascp'];
    const { stdout, stderr } = await carrel(...args, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      path: join(root, 'elsewhere', 'ascp', 'ascp'),
      version: '4.4.7.1234',
      sha256,
      licensed: true,
      pinned: false,
      foundByItself: false,
    });
    expect(stderr).toContain('IBM');
    expect((await carrel(...args)).stdout).toContain('nobody vouched for it');
  });
});

describe('carrel doctor tcia', () => {
  const installed = () => ['--ascp', FAKE_ASCP, '--ssh-key', key];
  const open = () => ['--host', `127.0.0.1:${(fasp.address() as AddressInfo).port}`];

  test('everything is there: it says so, and that UDP cannot be proven', async () => {
    const told = await doctor(...installed(), ...open());
    // UDP on loopback refuses, since nobody listens there.
    expect(states(told)).toMatchObject({
      ascp: 'ok',
      'client key': 'ok',
      Faspex: 'ok',
      TCP: 'ok',
      WordPress: 'ok',
      PathDB: 'ok',
    });
    expect(told.code).toBe(0);
    expect(told.verdict).toContain('Nothing stands in the way that can be seen');
  });

  test('a shut port while the server is up: the firewall, with the ways over HTTPS', async () => {
    const told = await doctor(...installed(), '--host', '127.0.0.1:1');
    expect(told.code).toBe(1);
    expect(states(told)).toMatchObject({ Faspex: 'ok', TCP: 'fail' });
    expect(told.verdict).toContain('Faspex is up');
    expect(told.alternatives.map(({ name }) => name)).toEqual(['IDC', 'PathDB', 'WordPress']);
    const { stdout } = await carrel('doctor', 'tcia', '--faspex', web.url, '--host', '127.0.0.1:1');
    expect(stdout).toContain('Over HTTPS, without ascp:');
    expect(stdout).toMatch(/FAIL {2}TCP 1 .*refused/);
  });

  test('a server that is down: an outage, not the firewall', async () => {
    broken = true;
    const told = await doctor(...installed(), ...open());
    broken = false;
    expect(told.code).toBe(1);
    expect(states(told)).toMatchObject({ Faspex: 'fail', TCP: 'ok', WordPress: 'warn' });
    expect(told.verdict).toContain('outage of its web service');
  });

  test('a program that is not ascp, a key that is none', async () => {
    const told = await doctor('--offline', '--ascp', process.execPath, '--ssh-key', archive);
    expect(states(told)).toEqual({ ascp: 'fail', 'client key': 'fail' });
    expect(told.verdict).toContain('ascp does not run here');
  });

  test('flags that belong to the other doctor are refused', async () => {
    expect((await carrel('doctor', '--host', 'x')).code).toBe(2);
    expect((await carrel('doctor', 'tcia', '--speed')).code).toBe(2);
    expect((await carrel('doctor', 'tcia', '--offline', '--ascp', 'x', '--host', 'a b')).code).toBe(1);
    expect((await carrel('doctor', 'tcia', '--host', 'a:b:c')).code).toBe(2);
    expect((await carrel('doctor', 'teeth')).code).toBe(2);
  });
});
