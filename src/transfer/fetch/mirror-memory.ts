/**
 * What is remembered of mirrors from one run to the next: how fast they were. Where it is kept is the caller's affair.
 */
import type { MirrorWord } from './mirrors.ts';

/** Speeds of mirrors, kept by the caller. */
export interface MirrorMemory {
  /** Bytes per millisecond and stream, by mirror; only what is young enough to be believed. */
  recall(): Readonly<Record<string, number>>;
  /** Called once, at the end of a run that fetched enough to tell. */
  remember(speeds: Readonly<Record<string, number>>): void;
}

/** Files from a mirror below which its speed is no more than an accident. */
const ENOUGH = 3;

/** Adds up what is measured during a run, over all threads. */
export function createSpeedTally(): {
  hear: (word: MirrorWord) => void;
  speeds: () => Record<string, number>;
} {
  const sums = new Map<string, { files: number; bytes: number; ms: number }>();
  const liars = new Set<string>();
  return {
    hear(word) {
      // Without the bucket: as `speedId` has it.
      const id = word.id.slice(0, word.id.lastIndexOf(' '));
      if (word.is === 'lying') liars.add(id);
      if (word.is !== 'measured') return;
      const sum = sums.get(id) ?? { files: 0, bytes: 0, ms: 0 };
      sums.set(id, {
        files: sum.files + 1,
        bytes: sum.bytes + word.bytes,
        ms: sum.ms + word.ms,
      });
    },
    speeds() {
      const told = [...sums].filter(
        ([id, { files, bytes }]) => files >= ENOUGH && bytes > 0 && !liars.has(id),
      );
      return Object.fromEntries(told.map(([id, { bytes, ms }]) => [id, bytes / Math.max(1, ms)]));
    },
  };
}
