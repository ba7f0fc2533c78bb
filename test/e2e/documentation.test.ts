/**
 * The examples of the documentation are true: every `ts` block of every page is compiled against the built package's types
 * and run against it, the blocks of a page one after the other as one program. No example leaves this machine. One that
 * cannot run without the network says so in a comment before it, with its reason: `<!-- not run: … -->`.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realWheel } from '../catalog/real-tables.ts';
import { BIN, NODE, sharedSample } from './carrel.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page with examples. */
interface Page {
  path: string;
  /** Its `ts` blocks as one program; imports may stand in any of them. */
  program: string;
  blocks: number;
  /** Reasons why blocks are left out. */
  leftOut: string[];
}

async function markdown(folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

async function readPage(path: string): Promise<Page> {
  const text = await readFile(join(root, path), 'utf8');
  const page: Page = { path, program: '', blocks: 0, leftOut: [] };
  for (const [, marker, body = ''] of text.matchAll(
    /(?:<!-- not run: (.+?) -->\n)?^```(?:ts|typescript)\n([\s\S]*?)^```$/gm,
  )) {
    if (marker !== undefined) page.leftOut.push(marker);
    else {
      page.program += body;
      page.blocks += 1;
    }
  }
  return page;
}

const wheel = await realWheel();
const paths = ['README.md', 'CONTRIBUTING.md', ...(await markdown('docs'))].sort();
const pages = (await Promise.all(paths.map(readPage))).filter(({ blocks }) => blocks > 0);
const needsWheel = ({ program }: Page) => program.includes('.whl');

let folder: string;
/** Folder of a page's program, with what examples name beside it. */
const deskOf = ({ path }: { path: string }) => join(folder, path.replaceAll(/[/.]/g, '-'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-docs-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules', 'carrel'), 'dir');
  for (const name of ['valibot', '@types'])
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'carrel'), `#!/bin/sh\nexec "${NODE}" "${BIN}" "$@"\n`, {
    mode: 0o755,
  });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(folder, 'offline.cjs'),
    `const { Socket } = require('node:net');
     const connect = Socket.prototype.connect;
     Socket.prototype.connect = function (...asked) {
       const [to] = Array.isArray(asked[0]) ? asked[0] : asked;
       const host = to?.host ?? 'localhost';
       if (to?.path === undefined && !['localhost', '127.0.0.1', '::1'].includes(host))
         throw new Error('an example wants to reach ' + host);
       return connect.apply(this, asked);
     };`,
  );
  const sample = await sharedSample();
  for (const page of pages) {
    const desk = deskOf(page);
    await mkdir(join(desk, 'samples'), { recursive: true });
    // Made once for all tests; an example that asks for the sample finds it.
    await symlink(sample, join(desk, 'samples', basename(sample)), 'dir');
    await symlink(join(root, 'docs'), join(desk, 'docs'), 'dir');
    if (wheel.path !== undefined) await symlink(wheel.path, join(desk, basename(wheel.path)));
    await writeFile(join(desk, 'example.ts'), `${page.program}\nexport {};\n`);
  }
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

test('the pages have examples, and what is left out says why', () => {
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/library.md']));
  for (const { leftOut } of pages) for (const reason of leftOut) expect(reason).toMatch(/network/);
});

test('every example fits the types of the built package', async () => {
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: ['*/example.ts'],
    }),
  );
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await execute(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

describe('every example runs', () => {
  test.each(pages.map((page) => [page.path, page] as const))(
    '%s',
    async (_, page) => {
      if (needsWheel(page) && wheel.path === undefined) {
        console.warn(`not run: ${wheel.reason}`);
        return;
      }
      const desk = deskOf(page);
      // `await using` is newer than the Node that may run this.
      await build({
        entryPoints: [join(desk, 'example.ts')],
        outfile: join(desk, 'example.mjs'),
        format: 'esm',
        platform: 'node',
        target: 'node20.18',
        logLevel: 'error',
      });
      const { stdout } = await execute(NODE, ['--require', join(folder, 'offline.cjs'), 'example.mjs'], {
        cwd: desk,
        env: { ...process.env, CARREL_CACHE_DIR: join(desk, 'cache') },
      });
      if (page.program.includes('console.log')) expect(stdout).not.toBe('');
    },
    240_000,
  );
});

/** A Python with what the page for Python users imports: `CARREL_TEST_PYTHON`, else the one of `fetch-test-tools.sh`. */
async function pythonWithTables(): Promise<{ path?: string; reason: string }> {
  const tools = process.env['CARREL_TEST_TOOLS'] ?? join(homedir(), '.cache', 'carrel-test-tools', 'bin');
  const path = process.env['CARREL_TEST_PYTHON'] ?? join(tools, '..', 'venv-tables', 'bin', 'python');
  return await execute(path, ['-c', 'import duckdb, pandas, polars, pyarrow']).then(
    () => ({ path, reason: '' }),
    () => ({
      reason: '(no Python with pandas, polars, duckdb and pyarrow: scripts/fetch-test-tools.sh tables)',
    }),
  );
}
const python = await pythonWithTables();

describe.skipIf(python.path === undefined)(`the page for Python users is true ${python.reason}`, () => {
  test('its commands and its program run, one after the other', async () => {
    const text = await readFile(join(root, 'docs', 'for-python-users.md'), 'utf8');
    const blocks = (language: string) =>
      [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
        ([, body]) => body,
      );
    expect([blocks('bash').length, blocks('python').length]).toEqual([1, 4]);
    const desk = join(folder, 'python');
    await mkdir(desk);
    const env = {
      ...process.env,
      PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      CARREL_ARCHIVE: join(await sharedSample(), 'archive.json'),
      CARREL_CACHE_DIR: join(desk, 'cache'),
    };
    await execute('bash', ['-ec', blocks('bash').join('')], { cwd: desk, env });
    await writeFile(join(desk, 'page.py'), blocks('python').join(''));
    await execute(python.path ?? '', ['page.py'], { cwd: desk, env });
  });
});
