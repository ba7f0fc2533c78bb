/**
 * A zip archive as a stream: stored, not compressed (pixel data hardly shrinks), with zip64 where it is needed
 * (APPNOTE 4.3 and 4.5.3). The same files give the same bytes.
 */
import { crc32 } from 'node:zlib';
import type { ArchiveWriter, WriteBytes } from './archive-writer.ts';

/** What 32 bits cannot say stands in a zip64 field. */
const LIMIT = 0xffff_ffff;
const ENTRY_LIMIT = 0xffff;

/** 1980-01-01 as MS-DOS has it. */
const DOS_DATE = 0x21;

/** Names are UTF-8. */
const FLAGS = 0x0800;

interface Entry {
  name: Buffer;
  size: number;
  crc: number;
  offset: number;
}

/**
 * Opens a zip stream; `end` writes the directory, without which no reader opens it.
 *
 * @param options.limit from here on zip64 is used; for tests
 */
export function createZip(
  write: WriteBytes,
  { limit = LIMIT, entryLimit = ENTRY_LIMIT } = {},
): ArchiveWriter {
  const entries: Entry[] = [];
  let offset = 0;
  const put = async (bytes: Uint8Array) => {
    offset += bytes.length;
    await write(bytes);
  };
  return {
    async add(path, size, body) {
      // Read twice: the checksum stands before the bytes, so that readers of streams need not guess.
      let crc = 0;
      for await (const piece of body()) crc = crc32(piece, crc);
      const entry: Entry = { name: Buffer.from(path), size, crc, offset };
      entries.push(entry);
      const large = size >= limit;
      const extra = large ? zip64([size, size]) : Buffer.of();
      const head = Buffer.alloc(30);
      head.writeUInt32LE(0x0403_4b50, 0);
      common(head, 4, entry, large, extra.length);
      await put(Buffer.concat([head, entry.name, extra]));
      const start = offset;
      for await (const piece of body()) await put(piece);
      if (offset - start !== size) throw new Error(`${path}: ${offset - start} bytes instead of ${size}`);
    },
    async end() {
      const start = offset;
      let wide = entries.length >= entryLimit;
      for (const entry of entries) {
        const large = entry.size >= limit;
        const far = entry.offset >= limit;
        wide ||= large || far;
        const extra =
          large || far
            ? zip64([...(large ? [entry.size, entry.size] : []), ...(far ? [entry.offset] : [])])
            : Buffer.of();
        const head = Buffer.alloc(46);
        head.writeUInt32LE(0x0201_4b50, 0);
        // Made on Unix, so that the mode below is read.
        head.writeUInt16LE(0x0300 | (large || far ? 45 : 20), 4);
        common(head, 6, entry, large, extra.length, large || far);
        head.writeUInt32LE((0o100644 << 16) >>> 0, 38);
        head.writeUInt32LE(far ? LIMIT : entry.offset, 42);
        await put(Buffer.concat([head, entry.name, extra]));
      }
      const size = offset - start;
      if (wide || start >= limit || size >= limit) await endWide(start, size);
      const tail = Buffer.alloc(22);
      tail.writeUInt32LE(0x0605_4b50, 0);
      const count = entries.length >= entryLimit ? ENTRY_LIMIT : entries.length;
      tail.writeUInt16LE(count, 8);
      tail.writeUInt16LE(count, 10);
      tail.writeUInt32LE(size >= limit ? LIMIT : size, 12);
      tail.writeUInt32LE(start >= limit ? LIMIT : start, 16);
      await put(tail);
    },
  };

  async function endWide(start: number, size: number): Promise<void> {
    const at = offset;
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x0606_4b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeUInt16LE(0x0300 | 45, 12);
    record.writeUInt16LE(45, 14);
    record.writeBigUInt64LE(BigInt(entries.length), 24);
    record.writeBigUInt64LE(BigInt(entries.length), 32);
    record.writeBigUInt64LE(BigInt(size), 40);
    record.writeBigUInt64LE(BigInt(start), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x0706_4b50, 0);
    locator.writeBigUInt64LE(BigInt(at), 8);
    locator.writeUInt32LE(1, 16);
    await put(Buffer.concat([record, locator]));
  }
}

/** From "version needed" to the length of the extra field: the same in both headers. */
function common(head: Buffer, at: number, entry: Entry, large: boolean, extra: number, wide = large): void {
  head.writeUInt16LE(wide ? 45 : 20, at);
  head.writeUInt16LE(FLAGS, at + 2);
  head.writeUInt16LE(DOS_DATE, at + 8);
  head.writeUInt32LE(entry.crc, at + 10);
  head.writeUInt32LE(large ? LIMIT : entry.size, at + 14);
  head.writeUInt32LE(large ? LIMIT : entry.size, at + 18);
  head.writeUInt16LE(entry.name.length, at + 22);
  head.writeUInt16LE(extra, at + 24);
}

function zip64(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}
