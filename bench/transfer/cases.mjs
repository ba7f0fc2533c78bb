// What is fetched. Sizes in bytes; `smoke` stands for a try of the benchmark itself.
import { again, million } from './second-run.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

const equal = (count, size) => [Array.from({ length: count }, () => size)];
const halves = (smoke) => equal(smoke ? 40 : 2000, 512 * KIB);
const OURS = ['carrel', 'carrel-gcs', 'carrel-crc', 'carrel-size'];
const FEW = ['carrel', 'carrel-crc', 'carrel-size'];
const MAIN = ['s5cmd', 's5cmd-gcs', 'rclone', 'aws', 'manager', 'obstore'];
const FAST = ['s5cmd', 's5cmd-gcs', 'rclone'];

/** Sizes like those of a mixed cohort: most files of some hundred KiB, a few of many MiB. */
function mixed(smoke) {
  let state = 20261121;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  const size = () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return Math.round(Math.min(64 * MIB, Math.max(KIB, 300 * KIB * Math.exp(1.3 * normal))));
  };
  return Array.from({ length: smoke ? 3 : 20 }, () => Array.from({ length: smoke ? 9 : 75 }, size));
}

const line = (rttMs) => ({
  title: `2,000 × 0.5 MiB over TLS to memory, round trip ${rttMs} ms`,
  series: halves,
  secure: true,
  rttMs,
  ours: FEW,
  peers: FAST,
});

/**
 * By name: either a set of files (`series`), how it is served (`secure`: TLS; `rttMs`: from afar), where it goes (`disk`, or
 * memory) and who takes part; or `run`, for a case that is more than one process.
 */
export const CASES = {
  tls: {
    title: '2,000 × 0.5 MiB over TLS to memory',
    series: halves,
    secure: true,
    ours: OURS,
    peers: MAIN,
  },
  ext4: {
    title: '2,000 × 0.5 MiB over HTTP to the disk',
    series: halves,
    secure: false,
    disk: true,
    ours: ['carrel', 'carrel-unflushed', 'carrel-crc', 'carrel-size'],
    peers: ['s5cmd', 'rclone'],
  },
  rtt25: line(25),
  rtt80: line(80),
  small: {
    title: '20,000 × 16 KiB over TLS to memory',
    series: (smoke) => equal(smoke ? 200 : 20_000, 16 * KIB),
    secure: true,
    ours: FEW,
    peers: FAST,
  },
  mix: {
    title: '1,500 files of 20 series, sizes log-normal (median 300 KiB), a manifest, over TLS to memory',
    series: mixed,
    secure: true,
    ours: ['carrel', 'carrel-size'],
    peers: ['s5cmd', 'rclone'],
  },
  large: {
    title: '4 × 512 MiB over TLS to memory',
    series: (smoke) => equal(4, (smoke ? 16 : 512) * MIB),
    secure: true,
    ours: FEW,
    peers: FAST,
  },
  huge: {
    title: '1 × 4 GiB over TLS to memory',
    series: (smoke) => equal(1, (smoke ? 64 : 4096) * MIB),
    secure: true,
    ours: FEW,
    peers: ['s5cmd', 'rclone'],
  },
  connections: {
    title: 'connections for 4,000 × 0.5 MiB over TLS',
    series: (smoke) => equal(smoke ? 200 : 4000, 512 * KIB),
    secure: true,
    ours: ['carrel', 'carrel-crc'],
    peers: FAST,
  },
  again: { title: 'once more where everything is here: 100,000 × 1 KiB', run: again },
  million: { title: 'a plan of 1,000,000 files, nothing fetched', run: million },
};
