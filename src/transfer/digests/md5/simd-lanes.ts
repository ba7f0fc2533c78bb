/**
 * Streams in the lanes of one machine: their memory, and the moments at which they are hashed.
 *
 * Bytes are hashed as late as they may be, for full lanes cost a fourth per byte: when eight streams have blocks; when
 * every open stream has a full page; when memory runs out; and when somebody has waited for a digest for long enough.
 */
import { CarrelError } from '../../../errors.ts';
import type { Md5Machine } from './machine.ts';
import type { Md5Lanes, Md5LanesOptions } from './md5-lanes.ts';
import { createScheduler, LANES } from './scheduler.ts';
import { SimdStream, type Surroundings } from './simd-stream.ts';
import { PADDING_BYTES, Slabs } from './slabs.ts';

/** Bytes of a page: large enough that a call is cheap, small enough that eight of them stay in the cache. */
const PAGE_BYTES = 32 << 10;

/** Bytes between two pages beyond their content: room for padding, and an odd number of cache lines in all. */
const PAGE_GAP = 1088;

/** Share of the memory that bodies leave to others which could as well go elsewhere. */
const SPARE = 1 / 2;

/** Milliseconds that an ended stream waits for others. */
const WAIT_MS = 5;

/** Lanes over a machine. */
export function createSimdLanes(machine: Md5Machine, options: Omit<Md5LanesOptions, 'simd'> = {}): Md5Lanes {
  const { memory } = machine;
  const pageBytes = options.pageBytes ?? PAGE_BYTES;
  const waitMs = options.waitMs ?? WAIT_MS;
  if (!Number.isInteger(pageBytes / 64) || pageBytes < 64)
    throw new CarrelError('usage', `pages of ${pageBytes} bytes: a multiple of 64 is needed`);
  const pages = createPages(machine.free, pageBytes, memory.length >> 2);
  const slabs = new Slabs(memory, pages.end, () => wakeSoon());
  const scheduler = createScheduler(machine);
  const streams = new Set<SimdStream>();
  /** Ended streams that are not hashed yet. */
  let ended = 0;
  let soon: NodeJS.Immediate | undefined;
  let later: NodeJS.Timeout | undefined;

  const flush = () => {
    scheduler.run(1);
    rest();
  };
  const runFull = () => {
    if (scheduler.ready.length < LANES) return;
    scheduler.run(LANES);
    // The oldest are served first: whoever waits now has not waited long.
    rest();
    wake();
  };
  const rest = () => {
    clearTimeout(later);
    clearImmediate(soon);
    later = undefined;
    soon = undefined;
  };
  /** Sees to it that nobody waits for ever. */
  const wake = () => {
    if (ended === 0) return;
    later ??= setTimeout(flush, waitMs);
    wakeSoon();
  };
  /** Nothing under way that could fill the lanes: the next turn it is, for this one may bring more. */
  const wakeSoon = () => {
    if (ended > 0 && isAlone()) soon ??= setImmediate(onTurn);
  };
  const isAlone = () => streams.size === ended && slabs.filling === 0;
  const onTurn = () => {
    soon = undefined;
    if (isAlone()) flush();
  };
  /** Frees what streams keep that have not ended. */
  const settle = (which: (stream: SimdStream) => boolean) => {
    for (const stream of streams) if (which(stream)) stream.settle();
  };

  const takePage = (): { at: number; free: () => void } => {
    let at = pages.take();
    if (at === undefined) {
      flush();
      at = pages.take();
    }
    if (at === undefined) {
      // More open streams than pages: each keeps less than a block, outside of the memory.
      settle(() => true);
      flush();
      at = pages.take();
    }
    if (at === undefined) throw new CarrelError('internal', 'no page of memory is left for an MD5');
    const page = at;
    return { at: page, free: () => pages.give(page) };
  };

  const surroundings: Surroundings = {
    memory,
    view: new DataView(memory.buffer),
    pageBytes,
    takePage,
    claim: (slab, length) => slabs.claim(slab, length),
    enqueue: (work, segment) => scheduler.add(work, segment),
    onFullPage() {
      if (scheduler.ready.length >= LANES) {
        runFull();
        return;
      }
      const open = streams.size - ended;
      const full = scheduler.ready.filter((work) => !work.ended).length;
      const isAll = full >= open && slabs.filling === 0;
      // Some stream brings nothing: the others need not wait for it for ever.
      if (isAll || scheduler.bytes >= 2 * LANES * pageBytes) flush();
    },
    onEnd() {
      ended += 1;
      runFull();
      wake();
    },
    onOver(stream) {
      if (stream.ended) ended -= 1;
      streams.delete(stream);
      scheduler.remove(stream);
      wakeSoon();
    },
  };

  return {
    simd: true,
    allocate(bytes) {
      const slab = slabs.take(bytes);
      if (slab !== undefined) return slab;
      settle(({ keepsSlab }) => keepsSlab);
      if (scheduler.ready.length === 0) return undefined;
      flush();
      return slabs.take(bytes);
    },
    allocateSpare: (bytes) => (slabs.arena.free < SPARE ? undefined : slabs.take(bytes)),
    open() {
      const stream = new SimdStream(surroundings);
      streams.add(stream);
      return stream;
    },
    flush,
  };
}

/** Pages of one size: the last one given back is the next one taken, for it is still in the cache. */
function createPages(
  start: number,
  bytes: number,
  share: number,
): { readonly end: number; take(): number | undefined; give(at: number): void } {
  const first = Math.ceil(start / 64) * 64;
  const stride = bytes + PAGE_GAP;
  const count = Math.max(1, Math.floor((share - first) / stride));
  const given: number[] = [];
  let untouched = 0;
  return {
    end: first + count * stride + PADDING_BYTES,
    take() {
      const page = given.pop();
      if (page !== undefined || untouched === count) return page;
      untouched += 1;
      return first + (untouched - 1) * stride;
    },
    give: (at) => void given.push(at),
  };
}
