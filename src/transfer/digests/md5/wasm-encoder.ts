/**
 * Just enough of the WebAssembly binary format to write modules of plain functions over one memory (WebAssembly Core
 * Specification 2.0, chapter 5). Instructions are expressions: a function takes the code of its operands and gives the
 * code that leaves its result on the stack.
 */

/** Code: bytes of instructions, nested as they were put together. Flattened once, at the end. */
export type Code = readonly (number | Code)[];

/** Types of values, by their byte. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/** A function: parameters of type i32, no results, locals in runs of one type. */
export interface WasmFunction {
  name: string;
  parameters: number;
  /** `[count, type]`; they are numbered after the parameters, in this order. */
  locals: readonly (readonly [number, number])[];
  body: Code;
}

/** Small numbers are asked for thousands of times. */
const known: (readonly number[])[] = [];

/** An unsigned number in LEB128. */
export function unsigned(value: number): readonly number[] {
  const before = known[value];
  if (before !== undefined) return before;
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  if (value < 4096) known[value] = bytes;
  return bytes;
}

/** A 32-bit number in signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 127;
    if (rest >> 7 === (low & 64 ? -1 : 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

/** `\0asm` and version 1. */
const MAGIC: Code = [...Buffer.from('\0asm\u0001\0\0\0', 'latin1')];

const simd = (code: number): readonly number[] => [0xfd, ...unsigned(code)];
const [LOAD, STORE, SHUFFLE] = [simd(0x00), simd(0x0b), simd(0x0d)];
/** Alignment is a promise to the engine, not a demand: 0 promises nothing. */
const memory = (offset: number): Code => [0, unsigned(offset)];
const binary = (code: readonly number[]) => (left: Code, right: Code) => [left, right, code];
const shift = (code: readonly number[]) => (value: Code, bits: number) => [value, i32.const(bits), code];

export const getLocal = (index: number): Code => [0x20, unsigned(index)];
export const setLocal = (index: number, value: Code): Code => [value, 0x21, unsigned(index)];

/** `do { body } while (condition)`. */
export const doWhile = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  load: (address: Code, offset: number): Code => [address, 0x28, memory(offset)],
  store: (address: Code, offset: number, value: Code): Code => [address, value, 0x36, memory(offset)],
  add: binary([0x6a]),
  subtract: binary([0x6b]),
  and: binary([0x71]),
  or: binary([0x72]),
  xor: binary([0x73]),
  shiftLeft: shift([0x74]),
  shiftRight: shift([0x76]),
  rotateLeft: shift([0x77]),
};

export const i64 = {
  load: (address: Code, offset: number): Code => [address, 0x29, memory(offset)],
  store: (address: Code, offset: number, value: Code): Code => [address, value, 0x37, memory(offset)],
  xor: binary([0x85]),
  shiftRight: (value: Code, bits: number): Code => [value, 0x42, signed(bits), 0x88],
  /** The lower half, as an i32. */
  low: (value: Code): Code => [value, 0xa7],
};

/** Four lanes of 32 bits. */
export const i32x4 = {
  load: (address: Code, offset: number): Code => [address, LOAD, memory(offset)],
  store: (address: Code, offset: number, value: Code): Code => [address, value, STORE, memory(offset)],
  add: binary(simd(0xae)),
  subtract: binary(simd(0xb1)),
  and: binary(simd(0x4e)),
  /** `left & ~right`. */
  andNot: binary(simd(0x4f)),
  or: binary(simd(0x50)),
  xor: binary(simd(0x51)),
  shiftLeft: shift(simd(0xab)),
  shiftRight: shift(simd(0xad)),
  /** Bytes 0–15 are those of `left`, 16–31 those of `right`. */
  shuffle: (left: Code, right: Code, bytes: readonly number[]): Code => [left, right, SHUFFLE, bytes],
};

/** A module that imports `env.memory`, of any size, and exports its functions. */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    vector(Array.from({ length: parameters }, () => [I32])),
    0,
  ]);
  const code = functions.map(({ locals, body }) =>
    sized([vector(locals.map(([count, type]) => [unsigned(count), type])), body, 0x0b]),
  );
  return bytesOf([
    MAGIC,
    section(1, vector(types)),
    section(2, vector([[text('env'), text('memory'), 2, 0, 1]])),
    section(3, vector(functions.map((_, index) => unsigned(index)))),
    section(7, vector(functions.map(({ name }, index) => [text(name), 0, unsigned(index)]))),
    section(10, vector(code)),
  ]);
}

const sized = (code: Code): Code => [unsigned(lengthOf(code)), code];
const section = (id: number, content: Code): Code => [id, sized(content)];
const vector = (items: readonly Code[]): Code => [unsigned(items.length), items];
const text = (name: string): Code => sized([...Buffer.from(name)]);

function lengthOf(code: Code): number {
  let length = 0;
  for (const part of code) length += typeof part === 'number' ? 1 : lengthOf(part);
  return length;
}

/** Flat at last. Lists that are put together from lists on the way here would cost tens of milliseconds. */
function bytesOf(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(code));
  let at = 0;
  const write = (parts: Code) => {
    for (const part of parts) {
      if (typeof part !== 'number') write(part);
      else {
        bytes[at] = part;
        at += 1;
      }
    }
  };
  write(code);
  return bytes;
}
