// Builds dist/: the library as tsc writes it (unbundled, readable stack traces) and the command as one
// file beside it, because start-up time decides how a command feels.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pastTheDoors } from './past-the-doors.mjs';

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

/** Modules of Node that are not loaded by its own start. */
const LAZY = new Set([
  'child_process',
  'crypto',
  'dgram',
  'dns/promises',
  'http',
  'http2',
  'net',
  'readline',
  'stream',
  'stream/promises',
  'string_decoder',
  'timers/promises',
  'tls',
  'v8',
  'vm',
  'worker_threads',
  'zlib',
]);

const LAZY_HOLDER =
  'const __lazy=path=>({get m(){const value=require(path);Object.defineProperty(this,"m",{value});return value}});';

// The parser of the command line names a module of Node for programs of their own as subcommands, which we have none of.
const commander = {
  name: 'commander',
  setup({ onLoad }) {
    onLoad({ filter: /commander[\\/]lib[\\/]command\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        "require('node:child_process')",
        "{ get spawn() { return require('node:child_process').spawn; } }",
      ),
    }));
  },
};

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

// Bytecode of earlier runs can be had for CommonJS alone (src/cli/code-cache.ts), and one file is loaded faster than many.
const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: {
    carrel: 'src/cli/carrel.ts',
    command: 'src/cli/main.ts',
    // The threads of a transfer are a program of their own; their file is looked for beside the one that starts them.
    'fetch-worker': 'src/transfer/threads/fetch-worker.ts',
  },
  outdir: 'dist/bin',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.18',
  external,
  plugins: [duckdb, commander, pastTheDoors()],
  // import() is not for scripts that come out of bytecode: V8 forgets who may answer it.
  supported: { 'dynamic-import': false },
  // Asking for the global loads ten modules of Node, 3 ms; our clocks only measure how long something took.
  define: { 'import.meta.url': '__moduleUrl', 'performance.now': '__now' },
  banner: {
    js: "const __moduleUrl=require('node:url').pathToFileURL(__filename).href;const __now=()=>{const [s,ns]=process.hrtime();return s*1e3+ns/1e6};",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  logLevel: 'warning',
  write: false,
});
mkdirSync(new URL('dist/bin', root));
for (const { path, text } of outputFiles) {
  writeFileSync(path, path.endsWith('.js') ? asciiOnly(lazyBuiltins(text)) : text);
}
// Everything else in this package is a module.
writeFileSync(new URL('dist/bin/package.json', root), '{ "type": "commonjs" }\n');
// esbuild keeps the hashbang of the entry point; npm sets the mode only when it installs.
chmodSync(new URL('dist/bin/carrel.js', root), 0o755);

/**
 * Loads Node's larger modules when they are first used: `import_node_tls.connect` becomes `__tls.m.connect`. All of them
 * together cost 9 ms, and each command uses some.
 */
function lazyBuiltins(text) {
  const used = new Map();
  const paths = new Map();
  const lazy = text
    .replace(/\b(import_[\w$]+)=require\("((?:node:)?([\w/]+))"\)/g, (whole, variable, path, name) => {
      if (!LAZY.has(name)) return whole;
      const holder = `__${name.replace('/', '_')}`;
      used.set(variable, holder);
      paths.set(holder, path);
      return `${variable}=0`;
    })
    .replace(/\b(import_[\w$]+)\./g, (whole, variable) =>
      used.has(variable) ? `${used.get(variable)}.m.` : whole,
    );
  const holders = [...paths].map(([holder, path]) => `const ${holder}=__lazy("${path}");`);
  const [hashbang = ''] = /^#!.*\n/.exec(lazy) ?? [];
  // In front of the banner, on its line: the source map counts from there on.
  return `${hashbang}${LAZY_HOLDER}${holders.join('')}${lazy.slice(hashbang.length)}`;
}

/** What esbuild leaves of other characters stands in regular expressions. Without any, V8 keeps one byte for each. */
function asciiOnly(text) {
  return text.replace(/[^\0-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
