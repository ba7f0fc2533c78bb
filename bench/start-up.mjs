// What a command costs before it does anything: beside a bare Node start. Needs GNU time (Debian package "time").
// Build first: npm run build.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, report } from './measure.mjs';

const carrel = new URL('../dist/bin/carrel.js', import.meta.url).pathname;
const cache = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
const env = { CARREL_CACHE_DIR: cache, CARREL_ARCHIVE: 'sample' };
try {
  spawnSync(process.execPath, [carrel, 'catalog', 'update', '-q'], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  report(
    measure(
      [
        { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
        { name: 'carrel --version', command: [process.execPath, carrel, '--version'] },
        { name: 'carrel search --help', command: [process.execPath, carrel, 'search', '--help'] },
        {
          name: 'carrel search --count (sample)',
          command: [process.execPath, carrel, 'search', '--count'],
          env,
        },
        {
          name: 'carrel search --by Modality (sample)',
          command: [process.execPath, carrel, 'search', '--by', 'Modality'],
          env,
        },
      ],
      { rounds: 11, warmUps: 2 },
    ),
  );
} finally {
  rmSync(cache, { recursive: true, force: true });
}
