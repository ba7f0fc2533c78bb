/** The kernels with their memory: any streams can be put together per call, a lane belongs to nobody. */
import { constantsTable, emitKernels, LAYOUT, type Width } from './kernel.ts';

/** Memory of a module. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** What of WebAssembly is used; the typings of Node 20 have none of it. */
interface WasmApi {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}

const WASM_PAGE = 65_536;

/** A state between blocks, as in RFC 1321: a, b, c, d. */
export type Md5State = number[];

/** The state before the first block. */
export function firstState(): Md5State {
  return [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
}

/** Kernels over a fixed memory. */
export interface Md5Machine {
  /** All of the memory. Never grows, so views of it stay valid. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** First byte that the machine does not need for itself. */
  readonly free: number;
  /**
   * Goes on by `blocks` blocks of 64 bytes (at least 1) in one to eight lanes.
   *
   * @param states changed in place
   * @param data where each lane's next block stands in the memory
   */
  run(states: readonly Md5State[], data: readonly number[], blocks: number): void;
}

/** WebAssembly, or undefined where there is none (`--jitless`). */
export function wasmApi(): WasmApi | undefined {
  return (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
}

/**
 * A memory of fixed size; undefined where the machine does not give it. V8 reserves some 10 GB of addresses for each,
 * which `ulimit -v`, as clusters set it, may refuse.
 */
export function takeMemory(wasm: WasmApi, bytes: number): WasmMemory | undefined {
  const pages = Math.ceil(bytes / WASM_PAGE);
  try {
    return new wasm.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

/** True where the kernels can run: WebAssembly with 128-bit vectors on a processor that V8 has instructions for. */
export function hasSimd(): boolean {
  return compiled() !== undefined;
}

let code: Uint8Array<ArrayBuffer> | undefined;
let kernels: object | false | undefined;

/** The kernels as bytes, emitted at first use: 20 ms of a processor, for the emitter runs once and never gets warm. */
export function kernelCode(): Uint8Array<ArrayBuffer> {
  code ??= emitKernels();
  return code;
}

/** Takes what `kernelCode` gave in another thread, so that this one need not emit it again. */
export function takeKernelCode(emitted: Uint8Array<ArrayBuffer>): void {
  code ??= emitted;
}

/** The kernels of this thread, made at first use; undefined where they cannot run. */
function compiled(): object | undefined {
  kernels ??= compile(kernelCode()) ?? false;
  return kernels === false ? undefined : kernels;
}

function compile(code: Uint8Array): object | undefined {
  const wasm = wasmApi();
  return wasm?.validate(code) === true ? new wasm.Module(code) : undefined;
}

/**
 * Makes a machine; undefined where there is no SIMD, or no memory for it.
 *
 * @param options.bytes size of the memory, rounded up to 64 KiB
 * @param options.sines constants of the steps; others than MD5's give another hash (for tests of the tests)
 */
export function createMd5Machine(options: {
  bytes: number;
  sines?: readonly number[] | undefined;
}): Md5Machine | undefined {
  const wasm = wasmApi();
  const module = options.sines === undefined ? compiled() : compile(emitKernels(options.sines));
  if (wasm === undefined || module === undefined) return undefined;
  const shared = takeMemory(wasm, options.bytes);
  if (shared === undefined) return undefined;
  const { exports } = new wasm.Instance(module, { env: { memory: shared } });
  const kernel = (width: Width) => exports[`md5x${width}`] as (blocks: number) => void;
  const [one, four, eight] = [kernel(1), kernel(4), kernel(8)];
  const memory = new Uint8Array(shared.buffer);
  // WebAssembly's memory is little-endian on every machine.
  const view = new DataView(shared.buffer);
  constantsTable(options.sines).forEach((value, index) => {
    view.setInt32(LAYOUT.sines + 4 * index, value, true);
  });
  return {
    memory,
    free: LAYOUT.free,
    run(states, data, blocks) {
      const used = states.length;
      const width: Width = used === 1 ? 1 : used <= 4 ? 4 : 8;
      for (let lane = 0; lane < width; lane += 1) {
        // Empty lanes hash what the first one does, and nobody looks.
        view.setInt32(LAYOUT.data + 4 * lane, data[lane < used ? lane : 0] ?? 0, true);
        const state = states[lane];
        if (state === undefined) continue;
        for (let word = 0; word < 4; word += 1)
          view.setInt32(LAYOUT.states + 32 * word + 4 * lane, state[word] ?? 0, true);
      }
      (width === 1 ? one : width === 4 ? four : eight)(blocks);
      for (let lane = 0; lane < used; lane += 1) {
        const state = states[lane] ?? [];
        for (let word = 0; word < 4; word += 1)
          state[word] = view.getInt32(LAYOUT.states + 32 * word + 4 * lane, true);
      }
    },
  };
}
