/**
 * Everything that looks random in the sample: names drawn from a hash, numbers from a small generator. The same
 * seed gives the same values on every machine and every version of Node.
 */
import { createHash } from 'node:crypto';

/** 16 bytes that depend on nothing but the words. */
function hashWords(words: readonly (string | number)[]): Buffer {
  return createHash('sha256').update(words.join('\u001f')).digest().subarray(0, 16);
}

/** A uuid of version 4 shape (RFC 9562) that depends on nothing but the words. */
export function deriveUuid(...words: (string | number)[]): string {
  const bytes = hashWords(words);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Length of every derived UID. */
export const UID_LENGTH = 44;

/**
 * A DICOM UID under the root 2.25 (PS3.5 B.2: a uuid as one integer). All have 44 characters, so that a UID can
 * be patched into an encoded header without moving anything: a uuid whose integer has fewer than 39 digits is
 * passed over.
 */
export function deriveUid(...words: (string | number)[]): string {
  for (let attempt = 0; ; attempt += 1) {
    const uuid = deriveUuid('uid', attempt, ...words);
    const digits = BigInt(`0x${uuid.replaceAll('-', '')}`).toString();
    if (digits.length === UID_LENGTH - '2.25.'.length) return `2.25.${digits}`;
  }
}

/** Draws numbers in [0, 1). */
export interface Random {
  next(): number;
  /** A number in [low, high). */
  between(low: number, high: number): number;
  /** One of the values. */
  pick<T>(values: readonly [T, ...T[]]): T;
}

/** A generator (mulberry32) whose sequence depends on nothing but the words. */
export function createRandom(...words: (string | number)[]): Random {
  let state = hashWords(words).readUInt32LE(0);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    pick(values) {
      const value = values[Math.floor(next() * values.length)];
      return value === undefined ? values[0] : value; // null is a value
    },
  };
}
