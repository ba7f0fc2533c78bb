import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archives/index.ts';
import { type LocateUuidOptions, locateUuid } from '../../src/locations/index.ts';
import { type DrsHost, startDrsHost } from '../fixtures/drs-host.ts';
import { brief, type Commons, failureOf, startCommons } from './commons.ts';

const SERIES = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let commons: Commons;
let host: DrsHost;
let options: LocateUuidOptions;
beforeAll(async () => {
  commons = await startCommons({
    [`idc-open-data-two/${SERIES}/${INSTANCE}.dcm`]: 'head',
    [`idc-open-idc1/${SERIES}/${INSTANCE}.dcm`]: 'head',
  });
  host = await startDrsHost({
    objects: {
      [`dg.4DFC/${INSTANCE}`]: {
        id: `dg.4DFC/${INSTANCE}`,
        size: 4,
        access_methods: [
          { type: 's3', access_url: { url: `s3://idc-open-data-two/${SERIES}/${INSTANCE}.dcm` } },
        ],
      },
    },
  });
  const drs = { prefix: 'dg.4DFC', host: 'nci-crdc.datacommons.io', aliases: [], endpoint: host.endpoint };
  const archive: Archive = { ...commons.archive, drs };
  options = { ...commons.options, archive, http: commons.stores.pool, retryDelayMs: 5 };
});
beforeEach(() => {
  commons.asked();
  commons.s3.faults.splice(0);
  commons.gcs.faults.splice(0);
  host.requests.splice(0);
  host.options.failFirst = [];
});
afterAll(async () => {
  await host.close();
  await commons.close();
});

describe('a uuid that the tables do not know', () => {
  test('is first looked for as a folder in every bucket: an answer with authority, and no resolver', async () => {
    const located = await locateUuid(SERIES.toUpperCase(), options);
    expect(located).toMatchObject({
      level: 'series',
      crdc_series_uuid: SERIES,
      bucketClass: 'head-scans',
      notes: [],
    });
    expect(brief(located)).toEqual([`${SERIES}/${INSTANCE}.dcm 4 aws+gcs`]);
    expect(commons.asked().every((line) => line.startsWith('s3 '))).toBe(true);
    expect(host.requests).toEqual([]);
  });

  test('then with the DRS host, which alone knows where an instance stands', async () => {
    const located = await locateUuid(INSTANCE, options);
    expect(located).toMatchObject({ level: 'instance', crdc_series_uuid: SERIES });
    expect(brief(located)).toEqual([`${SERIES}/${INSTANCE}.dcm 4 aws+gcs`]);
  });

  test('what it is known to name saves the rest', async () => {
    await locateUuid(INSTANCE, { ...options, level: 'instance' });
    expect(commons.asked()).toEqual([]);
    expect(await failureOf(locateUuid(UNKNOWN, { ...options, level: 'series' }))).toMatchObject({
      code: 'not-found',
    });
    expect(host.requests).toHaveLength(1);
  });

  test('the series beside an instance makes the resolver unnecessary', async () => {
    const series = { crdc_series_uuid: SERIES, buckets: { aws: 'idc-open-data-two' }, instanceCount: 7 };
    const located = await locateUuid(INSTANCE, { ...options, series });
    expect(located).toMatchObject({ level: 'instance', crdc_series_uuid: SERIES, notes: [] });
    expect(located.locations[0]?.digests).not.toEqual([]);
    expect(host.requests).toEqual([]);
  });

  test('known to nobody: what was tried', async () => {
    const failure = await failureOf(locateUuid(UNKNOWN, options));
    expect(failure).toMatchObject({
      code: 'not-found',
      item: UNKNOWN,
      message: `nothing is known of ${UNKNOWN}; tried a folder ${UNKNOWN}/ in every bucket of idc, the DRS host nci-crdc.datacommons.io`,
    });
  });

  test('an archive without a resolver, or no client for it: only the buckets', async () => {
    const { http: _, ...without } = options;
    const failure = await failureOf(locateUuid(INSTANCE, without));
    expect(failure).toMatchObject({ code: 'not-found' });
    expect((failure as Error).message).not.toContain('DRS');
    expect(host.requests).toEqual([]);
  });

  test('a study has no folder', async () => {
    const failure = await failureOf(locateUuid(UNKNOWN, { ...options, level: 'study' }));
    expect(failure).toMatchObject({
      next: 'no bucket has folders of studies: name the study by its StudyInstanceUID',
    });
  });

  test('unknown and unanswered are told apart', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 503 } });
    commons.gcs.faults.push({ fault: { kind: 'status', status: 503 } });
    expect(await failureOf(locateUuid(UNKNOWN, options))).toMatchObject({ code: 'network', item: UNKNOWN });
    // The resolver still knows an instance.
    expect(await locateUuid(INSTANCE, options)).toMatchObject({ level: 'instance' });
  });
});
