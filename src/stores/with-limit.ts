/** A store that is asked by few at a time. */
import { setMaxListeners } from 'node:events';
import { abortError, CarrelError } from '../errors.ts';
import type { ListOptions, ListPage, ObjectBody, Store } from './store.ts';

/**
 * At most `n` operations at a time, in the order of asking. A `get` counts until its body is consumed, failed or cancelled;
 * a listing counts while a page is on its way, so that who lists may also get. Throws `usage` for an `n` below 1.
 */
export function withLimit(store: Store, n: number): Store {
  if (!Number.isInteger(n) || n < 1) throw new CarrelError('usage', `not a limit: ${n}`, { item: String(n) });
  const waiting: (() => void)[] = [];
  let running = 0;

  const enter = async (signal: AbortSignal | undefined): Promise<void> => {
    if (signal?.aborted) throw abortError(signal);
    // Many may wait with one signal; see the pool.
    if (signal !== undefined) setMaxListeners(0, signal);
    if (running < n) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(abortError(signal as AbortSignal));
      };
      const turn = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(turn);
    });
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const during = async <T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> => {
    await enter(signal);
    try {
      return await run();
    } finally {
      leave();
    }
  };

  async function* list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListPage> {
    const pages = store.list(prefix, options)[Symbol.asyncIterator]();
    for (;;) {
      const next = await during(options.signal, () => pages.next());
      if (next.done) return;
      yield next.value;
    }
  }

  return {
    ...store,
    async get(key, options) {
      await enter(options?.signal);
      try {
        return untilRead(await store.get(key, options), leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
    stat: (key, options) => during(options?.signal, () => store.stat(key, options)),
    list,
  };
}

/** The body, with `done` called once when it is used up. */
function untilRead(body: ObjectBody, done: () => void): ObjectBody {
  let left = false;
  const finish = (): void => {
    if (!left) done();
    left = true;
  };
  const { land } = body;
  return {
    ...body,
    consume: (onChunk) => body.consume(onChunk).finally(finish),
    land: land === undefined ? undefined : (target, onBytes) => land(target, onBytes).finally(finish),
    bytes: (limit) => body.bytes(limit).finally(finish),
    cancel() {
      body.cancel();
      finish();
    },
  };
}
