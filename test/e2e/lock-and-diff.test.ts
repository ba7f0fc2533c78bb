/** Pinning without fetching, fetching what was pinned years ago, and what changed in between. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openReadingRoom, type ReadingRoom, versionIn } from './carrel.ts';

let then: ReadingRoom;
let now: ReadingRoom;
let lockPath: string;

/** Series whose first version must be had years later: corrected since, revised twice, retired from a bucket that was renamed. */
function pinnedThen() {
  const { corrected, revisedTwice, retired } = then.facts;
  return [corrected, revisedTwice, retired].map((one) => versionIn(one, 1));
}

beforeAll(async () => {
  then = await openReadingRoom({ releases: ['v1'] });
  now = await openReadingRoom({ releases: ['v1', 'v2', 'v3'] });
  lockPath = join(await then.newFolder('locks'), 'then.lock.json');
  const made = await then.run(['lock', ...pinnedThen().map(({ version }) => version.uuid), '-o', lockPath]);
  expect(made).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await then?.close();
  await now?.close();
});

describe('carrel lock', () => {
  test('lists and fetches nothing', async () => {
    then.takeRequests();
    then.s3.requests.length = 0;
    const made = await then.run(['lock', '--collection', 'sample_phantom', '-o', '-']);
    expect(made.code).toBe(0);
    const lock = JSON.parse(made.stdout) as { series: { files: { digests: string[] }[] }[] };
    expect(lock.series.length).toBeGreaterThan(0);
    expect(
      lock.series.every(({ files }) => files.every(({ digests }) => digests[0]?.startsWith('md5:'))),
    ).toBe(true);
    expect(then.s3.requests.filter(({ path }) => path.endsWith('.dcm'))).toEqual([]);
  });

  test('gives the same bytes whatever mirror was asked, and those that get writes', async () => {
    const folder = await now.newFolder('same');
    const question = ['--collection', 'sample_brain', '--release', 'v3'];
    for (const from of ['aws', 'gcs']) {
      const { code } = await now.run([
        'lock',
        ...question,
        '--from',
        from,
        '-o',
        join(folder, `${from}.json`),
      ]);
      expect(code).toBe(0);
    }
    const text = await readFile(join(folder, 'aws.json'), 'utf8');
    expect(await readFile(join(folder, 'gcs.json'), 'utf8')).toBe(text);
    expect((await now.run(['get', ...question, '-o', join(folder, 'data')])).code).toBe(0);
    expect(await readFile(join(folder, 'data', 'carrel.lock.json'), 'utf8')).toBe(text);
  });

  test('with nothing to pin writes no file and ends with 4', async () => {
    const path = join(await now.newFolder('none'), 'none.json');
    const { code } = await now.run(['lock', '--collection', 'sample_torso', '--modality', 'SM', '-o', path]);
    expect(code).toBe(4);
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a lock file made under v1, while v3 is current', () => {
  test.each(['aws', 'gcs'])(
    'brings its bytes from %s, also where the bucket has another name since',
    async (from) => {
      const folder = await now.newFolder(`again-${from}`);
      const got = await now.run(['get', lockPath, '--from', from, '-o', folder]);
      expect(got).toMatchObject({ code: 0 });
      await now.mustHold(folder, pinnedThen());
      expect((await now.run(['verify', folder])).code).toBe(0);
    },
  );

  test('is compared with the current release', async () => {
    const { code, stdout } = await now.run(['diff', lockPath, '--json']);
    expect(code).toBe(0);
    const diff = JSON.parse(stdout) as {
      from: object;
      to: object;
      changes: Record<string, { series: number }>;
    };
    expect(diff.from).toMatchObject({ evidence: 'pinned', series: 3 });
    expect(diff.to).toMatchObject({ name: 'v3', evidence: 'published' });
    expect(Object.entries(diff.changes).map(([change, { series }]) => [change, series])).toEqual([
      ['added', 0],
      ['removed', 1],
      ['revised', 2],
      ['moved', 0],
      ['unchanged', 0],
    ]);
  });
});

describe('carrel diff', () => {
  test.each([
    [1, 2],
    [2, 3],
    [1, 3],
  ])('v%i to v%i says what happened to every series', async (from, to) => {
    const { code, stdout } = await now.run(['diff', `v${from}`, `v${to}`, '--json']);
    expect(code).toBe(0);
    const { changes } = JSON.parse(stdout) as { changes: Record<string, { series: number }> };
    const at = (release: number) =>
      new Map(
        now.facts.series.flatMap(({ seriesInstanceUid: uid, versions }) =>
          versions
            .filter((one) => one.from <= release && release <= one.to)
            .map((one) => [uid, one.uuid] as const),
        ),
      );
    const [before, after] = [at(from), at(to)];
    const both = [...before].filter(([uid]) => after.has(uid));
    expect({
      added: [...after.keys()].filter((uid) => !before.has(uid)).length,
      removed: [...before.keys()].filter((uid) => !after.has(uid)).length,
      revised: both.filter(([uid, uuid]) => after.get(uid) !== uuid).length,
    }).toEqual({
      added: changes['added']?.series,
      removed: changes['removed']?.series,
      revised: changes['revised']?.series,
    });
  });

  test('lists in every format, narrowed by the selection flags', async () => {
    const args = ['diff', 'v1', 'v3', '--collection', 'sample_pet', '--change', 'revised'];
    const lines = (await now.run([...args, '--format', 'csv'])).stdout.trim().split('\n');
    expect(lines[0]?.startsWith('change,collection_id,PatientID,')).toBe(true);
    const rows = JSON.parse((await now.run([...args, '--json'])).stdout) as Record<string, unknown>[];
    expect(rows.length).toBeGreaterThan(0);
    expect(lines).toHaveLength(rows.length + 1);
    expect(rows.every((row) => row['change'] === 'revised' && row['uuid_before'] !== row['uuid_after'])).toBe(
      true,
    );
  });

  test('compares the files of slides where their table is installed, and says how to get it where it is not', async () => {
    for (const release of ['v1', 'v2', 'v3'])
      await now.run(['catalog', 'update', '--release', release, '--table', 'sm_instance_index', '-q']);
    const { code, stdout } = await now.run(['diff', 'v1', 'v3', '--instances', '--json']);
    expect(code).toBe(0);
    const { instances } = JSON.parse(stdout) as { instances: Record<string, number> };
    const slides = now.facts.series
      .filter(({ modality }) => modality === 'SM')
      .flatMap((one) => one.versions.filter(({ from, to }) => from <= 3 && to === 3));
    expect(instances).toEqual({
      added: slides.reduce((sum, version) => sum + version.instances.size, 0),
      removed: 0,
      revised: 0,
      unchanged: 0,
      seriesUnknown: 0,
    });
    const without = await then.run(['diff', 'v1', 'v1', '--instances']);
    expect(without.code).toBe(4);
    expect(without.stderr).toContain('--table sm_instance_index');
  });

  test.each([
    [['diff', 'v1', 'v9'], 4],
    [['diff', 'v1', 'nothing.json'], 4],
    [['diff', 'v1', 'v2', '--by', 'Modalty'], 2],
    [['diff', 'v1', 'v2', '--change', 'lost'], 2],
    [['diff', 'v1', 'v2', '--release', 'v3'], 2],
    [['diff', 'v1', 'v2', '--by', 'Modality', '--list'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await now.run(args)).code).toBe(code);
  });
});

test('carrel catalog releases says what answers for each', async () => {
  const { stdout } = await then.run(['catalog', 'releases', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ release: 'v1', evidence: 'published', version: '1.0.0' }]);
});
