/** Help, and what is loaded to print it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS, loadCommand } from '../../src/cli/command-table.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { VERSION } from '../../src/version.ts';
import { BIN, openReadingRoom, runCarrel } from './carrel.ts';

/** Every command and subcommand, as words. */
const specs = await Promise.all(COMMANDS.map(async ({ name }) => await loadCommand(name)));
const commands = specs.flatMap((spec) => [
  { words: [spec.name], spec },
  ...(spec.subcommands ?? []).map((sub) => ({ words: [spec.name, sub.name], spec: sub })),
]);

describe('help', () => {
  test('of carrel shows examples first, every command, and the exit codes', async () => {
    const { code, stdout, stderr } = await runCarrel(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}carrel demo/);
    for (const { name, summary } of COMMANDS)
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 12)}`, 'm'));
    await expect(stdout).toMatchFileSnapshot('../golden/help/carrel.txt');
    expect((await runCarrel([])).stdout).toBe(stdout);
  });

  test.each(commands)('of $words shows examples first and its exit codes', async ({ words, spec }) => {
    const { code, stdout, stderr } = await runCarrel([...words, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [examples = '', after = ''] = stdout.split('\n\nUsage: ');
    expect(examples.split('\n')).toEqual(spec.examples.map((line) => `  ${line}`));
    expect(after.startsWith(`carrel ${words.join(' ')} `)).toBe(true);
    const listed = [...(after.split('Exit codes:\n')[1] ?? '').matchAll(/^ +(\d+) {2}/gm)].map(([, number]) =>
      Number(number),
    );
    expect(listed).toEqual([...spec.exitCodes]);
    for (const exit of listed) expect(after).toContain(EXIT_CODES[exit as keyof typeof EXIT_CODES]);
    await expect(stdout).toMatchFileSnapshot(`../golden/help/${words.join('-')}.txt`);
  });

  test('is the same by "carrel help get" and "carrel get -h"', async () => {
    const { stdout } = await runCarrel(['get', '--help']);
    expect((await runCarrel(['help', 'get'])).stdout).toBe(stdout);
    expect((await runCarrel(['get', '-h'])).stdout).toBe(stdout);
  });
});

describe('what is loaded', () => {
  let folder: string;
  let runs = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-loaded-'));
  });
  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  /** Files that a run loaded: of our own bundle by name, of packages by path. The engine itself keeps the list. */
  async function loadedBy(
    args: readonly string[],
    env: Record<string, string | undefined> = {},
  ): Promise<{ code: number | null; bundle: string[]; others: string[] }> {
    runs += 1;
    const coverage = join(folder, String(runs));
    const { code } = await runCarrel(args, {
      env: {
        NODE_V8_COVERAGE: coverage,
        CARREL_CACHE_DIR: join(folder, 'cache'),
        CARREL_CONFIG_DIR: folder,
        ...env,
      },
    });
    const files = await readdir(coverage);
    const urls = new Set<string>();
    for (const file of files) {
      const { result } = JSON.parse(await readFile(join(coverage, file), 'utf8')) as {
        result: { url: string }[];
      };
      for (const { url } of result) if (url.startsWith('file:')) urls.add(url);
    }
    const bin = `${pathToFileURL(dirname(BIN)).href}/`;
    const paths = [...urls].sort();
    return {
      code,
      bundle: paths.filter((url) => url.startsWith(bin)).map((url) => url.slice(bin.length)),
      others: paths.filter((url) => !url.startsWith(bin)).map((url) => fileURLToPath(url)),
    };
  }

  /** The entry and what it imports without asking, all the way down. */
  async function staticImports(): Promise<Set<string>> {
    const seen = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      if (seen.has(name)) return;
      seen.add(name);
      const text = await readFile(join(dirname(BIN), name), 'utf8');
      // `import{a as b}from"./chunk.js"` and `import"./chunk.js"`; a lazy one is `import("./chunk.js")`.
      for (const [, next] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g)) await visit(next ?? '');
    };
    await visit(basename(BIN));
    return seen;
  }

  test('by --version: the front door and nothing behind it', async () => {
    const { code, bundle, others } = await loadedBy(['--version']);
    expect(code).toBe(0);
    expect(bundle).toContain('carrel.js');
    const allowed = await staticImports();
    expect(bundle.filter((name) => !allowed.has(name))).toEqual([]);
    expect(others).toEqual([]);
  });

  test('by the help of a command: no DuckDB, no DICOM, no cloud client', async () => {
    const { code, bundle, others } = await loadedBy(['get', '--help']);
    expect(code).toBe(0);
    expect(bundle.length).toBeGreaterThan(1);
    expect(others.filter((path) => /duckdb|dcmjs|aws-sdk|smithy/.test(path))).toEqual([]);
  });

  test('by a query: DuckDB, which shows that this looks at the right thing; and still no cloud client', async () => {
    const room = await openReadingRoom();
    try {
      const { code, others } = await loadedBy(['sql', 'SELECT 1'], room.env);
      expect(code).toBe(0);
      expect(others.some((path) => path.includes('duckdb'))).toBe(true);
      expect(others.filter((path) => /dcmjs|aws-sdk|smithy|hono/.test(path))).toEqual([]);
    } finally {
      await room.close();
    }
  });
});

test('--version prints the version of the package', async () => {
  const { code, stdout } = await runCarrel(['--version']);
  expect(code).toBe(0);
  expect(stdout).toBe(`${VERSION}\n`);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(VERSION).toBe(version);
});
