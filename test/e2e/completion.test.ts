/**
 * Completion as the shells do it: the scripts that `carrel completion` prints, run by the real bash, zsh and fish where they
 * are installed, against the installed words of the sample archive.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, NODE, openReadingRoom, type ReadingRoom } from './carrel.ts';

const execute = promisify(execFile);

/** Why tests of a shell are skipped; undefined where it is there. */
async function missing(shell: string): Promise<string | undefined> {
  return await execute(shell, ['-c', 'exit 0']).then(
    () => undefined,
    () => `(${shell} is not installed)`,
  );
}
const [noBash, noZsh, noFish] = await Promise.all(['bash', 'zsh', 'fish'].map(missing));

let room: ReadingRoom;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  room = await openReadingRoom();
  const bin = join(room.folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'carrel'), `#!/bin/sh\nexec "${NODE}" "${BIN}" "$@"\n`);
  await chmod(join(bin, 'carrel'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish'])
    await writeFile(join(room.folder, `carrel.${shell}`), (await room.run(['completion', shell])).stdout);
  await writeFile(join(room.folder, 'two words.s5cmd'), '');
  env = {
    ...process.env,
    ...room.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: room.folder,
  };
});
afterAll(async () => await room?.close());

/** Candidates for the last word. */
async function offers(...words: string[]): Promise<string[]> {
  const { stdout } = await room.run(['__complete', ...words]);
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('\t'));
}

describe('what is offered', () => {
  test.each([
    { words: ['ver'], has: ['verify'] },
    { words: ['get', '--lay'], has: ['--layout'] },
    { words: ['catalog', ''], has: ['update', 'add', 'list'] },
    { words: ['search', '--collection', 'sample_t'], has: ['sample_torso'] },
    { words: ['search', '--collection=sample_t'], has: ['--collection=sample_torso'] },
    { words: ['search', '--license', 'CC B'], has: ['CC BY 4.0'] },
    { words: ['search', '--modality', ''], has: ['CT', 'SEG'] },
    { words: ['search', '--by', 'Mod'], has: ['Modality'] },
    { words: ['search', '--columns', 'PatientID,Mod'], has: ['PatientID,Modality'] },
    { words: ['search', '--order', 'bytes:'], has: ['bytes:asc', 'bytes:desc'] },
    { words: ['search', '--where', 'instanceCount > 3 AND Modal'], has: ['instanceCount > 3 AND Modality'] },
    { words: ['search', '--where', "Modality = 'C"], has: ["Modality = 'CT'"] },
    { words: ['search', '--where', "Modality IN ('CT', 'SE"], has: ["Modality IN ('CT', 'SEG'"] },
    { words: ['search', '--release', 'v'], has: ['v3', 'v2', 'v1'] },
    { words: ['get', 'sample_'], has: ['sample_torso', 'sample_pet'] },
    { words: ['get', '--from', ''], has: ['auto', 'aws', 'gcs'] },
    { words: ['get', '--layout', '{collection_id}/{Patient'], has: ['{collection_id}/{PatientID}'] },
    { words: ['diff', 'v'], has: ['v3', 'v1'] },
    { words: ['sql', '--format', ''], has: ['csv', 'jsonl'] },
    { words: ['sql', 'SELECT count(*) FROM ind'], has: ['SELECT count(*) FROM index'] },
    { words: ['catalog', 'schema', 'collec'], has: ['collections_index'] },
    { words: ['completion', 'f'], has: ['fish'] },
  ])('$words', async ({ words, has }) => {
    expect(await offers(...words)).toEqual(expect.arrayContaining(has));
  });

  test('nothing, and no error, where there is nothing to offer', async () => {
    for (const words of [
      ['nonsense', 'x'],
      ['search', '--collection', 'zzz'],
      ['search', '--where', "No = 'x"],
    ])
      expect(await offers(...words)).toEqual([]);
    const empty = await room.run(['__complete', 'search', '--collection', ''], {
      env: { CARREL_CACHE_DIR: join(room.folder, 'nowhere'), CARREL_ARCHIVE: 'no/such/archive.json' },
    });
    expect(empty).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('damaged words, or those of other tables, are as if they were not there', async () => {
    const folder = join(room.folder, 'damaged');
    const source = join(room.folder, 'cache', 'catalogs', 'sample');
    const [version = ''] = (await readdir(source)).filter((name) => !name.startsWith('.'));
    const target = join(folder, 'catalogs', 'sample', version);
    await mkdir(target, { recursive: true });
    const names = await readdir(join(source, version));
    const [words = ''] = names.filter((name) => name.startsWith('completion-'));
    for (const name of names)
      if (name !== words) await symlink(join(source, version, name), join(target, name));
    const ask = async () =>
      (await room.run(['__complete', 'search', '--collection', ''], { env: { CARREL_CACHE_DIR: folder } }))
        .stdout;
    await writeFile(join(target, words), await readFile(join(source, version, words)));
    expect(await ask()).toContain('sample_torso');
    await writeFile(join(target, words), '{"carrel_completion": 1, "values": 3}');
    expect(await ask()).toBe('');
    await rm(join(target, words));
    await writeFile(
      join(target, 'completion-0000000000000000.json'),
      await readFile(join(source, version, words)),
    );
    expect(await ask()).toBe('');
  });
});

test('the SQL engine is not loaded by a Tab', async () => {
  const hook = join(room.folder, 'loaded.cjs');
  const answer = join(room.folder, 'loaded.txt');
  await writeFile(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(answer)},
      String(process.report.getReport().sharedObjects.some((path) => /duckdb/.test(path)))));`,
  );
  const loads = async (...args: string[]) => {
    const { code } = await room.run(args, { env: { NODE_OPTIONS: `--require=${hook}` } });
    expect(code).toBe(0);
    return await readFile(answer, 'utf8');
  };
  expect(await loads('sql', 'SELECT 1')).toBe('true');
  expect(await loads('__complete', 'search', '--collection', 'sample_')).toBe('false');
  expect(await loads('__complete', 'search', '--where', "Modality = '")).toBe('false');
});

/** Lines as they are typed, and what the shell makes of them. */
const TYPED = [
  { line: 'carrel sea', word: 'search' },
  { line: 'carrel search --collection sample_t', word: 'sample_torso' },
  { line: 'carrel search --license CC\\ BY\\ 4', word: 'CC BY 4.0' },
  { line: 'carrel search --license "CC BY 4', word: 'CC BY 4.0' },
  { line: "carrel search --license 'CC BY 4", word: 'CC BY 4.0' },
  { line: 'carrel get two', word: 'two words.s5cmd' },
];

describe.skipIf(noBash !== undefined)(`bash ${noBash ?? ''}`, () => {
  test.each(TYPED)('$line', async ({ line, word }) => {
    // What readline hands over: the words with their quotation marks; it puts the answer in their place.
    const script = `
      . ./carrel.bash; cd "$PWD"
      COMP_LINE=$1; COMP_POINT=\${#1}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _carrel
      printf '%s\\n' "\${#COMPREPLY[@]}" "\${COMPREPLY[0]}"`;
    const words = line.match(/"[^"]*|'[^']*|(?:\\.|[^ ])+/g) ?? [];
    const { stdout } = await execute('bash', ['-c', script, 'bash', line, ...words], {
      env,
      cwd: room.folder,
    });
    const [count, reply = ''] = stdout.trimEnd().split('\n');
    expect(count).toBe('1');
    // Inside of quotation marks the reply is the text itself; outside, bash must read it as that text.
    if (/["']/.test(line)) expect(reply).toBe(word);
    else if (!line.includes('get')) {
      const { stdout: read } = await execute('bash', ['-c', `printf '%s' ${reply}`]);
      expect(read).toBe(word);
    } else expect(reply.replaceAll('\\ ', ' ')).toBe(word);
  });
});

describe.skipIf(noFish !== undefined)(`fish ${noFish ?? ''}`, () => {
  test.each(TYPED)('$line', async ({ line, word }) => {
    const script = 'source carrel.fish; complete -C $argv[1]';
    const { stdout } = await execute('fish', ['--no-config', '-c', script, '--', line], {
      env,
      cwd: room.folder,
    });
    expect(stdout.trimEnd().split('\n')).toContain(word);
  });
});

describe.skipIf(noZsh !== undefined)(`zsh ${noZsh ?? ''}`, () => {
  test('completes and quotes what is typed, at a terminal of its own', async () => {
    const rc = join(room.folder, 'zdot');
    await mkdir(rc);
    await writeFile(
      join(rc, '.zshrc'),
      `PS1=; setopt no_beep; autoload -Uz compinit; compinit -u -d ${rc}/dump
       source ${room.folder}/carrel.zsh
       bindkey '^I' complete-word
       show() { print -r -- "$BUFFER" >> ${rc}/out; BUFFER=''; }
       zle -N show; bindkey '^X' show
       print ready >> ${rc}/out\n`,
    );
    const driver = `
      zmodload zsh/zpty
      await() { local i; for i in {1..300}; do [[ -f ${rc}/out && $(wc -l < ${rc}/out) -ge $1 ]] && return; zpty -rt z _ 2>/dev/null; sleep 0.1; done }
      zpty z "ZDOTDIR=${rc} zsh -i"
      await 1
      n=1
      for line in "$@"; do
        zpty -w -n z "$line"$'\\t\\x18'
        n=$((n + 1)); await $n
      done
      zpty -d z`;
    const lines = TYPED.map(({ line }) => line);
    await execute('zsh', ['-f', '-c', driver, 'zsh', ...lines], {
      env: { ...env, TERM: 'dumb' },
      cwd: room.folder,
    });
    const shown = (await readFile(join(rc, 'out'), 'utf8')).trimEnd().split('\n').slice(1);
    expect(shown).toHaveLength(TYPED.length);
    for (const [at, buffer] of shown.entries()) {
      const { stdout } = await execute('zsh', ['-f', '-c', `printf '%s\\n' ${buffer}`]);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe(TYPED[at]?.word);
    }
  });
});
