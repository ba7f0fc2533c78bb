/** Packages on a Faspex of this machine, the fake `ascp`, and a destination: everything that a fetch needs. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from '../../../src/serve/index.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import {
  type FetchPackageOptions,
  fetchPackage,
  type PackageResult,
  parsePackageLink,
} from '../../../src/tcia/index.ts';
import type { TransferEvent } from '../../../src/transfer/index.ts';
import { createFaspex, type FaspexOptions, type TestFaspex } from '../server/faspex.ts';
import type { ServedEntry } from '../server/faspex-packages.ts';
import { layOutPackage, type PackageFile } from '../server/package-files.ts';

/** The program. */
export const FAKE_ASCP = fileURLToPath(new URL('../server/fake-ascp.mjs', import.meta.url));

/** Opens every package of these tests; must be printed nowhere. */
export const PASSCODE = '7106e341c06829c60d2c4f71a0a1158714b3ecc5';

/** A package to serve. */
export interface RigPackage {
  id: string;
  title: string;
  files: readonly PackageFile[];
  /** Name of its list of checksums. */
  sums?: string | undefined;
  /** Changes the lines of the listing, or of the list of checksums on disk. */
  change?: ((entries: ServedEntry[], folder: string) => ServedEntry[] | Promise<ServedEntry[]>) | undefined;
}

/** A run of the fake program. */
export interface AscpRun {
  pid: number;
  argv: string[];
}

/** What a test works with. */
export interface PackageRig {
  root: string;
  faspex: TestFaspex;
  origin: string;
  keyFile: string;
  /** Variables for the command and the fake. */
  env: Record<string, string>;
  link: (id?: string) => string;
  /** A new destination. */
  destination: () => Promise<string>;
  events: TransferEvent[];
  fetch: (directory: string, options?: Partial<FetchPackageOptions>, id?: string) => Promise<PackageResult>;
  /** Runs of the fake so far that moved bytes. */
  runs: () => Promise<AscpRun[]>;
  /** Secrets that were handed out so far. */
  secrets: () => Promise<string[]>;
  close: () => Promise<void>;
}

/** Starts everything; to be closed. */
export async function openPackageRig(
  packages: readonly RigPackage[],
  options: Partial<FaspexOptions> = {},
): Promise<PackageRig> {
  const root = await mkdtemp(join(tmpdir(), 'carrel-packages-'));
  const registry = join(root, 'registry.json');
  const log = join(root, 'runs.jsonl');
  const served = [];
  for (const { id, title, files, sums, change } of packages) {
    const folder = join(root, 'upstream', id);
    const laid = await layOutPackage(folder, files, { sums });
    const entries = (await change?.(laid, folder)) ?? laid;
    served.push({ id, passcode: PASSCODE, title, entries, folder });
  }
  const faspex = createFaspex({ packages: served, registry, ...options });
  const listener = await listen({ fetch: faspex.fetch });
  const keyFile = join(root, 'key.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  await writeFile(keyFile, pem, { mode: 0o600 });
  const http = createHttpPool({ env: {} });
  const env: Record<string, string> = {
    FAKE_ASCP_REGISTRY: registry,
    FAKE_ASCP_LOG: log,
    CARREL_ASCP: FAKE_ASCP,
    CARREL_ASCP_KEY: keyFile,
    HOME: join(root, 'home'),
    CARREL_CACHE_DIR: join(root, 'cache'),
    CARREL_CONFIG_DIR: join(root, 'config'),
  };
  await mkdir(join(root, 'home'));
  let count = 0;
  const rig: PackageRig = {
    root,
    faspex,
    origin: listener.url,
    keyFile,
    env,
    events: [],
    link: (id = packages[0]?.id ?? '') => faspex.link(listener.url, id),
    async destination() {
      count += 1;
      return join(root, `data ${count}`);
    },
    fetch: async (directory, more = {}, id) =>
      await fetchPackage(
        { link: parsePackageLink(rig.link(id)) },
        {
          directory,
          faspex: { http, retryDelayMs: 1 },
          machine: { env: { PATH: process.env['PATH'], ...env }, home: join(root, 'home') },
          retryDelayMs: 1,
          onEvent: (event) => rig.events.push(event),
          signal: new AbortController().signal,
          ...more,
        },
      ),
    async runs() {
      const text = await readFile(log, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AscpRun)
        .filter(({ argv }) => !argv.includes('-A'));
    },
    async secrets() {
      const issued = JSON.parse(await readFile(registry, 'utf8')) as {
        tokens: Record<string, { cookie: string }>;
      };
      const tokens = Object.entries(issued.tokens).flatMap(([token, { cookie }]) => [token, cookie]);
      const contexts = packages.map(({ id }) => parsePackageLink(rig.link(id)).context);
      const body = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
      return [PASSCODE, ...contexts, ...tokens, ...body];
    },
    async close() {
      await http.close();
      await listener.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return rig;
}

/** Files below a folder with their content, without the state, lock file and receipts of Carrel; sorted. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  if (!existsSync(folder)) return {};
  const found: Record<string, string> = {};
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (path === '.carrel' || /^carrel\.(?:lock|receipts)/.test(path)) continue;
      if (entry.isDirectory()) await visit(path);
      else found[path] = await readFile(join(folder, path), 'utf8');
    }
  };
  await visit('');
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** MD5 in hexadecimal digits. */
export function md5(text: string | Uint8Array): string {
  return createHash('md5').update(text).digest('hex');
}
