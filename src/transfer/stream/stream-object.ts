/**
 * One object as a stream: proven as it passes by what would prove a file, and gone on with where a connection breaks.
 *
 * The rules are those of files (`fetch/receive.ts`): requests are pinned to the object of the first reply, an answer that begins
 * elsewhere is never appended, another mirror goes on only where a digest of the whole will show whether it fits. What differs
 * is that bytes which are out cannot be taken back; so the last of them wait for the judgement.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { Source } from '../../locations/index.ts';
import type { ObjectBody, Store } from '../../stores/index.ts';
import { createThrottle } from '../fetch/bandwidth.ts';
import { sourceId } from '../fetch/receive.ts';
import { retryPolicy, waitBefore } from '../fetch/retry.ts';
import { createHoldBack } from './hold-back.ts';
import { openCheck, type StreamCheck } from './stream-check.ts';
import type { StreamedObject, StreamOptions, StreamResult } from './streamed-object.ts';

/** Bytes at the end that are handed over only when all is proven. */
const HELD_BYTES = 1 << 20;

/** More bytes than before by at least so many: the attempt was worth it, and the count starts again. */
const PROGRESS_BYTES = 1 << 20;

/** Wrong bytes from one source are asked for so many times. */
const WRONG_TRIES = 2;

/** What the taker threw: nothing that another request could mend. */
class Refused extends Error {}

/** A server that ignores the range has given what was asked for, and more. */
class Enough extends Error {}

/** The object that the bytes so far belong to. */
interface Origin {
  id: string;
  pin: string | undefined;
  /** Bytes that are to come from this object. */
  wanted: number | undefined;
}

/**
 * Streams one object.
 *
 * @throws CarrelError `verification` where the bytes are not the right ones: where they are no more than a mebibyte, nothing was
 *   handed over, and of more than that the end was not; `network` where the rest could not be had; what `onPiece` threw;
 *   `interrupted` after an abort
 */
export async function streamObject(object: StreamedObject, options: StreamOptions): Promise<StreamResult> {
  const { name, sources } = object;
  const signal = options.signal ?? new AbortController().signal;
  const policy = retryPolicy(options.retry);
  const verify = options.verify ?? 'full';
  const whole = options.range === undefined;
  const first = options.range?.start ?? 0;
  const throttle = options.bandwidth === undefined ? undefined : createThrottle(options.bandwidth, signal);
  const held = createHoldBack(HELD_BYTES, options.onPiece);
  // Only then would it show that the bytes of two mirrors are not those of one object.
  const isProvable = verify === 'full' && whole && object.digests.length > 0;
  let received = 0;
  let origin: Origin | undefined;
  let check: StreamCheck | undefined;

  const startAgain = (): void => {
    check?.abandon();
    held.clear();
    received = 0;
    origin = undefined;
    check = undefined;
  };

  const other = (expected: string, found: string): CarrelError =>
    new CarrelError('verification', `${name}: ${expected} expected, ${found} found`, {
      item: name,
      next:
        held.given === 0
          ? 'nothing of it was written; try another mirror with --from'
          : `${held.given} bytes were written and are not to be trusted, the end was kept back; try another mirror with --from`,
    });

  /** Looks at a reply before its body. */
  const adopt = async (
    body: ObjectBody,
    store: Store,
    source: Source,
    from: number,
  ): Promise<StreamCheck> => {
    const { size } = body.stat;
    if (verify !== 'none' && object.size !== undefined && size !== undefined && object.size !== size)
      throw other(`${object.size} bytes`, `${size} bytes`);
    if (body.range.start > from)
      throw new CarrelError(
        'network',
        `the server answered with another part (from byte ${body.range.start})`,
        {
          item: name,
          retryable: true,
        },
      );
    const total = size ?? object.size;
    const end = Math.min(options.range?.end ?? Number.POSITIVE_INFINITY, total ?? Number.POSITIVE_INFINITY);
    const wanted = Number.isFinite(end) ? Math.max(0, end - first) : undefined;
    const pin = store.pin(body.stat);
    if (check !== undefined && origin !== undefined) {
      const samePin =
        origin.id !== sourceId(source) || origin.pin === undefined || pin === undefined || origin.pin === pin;
      if (!samePin || (wanted !== undefined && origin.wanted !== undefined && wanted !== origin.wanted))
        throw other('the object as it was at the beginning', 'another one');
      origin.wanted ??= wanted;
      return check;
    }
    origin = { id: sourceId(source), pin, wanted };
    // What the server announces is nothing to hold it to; a body that breaks off is an error of the store already.
    const known = whole ? (object.size ?? total) : wanted;
    check = await openCheck(store, source.key, {
      verify,
      size: known,
      planned: object.digests,
      stat: body.stat,
      whole,
      signal,
    });
    return check;
  };

  const attempt = async (source: Source): Promise<StreamResult> => {
    if (origin === undefined || received !== origin.wanted) await receive(source);
    const wanted = origin?.wanted;
    if (wanted !== undefined && received < wanted)
      throw new CarrelError('network', `${name}: only ${received} of ${wanted} bytes came`, {
        item: name,
        retryable: true,
      });
    const judged = await check?.verdict(received);
    if (judged === undefined)
      throw new CarrelError('internal', `${name}: nothing was judged`, { item: name });
    const { verdict, digests } = judged;
    if (!verdict.good) throw other(verdict.expected, verdict.found);
    if (verdict.disagreed !== undefined) {
      const { expected, found } = verdict.disagreed;
      options.onEvent?.({
        type: 'note',
        message: `the server announced ${expected}, the bytes are ${found}`,
        item: name,
      });
    }
    await taking(() => held.release());
    return { bytes: received, verifiedBy: verdict.verifiedBy, digest: digests[0], mirror: source.mirror };
  };

  const receive = async (source: Source): Promise<void> => {
    const store = options.openStore(source.place);
    const from = first + received;
    const end = options.range?.end;
    const body = await store.get(source.key, {
      ...(from > 0 || end !== undefined ? { range: { start: from, end } } : {}),
      ifMatch: origin?.id === sourceId(source) ? origin.pin : undefined,
      signal,
    });
    let judging: StreamCheck;
    try {
      judging = await adopt(body, store, source, from);
    } catch (error) {
      body.cancel();
      throw error;
    }
    let at = body.range.start;
    const onChunk = async (piece: Uint8Array): Promise<void> => {
      if (end !== undefined && at >= end) throw new Enough();
      // A server that ignores the range sends the whole object.
      const part = piece.subarray(
        Math.max(0, from - at),
        Math.max(0, (end ?? Number.POSITIVE_INFINITY) - at),
      );
      at += piece.length;
      if (part.length === 0) return;
      judging.update(part);
      received += part.length;
      await taking(() => held.add(part));
      await throttle?.(part.length);
    };
    await body.consume(onChunk).catch((error: unknown) => {
      if (!(error instanceof Enough)) throw error;
    });
  };

  /** Streams from one source until it has given all or there is no more hope; then says why. */
  const stream = async (source: Source): Promise<StreamResult | CarrelError> => {
    let [fruitless, wrong, furthest] = [0, 0, received];
    for (let count = 1; ; count += 1) {
      let error: CarrelError;
      try {
        return await attempt(source);
      } catch (cause) {
        if (cause instanceof Refused) throw cause.cause;
        if (signal.aborted) throw abortError(signal);
        if (!isCarrelError(cause)) throw cause;
        error = cause;
      }
      const goesOn =
        received > 0 && (isProvable || (origin?.id === sourceId(source) && origin.pin !== undefined));
      if (error.code === 'verification' || !goesOn) {
        if (held.given > 0) throw error;
        startAgain();
      }
      if (error.code === 'verification') wrong += 1;
      else if (!error.retryable) return error;
      else {
        if (received >= furthest + PROGRESS_BYTES) fruitless = 0;
        furthest = Math.max(furthest, received);
        fruitless += 1;
      }
      if (wrong >= WRONG_TRIES) return error;
      const waitMs =
        fruitless < policy.attempts ? waitBefore(Math.max(1, fruitless), error, policy) : undefined;
      if (waitMs === undefined) return error;
      const { mirror } = source;
      options.onEvent?.({ type: 'retry', path: name, mirror, attempt: count, waitMs, reason: error.message });
      await sleep(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw abortError(signal);
    }
  };

  const failures: { mirror: string; error: CarrelError }[] = [];
  try {
    for (const source of sources) {
      const outcome = await stream(source);
      if (!isCarrelError(outcome)) return outcome;
      failures.push({ mirror: source.mirror, error: outcome });
      if (isProvable) continue;
      if (held.given > 0) break;
      startAgain();
    }
  } finally {
    check?.abandon();
  }
  throw summarize(name, failures, held.given);
}

/** Keeps what the taker throws apart from what the network throws. */
async function taking(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new Refused('the pieces are not wanted', { cause });
  }
}

/** One error for all sources: the gravest code, every reason, and what became of the bytes. */
function summarize(
  name: string,
  failures: readonly { mirror: string; error: CarrelError }[],
  given: number,
): CarrelError {
  const worst =
    failures.find(({ error }) => error.code === 'verification') ??
    failures.find(({ error }) => error.code === 'network') ??
    failures[0];
  if (worst === undefined) return new CarrelError('bad-input', `${name} has no source`, { item: name });
  const { code, next, retryable, status } = worst.error;
  const text = failures
    .map(({ mirror, error }) => (failures.length === 1 ? error.message : `${mirror}: ${error.message}`))
    .join('; ');
  return new CarrelError(code, text.includes(name) ? text : `${name}: ${text}`, {
    item: name,
    next:
      given > 0 && code !== 'verification'
        ? `${given} bytes of it were written; as a file it goes on where it stopped: carrel cp '${name}' .`
        : next,
    cause: worst.error,
    retryable,
    status,
  });
}
