/**
 * One attempt: asks one source for what a file still lacks, and puts the answer in its place.
 *
 * The rules of going on inside of a file (those of undici's retry handler, which learned them the hard way): the
 * request is pinned to the object that the bytes so far belong to; an answer that does not start where they end is
 * never appended; a whole object where a part was asked for starts the file again.
 */
import { CarrelError } from '../../errors.ts';
import type { Source } from '../../locations/index.ts';
import type { ObjectBody, OpenStore } from '../../stores/index.ts';
import { DiskFailure } from '../disk-error.ts';
import { algorithmsOf, type Verification } from '../evidence.ts';
import type { PlannedFile } from '../plan.ts';
import type { Meter } from '../threads/meter.ts';
import type { Throttle } from './bandwidth.ts';
import type { Hedge } from './hedge.ts';
import { mirrorId } from './mirrors.ts';
import type { PartialFile } from './partial-file.ts';
import type { Origin } from './partial-record.ts';
import { consumeParts, PART_BYTES, type PartBudget } from './parts.ts';
import type { Watch } from './watch.ts';

/** What every attempt of a run shares. */
export interface Reception {
  openStore: OpenStore;
  verify: Verification;
  watch: Watch;
  meter: Meter;
  throttle: Throttle | undefined;
  signal: AbortSignal;
  /** Connections that a large file may use at once. */
  streams(path: string): number;
  partBudget: PartBudget;
  hedge: Hedge;
}

/** From this size on, an object is fetched over several connections, if there are not enough others to fetch. */
const MANY_STREAMS_BYTES = 4 * PART_BYTES;

/** The object is not the one that the plan or the bytes so far are about. No bytes were lost or mixed. */
export class OtherObject extends Error {
  override readonly name = 'OtherObject';
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`${expected} expected, ${found} found`);
    this.expected = expected;
    this.found = found;
  }
}

/**
 * Completes `partial` from `source`. On return it holds as many bytes as the server announced.
 *
 * @throws OtherObject where the announced size is not the planned one
 * @throws DiskFailure where the local disk fails
 * @throws CarrelError of the store; `network` where the body ends early, falls silent or becomes very slow
 */
export async function receive(
  source: Source,
  file: PlannedFile,
  partial: PartialFile,
  reception: Reception,
  options: { mayBeSlow: boolean },
): Promise<void> {
  const { watch, meter, throttle } = reception;
  const store = reception.openStore(source.place);
  const from = resumption(source, file, partial);
  if (from === undefined && partial.length > 0) await startAgain(partial, meter);
  const lease = watch.begin({ item: file.path, mayBeSlow: options.mayBeSlow });
  const stopper = new AbortController();
  const signal =
    (file.size ?? 0) < MANY_STREAMS_BYTES ? lease.signal : AbortSignal.any([lease.signal, stopper.signal]);
  const onArrival = (bytes: number) => {
    lease.bytes(bytes);
    meter.add(bytes);
  };
  const onChunk = (chunk: Uint8Array) => {
    const written = partial.write(chunk);
    const pause = throttle?.(chunk.length);
    if (pause === undefined) return written;
    lease.hold(pause);
    return Promise.all([written, pause]).then(() => {});
  };
  try {
    const body = await reception.hedge.open(() => {
      meter.request();
      return store.get(source.key, {
        ...(from === undefined ? {} : { range: { start: from.start }, ifMatch: from.pin }),
        signal,
      });
    });
    try {
      await adopt(body, store.pin(body.stat), source, file, partial, reception, from !== undefined);
    } catch (error) {
      body.cancel();
      throw error;
    }
    lease.start();
    const parts = partsOf(partial, file, reception);
    const room = throttle === undefined ? partial.room() : undefined;
    if (room !== undefined && body.land !== undefined && fits(room, body)) {
      await body.land(room, (count) => {
        onArrival(count);
        partial.landed(count);
      });
    } else if (parts === undefined) {
      await body.consume((chunk) => {
        onArrival(chunk.length);
        return onChunk(chunk);
      });
    } else {
      const { pin } = parts;
      await consumeParts({
        ...parts,
        first: body,
        budget: reception.partBudget,
        async open(start, end) {
          meter.request();
          const part = await store.get(source.key, { range: { start, end }, ifMatch: pin, signal });
          if (part.range.start === start && (part.range.end ?? end) <= end) return part;
          part.cancel();
          return undefined;
        },
        stop: () => stopper.abort(),
        onChunk,
        onArrival,
      });
    }
  } catch (error) {
    // A store may wrap the reason of an abort, or say `interrupted`; what ended the attempt is what counts.
    if (lease.signal.aborted && !(error instanceof DiskFailure)) throw lease.signal.reason;
    throw error;
  } finally {
    lease.end();
  }
  const total = partial.origin?.total;
  if (total !== undefined && partial.length < total) {
    throw new CarrelError('network', `only ${partial.length} of ${total} bytes came`, {
      item: file.path,
      retryable: true,
    });
  }
}

/**
 * How the rest of a large object is divided; undefined where it comes as one stream: it is small, its size is not known,
 * nothing would show that parts of two versions were mixed, or there are others enough to keep the line busy.
 */
function partsOf(
  { length, origin }: PartialFile,
  file: PlannedFile,
  reception: Reception,
): { from: number; total: number; streams: number; pin: string | undefined } | undefined {
  const total = origin?.total;
  if (total === undefined || total - length < MANY_STREAMS_BYTES) return undefined;
  if (origin?.pin === undefined && file.digests.length === 0) return undefined;
  const streams = reception.throttle === undefined ? reception.streams(file.path) : 1;
  return streams < 2 ? undefined : { from: length, total, streams, pin: origin?.pin };
}

/** Whether a reply brings exactly what is missing. */
function fits(room: Uint8Array, { range }: ObjectBody): boolean {
  return range.end !== undefined && range.end - range.start === room.length;
}

/** Where to go on, and pinned to what; undefined to start from nothing. */
function resumption(
  source: Source,
  file: PlannedFile,
  partial: PartialFile,
): { start: number; pin: string | undefined } | undefined {
  const { length, origin } = partial;
  if (length === 0 || origin === undefined || (origin.total !== undefined && length >= origin.total)) {
    return undefined;
  }
  if (origin.source === sourceId(source)) {
    // Without a pin two versions could be mixed; that is fine only where a digest of the whole shows it.
    return origin.pin !== undefined || file.digests.length > 0
      ? { start: length, pin: origin.pin }
      : undefined;
  }
  return file.digests.length > 0 ? { start: length, pin: undefined } : undefined;
}

/** Looks at the reply before its body: goes on with the bytes so far, starts again, or refuses. */
async function adopt(
  body: ObjectBody,
  pin: string | undefined,
  source: Source,
  file: PlannedFile,
  partial: PartialFile,
  reception: Reception,
  resuming: boolean,
): Promise<void> {
  const { verify, meter } = reception;
  const { size, digests } = body.stat;
  if (verify !== 'none' && file.size !== undefined && size !== undefined && file.size !== size) {
    throw new OtherObject(`${file.size} bytes`, `${size} bytes`);
  }
  const origin: Origin = { source: sourceId(source), pin, total: size ?? file.size, replied: digests };
  const algorithms = verify === 'full' ? algorithmsOf(file.digests, digests) : new Set<never>();
  // Nothing to compare with, or only what another mirror does not know: an MD5 all the same, so that the file can be
  // proven from now on.
  const lacking = algorithms.size === 0 || (algorithms.size === 1 && algorithms.has('s3etag'));
  const wanted = verify === 'full' && lacking ? new Set([...algorithms, 'md5' as const]) : algorithms;
  const before = partial.origin;
  if (resuming && before !== undefined && body.range.start === partial.length) {
    const sameSource = before.source === origin.source;
    const samePin = !sameSource || before.pin === undefined || pin === undefined || before.pin === pin;
    const sameTotal = before.total === undefined || size === undefined || before.total === size;
    if (!samePin || !sameTotal) {
      await startAgain(partial, meter);
      throw new CarrelError('network', 'the object changed while it was being fetched', {
        item: file.path,
        retryable: true,
      });
    }
    // A part's reply may know less than the whole's did.
    const replied = digests.length > 0 || !sameSource ? digests : before.replied;
    await partial.resume(
      { ...origin, total: origin.total ?? before.total, pin: pin ?? before.pin, replied },
      wanted,
      reception.signal,
    );
    return;
  }
  if (body.range.start !== 0) {
    await startAgain(partial, meter);
    throw new CarrelError(
      'network',
      `the server answered with another part (from byte ${body.range.start})`,
      {
        item: file.path,
        retryable: true,
      },
    );
  }
  meter.lost(partial.length);
  await partial.begin(origin, wanted);
}

/** Gives up the bytes so far. */
export async function startAgain(partial: PartialFile, meter: Meter): Promise<void> {
  meter.lost(partial.length);
  await partial.discard();
}

/** A source as one text: the same object at the same place. A query is left out: it may hold a signature. */
export function sourceId(source: Source): string {
  return `${mirrorId(source)} ${source.place.protocol === 'https' ? source.key.replace(/\?.*$/s, '') : source.key}`;
}
