// What is fetched. Sizes in bytes; `smoke` stands for a try of the benchmark itself.
const KIB = 1024;
const MIB = 1024 * KIB;

const equal = (count, size) => [Array.from({ length: count }, () => size)];
const halves = (smoke) => equal(smoke ? 40 : 2000, 512 * KIB);
const OURS = ['carrel', 'carrel-gcs', 'carrel-crc', 'carrel-size'];
const MAIN = ['s5cmd', 's5cmd-gcs', 'rclone', 'aws', 'gsutil', 'manager', 'obstore'];
const FAST = ['s5cmd', 's5cmd-gcs', 'rclone'];

export const CASES = {
  tls: { title: '2,000 × 0.5 MiB over TLS to memory', series: halves, secure: true, ours: OURS, peers: MAIN },
  ext4: {
    title: '2,000 × 0.5 MiB over HTTP to the disk',
    series: halves,
    secure: false,
    disk: true,
    ours: OURS,
    peers: ['s5cmd', 'rclone'],
  },
};
