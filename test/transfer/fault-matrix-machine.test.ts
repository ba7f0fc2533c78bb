/** The fault matrix, third table: the machine itself. Disks, folders, clocks; and credentials that must not travel. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isCarrelError } from '../../src/errors.ts';
import { type Listener, listen } from '../../src/serve/index.ts';
import { createOpenStore } from '../../src/stores/index.ts';
import {
  type PlannedFile,
  resultUntil,
  type TransferOptions,
  type TransferResult,
} from '../../src/transfer/index.ts';
import {
  bounded,
  type Face,
  type FaultRig,
  openFaultRig,
  placeOf,
  visibleIn,
} from '../fixtures/fault-rig.ts';
import { withFaults } from '../fixtures/faults.ts';
import { md5 } from '../fixtures/memory-store.ts';

let rig: FaultRig;
let s3: Listener;
let gcs: Listener;
const contents: Record<string, Buffer> = {};

beforeAll(async () => {
  rig = await openFaultRig();
  for (let index = 0; index < 40; index += 1) contents[`series/${index}.dcm`] = randomBytes(100_000);
  contents['series/large.dcm'] = randomBytes(3_000_000);
  const served = (key: string) => contents[key.replace(/^b\//, '')] ?? Buffer.alloc(0);
  const app = {
    async fetch(request: Request) {
      const bytes = served(decodeURIComponent(new URL(request.url).pathname.slice(1)));
      return new Response(bytes as Buffer<ArrayBuffer>, {
        headers: { 'content-length': String(bytes.length) },
      });
    },
  };
  s3 = await listen(app);
  gcs = await listen(app);
});
afterAll(async () => {
  await s3?.close();
  await gcs?.close();
  await rig?.close();
});

const RUNS = (['s3', 'gcs', 'https'] as const).flatMap((face) =>
  [1, 2].map((threads) => ({ face, threads })),
);

interface End {
  result: TransferResult | undefined;
  code: string | undefined;
  text: string;
}

/** One run into a folder; how it ended, whatever the end. */
async function run(
  directory: string,
  { face, threads }: { face: Face; threads: number },
  options: Partial<TransferOptions> = {},
): Promise<End> {
  const place = placeOf(face, face === 'gcs' ? gcs.url : s3.url);
  const plan = Object.entries(contents).map(
    ([path, bytes]): PlannedFile => ({
      path,
      size: bytes.length,
      digests: [md5(bytes)],
      sources: [{ mirror: 'm', place, key: path }],
    }),
  );
  const engine = rig.engine(threads);
  const opener = engine.createOpenStore({ env: {} });
  try {
    const result = await bounded((signal) =>
      engine.transfer(plan, {
        directory,
        openStore: opener.openStore,
        threads,
        retry: { attempts: 3, baseMs: 1, capMs: 4 },
        signal,
        ...options,
      }),
    );
    const [failed] = result.failed;
    return { result, code: failed?.error.code, text: failed?.error.message ?? '' };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const known = error as Error & { code: string; next?: string };
    expect(known.next ?? '').not.toBe('');
    return { result: resultUntil(error), code: known.code, text: error.message };
  } finally {
    await opener.close();
  }
}

/** Every file that is visible is right. */
async function mustBeRight(directory: string): Promise<number> {
  const paths = await visibleIn(directory);
  for (const path of paths)
    expect((await readFile(join(directory, path))).equals(contents[path] ?? Buffer.alloc(0)), path).toBe(
      true,
    );
  return paths.length;
}

const all = () => Object.keys(contents).length;

/** A file system of its own; only root may mount one. */
async function onTmpfs(
  size: string,
  work: (folder: string, remount: (how: string) => void) => Promise<void>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
  try {
    await work(folder, (how) => void execFileSync('mount', ['-o', `remount,${how}`, folder]));
  } finally {
    execFileSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  }
}

const mayMount = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d" && rmdir "$d"'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
})();

const plenty = async () => Number.MAX_SAFE_INTEGER;

describe.skipIf(!mayMount)('a disk (needs root, for a mount)', { timeout: 120_000 }, () => {
  test.each(RUNS)(
    'that runs full: told, nothing half, and the next run completes; $face, $threads',
    async (how) => {
      await onTmpfs('2m', async (folder, remount) => {
        const directory = join(folder, 'out');
        const full = await run(directory, how, { freeSpace: plenty });
        expect(full).toMatchObject({ code: 'no-space' });
        expect(await mustBeRight(directory)).toBeLessThan(all());
        // Known before a byte moves, where the system is asked.
        expect(await run(directory, how)).toMatchObject({ code: 'no-space' });
        remount('size=64m');
        expect(await run(directory, how)).toMatchObject({ code: undefined });
        expect(await mustBeRight(directory)).toBe(all());
      });
    },
  );

  test.each(RUNS)('that may only be read; $face, $threads', async (how) => {
    await onTmpfs('64m', async (folder, remount) => {
      remount('ro');
      expect(await run(join(folder, 'out'), how)).toMatchObject({ code: 'permission' });
      remount('rw');
      expect(await run(join(folder, 'out'), how)).toMatchObject({ code: undefined });
    });
  });

  test.each(RUNS)('that turns read-only in the middle; $face, $threads', async (how) => {
    await onTmpfs('64m', async (folder, remount) => {
      const directory = join(folder, 'out');
      let done = 0;
      const broken = await run(directory, how, {
        jobs: 2,
        onEvent: (event) => {
          if (event.type === 'file') done += 1;
          if (event.type !== 'file' || done !== 5) return;
          try {
            remount('ro');
          } catch {
            done = 4; // a file was open for writing: with the next one
          }
        },
      });
      expect([undefined, 'permission']).toContain(broken.code);
      remount('rw');
      await mustBeRight(directory);
      expect(await run(directory, how)).toMatchObject({ code: undefined });
      expect(await mustBeRight(directory)).toBe(all());
    });
  });
});

describe('a destination', { timeout: 120_000 }, () => {
  test.each(RUNS)(
    'that vanishes in the middle: right or told, and the next run completes; $face, $threads',
    async (how) => {
      const folder = await mkdtemp(join(tmpdir(), 'carrel-vanish-'));
      const directory = join(folder, 'out');
      try {
        let done = 0;
        const end = await run(directory, how, {
          jobs: 2,
          onEvent: (event) => {
            if (event.type === 'file') done += 1;
            if (done === 5 && event.type === 'file') renameSync(directory, `${directory}.gone`);
          },
        }).catch((error: unknown) => ({ code: isCarrelError(error) ? error.code : String(error) }));
        // What was there before it vanished is gone; nobody can be told that all is well.
        expect(['not-found', 'internal', 'unsafe', 'permission', undefined]).toContain(end.code);
        expect(end.code).not.toBe('internal');
        await mkdir(directory, { recursive: true });
        await mustBeRight(directory);
        expect(await run(directory, how)).toMatchObject({ code: undefined });
        expect(await mustBeRight(directory)).toBe(all());
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  test.each(RUNS)('where a file stands in place of a folder: named; $face, $threads', async (how) => {
    const directory = await mkdtemp(join(tmpdir(), 'carrel-infolder-'));
    try {
      await writeFile(join(directory, 'series'), 'mine');
      expect(await run(directory, how)).toMatchObject({ code: 'unsafe' });
      expect(await readFile(join(directory, 'series'), 'utf8')).toBe('mine');
      await rm(join(directory, 'series'));
      expect(await run(directory, how)).toMatchObject({ code: undefined });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('a clock', { timeout: 120_000 }, () => {
  test.each(['s3', 'gcs', 'https'] as const)(
    'that jumps by days, to and fro: nobody waits, nothing is lost; %s',
    async (face) => {
      const directory = await mkdtemp(join(tmpdir(), 'carrel-clock-'));
      const real = Date.now;
      let calls = 0;
      const clock = vi
        .spyOn(Date, 'now')
        .mockImplementation(() => real() + (calls++ % 2 ? 1 : -1) * 86_400_000);
      try {
        expect(await run(directory, { face, threads: 1 })).toMatchObject({ code: undefined });
        expect(calls).toBeGreaterThan(0);
        expect(await run(directory, { face, threads: 1 })).toMatchObject({
          result: { present: all(), requests: 0 },
        });
      } finally {
        clock.mockRestore();
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});

describe('credentials', () => {
  test.each(['s3', 'gcs'] as const)('do not follow a redirect to another host; %s', async (face) => {
    const heard: Record<string, string>[] = [];
    const thief = await listen({
      async fetch(request) {
        heard.push(Object.fromEntries(request.headers));
        return new Response('stolen');
      },
    });
    const redirecting = withFaults(rig.apps[face], [{ fault: { kind: 'redirect', to: `${thief.url}/b/k` } }]);
    const asked: Record<string, string>[] = [];
    const server = await listen({
      fetch: (request) => {
        asked.push(Object.fromEntries(request.headers));
        return redirecting.fetch(request);
      },
    });
    const opener = createOpenStore({
      env: {},
      credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' }),
      gcsToken: () => 'token',
    });
    try {
      const place = { ...placeOf(face, server.url), access: 'signed' as const, region: 'eu-west-1' };
      const store = opener.openStore(place);
      await store.get('k').then(
        (body) => body.cancel(),
        (error: unknown) => expect(isCarrelError(error)).toBe(true),
      );
      expect(asked[0]).toHaveProperty('authorization');
      for (const headers of heard) {
        const told = Object.keys(headers).filter((name) => /authorization|cookie|token|x-amz-/.test(name));
        expect(told).toEqual([]);
      }
    } finally {
      await opener.close();
      await server.close();
      await thief.close();
    }
  });
});
