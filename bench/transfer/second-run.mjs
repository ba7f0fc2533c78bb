// What a run costs that has nothing to fetch: a cohort that is complete already, and a plan of a million files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFolder, writeBucket, writeListings } from './files.mjs';
import { inTurn, table } from './rounds.mjs';
import { makeCertificate, startServer } from './server.mjs';
import { contestants, surroundings } from './tools.mjs';

/** Runs `work` with an empty served folder, and tidies up. */
async function withServer(shm, fill, use) {
  const root = join(shm, 'www');
  mkdirSync(root);
  const work = join(shm, 'work');
  mkdirSync(work);
  let server;
  try {
    const set = fill(root);
    const tls = makeCertificate(join(shm, 'tls'), ['127.0.0.1']);
    server = await startServer({ root, folder: join(shm, 'nginx'), tls });
    return await use({ set, server, work, env: surroundings(tls.ca) });
  } finally {
    await server?.close();
    for (const name of ['www', 'work', 'nginx', 'tls', 'out', 'out-peer'])
      rmSync(join(shm, name), { recursive: true, force: true });
  }
}

function must(command, options) {
  const [program, ...args] = command;
  const done = spawnSync(program, args, { ...options, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`${command.join(' ')} ended with ${done.status}: ${done.stderr}`);
}

/** A second run over 100,000 files of 1 KiB that are all here. */
export async function again({ carrel, shm, rounds, smoke, createCrc32c }) {
  const fill = (root) =>
    writeBucket(root, 'bench', [Array.from({ length: smoke ? 1000 : 100_000 }, () => 1024)], createCrc32c);
  return withServer(shm, fill, async ({ set, server, work, env }) => {
    const endpoint = server.endpoint('s3', false);
    const out = join(shm, 'out');
    const theirs = join(shm, 'out-peer');
    mkdirSync(theirs);
    const more = ['-o', out, '--endpoint', endpoint, '--cache-dir', join(work, 'cache'), '--no-config', '-q'];
    const get = (what) => [process.execPath, carrel, 'get', what, ...more];
    const url = `s3://bench/${set.series[0]}/*`;
    must(get(url), { env, cwd: work });
    checkFolder(out, set.objects);
    const peer = contestants(carrel).find(({ id }) => id === 's5cmd');
    peer.prepare();
    const given = { endpoint, bucket: 'bench', series: set.series, folder: theirs, work };
    const [s5cmd, ...first] = peer.command(given).command;
    must([s5cmd, ...first], { env, cwd: work });
    checkFolder(theirs, set.objects);
    const before = first.slice(0, first.indexOf('cp'));
    const runs = [
      {
        label: 'carrel get of its lock file',
        id: 'carrel-lock',
        command: get(join(out, 'carrel.lock.json')),
      },
      { label: 'carrel get of the same URL', id: 'carrel', command: get(url) },
      { label: 's5cmd sync', id: 's5cmd', command: [s5cmd, ...before, 'sync', url, `${theirs}/`] },
      { label: 's5cmd cp -n', id: 's5cmd-n', command: [s5cmd, ...before, 'cp', '-n', url, `${theirs}/`] },
    ].map(({ command, ...rest }) => ({ ...rest, verifies: '', run: { command }, server }));
    const results = await inTurn(runs, { work, rounds, warmUps: 0, env, bytes: set.bytes });
    checkFolder(out, set.objects);
    checkFolder(theirs, set.objects);
    console.log(table(results, 's5cmd'));
    console.log('both folders still hold the same files, compared with md5sum');
    return { results };
  });
}

/** A manifest of 1,000 series with 1,000 files each: listed and planned, nothing fetched. */
export async function million({ carrel, shm, rounds, smoke }) {
  const count = smoke ? 10 : 1000;
  const fill = (root) => {
    for (const name of ['md5.map', 'hash.map', 'item.map']) writeFileSync(join(root, name), '');
    const series = Array.from({ length: count }, (_, index) => `series-${String(index).padStart(6, '0')}`);
    for (const [index, name] of series.entries()) {
      const objects = Array.from({ length: 1000 }, (_, number) => {
        const id = (index * 1000 + number).toString(16).padStart(12, '0');
        return {
          key: `${name}/00000000-0000-4000-8000-${id}.dcm`,
          size: 524_288,
          md5: id.padStart(32, '0'),
          crc32c: '00000000',
        };
      });
      writeListings(root, 'bench', name, objects, false);
    }
    return { series };
  };
  return withServer(shm, fill, async ({ set, server, work, env }) => {
    const endpoint = server.endpoint('s3', false);
    const manifest = join(work, 'million.s5cmd');
    writeFileSync(manifest, set.series.map((name) => `cp s3://bench/${name}/* .\n`).join(''));
    const peer = contestants(carrel).find(({ id }) => id === 's5cmd');
    peer.prepare();
    const given = { endpoint, bucket: 'bench', series: set.series, manifest, folder: work, work };
    const [s5cmd, ...words] = peer.command(given).command;
    const ours = [carrel, 'get', manifest, '--dry-run', '-o', join(shm, 'out'), '--endpoint', endpoint];
    const runs = [
      {
        label: `carrel get --dry-run, ${count} series of 1,000 files`,
        id: 'carrel',
        command: [process.execPath, ...ours, '--cache-dir', join(work, 'cache'), '--no-config', '-q'],
      },
      { label: 's5cmd --dry-run run', id: 's5cmd', command: [s5cmd, '--dry-run', ...words] },
    ].map(({ command, ...rest }) => ({ ...rest, verifies: '', run: { command }, server }));
    const results = await inTurn(runs, { work, rounds, warmUps: 0, env, bytes: count * 1000 * 524_288 });
    console.log(table(results, 's5cmd'));
    return { results };
  });
}
