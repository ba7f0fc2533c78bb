/** The command among others on one machine: two runs at once, a server of its own, the demo, a shell that completes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  filesBelow,
  jsonLines,
  openReadingRoom,
  type ReadingRoom,
  runCarrel,
  startCarrel,
  summaryOf,
  versionIn,
} from './carrel.ts';

const execute = promisify(execFile);

let room: ReadingRoom;
beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
afterEach(() => {
  room.s3.faults.length = 0;
});

/** A cache of its own which already holds the sample. */
async function cacheWithSample(): Promise<string> {
  const cache = await room.newFolder('cache');
  await symlink(dirname(room.sampleRoot), join(cache, 'sample'));
  return cache;
}

describe('two runs at once', () => {
  test('into one folder: the second is refused with the number of the first, which ends well', async () => {
    // All answers but the first one wait until the second run has ended, however slow the machine is.
    let answers = 0;
    let goOn = () => {};
    const secondEnded = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    room.s3.faults.push({
      path: '.dcm',
      fault: {
        kind: 'custom',
        async apply(request, app) {
          answers += 1;
          if (answers > 1) await secondEnded;
          return await app.fetch(request);
        },
      },
    });
    const out = await room.newFolder();
    const args = ['get', room.facts.revisedTwice.seriesInstanceUid, '-o', out, '--jobs', '2'];
    room.takeRequests();
    const first = room.start(args);
    while (!room.s3.requests.some(({ path }) => path.endsWith('.dcm'))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const second = await room.run([...args, '--json']);
    goOn();
    expect(second.code).toBe(1);
    expect(jsonLines(second.stderr).at(-1)).toMatchObject({
      code: 'busy',
      message: expect.stringContaining(String(first.child.pid)),
    });
    expect(await first.done).toMatchObject({ code: 0 });
    await room.mustHold(out, [versionIn(room.facts.revisedTwice)]);
  });

  test('into two folders, with one cache that is filled for the first time', async () => {
    const env = { CARREL_CACHE_DIR: await room.newFolder('cache') };
    const updates = await Promise.all([1, 2, 3].map(() => room.run(['catalog', 'update', '-q'], { env })));
    for (const { code, stderr } of updates) expect(code, stderr).toBe(0);
    expect(await room.run(['catalog', 'check'], { env })).toMatchObject({ code: 0 });
    const gets = [room.facts.removed, room.facts.revisedTwice].map(async (series) => {
      const out = await room.newFolder();
      expect(await room.run(['get', series.seriesInstanceUid, '-o', out], { env })).toMatchObject({
        code: 0,
      });
      await room.mustHold(out, [versionIn(series)]);
    });
    await Promise.all(gets);
  });
});

describe('a destination that cannot be ends the run at once, and is named', () => {
  async function mustRefuse(out: string, named: string): Promise<void> {
    const running = room.start(['get', 'sample_slides', '-o', out]);
    const timer = setTimeout(() => running.child.kill('SIGKILL'), 20_000);
    const { code, signal, stderr } = await running.done;
    clearTimeout(timer);
    expect(signal, 'it went on for 20 s').toBeNull();
    expect([2, 8], stderr).toContain(code);
    expect(stderr).toContain(named);
  }

  test('a file, and a folder below a file', async () => {
    const file = join(room.folder, 'in-the-way');
    await writeFile(file, 'mine');
    await mustRefuse(file, file);
    await mustRefuse(join(file, 'below'), file);
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  // Node's own mkdir with `recursive` never comes back from there.
  test.runIf(existsSync('/proc/self'))('a place where nobody can make a folder', async () => {
    await mustRefuse('/proc/carrel-test', '/proc/carrel-test');
  });
});

test('names and conditions are met first, then --limit and --sample of what is left', async () => {
  for (const flags of [
    ['--limit', '1'],
    ['--sample', '1', '--seed', '3'],
  ]) {
    const result = await room.run([
      'get',
      'sample_slides',
      ...flags,
      '--dry-run',
      '--json',
      '-o',
      await room.newFolder(),
    ]);
    expect(result.code, result.stderr).toBe(0);
    expect(Number(summaryOf(result)['planned']), flags.join(' ')).toBeGreaterThan(0);
  }
  const both = await room.run(['get', 'sample_slides', 'sample_pet', '--limit', '3', '--dry-run', '--json']);
  expect(jsonLines(both.stdout)[0]).toMatchObject({ type: 'cohort', series: 3 });
});

test('carrel serve gives what carrel get takes, until Ctrl-C', async () => {
  const cache = await cacheWithSample();
  const server = startCarrel(['serve', 'sample', '--port', '0', '--gcs-port', '0', '--json'], {
    env: { CARREL_CACHE_DIR: cache, CARREL_CONFIG_DIR: room.folder },
  });
  try {
    const line = await new Promise<string>((resolve, reject) => {
      server.child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      server.child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    });
    const { type, s3, gcs } = JSON.parse(line) as Record<string, string>;
    expect(type).toBe('serving');
    const out = await room.newFolder();
    const one = versionIn(room.facts.removed);
    const mirrors = ['--mirror', `aws=${s3}`, '--mirror', `gcs=${gcs}`];
    for (const from of ['aws', 'gcs']) {
      const result = await room.run([
        'get',
        one.version.uuid,
        ...mirrors,
        '--from',
        from,
        '-o',
        join(out, from),
      ]);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      await room.mustHold(join(out, from), [one]);
    }
  } finally {
    server.child.kill('SIGINT');
  }
  const ended = await server.done;
  expect(ended.signal).toBeNull();
  expect([0, 130]).toContain(ended.code);
});

test('carrel demo makes the sample archive, shows the whole road and keeps its word', async () => {
  // An empty cache: the command itself makes the archive, as it does for whoever tries it first.
  const env = { CARREL_CACHE_DIR: await room.newFolder('cache'), CARREL_CONFIG_DIR: room.folder };
  const out = await room.newFolder('demo');
  const { code, stdout, stderr } = await runCarrel(['demo', '-o', out], { env, cwd: room.folder });
  expect(code, stderr).toBe(0);
  for (const word of [
    'carrel catalog update',
    'carrel search',
    'carrel get',
    'carrel verify',
    'carrel history',
    'no request made',
  ])
    expect(stdout).toContain(word);
  expect((await filesBelow(join(out, 'cohort'))).size).toBe(room.facts.largeSelection.files);
}, 240_000);

describe('completion', () => {
  test('offers commands, flags and values of the catalogue', async () => {
    const offers = async (...words: string[]) =>
      (await room.run(['__complete', ...words])).stdout.split('\n').map((line) => line.split('\t')[0]);
    expect(await offers('ver')).toContain('verify');
    expect(await offers('get', '--lay')).toContain('--layout');
    expect(await offers('search', '--collection', 'sample_t')).toContain('sample_torso');
  });

  test('of bash is a script that bash can read', async () => {
    const path = join(room.folder, 'completion.bash');
    await writeFile(path, (await room.run(['completion', 'bash'])).stdout);
    await execute('bash', ['-n', path]);
    const { stdout } = await execute('bash', ['-c', `. "${path}" && complete -p carrel`]);
    expect(stdout).toContain('carrel');
  });
});

test('carrel.toml of a project is found from below, and a flag is stronger', async () => {
  const project = await room.newFolder('project');
  const below = join(project, 'a', 'b');
  await mkdir(below, { recursive: true });
  await writeFile(join(project, 'carrel.toml'), 'layout = "{Modality}/{file}"\n');
  const get = async (...more: string[]) => {
    const out = await room.newFolder();
    const result = await room.run(['get', room.facts.removed.seriesInstanceUid, '-o', out, ...more], {
      cwd: below,
    });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return [...(await filesBelow(out)).keys()];
  };
  for (const path of await get()) expect(path).toMatch(/^CT\/[^/]+\.dcm$/);
  for (const path of await get('--layout', 'flat/{file}')) expect(path).toMatch(/^flat\/[^/]+\.dcm$/);
  for (const path of await get('--no-config')) expect(path).toMatch(/^sample_torso\//);
  await writeFile(join(project, 'carrel.toml'), 'layuot = "x"\n');
  const wrong = await room.run(['config', 'show'], { cwd: below });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('layuot');
});
