/**
 * CRC32C (Castagnoli): the digest that Google Cloud Storage vouches for on every object, and S3 on many. Native where
 * the optional `@node-rs/crc32` loads (about 12 GB/s), otherwise JavaScript by slices of eight bytes (about 1 GB/s).
 */
import { createRequire } from 'node:module';
import { CarrelError } from '../errors.ts';

/** A running CRC32C. */
export interface Crc32c {
  /** Takes the next bytes; the chunk may be reused by the caller afterwards. */
  update(chunk: Uint8Array): void;
  /** 8 hex digits, lower case, of everything so far. May be asked for repeatedly. */
  digest(): string;
}

/** Continues a checksum (an unsigned 32-bit number; 0 at the beginning) over more bytes. */
type Crc32cStep = (chunk: Uint8Array, state: number) => number;

/** Bit-reflected Castagnoli polynomial (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/**
 * A running CRC32C.
 *
 * @param options.implementation `native` throws `unsupported` where the addon does not load; default: the best there is.
 */
export function createCrc32c(options: { implementation?: 'native' | 'javascript' } = {}): Crc32c {
  const step = chooseStep(options.implementation);
  let state = 0;
  return {
    update(chunk) {
      if (chunk.length > 0) state = step(chunk, state);
    },
    digest: () => toHex(state),
  };
}

/**
 * The CRC32C of two pieces put together, from theirs alone: pieces of an object that were fetched in parallel
 * can be compared with the digest of the whole.
 *
 * @param a 8 hex digits of the first piece
 * @param b 8 hex digits of the second piece
 * @param lengthB bytes of the second piece
 */
export function combineCrc32c(a: string, b: string, lengthB: number): string {
  if (!Number.isSafeInteger(lengthB) || lengthB < 0) {
    throw new CarrelError('usage', `not a number of bytes: ${lengthB}`, { item: String(lengthB) });
  }
  return toHex((multiply(powerOfX(lengthB), fromHex(a)) ^ fromHex(b)) >>> 0);
}

/** CRC32C in JavaScript, eight bytes at a time ("slicing-by-8", Kounavis and Berry 2005). */
const stepInJavaScript: Crc32cStep = (chunk, state) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = sliceTables();
  const { length } = chunk;
  let crc = ~state;
  let at = 0;
  // The indices are always within bounds; `as number` only tells the compiler so without a check per byte.
  for (const end = length - 7; at < end; at += 8) {
    crc ^=
      (chunk[at] as number) |
      ((chunk[at + 1] as number) << 8) |
      ((chunk[at + 2] as number) << 16) |
      ((chunk[at + 3] as number) << 24);
    crc =
      (t7[crc & 255] as number) ^
      (t6[(crc >>> 8) & 255] as number) ^
      (t5[(crc >>> 16) & 255] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[chunk[at + 4] as number] as number) ^
      (t2[chunk[at + 5] as number] as number) ^
      (t1[chunk[at + 6] as number] as number) ^
      (t0[chunk[at + 7] as number] as number);
  }
  for (; at < length; at += 1) crc = (t0[(crc ^ (chunk[at] as number)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
};

let native: Crc32cStep | null | undefined;

/** The addon's step, or null where it does not load (another platform, installed without optional packages). */
function nativeStep(): Crc32cStep | null {
  if (native !== undefined) return native;
  native = null;
  try {
    const addon = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32cStep };
    // An addon that loads but counts wrongly would be worse than none: RFC 3720's check value.
    if (addon.crc32c(Buffer.from('123456789'), 0) === 0xe3069283) native = addon.crc32c;
  } catch {
    // Stays null: JavaScript does it.
  }
  return native;
}

function chooseStep(wanted: 'native' | 'javascript' | undefined): Crc32cStep {
  if (wanted === 'javascript') return stepInJavaScript;
  const step = nativeStep();
  if (wanted === 'native' && step === null) {
    throw new CarrelError('unsupported', 'the native CRC32C (@node-rs/crc32) does not load on this machine');
  }
  return step ?? stepInJavaScript;
}

type SliceTables = [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];
let tables: SliceTables | undefined;

/** Table k holds the effect of a byte that k more bytes follow. Made at first use: 8 KiB. */
function sliceTables(): SliceTables {
  if (tables !== undefined) return tables;
  const made = Array.from({ length: 8 }, () => new Int32Array(256)) as SliceTables;
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    made[0][byte] = value;
  }
  for (let slice = 1; slice < 8; slice += 1) {
    const [before, table] = [made[slice - 1], made[slice]] as [Int32Array, Int32Array];
    for (let byte = 0; byte < 256; byte += 1) {
      const value = before[byte] as number;
      table[byte] = (made[0][value & 255] as number) ^ (value >>> 8);
    }
  }
  tables = made;
  return made;
}

/** Product of two polynomials modulo the Castagnoli polynomial; bit 31 is x⁰ (as in zlib's `multmodp`). */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** x to the power of 8·bytes: what `bytes` zero bytes do to a checksum. Division, not shifts: lengths exceed 2³². */
function powerOfX(bytes: number): number {
  let result = 0x80000000;
  let square = 0x00800000; // x⁸
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(square, result);
    square = multiply(square, square);
  }
  return result;
}

function toHex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function fromHex(text: string): number {
  if (!/^[0-9a-fA-F]{8}$/.test(text)) {
    throw new CarrelError('bad-input', `not a CRC32C: ${JSON.stringify(text.slice(0, 40))}`, {
      item: text.slice(0, 40),
      next: 'a CRC32C is 8 hex digits',
    });
  }
  return Number.parseInt(text, 16);
}
