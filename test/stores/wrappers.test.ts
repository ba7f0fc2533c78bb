import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import {
  type ListOptions,
  type ListPage,
  type ObjectBody,
  type RetryNote,
  type Store,
  withLimit,
  withRetry,
} from '../../src/stores/index.ts';
import { expectCode } from '../contract/store.ts';

const passing = (retryAfterMs?: number) =>
  new CarrelError('network', 'busy', { retryable: true, status: 503, retryAfterMs });

function body(text: string): ObjectBody {
  return {
    stat: { key: 'k', digests: [] },
    range: { start: 0 },
    async consume(onChunk) {
      await onChunk(Buffer.from(text));
    },
    bytes: async () => Buffer.from(text),
    cancel() {},
  };
}

/** A store whose operations do what the test says. */
function fake(parts: Partial<Store>): Store {
  const unused = () => expect.fail('not expected');
  return {
    place: { protocol: 's3', endpoint: 'http://x', bucket: 'b' },
    pin: ({ etag }) => etag,
    get: unused,
    stat: unused,
    list: unused,
    url: (key) => `s3://b/${key}`,
    ...parts,
  };
}

/** Fails with each of `failures`, then succeeds. */
function failing<T>(failures: unknown[], result: () => T): () => Promise<T> {
  const left = [...failures];
  return async () => {
    if (left.length > 0) throw left.shift();
    return result();
  };
}

describe('withRetry', () => {
  /** Sleeps are noted instead of slept. */
  function noting(jitter = () => 1) {
    const slept: number[] = [];
    const notes: RetryNote[] = [];
    return {
      slept,
      notes,
      options: {
        jitter,
        sleep: async (ms: number) => void slept.push(ms),
        onRetry: (note: RetryNote) => void notes.push(note),
      },
    };
  }

  test('asks again what may pass, ever more slowly', async () => {
    const { slept, notes, options } = noting();
    const get = failing([passing(), passing(), passing(), passing()], () => body('x'));
    await withRetry(fake({ get }), options).get('k');
    expect(slept).toEqual([500, 1000, 2000, 4000]);
    expect(notes.map(({ operation, key, attempt }) => [operation, key, attempt])).toEqual([
      ['get', 'k', 1],
      ['get', 'k', 2],
      ['get', 'k', 3],
      ['get', 'k', 4],
    ]);
  });

  test('not for ever: five attempts', async () => {
    const { slept, options } = noting();
    const stat = failing(
      [1, 2, 3, 4, 5].map(() => passing()),
      () => ({ key: 'k', digests: [] }),
    );
    await expectCode(withRetry(fake({ stat }), options).stat('k'), 'network');
    expect(slept).toHaveLength(4);
  });

  test('by a part of the bound that chance decides, so that many clients do not come back at once', async () => {
    const chances = [0, 0.5, 0.25];
    const { slept, options } = noting(() => chances.shift() ?? 1);
    const get = failing([passing(), passing(), passing()], () => body('x'));
    await withRetry(fake({ get }), { ...options, baseMs: 100 }).get('k');
    expect(slept).toEqual([0, 100, 100]);
  });

  test('never beyond the longest delay', async () => {
    const { slept, options } = noting();
    const get = failing(
      Array.from({ length: 9 }, () => passing()),
      () => body('x'),
    );
    await withRetry(fake({ get }), { ...options, attempts: 10, maxMs: 3000 }).get('k');
    expect(Math.max(...slept)).toBe(3000);
  });

  test('at least as long as the server asks for', async () => {
    const { slept, options } = noting(() => 0.5);
    const get = failing([passing(7000)], () => body('x'));
    await withRetry(fake({ get }), options).get('k');
    expect(slept).toEqual([7250]);
  });

  test('not where the server asks for more than anybody would wait', async () => {
    const { slept, options } = noting();
    const get = failing([passing(3_600_000)], () => body('x'));
    await expectCode(withRetry(fake({ get }), options).get('k'), 'network');
    expect(slept).toEqual([]);
  });

  test.each(['not-found', 'permission', 'verification', 'unsafe', 'usage', 'network'] as const)(
    'not %s without the mark',
    async (code) => {
      const { slept, options } = noting();
      const get = failing([new CarrelError(code, 'no')], () => body('x'));
      await expectCode(withRetry(fake({ get }), options).get('k'), code);
      expect(slept).toEqual([]);
    },
  );

  test('not what is no failure of the wire', async () => {
    const { options } = noting();
    const get = failing([new TypeError('a defect')], () => body('x'));
    await expect(withRetry(fake({ get }), options).get('k')).rejects.toThrow('a defect');
  });

  test('not a body: who reads it knows what has arrived', async () => {
    const { slept, options } = noting();
    const broken: ObjectBody = { ...body('x'), consume: () => Promise.reject(passing()) };
    const got = await withRetry(fake({ get: async () => broken }), options).get('k');
    await expectCode(
      got.consume(() => {}),
      'network',
    );
    expect(slept).toEqual([]);
  });

  test('an abort ends the wait', async () => {
    const control = new AbortController();
    const get = failing([passing(), passing()], () => body('x'));
    const store = withRetry(fake({ get }), {
      baseMs: 3_600_000,
      maxMs: 3_600_000,
      jitter: () => 1,
      onRetry: () => control.abort(),
    });
    await expectCode(store.get('k', { signal: control.signal }), 'interrupted');
  });

  test('a listing goes on where it broke, without gap or repetition', async () => {
    const { slept, options } = noting();
    const asked: (string | undefined)[] = [];
    const all = ['a', 'b', 'c/', 'd', 'e'];
    const breaksAt = ['b', 'd', 'd'];
    async function* list(_prefix: string, given: ListOptions = {}): AsyncGenerator<ListPage> {
      asked.push(given.startAfter);
      for (const key of all.filter(
        (name) => given.startAfter === undefined || name > given.startAfter || name === 'c/',
      )) {
        if (key === breaksAt[0]) {
          breaksAt.shift();
          throw passing();
        }
        const object = { key, digests: [] };
        yield key.endsWith('/') ? { objects: [], prefixes: [key] } : { objects: [object], prefixes: [] };
      }
    }
    const seen: string[] = [];
    for await (const page of withRetry(fake({ list }), options).list('')) {
      seen.push(...page.objects.map(({ key }) => key), ...page.prefixes);
    }
    expect(seen).toEqual(all);
    expect(asked).toEqual([undefined, 'a', 'c/', 'c/']);
    expect(slept).toEqual([500, 500, 1000]);
  });
});

describe('withLimit', () => {
  test('so many at a time, in the order of asking', async () => {
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const stat = async (key: string) => {
      running += 1;
      most = Math.max(most, running);
      order.push(key);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return { key, digests: [] };
    };
    const store = withLimit(fake({ stat }), 3);
    const keys = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(keys.map((key) => store.stat(key)));
    expect(most).toBe(3);
    expect(order).toEqual(keys);
  });

  test('a body counts until it is used up, in each way', async () => {
    const store = withLimit(fake({ get: async () => body('x') }), 1);
    const uses: ((got: ObjectBody) => unknown)[] = [
      (got) => got.consume(() => {}),
      (got) => got.bytes(),
      (got) => got.cancel(),
      (got) => got.consume(() => Promise.reject(new Error('full'))).catch(() => {}),
    ];
    for (const use of uses) {
      const first = await store.get('k');
      let opened = false;
      const second = store.get('k').then((got) => {
        opened = true;
        return got;
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(opened).toBe(false);
      await use(first);
      (await second).cancel();
    }
  });

  test('a body that is given up after it was used up gives one place back, not two', async () => {
    const store = withLimit(fake({ get: async () => body('x') }), 1);
    const first = await store.get('k');
    await first.bytes();
    first.cancel();
    const second = await store.get('k');
    let opened = false;
    const third = store.get('k').then((got) => {
      opened = true;
      return got;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(opened).toBe(false);
    second.cancel();
    (await third).cancel();
  });

  test('a failure gives its place back', async () => {
    const get = failing([passing(), passing(), passing()], () => body('x'));
    const store = withLimit(fake({ get }), 1);
    for (let i = 0; i < 3; i += 1) await expectCode(store.get('k'), 'network');
    (await store.get('k')).cancel();
  });

  test('who lists may get in between', async () => {
    async function* list(): AsyncGenerator<ListPage> {
      for (const key of ['a', 'b']) yield { objects: [{ key, digests: [] }], prefixes: [] };
    }
    const store = withLimit(fake({ list, get: async () => body('x') }), 1);
    const seen: string[] = [];
    for await (const { objects } of store.list('')) {
      for (const { key } of objects) {
        await (await store.get(key)).bytes();
        seen.push(key);
      }
    }
    expect(seen).toEqual(['a', 'b']);
  });

  test('an abort leaves the line', async () => {
    const store = withLimit(fake({ get: async () => body('x') }), 1);
    const first = await store.get('k');
    const control = new AbortController();
    const second = store.get('k', { signal: control.signal });
    const third = store.get('k');
    control.abort();
    await expectCode(second, 'interrupted');
    first.cancel();
    (await third).cancel();
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses %d', (n) => {
    expect(() => withLimit(fake({}), n)).toThrow(/not a limit/);
  });
});
