/** A stream of pieces of any length, read in pieces of a wanted length. */
import type { Readable } from 'node:stream';

/** Reads in order. */
export interface BlockReader {
  /** So many bytes; rejects where the stream ends before. */
  read(bytes: number): Promise<Buffer>;
  /** Reads to the end, so that whatever unpacks the stream checks its sum; rejects where more than so many bytes follow. */
  drain(most: number): Promise<void>;
}

/** Makes a reader; the stream is the caller's to destroy. */
export function createBlockReader(stream: Readable): BlockReader {
  const pieces: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.of();
  return {
    async read(bytes) {
      const parts: Buffer[] = [];
      let have = 0;
      while (have < bytes) {
        if (rest.length === 0) {
          const { done, value } = await pieces.next();
          if (done === true) throw new Error('it ends too early');
          rest = value;
        }
        const part = rest.subarray(0, bytes - have);
        parts.push(part);
        have += part.length;
        rest = rest.subarray(part.length);
      }
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    },
    async drain(most) {
      for (let left = most - rest.length; ; ) {
        const { done, value } = await pieces.next();
        if (done === true) return;
        left -= value.length;
        if (left < 0) throw new Error('much follows its end');
      }
    },
  };
}
