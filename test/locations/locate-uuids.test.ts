import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archives/index.ts';
import { type LocateUuidsOptions, locateUuids } from '../../src/locations/index.ts';
import { type DrsHost, startDrsHost } from '../fixtures/drs-host.ts';
import { type Commons, failureOf, startCommons } from './commons.ts';

const uuid = (series: number, file: number) =>
  `${series.toString(16).padStart(8, '0')}-1aca-4aab-a2a1-${file.toString(16).padStart(12, '0')}`;
const SERIES = Array.from({ length: 10 }, (_, n) => uuid(n + 1, 0));
const FILES = SERIES.flatMap((series, n) =>
  Array.from({ length: 50 }, (_, f) => ({ series, instance: uuid(n + 1, f + 1) })),
);
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let commons: Commons;
let host: DrsHost;
let options: LocateUuidsOptions;
beforeAll(async () => {
  commons = await startCommons(
    Object.fromEntries(FILES.map(({ series, instance }) => [`idc-open-data/${series}/${instance}.dcm`, 'x'])),
  );
  host = await startDrsHost({
    objects: Object.fromEntries(
      FILES.map(({ series, instance }) => [
        `dg.4DFC/${instance}`,
        {
          id: instance,
          size: 1,
          access_methods: [
            { type: 's3', access_url: { url: `s3://idc-open-data/${series}/${instance}.dcm` } },
          ],
        },
      ]),
    ),
  });
  const drs = { prefix: 'dg.4DFC', host: 'nci-crdc.datacommons.io', aliases: [], endpoint: host.endpoint };
  const archive: Archive = { ...commons.archive, drs };
  options = { ...commons.options, archive, http: commons.stores.pool, retryDelayMs: 5 };
});
beforeEach(() => {
  commons.asked();
  host.requests.splice(0);
});
afterAll(async () => {
  await host.close();
  await commons.close();
});

async function all(uuids: Iterable<string>, more: Partial<LocateUuidsOptions> = {}) {
  const answers = new Map<string, string>();
  for await (const { uuid: one, located, error } of locateUuids(uuids, { ...options, ...more })) {
    expect(answers.has(one)).toBe(false);
    answers.set(one, located === undefined ? error.code : `${located.level} ${located.locations[0]?.key}`);
  }
  return answers;
}

describe('many uuids', () => {
  test('500 instances of 10 series cost the resolver some requests for each series, not one for each file', async () => {
    const answers = await all(FILES.map(({ instance }) => instance));
    expect(answers).toEqual(
      new Map(FILES.map(({ series, instance }) => [instance, `instance ${series}/${instance}.dcm`])),
    );
    expect(host.requests.length).toBeLessThanOrEqual(2 * SERIES.length);
    expect(commons.asked().length).toBeLessThanOrEqual(12 * SERIES.length);
  });

  test('series, instances, unknown ones and repetitions in one list', async () => {
    const [file] = FILES;
    const wanted = [
      SERIES[3] ?? '',
      file?.instance ?? '',
      UNKNOWN,
      (file?.instance ?? '').toUpperCase(),
      SERIES[4] ?? '',
    ];
    const answers = await all(wanted);
    expect([...answers.entries()].map(([one, answer]) => `${one} ${answer.split(' ')[0]}`).sort()).toEqual(
      [
        `${UNKNOWN} not-found`,
        `${file?.instance} instance`,
        `${SERIES[3]} series`,
        `${SERIES[4]} series`,
      ].sort(),
    );
  });

  test('a series behind a run of instances is found although instances were expected', async () => {
    const wanted = [...FILES.slice(0, 20).map(({ instance }) => instance), SERIES[5] ?? ''];
    const answers = await all(wanted, { jobs: 2 });
    expect(answers.size).toBe(21);
    expect(answers.get(SERIES[5] ?? '')).toMatch(/^series /);
  });

  test('a resolver that is down is not asked for every one of them', async () => {
    const dead = await startDrsHost({ objects: {}, failFirst: Array.from({ length: 999 }, () => 503) });
    const drs = { prefix: 'dg.4DFC', host: 'nci-crdc.datacommons.io', aliases: [], endpoint: dead.endpoint };
    const answers = await all(
      FILES.slice(0, 40).map(({ instance }) => instance),
      {
        archive: { ...commons.archive, drs },
        jobs: 1,
      },
    );
    expect(new Set(answers.values())).toEqual(new Set(['network']));
    expect(answers.size).toBe(40);
    expect(dead.requests.length).toBeLessThanOrEqual(12);
    await dead.close();
  });

  test('the signal ends it', async () => {
    expect(
      await failureOf(
        all(
          FILES.map(({ instance }) => instance),
          { signal: AbortSignal.abort() },
        ),
      ),
    ).toMatchObject({ code: 'interrupted' });
  });
});
