/** Entries of the side index while it is made: growing typed arrays, then one counting sort by bucket. */
import { crc32 } from 'node:zlib';
import { littleEndian } from './pieces.ts';
import { BUCKET_ITEM, ENTRY } from './side-file.ts';
import { hashText } from './text-hash.ts';

/** The most rows of one entry; longer runs take several. */
const LONGEST = 0xffff;

/** Collects identifiers. */
export interface EntryList {
  /** The rows `first` to `first + rows - 1` hold that identifier. */
  add(text: string, first: number, rows: number): void;
  /** The sorted entries and the list of their buckets. */
  finish(): { items: number; bits: number; entries: Buffer; buckets: Buffer };
}

/** Makes an empty list. */
export function createEntryList(): EntryList {
  let items = 0;
  let data = new Uint32Array(4096);
  return {
    add(text, first, rows) {
      const [a, b] = hashText(text);
      for (let done = 0; done < rows; done += LONGEST) {
        if ((items + 1) * 4 > data.length) {
          const grown = new Uint32Array(data.length * 2);
          grown.set(data);
          data = grown;
        }
        data[items * 4] = a;
        data[items * 4 + 1] = b;
        data[items * 4 + 2] = first + done;
        data[items * 4 + 3] = Math.min(LONGEST, rows - done);
        items += 1;
      }
    },
    finish() {
      // About 32 entries a bucket: 320 bytes are one read.
      const bits = Math.min(20, Math.max(1, Math.ceil(Math.log2(items / 32 + 1))));
      const starts = new Uint32Array(2 ** bits + 1);
      const bucketOf = (item: number) => (data[item * 4] ?? 0) >>> (32 - bits);
      for (let item = 0; item < items; item += 1) {
        const next = bucketOf(item) + 1;
        starts[next] = (starts[next] ?? 0) + 1;
      }
      for (let bucket = 1; bucket < starts.length; bucket += 1)
        starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
      // 16 bits at a time, the lower ones first: ten bytes are never aligned to four.
      const words = new Uint16Array((items * ENTRY) / 2);
      const filled = starts.slice();
      for (let item = 0; item < items; item += 1) {
        const bucket = bucketOf(item);
        const place = filled[bucket] ?? 0;
        filled[bucket] = place + 1;
        const [b, first] = [data[item * 4 + 1] ?? 0, data[item * 4 + 2] ?? 0];
        const at = place * (ENTRY / 2);
        words[at] = b & 0xffff;
        words[at + 1] = b >>> 16;
        words[at + 2] = first & 0xffff;
        words[at + 3] = first >>> 16;
        words[at + 4] = data[item * 4 + 3] ?? 0;
      }
      const entries = littleEndian(words);
      const buckets = Buffer.alloc(starts.length * BUCKET_ITEM);
      for (const [bucket, start] of starts.entries()) {
        buckets.writeUInt32LE(start, bucket * BUCKET_ITEM);
        const end = starts[bucket + 1] ?? start;
        buckets.writeUInt32LE(crc32(entries.subarray(start * ENTRY, end * ENTRY)), bucket * BUCKET_ITEM + 4);
      }
      return { items, bits, entries, buckets };
    },
  };
}
