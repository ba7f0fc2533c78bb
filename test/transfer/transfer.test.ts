import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import { partialId } from '../../src/transfer/fetch/partial-file.ts';
import {
  type PlannedFile,
  resultUntil,
  type TransferEvent,
  type TransferResult,
  transfer,
} from '../../src/transfer/index.ts';
import {
  createMemoryStore,
  type MemoryObject,
  type Misbehave,
  md5,
  memoryPlace,
  sha256,
} from '../fixtures/memory-store.ts';
import {
  eventsOf,
  filesIn,
  leftovers,
  opener,
  planOf,
  QUICK,
  randomFiles,
  read,
  temporaryFolder,
} from './desk.ts';

const AWS = { mirror: 'aws', place: memoryPlace };
const GCS = { mirror: 'gcs', place: { ...memoryPlace, bucket: 'other' } };

/** A reset by the server. */
const reset = () => new CarrelError('network', 'connection reset', { retryable: true });

describe('a transfer', () => {
  test('puts every file under its name, proven, and leaves nothing else', async () => {
    const directory = await temporaryFolder();
    const contents = {
      ...randomFiles(20, 30_000),
      'a/large.dcm': randomBytes(3_000_000),
      empty: Buffer.alloc(0),
    };
    const store = createMemoryStore(contents);
    const events: TransferEvent[] = [];
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([store]),
      onEvent: (event) => events.push(event),
    });
    expect(result).toMatchObject({ planned: 22, fetched: 22, present: 0, failed: [], requests: 22 });
    expect(result.verifiedBy).toEqual({ md5: 22 });
    expect(result.bytesFetched).toBe(3_600_000);
    expect(await filesIn(directory)).toEqual(Object.keys(contents).sort());
    for (const [path, bytes] of Object.entries(contents))
      expect((await read(directory, path)).equals(bytes), path).toBe(true);
    expect(await leftovers(directory)).toEqual([]);
    expect(events[0]).toEqual({ type: 'plan', files: 22, bytes: 3_600_000, present: 0, presentBytes: 0 });
    expect(eventsOf(events, 'file')).toHaveLength(22);
    expect(eventsOf(events, 'progress').at(-1)).toMatchObject({
      files: 22,
      bytes: 3_600_000,
      totalBytes: 3_600_000,
    });
  });

  test('a second run makes no request and reads no file', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(10, 1000);
    const store = createMemoryStore(contents);
    const plan = planOf(contents, [AWS]);
    await transfer(plan, { directory, openStore: opener([store]) });
    store.requests.length = 0;
    const events: TransferEvent[] = [];
    const onEvent = (event: TransferEvent) => events.push(event);
    const result = await transfer(plan, { directory, openStore: opener([store]), onEvent });
    expect(store.requests).toEqual([]);
    expect(result).toMatchObject({ planned: 10, fetched: 0, present: 10, requests: 0, bytesPresent: 10_000 });
    expect(result.verifiedBy).toEqual({ md5: 10 });
    // The note that files are being read is missing: the journal vouched for all of them.
    expect(events.map(({ type }) => type)).toEqual(['plan', ...Array(10).fill('file')]);
  });

  test('what is known of neither size nor digest is taken as it comes, and says so', async () => {
    const directory = await temporaryFolder();
    const contents = { 'small.dcm': randomBytes(5000), 'large.dcm': randomBytes(2_500_000) };
    const store = createMemoryStore(
      Object.fromEntries(Object.entries(contents).map(([key, bytes]) => [key, { bytes, sizeless: true }])),
    );
    const plan = planOf(contents, [AWS], (file) => ({ ...file, size: undefined, digests: [] }));
    const events: TransferEvent[] = [];
    const result = await transfer(plan, {
      directory,
      openStore: opener([store]),
      onEvent: (event) => events.push(event),
    });
    expect(result).toMatchObject({ fetched: 2, verifiedBy: { none: 2 } });
    // An MD5 is computed all the same: the next run and `verify` have something to hold on to.
    for (const [path, bytes] of Object.entries(contents)) {
      expect(result.files.find((file) => file.path === path)?.digest).toBe(md5(bytes));
    }
    expect(eventsOf(events, 'plan')[0]?.bytes).toBeUndefined();
    for (const [path, bytes] of Object.entries(contents))
      expect((await read(directory, path)).equals(bytes)).toBe(true);
  });

  test('without a digest in the plan, the digest of the reply is the evidence', async () => {
    const directory = await temporaryFolder();
    const bytes = randomBytes(4000);
    const store = createMemoryStore({ 'a.dcm': { bytes, digests: [md5(bytes), sha256(bytes)] } });
    const plan = planOf({ 'a.dcm': bytes }, [AWS], (file) => ({ ...file, digests: [] }));
    const result = await transfer(plan, { directory, openStore: opener([store]) });
    expect(result.files[0]).toMatchObject({
      verifiedBy: 'sha256',
      digest: sha256(bytes),
      mirror: 'aws',
      attempts: 1,
    });
    const again = await transfer(plan, { directory, openStore: opener([store]) });
    expect(again).toMatchObject({ present: 1, requests: 0, verifiedBy: { sha256: 1 } });
  });

  test('with only a size to compare with, one note says for how many files', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(3, 100);
    const events: TransferEvent[] = [];
    const result = await transfer(
      planOf(contents, [AWS], (file) => ({ ...file, digests: [] })),
      { directory, openStore: opener([createMemoryStore(contents)]), onEvent: (event) => events.push(event) },
    );
    expect(result.verifiedBy).toEqual({ size: 3 });
    expect(eventsOf(events, 'note').map(({ message }) => message)).toEqual([
      '3 files could be compared by their size only: nobody published a digest',
    ]);
  });

  test('verify: size and none compute nothing', async () => {
    const contents = randomFiles(2, 100);
    for (const verify of ['size', 'none'] as const) {
      const directory = await temporaryFolder();
      const openStore = opener([createMemoryStore(contents)]);
      const result = await transfer(planOf(contents, [AWS]), { directory, openStore, verify });
      expect(result.verifiedBy).toEqual({ [verify]: 2 });
      expect(result.files[0]?.digest).toBeUndefined();
    }
  });

  test('an empty plan is done', async () => {
    const directory = await temporaryFolder();
    const result = await transfer([], { directory, openStore: opener([]) });
    expect(result).toMatchObject({ planned: 0, fetched: 0, present: 0, failed: [] });
  });

  test('large files are started first, the others in the order of the plan', async () => {
    const directory = await temporaryFolder();
    const contents = { 'b.dcm': randomBytes(10), 'a.dcm': randomBytes(10), 'l.dcm': randomBytes(9 << 20) };
    const store = createMemoryStore(contents);
    await transfer(planOf(contents, [AWS]), { directory, openStore: opener([store]), jobs: 1 });
    expect(store.requests.map(({ key }) => key)).toEqual(['l.dcm', 'b.dcm', 'a.dcm']);
  });

  test('progress is told at most ten times a second, and never goes beyond the total', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(400, 20_000);
    const events: TransferEvent[] = [];
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([createMemoryStore(contents)]),
      onEvent: (event) => events.push(event),
    });
    const progress = eventsOf(events, 'progress');
    expect(progress.length).toBeLessThanOrEqual(result.milliseconds / 100 + 2);
    expect(progress.every(({ bytes, files }) => bytes <= 8_000_000 && files <= 400)).toBe(true);
    expect(progress.at(-1)).toMatchObject({ files: 400, bytes: 8_000_000 });
  });

  test('a listener that throws ends the run; the file it was told of is in place all the same', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(3, 100);
    const error = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([createMemoryStore(contents)]),
      jobs: 1,
      onEvent: ({ type }) => {
        if (type === 'file') throw new Error('the printer is on fire');
      },
    }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('the printer is on fire'),
    });
    expect(resultUntil(error)).toMatchObject({ fetched: 1, failed: [] });
    expect(await filesIn(directory)).toHaveLength(1);
  });

  test('no more jobs at once than asked for', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(20, 1000);
    const store = createMemoryStore(contents);
    let now = 0;
    let most = 0;
    store.misbehave = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return undefined;
    };
    await transfer(planOf(contents, [AWS]), { directory, openStore: opener([store]), jobs: 3 });
    expect(most).toBe(3);
  });
});

describe('files that are here already', () => {
  /** One file in place, put there by somebody else. */
  async function withFile(onDisk: Uint8Array, wanted: Uint8Array) {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'a.dcm'), onDisk);
    const store = createMemoryStore({ 'a.dcm': wanted });
    const run = (change = {}) =>
      transfer(
        planOf({ 'a.dcm': wanted }, [AWS], (file) => ({ ...file, ...change })),
        { directory, openStore: opener([store]) },
      );
    return { directory, store, run };
  }

  test('the right bytes from elsewhere are recognized by reading them', async () => {
    const bytes = randomBytes(1000);
    const { store, run } = await withFile(bytes, bytes);
    expect(await run()).toMatchObject({ present: 1, fetched: 0, verifiedBy: { md5: 1 } });
    expect(store.requests).toEqual([]);
  });

  test('other bytes of the same size are replaced', async () => {
    const bytes = randomBytes(1000);
    const { directory, run } = await withFile(randomBytes(1000), bytes);
    expect(await run()).toMatchObject({ present: 0, fetched: 1 });
    expect((await read(directory, 'a.dcm')).equals(bytes)).toBe(true);
  });

  test('the old file stays until the new one is verified, and stays if it never is', async () => {
    const old = randomBytes(1000);
    const { directory, store, run } = await withFile(old, randomBytes(1000));
    store.misbehave = async () => {
      expect((await read(directory, 'a.dcm')).equals(old)).toBe(true);
      return { bytes: randomBytes(1000) };
    };
    const result = await run();
    expect(result.failed.map(({ error }) => error.code)).toEqual(['verification']);
    expect((await read(directory, 'a.dcm')).equals(old)).toBe(true);
  });

  test('another size is replaced without being read', async () => {
    const { run } = await withFile(randomBytes(999), randomBytes(1000));
    expect(await run()).toMatchObject({ fetched: 1 });
  });

  test('a file that was touched is read again, a file that was changed is fetched again', async () => {
    const bytes = randomBytes(1000);
    const { directory, store, run } = await withFile(randomBytes(5), bytes);
    await run();
    store.requests.length = 0;
    await utimes(join(directory, 'a.dcm'), 1, 1);
    expect(await run()).toMatchObject({ present: 1 });
    expect(store.requests).toEqual([]);
    await writeFile(join(directory, 'a.dcm'), randomBytes(1000));
    expect(await run()).toMatchObject({ fetched: 1 });
    expect((await read(directory, 'a.dcm')).equals(bytes)).toBe(true);
  });

  test('a plan with another digest than the record fetches again', async () => {
    const bytes = randomBytes(1000);
    const { store, run } = await withFile(randomBytes(5), bytes);
    await run();
    const next = randomBytes(1000);
    store.objects.set('a.dcm', { bytes: next });
    expect(await run({ digests: [md5(next)] })).toMatchObject({ fetched: 1 });
  });

  test('a record of weaker evidence does not stand for stronger one', async () => {
    const bytes = randomBytes(1000);
    const { directory, store } = await withFile(randomBytes(5), bytes);
    const plan = planOf({ 'a.dcm': bytes }, [AWS]);
    store.misbehave = () => ({ bytes: randomBytes(1000) });
    await transfer(plan, { directory, openStore: opener([store]), verify: 'none' });
    store.misbehave = undefined;
    expect(await transfer(plan, { directory, openStore: opener([store]) })).toMatchObject({ fetched: 1 });
    expect((await read(directory, 'a.dcm')).equals(bytes)).toBe(true);
  });

  test('a folder in the place of a file fails that file and no other', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(3, 100);
    await mkdir(join(directory, 'series/00001.dcm/inside'), { recursive: true });
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([createMemoryStore(contents)]),
    });
    expect(result).toMatchObject({ fetched: 2, failed: [{ path: 'series/00001.dcm' }] });
    expect(result.failed[0]?.error).toMatchObject({ code: 'unsafe' });
  });
});

describe('a source that fails', () => {
  /** Fetches one file while the store misbehaves. */
  async function fetchOne(
    misbehave: Misbehave,
    options: { bytes?: Uint8Array; change?: Partial<PlannedFile>; object?: Partial<MemoryObject> } = {},
  ) {
    const directory = await temporaryFolder();
    const bytes = options.bytes ?? randomBytes(3_000_000);
    const store = createMemoryStore({ 'a.dcm': { bytes, ...options.object } });
    store.misbehave = misbehave;
    const events: TransferEvent[] = [];
    const result = await transfer(
      planOf({ 'a.dcm': bytes }, [AWS], (file) => ({ ...file, ...options.change })),
      { directory, openStore: opener([store]), retry: QUICK, onEvent: (event) => events.push(event) },
    );
    if (result.failed.length === 0) expect((await read(directory, 'a.dcm')).equals(bytes)).toBe(true);
    else expect(await filesIn(directory)).toEqual([]);
    return { result, directory, store, events, bytes };
  }
  const failedCodes = (result: TransferResult) => result.failed.map(({ error }) => error.code);

  test.each([
    ['a large file', 3_000_000, 1_234_567],
    ['a file that is held in memory', 500_000, 123_456],
  ])('a cut body of %s goes on at the very byte, pinned to the object', async (_, size, cutAfter) => {
    const { result, store, directory } = await fetchOne(
      (_request, count) => (count === 1 ? { cutAfter } : undefined),
      {
        bytes: randomBytes(size),
      },
    );
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
    const etag = (await store.stat('a.dcm')).etag;
    expect(store.requests).toEqual([
      { key: 'a.dcm', start: 0, ifMatch: undefined },
      { key: 'a.dcm', start: cutAfter, ifMatch: etag },
    ]);
    expect(await leftovers(directory)).toEqual([]);
  });

  test('a body that is cut again and again gets through as long as it moves on', async () => {
    const { result } = await fetchOne(() => ({ cutAfter: 1_100_000 }), { bytes: randomBytes(12_000_000) });
    expect(result).toMatchObject({ fetched: 1, requests: 11 });
  });

  test('a body that never gets anywhere is given up after five attempts, its bytes are kept', async () => {
    const { result, directory } = await fetchOne(({ start }) => ({ cutAfter: start === 0 ? 700_000 : 0 }));
    expect(failedCodes(result)).toEqual(['network']);
    expect(result.failed[0]?.attempts).toBe(5);
    expect(await leftovers(directory)).toHaveLength(3); // the folder, the bytes, the record
  });

  test('a server that ignores ranges starts the file again', async () => {
    const { result } = await fetchOne((_, count) =>
      count === 1 ? { cutAfter: 2_000_000 } : { ignoreRange: true },
    );
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
  });

  test('an answer that starts elsewhere is never appended', async () => {
    const { result, store } = await fetchOne((_, count) => {
      if (count === 1) return { cutAfter: 2_000_000 };
      return count === 2 ? { startAt: 1_999_999 } : undefined;
    });
    expect(result).toMatchObject({ fetched: 1, requests: 3 });
    expect(store.requests.map(({ start }) => start)).toEqual([0, 2_000_000, 0]);
  });

  test('an object that changed meanwhile is fetched from its beginning', async () => {
    const next = randomBytes(3_000_000);
    const directory = await temporaryFolder();
    const store = createMemoryStore({ 'a.dcm': randomBytes(3_000_000) });
    store.misbehave = (_, count) => {
      if (count === 1) return { cutAfter: 2_000_000 };
      store.objects.set('a.dcm', { bytes: next });
      return undefined;
    };
    const plan = planOf({ 'a.dcm': next }, [AWS], (file) => ({ ...file, digests: [] }));
    const result = await transfer(plan, { directory, openStore: opener([store]), retry: QUICK });
    expect(result).toMatchObject({ fetched: 1, requests: 3 });
    expect((await read(directory, 'a.dcm')).equals(next)).toBe(true);
  });

  test('wrong bytes once are asked for again', async () => {
    const { result } = await fetchOne((_, count) =>
      count === 1 ? { bytes: randomBytes(3_000_000) } : undefined,
    );
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
  });

  test('wrong bytes twice are a failure that names what was expected and what came', async () => {
    const wrong = randomBytes(3_000_000);
    const { result, directory, bytes } = await fetchOne(() => ({ bytes: wrong }));
    expect(result.failed[0]?.error).toMatchObject({
      code: 'verification',
      item: 'a.dcm',
      message: `a.dcm: ${md5(bytes)} expected, ${md5(wrong)} found`,
    });
    expect(result.requests).toBe(2);
    expect(await leftovers(directory)).toEqual([]);
  });

  test('an announced size that is not the planned one is refused before the body', async () => {
    const { result } = await fetchOne(() => undefined, { change: { size: 5 } });
    expect(result.failed[0]?.error.message).toBe('a.dcm: 5 bytes expected, 3000000 bytes found');
    expect(result.bytesFetched).toBe(0);
  });

  test('an ETag that only looks like an MD5 is not held against bytes that the plan proves', async () => {
    const { result, events } = await fetchOne(() => undefined, {
      object: { digests: [`md5:${'0'.repeat(32)}`] },
    });
    expect(result).toMatchObject({ fetched: 1, verifiedBy: { md5: 1 } });
    expect(eventsOf(events, 'note')).toHaveLength(1);
  });

  test('a digest of the reply that the bytes do not have is a failure where the plan has none', async () => {
    const { result } = await fetchOne(() => undefined, {
      object: { digests: [`md5:${'0'.repeat(32)}`] },
      change: { digests: [] },
    });
    expect(failedCodes(result)).toEqual(['verification']);
  });

  test('resets and 503 are tried again, five times in all', async () => {
    const once = await fetchOne((_, count) => (count < 5 ? { error: reset() } : undefined));
    expect(once.result).toMatchObject({ fetched: 1, requests: 5 });
    expect(eventsOf(once.events, 'retry').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    const never = await fetchOne(() => ({ error: reset() }));
    expect(never.result).toMatchObject({ fetched: 0, requests: 5 });
    expect(failedCodes(never.result)).toEqual(['network']);
  });

  test.each(['not-found', 'permission'] as const)('%s is not tried again', async (code) => {
    const { result } = await fetchOne(() => ({ error: new CarrelError(code, 'no', { item: 'a.dcm' }) }));
    expect(result).toMatchObject({ requests: 1, failed: [{ error: { code } }] });
  });

  test('a server that asks for a pause gets at least that', async () => {
    const busy = new CarrelError('network', 'slow down', { retryable: true, status: 503, retryAfterMs: 40 });
    const { events } = await fetchOne((_, count) => (count === 1 ? { error: busy } : undefined));
    expect(eventsOf(events, 'retry')[0]?.waitMs).toBeGreaterThanOrEqual(40);
  });

  test('a line that is cut for a while fails no file', async () => {
    /** After ten files, nothing answers for a hundred requests. */
    const run = async (outageMs: number) => {
      const directory = await temporaryFolder();
      const contents = randomFiles(40, 100);
      const store = createMemoryStore(contents);
      store.misbehave = (_, count) => (count > 10 && count <= 110 ? { error: reset() } : undefined);
      return await transfer(planOf(contents, [AWS]), {
        directory,
        openStore: opener([store]),
        jobs: 8,
        retry: { ...QUICK, outageMs },
      });
    };
    expect(await run(60_000)).toMatchObject({ fetched: 40, failed: [], requests: 140 });
    expect((await run(0)).failed.length).toBeGreaterThan(8);
  });

  test('one object that resets the connection is given up, though others come', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(20, 100);
    const store = createMemoryStore(contents);
    store.misbehave = ({ key }) => (key.endsWith('7.dcm') ? { error: reset() } : undefined);
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([store]),
      retry: QUICK,
    });
    expect(result).toMatchObject({ fetched: 18, requests: 28 });
    expect(result.failed.map(({ attempts }) => attempts)).toEqual([5, 5]);
  });

  test('many files that wait at once are no leak', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(40, 100);
    const store = createMemoryStore(contents);
    store.misbehave = (_, count) => (count <= 40 ? { error: reset() } : undefined);
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    try {
      await transfer(planOf(contents, [AWS]), {
        directory,
        openStore: opener([store]),
        jobs: 40,
        retry: { baseMs: 50 },
      });
      await sleep(0);
    } finally {
      process.off('warning', listener);
    }
    expect(warnings).toEqual([]);
  });

  test('a server that asks for an hour is left', async () => {
    const busy = new CarrelError('network', 'come back later', { retryable: true, retryAfterMs: 3_600_000 });
    const { result } = await fetchOne(() => ({ error: busy }));
    expect(result).toMatchObject({ requests: 1, failed: [{ error: { code: 'network' } }] });
  });

  test('a stream that falls silent is ended and goes on', async () => {
    const directory = await temporaryFolder();
    const bytes = randomBytes(3_000_000);
    const store = createMemoryStore({ 'a.dcm': bytes });
    store.misbehave = (_, count) => (count === 1 ? { beforePiece: stallAfter(1_000_000) } : undefined);
    const result = await transfer(planOf({ 'a.dcm': bytes }, [AWS]), {
      directory,
      openStore: opener([store]),
      retry: QUICK,
      timeouts: { idle: 300 },
    });
    expect(result).toMatchObject({ fetched: 1, requests: 2 });
    expect(store.requests[1]?.start).toBeGreaterThanOrEqual(1_000_000);
  });

  test('a stream that has slowed to a trickle beside fast ones is ended and goes on', async () => {
    const directory = await temporaryFolder();
    const contents = { ...randomFiles(40, 2_000_000), 'slow.dcm': randomBytes(30_000_000) };
    const store = createMemoryStore(contents);
    let strikes = 0;
    store.misbehave = ({ key }) => {
      if (key !== 'slow.dcm' || strikes > 0) return undefined;
      strikes += 1;
      return { beforePiece: (sent, signal) => (sent < 1_000_000 ? Promise.resolve() : pause(400, signal)) };
    };
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([store]),
      retry: QUICK,
      timeouts: { slow: 500 },
    });
    // On a busy machine others may look slow for a moment.
    expect(result).toMatchObject({ fetched: 41, failed: [] });
    expect(result.requests).toBeGreaterThan(41);
  });
});

describe('mirrors', () => {
  async function fromTwo(count: number, first: Misbehave, jobs = 1) {
    const directory = await temporaryFolder();
    const contents = randomFiles(count, 2_000_000);
    const [aws, gcs] = [createMemoryStore(contents), createMemoryStore(contents, GCS.place)];
    aws.misbehave = first;
    const events: TransferEvent[] = [];
    const result = await transfer(planOf(contents, [AWS, GCS]), {
      directory,
      openStore: opener([aws, gcs]),
      retry: QUICK,
      jobs,
      onEvent: (event) => events.push(event),
    });
    for (const [path, bytes] of Object.entries(contents)) {
      expect((await read(directory, path)).equals(bytes)).toBe(true);
    }
    expect(result).toMatchObject({ fetched: count, failed: [] });
    return { result, aws, gcs, notes: eventsOf(events, 'note').map(({ message }) => message) };
  }

  test('what one mirror does not have comes from the next', async () => {
    const { result, aws } = await fromTwo(3, () => ({ error: new CarrelError('not-found', 'no') }));
    expect(result.files.map(({ mirror }) => mirror)).toEqual(['gcs', 'gcs', 'gcs']);
    expect(aws.requests).toHaveLength(3);
  });

  test('a file goes on at the other mirror where the first one failed, for a digest proves the whole', async () => {
    const { gcs } = await fromTwo(1, ({ start }) =>
      start === 0 ? { cutAfter: 1_500_000 } : { error: reset() },
    );
    expect(gcs.requests).toEqual([{ key: 'series/00000.dcm', start: 1_500_000, ifMatch: undefined }]);
  });

  test('wrong bytes of the first piece are not blamed on the mirror that gave the second', async () => {
    const { gcs, notes } = await fromTwo(1, ({ start }) =>
      start === 0 ? { cutAfter: 1_500_000, bytes: randomBytes(2_000_000) } : { error: reset() },
    );
    expect(gcs.requests.map(({ start }) => start)).toEqual([1_500_000, 0]);
    expect(notes).toEqual([]);
  });

  test('a mirror that gave wrong bytes is asked last from then on, and named', async () => {
    const { result, aws, notes } = await fromTwo(5, () => ({ bytes: randomBytes(2_000_000) }));
    expect(result.files.every(({ mirror }) => mirror === 'gcs')).toBe(true);
    expect(aws.requests).toHaveLength(2);
    expect(notes).toEqual(['aws gave wrong bytes and is asked last from now on']);
  });

  test('a mirror that is down costs five attempts for three files, then nothing', async () => {
    const { aws } = await fromTwo(10, () => ({ error: reset() }));
    expect(aws.requests).toHaveLength(15);
  });

  test('if all fail, the error names each', async () => {
    const directory = await temporaryFolder();
    const bytes = randomBytes(10);
    const [aws, gcs] = [createMemoryStore({}), createMemoryStore({ a: bytes }, GCS.place)];
    gcs.misbehave = () => ({ error: new CarrelError('permission', 'sign in first') });
    const result = await transfer(planOf({ a: bytes }, [AWS, GCS]), {
      directory,
      openStore: opener([aws, gcs]),
    });
    expect(result.failed[0]?.error).toMatchObject({
      code: 'permission',
      message: 'a: aws: no such object: a; gcs: sign in first',
    });
  });
});

describe('an interrupted transfer', () => {
  /** Runs until so many bytes of one large file have come, then aborts. */
  async function interruptAt(
    bytes: number,
    options: { change?: Partial<PlannedFile>; object?: Partial<MemoryObject> },
  ) {
    const directory = await temporaryFolder();
    const content = randomBytes(4_000_000);
    const contents = { 'a.dcm': content, 'b.dcm': randomBytes(10) };
    const store = createMemoryStore({ ...contents, 'a.dcm': { bytes: content, ...options.object } });
    const controller = new AbortController();
    store.misbehave = ({ key }) =>
      key === 'a.dcm'
        ? { beforePiece: async (sent) => void (sent >= bytes && controller.abort(new Error('Ctrl-C'))) }
        : undefined;
    const plan = planOf(contents, [AWS], (file) => ({ ...file, ...options.change }));
    const run = (signal?: AbortSignal) =>
      transfer(plan, { directory, openStore: opener([store]), jobs: 1, signal });
    const error = await run(controller.signal).catch((reason: unknown) => reason);
    store.misbehave = undefined;
    store.requests.length = 0;
    return { directory, store, run, error, content };
  }

  test('rejects with what was done, shows no half file, and goes on inside of the file', async () => {
    const { directory, store, run, error, content } = await interruptAt(2_000_000, {});
    expect(error).toMatchObject({ code: 'interrupted', message: 'interrupted: 0 of 2 files are in place' });
    expect(resultUntil(error)).toMatchObject({ planned: 2, fetched: 0, failed: [], requests: 1 });
    expect(await filesIn(directory)).toEqual([]);
    const result = await run();
    expect(result).toMatchObject({ fetched: 2, requests: 2 });
    const first = store.requests.find(({ key }) => key === 'a.dcm');
    expect(first).toEqual({ key: 'a.dcm', start: 2_031_616, ifMatch: md5(content).slice(4) });
    expect((await read(directory, 'a.dcm')).equals(content)).toBe(true);
    expect(await leftovers(directory)).toEqual([]);
  });

  test('goes on by the digest of the reply where the plan has none', async () => {
    const content = randomBytes(4_000_000);
    const object = { bytes: content, digests: [md5(content)] };
    const { run, store } = await interruptAt(2_000_000, { change: { digests: [], size: 4_000_000 }, object });
    store.objects.set('b.dcm', { bytes: randomBytes(4_000_000) });
    expect(await run()).toMatchObject({ fetched: 2, verifiedBy: { md5: 1, size: 1 } });
    expect(store.requests.find(({ key }) => key === 'a.dcm')?.start).toBeGreaterThan(0);
  });

  test('starts again where nothing could prove the whole', async () => {
    const { run, store } = await interruptAt(2_000_000, { change: { digests: [], size: undefined } });
    await run();
    expect(store.requests.find(({ key }) => key === 'a.dcm')?.start).toBe(0);
  });

  test('bytes on disk that were damaged meanwhile are found out and fetched again', async () => {
    const { directory, run, store, content } = await interruptAt(2_000_000, {});
    const name = (await readdir(join(directory, '.carrel/partial'))).find(
      (entry) => !entry.endsWith('.json'),
    );
    const path = join(directory, '.carrel/partial', name ?? '');
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await run()).toMatchObject({ fetched: 2 });
    expect(store.requests.filter(({ key }) => key === 'a.dcm').map(({ start }) => start)).toEqual([
      2_031_616, 0,
    ]);
    expect((await read(directory, 'a.dcm')).equals(content)).toBe(true);
  });

  test('an object that changed between the runs is fetched from its beginning', async () => {
    const { directory, run, store } = await interruptAt(2_000_000, {});
    const object = store.objects.get('a.dcm');
    store.objects.set('a.dcm', { bytes: object!.bytes, etag: 'another' });
    expect(await run()).toMatchObject({ fetched: 2, requests: 3 });
    expect(await leftovers(directory)).toEqual([]);
  });

  test('a signal that was aborted before does nothing at all', async () => {
    const directory = join(await temporaryFolder(), 'new');
    const promise = transfer([], { directory, openStore: opener([]), signal: AbortSignal.abort() });
    await expect(promise).rejects.toMatchObject({ code: 'interrupted' });
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });
});

describe('space and names', () => {
  test('a plan that does not fit is refused before the first request', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(2, 1000);
    const store = createMemoryStore(contents);
    const promise = transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([store]),
      freeSpace: async () => 2_500,
      freeSpaceReserve: 1_000,
    });
    await expect(promise).rejects.toMatchObject({
      code: 'no-space',
      message:
        '2.0 kB (2000 bytes) are needed and 1.0 kB (1000 bytes) are to stay free, 2.5 kB (2500 bytes) are free',
    });
    expect(store.requests).toEqual([]);
  });

  test('bytes that an earlier run left need no space again', async () => {
    const directory = await temporaryFolder();
    const bytes = randomBytes(4_000_000);
    const store = createMemoryStore({ 'a.dcm': bytes });
    const run = (freeSpace?: number) =>
      transfer(planOf({ 'a.dcm': bytes }, [AWS]), {
        directory,
        openStore: opener([store]),
        retry: { attempts: 1 },
        freeSpaceReserve: 0,
        ...(freeSpace === undefined ? {} : { freeSpace: async () => freeSpace }),
      });
    store.misbehave = () => ({ cutAfter: 3_000_000 });
    expect(await run()).toMatchObject({ fetched: 0 });
    store.misbehave = undefined;
    await expect(run(999_999)).rejects.toMatchObject({ code: 'no-space' });
    expect(await run(1_000_000)).toMatchObject({ fetched: 1 });
  });

  test('what is here already needs no space', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(2, 1000);
    const options = { directory, openStore: opener([createMemoryStore(contents)]) };
    await transfer(planOf(contents, [AWS]), options);
    expect(await transfer(planOf(contents, [AWS]), { ...options, freeSpace: async () => 0 })).toMatchObject({
      present: 2,
    });
  });

  test('a disk that fills up ends the run, and what is done is told', async () => {
    const directory = await temporaryFolder();
    // /dev/full takes every write and has no room; the partial folder as a link to it fails in the same way.
    const contents = { 'a.dcm': randomBytes(10), 'b.dcm': randomBytes(10) };
    const store = createMemoryStore(contents);
    const plan = planOf(contents, [AWS]);
    await mkdir(join(directory, '.carrel/partial'), { recursive: true });
    await symlink('/dev/full', join(directory, '.carrel/partial', partialId('b.dcm')));
    const error = await transfer(plan, { directory, openStore: opener([store]), jobs: 1 }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'no-space' });
    expect(resultUntil(error)).toMatchObject({ fetched: 1, planned: 2 });
    expect(await filesIn(directory)).toEqual(['a.dcm']);
  });

  test('a path that leads out of the folder is refused, and nothing is written anywhere', async () => {
    const outside = await temporaryFolder();
    const directory = join(outside, 'inside');
    const store = createMemoryStore({ '../evil.dcm': randomBytes(5) });
    const promise = transfer(planOf({ '../evil.dcm': randomBytes(5) }, [AWS]), {
      directory,
      openStore: opener([store]),
    });
    await expect(promise).rejects.toMatchObject({ code: 'unsafe', item: '../evil.dcm' });
    expect(await readdir(outside)).toEqual([]);
    expect(store.requests).toEqual([]);
  });
});

/** Before each piece: nothing, until so many bytes were sent; then silence until the reader goes away. */
function stallAfter(bytes: number) {
  return (sent: number, signal: AbortSignal | undefined) =>
    sent < bytes ? Promise.resolve() : pause(60_000, signal);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal });
}
