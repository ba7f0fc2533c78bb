import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import type { ObjectBody } from '../../src/stores/index.ts';
import { createHedge } from '../../src/transfer/fetch/hedge.ts';
import { transfer } from '../../src/transfer/index.ts';
import { createMemoryStore, memoryPlace } from '../fixtures/memory-store.ts';
import { eventsOf, opener, planOf, QUICK, randomFiles, temporaryFolder } from './desk.ts';

/** A body that remembers whether it was given up. */
function body(name: string) {
  const made = {
    name,
    cancelled: false,
    cancel() {
      made.cancelled = true;
    },
  };
  return made as typeof made & ObjectBody;
}

/** A hedge that has seen enough quick replies to know what is usual. */
async function practised() {
  const hedge = createHedge({ floorMs: 20 });
  for (let i = 0; i < 100; i += 1) await hedge.open(async () => body('quick'));
  return hedge;
}

describe('a reply that is late', () => {
  test('is asked for again, and the first to come is taken', async () => {
    const hedge = await practised();
    const late = body('late');
    let asked = 0;
    const taken = await hedge.open(async () => {
      asked += 1;
      if (asked === 2) return body('second');
      await sleep(200);
      return late;
    });
    expect(taken).toMatchObject({ name: 'second', cancelled: false });
    await sleep(250);
    expect(late.cancelled).toBe(true);
  });

  test('is waited for where it comes before the second', async () => {
    const hedge = await practised();
    const second = body('second');
    let asked = 0;
    const taken = await hedge.open(async () => {
      asked += 1;
      await sleep(asked === 1 ? 60 : 300);
      return asked === 1 ? body('first') : second;
    });
    expect(taken).toMatchObject({ cancelled: false });
  });

  test('an error of one is not the end while the other is under way', async () => {
    const hedge = await practised();
    let asked = 0;
    const taken = await hedge.open(async () => {
      asked += 1;
      if (asked === 2) throw new CarrelError('network', 'no');
      await sleep(100);
      return body('first');
    });
    expect(taken).toMatchObject({ name: 'first' });
  });

  test('costs a few of a hundred requests more, however slow the server', async () => {
    const hedge = await practised();
    let asked = 0;
    await Promise.all(
      Array.from({ length: 200 }, () =>
        hedge.open(async () => {
          asked += 1;
          await sleep(120);
          return body('slow');
        }),
      ),
    );
    expect(asked).toBeGreaterThan(200);
    expect(asked).toBeLessThanOrEqual(200 + 2 + 300 * 0.02 + 1);
  });

  test('is not asked for again before it is known what is usual', async () => {
    const hedge = createHedge({ floorMs: 1 });
    let asked = 0;
    await hedge.open(async () => {
      asked += 1;
      await sleep(30);
      return body('first');
    });
    expect(asked).toBe(1);
  });
});

describe('a service that is gone', () => {
  test('is not tried for each of many files', async () => {
    const contents = randomFiles(400, 10);
    const store = createMemoryStore(contents);
    store.misbehave = () => ({ error: new CarrelError('network', 'refused', { retryable: true }) });
    const notes: string[] = [];
    const result = await transfer(planOf(contents, [{ mirror: 'm', place: memoryPlace }]), {
      directory: await temporaryFolder(),
      openStore: opener([store]),
      jobs: 8,
      retry: { ...QUICK, attempts: 2 },
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
    });
    expect(result.failed).toHaveLength(400);
    expect(store.requests.length).toBeLessThan(250);
    expect(notes).toContain('100 files in a row could not be reached: nothing more is tried');
    const untried = result.failed.filter(({ attempts }) => attempts === 0);
    expect(untried.length).toBeGreaterThan(250);
    expect(untried[0]?.error).toMatchObject({ code: 'network', retryable: true });
  });

  test('is tried on where it answers now and then', async () => {
    const contents = randomFiles(300, 10);
    const store = createMemoryStore(contents);
    store.misbehave = ({ key }) =>
      key.endsWith('50.dcm')
        ? undefined
        : { error: new CarrelError('network', 'refused', { retryable: true }) };
    const events: Parameters<NonNullable<Parameters<typeof transfer>[1]['onEvent']>>[0][] = [];
    const result = await transfer(planOf(contents, [{ mirror: 'm', place: memoryPlace }]), {
      directory: await temporaryFolder(),
      openStore: opener([store]),
      jobs: 1,
      retry: { ...QUICK, attempts: 1, outageMs: 0 },
      onEvent: (event) => events.push(event),
    });
    expect(result.fetched).toBe(3);
    expect(eventsOf(events, 'failure').every(({ attempts }) => attempts > 0)).toBe(true);
  });
});
