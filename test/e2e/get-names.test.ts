/** Whatever names the data leads to the right files: every form of a name, alone and mixed, byte for byte. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExpectedSeries, openReadingRoom, type ReadingRoom, versionIn } from './carrel.ts';

let room: ReadingRoom;
beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());

/** Gets into a new folder, expects success, and holds the folder against the buckets. */
async function mustGet(
  args: readonly string[],
  expected: readonly ExpectedSeries[],
  options: { stdin?: string; cwd?: string } = {},
): Promise<string[]> {
  const out = await room.newFolder();
  const result = await room.run(['get', ...args, '-o', out], options);
  expect(result, result.stderr).toMatchObject({ code: 0, signal: null });
  return await room.mustHold(out, expected);
}

/** The newest versions of every series that a rule picks. */
function current(pick: (one: ExpectedSeries) => boolean): ExpectedSeries[] {
  return room.facts.series.flatMap((series) => {
    if (!series.versions.some(({ to }) => to === 3)) return [];
    const one = versionIn(series);
    return pick(one) ? [one] : [];
  });
}

describe('one series of the archive', () => {
  test('by its SeriesInstanceUID, under the layout of the archive', async () => {
    const { corrected } = room.facts;
    const one = versionIn(corrected);
    const paths = await mustGet([corrected.seriesInstanceUid], [one]);
    const { collectionId, patientId, studyInstanceUid, seriesInstanceUid } = corrected;
    expect(paths).toEqual(
      [...one.version.instances.values()]
        .map((uuid) => `${collectionId}/${patientId}/${studyInstanceUid}/CT_${seriesInstanceUid}/${uuid}.dcm`)
        .sort(),
    );
  });

  test('by its uuid, in any case, also of a version that was superseded', async () => {
    const { corrected } = room.facts;
    const [old, now] = [versionIn(corrected, 1), versionIn(corrected)];
    await mustGet([now.version.uuid.toUpperCase()], [now]);
    await mustGet([old.version.uuid], [old]);
  });

  test.each([
    ['drs:// with the prefix', (uuid: string) => `drs://dg.SAMPLE/${uuid}`],
    ['drs:// compact', (uuid: string) => `drs://dg.SAMPLE:${uuid}`],
    ['drs:// with the host', (uuid: string) => `drs://127.0.0.1:9002/${uuid}`],
    ['drs:// with the host and the prefix', (uuid: string) => `drs://127.0.0.1:9002/dg.SAMPLE/${uuid}`],
    ['drs:// with an escaped slash', (uuid: string) => `drs://127.0.0.1:9002/dg.SAMPLE%2F${uuid}`],
    ['a GUID', (uuid: string) => `dg.SAMPLE/${uuid}`],
    ['the URL of its DRS object', (uuid: string) => `http://127.0.0.1:9002/ga4gh/drs/v1/objects/${uuid}`],
    ['an s3:// folder', (uuid: string) => `s3://sample-open-data/${uuid}/`],
    ['an s3:// folder without its slash', (uuid: string) => `s3://sample-open-data/${uuid}`],
    ['a gs:// wildcard', (uuid: string) => `gs://sample-open-data/${uuid}/*`],
    ['a gs:// wildcard of files', (uuid: string) => `gs://sample-open-data/${uuid}/*.dcm`],
    ['a bucket under its former name', (uuid: string) => `gs://public-datasets-sample/${uuid}/*`],
    [
      'the web view of the bucket on S3',
      (uuid: string) => `https://sample-open-data.s3.amazonaws.com/${uuid}/`,
    ],
    [
      'the web view of the bucket on GCS',
      (uuid: string) => `https://storage.googleapis.com/sample-open-data/${uuid}/`,
    ],
  ])('by %s', async (_, spell) => {
    const one = versionIn(room.facts.added);
    await mustGet([spell(one.version.uuid)], [one]);
  });

  test('by the link to its study in the viewer', async () => {
    const { studyInstanceUid } = room.facts.added;
    await mustGet(
      [`http://127.0.0.1:9003/viewer?StudyInstanceUIDs=${studyInstanceUid}`],
      current(({ series }) => series.studyInstanceUid === studyInstanceUid),
    );
  });
});

describe('a single object', () => {
  test.each([
    's3://sample-open-data/',
    'gs://sample-open-data/',
    'https://sample-open-data.s3.us-east-1.amazonaws.com/',
  ])('by %s', async (base) => {
    const one = versionIn(room.facts.removed);
    const [instance = ''] = one.version.instances.values();
    await mustGet([`${base}${one.version.uuid}/${instance}.dcm`], [{ ...one, instances: [instance] }]);
  });

  test('by a wildcard that only some of its siblings match', async () => {
    const one = versionIn(room.facts.removed);
    const instances = [...one.version.instances.values()].filter((uuid) => uuid.startsWith('0'));
    expect(instances.length).toBeGreaterThan(0);
    await mustGet([`s3://sample-open-data/${one.version.uuid}/0*`], [{ ...one, instances }]);
  });

  test('by the address of a plain web server', async () => {
    const one = versionIn(room.facts.removed);
    const [instance = ''] = one.version.instances.values();
    const url = `${room.gcs.url}/sample-open-data/${one.version.uuid}/${instance}.dcm`;
    await mustGet([url], [{ ...one, instances: [instance] }]);
  });
});

describe('collections, patients and studies', () => {
  test('a collection by its id', async () => {
    await mustGet(
      ['sample_slides'],
      current(({ series }) => series.collectionId === 'sample_slides'),
    );
  });

  test.each(['blanks', 'uid', 'equals'] as const)('a PatientID with %s', async (kind) => {
    const id = room.facts.oddPatientIds[kind];
    await mustGet(
      [id],
      current(({ series }) => series.patientId === id),
    );
  });

  test('a PatientID of two people is never guessed: the choices are listed, and nothing is written', async () => {
    const out = await room.newFolder();
    const result = await room.run(['get', room.facts.sharedPatientId, '-o', out]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('sample_pet');
    expect(result.stderr).toContain('sample_torso');
    expect(result.stderr).toMatch(/--collection.*--all/);
    await room.mustHold(out, []);
  });

  test('--collection chooses one of them, --all takes both', async () => {
    const id = room.facts.sharedPatientId;
    await mustGet(
      [id, '--collection', 'sample_pet'],
      current(({ series }) => series.patientId === id && series.collectionId === 'sample_pet'),
    );
    await mustGet(
      [id, '--all'],
      current(({ series }) => series.patientId === id),
    );
  });

  test('a UID that is a study and a series needs --as', async () => {
    const uid = room.facts.ambiguousUid;
    const refused = await room.run(['get', uid, '-o', await room.newFolder()]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/--as series.*--as study/);
    const asSeries = current(({ series }) => series.seriesInstanceUid === uid);
    const asStudy = current(({ series }) => series.studyInstanceUid === uid);
    expect(asSeries).not.toEqual(asStudy);
    await mustGet([uid, '--as', 'series'], asSeries);
    await mustGet([uid, '--as', 'study'], asStudy);
  });
});

describe('lists', () => {
  /** Three small series of three collections. */
  function few(): [ExpectedSeries, ExpectedSeries, ExpectedSeries] {
    const { removed, revisedTwice, controlBytes } = room.facts;
    return [versionIn(removed), versionIn(revisedTwice), versionIn(controlBytes)];
  }
  async function list(name: string, text: string): Promise<string> {
    const path = join(await room.newFolder(), name);
    await writeFile(path, text);
    return path;
  }

  test('an s5cmd run file', async () => {
    const series = few();
    const text = series.map(({ series: { bucket }, version }) => `cp s3://${bucket}/${version.uuid}/* .\n`);
    await mustGet([await list('cohort.s5cmd', `# s5cmd --no-sign-request run\n${text.join('')}`)], series);
  });

  test('a CSV of the portal', async () => {
    const series = few();
    const rows = series.map(
      ({ series: one, version }) =>
        `"${one.patientId}",${one.collectionId},${one.studyInstanceUid},${one.seriesInstanceUid},${version.uuid}\n`,
    );
    await mustGet(
      [
        await list(
          'cohort.csv',
          `PatientID,collection_id,StudyInstanceUID,SeriesInstanceUID,crdc_series_uuid\n${rows.join('')}`,
        ),
      ],
      series,
    );
  });

  test('a list of UIDs', async () => {
    const series = few();
    await mustGet(
      [await list('uids.txt', series.map(({ series: one }) => `${one.seriesInstanceUid}\n`).join(''))],
      series,
    );
  });

  test('an NBIA manifest', async () => {
    const series = few();
    const text = `downloadServerUrl=https://example.org/servlet\nincludeAnnotation=true\nnoOfrRetry=4\ndatabasketId=manifest-1.tcia\nmanifestVersion=3.0\nListOfSeriesToDownload=\n${series.map(({ series: one }) => one.seriesInstanceUid).join('\n')}`;
    await mustGet([await list('manifest.tcia', text)], series);
  });

  test('stdin', async () => {
    const series = few();
    await mustGet(['-'], series, { stdin: series.map(({ version }) => `${version.uuid}\n`).join('') });
  });

  test('a lock file, and it is written again letter for letter', async () => {
    const series = few();
    const first = await room.newFolder();
    await room.run(['get', ...series.map(({ version }) => version.uuid), '-o', first]);
    const second = await room.newFolder();
    const again = await room.run(['get', join(first, 'carrel.lock.json'), '-o', second]);
    expect(again).toMatchObject({ code: 0 });
    expect(await room.mustHold(second, series)).toEqual(await room.mustHold(first, series));
    const [before, after] = [first, second].map((folder) =>
      readFile(join(folder, 'carrel.lock.json'), 'utf8'),
    );
    expect(await after).toBe(await before);
  });

  test('all of it mixed in one call, each series once', async () => {
    const [one, two, three] = few();
    const { retired } = room.facts;
    const manifest = await list('part.s5cmd', `cp s3://${two.series.bucket}/${two.version.uuid}/* .\n`);
    await mustGet(
      [
        one.series.seriesInstanceUid,
        `drs://dg.SAMPLE/${one.version.uuid}`,
        manifest,
        `gs://sample-open-cr/${three.version.uuid}/`,
        versionIn(retired, 2).version.uuid,
      ],
      [one, two, three, versionIn(retired, 2)],
    );
  });

  test('a bad line of a list is named, the others are fetched, and the end is not 0', async () => {
    const [one] = few();
    const path = await list(
      'half.txt',
      `${one.version.uuid}\n00000000-0000-4000-8000-000000000000\n1.2.3.4.5\n`,
    );
    const out = await room.newFolder();
    const result = await room.run(['get', path, '-o', out, '--json']);
    expect(result.code).toBe(3);
    expect(result.stdout).toContain('half.txt:3');
    expect(result.stdout).toContain('00000000-0000-4000-8000-000000000000');
    await room.mustHold(out, [one]);
  });
});

describe('two runs of one cohort', () => {
  test('write the same lock file, whatever the folder and the mirror', async () => {
    const [a, b] = [await room.newFolder(), await room.newFolder('elsewhere')];
    const question = ['--collection', 'sample_phantom', '--limit', '3'];
    expect(await room.run(['get', ...question, '-o', a, '--from', 'aws'])).toMatchObject({ code: 0 });
    expect(await room.run(['get', ...question, '-o', b, '--from', 'gcs'])).toMatchObject({ code: 0 });
    const [first, second] = await Promise.all(
      [a, b].map(async (folder) => await readFile(join(folder, 'carrel.lock.json'), 'utf8')),
    );
    expect(second).toBe(first);
    expect(first).not.toContain(room.folder);
  });
});
