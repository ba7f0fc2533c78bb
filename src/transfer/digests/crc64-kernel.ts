/**
 * CRC-64/NVME in WebAssembly: sixteen bytes at a time by tables of 64-bit entries ("slicing", Kounavis and Berry 2005),
 * which JavaScript has to look up in halves, with a check for each.
 */
import {
  type Code,
  doWhile,
  encodeModule,
  getLocal,
  I32,
  I64,
  i32,
  i64,
  setLocal,
} from './md5/wasm-encoder.ts';

/** Where things stand in the memory. */
export const CRC64_LAYOUT = {
  /** 16 tables of 256 entries of 8 bytes; table k holds the effect of a byte that k more bytes follow. */
  tables: 0,
  /** The checksum before and after. */
  state: 32_768,
  /** The bytes. */
  data: 32_832,
} as const;

/**
 * The module: imports `env.memory`, exports `crc64`, which takes so many times sixteen bytes at `data` (at least one).
 */
export function emitCrc64Kernel(): Uint8Array<ArrayBuffer> {
  const [count, at, low, high, crc] = [0, 1, 2, 3, 4];
  const origin = i32.const(0);
  /** The entry of byte `index` (0 to 3) of a word; entries are 8 bytes apart. */
  const lookUp = (word: number, index: number, table: number): Code => {
    const offset = 8 * index - 3;
    const moved =
      offset < 0 ? i32.shiftLeft(getLocal(word), -offset) : i32.shiftRight(getLocal(word), offset);
    return i64.load(i32.and(moved, i32.const(0x7f8)), CRC64_LAYOUT.tables + 2048 * table);
  };
  const eight = (first: number): Code[] =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((byte) => lookUp(byte < 4 ? low : high, byte & 3, first - byte));
  const sum = (parts: Code[]): Code => parts.reduce((left, right) => i64.xor(left, right));
  const block: Code[] = [
    setLocal(crc, i64.xor(getLocal(crc), i64.load(getLocal(at), 0))),
    setLocal(low, i64.low(getLocal(crc))),
    setLocal(high, i64.low(i64.shiftRight(getLocal(crc), 32))),
    setLocal(crc, sum(eight(15))),
    setLocal(low, i32.load(getLocal(at), 8)),
    setLocal(high, i32.load(getLocal(at), 12)),
    setLocal(crc, i64.xor(sum(eight(7)), getLocal(crc))),
    setLocal(at, i32.add(getLocal(at), i32.const(16))),
    setLocal(count, i32.subtract(getLocal(count), i32.const(1))),
  ];
  return encodeModule([
    {
      name: 'crc64',
      parameters: 1,
      locals: [
        [3, I32],
        [1, I64],
      ],
      body: [
        setLocal(at, i32.const(CRC64_LAYOUT.data)),
        setLocal(crc, i64.load(origin, CRC64_LAYOUT.state)),
        doWhile(block, getLocal(count)),
        i64.store(origin, CRC64_LAYOUT.state, getLocal(crc)),
      ],
    },
  ]);
}
