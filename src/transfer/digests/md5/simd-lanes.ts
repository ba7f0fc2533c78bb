/**
 * Streams in the lanes of one machine: their memory, and the moments at which they are hashed.
 *
 * Bytes are hashed as late as they may be, for full lanes cost a fourth per byte: when eight streams have blocks; when no
 * other stream can bring any; when the memory is full; and when somebody has waited for a digest for long enough.
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

/** Share of the memory that is pages: enough for a large part of each of two objects to wait for the other. */
const PAGES = 3 / 8;

/** Share of the memory that bodies leave to others which could as well go elsewhere. */
const SPARE = 1 / 2;

/** Milliseconds that an ended stream waits for others, where streams end often enough to fill the lanes meanwhile. */
const WAIT_MS = 25;

/** Where they do not, waiting would only take time. */
const SHORT_WAIT_MS = 5;

/**
 * Milliseconds that a stream waits at most which has brought more than the others: about what they need for as much on a short
 * line. Where they did not bring it in time, the next one waits a quarter as long, and twice as long again where they did.
 */
const BEHIND_WAIT_MS = 150;

/** Lanes over a machine. */
export function createSimdLanes(machine: Md5Machine, options: Omit<Md5LanesOptions, 'simd'> = {}): Md5Lanes {
  const { memory } = machine;
  const pageBytes = options.pageBytes ?? PAGE_BYTES;
  if (!Number.isInteger(pageBytes / 64) || pageBytes < 64)
    throw new CarrelError('usage', `pages of ${pageBytes} bytes: a multiple of 64 is needed`);
  const pages = createPages(machine.free, pageBytes, PAGES * memory.length);
  const slabs = new Slabs(memory, pages.end, () => wakeSoon());
  const scheduler = createScheduler(machine);
  const streams = new Set<SimdStream>();
  /** Streams that bring nothing until they are hashed, for they have ended or brought enough; and how long they wait at most. */
  const waiting = new Map<SimdStream, number>();
  const expected = options.expected ?? (() => streams.size + slabs.filling);
  const ends = createEnds();
  let soon: NodeJS.Immediate | undefined;
  let later: NodeJS.Timeout | undefined;
  let wakesAt = 0;
  let behindMs = BEHIND_WAIT_MS;

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
  const wait = (stream: SimdStream, ms: number) => {
    waiting.set(stream, performance.now() + (options.waitMs ?? ms));
    runFull();
    wake();
  };
  /** Sees to it that nobody waits for ever. */
  const wake = () => {
    if (waiting.size === 0) return;
    const first = Math.min(...waiting.values());
    if (later === undefined || first < wakesAt) {
      clearTimeout(later);
      wakesAt = first;
      later = setTimeout(onTime, Math.max(0, first - performance.now()));
    }
    wakeSoon();
  };
  /** Those who have waited are served, in the company of whoever has blocks; the others stay. */
  const onTime = () => {
    later = undefined;
    const now = performance.now() + 1;
    const due = [...waiting].filter(([, until]) => until <= now).map(([stream]) => stream);
    // An eighth, of which catching up below makes a quarter.
    if (due.some(({ ended }) => !ended)) behindMs = Math.max(SHORT_WAIT_MS, behindMs / 8);
    scheduler.run(1, () => !due.some((stream) => waiting.has(stream)));
    wake();
  };
  /** Nothing under way that could fill the lanes: the next turn it is, for this one may bring more. */
  const wakeSoon = () => {
    if (waiting.size > 0 && isAlone()) soon ??= setImmediate(onTurn);
  };
  const isAlone = () => expected() <= waiting.size;
  const onTurn = () => {
    soon = undefined;
    if (isAlone()) flush();
  };

  const takePage = (): { at: number; free: () => void } => {
    let at = pages.take();
    // As wide as it goes: what one stream has more than the others goes on waiting, if it may.
    while (at === undefined && scheduler.ready.length > 0) {
      scheduler.run(scheduler.ready.length);
      at = pages.take();
    }
    if (at === undefined) {
      // More open streams than pages: each keeps less than a block, outside of the memory.
      for (const stream of streams) stream.settle();
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
    claim: (slab) => slabs.claim(slab),
    enqueue: (work, segment) => scheduler.add(work, segment),
    onFullPage() {
      if (scheduler.ready.length >= LANES) {
        runFull();
        return;
      }
      const full = scheduler.ready.length - waiting.size;
      // What one has more than the others waits for what they bring next.
      if (full >= expected() - waiting.size) scheduler.run(scheduler.ready.length);
    },
    onEnd(stream) {
      ends.note();
      wait(stream, ends.often() ? WAIT_MS : SHORT_WAIT_MS);
    },
    onBehind: (stream) => wait(stream, behindMs),
    onCaughtUp(stream) {
      waiting.delete(stream);
      behindMs = Math.min(BEHIND_WAIT_MS, behindMs * 2);
    },
    onOver(stream) {
      waiting.delete(stream);
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
      // Only what has ended gives memory back when it is hashed.
      if (waiting.size === 0) return undefined;
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

/** How often streams end. */
function createEnds(): { note(): void; often(): boolean } {
  const last: number[] = [];
  return {
    note() {
      last.push(performance.now());
      if (last.length > LANES) last.shift();
    },
    often: () => last.length === LANES && performance.now() - (last[0] ?? 0) < 2 * WAIT_MS,
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
