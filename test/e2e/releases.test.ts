/** A release is a fact: what was pinned comes back to the bit, whatever has been published since. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startObjectServers } from '../fixtures/servers.ts';
import { writeBuckets } from '../fixtures/tree.ts';
import { jsonLines, openReadingRoom, type ReadingRoom, summaryOf, versionIn } from './carrel.ts';

let then: ReadingRoom;
let now: ReadingRoom;
beforeAll(async () => {
  // Two desks: one of the time of the first release, one that knows nothing but the newest.
  [then, now] = await Promise.all([
    openReadingRoom({ releases: ['v1'] }),
    openReadingRoom({ releases: ['v3'] }),
  ]);
});
afterAll(async () => {
  await then?.close();
  await now?.close();
});

describe('a lock file of the first release', () => {
  test.each(['corrected', 'added', 'revisedTwice', 'retired', 'doubled'] as const)(
    'brings a series that was %s back as it was',
    async (what) => {
      const series = then.facts[what];
      const old = versionIn(series, 1);
      const first = await then.newFolder();
      expect(await then.run(['get', series.seriesInstanceUid, '-o', first])).toMatchObject({ code: 0 });
      const paths = await then.mustHold(first, [old]);

      const again = await now.newFolder();
      const result = await now.run(['get', join(first, 'carrel.lock.json'), '-o', again, '--json']);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(jsonLines(result.stdout)[0]).toMatchObject({ type: 'cohort', release: 'v1' });
      expect(await now.mustHold(again, [old])).toEqual(paths);
      expect(await readFile(join(again, 'carrel.lock.json'), 'utf8')).toBe(
        await readFile(join(first, 'carrel.lock.json'), 'utf8'),
      );
    },
  );

  test('needs no catalogue at all', async () => {
    const { corrected } = then.facts;
    const first = await then.newFolder();
    await then.run(['get', corrected.seriesInstanceUid, '-o', first]);
    const again = await then.newFolder();
    const result = await then.run(['get', join(first, 'carrel.lock.json'), '-o', again], {
      env: { CARREL_CACHE_DIR: await then.newFolder('empty-cache') },
    });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    await then.mustHold(again, [versionIn(corrected, 1)]);
  });

  test('names what was withdrawn since, and brings the rest', async () => {
    const { withdrawn, corrected } = then.facts;
    const [gone, kept] = [versionIn(withdrawn, 1), versionIn(corrected, 1)];
    // The buckets of that time, with files that nobody has any more.
    const folder = `${withdrawn.bucket}/${gone.version.uuid}`;
    const buckets = await writeBuckets(
      Object.fromEntries([
        ...[...gone.version.instances.values()].map((uuid) => [`${folder}/${uuid}.dcm`, `withdrawn ${uuid}`]),
        ...(await Promise.all(
          [...kept.version.instances.values()].map(async (uuid) => [
            `${corrected.bucket}/${kept.version.uuid}/${uuid}.dcm`,
            await then.source(kept, uuid),
          ]),
        )),
      ]),
    );
    const servers = await startObjectServers({ root: buckets.root });
    const first = await then.newFolder();
    try {
      const uids = [withdrawn, corrected].map(({ seriesInstanceUid }) => seriesInstanceUid);
      const result = await then.run(['get', ...uids, '--mirror', `aws=${servers.s3.url}`, '-o', first]);
      expect(result, result.stderr).toMatchObject({ code: 0 });
    } finally {
      await servers.close();
      await buckets.remove();
    }

    const again = await now.newFolder();
    const result = await now.run([
      'get',
      join(first, 'carrel.lock.json'),
      '-o',
      again,
      '--json',
      '--from',
      'auto',
    ]);
    expect(result.code).toBe(3);
    const failures = jsonLines(result.stdout).filter(({ type }) => type === 'failure');
    expect(failures).toHaveLength(gone.version.instances.size);
    for (const { code, path } of failures) {
      expect(code).toBe('not-found');
      expect(path).toContain(withdrawn.seriesInstanceUid);
    }
    await now.mustHold(again, [kept]);
  });
});

describe('a withdrawn series', () => {
  test('by its uuid or its UID, is not found, and that is said in words', async () => {
    const { withdrawn } = now.facts;
    const byUid = await now.run(['get', withdrawn.seriesInstanceUid, '-o', await now.newFolder()]);
    expect(byUid.code).toBe(4);
    expect(byUid.stderr).toContain(withdrawn.seriesInstanceUid);
    const shown = await now.run(['show', versionIn(withdrawn, 1).version.uuid]);
    expect(shown.code).toBe(4);
  });

  test('that the tables of its time still list ends with 4, naming it', async () => {
    const uuid = versionIn(then.facts.withdrawn, 1).version.uuid;
    const out = await then.newFolder();
    const result = await then.run(['get', uuid, '-o', out, '--json', '--from', 'auto']);
    expect(result.code).toBe(4);
    expect(jsonLines(result.stderr).at(-1)).toMatchObject({ code: 'not-found', exit: 4 });
    expect(result.stderr).toContain(uuid);
    await then.mustHold(out, []);
  });
});

describe('--release', () => {
  test('answers from the tables of that release where they are installed', async () => {
    const out = await then.newFolder();
    const { broughtBack } = then.facts;
    expect(
      await then.run(['get', broughtBack.seriesInstanceUid, '--release', 'v1', '-o', out]),
    ).toMatchObject({
      code: 0,
    });
    await then.mustHold(out, [versionIn(broughtBack, 1)]);
  });

  test('is derived from newer tables where they are not, and says so', async () => {
    const out = await now.newFolder();
    const { corrected } = now.facts;
    const result = await now.run(['get', corrected.seriesInstanceUid, '--release', 'v1', '-o', out]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(/v3/);
    await now.mustHold(out, [versionIn(corrected, 1)]);
  });

  test('counts what each release published', async () => {
    expect(await now.run(['catalog', 'update', '--release', 'v2', '-q'])).toMatchObject({ code: 0 });
    for (const [room, name] of [
      [then, 'v1'],
      [now, 'v2'],
      [now, 'v3'],
    ] as const) {
      const known = room.facts.releases.find((release) => release.name === name);
      const { stdout } = await room.run(['search', '--release', name, '--count', '--json']);
      expect(JSON.parse(stdout), name).toMatchObject({ series: known?.series, instances: known?.files });
    }
  });
});

test('history names every version and the releases that hold it', async () => {
  const { revisedTwice } = now.facts;
  const result = await now.run(['history', revisedTwice.seriesInstanceUid, '--json']);
  expect(result.code).toBe(0);
  for (const { uuid } of revisedTwice.versions) expect(result.stdout).toContain(uuid);
  // Any of them can be fetched by its name.
  const out = await now.newFolder();
  const all = await now.run([
    'get',
    ...revisedTwice.versions.map(({ uuid }) => uuid),
    '-o',
    out,
    '--json',
    '--layout',
    '{crdc_series_uuid}/{file}',
  ]);
  expect(all.code).toBe(0);
  expect(summaryOf(all)).toMatchObject({
    planned: revisedTwice.versions.reduce((sum, { instances }) => sum + instances.size, 0),
    failed: 0,
  });
});
