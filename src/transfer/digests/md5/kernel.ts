/**
 * The compression function of MD5 (RFC 1321, section 3.4) as WebAssembly, for one, four and eight streams at once.
 *
 * One MD5 is a chain of dependent steps that leaves most of a core idle. The steps of up to eight independent streams
 * stand side by side here: four in the lanes of each vector, two vectors in turn, step by step. Twelve lanes need more
 * vector registers than x64 has, and are slower.
 */
import {
  type Code,
  doWhile,
  encodeModule,
  getLocal,
  I32,
  i32,
  i32x4,
  setLocal,
  V128,
} from './wasm-encoder.ts';

/** Streams that a kernel can take. */
export type Width = 1 | 4 | 8;

/** Additive constants of the 64 steps: floor(2³² · |sin(i + 1)|). */
export const SINES: readonly number[] = Array.from({ length: 64 }, (_, index) =>
  Math.floor(2 ** 32 * Math.abs(Math.sin(index + 1))),
);

/** Rotations of each round, in turn. */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** Where things stand in the memory; everything from `FREE` on is the caller's. */
export const LAYOUT = {
  /** 64 constants, each four times. */
  sines: 0,
  /** The words of the present block, transposed: word by word, eight lanes each. */
  words: 1024,
  /** States: four words, eight lanes each. */
  states: 1536,
  /** Addresses of the data of eight lanes. */
  data: 1664,
  free: 1728,
} as const;

/** The constants as they must stand at `LAYOUT.sines`: round 4 subtracts the complement, and so takes one less. */
export function constantsTable(sines: readonly number[] = SINES): Int32Array {
  return Int32Array.from(
    { length: 256 },
    (_, index) => ((sines[index >> 2] ?? 0) - (index >= 192 ? 1 : 0)) | 0,
  );
}

/**
 * The module: imports `env.memory`, exports `md5x1`, `md5x4` and `md5x8`, each with one parameter, the number of blocks
 * (at least 1) that every lane goes on by.
 */
export function emitKernels(sines: readonly number[] = SINES): Uint8Array<ArrayBuffer> {
  return encodeModule([scalarKernel(sines), wideKernel(4), wideKernel(8)]);
}

/** Index of the word that a step takes. */
function wordOf(step: number): number {
  if (step < 16) return step;
  if (step < 32) return (5 * step + 1) & 15;
  if (step < 48) return (3 * step + 5) & 15;
  return (7 * step) & 15;
}

function rotationOf(step: number): number {
  return ROTATIONS[(step >> 4) as 0 | 1 | 2 | 3][(step & 3) as 0 | 1 | 2 | 3];
}

/** Which locals hold a, b, c and d in a step: they change places instead of values. */
function rolesOf(step: number, first: number): [number, number, number, number] {
  const at = (role: number) => first + ((role + 64 - step) & 3);
  return [at(0), at(1), at(2), at(3)];
}

type Arithmetic = Pick<typeof i32, 'add' | 'subtract' | 'and' | 'xor'>;

/**
 * `sum` with the round's function of b, c and d added. b comes out of the step before and is waited for, so each form
 * leaves as little as possible to do after it.
 */
function addRound(
  { add, subtract, and, xor }: Arithmetic,
  andNot: (left: Code, right: Code) => Code,
  step: number,
  sum: Code,
  [b, c, d]: [Code, Code, Code],
): Code {
  if (step < 16) return add(sum, xor(and(xor(c, d), b), d));
  if (step < 32) return add(add(sum, andNot(c, d)), and(b, d));
  if (step < 48) return add(sum, xor(xor(c, d), b));
  // c ^ (b | ~d) is the complement of (c ^ d) ^ (b & d), and ~x = -x - 1: the table holds the 1.
  return subtract(sum, xor(xor(c, d), and(b, d)));
}

const ORIGIN = i32.const(0);

/** Four or eight lanes: one or two groups of four, interleaved step by step. */
function wideKernel(lanes: 4 | 8) {
  const groups = Array.from({ length: lanes / 4 }, (_, index) => index);
  const blocks = 0;
  const data = 1;
  const states = data + lanes;
  const stateOf = (group: number, word: number) => states + 4 * group + word;
  const rows = states + lanes;
  const memoryOf = (group: number, word: number) => LAYOUT.states + 32 * word + 16 * group;
  const wordAt = (group: number, word: number) => LAYOUT.words + 32 * word + 16 * group;
  const body: Code[] = [];
  for (let lane = 0; lane < lanes; lane += 1)
    body.push(setLocal(data + lane, i32.load(ORIGIN, LAYOUT.data + 4 * lane)));
  for (const group of groups)
    for (let word = 0; word < 4; word += 1)
      body.push(setLocal(stateOf(group, word), i32x4.load(ORIGIN, memoryOf(group, word))));

  const block: Code[] = [];
  for (const group of groups)
    for (let quarter = 0; quarter < 4; quarter += 1)
      block.push(transpose(data + 4 * group, 16 * quarter, rows, (row) => wordAt(group, 4 * quarter + row)));
  for (let step = 0; step < 64; step += 1) {
    for (const group of groups) {
      const [a, b, c, d] = rolesOf(step, stateOf(group, 0));
      const known = i32x4.add(
        i32x4.add(getLocal(a), i32x4.load(ORIGIN, LAYOUT.sines + 16 * step)),
        i32x4.load(ORIGIN, wordAt(group, wordOf(step))),
      );
      const sum = addRound(i32x4, i32x4.andNot, step, known, [getLocal(b), getLocal(c), getLocal(d)]);
      block.push(
        setLocal(rows, sum),
        setLocal(a, i32x4.add(rotateLanes(getLocal(rows), rotationOf(step)), getLocal(b))),
      );
    }
  }
  for (const group of groups) {
    for (let word = 0; word < 4; word += 1) {
      const local = stateOf(group, word);
      block.push(
        setLocal(local, i32x4.add(getLocal(local), i32x4.load(ORIGIN, memoryOf(group, word)))),
        i32x4.store(ORIGIN, memoryOf(group, word), getLocal(local)),
      );
    }
  }
  for (let lane = 0; lane < lanes; lane += 1)
    block.push(setLocal(data + lane, i32.add(getLocal(data + lane), i32.const(64))));
  block.push(setLocal(blocks, i32.subtract(getLocal(blocks), i32.const(1))));
  body.push(doWhile(block, getLocal(blocks)));
  return {
    name: `md5x${lanes}`,
    parameters: 1,
    locals: [
      [lanes, I32],
      [lanes + 8, V128],
    ] as const,
    body,
  };
}

/** Takes 16 bytes of each of four lanes and stores four vectors of one word each. Uses eight locals from `rows` on. */
function transpose(data: number, offset: number, rows: number, target: (word: number) => number): Code {
  const row = (index: number) => getLocal(rows + index);
  const low = (left: Code, right: Code) => i32x4.shuffle(left, right, byWords(0, 4, 1, 5));
  const high = (left: Code, right: Code) => i32x4.shuffle(left, right, byWords(2, 6, 3, 7));
  const front = (left: Code, right: Code) => i32x4.shuffle(left, right, byWords(0, 1, 4, 5));
  const back = (left: Code, right: Code) => i32x4.shuffle(left, right, byWords(2, 3, 6, 7));
  return [
    ...[0, 1, 2, 3].map((lane) => setLocal(rows + lane, i32x4.load(getLocal(data + lane), offset))),
    setLocal(rows + 4, low(row(0), row(1))),
    setLocal(rows + 5, high(row(0), row(1))),
    setLocal(rows + 6, low(row(2), row(3))),
    setLocal(rows + 7, high(row(2), row(3))),
    i32x4.store(ORIGIN, target(0), front(row(4), row(6))),
    i32x4.store(ORIGIN, target(1), back(row(4), row(6))),
    i32x4.store(ORIGIN, target(2), front(row(5), row(7))),
    i32x4.store(ORIGIN, target(3), back(row(5), row(7))),
  ];
}

function byWords(...words: number[]): number[] {
  return words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]);
}

/** There is no rotation of lanes; by 16 bits it is a shuffle, which costs one instruction instead of three. */
function rotateLanes(value: Code, bits: number): Code {
  if (bits === 16) return i32x4.shuffle(value, value, [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13]);
  return i32x4.or(i32x4.shiftLeft(value, bits), i32x4.shiftRight(value, 32 - bits));
}

/** One stream, on ordinary registers: for what comes alone. */
function scalarKernel(sines: readonly number[]) {
  const [blocks, data, states] = [0, 1, 2];
  const memoryOf = (word: number) => LAYOUT.states + 32 * word;
  const andNot = (left: Code, right: Code) => i32.and(left, i32.xor(right, i32.const(-1)));
  const table = constantsTable(sines);
  const block: Code[] = [];
  for (let step = 0; step < 64; step += 1) {
    const [a, b, c, d] = rolesOf(step, states);
    const known = i32.add(
      i32.add(getLocal(a), i32.const(table[4 * step] ?? 0)),
      i32.load(getLocal(data), 4 * wordOf(step)),
    );
    const sum = addRound(i32, andNot, step, known, [getLocal(b), getLocal(c), getLocal(d)]);
    block.push(setLocal(a, i32.add(i32.rotateLeft(sum, rotationOf(step)), getLocal(b))));
  }
  const words = [0, 1, 2, 3];
  for (const word of words) {
    const local = states + word;
    block.push(
      setLocal(local, i32.add(getLocal(local), i32.load(ORIGIN, memoryOf(word)))),
      i32.store(ORIGIN, memoryOf(word), getLocal(local)),
    );
  }
  block.push(
    setLocal(data, i32.add(getLocal(data), i32.const(64))),
    setLocal(blocks, i32.subtract(getLocal(blocks), i32.const(1))),
  );
  const body: Code[] = [
    setLocal(data, i32.load(ORIGIN, LAYOUT.data)),
    ...words.map((word) => setLocal(states + word, i32.load(ORIGIN, memoryOf(word)))),
    doWhile(block, getLocal(blocks)),
  ];
  return { name: 'md5x1', parameters: 1, locals: [[5, I32]] as const, body };
}
