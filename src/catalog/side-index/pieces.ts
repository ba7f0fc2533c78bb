/** Pieces of the side index that are read as a whole: compressed where that helps, each with its CRC-32. */
import type { FileHandle } from 'node:fs/promises';
import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import * as v from 'valibot';
import { DamagedSideIndex, readPiece } from './read-piece.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Where a piece stands. `size` is that of its bytes when decompressed; the same as `length` where they are as they are. */
export const pieceSchema = v.object({ at: count, length: count, size: count, crc: count });

/** A piece. */
export type Piece = v.InferOutput<typeof pieceSchema>;

/** Writes a piece with what appends bytes to the file. */
export async function writePiece(write: (bytes: Buffer) => Promise<number>, bytes: Buffer): Promise<Piece> {
  // Quality 5 halves what 3 leaves of codes, and takes 0.1 s for all of them; sizes of series hardly shrink.
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const kept = packed.length < bytes.length * 0.8 ? packed : bytes;
  return { at: await write(kept), length: kept.length, size: bytes.length, crc: crc32(kept) };
}

/** Reads a piece. Throws `DamagedSideIndex` where its bytes are not those that were written. */
export async function readWhole(file: FileHandle, piece: Piece): Promise<Buffer> {
  const bytes = await readPiece(file, piece.at, piece.length);
  if (crc32(bytes) !== piece.crc) throw new DamagedSideIndex('one of its columns is damaged');
  if (piece.size === piece.length) return bytes;
  const whole = brotliDecompressSync(bytes, { chunkSize: Math.max(64, piece.size) });
  if (whole.length !== piece.size) throw new DamagedSideIndex('one of its columns is of another length');
  return whole;
}

/** The bytes of numbers, little-endian whatever the machine. */
export function littleEndian(numbers: Uint8Array | Uint16Array | Uint32Array): Buffer {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return turned(bytes, numbers.BYTES_PER_ELEMENT);
}

/** Little-endian numbers of so many bytes each. */
export function numbersOf(bytes: Buffer, width: 1 | 2 | 4): Uint8Array | Uint16Array | Uint32Array {
  if (width === 1) return bytes;
  // A copy of its own, for a view of wider numbers must be aligned.
  const copy = new Uint8Array(turned(bytes, width)).buffer;
  return width === 2 ? new Uint16Array(copy) : new Uint32Array(copy);
}

const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

function turned(bytes: Buffer, width: number): Buffer {
  if (!BIG_ENDIAN || width === 1) return bytes;
  return width === 2 ? Buffer.from(bytes).swap16() : Buffer.from(bytes).swap32();
}
