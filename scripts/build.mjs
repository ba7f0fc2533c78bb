// Builds dist/: the library as tsc writes it (unbundled, readable stack traces) and the command as one
// esbuild bundle with lazy chunks, because start-up time decides how a command feels.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url);
const require = createRequire(import.meta.url);

rmSync(new URL('dist', root), { recursive: true, force: true });

const tsc = require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

// Native or very large packages stay outside of the bundle; everything else is small and faster inside.
// The BigQuery client is for those who install it beside Carrel.
const external = [
  '@node-rs/crc32',
  'dcmjs',
  '@aws-sdk/credential-providers',
  '@smithy/signature-v4',
  '@google-cloud/bigquery',
];

// The JavaScript of the engine goes into the bundle (181 small files otherwise), its binary stays where npm put it: only
// the engine's own package is sure to find it.
const duckdb = {
  name: 'duckdb',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /src[\\/]catalog[\\/]load-duckdb\.ts$/ }, () => ({
      contents: `export const loadDuckDb = async () => (await import('@duckdb/node-api')).default;`,
      resolveDir: fileURLToPath(new URL('src/catalog', root)),
    }));
    onResolve({ filter: /^@duckdb\/node-bindings$/ }, () => ({ path: 'binary', namespace: 'duckdb' }));
    onLoad({ filter: /^binary$/, namespace: 'duckdb' }, () => ({
      contents: `import { createRequire } from 'node:module';
const engine = createRequire(import.meta.url).resolve('@duckdb/node-api');
export default createRequire(engine)('@duckdb/node-bindings');`,
    }));
  },
};

await build({
  absWorkingDir: new URL('.', root).pathname,
  // The threads of a transfer are a program of their own; their file is looked for beside the one that starts them.
  entryPoints: { carrel: 'src/cli/carrel.ts', 'fetch-worker': 'src/transfer/threads/fetch-worker.ts' },
  outdir: 'dist/bin',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  external,
  plugins: [duckdb],
  banner: {
    // Some bundled CommonJS packages call require() for Node's own modules.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  logLevel: 'warning',
});
// esbuild keeps the hashbang of the entry point; npm sets the mode only when it installs.
chmodSync(new URL('dist/bin/carrel.js', root), 0o755);
