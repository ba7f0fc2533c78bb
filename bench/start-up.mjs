// What a command costs before it does anything: beside a bare Node start, with and without the bytecode that an earlier run
// leaves. Needs GNU time (Debian package "time"). Build first: npm run build && node bench/start-up.mjs [dist/bin/carrel.js]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, report } from './measure.mjs';

const carrel = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist/bin/carrel.js', import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
const env = {
  CARREL_CACHE_DIR: join(folder, 'cache'),
  CARREL_STATE_DIR: join(folder, 'state'),
  CARREL_ARCHIVE: 'sample',
};
const without = { ...env, NODE_DISABLE_COMPILE_CACHE: '1' };
mkdirSync(join(folder, 'buckets', 'one'), { recursive: true });
writeFileSync(join(folder, 'buckets', 'one', 'object'), Buffer.alloc(500_000, 'carrel'));
const server = spawn(process.execPath, [
  carrel,
  'serve',
  join(folder, 'buckets'),
  '--port',
  '0',
  '--gcs-port',
  '0',
]);
try {
  const endpoint = await new Promise((found, failed) => {
    server.once('exit', () => failed(new Error('the server ended')));
    server.stdout.on('data', (text) => {
      const [, url] = /S3 +(http\S+)/.exec(String(text)) ?? [];
      if (url !== undefined) found(url);
    });
  });
  const { status } = spawnSync(process.execPath, [carrel, 'catalog', 'update', '-q'], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`the sample could not be installed: ${status}`);
  const run = (name, args, more = {}) => ({
    name,
    command: [process.execPath, carrel, ...args],
    env,
    ...more,
  });
  const output = join(folder, 'output');
  const get = ['get', 's3://one/object', '--endpoint', endpoint, '-q', '-o', output];
  const before = () => rmSync(output, { recursive: true, force: true });
  report(
    measure(
      [
        { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
        run('carrel --version', ['--version']),
        run('carrel get --help', ['get', '--help']),
        run('carrel get --help, first run', ['get', '--help'], { env: without }),
        run('carrel search --help', ['search', '--help']),
        run('carrel get, one object', get, { before }),
        run('carrel get, one object, first run', get, { before, env: without }),
        run('carrel search --count (sample)', ['search', '--count']),
        run('carrel search --by Modality (sample)', ['search', '--by', 'Modality']),
      ],
      { rounds: 15, warmUps: 2 },
    ),
  );
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
