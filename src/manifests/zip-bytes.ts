/**
 * Parts of a ZIP that lies in memory, read one by one with a limit on what each may swell to. Enough for spreadsheets
 * (ECMA-376 part 2): stored and deflated parts, no encryption, no ZIP64. Archives on disk are another room's work.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { CarrelError } from '../errors.ts';

/** Most parts of an archive that is believed to be a spreadsheet. */
const MOST_PARTS = 10_000;

/** Reads parts by name. */
export interface ZipBytes {
  names: readonly string[];
  /** The text of a part; undefined where there is none of that name. Throws `bad-input` beyond the limits. */
  text(name: string): string | undefined;
}

interface Part {
  method: number;
  flags: number;
  crc: number;
  packed: number;
  size: number;
  at: number;
}

/** True for bytes that begin like a ZIP. */
export function isZip(input: string | Uint8Array): input is Uint8Array {
  return (
    typeof input !== 'string' && input[0] === 0x50 && input[1] === 0x4b && input[2] === 3 && input[3] === 4
  );
}

/**
 * Opens an archive.
 *
 * @param limit bytes that all parts that are read may have together, unpacked
 * @throws CarrelError `bad-input` where the archive is damaged
 */
export function openZipBytes(bytes: Uint8Array, origin: string, limit: number): ZipBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = directory(buffer, origin);
  let left = limit;
  return {
    names: [...parts.keys()],
    text(name) {
      const part = parts.get(name);
      if (part === undefined) return undefined;
      if (part.size > left) throw damaged(origin, `unpacks to more than ${limit} bytes`);
      const unpacked = unpack(buffer, part, left, origin);
      left -= unpacked.length;
      return new TextDecoder('utf-8').decode(unpacked);
    },
  };
}

/** The central directory, found from its end record (APPNOTE 4.3.16). */
function directory(buffer: Buffer, origin: string): Map<string, Part> {
  const end = buffer.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > buffer.length) throw damaged(origin, 'breaks off: its end is missing');
  const count = buffer.readUInt16LE(end + 10);
  let at = buffer.readUInt32LE(end + 16);
  if (count > MOST_PARTS) throw damaged(origin, `has ${count} parts`);
  const parts = new Map<string, Part>();
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > end || buffer.readUInt32LE(at) !== 0x02014b50)
      throw damaged(origin, 'has a damaged directory');
    const nameLength = buffer.readUInt16LE(at + 28);
    const name = buffer.toString('utf8', at + 46, at + 46 + nameLength);
    parts.set(name.replaceAll('\\', '/'), {
      flags: buffer.readUInt16LE(at + 8),
      method: buffer.readUInt16LE(at + 10),
      crc: buffer.readUInt32LE(at + 16),
      packed: buffer.readUInt32LE(at + 20),
      size: buffer.readUInt32LE(at + 24),
      at: buffer.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + buffer.readUInt16LE(at + 30) + buffer.readUInt16LE(at + 32);
  }
  return parts;
}

function unpack(buffer: Buffer, part: Part, limit: number, origin: string): Buffer {
  if ((part.flags & 1) !== 0) throw damaged(origin, 'is protected with a password');
  if (part.at + 30 > buffer.length || buffer.readUInt32LE(part.at) !== 0x04034b50)
    throw damaged(origin, 'has a damaged part');
  const from = part.at + 30 + buffer.readUInt16LE(part.at + 26) + buffer.readUInt16LE(part.at + 28);
  const packed = buffer.subarray(from, from + part.packed);
  let unpacked: Buffer;
  if (part.method === 0) unpacked = packed;
  else if (part.method === 8) {
    try {
      unpacked = inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(limit, part.size)) });
    } catch (cause) {
      throw damaged(origin, 'has a part that cannot be unpacked, or is larger than it says', cause);
    }
  } else throw damaged(origin, `is packed by a method that is not read (${part.method})`);
  if (unpacked.length !== part.size || crc32(unpacked) !== part.crc)
    throw damaged(origin, 'has a part whose checksum is wrong');
  return unpacked;
}

function damaged(origin: string, what: string, cause?: unknown): CarrelError {
  return new CarrelError('bad-input', `${origin} ${what}`, {
    item: origin,
    next: 'save it again as .xlsx or as CSV',
    cause,
  });
}
