/** What is published: packed, installed into an empty folder, run and imported from there. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE, openReadingRoom } from './carrel.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  name: string;
  version: string;
  exports: Record<string, { types: string; default: string } | string>;
}

let folder: string;
let packed: string[];
let manifest: Manifest;
// The Node under test comes first, for npx and the shebang.
const env = { ...process.env, PATH: `${dirname(NODE)}${delimiter}${process.env['PATH'] ?? ''}` };
const execOptions = () => ({ cwd: folder, env, maxBuffer: 64 * 1024 * 1024 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-package-'));
  manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  // `dist/` is built already, and others run from it: scripts would build it again under their feet.
  const { stdout } = await execute(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    {
      ...execOptions(),
      cwd: root,
    },
  );
  const [pack] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  packed = (pack?.files ?? []).map(({ path }) => path);
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  await execute(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', `./${pack?.filename ?? ''}`],
    execOptions(),
  );
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

test('the package holds what runs and what explains it, and nothing else', () => {
  for (const wanted of [
    'dist/bin/carrel.js',
    'dist/index.js',
    'dist/index.d.ts',
    'README.md',
    'LICENSE',
    'docs/exit-codes.md',
  ])
    expect(packed).toContain(wanted);
  expect(
    packed.filter(
      (path) => !/^(?:dist|docs)\/|^(?:README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/.test(path),
    ),
  ).toEqual([]);
  expect(packed.filter((path) => /\.test\.|node_modules|\.dcm$|\.parquet$/.test(path))).toEqual([]);
});

test('npx carrel --version runs the installed command', async () => {
  const { stdout } = await execute('npx', ['--no-install', 'carrel', '--version'], execOptions());
  expect(stdout).toBe(`${manifest.version}\n`);
});

test('every subpath can be imported, with its types beside it', async () => {
  const subpaths = Object.entries(manifest.exports).filter(([, target]) => typeof target !== 'string');
  expect(subpaths.length).toBeGreaterThan(5);
  const names = subpaths.map(([path]) => path.replace(/^\./, manifest.name));
  await writeFile(
    join(folder, 'import.mjs'),
    `const found = {};\nfor (const name of ${JSON.stringify(names)}) found[name] = Object.keys(await import(name));\nconsole.log(JSON.stringify(found));\n`,
  );
  const { stdout } = await execute(NODE, ['import.mjs'], execOptions());
  const found = JSON.parse(stdout) as Record<string, string[]>;
  expect(Object.keys(found)).toEqual(names);
  for (const [name, exported] of Object.entries(found)) expect(exported, name).not.toEqual([]);
  for (const [, target] of subpaths) {
    if (typeof target === 'string') continue;
    expect((await stat(join(folder, 'node_modules', manifest.name, target.types))).isFile()).toBe(true);
  }
});

test('the installed command has all that it needs: catalogue, query, transfer', async () => {
  const room = await openReadingRoom({ releases: [] });
  try {
    const carrel = async (...args: string[]) =>
      (
        await execute(join(folder, 'node_modules', '.bin', 'carrel'), args, {
          ...execOptions(),
          env: { ...env, ...room.env },
        })
      ).stdout;
    await carrel('catalog', 'update', '-q');
    expect(JSON.parse(await carrel('search', '--count', '--json'))).toMatchObject({
      series: room.facts.releases.at(-1)?.series,
    });
    const out = await room.newFolder();
    expect(await carrel('get', 'sample_slides', '-o', out)).toContain('complete:');
    expect(await carrel('verify', out)).toContain('verified:');
  } finally {
    await room.close();
  }
});
