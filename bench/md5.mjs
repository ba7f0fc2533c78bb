// MD5 in lanes beside node:crypto, in one process, in turn (A B C A B C …). Figures are per second of processor time,
// which a busy machine disturbs less than wall time. Every digest is compared. Build first: npm run build.
import { createHash, randomFillSync } from 'node:crypto';
import { createMd5Lanes } from '../dist/transfer/digests/md5/md5-lanes.js';

const ROUNDS = 5;
const CHUNK = 64 << 10;
/** Bodies under way at once, as a client with so many connections has them. */
const OPEN = 16;

const pool = Buffer.alloc(256 << 20);
randomFillSync(pool);

/** Bodies as views of the pool, at places that differ. */
function bodies(count, size) {
  return Array.from({ length: count }, (_, index) => {
    const at = (index * 524_309) % (pool.length - size);
    return pool.subarray(at, at + size);
  });
}

function withNode(list) {
  return list.map((body) => {
    const hash = createHash('md5');
    for (let at = 0; at < body.length; at += CHUNK) hash.update(body.subarray(at, at + CHUNK));
    return hash.digest('hex');
  });
}

/** Chunks of `OPEN` bodies in turn, as they come from sockets. */
async function withChunks(lanes, list, open = OPEN) {
  const digests = [];
  const under = [];
  let next = 0;
  const begin = () => {
    if (next < list.length) under.push({ index: next, body: list[next], at: 0, stream: lanes.open() });
    next += 1;
  };
  for (let count = 0; count < open; count += 1) begin();
  while (under.length > 0) {
    for (let place = 0; place < under.length; place += 1) {
      const { index, body, at, stream } = under[place];
      stream.update(body.subarray(at, at + CHUNK));
      under[place].at += CHUNK;
      if (under[place].at < body.length) continue;
      digests[index] = stream.digest();
      under.splice(place, 1);
      place -= 1;
      begin();
    }
  }
  return Promise.all(digests);
}

/** Bodies that came straight into slabs; `fill` is what the socket would do. */
async function withSlabs(lanes, list, fill) {
  const digests = [];
  for (const body of list) {
    let slab = lanes.allocate(body.length);
    if (slab === undefined) {
      lanes.flush();
      slab = lanes.allocate(body.length);
    }
    fill(slab, body);
    const stream = lanes.open();
    stream.updateSlab(slab, body.length);
    digests.push(stream.digest());
    slab.release();
  }
  return Promise.all(digests);
}

/** Bodies that stand in slabs before the clock starts: `inSlabs` of them, again and again. */
function inPlace(lanes, list, inSlabs) {
  const size = list[0].length;
  let digests = [];
  const fresh = (from) =>
    list.slice(from, from + inSlabs).map((body) => {
      const slab = lanes.allocate(size);
      slab.view.set(body);
      return slab;
    });
  return {
    batches: Math.ceil(list.length / inSlabs),
    prepare: (batch) => fresh(batch * inSlabs),
    run(slabs) {
      for (const slab of slabs) {
        const stream = lanes.open();
        stream.updateSlab(slab, size);
        digests.push(stream.digest());
        slab.release();
      }
      lanes.flush();
    },
    async end() {
      const all = await Promise.all(digests);
      digests = [];
      return all;
    },
  };
}

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function timed(work) {
  const start = seconds();
  const digests = await work();
  return { cpu: seconds() - start, digests };
}

async function timedInPlace(lanes, list, inSlabs) {
  const machine = inPlace(lanes, list, inSlabs);
  let cpu = 0;
  for (let batch = 0; batch < machine.batches; batch += 1) {
    const slabs = machine.prepare(batch);
    const start = seconds();
    machine.run(slabs);
    cpu += seconds() - start;
  }
  return { cpu, digests: await machine.end() };
}

const copy = (slab, body) => slab.view.set(body);
const lanes = createMd5Lanes();
console.log(`vectors: ${lanes.simd}`);

const small = bodies(2000, 512 << 10);
const tiny = bodies(20_000, 16 << 10);
const large = bodies(4, 64 << 20);
const single = bodies(1, 128 << 20);
const suites = [
  {
    name: '2,000 bodies of 512 KiB',
    list: small,
    cases: {
      'node:crypto': () => timed(async () => withNode(small)),
      'chunks of 64 KiB, 16 bodies at once': () => timed(() => withChunks(lanes, small)),
      'slabs, with the copy into them': () => timed(() => withSlabs(lanes, small, copy)),
      'slabs, filled before': () => timedInPlace(lanes, small, 40),
    },
  },
  {
    name: '20,000 bodies of 16 KiB',
    list: tiny,
    cases: {
      'node:crypto': () => timed(async () => withNode(tiny)),
      'chunks, 16 bodies at once': () => timed(() => withChunks(lanes, tiny)),
      'slabs, with the copy into them': () => timed(() => withSlabs(lanes, tiny, copy)),
      'slabs, filled before': () => timedInPlace(lanes, tiny, 1000),
    },
  },
  {
    name: '4 bodies of 64 MiB',
    list: large,
    cases: {
      'node:crypto': () => timed(async () => withNode(large)),
      'chunks of 64 KiB, 4 bodies at once': () => timed(() => withChunks(lanes, large)),
    },
  },
  {
    name: '1 body of 128 MiB',
    list: single,
    cases: {
      'node:crypto': () => timed(async () => withNode(single)),
      'chunks of 64 KiB': () => timed(() => withChunks(lanes, single)),
    },
  },
];

for (const { name, list, cases } of suites) {
  const gigabytes = list.reduce((sum, body) => sum + body.length, 0) / 1e9;
  const expected = withNode(list).join();
  const rates = Object.fromEntries(Object.keys(cases).map((label) => [label, []]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [label, work] of Object.entries(cases)) {
      const { cpu, digests } = await work();
      if (digests.join() !== expected) throw new Error(`${name}, ${label}: wrong digests`);
      if (round >= 0) rates[label].push(gigabytes / cpu);
    }
  }
  console.log(`\n${name}`);
  const base = rates['node:crypto'];
  for (const [label, values] of Object.entries(rates)) {
    const ratios = values.map((value, round) => value / base[round]);
    console.log(
      `  ${label.padEnd(38)} ${median(values).toFixed(2)} GB per s   ${median(ratios).toFixed(2)} ×  (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
    );
  }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
