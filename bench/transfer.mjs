// Fetching beside the tools that people use: whole processes against nginx on this machine, in turn; medians.
//
//   npm run build && node bench/transfer.mjs [--cases tls,ext4,rtt25,rtt80,small,mix,large,huge,connections,again,million]
//     [--rounds 5] [--warm-ups 1] [--peers s5cmd,s5cmd-gcs,rclone,aws,gsutil,manager,obstore|none] [--ours carrel,carrel-gcs,carrel-crc,carrel-size,carrel-unflushed]
//     [--carrel dist/bin/carrel.js] [--disk FOLDER] [--json FILE] [--smoke] [--profile]
//
// Needs nginx (Debian: nginx-light, libnginx-mod-http-headers-more-filter), openssl, GNU time, md5sum; for the peers python3
// with venv (aws, gsutil, manager, obstore), go (rclone), scripts/fetch-test-tools.sh (s5cmd); for rtt25 and rtt80 root, cc and
// /dev/net/tun. Data goes to /dev/shm: 2 GiB, for large 4 GiB, for huge 9 GiB. `--smoke` shrinks every case and runs one round;
// `--profile` adds a run of each of ours under the profiler.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './transfer/cases.mjs';
import { writeBucket } from './transfer/files.mjs';
import { startLine } from './transfer/line.mjs';
import { profile } from './transfer/profile.mjs';
import { inTurn, table } from './transfer/rounds.mjs';
import { makeCertificate, missingServer, startServer } from './transfer/server.mjs';
import { contestants, surroundings } from './transfer/tools.mjs';

const { values: flags } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(CASES).join() },
    rounds: { type: 'string', default: '5' },
    'warm-ups': { type: 'string', default: '1' },
    peers: { type: 'string' },
    ours: { type: 'string' },
    carrel: { type: 'string', default: new URL('../dist/bin/carrel.js', import.meta.url).pathname },
    disk: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const missing = missingServer();
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
const carrel = resolve(flags.carrel);
const stores = new URL('../stores/index.js', `file://${carrel}`).href;
const { createCrc32c } = await import(stores);
const everybody = contestants(carrel);
const wanted = flags.cases.split(',');
for (const name of wanted)
  if (CASES[name] === undefined) throw new Error(`no case ${name}: ${Object.keys(CASES).join(', ')}`);

const shm = mkdtempSync('/dev/shm/carrel-bench-');
const disk = mkdtempSync(join(resolve(flags.disk), 'carrel-bench-'));
const rounds = flags.smoke ? 1 : Number(flags.rounds);
const all = [];
let line;
const leave = () => {
  line?.close();
  // Processes that were ended just now may still write.
  for (const folder of [shm, disk]) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
};
process.once('exit', leave);
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => process.exit(code));
try {
  console.log(
    `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; load ${load()}; ${flags.disk} is ${execFileSync('stat', ['-f', '-c', '%T', disk], { encoding: 'utf8' }).trim()}`,
  );
  for (const name of wanted) {
    await runCase(name, CASES[name]);
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(all, null, 2)}\n`);
  }
} finally {
  leave();
}

async function runCase(name, one) {
  console.log(`\n# ${name}: ${one.title}`);
  if (one.run !== undefined) {
    const results = await one.run({
      carrel,
      shm,
      disk,
      rounds,
      smoke: flags.smoke,
      createCrc32c,
      env: surroundings(''),
    });
    all.push({ case: name, ...results });
    return;
  }
  const root = join(shm, 'www');
  const work = join(shm, 'work');
  mkdirSync(root);
  mkdirSync(work);
  let server;
  try {
    const set = writeBucket(root, 'bench', one.series(flags.smoke), createCrc32c);
    console.log(`${set.objects.length} files, ${set.bytes} bytes, in ${set.series.length} series`);
    const at =
      one.rttMs === undefined ? undefined : await startLine({ rttMs: one.rttMs, folder: join(shm, 'line') });
    if (typeof at === 'string') {
      console.log(`skipped: ${at}`);
      return;
    }
    line = at;
    const tls = makeCertificate(join(shm, 'tls'), ['127.0.0.1', ...(at === undefined ? [] : [at.address])]);
    server = await startServer({
      root,
      folder: join(shm, 'nginx'),
      tls,
      host: at?.address,
      prefix: at?.prefix,
    });
    let manifest;
    if (set.series.length > 1) {
      manifest = join(work, 'cohort.s5cmd');
      writeFileSync(manifest, set.series.map((series) => `cp s3://bench/${series}/* .\n`).join(''));
    }
    const folder = join(one.disk ? disk : shm, 'out');
    const given = {
      bucket: 'bench',
      series: set.series,
      folder,
      work,
      ca: tls.ca,
      secure: one.secure,
      host: server.host,
    };
    const runs = everybody
      .filter((each) => takesPart(each, one))
      .flatMap((each) => {
        let more;
        try {
          more = each.prepare();
        } catch (error) {
          console.log(`${each.label}: left out: ${error.message}`);
          return [];
        }
        // A manifest of s3:// lines says nothing of Google's own interface.
        if (manifest !== undefined && each.peer === false && each.cloud === 'gcs') return [];
        const cloud = {
          endpoint: server.endpoint(each.cloud, one.secure),
          port: server.port(each.cloud, one.secure),
        };
        const run = each.command({ ...given, ...cloud, manifest });
        return run === undefined ? [] : [{ ...each, ...(typeof more === 'object' ? more : {}), run, server }];
      });
    const results = await inTurn(runs, {
      folder,
      work,
      objects: set.objects,
      rounds,
      warmUps: flags.smoke ? 0 : Number(flags['warm-ups']),
      disk: one.disk,
      env: surroundings(tls.ca),
    });
    console.log(`load ${load()}\n${table(results, 's5cmd')}`);
    console.log(
      `each brought the same ${set.objects.length} files, ${set.bytes} bytes, compared with md5sum after every process`,
    );
    all.push({ case: name, title: one.title, load: load(), results });
    if (flags.profile)
      for (const each of runs.filter(({ peer }) => peer === false))
        profile(each, { folder, work, env: surroundings(tls.ca) });
    const bad = results.filter(({ error, id }) => error !== undefined && id.startsWith('carrel'));
    if (bad.length > 0) process.exitCode = 1;
  } finally {
    await server?.close();
    line?.close();
    line = undefined;
    for (const folder of [root, work, join(shm, 'nginx'), join(shm, 'tls')])
      rmSync(folder, { recursive: true, force: true });
  }
}

function takesPart({ id, peer }, one) {
  const list = peer === false ? flags.ours : flags.peers;
  if (list !== undefined) return list.split(',').includes(id);
  return (peer === false ? one.ours : one.peers).includes(id);
}

function load() {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
}
