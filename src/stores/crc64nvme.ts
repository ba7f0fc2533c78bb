/**
 * CRC-64/NVME: the digest that Amazon S3 adds to uploads that bring none, since December 2024, always of the whole
 * object (AWS: "Checking object integrity for data uploads in Amazon S3"). Polynomial of the NVM Express NVM Command
 * Set Specification, section "64b CRC"; eight bytes at a time, in halves of 32 bits, because BigInt is far slower.
 */

/** A running CRC-64/NVME. */
export interface Crc64Nvme {
  /** Takes the next bytes; the chunk may be reused by the caller afterwards. */
  update(chunk: Uint8Array): void;
  /** 16 hex digits, lower case, of everything so far. May be asked for repeatedly. */
  digest(): string;
}

/** 0xad93d23594c93659 with its bits in reverse, in halves. */
const POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 };

/** Words are read as the machine stores them, and the checksum takes the lowest byte first. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A running CRC-64/NVME. */
export function createCrc64Nvme(): Crc64Nvme {
  const table = sliceTables();
  let low = -1;
  let high = -1;

  const byByte = (chunk: Uint8Array, from: number, to: number) => {
    for (let at = from; at < to; at += 1) {
      const entry = ((low ^ (chunk[at] as number)) & 255) << 1;
      low = ((low >>> 8) | (high << 24)) ^ (table[entry] as number);
      high = (high >>> 8) ^ (table[entry + 1] as number);
    }
  };
  /** Pairs of words. The indices are always within bounds; `as number` only tells the compiler so without a check. */
  const byWords = (words: Int32Array) => {
    let [l, h] = [low, high];
    for (let at = 0; at < words.length; at += 2) {
      l ^= words[at] as number;
      h ^= words[at + 1] as number;
      const e7 = 3584 + ((l & 255) << 1);
      const e6 = 3072 + ((l >>> 7) & 510);
      const e5 = 2560 + ((l >>> 15) & 510);
      const e4 = 2048 + ((l >>> 23) & 510);
      const e3 = 1536 + ((h & 255) << 1);
      const e2 = 1024 + ((h >>> 7) & 510);
      const e1 = 512 + ((h >>> 15) & 510);
      const e0 = (h >>> 23) & 510;
      l =
        (table[e7] as number) ^
        (table[e6] as number) ^
        (table[e5] as number) ^
        (table[e4] as number) ^
        (table[e3] as number) ^
        (table[e2] as number) ^
        (table[e1] as number) ^
        (table[e0] as number);
      h =
        (table[e7 + 1] as number) ^
        (table[e6 + 1] as number) ^
        (table[e5 + 1] as number) ^
        (table[e4 + 1] as number) ^
        (table[e3 + 1] as number) ^
        (table[e2 + 1] as number) ^
        (table[e1 + 1] as number) ^
        (table[e0 + 1] as number);
    }
    low = l;
    high = h;
  };

  return {
    update(chunk) {
      const { buffer, byteOffset, length } = chunk;
      const start = Math.min(length, -byteOffset & 3);
      const pairs = IS_LITTLE_ENDIAN ? Math.floor((length - start) / 8) : 0;
      byByte(chunk, 0, start);
      if (pairs > 0) byWords(new Int32Array(buffer, byteOffset + start, 2 * pairs));
      byByte(chunk, start + 8 * pairs, length);
    },
    digest: () => hexOf(~high) + hexOf(~low),
  };
}

let tables: Int32Array | undefined;

/**
 * Eight tables of 256 entries of two words, the low one first. Table k holds the effect of a byte that k more bytes
 * follow. Made at first use: 16 KiB.
 */
function sliceTables(): Int32Array {
  if (tables !== undefined) return tables;
  const made = new Int32Array(8 * 512);
  for (let byte = 0; byte < 256; byte += 1) {
    let [low, high] = [byte, 0];
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry === 0) continue;
      low ^= POLYNOMIAL.low;
      high ^= POLYNOMIAL.high;
    }
    made[2 * byte] = low;
    made[2 * byte + 1] = high;
  }
  for (let entry = 512; entry < made.length; entry += 2) {
    const [low, high] = [made[entry - 512] as number, made[entry - 511] as number];
    const first = (low & 255) << 1;
    made[entry] = ((low >>> 8) | (high << 24)) ^ (made[first] as number);
    made[entry + 1] = (high >>> 8) ^ (made[first + 1] as number);
  }
  tables = made;
  return made;
}

function hexOf(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
