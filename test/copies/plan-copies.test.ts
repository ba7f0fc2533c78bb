import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import {
  type CopyRequest,
  type PlanTools,
  parseAddress,
  planCopies,
  runCopies,
} from '../../src/copies/index.ts';
import { CarrelError } from '../../src/errors.ts';
import type { Place } from '../../src/stores/index.ts';
import { createMemoryStore, type MemoryStore, md5 } from '../fixtures/memory-store.ts';

const archive = builtInArchive('idc');
let cwd: string;
let store: MemoryStore;
let opened: Place[];

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'carrel-copies-'));
  opened = [];
  fill(['a/1.txt', 'a/2.txt', 'a/c/3.txt', 'b/1.txt']);
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** Each object holds its own key. */
function fill(keys: string[]): void {
  store = createMemoryStore(
    Object.fromEntries(
      keys.map((key) => [key, { bytes: Buffer.from(key), digests: [md5(Buffer.from(key))] }]),
    ),
  );
}

const tools = (more: Partial<PlanTools> = {}): PlanTools => ({
  archive,
  openStore: (place) => {
    opened.push(place);
    return { ...store, place };
  },
  cwd,
  known: new Map(),
  places: { env: {} },
  ...more,
});

/** `cp SOURCE… DESTINATION` → paths below the working folder. */
async function pathsOf(
  sources: string[],
  destination: string,
  more: Partial<CopyRequest> = {},
): Promise<string[]> {
  const plan = await planCopies([{ sources, destination, ...more }], tools());
  expect(plan.problems).toEqual([]);
  return plan.groups.flatMap(({ copies }) => copies.map((copy) => copy.destination.slice(cwd.length + 1)));
}

describe('addresses', () => {
  test.each([
    ['s3://pictures/a b/%2e.txt', 's3', 'pictures', 'a b/%2e.txt'],
    ['s3://pictures', 's3', 'pictures', ''],
    ['gs://pictures/a/../b', 'gs', 'pictures', 'a/../b'],
    ['https://storage.googleapis.com/pictures/a%20b', 'gs', 'pictures', 'a b'],
    ['https://pictures.s3.eu-west-1.amazonaws.com/k', 's3', 'pictures', 'k'],
  ])('%s', (text, scheme, bucket, key) => {
    expect(parseAddress(text, { archive, cwd })).toMatchObject({ key, url: { scheme, bucket } });
  });

  test.each(['', 'drs://dg.4DFC/x', 's3://', 's3:///key', 'ftp://host/file'])('%j is none', (text) => {
    expect(() => parseAddress(text, { archive, cwd })).toThrow(CarrelError);
  });
});

describe('names', () => {
  test('one object goes to a name, or into a folder', async () => {
    await mkdir(join(cwd, 'here'));
    expect(await pathsOf(['s3://pictures/a/1.txt'], 'new')).toEqual(['new']);
    expect(await pathsOf(['s3://pictures/a/1.txt'], 'new/')).toEqual(['new/1.txt']);
    expect(await pathsOf(['s3://pictures/a/1.txt'], 'here')).toEqual(['here/1.txt']);
    expect(await pathsOf(['s3://pictures/a/1.txt'], '.')).toEqual(['1.txt']);
  });

  test('several need a folder', async () => {
    await writeFile(join(cwd, 'file'), '');
    expect(await pathsOf(['s3://pictures/a/1.txt', 's3://pictures/a/2.txt'], 'new')).toEqual([
      'new/1.txt',
      'new/2.txt',
    ]);
    const { problems } = await planCopies([{ sources: ['s3://pictures/a/*'], destination: 'file' }], tools());
    expect(problems.map(({ error }) => error.message)).toEqual([
      'file is a file; several objects need a folder',
    ]);
  });

  test('two objects with one name are refused as a whole', async () => {
    await expect(pathsOf(['s3://pictures/*'], 'new', { flatten: true })).rejects.toMatchObject({
      code: 'unsafe',
      message: 's3://memory/a/1.txt and s3://memory/b/1.txt would both be "1.txt"',
    });
    await expect(
      planCopies(
        [
          { sources: ['s3://pictures/a/1.txt'], destination: 'x/' },
          { sources: ['s3://pictures/b/1.txt'], destination: 'x/1.txt' },
        ],
        tools(),
      ),
    ).rejects.toMatchObject({ code: 'unsafe' });
  });

  test('the same object for the same name, said twice, is one file', async () => {
    expect(await pathsOf(['s3://pictures/a/1.txt', 's3://pictures/a/?.txt'], 'x')).toEqual([
      'x/1.txt',
      'x/2.txt',
    ]);
  });

  test('keys that would hurt are named, the others are fetched', async () => {
    fill(['a/../../etc/passwd', 'a//double', 'a/line\nend', 'a/CON', 'a/good', '/root']);
    const plan = await planCopies([{ sources: ['s3://pictures/*'], destination: 'x' }], tools());
    expect(plan.problems.map(({ item }) => item).sort()).toEqual([
      's3://memory//root',
      's3://memory/a/../../etc/passwd',
      's3://memory/a//double',
      's3://memory/a/CON',
      's3://memory/a/line\nend',
    ]);
    const result = await runCopies(plan, { openStore: tools().openStore, keepState: false });
    expect([result.fetched, result.failed]).toEqual([1, []]);
    expect(await readdir(cwd, { recursive: true })).toEqual(['x', 'x/a', 'x/a/good']);
  });

  test('a web address is named without its query, which may sign it, and never shown with it', async () => {
    fill(['dir/one%20file.dcm?X-Amz-Signature=secret', 'dir/one%20file.dcm?v=2']);
    store.url = (key) => `https://web.example/${key}`;
    const source = (query: string) => `https://web.example/dir/one%20file.dcm?${query}`;
    const plan = await planCopies(
      [{ sources: [source('X-Amz-Signature=secret')], destination: 'x/' }],
      tools(),
    );
    expect(plan.groups[0]?.copies.map(({ url, file }) => [url, file.path])).toEqual([
      ['https://web.example/dir/one%20file.dcm', 'one file.dcm'],
    ]);
    await expect(pathsOf([source('X-Amz-Signature=secret'), source('v=2')], 'x/')).rejects.toMatchObject({
      code: 'unsafe',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('a destination with a wildcard, or in a bucket, is refused', async () => {
    await expect(pathsOf(['s3://pictures/a/1.txt'], 'x/*')).rejects.toMatchObject({ code: 'usage' });
    await expect(pathsOf(['s3://pictures/a/1.txt'], 's3://other/')).rejects.toMatchObject({
      code: 'unsupported',
      next: expect.stringContaining('s5cmd'),
    });
  });
});

describe('what matches nothing is an error', () => {
  test.each([
    ['s3://pictures/none'],
    ['s3://pictures/none/*'],
    ['gs://pictures/none/*'],
    ['gs://pictures/none/**'],
  ])('%s', async (source) => {
    const { problems, files } = await planCopies(
      [{ sources: [source, 's3://pictures/a/1.txt'], destination: 'x/' }],
      tools(),
    );
    expect([problems.map(({ item, error }) => [item, error.code]), files]).toEqual([
      [[source, 'not-found']],
      1,
    ]);
  });

  test('a filter that leaves nothing too', async () => {
    const { problems } = await planCopies(
      [{ sources: ['s3://pictures/a/*'], destination: 'x', exclude: ['*'] }],
      tools(),
    );
    expect(problems.map(({ error }) => error.code)).toEqual(['not-found']);
  });
});

describe('state', () => {
  const options = () => ({ openStore: tools().openStore, keepState: false });
  const copyAll = async (keepState: boolean) => {
    const plan = await planCopies([{ sources: ['s3://pictures/a/*'], destination: 'x' }], tools());
    return await runCopies(plan, { ...options(), keepState });
  };

  test('cp leaves nothing but files', async () => {
    await copyAll(false);
    expect((await readdir(join(cwd, 'x'))).sort()).toEqual(['1.txt', '2.txt', 'c']);
  });

  test('cp leaves the state of others, and its own where it failed', async () => {
    await copyAll(true);
    await copyAll(false);
    expect(await readdir(join(cwd, 'x'))).toContain('.carrel');
    await rm(join(cwd, 'x'), { recursive: true });
    store.misbehave = ({ key }) =>
      key === 'a/2.txt' ? { error: new CarrelError('permission', 'no') } : undefined;
    expect((await copyAll(false)).failed.map(({ path }) => path)).toEqual(['2.txt']);
    expect(await readdir(join(cwd, 'x'))).toContain('.carrel');
  });

  test('several runs into one folder wait for each other', async () => {
    const runs = ['a/1.txt', 'a/2.txt', 'a/c/3.txt'].map(async (key) => {
      const plan = await planCopies([{ sources: [`s3://pictures/${key}`], destination: 'x/' }], tools());
      return await runCopies(plan, options());
    });
    expect((await Promise.all(runs)).map(({ fetched }) => fetched)).toEqual([1, 1, 1]);
    expect((await readdir(join(cwd, 'x'))).filter((name) => name !== '.carrel').sort()).toEqual([
      '1.txt',
      '2.txt',
      '3.txt',
    ]);
  });

  test('an object without a digest that changed at the same size is fetched again', async () => {
    store = createMemoryStore({ 'a/1.txt': { bytes: Buffer.from('old'), etag: 'x-2' } });
    await copyAll(true);
    store.objects.set('a/1.txt', { bytes: Buffer.from('new'), etag: 'y-2' });
    await copyAll(true);
    expect(await readFile(join(cwd, 'x', '1.txt'), 'utf8')).toBe('new');
  });

  test('-n, -s and -u look at what is here', async () => {
    await mkdir(join(cwd, 'x'));
    await writeFile(join(cwd, 'x', '1.txt'), '1234567');
    await writeFile(join(cwd, 'x', '2.txt'), 'other size');
    await utimes(join(cwd, 'x', '1.txt'), 1, 1);
    const left = async (rule: Partial<CopyRequest>) =>
      (
        await planCopies([{ sources: ['s3://pictures/a/?.txt'], destination: 'x', ...rule }], tools())
      ).skipped.map(({ url, reason }) => `${url.slice(-5)} ${reason}`);
    expect(await left({ noClobber: true })).toEqual(['1.txt is here', '2.txt is here']);
    expect(await left({ ifSizeDiffer: true })).toEqual(['1.txt has the same size']);
    // No time is known of the objects: nothing says that they are older.
    expect(await left({ ifSourceNewer: true })).toEqual([]);
  });
});

describe('access', () => {
  const refuse =
    (when: (place: Place) => boolean): PlanTools['openStore'] =>
    (place) => {
      opened.push(place);
      const refusal = () => Promise.reject(new CarrelError('permission', 'access denied', { status: 403 }));
      return when(place)
        ? {
            ...store,
            place,
            stat: refusal,
            list: () => ({ [Symbol.asyncIterator]: () => ({ next: refusal }) }),
          }
        : { ...store, place };
    };
  const places = async (env: Record<string, string>, access?: 'anonymous' | 'signed', payer?: string) => {
    const openStore = refuse((place) => place.access !== 'signed');
    const plan = await planCopies(
      [{ sources: ['s3://pictures/a/1.txt', 's3://pictures/a/2.txt'], destination: 'x' }],
      tools({ openStore, places: { env, access, payer, region: 'eu-west-1' } }),
    );
    return [
      opened.map((place) => place.access),
      plan.problems.map(({ error }) => error.code),
      plan.groups.flatMap(({ copies }) => copies.map(({ file }) => file.sources[0]?.place.access)),
    ];
  };

  test('anonymous first, signed after a refusal where there are credentials; asked once for a bucket', async () => {
    expect(await places({ AWS_PROFILE: 'lab' })).toEqual([
      ['anonymous', 'signed', 'signed'],
      [],
      ['signed', 'signed'],
    ]);
  });

  test('never signed without credentials, or where forbidden', async () => {
    expect(await places({})).toEqual([['anonymous', 'anonymous'], ['permission', 'permission'], []]);
    opened = [];
    expect(await places({ AWS_ACCESS_KEY_ID: 'x' }, 'anonymous')).toEqual([
      ['anonymous', 'anonymous'],
      ['permission', 'permission'],
      [],
    ]);
  });

  test('signed at once where told, and where the reader pays', async () => {
    expect(await places({}, 'signed')).toEqual([['signed', 'signed'], [], ['signed', 'signed']]);
    opened = [];
    await places({}, undefined, 'requester');
    expect(opened[0]).toMatchObject({ access: 'signed', payer: 'requester', region: 'eu-west-1' });
  });
});
