/** The JSON of docs/json-output.md, line by line, and the manners of a command in a pipe. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BIN, errorOf, jsonLines, NODE, openReadingRoom, type ReadingRoom, versionIn } from './carrel.ts';

let room: ReadingRoom;
beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
afterEach(() => {
  room.s3.faults.length = 0;
});

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const digest = v.pipe(
  v.string(),
  v.regex(/^(?:md5:[0-9a-f]{32}|crc32c:[0-9a-f]{8}|crc64nvme:[0-9a-f]{16}|sha256:[0-9a-f]{64})$/),
);
const evidence = v.picklist(['md5', 'sha256', 'crc64nvme', 'crc32c', 'size', 'none']);
const note = v.looseObject({ message: v.string(), item: v.optional(v.nullable(v.string())) });

/** What the page says of each line; fields may be added. */
const LINES = {
  cohort: v.looseObject({
    archive: v.string(),
    release: v.nullable(v.string()),
    series: count,
    files: count,
    bytes: count,
    licenses: v.array(v.looseObject({ license: v.nullable(v.string()), series: count, bytes: count })),
    notes: v.array(note),
  }),
  plan: v.looseObject({ files: count, bytes: count, present: count, presentBytes: count }),
  progress: v.looseObject({
    files: count,
    bytes: count,
    totalFiles: count,
    totalBytes: count,
    bytesPerSecond: v.pipe(v.number(), v.minValue(0)),
  }),
  file: v.looseObject({
    path: v.string(),
    bytes: count,
    digest: v.nullable(digest),
    verifiedBy: evidence,
    how: v.picklist(['fetched', 'present']),
    // Nobody served a file that was here already.
    mirror: v.optional(v.nullable(v.string())),
    attempts: count,
    milliseconds: v.number(),
  }),
  failure: v.looseObject({
    path: v.string(),
    code: v.string(),
    message: v.string(),
    next: v.optional(v.nullable(v.string())),
    attempts: count,
  }),
  retry: v.looseObject({
    path: v.string(),
    mirror: v.string(),
    attempt: count,
    waitMs: count,
    reason: v.string(),
  }),
  note,
  summary: v.looseObject({
    planned: count,
    fetched: count,
    present: count,
    failed: count,
    bytesFetched: count,
    bytesPresent: count,
    verifiedBy: v.record(evidence, count),
    requests: count,
    milliseconds: v.number(),
    lock: v.string(),
    exit: count,
  }),
};

/** Types of a run of `get --json`, each line held against the page. */
function typesOf(stdout: string): string[] {
  return jsonLines(stdout).map((line) => {
    const type = String(line['type']);
    const schema = LINES[type as keyof typeof LINES] as v.GenericSchema | undefined;
    if (schema === undefined) throw new Error(`the page knows no line of type ${type}`);
    const { issues } = v.safeParse(schema, line);
    expect(
      issues?.map(({ message, path }) => `${path?.map(({ key }) => key).join('.')}: ${message}`),
      JSON.stringify(line),
    ).toBeUndefined();
    return type;
  });
}

describe('get --json', () => {
  test('writes lines of the types of the page; the last one is the summary, and it adds up', async () => {
    const one = versionIn(room.facts.revisedTwice);
    const instances = [...one.version.instances.values()];
    room.s3.faults.push(
      {
        path: instances[0] ?? '',
        method: 'GET',
        times: 2,
        fault: { kind: 'status', status: 503, retryAfter: 1 },
      },
      { path: instances[1] ?? '', method: 'GET', fault: { kind: 'wrong-byte', at: 9 } },
    );
    const out = await room.newFolder();
    const result = await room.run(['get', one.version.uuid, '-o', out, '--json']);
    expect(result.code).toBe(5);
    const types = typesOf(result.stdout);
    expect(types[0]).toBe('cohort');
    expect(types.at(-1)).toBe('summary');
    for (const type of ['plan', 'file', 'failure', 'retry']) expect(types).toContain(type);
    const lines = jsonLines(result.stdout);
    const summary = lines.at(-1) ?? {};
    const files = lines.filter(({ type }) => type === 'file');
    for (const { how, mirror } of files) expect([how, mirror]).toEqual(['fetched', 'aws']);
    expect(files).toHaveLength(Number(summary['fetched']));
    expect(files.reduce((sum, { bytes }) => sum + Number(bytes), 0)).toBe(summary['bytesFetched']);
    expect(Number(summary['fetched']) + Number(summary['present']) + Number(summary['failed'])).toBe(
      summary['planned'],
    );
    expect(summary['exit']).toBe(result.code);

    room.s3.faults.length = 0;
    const again = await room.run(['get', one.version.uuid, '-o', out, '--json']);
    expect(again.code).toBe(0);
    typesOf(again.stdout);
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({
      fetched: 1,
      present: instances.length - 1,
      exit: 0,
    });
  });

  test('also where nothing had to be done', async () => {
    const out = await room.newFolder();
    for (const _ of [1, 2]) {
      const result = await room.run(['get', room.facts.removed.seriesInstanceUid, '-o', out, '--json']);
      expect(typesOf(result.stdout).at(-1)).toBe('summary');
      expect(result.stderr).toBe('');
    }
  });

  test('verify --json ends with a summary, too', async () => {
    const out = await room.newFolder();
    await room.run(['get', room.facts.removed.seriesInstanceUid, '-o', out]);
    const lines = jsonLines((await room.run(['verify', out, '--json'])).stdout);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: expect.any(Number) });
  });
});

describe('an error with --json', () => {
  test.each([
    ['not-found', 4, ['get', 'sample_nothing']],
    ['usage', 2, ['get']],
    ['ambiguous', 2, ['get', 'SAMPLE-0042']],
    ['license', 6, ['get', 'sample_phantom', '--license-policy', 'commercial']],
    ['sql', 2, ['sql', 'DROP TABLE index']],
    ['not-found', 4, ['show', '1.2.3.4.5.6']],
    ['not-found', 4, ['history', '1.2.3.4.5.6']],
    ['not-found', 4, ['search', '--collection', 'sample_nothing']],
    ['not-found', 4, ['ls', 's3://sample-open-data/nothing/here/']],
    ['not-found', 4, ['cat', 's3://sample-open-data/nothing.dcm']],
    ['not-found', 4, ['catalog', 'schema', 'nothing']],
    ['not-found', 4, ['verify', 'nowhere']],
    ['not-found', 4, ['manifest', 'check', 'nowhere.csv']],
    ['not-found', 4, ['search', '--archive', 'nowhere']],
  ])('is one line on stderr: %s, exit %i, %j', async (code, exit, args) => {
    const result = await room.run([...args, '--json']);
    expect(result.stdout).toBe('');
    const lines = jsonLines(result.stderr);
    expect(lines).toHaveLength(1);
    expect(errorOf(result)).toMatchObject({ type: 'error', code, exit, message: expect.any(String) });
    expect(errorOf(result)).toHaveProperty('next');
    expect(errorOf(result)).toHaveProperty('item');
    expect(result.code).toBe(exit);
  });

  test('of the parser is JSON as well', async () => {
    for (const args of [
      ['get', '--nonsense'],
      ['nonsense'],
      ['manifest', 'convert', 'x.csv'],
      ['search', '--limit', 'many'],
    ]) {
      const result = await room.run([...args, '--json']);
      expect(result.code, args.join(' ')).toBe(2);
      expect(errorOf(result), args.join(' ')).toMatchObject({ type: 'error', code: 'usage', exit: 2 });
    }
  });
});

describe('documents', () => {
  test.each([
    ['search', ['search', '--limit', '2'], Array.isArray],
    [
      'search --count',
      ['search', '--count'],
      (value: unknown) => typeof (value as { series: unknown }).series === 'number',
    ],
    ['search --by', ['search', '--by', 'Modality'], Array.isArray],
    ['sql', ['sql', 'SELECT 1 AS one'], (value: unknown) => JSON.stringify(value) === '[{"one":1}]'],
    [
      'show',
      ['show', 'sample_slides'],
      (value: unknown) => Array.isArray((value as { matches: unknown }).matches),
    ],
    ['licenses', ['licenses', 'sample_torso'], (value: unknown) => typeof value === 'object'],
    ['cite', ['cite', 'sample_torso'], (value: unknown) => typeof value === 'object'],
    ['catalog tables', ['catalog', 'tables'], Array.isArray],
    ['catalog list', ['catalog', 'list'], Array.isArray],
    ['catalog schema', ['catalog', 'schema', 'index'], Array.isArray],
    ['config show', ['config', 'show'], (value: unknown) => typeof value === 'object'],
    ['doctor', ['doctor'], (value: unknown) => typeof value === 'object'],
  ])('%s --json is one', async (_, args, holds) => {
    const result = await room.run([...args, '--json']);
    expect(result.code, result.stderr).toBe(0);
    expect(holds(JSON.parse(result.stdout))).toBe(true);
  });

  test('integers beyond 2^53 are written as text', async () => {
    const { stdout } = await room.run([
      'sql',
      'SELECT 9007199254740993 AS big, 9007199254740991 AS small',
      '--json',
    ]);
    expect(JSON.parse(stdout)).toEqual([{ big: '9007199254740993', small: 9007199254740991 }]);
  });
});

describe('a command in a pipe', () => {
  test('ends quietly when its reader has seen enough', async () => {
    const child = spawn(
      'bash',
      [
        '-c',
        'set -o pipefail; "$0" "$1" sql "SELECT * FROM index a, index b" --format csv | head -1; echo "codes ${PIPESTATUS[*]}"',
        NODE,
        BIN,
      ],
      { env: { PATH: process.env['PATH'], ...room.env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(err).toBe('');
    expect(out).toMatch(/^collection_id,.*\ncodes 0 0\n$/);
  });

  test('has no colours, no progress bars, and no control codes', async () => {
    const result = await room.run(['get', 'sample_slides', '-o', await room.newFolder()], {
      env: { FORCE_COLOR: undefined },
    });
    expect(result.stdout + result.stderr).not.toContain('\u001b');
    expect(result.stdout + result.stderr).not.toContain('\r');
  });

  test('has colours with --color always, and none with NO_COLOR', async () => {
    const args = ['sql', 'DROP TABLE index'];
    const always = await room.run([...args, '--color', 'always']);
    const search = await room.run([
      'search',
      '--collection',
      'sample_nothing',
      '--collection',
      'sample_pet',
      '--count',
      '--color',
      'always',
    ]);
    expect(always.stderr + search.stderr).toContain('\u001b[');
    const never = await room.run(
      ['search', '--collection', 'sample_nothing', '--collection', 'sample_pet', '--count'],
      { env: { NO_COLOR: '1' } },
    );
    expect(never.stderr).not.toContain('\u001b');
  });

  test('--quiet says nothing but the result', async () => {
    const result = await room.run(['get', 'sample_slides', '-o', await room.newFolder(), '-q']);
    expect(result.code).toBe(0);
    expect(result.stderr).toBe('');
  });

  test('may be redirected: what comes out is a manifest, and nothing else is', async () => {
    const result = await room.run(['search', '--collection', 'sample_slides', '--format', 's5cmd']);
    const manifest = join(room.folder, 'redirected.s5cmd');
    await writeFile(manifest, result.stdout);
    expect(await room.run(['manifest', 'check', manifest])).toMatchObject({ code: 0 });
  });
});
