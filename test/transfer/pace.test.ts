import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import { retryPolicy, waitBefore } from '../../src/transfer/fetch/retry.ts';
import { createPace } from '../../src/transfer/pace.ts';

describe('the number of jobs', () => {
  /** A pace with a clock of its own; `second` lets one pass at a rate of bytes. */
  function auto() {
    let time = 0;
    const totals = { bytes: 0, files: 0 };
    const pace = createPace('auto', () => time);
    let workedMs = 7;
    const second = (bytes: number, busy = true, load = 0.5) => {
      time += 1000;
      totals.bytes += bytes;
      workedMs += 1000 * load;
      pace.sample({ ...totals, busy, workedMs });
      return pace.jobs;
    };
    const pass = (ms: number) => {
      time += ms;
    };
    return { pace, second, pass };
  }

  test('is fixed where it is given', () => {
    const pace = createPace(5);
    pace.slowDown();
    pace.sample({ bytes: 1e9, files: 1e6, busy: true });
    expect(pace.jobs).toBe(5);
  });

  test('grows by half while that brings more, up to 256', () => {
    const { second } = auto();
    const seen = [10, 20, 40, 80, 160, 320, 640, 1280].map((rate) => second(rate));
    expect(seen).toEqual([48, 72, 108, 162, 243, 256, 256, 256]);
  });

  test('stays where more jobs bring nothing, or where there is nothing to do for them', () => {
    const { second } = auto();
    expect([second(100), second(101), second(102)]).toEqual([48, 48, 48]);
    const idle = auto();
    expect(idle.second(100, false)).toBe(32);
  });

  test('stays where the threads have no time for more, and goes on growing when they have', () => {
    const { second } = auto();
    expect([second(10), second(20, true, 0.95), second(40, true, 0.9), second(80)]).toEqual([48, 48, 48, 72]);
  });

  test('feels its way once a step has brought nothing', () => {
    const { second } = auto();
    expect([second(100), second(101), second(200), second(201), second(400)]).toEqual([48, 48, 54, 54, 60]);
  });

  test('does not judge before the first byte', () => {
    const { second } = auto();
    expect([second(0), second(0), second(100)]).toEqual([32, 32, 48]);
  });

  test('halves when a server asks for less, once a second, and grows again after five', () => {
    const { pace, second, pass } = auto();
    pace.slowDown();
    pace.slowDown();
    expect(pace.jobs).toBe(16);
    pass(1000);
    pace.slowDown();
    expect(pace.jobs).toBe(8);
    expect([second(1), second(2), second(4), second(8), second(16)]).toEqual([8, 8, 8, 8, 8]);
    expect(second(32)).toBe(9);
    for (let i = 0; i < 5; i += 1) {
      pass(1000);
      pace.slowDown();
    }
    expect(pace.jobs).toBe(1);
  });
});

describe('the wait before another attempt', () => {
  const error = (retryAfterMs?: number) => new CarrelError('network', 'x', { retryable: true, retryAfterMs });
  const policy = retryPolicy();

  test('is anything up to a bound that doubles', () => {
    expect([1, 2, 3, 4, 20].map((attempt) => waitBefore(attempt, error(), policy, () => 1))).toEqual([
      250, 500, 1000, 2000, 20_000,
    ]);
    expect(waitBefore(4, error(), policy, () => 0)).toBe(0);
  });

  test('is never shorter than what the server asked for', () => {
    expect(waitBefore(1, error(3000), policy, () => 0)).toBe(3000);
    expect(waitBefore(1, error(3000), policy, () => 1)).toBe(3750);
  });

  test('is none at all where the server asks for too much', () => {
    expect(waitBefore(1, error(120_001), policy)).toBeUndefined();
  });
});
