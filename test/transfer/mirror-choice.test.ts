/** Copies of one object are the same object: which one is asked, and what the threads tell each other. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import type { Source } from '../../src/locations/location.ts';
import type { Place } from '../../src/stores/index.ts';
import { createSpeedTally } from '../../src/transfer/fetch/mirror-memory.ts';
import {
  createMirrors,
  type MirrorChoice,
  type MirrorWord,
  mirrorId,
  speedId,
} from '../../src/transfer/fetch/mirrors.ts';
import { transfer } from '../../src/transfer/index.ts';
import { createMemoryStore, type MemoryStore } from '../fixtures/memory-store.ts';
import { eventsOf, opener, planOf, QUICK, randomFiles, read, temporaryFolder } from './desk.ts';

const source = (mirror: string, protocol: Place['protocol'] = 's3'): Source => ({
  mirror,
  place: { protocol, endpoint: `http://${mirror}.invalid`, bucket: mirror },
  key: 'k',
});
const [aws, gcs] = [source('aws'), source('gcs', 'gcs')];
const both = [aws, gcs];
const names = (sources: Source[]) => sources.map(({ mirror }) => mirror).join(' ');

/** A clock that a test turns. */
function withClock(choice: MirrorChoice = { by: 'speed' }) {
  const words: MirrorWord[] = [];
  const clock = { now: 0 };
  const mirrors = createMirrors(
    (word) => void words.push(word),
    choice,
    () => clock.now,
  );
  return { mirrors, words, clock };
}

describe('by speed', () => {
  test('the first files are spread over the mirrors, then the faster one is asked first', () => {
    const { mirrors } = withClock();
    const first = Array.from({ length: 8 }, () => mirrors.order(both)[0]?.mirror);
    expect(first).toEqual(['aws', 'gcs', 'aws', 'gcs', 'aws', 'gcs', 'aws', 'gcs']);
    // Nothing has come yet: the order of the plan.
    expect(names(mirrors.order(both))).toBe('aws gcs');
    for (let i = 0; i < 4; i += 1) {
      mirrors.served(aws, { bytes: 1000, ms: 100 });
      mirrors.served(gcs, { bytes: 1000, ms: 50 });
    }
    expect(names(mirrors.order(both))).toBe('gcs aws');
  });

  test('a mirror that is hardly faster does not go before the one that the plan names first', () => {
    const { mirrors } = withClock({ by: 'speed', probes: 0 });
    mirrors.served(aws, { bytes: 1000, ms: 100 });
    mirrors.served(gcs, { bytes: 1100, ms: 100 });
    expect(names(mirrors.order(both))).toBe('aws gcs');
    mirrors.served(gcs, { bytes: 2000, ms: 100 });
    expect(names(mirrors.order(both))).toBe('gcs aws');
  });

  test('what an earlier run saw is believed, and nothing is spent to learn it again', () => {
    const known = { [speedId(aws)]: 100, [speedId(gcs)]: 900 };
    const { mirrors } = withClock({ by: 'speed', known });
    for (let i = 0; i < 10; i += 1) expect(names(mirrors.order(both))).toBe('gcs aws');
    // A busy line makes all mirrors slower, and tells nothing; until one turns out to be quite another today.
    mirrors.served(gcs, { bytes: 30_000, ms: 100 });
    expect(names(mirrors.order(both))).toBe('gcs aws');
    mirrors.served(gcs, { bytes: 1000, ms: 1000 });
    expect(names(mirrors.order(both))).toBe('aws gcs');
  });

  test('a disk goes before everything, and no file is spent on measuring', () => {
    const disk = source('disk', 'file');
    const { mirrors } = withClock();
    for (let i = 0; i < 10; i += 1) expect(names(mirrors.order([disk, ...both]))).toBe('disk aws gcs');
  });

  test('what was long ago counts less', () => {
    const { mirrors } = withClock({ by: 'speed', probes: 0 });
    for (let i = 0; i < 60; i += 1) mirrors.served(aws, { bytes: 1000, ms: 10 });
    mirrors.served(gcs, { bytes: 1000, ms: 20 });
    expect(names(mirrors.order(both))).toBe('aws gcs');
    for (let i = 0; i < 300; i += 1) mirrors.served(aws, { bytes: 1000, ms: 100 });
    expect(names(mirrors.order(both))).toBe('gcs aws');
  });
});

describe('by order', () => {
  test('nothing is measured', () => {
    const { mirrors, words } = withClock({ by: 'order' });
    for (let i = 0; i < 5; i += 1) {
      expect(names(mirrors.order(both))).toBe('aws gcs');
      mirrors.served(gcs, { bytes: 1_000_000, ms: 1 });
    }
    expect(words).toEqual([]);
  });
});

describe('a mirror that asks for less', () => {
  test('is asked last for a while, then again; if it does it again, for twice as long', () => {
    const { mirrors, words, clock } = withClock({ by: 'order' });
    mirrors.throttled(aws);
    mirrors.throttled(aws); // of the same moment
    expect(words).toEqual([{ id: mirrorId(aws), is: 'throttling', forMs: 10_000 }]);
    expect(names(mirrors.order(both))).toBe('gcs aws');
    clock.now = 10_001;
    expect(names(mirrors.order(both))).toBe('aws gcs');
    mirrors.throttled(aws);
    expect(words.at(-1)).toMatchObject({ forMs: 20_000 });
    // A long time of peace is forgiven.
    clock.now = 100_000;
    mirrors.throttled(aws);
    expect(words.at(-1)).toMatchObject({ forMs: 10_000 });
  });

  test('goes before one that is down, and that before one that lied', () => {
    const third = source('third');
    const { mirrors } = withClock({ by: 'order' });
    mirrors.lied(aws);
    for (let i = 0; i < 3; i += 1) mirrors.failed(gcs);
    mirrors.throttled(third);
    expect(names(mirrors.order([aws, gcs, third]))).toBe('third gcs aws');
  });
});

describe('threads', () => {
  test('know what each of them learned', () => {
    const other = withClock();
    const { mirrors, clock } = withClock();
    for (let i = 0; i < 8; i += 1) mirrors.order(both);
    const tell = () => {
      for (const word of other.words.splice(0)) mirrors.hear(structuredClone(word));
    };
    other.mirrors.served(gcs, { bytes: 9000, ms: 10 });
    other.mirrors.served(aws, { bytes: 10, ms: 10 });
    tell();
    expect(names(mirrors.order(both))).toBe('gcs aws');
    other.mirrors.throttled(gcs);
    tell();
    expect(names(mirrors.order(both))).toBe('aws gcs');
    clock.now = 10_001;
    expect(names(mirrors.order(both))).toBe('gcs aws');
    other.mirrors.lied(gcs);
    tell();
    expect(names(mirrors.order(both))).toBe('aws gcs');
  });
});

describe('what is remembered', () => {
  test('is the speed of mirrors that gave enough, and never that of one that lied', () => {
    const tally = createSpeedTally();
    const measured = (id: string, bytes: number): MirrorWord => ({
      id: `${id} bucket`,
      is: 'measured',
      bytes,
      ms: 10,
    });
    for (let i = 0; i < 3; i += 1) {
      tally.hear(measured('a', 100));
      tally.hear(measured('liar', 9_000));
    }
    tally.hear(measured('rare', 100));
    tally.hear({ id: 'liar bucket', is: 'lying' });
    expect(tally.speeds()).toEqual({ a: 10 });
  });
});

/** Two copies of the same objects. */
function copies(count: number, bytes = 2000) {
  const contents = randomFiles(count, bytes);
  const place = (bucket: string): Place => ({ protocol: 's3', endpoint: 'http://memory.invalid', bucket });
  const [one, two] = [createMemoryStore(contents, place('one')), createMemoryStore(contents, place('two'))];
  const plan = planOf(contents, [
    { mirror: 'one', place: one.place },
    { mirror: 'two', place: two.place },
  ]);
  return { contents, one, two, plan };
}

const busy = () => new CarrelError('network', '503 Slow Down', { status: 503, retryable: true });
const refuse = (store: MemoryStore, when: (count: number) => boolean) => {
  store.misbehave = (_request, count) => (when(count) ? { error: busy() } : undefined);
};

describe('a transfer', () => {
  test('measures a few files of each mirror and remembers both', async () => {
    const { one, two, plan } = copies(60);
    const remembered: Record<string, number>[] = [];
    const memory = {
      recall: () => ({}),
      remember: (speeds: Record<string, number>) => void remembered.push(speeds),
    };
    const result = await transfer(plan, {
      directory: await temporaryFolder(),
      openStore: opener([one, two]),
      jobs: 1,
      mirrorOrder: { by: 'speed', memory },
    });
    expect(result).toMatchObject({ fetched: 60, requests: 60 });
    expect(Math.min(one.requests.length, two.requests.length)).toBeGreaterThanOrEqual(4);
    expect(Object.keys(remembered[0] ?? {}).sort()).toEqual(
      [speedId({ mirror: 'one', place: one.place }), speedId({ mirror: 'two', place: two.place })].sort(),
    );
  });

  test('begins with the mirror that was faster the last time', async () => {
    const { one, two, plan } = copies(30);
    const known = {
      [speedId({ mirror: 'one', place: one.place })]: 1e-9,
      [speedId({ mirror: 'two', place: two.place })]: 1e9,
    };
    // What is measured today is between the two: the order stays.
    await transfer(plan, {
      directory: await temporaryFolder(),
      openStore: opener([one, two]),
      jobs: 4,
      mirrorOrder: { by: 'speed', memory: { recall: () => known, remember() {} } },
    });
    expect([one.requests.length, two.requests.length]).toEqual([0, 30]);
  });

  test('goes to the other mirror at once where one asks for less, and its files with it', async () => {
    const { one, two, plan } = copies(40);
    refuse(one, (count) => count > 5);
    const retries: string[] = [];
    const result = await transfer(plan, {
      directory: await temporaryFolder(),
      openStore: opener([one, two]),
      jobs: 1,
      retry: QUICK,
      onEvent: (event) => event.type === 'retry' && retries.push(event.mirror),
    });
    expect(result).toMatchObject({ fetched: 40, failed: [] });
    // Five files, and the one that was refused; nobody waited.
    expect([one.requests.length, two.requests.length]).toEqual([6, 35]);
    expect(retries).toEqual([]);
  });

  test('asks the mirror that asked for less again before it gives a file up', async () => {
    const { one, two, plan, contents } = copies(1);
    refuse(one, (count) => count <= 2);
    two.objects.clear();
    const directory = await temporaryFolder();
    const result = await transfer(plan, { directory, openStore: opener([one, two]), retry: QUICK });
    expect(result).toMatchObject({ fetched: 1, failed: [], files: [{ mirror: 'one' }] });
    const [path = ''] = Object.keys(contents);
    expect((await read(directory, path)).equals(contents[path] ?? Buffer.alloc(0))).toBe(true);
  });

  test('ends honestly where all mirrors ask for less, each of them named', async () => {
    const { one, two, plan } = copies(1);
    refuse(one, () => true);
    refuse(two, () => true);
    const { failed } = await transfer(plan, {
      directory: await temporaryFolder(),
      openStore: opener([one, two]),
      retry: { ...QUICK, attempts: 3 },
    });
    expect(failed[0]?.error).toMatchObject({ code: 'network', status: 503 });
    expect(failed[0]?.error.message).toMatch(/one: .*503|two: .*503/);
    expect(one.requests.length).toBe(1 + 3);
  });

  test('a mirror that gives wrong bytes is named, asked last, and not remembered', async () => {
    const { one, two, plan } = copies(30);
    one.misbehave = (request) => ({ bytes: randomBytes(one.objects.get(request.key)?.bytes.length ?? 0) });
    const remembered: Record<string, number>[] = [];
    const events: Parameters<NonNullable<Parameters<typeof transfer>[1]['onEvent']>>[0][] = [];
    const result = await transfer(plan, {
      directory: await temporaryFolder(),
      openStore: opener([one, two]),
      jobs: 1,
      retry: QUICK,
      onEvent: (event) => void events.push(event),
      mirrorOrder: {
        by: 'speed',
        memory: { recall: () => ({}), remember: (speeds) => void remembered.push(speeds) },
      },
    });
    expect(result).toMatchObject({ fetched: 30, failed: [] });
    expect(one.requests).toHaveLength(2);
    expect(eventsOf(events, 'note').map(({ message }) => message)).toEqual([
      'one gave wrong bytes and is asked last from now on',
    ]);
    expect(Object.keys(remembered[0] ?? {})).toEqual([speedId({ mirror: 'two', place: two.place })]);
  });
});
