import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withMirrors } from '../../src/archives/index.ts';
import { locateAll, locateSeries, locationsFromInstances, sourcesFor } from '../../src/locations/index.ts';
import { writeBuckets } from '../fixtures/tree.ts';
import { brief, type Commons, failureOf, startCommons } from './commons.ts';

const uuid = (n: number) => `28621ba9-1aca-4aab-a2a1-${n.toString(16).padStart(12, '0')}`;
const OPEN = uuid(1);
const HEADS = uuid(2);
const MOVED = uuid(3);
const ONLY_GCS = uuid(4);
const NOWHERE = uuid(99);
const open = { aws: 'idc-open-data' };
const md5 = (text: string) => `md5:${createHash('md5').update(text).digest('hex')}`;

let commons: Commons;
beforeAll(async () => {
  commons = await startCommons({
    [`idc-open-data/${OPEN}/b.dcm`]: 'bb',
    [`idc-open-data/${OPEN}/a.dcm`]: 'a',
    [`idc-open-data/${OPEN}/crdcobj.json`]: '{}',
    [`idc-open-data/${OPEN}/notes.txt`]: 'x',
    [`idc-open-data/${OPEN}/deeper/c.dcm`]: 'c',
    [`idc-open-data/${OPEN}/.dcm`]: 'no name',
    [`idc-open-data/${OPEN}0/x.dcm`]: 'another series whose uuid starts alike',
    [`idc-open-data-two/${HEADS}/a.dcm`]: 'head',
    [`idc-open-idc1/${HEADS}/a.dcm`]: 'head',
    [`idc-open-data-cr/${MOVED}/a.dcm`]: 'moved',
    [`idc-open-cr/${MOVED}/a.dcm`]: 'moved',
    [`idc-open-cr/${ONLY_GCS}/a.dcm`]: 'gcs',
  });
});
beforeEach(() => {
  commons.asked();
  commons.s3.faults.splice(0);
  commons.gcs.faults.splice(0);
});
afterAll(() => commons.close());

describe('sourcesFor', () => {
  const key = `${OPEN}/a.dcm`;
  const names = (bucket: string | Record<string, string>, from?: string, archive = commons.archive) =>
    sourcesFor(archive, bucket, key, { from }).map(({ mirror, place }) => `${mirror}:${place.bucket}`);

  test('every mirror in the order of the record, each with its own name of the bucket', () => {
    expect(names('idc-open-data-two')).toEqual(['aws:idc-open-data-two', 'gcs:idc-open-idc1']);
    expect(names('idc-open-idc1')).toEqual(['aws:idc-open-data-two', 'gcs:idc-open-idc1']);
    expect(names({ aws: 'idc-open-data-cr' })).toEqual(['aws:idc-open-data-cr', 'gcs:idc-open-cr']);
    expect(names('public-datasets-idc')).toEqual(['aws:idc-open-data', 'gcs:idc-open-data']);
  });

  test('a mirror by its name, and no other', () => {
    expect(names('idc-open-data', 'gcs')).toEqual(['gcs:idc-open-data']);
  });

  test('a disk before the network', () => {
    const archive = withMirrors(commons.archive, { 'cache:gcs': commons.buckets.root });
    expect(names('idc-open-data', 'auto', archive)).toEqual([
      'cache:idc-open-data',
      'aws:idc-open-data',
      'gcs:idc-open-data',
    ]);
  });

  test('what the archive does not have', () => {
    expect(() => names('idc-open-data', 'azure')).toThrow(
      expect.objectContaining({
        code: 'usage',
        next: 'its mirrors are aws, gcs; auto tries them in this order',
      }),
    );
    expect(() => names('somebody-elses')).toThrow(
      expect.objectContaining({ code: 'not-found', item: 'somebody-elses' }),
    );
  });
});

describe('locateSeries', () => {
  test('the files of the folder and nothing else, sorted, with sizes, digests and all mirrors', async () => {
    const series = await locateSeries({ crdc_series_uuid: OPEN, buckets: open }, commons.options);
    expect(series).toEqual({
      crdc_series_uuid: OPEN,
      bucketClass: 'open',
      notes: [],
      locations: [
        expect.objectContaining({
          key: `${OPEN}/a.dcm`,
          size: 1,
          digests: [md5('a')],
          crdc_series_uuid: OPEN,
        }),
        expect.objectContaining({
          key: `${OPEN}/b.dcm`,
          size: 2,
          digests: [md5('bb')],
          crdc_series_uuid: OPEN,
        }),
      ],
    });
    expect(series.locations[0]?.sources).toEqual([
      {
        mirror: 'aws',
        key: `${OPEN}/a.dcm`,
        place: expect.objectContaining({ protocol: 's3', endpoint: commons.s3.url, bucket: 'idc-open-data' }),
      },
      {
        mirror: 'gcs',
        key: `${OPEN}/a.dcm`,
        place: expect.objectContaining({
          protocol: 'gcs',
          endpoint: commons.gcs.url,
          bucket: 'idc-open-data',
        }),
      },
    ]);
    expect(commons.asked()).toHaveLength(1);
  });

  test('with a mirror by name only that one is asked and named; GCS tells CRC32C too', async () => {
    const series = await locateSeries(
      { crdc_series_uuid: OPEN, buckets: open },
      { ...commons.options, from: 'gcs' },
    );
    expect(brief(series)).toEqual([`${OPEN}/a.dcm 1 gcs`, `${OPEN}/b.dcm 2 gcs`]);
    expect(series.locations[0]?.digests.toSorted()).toEqual([
      expect.stringMatching(/^crc32c:[0-9a-f]{8}$/),
      md5('a'),
    ]);
    expect(commons.asked().every((line) => line.startsWith('gcs '))).toBe(true);
  });

  test('a mirror that fails is passed over, with a note', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 503 } });
    const series = await locateSeries({ crdc_series_uuid: OPEN, buckets: open }, commons.options);
    expect(brief(series)).toEqual([`${OPEN}/a.dcm 1 gcs+aws`, `${OPEN}/b.dcm 2 gcs+aws`]);
    expect(series.notes).toEqual([expect.stringMatching(/^aws could not be asked for /)]);
  });

  test('a bucket that was closed to the public (403) is passed over too', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 403 } });
    const series = await locateSeries({ crdc_series_uuid: OPEN, buckets: open }, commons.options);
    expect(series.locations).toHaveLength(2);
  });

  test('with a mirror by name its failure is the answer', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 503 } });
    const failure = await failureOf(
      locateSeries({ crdc_series_uuid: OPEN, buckets: open }, { ...commons.options, from: 'aws' }),
    );
    expect(failure).toMatchObject({
      code: 'network',
      item: OPEN,
      retryable: true,
      next: 'try --from auto, which also asks the other mirrors',
    });
  });

  test('a series that has moved to another bucket is found, with a note', async () => {
    const series = await locateSeries({ crdc_series_uuid: MOVED, buckets: open }, commons.options);
    expect(series.bucketClass).toBe('commercial-restricted');
    expect(series.locations[0]?.sources.map(({ place }) => place.bucket)).toEqual([
      'idc-open-data-cr',
      'idc-open-cr',
    ]);
    expect(series.notes).toEqual([
      `${MOVED} stands in the bucket class commercial-restricted, not in open as the catalogue says`,
    ]);
  });

  test('a mirror that was seen not to have it is not offered as a source', async () => {
    const series = await locateSeries(
      { crdc_series_uuid: ONLY_GCS, buckets: { aws: 'idc-open-data-cr' } },
      commons.options,
    );
    expect(brief(series)).toEqual([`${ONLY_GCS}/a.dcm 3 gcs`]);
  });

  test('a version that no bucket holds: where was looked, and that it may be withdrawn', async () => {
    const failure = await failureOf(
      locateSeries({ crdc_series_uuid: NOWHERE, buckets: open }, commons.options),
    );
    expect(failure).toMatchObject({ code: 'not-found', item: NOWHERE });
    const next = (failure as { next: string }).next;
    for (const bucket of [
      'aws:idc-open-data',
      'aws:idc-open-data-two',
      'gcs:idc-open-idc1',
      'gcs:idc-open-cr',
    ]) {
      expect(next).toContain(bucket);
    }
  });

  test('a mirror asked for by name says that it is the only one that was asked', async () => {
    const failure = await failureOf(
      locateSeries({ crdc_series_uuid: ONLY_GCS, buckets: open }, { ...commons.options, from: 'aws' }),
    );
    expect((failure as { next: string }).next).toContain(
      'the other mirrors were not asked (--from auto does)',
    );
  });

  test('a series of more files than a page of a listing holds', async () => {
    const many = uuid(5);
    const names = Array.from({ length: 1205 }, (_, n) => `${n.toString().padStart(5, '0')}.dcm`);
    await commons.buckets.write(
      Object.fromEntries(names.map((name) => [`idc-open-data/${many}/${name}`, 'x'])),
    );
    for (const from of ['aws', 'gcs']) {
      const series = await locateSeries(
        { crdc_series_uuid: many, buckets: open },
        { ...commons.options, from },
      );
      expect(series.locations.map(({ key }) => key)).toEqual(names.map((name) => `${many}/${name}`));
    }
    expect(commons.asked()).toHaveLength(4);
  });

  test('not found and could not ask are different answers', async () => {
    commons.gcs.faults.push({ fault: { kind: 'reset' } });
    const failure = await failureOf(
      locateSeries({ crdc_series_uuid: NOWHERE, buckets: open }, commons.options),
    );
    expect(failure).toMatchObject({ code: 'network', item: NOWHERE });
  });

  test('fewer files than the catalogue says: other mirrors are asked, and the gap is said', async () => {
    const archive = withMirrors(commons.archive, { 'cache:gcs': commons.buckets.root });
    const short = { crdc_series_uuid: OPEN, buckets: open, instanceCount: 3 };
    const series = await locateSeries(short, { ...commons.options, archive });
    expect(commons.asked()).toHaveLength(2);
    expect(series.notes).toEqual([
      `${OPEN} has 2 files where the catalogue says 3: some may have been withdrawn`,
    ]);
  });

  test('a disk that holds a part of a series does not pass for the whole', async () => {
    const disk = await writeBuckets({ [`idc-open-data/${OPEN}/a.dcm`]: 'a' });
    const archive = withMirrors(commons.archive, { 'cache:gcs': disk.root });
    const series = await locateSeries(
      { crdc_series_uuid: OPEN, buckets: open, instanceCount: 2 },
      { ...commons.options, archive },
    );
    expect(brief(series)[1]).toBe(`${OPEN}/b.dcm 2 aws+gcs`);
    await disk.remove();
  });

  test('the signal ends it', async () => {
    commons.s3.faults.push({ fault: { kind: 'silence' } });
    const signal = AbortSignal.timeout(50);
    const failure = await failureOf(
      locateSeries({ crdc_series_uuid: OPEN, buckets: open }, { ...commons.options, signal }),
    );
    expect(failure).toMatchObject({ code: 'interrupted' });
  });
});

describe('locateAll', () => {
  const rows = [OPEN, NOWHERE, HEADS].map((crdc_series_uuid) => ({ crdc_series_uuid, buckets: {} }));

  test('each row is answered, also those that fail', async () => {
    const seen = new Map<string, string>();
    for await (const { row, located, error } of locateAll(rows, commons.options)) {
      seen.set(row.crdc_series_uuid, located?.bucketClass ?? error?.code ?? '');
    }
    expect([...seen].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([
      [OPEN, 'open'],
      [HEADS, 'head-scans'],
      [NOWHERE, 'not-found'],
    ]);
  });

  test('rows are handed over as they are listed, not in the order of the slowest', async () => {
    commons.s3.faults.push({ path: OPEN, fault: { kind: 'delay', milliseconds: 300 } });
    const order: string[] = [];
    for await (const { row } of locateAll(
      [rows[0], rows[2]].flatMap((row) => row ?? []),
      commons.options,
    )) {
      order.push(row.crdc_series_uuid);
    }
    expect(order).toEqual([HEADS, OPEN]);
  });

  test('no more than `jobs` at a time, and rows are drawn as they are needed', async () => {
    let drawn = 0;
    let answered = 0;
    let ahead = 0;
    async function* many() {
      for (let n = 0; n < 20; n += 1) {
        drawn += 1;
        ahead = Math.max(ahead, drawn - answered);
        yield { crdc_series_uuid: OPEN, buckets: open };
      }
    }
    for await (const { located } of locateAll(many(), { ...commons.options, jobs: 3 })) {
      answered += 1;
      expect(located?.locations).toHaveLength(2);
    }
    expect(answered).toBe(20);
    expect(ahead).toBeLessThanOrEqual(4);
  });

  test('a dead mirror is soon asked last', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 500 } });
    const many = Array.from({ length: 12 }, () => ({ crdc_series_uuid: OPEN, buckets: open }));
    for await (const { located } of locateAll(many, { ...commons.options, jobs: 1 })) {
      expect(located?.locations).toHaveLength(2);
    }
    expect(commons.asked().filter((line) => line.startsWith('s3 '))).toHaveLength(3);
  });

  test('the signal ends all of it; leaving the loop stops what is under way', async () => {
    commons.s3.faults.push({ fault: { kind: 'silence' } });
    const all = async (signal: AbortSignal) => {
      for await (const _ of locateAll(rows, { ...commons.options, signal }));
    };
    expect(await failureOf(all(AbortSignal.timeout(50)))).toMatchObject({ code: 'interrupted' });
    commons.s3.faults.splice(0);
    commons.s3.faults.push({ path: HEADS, fault: { kind: 'silence' } });
    for await (const { row } of locateAll(
      [rows[0], rows[2]].flatMap((row) => row ?? []),
      commons.options,
    )) {
      expect(row.crdc_series_uuid).toBe(OPEN);
      break;
    }
  });
});

test('instances that a table names need no listing', () => {
  const locations = locationsFromInstances(
    { crdc_series_uuid: OPEN, buckets: open },
    [{ crdc_instance_uuid: uuid(8), instance_size: 12n }, { crdc_instance_uuid: uuid(7) }],
    commons.options,
  );
  expect(brief({ locations, notes: [] })).toEqual([
    `${OPEN}/${uuid(7)}.dcm ? aws+gcs`,
    `${OPEN}/${uuid(8)}.dcm 12 aws+gcs`,
  ]);
  expect(commons.asked()).toEqual([]);
});
