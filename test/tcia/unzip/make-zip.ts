/** ZIP archives byte by byte, honest or hostile: what no writer would write. */
import { crc32, deflateRawSync } from 'node:zlib';

/** An entry. The overrides are what the headers claim, whatever the bytes are. */
export interface MadeEntry {
  name: string;
  bytes?: Uint8Array | string;
  /** Default true. */
  deflate?: boolean;
  /** Unix mode with its kind, such as 0o120777 for a link. */
  mode?: number;
  crc32?: number;
  size?: number;
  method?: number;
  flags?: number;
  /** Offset of the local header in the directory, in place of the true one: entries that overlap. */
  offset?: number;
}

/** A whole archive. `count` is what the end record claims. */
export function makeZip(entries: readonly MadeEntry[], options: { count?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const plain = Buffer.from(entry.bytes ?? '');
    const deflate = entry.deflate ?? true;
    const packed = deflate ? deflateRawSync(plain) : plain;
    const name = Buffer.from(entry.name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800 | (entry.flags ?? 0), 2);
    common.writeUInt16LE(entry.method ?? (deflate ? 8 : 0), 4);
    common.writeUInt32LE(0x21_0000, 6);
    common.writeUInt32LE(entry.crc32 ?? crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(entry.size ?? plain.length, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(entry.offset ?? offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, name);
    offset += 30 + name.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  const count = options.count ?? entries.length;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}
