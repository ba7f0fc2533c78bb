/** Which streams go on together. Nothing of a stream is bound to a lane: every call takes whoever has blocks. */
import type { Md5Machine, Md5State } from './machine.ts';

/** Streams per call. */
export const LANES = 8;

/** Whole blocks that stand one after another in memory. */
export interface Segment {
  at: number;
  /** At least 1. */
  blocks: number;
  /** Called when the last block was taken; undefined where the memory stays with the stream. */
  free: (() => void) | undefined;
}

/** A stream as the scheduler sees it. */
export interface Work {
  readonly state: Md5State;
  readonly queue: Segment[];
  /** True once the last segment, with the padding, is in the queue. */
  ended: boolean;
  /** Called when the last block of an ended stream was taken. */
  finish(): void;
  /** Called when the last block so far of another one was taken. */
  catchUp(): void;
}

/** The streams that have blocks, in the order in which they came by them. */
export interface Scheduler {
  /** Streams with blocks. */
  readonly ready: readonly Work[];
  /** Blocks that stand right behind the last ones of the stream become one segment with them. */
  add(work: Work, segment: Segment): void;
  /** Drops what a stream has waiting. */
  remove(work: Work): void;
  /** Goes on while at least so many streams have blocks, unless it is enough. */
  run(least: number, isEnough?: () => boolean): void;
}

/** A scheduler over one machine. */
export function createScheduler(machine: Md5Machine): Scheduler {
  let ready: Work[] = [];

  const step = () => {
    const chosen: Work[] = [];
    const states: Md5State[] = [];
    const data: number[] = [];
    let blocks = Number.POSITIVE_INFINITY;
    for (const work of ready) {
      const head = work.queue[0];
      if (head === undefined) continue;
      chosen.push(work);
      states.push(work.state);
      data.push(head.at);
      blocks = Math.min(blocks, head.blocks);
      if (chosen.length === LANES) break;
    }
    machine.run(states, data, blocks);
    let emptied = false;
    for (const work of chosen) {
      const head = work.queue[0];
      if (head === undefined) continue;
      head.at += 64 * blocks;
      head.blocks -= blocks;
      if (head.blocks > 0) continue;
      work.queue.shift();
      head.free?.();
      emptied ||= work.queue.length === 0;
    }
    if (!emptied) return;
    ready = ready.filter(({ queue }) => queue.length > 0);
    for (const work of chosen) {
      if (work.queue.length > 0) continue;
      if (work.ended) work.finish();
      else work.catchUp();
    }
  };

  return {
    get ready() {
      return ready;
    },
    add(work, segment) {
      const last = work.queue.at(-1);
      if (last === undefined) ready.push(work);
      else if (last.free === undefined && last.at + 64 * last.blocks === segment.at) {
        last.blocks += segment.blocks;
        last.free = segment.free;
        return;
      }
      work.queue.push(segment);
    },
    remove(work) {
      if (work.queue.length === 0) return;
      ready = ready.filter((other) => other !== work);
      for (const { free } of work.queue.splice(0)) free?.();
    },
    run(least, isEnough) {
      while (ready.length >= least && ready.length > 0 && isEnough?.() !== true) step();
    },
  };
}
