import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCrc64Nvme } from '../../src/transfer/digests/crc64nvme.ts';
import { createArena, footprint } from '../../src/transfer/digests/md5/arena.ts';
import { SINES } from '../../src/transfer/digests/md5/kernel.ts';
import {
  createMd5Machine,
  firstState,
  hasSimd,
  type Md5Machine,
} from '../../src/transfer/digests/md5/machine.ts';
import { createSimdLanes } from '../../src/transfer/digests/md5/simd-lanes.ts';
import { unsigned } from '../../src/transfer/digests/md5/wasm-encoder.ts';

function machineOf(sines?: readonly number[], bytes = 2 << 20): Md5Machine {
  const machine = createMd5Machine({ bytes, sines });
  if (machine === undefined) throw new Error('no SIMD on this machine');
  return machine;
}

/** Digests of `count` bodies of 100 bytes, through the whole of the lanes. */
async function digestsBy(machine: Md5Machine, count: number): Promise<string[]> {
  const lanes = createSimdLanes(machine);
  const streams = Array.from({ length: count }, (_, index) => {
    const stream = lanes.open();
    stream.update(Buffer.alloc(100, index));
    return stream;
  });
  const digests = Promise.all(streams.map((stream) => stream.digest()));
  lanes.flush();
  return digests;
}
const expected = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    createHash('md5').update(Buffer.alloc(100, index)).digest('hex'),
  );

describe('the kernels', () => {
  test('the constants are those of RFC 1321, section 3.4', () => {
    expect(SINES.slice(0, 4)).toEqual([0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee]);
    expect(SINES.slice(60)).toEqual([0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%d lanes: every lane has its own digest', async (count) => {
    expect(await digestsBy(machineOf(), count)).toEqual(expected(count));
  });

  test.each(Array.from({ length: 64 }, (_, step) => step))(
    'a wrong constant in step %d shows in every lane',
    async (step) => {
      const wrong = SINES.map((value, index) => (index === step ? (value ^ 1) >>> 0 : value));
      const machine = machineOf(wrong);
      for (const count of [1, 4, 8]) {
        const right = expected(count);
        for (const [lane, digest] of (await digestsBy(machine, count)).entries())
          expect(digest).not.toBe(right[lane]);
      }
    },
  );

  test('one state over several calls is one over a single call', () => {
    const machine = machineOf();
    machine.memory.set(Buffer.alloc(640, 'blocks'), machine.free);
    const [once, often] = [firstState(), firstState()];
    machine.run([once], [machine.free], 10);
    for (let block = 0; block < 10; block += 1)
      machine.run(
        [often, firstState(), firstState()],
        [machine.free + 64 * block, machine.free, machine.free],
        1,
      );
    expect(often).toEqual(once);
  });
});

describe('the machine', () => {
  test('has vectors here', () => {
    expect(hasSimd()).toBe(true);
  });

  /** What a program prints that hashes "abc" both ways, started by a shell with these words before `node`. */
  function printed(before: string, ...flags: string[]): string {
    const program =
      "import { createMd5Lanes } from './src/transfer/digests/md5/md5-lanes.ts';" +
      "import { createCrc64Nvme } from './src/transfer/digests/crc64nvme.ts';" +
      'const lanes = createMd5Lanes(); const stream = lanes.open(); stream.update(Buffer.from("abc"));' +
      'const crc = createCrc64Nvme(); crc.update(Buffer.from("123456789".repeat(100)));' +
      'stream.digest().then((digest) => console.log(lanes.simd, digest, crc.digest()));';
    const node = [process.execPath, ...flags, '--import', 'tsx', '--input-type=module', '-e', program];
    return execFileSync('sh', ['-c', `${before} exec "$@"`, 'sh', ...node], { encoding: 'utf8' }).trim();
  }
  const crc = createCrc64Nvme({ implementation: 'javascript' });
  crc.update(Buffer.from('123456789'.repeat(100)));
  const right = `900150983cd24fb0d6963f7d28e17f72 ${crc.digest()}`;
  const isPosix = process.platform !== 'win32';

  test.skipIf(!isPosix)('works in a process of its own', () => {
    expect(printed('')).toBe(`true ${right}`);
  });

  test.skipIf(!isPosix)('without WebAssembly, node:crypto does the work', () => {
    expect(printed('', '--jitless')).toBe(`false ${right}`);
  });

  test.skipIf(!isPosix || process.arch !== 'x64')('without vector instructions too', () => {
    expect(printed('', '--no-enable-ssse3', '--no-enable-sse4-1')).toBe(`false ${right}`);
  });

  test('and where the machine gives no memory, as under the `ulimit -v` of clusters', async () => {
    const { WebAssembly: real } = globalThis as unknown as {
      WebAssembly: { Module: unknown; Instance: unknown };
    };
    const refused = { calls: 0 };
    vi.stubGlobal('WebAssembly', {
      validate: () => true,
      Module: real.Module,
      Instance: real.Instance,
      Memory: class {
        constructor() {
          refused.calls += 1;
          throw new RangeError('could not allocate memory');
        }
      },
    });
    vi.resetModules();
    onTestFinished(() => void vi.unstubAllGlobals());
    const { createMd5Lanes } = await import('../../src/transfer/digests/md5/md5-lanes.ts');
    const { createCrc64Nvme: create } = await import('../../src/transfer/digests/crc64nvme.ts');
    const lanes = createMd5Lanes();
    expect(lanes.simd).toBe(false);
    const crc = create();
    crc.update(Buffer.alloc(1000));
    const expected = createCrc64Nvme({ implementation: 'javascript' });
    expected.update(Buffer.alloc(1000));
    expect(crc.digest()).toBe(expected.digest());
    expect(refused.calls).toBe(2);
  });
});

describe('when bytes are hashed', () => {
  /** Lanes that note how many streams each call took. */
  function observed(options: Parameters<typeof createSimdLanes>[1], bytes?: number) {
    const machine = machineOf(undefined, bytes);
    const calls: { lanes: number; blocks: number }[] = [];
    const lanes = createSimdLanes(
      {
        ...machine,
        run(states, data, blocks) {
          calls.push({ lanes: states.length, blocks });
          machine.run(states, data, blocks);
        },
      },
      options,
    );
    return { lanes, calls };
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const never = 1 << 30;

  test('eight ended streams go at once, without any turn of the event loop', () => {
    const { lanes, calls } = observed({ waitMs: never });
    for (let index = 0; index < 8; index += 1) void lanes.open().digest();
    expect(calls).toEqual([{ lanes: 8, blocks: 1 }]);
  });

  test('fewer go in the next turn where nothing else is under way', async () => {
    const { lanes, calls } = observed({ waitMs: never });
    const digests = [lanes.open(), lanes.open(), lanes.open()].map((stream) => stream.digest());
    expect(calls).toEqual([]);
    await Promise.all(digests);
    expect(calls).toEqual([{ lanes: 3, blocks: 1 }]);
  });

  test('while another stream is open or a slab is being filled, they wait for it', async () => {
    const { lanes, calls } = observed({ waitMs: never });
    const other = lanes.open();
    const slab = lanes.allocate(100);
    const digest = lanes.open().digest();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(calls).toEqual([]);
    other.abandon();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(calls).toEqual([]);
    slab?.release();
    await digest;
    expect(calls).toEqual([{ lanes: 1, blocks: 1 }]);
  });

  test('but not for ever', async () => {
    const { lanes, calls } = observed({ waitMs: 1 });
    lanes.open();
    await lanes.open().digest();
    expect(calls).toEqual([{ lanes: 1, blocks: 1 }]);
  });

  test('flush does not wait at all', async () => {
    const { lanes, calls } = observed({ waitMs: never });
    lanes.open().update(Buffer.alloc(10));
    const digest = lanes.open().digest();
    lanes.flush();
    expect(calls).toEqual([{ lanes: 1, blocks: 1 }]);
    await digest;
  });

  test('full pages of all open streams go together', () => {
    const { lanes, calls } = observed({ waitMs: never, pageBytes: 640 });
    const streams = [lanes.open(), lanes.open(), lanes.open()];
    for (let round = 0; round < 4; round += 1) for (const stream of streams) stream.update(Buffer.alloc(640));
    expect(calls).toEqual(Array.from({ length: 4 }, () => ({ lanes: 3, blocks: 10 })));
  });

  test('a stream whose padding needs the page of its own last bytes is not finished before it is padded', async () => {
    const { lanes } = observed({ waitMs: never, pageBytes: 32_768 });
    // The least memory has 23 pages.
    const others = Array.from({ length: 22 }, () => lanes.open());
    for (const other of others) other.update(Buffer.alloc(10));
    const body = Buffer.alloc(32_768, 'full');
    const stream = lanes.open();
    stream.update(body);
    const digest = stream.digest();
    lanes.flush();
    expect(await digest).toBe(createHash('md5').update(body).digest('hex'));
    for (const other of others) other.abandon();
  });

  test('a stream that brings nothing holds the others up until the pages are used up, and what one has more waits', () => {
    const { lanes, calls } = observed({ waitMs: never, pageBytes: 32_768 });
    lanes.open();
    // The least memory has 23 pages.
    lanes.open().update(Buffer.alloc(21 * 32_768));
    expect(calls).toEqual([]);
    lanes.open().update(Buffer.alloc(3 * 32_768));
    expect(calls).toEqual([
      { lanes: 2, blocks: 512 },
      { lanes: 2, blocks: 512 },
    ]);
  });

  test('nor are the lanes left empty while others are expected', async () => {
    let expected = 4;
    const { lanes, calls } = observed({ waitMs: never, expected: () => expected });
    const digests = [1, 2].map((size) => {
      const stream = lanes.open();
      stream.update(Buffer.alloc(size));
      return stream.digest();
    });
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(calls).toEqual([]);
    expected = 3;
    digests.push(lanes.open().digest());
    await Promise.all(digests);
    expect(calls).toEqual([{ lanes: 3, blocks: 1 }]);
  });

  test('a slab is hashed as it is filled, with those of others', () => {
    const { lanes, calls } = observed({ waitMs: never, expected: () => 99, pageBytes: 640 });
    const bodies = Array.from({ length: 8 }, () => ({ stream: lanes.open(), slab: lanes.allocate(2000) }));
    const fill = (length: number) => {
      for (const { stream, slab } of bodies) if (slab !== undefined) stream.updateSlab(slab, length);
    };
    fill(639);
    expect(calls).toEqual([]);
    fill(700);
    expect(calls).toEqual([{ lanes: 8, blocks: 10 }]);
    fill(2000);
    expect(calls.slice(1)).toEqual([{ lanes: 8, blocks: 21 }]);
    for (const { stream } of bodies) stream.abandon();
    for (const { slab } of bodies) slab?.release();
  });

  test('a stream that has brought much more than the others is told to wait for them', async () => {
    const { lanes, calls } = observed({ waitMs: never, expected: () => 2, pageBytes: 64 });
    const [fast, slow] = [lanes.open(), lanes.open()];
    fast.update(Buffer.alloc(64 * 159));
    expect(fast.behind()).toBeUndefined();
    fast.update(Buffer.alloc(64));
    const behind = fast.behind();
    expect(behind).toBeInstanceOf(Promise);
    expect(calls).toEqual([]);
    slow.update(Buffer.alloc(64 * 160));
    await behind;
    expect(calls).toEqual(Array.from({ length: 160 }, () => ({ lanes: 2, blocks: 1 })));
    expect(fast.behind()).toBeUndefined();
    fast.update(Buffer.alloc(64 * 160));
    const given = fast.behind();
    fast.abandon();
    await given; // whoever waits for a stream that is given up goes on
    slow.abandon();
  });

  test('but not for ever: it goes on alone', async () => {
    const { lanes, calls } = observed({ waitMs: 1, expected: () => 2, pageBytes: 64 });
    const fast = lanes.open();
    fast.update(Buffer.alloc(64 * 200));
    await fast.behind();
    expect(calls).toHaveLength(200);
    expect(calls[0]).toEqual({ lanes: 1, blocks: 1 });
    fast.abandon();
  });

  test('who has waited is served, with the others for company, who stay', async () => {
    const { lanes, calls } = observed({ waitMs: 10, expected: () => 99, pageBytes: 640 });
    const long = lanes.open();
    long.update(Buffer.alloc(6400));
    const short = lanes.open();
    short.update(Buffer.alloc(64));
    await short.digest();
    expect(calls).toEqual([{ lanes: 2, blocks: 2 }]);
    long.abandon();
  });

  test('bodies of very different sizes fill the lanes nearly all the time', async () => {
    const { lanes, calls } = observed({ waitMs: never });
    const sizes = Array.from({ length: 200 }, (_, index) => 64 * (1 + ((index * 7919) % 500)));
    const digests = sizes.map((size) => {
      const stream = lanes.open();
      stream.update(Buffer.alloc(size));
      return stream.digest();
    });
    await Promise.all(digests);
    const used = calls.reduce((sum, call) => sum + call.lanes * call.blocks, 0);
    const offered = calls.reduce((sum, call) => sum + 8 * call.blocks, 0);
    expect(used).toBe(sizes.reduce((sum, size) => sum + size / 64 + 1, 0));
    expect(used / offered).toBeGreaterThan(0.95);
  });
});

describe('the arena', () => {
  test('pieces never overlap, and all of it comes back', () => {
    const sizes = fc.array(fc.record({ size: fc.nat(5000), release: fc.nat(20) }), { maxLength: 80 });
    fc.assert(
      fc.property(sizes, (steps) => {
        const arena = createArena(100, 64_000);
        const held: { at: number; size: number }[] = [];
        for (const { size, release } of steps) {
          const at = arena.take(size);
          if (at !== undefined) {
            expect(at % 64).toBe(0);
            expect(at).toBeGreaterThanOrEqual(100);
            expect(at + size).toBeLessThanOrEqual(64_000);
            for (const other of held)
              expect(at + footprint(size) <= other.at || other.at + footprint(other.size) <= at).toBe(true);
            held.push({ at, size });
          }
          const [gone] = held.splice(release, 1);
          if (gone !== undefined) arena.give(gone.at, gone.size);
        }
        for (const { at, size } of held) arena.give(at, size);
        expect(arena.take(63_000)).toBe(128);
      }),
    );
  });

  test('pieces of one size do not begin a power of two apart', () => {
    for (const bytes of [64, 4096, 65_536, 524_288]) expect((footprint(bytes) / 64) % 2).toBe(1);
  });
});

test.each([
  [0, [0]],
  [127, [127]],
  [128, [128, 1]],
  [624_485, [0xe5, 0x8e, 0x26]],
  [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
])('%d in LEB128', (value, bytes) => {
  expect(unsigned(value)).toEqual(bytes);
});
