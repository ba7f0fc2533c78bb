/**
 * The last way to the tables: the archive's Python package, fetched by the user's own `pip`, which knows the registry, the
 * mirror and the proxy of this machine. Nothing of the package is run: a wheel is asked for, without its dependencies.
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { abortError, CarrelError } from '../errors.ts';

/** How a package is named in a record: `pkg:pypi/idc-index-data@25.0.5`. */
export function packageOf(url: string): { name: string; version: string } | undefined {
  const [, name, version] =
    /^pkg:pypi\/([A-Za-z0-9][A-Za-z0-9._-]*)@([0-9][A-Za-z0-9.+!-]*)$/.exec(url) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

/** The Python package that holds an archive's tables, where its record names one. */
export function packageName(archive: Archive): string | undefined {
  const found = archive.catalog.sources.map(({ url }) => packageOf(url.replaceAll('{version}', '0'))?.name);
  return found.find((name) => name !== undefined);
}

/** Programs that are pip, in the order in which they are tried. `CARREL_PIP` names another one; empty: none is run. */
function programs(env: Readonly<Record<string, string | undefined>>): string[][] {
  const own = env['CARREL_PIP'];
  if (own !== undefined) return own.trim() === '' ? [] : [own.trim().split(/\s+/)];
  return [['pip'], ['pip3'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];
}

/**
 * Fetches a wheel into `folder` and answers with its path. Throws `unsupported` where there is no pip, `not-found` where the
 * registry has no such version, else `network`, with pip's last words.
 */
export async function fetchWithPip(options: {
  package: { name: string; version: string };
  folder: string;
  env?: Readonly<Record<string, string | undefined>> | undefined;
  signal?: AbortSignal | undefined;
}): Promise<string> {
  const { package: wanted, folder, signal } = options;
  const env = options.env ?? process.env;
  await mkdir(folder, { recursive: true });
  const spec = `${wanted.name}==${wanted.version}`;
  const words = [
    'download',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--disable-pip-version-check',
    '--no-input',
    '-q',
  ];
  for (const [program = '', ...before] of programs(env)) {
    const done = await run(program, [...before, ...words, '--dest', folder, spec], env, signal);
    if (done === undefined) continue;
    if (done.code === 0) {
      const start = wanted.name.replaceAll(/[-_.]+/g, '_').toLowerCase();
      const found = (await readdir(folder)).find(
        (name) => name.endsWith('.whl') && name.toLowerCase().startsWith(`${start}-${wanted.version}-`),
      );
      if (found !== undefined) return join(folder, found);
    }
    // `python3` may have no pip.
    if (/No module named pip/.test(done.output)) continue;
    const last = done.output.trim().split('\n').at(-1) ?? `it ended with ${done.code}`;
    const missing = /No matching distribution|Could not find a version/i.test(done.output);
    throw new CarrelError(missing ? 'not-found' : 'network', `pip: ${last.slice(0, 300)}`, {
      item: spec,
      next: `pip download --no-deps ${spec}`,
      retryable: !missing,
    });
  }
  throw new CarrelError('unsupported', `${spec} is a Python package, and there is no pip to fetch it with`, {
    item: spec,
    next: `where there is one: pip download --no-deps ${spec}, then carrel catalog add with the wheel`,
  });
}

/** Runs a program to its end; undefined where there is none of that name. */
function run(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; output: string } | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], signal });
    let output = '';
    const keep = (text: Buffer) => {
      output = `${output}${text.toString()}`.slice(-8192);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (signal?.aborted === true) reject(abortError(signal));
      else if (error.code === 'ENOENT' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    child.once('close', (code) => resolve({ code, output }));
  });
}
