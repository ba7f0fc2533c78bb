/** Servers of other people on 127.0.0.1, started for one test file and ended with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createSigner, type SignRequest } from '../../src/stores/s3/sign.ts';

/** A running program. */
export interface ForeignServer {
  /** `http://127.0.0.1:port`. */
  url: string;
  close(): Promise<void>;
}

/** Path of a program in the cache of test tools or on the PATH; undefined where it is missing. */
export function findTool(name: string): string | undefined {
  const cache = process.env['CARREL_TEST_TOOLS'] ?? join(homedir(), '.cache/carrel-test-tools/bin');
  return [cache, ...(process.env['PATH'] ?? '').split(delimiter)]
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Key pair of the servers that ask for one. */
export const ROOT = { accessKeyId: 'carrel', secretAccessKey: 'carrel-secret-key' };

/** versitygw over a folder; private unless a policy says otherwise. */
export function startVersitygw(tool: string): Promise<ForeignServer> {
  return start(tool, (port, folder) => {
    const [data, versions] = [join(folder, 'data'), join(folder, 'versions')];
    mkdirSync(data);
    mkdirSync(versions);
    return {
      args: [
        '-p',
        `127.0.0.1:${port}`,
        '--keep-alive',
        '--quiet',
        'posix',
        '--versioning-dir',
        versions,
        data,
      ],
      env: { ROOT_ACCESS_KEY: ROOT.accessKeyId, ROOT_SECRET_KEY: ROOT.secretAccessKey },
    };
  });
}

/** moto's S3. */
export function startMoto(tool: string): Promise<ForeignServer> {
  return start(tool, (port) => ({ args: ['-H', '127.0.0.1', '-p', String(port)], env: {} }));
}

/** fake-gcs-server in memory. */
export function startFakeGcs(tool: string): Promise<ForeignServer> {
  return start(tool, (port) => {
    const host = `127.0.0.1:${port}`;
    const listen = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory'];
    return { args: [...listen, '-public-host', host, '-external-url', `http://${host}`], env: {} };
  });
}

async function start(
  tool: string,
  command: (port: number, folder: string) => { args: string[]; env: Record<string, string> },
): Promise<ForeignServer> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-foreign-'));
  const port = await freePort();
  const { args, env } = command(port, folder);
  let output = '';
  // A group of its own: some of these programs are scripts that start another.
  const child: ChildProcess = spawn(tool, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.on('data', (text: Buffer) => {
    output += text.toString();
  });
  child.stderr?.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  };
  process.once('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const answers = await fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (answers) break;
    if (tries > 600 || child.exitCode !== null)
      throw new Error(`${tool} does not start: ${output.slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    async close() {
      kill();
      await ended;
      process.off('exit', kill);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/** A signed request with any method and body, for filling servers. Fails for any status of 300 and more. */
export async function s3Request(
  endpoint: string,
  method: string,
  path: string,
  options: {
    query?: Record<string, string>;
    body?: Uint8Array | string;
    headers?: Record<string, string>;
  } = {},
): Promise<string> {
  const sign: SignRequest = createSigner(async () => ROOT);
  const { host, protocol } = new URL(endpoint);
  const { query = {}, body } = options;
  const headers = await sign({
    method,
    protocol,
    host,
    path,
    query,
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...options.headers },
    region: 'us-east-1',
  });
  const search = new URLSearchParams(query).toString();
  const response = await fetch(`${endpoint}${path}${search === '' ? '' : `?${search}`}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text;
}
