/** A package on this disk, a registry of tokens as a Faspex server writes it, and the fake `ascp`. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AscpTransportOptions,
  createAscpTransport,
  type PackagePair,
  type TransferSpec,
  type TransportEvent,
  type TransportJob,
  type TransportResult,
} from '../../../src/tcia/index.ts';

/** The program. */
export const FAKE_ASCP = fileURLToPath(new URL('../server/fake-ascp.mjs', import.meta.url));

/** Prefix of every source, as a server of TCIA names it. */
const ROOT = '/Some title - 1234.aspera-package/PKG - Some title';

/** What a test works with. */
export interface AscpRig {
  /** Everything; removed at the end. */
  root: string;
  /** Destination. */
  folder: string;
  keyFile: string;
  /** The variables of the fake; change them before a run. */
  env: Record<string, string>;
  events: TransportEvent[];
  /** Paths of each spec that was asked for. */
  asked: string[][];
  /** Tokens in the order in which they were issued. */
  tokens: string[];
  pairs: PackagePair[];
  /** A spec as TCIA answers it; its token is in the registry. */
  spec: TransportJob['spec'];
  run(options?: Partial<AscpTransportOptions>, job?: Partial<TransportJob>): Promise<TransportResult>;
  /** Command lines of the runs so far. */
  runs(): Promise<{ pid: number; argv: string[] }[]>;
  remove(): Promise<void>;
}

/** Lays a package out: path → bytes, or null for a path that the server lists and does not have. */
export async function openAscpRig(files: Record<string, Uint8Array | string | null>): Promise<AscpRig> {
  const root = await mkdtemp(join(tmpdir(), 'carrel-ascp-test-'));
  const [folder, upstream] = [join(root, 'out'), join(root, 'upstream')];
  await mkdir(folder);
  const pairs: PackagePair[] = [];
  for (const [path, bytes] of Object.entries(files)) {
    pairs.push({ path, local: path, size: bytes === null ? undefined : Buffer.from(bytes).length });
    if (bytes === null) continue;
    await mkdir(dirname(join(upstream, path)), { recursive: true });
    await writeFile(join(upstream, path), bytes);
  }
  const keyFile = join(root, 'key.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  await writeFile(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const registry = join(root, 'registry.json');
  const log = join(root, 'runs.jsonl');
  const env: Record<string, string> = { FAKE_ASCP_REGISTRY: registry, FAKE_ASCP_LOG: log };
  const issued: Record<string, object> = {};
  const rig: AscpRig = {
    root,
    folder,
    keyFile,
    env,
    events: [],
    asked: [],
    tokens: [],
    pairs,
    async spec(paths) {
      const token = `ATM2_${randomBytes(24).toString('base64')}`;
      const cookie = `aspera.faspex20:${randomBytes(6).toString('hex')}`;
      rig.asked.push([...paths]);
      rig.tokens.push(token);
      const sources = Object.fromEntries(
        paths.map((path) => [`${ROOT}/${path}`, files[path] === null ? null : join(upstream, path)]),
      );
      issued[token] = { sources, cookie };
      await writeFile(registry, JSON.stringify({ tokens: issued }));
      const spec: TransferSpec = {
        direction: 'receive',
        authentication: 'token',
        remote_host: '127.0.0.1',
        remote_user: 'xfer_5',
        ssh_port: 33001,
        fasp_port: 33001,
        cipher: 'aes-128',
        token,
        cookie,
        paths: paths.map((path) => ({ source: `${ROOT}/${path}` })),
        tags: { aspera: { faspex: { package_id: 762 } } },
        target_rate_kbps: 500_000,
        min_rate_kbps: 0,
        rate_policy: 'fair',
      };
      return spec;
    },
    run(options = {}, job = {}) {
      const transport = createAscpTransport({
        ascp: FAKE_ASCP,
        version: '4.4.7',
        key: { origin: '--ssh-key', path: keyFile },
        env: { PATH: process.env['PATH'], ...env },
        retryDelayMs: 1,
        ...options,
      });
      return transport.run({
        pairs,
        folder,
        spec: rig.spec,
        onEvent: (event) => rig.events.push(event),
        signal: new AbortController().signal,
        ...job,
      });
    },
    async runs() {
      const text = await readFile(log, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { pid: number; argv: string[] });
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
  return rig;
}
