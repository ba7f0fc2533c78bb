import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import { createPartBudget, PART_BYTES } from '../../src/transfer/fetch/parts.ts';
import { transfer } from '../../src/transfer/index.ts';
import { createMemoryStore, type Misbehave, memoryPlace } from '../fixtures/memory-store.ts';
import { opener, planOf, QUICK, read, temporaryFolder } from './desk.ts';

const MIB = 1 << 20;
let slide: Buffer;

beforeAll(() => {
  slide = randomBytes(45 * MIB + 12_345);
});

/** Fetches the slide from a store that does as told; each reply takes its time, so that several are under way. */
async function fetchSlide(misbehave?: Misbehave) {
  const directory = await temporaryFolder();
  const store = createMemoryStore({ slide });
  const gentle = { beforePiece: (sent: number) => sleep(sent === 0 ? 5 : 0) };
  store.misbehave = async (request, count) => ({ ...gentle, ...(await misbehave?.(request, count)) });
  const plan = planOf({ slide }, [{ mirror: 'm', place: memoryPlace }]);
  const options = { directory, openStore: opener([store]), retry: QUICK };
  const result = await transfer(plan, options);
  return { store, result, directory, plan, options };
}

describe('a large object', () => {
  test('comes over several connections, each byte once', async () => {
    const { store, result, directory } = await fetchSlide();
    expect(result).toMatchObject({ fetched: 1, failed: [], verifiedBy: { md5: 1 } });
    expect((await read(directory, 'slide')).equals(slide)).toBe(true);
    const starts = store.requests.map(({ start }) => start / MIB).sort((a, b) => a - b);
    expect(starts).toEqual([0, 8, 16, 24, 32, 40]);
    expect(result.requests).toBe(6);
  });

  test('every part is pinned to the object of the first reply', async () => {
    const { store } = await fetchSlide();
    const [first, ...others] = store.requests;
    expect(first?.ifMatch).toBeUndefined();
    expect(new Set(others.map(({ ifMatch }) => ifMatch)).size).toBe(1);
    expect(others[0]?.ifMatch).toBeDefined();
  });

  test('comes as one stream from a server without ranges', async () => {
    const { store, result, directory } = await fetchSlide(() => ({ ignoreRange: true }));
    expect(result).toMatchObject({ fetched: 1, failed: [] });
    expect((await read(directory, 'slide')).equals(slide)).toBe(true);
    expect(store.requests.length).toBe(2);
  });

  test('a server that gives another part than was asked for is not listened to', async () => {
    const { result, directory } = await fetchSlide(({ start }) =>
      start === 8 * MIB ? { startAt: 9 * MIB } : {},
    );
    expect(result).toMatchObject({ fetched: 1, failed: [] });
    expect((await read(directory, 'slide')).equals(slide)).toBe(true);
  });

  test.each([0, 8, 16, 32, 40])('goes on where it was when the part at %i MiB breaks off', async (at) => {
    let broken = 0;
    const { result, directory } = await fetchSlide(({ start }) =>
      start === at * MIB && broken++ === 0 ? { cutAfter: 3 * MIB } : {},
    );
    expect(broken).toBeGreaterThan(0);
    expect(result).toMatchObject({ fetched: 1, failed: [] });
    expect((await read(directory, 'slide')).equals(slide)).toBe(true);
  });

  test('a part that is refused for a moment costs a retry', async () => {
    let refused = 0;
    const { result } = await fetchSlide(({ start }) =>
      start === 24 * MIB && refused++ === 0
        ? { error: new CarrelError('network', '503', { status: 503, retryable: true }) }
        : {},
    );
    expect(result).toMatchObject({ fetched: 1, failed: [] });
  });

  test('wrong bytes in one part leave no file', async () => {
    const wrong = Buffer.from(slide);
    wrong[30 * MIB] = (wrong[30 * MIB] ?? 0) ^ 1;
    const { result } = await fetchSlide(({ start }) => (start === 24 * MIB ? { bytes: wrong } : {}));
    expect(result.failed[0]?.error.code).toBe('verification');
  });
});

describe('the memory for parts', () => {
  test('is shared out evenly among the objects that want some', () => {
    const budget = createPartBudget(4 * PART_BYTES);
    const takeAll = (share: { take(): boolean }) => {
      let count = 0;
      while (share.take()) count += 1;
      return count;
    };
    const first = budget.share();
    expect(takeAll(first)).toBe(4);
    const second = budget.share();
    expect(takeAll(second)).toBe(0);
    for (let part = 0; part < 3; part += 1) first.give();
    // The first one keeps one and may take one more.
    expect(takeAll(second)).toBe(2);
    expect(takeAll(first)).toBe(1);
    second.give();
    second.give();
    second.end();
    expect(takeAll(first)).toBe(2);
  });

  test('an object gets one part, however many there are', () => {
    const budget = createPartBudget(2 * PART_BYTES);
    const shares = [budget.share(), budget.share(), budget.share()];
    expect(shares.map((share) => share.take())).toEqual([true, true, false]);
  });
});
