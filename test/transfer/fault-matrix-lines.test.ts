/**
 * The fault matrix, fifth table: replies that are late, so that they are asked for twice; and the line itself, which is lost for all
 * connections at once, for a while or for good. Each through each face, by this thread and by a crew of two.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDigestCache, createGcsApp, createS3App, listen } from '../../src/serve/index.ts';
import { createOpenStore } from '../../src/stores/index.ts';
import {
  type PlannedFile,
  type TransferEvent,
  type TransferResult,
  transfer,
} from '../../src/transfer/index.ts';
import { buildEngine, type Engine } from '../fixtures/built-engine.ts';
import { bounded, type Ending, type Face, judge, placeOf, RETRY, SHORT } from '../fixtures/fault-rig.ts';
import { type FaultRule, withFaults } from '../fixtures/faults.ts';
import { type Line, startLine } from '../fixtures/line.ts';
import { md5 } from '../fixtures/memory-store.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

const FACES: readonly Face[] = ['s3', 'gcs', 'https'];
const THREADS = [1, 2];
const MIB = 1 << 20;

/** Small ones tell each thread what is usual; the late ones come after them. */
const SMALL = Array.from({ length: 140 }, (_, index) => `small/${String(index).padStart(3, '0')}.dcm`);
const LATE = 'tail/late.dcm';
const LARGE = 'large/slide.dcm';

const contents: Record<string, Buffer> = {};
let buckets: BucketsFixture;
let built: Engine & { remove(): Promise<void> };
let apps: Record<'s3' | 'gcs', ReturnType<typeof createS3App>>;

beforeAll(async () => {
  for (const key of SMALL) contents[key] = randomBytes(20_000);
  contents[LATE] = randomBytes(19_000);
  contents[LARGE] = randomBytes(41 * MIB + 77);
  buckets = await writeBuckets(
    Object.fromEntries(Object.entries(contents).map(([key, bytes]) => [`b/${key}`, bytes])),
  );
  built = await buildEngine();
  const digests = createDigestCache();
  const { root } = buckets;
  apps = { s3: createS3App({ root, digests }), gcs: createGcsApp({ root, digests }) };
});
afterAll(async () => {
  await buckets?.remove();
  await built?.remove();
});

interface Scene {
  run(
    paths: readonly string[],
    more?: { retry?: Partial<typeof RETRY>; firstByte?: number },
  ): Promise<TransferResult>;
  mustEnd(result: TransferResult, paths: readonly string[], ends: readonly Ending[]): Promise<void>;
  /** How often an object was asked for. */
  asked(path: string): number;
  requests: string[];
  events: TransferEvent[];
  line: Line | undefined;
}

/** A server, a line to it, and a folder; all of them go away with `play`. */
async function withScene(
  face: Face,
  threads: number,
  options: { rules?: FaultRule[]; line?: Parameters<typeof startLine>[1] },
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const faulty = withFaults(face === 'gcs' ? apps.gcs : apps.s3, options.rules ?? []);
  const listener = await listen({
    fetch(request) {
      requests.push(decodeURIComponent(new URL(request.url).pathname));
      return faulty.fetch(request);
    },
  });
  const line: Line | undefined =
    options.line === undefined ? undefined : await startLine(listener.port, options.line);
  const directory = await mkdtemp(join(tmpdir(), 'carrel-line-'));
  const engine: Engine = threads === 1 ? { transfer, createOpenStore } : built;
  const events: TransferEvent[] = [];
  const run = async (
    paths: readonly string[],
    more: { retry?: Partial<typeof RETRY>; firstByte?: number } = {},
  ): Promise<TransferResult> => {
    const timeouts = { ...SHORT, ...(more.firstByte !== undefined && { firstByte: more.firstByte }) };
    const opened = engine.createOpenStore({ env: {}, http: { timeouts } });
    const place = placeOf(face, line?.url ?? listener.url);
    const files = paths.map((path): PlannedFile => {
      const bytes = contents[path] ?? Buffer.alloc(0);
      return {
        path,
        size: bytes.length,
        digests: [md5(bytes)],
        sources: [{ mirror: 'm', place, key: path }],
      };
    });
    try {
      return await bounded((signal) =>
        engine.transfer(files, {
          directory,
          openStore: opened.openStore,
          threads,
          jobs: 8,
          retry: { ...RETRY, ...more.retry },
          timeouts: { idle: 1_500, hedge: 300 },
          signal,
          onEvent: (event) => void events.push(event),
        }),
      );
    } finally {
      await opened.close();
    }
  };
  const mustEnd = async (result: TransferResult, paths: readonly string[], ends: readonly Ending[]) =>
    await judge({ contents }, { result, directory, ends, victims: paths, paths });
  const asked = (path: string) => requests.filter((asked) => asked.endsWith(path)).length;
  try {
    await play({ run, mustEnd, asked, requests, events, line });
  } finally {
    await line?.close();
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const everywhere = <T extends { what: string }>(cases: readonly T[]) =>
  cases.flatMap((one) =>
    FACES.flatMap((face) => THREADS.map((threads) => ({ one, what: one.what, face, threads }))),
  );

/** The first request for the late one waits behind all patience; what follows concerns the next ones. */
const late = (milliseconds: number, times = 1): FaultRule => ({
  path: LATE,
  method: 'GET',
  times,
  fault: { kind: 'delay', milliseconds },
});

interface LateCase {
  what: string;
  rules: FaultRule[];
  ends: readonly Ending[];
  /** Requests for the late one: least and most. */
  asked: readonly [number, number];
  /** True where the second request must have made a repetition needless. */
  first?: boolean;
  /** Attempts that a file may take. Default 1: the second request is none. */
  attempts?: number;
}

const LATE_CASES: readonly LateCase[] = [
  {
    what: 'a reply that is late: the second one is taken',
    rules: [late(4_000)],
    ends: ['right'],
    asked: [2, 2],
    first: true,
  },
  { what: 'both are late', rules: [late(3_000, 2)], ends: ['right'], asked: [2, 2], first: true },
  {
    what: 'the second one is refused, the first one comes',
    rules: [late(2_000), { path: LATE, method: 'GET', times: 1, fault: { kind: 'status', status: 503 } }],
    ends: ['right'],
    asked: [2, 2],
    first: true,
  },
  {
    what: 'the second one is reset, the first one comes',
    rules: [late(2_000), { path: LATE, method: 'GET', times: 1, fault: { kind: 'reset' } }],
    ends: ['right'],
    asked: [1, 3],
  },
  {
    what: 'the second one brings wrong bytes',
    rules: [late(4_000), { path: LATE, method: 'GET', times: 1, fault: { kind: 'wrong-byte', at: 5 } }],
    ends: ['right'],
    asked: [3, 3],
  },
  {
    what: 'the second one breaks off',
    rules: [late(4_000), { path: LATE, method: 'GET', times: 1, fault: { kind: 'cut', after: 500 } }],
    ends: ['right'],
    asked: [3, 3],
    attempts: 2,
  },
  {
    what: 'nobody ever answers',
    rules: [{ path: LATE, method: 'GET', fault: { kind: 'silence' } }],
    ends: ['network'],
    asked: [2, 4],
  },
];

describe.concurrent('a request that is made a second time', { timeout: 120_000 }, () => {
  test.each(everywhere(LATE_CASES))(
    '$what, through $face, $threads thread(s)',
    async ({ one, face, threads }) => {
      await withScene(face, threads, { rules: one.rules.map((rule) => ({ ...rule })) }, async (scene) => {
        const paths = [...SMALL, LATE];
        const result = await scene.run(paths, {
          firstByte: 9_000,
          retry: { attempts: one.attempts ?? 1, outageMs: 0 },
        });
        await scene.mustEnd(result, paths, one.ends);
        if (one.ends.includes('right')) expect(result.failed).toEqual([]);
        else expect(result.failed.map(({ path }) => path)).toEqual([LATE]);
        const count = scene.asked(LATE);
        expect(count).toBeGreaterThanOrEqual(one.asked[0]);
        expect(count).toBeLessThanOrEqual(one.asked[1]);
        if (one.first === true) expect(scene.events.filter(({ type }) => type === 'retry')).toEqual([]);
        // The others were asked for once: what is slow for one is not held against all.
        expect(scene.requests.length - count).toBeLessThanOrEqual(SMALL.length + 3);
      });
    },
  );
});

interface LineCase {
  what: string;
  line: Parameters<typeof startLine>[1];
  paths: readonly string[];
  ends: readonly Ending[];
}

const LINE_CASES: readonly LineCase[] = [
  {
    what: 'lost for two seconds, refused meanwhile',
    line: { loss: 'refusing', after: MIB, forMs: 2_000 },
    paths: SMALL,
    ends: ['right'],
  },
  {
    what: 'silent for two seconds; old connections stay dead',
    line: { loss: 'silent', after: MIB, forMs: 2_000 },
    paths: SMALL,
    ends: ['right'],
  },
  {
    what: 'lost three times, half a second each',
    line: { loss: 'refusing', after: 400_000, forMs: 500, times: 3 },
    paths: SMALL,
    ends: ['right'],
  },
  {
    what: 'lost in the middle of a large object',
    line: { loss: 'refusing', after: 12 * MIB, forMs: 1_500, times: 2 },
    paths: [LARGE],
    ends: ['right'],
  },
  {
    what: 'silent in the middle of a large object',
    line: { loss: 'silent', after: 12 * MIB, forMs: 1_000 },
    paths: [LARGE],
    ends: ['right'],
  },
];

const LOST_CASES: readonly LineCase[] = [
  { what: 'lost for good, refused', line: { loss: 'refusing', after: MIB }, paths: SMALL, ends: ['network'] },
  {
    what: 'silent for good',
    line: { loss: 'silent', after: 500_000 },
    paths: SMALL.slice(0, 70),
    ends: ['network'],
  },
  {
    what: 'lost for good in the middle of a large object',
    line: { loss: 'refusing', after: 12 * MIB },
    paths: [LARGE],
    ends: ['network'],
  },
  { what: 'never there', line: { loss: 'refusing', after: 0 }, paths: SMALL, ends: ['network'] },
];

describe.concurrent('a line that is lost and comes back', { timeout: 120_000 }, () => {
  test.each(everywhere(LINE_CASES))(
    '$what, through $face, $threads thread(s)',
    async ({ one, face, threads }) => {
      await withScene(face, threads, { line: one.line }, async (scene) => {
        const result = await scene.run(one.paths, { retry: { baseMs: 50, capMs: 400, outageMs: 20_000 } });
        await scene.mustEnd(result, one.paths, one.ends);
        expect(result.failed).toEqual([]);
        expect(scene.line?.losses).toBe(one.line.times ?? 1);
        // What had come was not fetched again: at most what was under way.
        const total = one.paths.reduce((sum, path) => sum + (contents[path]?.length ?? 0), 0);
        expect(scene.line?.passed).toBeLessThan(total * 1.2 + (one.line.times ?? 1) * 34 * MIB * 0.5);
      });
    },
  );
});

describe.concurrent('a line that is lost for good', { timeout: 120_000 }, () => {
  test.each(everywhere(LOST_CASES))(
    '$what, through $face, $threads thread(s)',
    async ({ one, face, threads }) => {
      await withScene(face, threads, { line: one.line }, async (scene) => {
        const result = await scene.run(one.paths);
        await scene.mustEnd(result, one.paths, one.ends);
        expect(result.failed.length).toBeGreaterThan(0);
        expect(result.fetched + result.failed.length).toBe(one.paths.length);
        await scene.line?.mend();
        const before = scene.line?.passed ?? 0;
        const later = await scene.run(one.paths);
        expect(later.failed).toEqual([]);
        expect(later.present).toBe(result.fetched);
        await scene.mustEnd(later, one.paths, ['right']);
        // The later run fetched what was missing, and of a large object the rest: what came of it before its beginning had,
        // in parts, is lost. So nothing came twice, but for the part that was under way when a thread took over.
        const total = one.paths.reduce((sum, path) => sum + (contents[path]?.length ?? 0), 0);
        if (one.line.after > 0) expect((scene.line?.passed ?? 0) - before).toBeLessThan(total + 2 * MIB);
      });
    },
  );
});

test('docs/faults.md counts what is played here', async () => {
  const text = await readFile(new URL('../../docs/faults.md', import.meta.url), 'utf8');
  const cases = LATE_CASES.length + LINE_CASES.length + LOST_CASES.length;
  expect(text).toContain(`| ${cases} | ${cases * FACES.length * THREADS.length} |`);
});
