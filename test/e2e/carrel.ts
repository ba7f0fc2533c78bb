/**
 * The built command against real servers: processes of their own, the sample archive on loopback, temporary folders.
 * `npm test` builds `dist/` first; `CARREL_TEST_NODE` runs the command under another Node.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchiveRecord } from '../../src/archives/index.ts';
import {
  ensureSample,
  SAMPLE_VERSION,
  type SampleFacts,
  type SeriesFact,
  type SeriesVersionFact,
  sampleFacts,
} from '../../src/sample/index.ts';
import { oncePerRun } from '../fixtures/once-per-run.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';

/** The Node that runs the command. */
export const NODE = process.env['CARREL_TEST_NODE'] ?? process.execPath;

/** The built command. */
export const BIN =
  process.env['CARREL_TEST_BIN'] ?? fileURLToPath(new URL('../../dist/bin/carrel.js', import.meta.url));

/** How a run ended. */
export interface CarrelResult {
  /** Exit code; null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** Stdout as it came, for what is not text. */
  bytes: Buffer;
  stderr: string;
}

/** What a run may be given. */
export interface RunOptions {
  /** Added to the clean environment of the tests; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  stdin?: string | Uint8Array;
}

/** A command that runs. */
export interface RunningCarrel {
  child: ChildProcess;
  done: Promise<CarrelResult>;
}

/** State of all runs of a test process: among it the bytecode of each command. */
const STATE = join(tmpdir(), `carrel-e2e-state-${process.pid}`);

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(STATE, { recursive: true, force: true });
});

/** Starts the command. Only what `env` says and what a process cannot live without comes from our environment. */
export function startCarrel(args: readonly string[], options: RunOptions = {}): RunningCarrel {
  if (!existsSync(BIN)) throw new Error(`${BIN} is missing: run npm run build first`);
  const child = spawn(NODE, [BIN, ...args], {
    cwd: options.cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // Tests that fetch the same files twice count requests, and leave nothing in the home of whoever runs them.
      CARREL_REUSE: 'never',
      CARREL_STATE_DIR: STATE,
      // No test leaves the machine, not even by way of pip.
      CARREL_PIP: '',
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  // A command that does not read its stdin closes it.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const chunks: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<CarrelResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      const bytes = Buffer.concat(chunks);
      resolve({ code, signal, stdout: bytes.toString('utf8'), bytes, stderr });
    });
  });
  return { child, done };
}

/** Runs the command to its end. */
export async function runCarrel(args: readonly string[], options: RunOptions = {}): Promise<CarrelResult> {
  return await startCarrel(args, options).done;
}

/** The lines of a run in JSON Lines; a line that is no JSON fails the test that reads it. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The last line of `get --json`. */
export function summaryOf(result: CarrelResult): Record<string, unknown> {
  const last = jsonLines(result.stdout).at(-1);
  if (last?.['type'] !== 'summary') {
    throw new Error(`no summary; code ${result.code}\n${result.stdout}\n${result.stderr}`);
  }
  return last;
}

/** The error of `--json`, which is the last line on stderr. */
export function errorOf(result: CarrelResult): Record<string, unknown> {
  const last = jsonLines(result.stderr).at(-1);
  if (last?.['type'] !== 'error')
    throw new Error(`no error; code ${result.code}\n${result.stdout}\n${result.stderr}`);
  return last;
}

/** Every file below a folder by its path with `/`; without lock files, receipts and our own state. */
export async function filesBelow(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    if (
      !entry.isFile() ||
      name.startsWith('.carrel/') ||
      /^carrel\.(lock(\.\w+)?\.json|receipts\.jsonl)$/.test(name)
    )
      continue;
    // A running command renames and removes its own files meanwhile.
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (bytes !== undefined) files.set(name, bytes);
  }
  return files;
}

/** One version of a series that a test expects, or some instances of it. */
export interface ExpectedSeries {
  series: SeriesFact;
  version: SeriesVersionFact;
  instances?: readonly string[];
}

/** A version of a series by the release that holds it (default: the newest). */
export function versionIn(series: SeriesFact, release = 3): ExpectedSeries {
  const version = series.versions.find(({ from, to }) => from <= release && release <= to);
  if (version === undefined) throw new Error(`v${release} does not hold ${series.seriesInstanceUid}`);
  return { series, version };
}

/** The sample archive on loopback, a catalogue of it, and a desk to work at. */
export interface ReadingRoom extends ObjectServers {
  facts: SampleFacts;
  /** Root of the sample: `buckets/`, `catalog/`. */
  sampleRoot: string;
  /** Record with the mirrors `aws` and `gcs` only, both on loopback: no disk that could heal what a server breaks. */
  archivePath: string;
  /** Private folder of the test file. */
  folder: string;
  env: Record<string, string | undefined>;
  run(args: readonly string[], options?: RunOptions): Promise<CarrelResult>;
  start(args: readonly string[], options?: RunOptions): RunningCarrel;
  /** A new folder below `folder`. */
  newFolder(name?: string): Promise<string>;
  /** Bytes of an instance, as they lie in the bucket. */
  source(expected: ExpectedSeries, instance: string): Promise<Buffer>;
  /** Throws where the folder does not hold exactly these files with exactly these bytes. Answers with the paths. */
  mustHold(folder: string, expected: readonly ExpectedSeries[]): Promise<string[]>;
  /** Requests of both servers since the last call. */
  takeRequests(): { s3: number; gcs: number; total: number };
}

/** Where all test files share one generated sample. */
export async function sharedSample(): Promise<string> {
  const { root } = await ensureSample({ dir: join(tmpdir(), `carrel-test-sample-${SAMPLE_VERSION}`) });
  return root;
}

/** Opens a room: servers, catalogues of the releases named, a private cache. */
export async function openReadingRoom(
  options: {
    /** Whose catalogues are installed; default: the newest. */
    releases?: readonly string[];
    tls?: boolean;
    from?: string;
    /** Changes the record before it is written. */
    edit?: (record: ArchiveRecord) => void;
  } = {},
): Promise<ReadingRoom> {
  const sampleRoot = await sharedSample();
  const folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-'));
  const servers = await startObjectServers({ root: join(sampleRoot, 'buckets'), tls: options.tls ?? false });
  const archivePath = join(folder, 'archive.json');
  const record = JSON.parse(await readFile(join(sampleRoot, 'archive.json'), 'utf8')) as ArchiveRecord;
  record.mirrors = record.mirrors
    .filter(({ name }) => name !== 'disk')
    .map((mirror) => ({ ...mirror, endpoint: mirror.name === 'aws' ? servers.s3.url : servers.gcs.url }));
  for (const { buckets } of record.bucketClasses) delete buckets['disk'];
  options.edit?.(record);
  await writeFile(archivePath, JSON.stringify(record));
  await symlink(join(sampleRoot, 'catalog'), join(folder, 'catalog'));
  const env: Record<string, string | undefined> = {
    CARREL_ARCHIVE: archivePath,
    CARREL_CACHE_DIR: join(folder, 'cache'),
    CARREL_CONFIG_DIR: join(folder, 'config'),
    CARREL_STATE_DIR: join(folder, 'state'),
    CARREL_FROM: options.from ?? 'aws',
  };
  const facts = sampleFacts();
  let folders = 0;
  const start = (args: readonly string[], more: RunOptions = {}) =>
    startCarrel(args, { cwd: folder, ...more, env: { ...env, ...more.env } });
  const room: ReadingRoom = {
    ...servers,
    facts,
    sampleRoot,
    archivePath,
    folder,
    env,
    start,
    run: (args, more) => start(args, more).done,
    async newFolder(name = 'desk') {
      folders += 1;
      const path = join(folder, `${name}-${folders}`);
      await mkdir(path, { recursive: true });
      return path;
    },
    source: ({ series, version }, instance) =>
      readFile(join(sampleRoot, 'buckets', series.bucket, version.uuid, `${instance}.dcm`)),
    async mustHold(target, expected) {
      const found = await filesBelow(target);
      const wanted = new Map<string, ExpectedSeries>();
      for (const one of expected) {
        for (const instance of one.instances ?? one.version.instances.values()) wanted.set(instance, one);
      }
      const names = [...found.keys()].map((path) => basename(path, '.dcm')).sort();
      const keys = [...wanted.keys()].sort();
      if (names.join('\n') !== keys.join('\n')) {
        throw new Error(
          `expected ${keys.length} files, found ${names.length}: ${names.slice(0, 5).join(' ')}`,
        );
      }
      for (const [path, bytes] of found) {
        const instance = basename(path, '.dcm');
        const from = wanted.get(instance);
        if (from === undefined || !bytes.equals(await room.source(from, instance))) {
          throw new Error(`${path} is not as in the bucket`);
        }
      }
      return [...found.keys()].sort();
    },
    takeRequests() {
      const [s3, gcs] = [servers.s3.requests.length, servers.gcs.requests.length];
      servers.s3.requests.length = 0;
      servers.gcs.requests.length = 0;
      return { s3, gcs, total: s3 + gcs };
    },
    async close() {
      await servers.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const releases = options.releases ?? ['v3'];
  if (releases.length === 0 || options.edit !== undefined) await installReleases(room, releases);
  else {
    // Records differ by their ports alone, of which the tables know nothing: installed once for all rooms of a run.
    const made = await oncePerRun(`sample-${releases.join('-')}`, async (shared) => {
      const [CARREL_CACHE_DIR, CARREL_STATE_DIR] = [join(shared, 'cache'), join(shared, 'state')];
      await installReleases(room, releases, { CARREL_CACHE_DIR, CARREL_STATE_DIR });
    });
    await cp(made, folder, { recursive: true });
  }
  return room;
}

async function installReleases(
  room: ReadingRoom,
  releases: readonly string[],
  env: RunOptions['env'] = {},
): Promise<void> {
  for (const release of releases) {
    const { code, stderr } = await room.run(['catalog', 'update', '--release', release, '-q'], { env });
    if (code !== 0) throw new Error(`the catalogue of ${release} could not be installed: ${stderr}`);
  }
}
