import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withMirrors } from '../../src/archives/index.ts';
import { type ObjectUrlIdentifier, parseIdentifier } from '../../src/identifiers/index.ts';
import {
  type LocateUrlOptions,
  locateUrl,
  urlPlaces,
  wildcardMatcher,
  wildcardPrefix,
} from '../../src/locations/index.ts';
import { writeBuckets } from '../fixtures/tree.ts';
import { brief, type Commons, failureOf, startCommons } from './commons.ts';

const SERIES = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const MOVED = '5d4d4cf8-65e9-4868-9ab5-3c8267157bd2';
const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';

let commons: Commons;
beforeAll(async () => {
  commons = await startCommons({
    [`idc-open-data/${SERIES}/${INSTANCE}.dcm`]: 'four',
    [`idc-open-data/${SERIES}/crdcobj.json`]: '{}',
    [`idc-open-cr/${MOVED}/a.dcm`]: 'x',
    [`idc-open-data-cr/${MOVED}/a.dcm`]: 'x',
    'mine/a/1.txt': '1',
    'mine/a/b/2.txt': '2',
    'mine/a/b/3.json': '3',
    'mine/c d/ü.txt': '4',
  });
});
beforeEach(() => {
  commons.asked();
  commons.s3.faults.splice(0);
  commons.gcs.faults.splice(0);
});
afterAll(() => commons.close());

const url = (text: string) => {
  const identifier = parseIdentifier(text);
  if (identifier.kind !== 'object-url') throw new Error(`${text} is ${identifier.kind}`);
  return identifier;
};
const locate = (text: string | ObjectUrlIdentifier, more: Partial<LocateUrlOptions> = {}) =>
  locateUrl(typeof text === 'string' ? url(text) : text, { ...commons.options, ...more });

describe('URLs of the archive', () => {
  test('an object: size and digest from one request, all mirrors as sources', async () => {
    const located = await locate(`s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`);
    expect(brief(located)).toEqual([`${SERIES}/${INSTANCE}.dcm 4 aws+gcs`]);
    expect(located.locations[0]).toMatchObject({
      crdc_series_uuid: SERIES,
      digests: expect.arrayContaining([expect.stringMatching(/^md5:/)]),
    });
    expect(commons.asked()).toHaveLength(1);
  });

  test.each([
    ['a gs:// URL starts with Google', `gs://idc-open-data/${SERIES}/${INSTANCE}.dcm`, {}, 'gcs+aws'],
    [
      'its https view as well',
      `https://storage.googleapis.com/idc-open-data/${SERIES}/${INSTANCE}.dcm`,
      {},
      'gcs+aws',
    ],
    [
      'and that of Amazon with Amazon',
      `https://idc-open-data.s3.us-east-1.amazonaws.com/${SERIES}/${INSTANCE}.dcm`,
      {},
      'aws+gcs',
    ],
    [
      'the bucket of earlier years is the one of today',
      `gs://public-datasets-idc/${SERIES}/${INSTANCE}.dcm`,
      {},
      'gcs+aws',
    ],
    [
      'the header of a manifest decides over s3://',
      `s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`,
      { endpointHint: 'gcs' },
      'gcs+aws',
    ],
    [
      'so does its endpoint',
      `s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`,
      { endpoint: 'https://storage.googleapis.com' },
      'gcs+aws',
    ],
    [
      'a mirror by name is the only one',
      `s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`,
      { from: 'gcs' },
      'gcs',
    ],
  ])('%s', async (_, text, more, mirrors) => {
    expect(brief(await locate(text, more))).toEqual([`${SERIES}/${INSTANCE}.dcm 4 ${mirrors}`]);
  });

  test.each([
    `s3://idc-open-data/${SERIES}`,
    `s3://idc-open-data/${SERIES}/`,
    `s3://idc-open-data/${SERIES}/*`,
    `s3://idc-open-data/${SERIES}/*.dcm`,
  ])('%s is the series: only its files', async (text) => {
    expect(brief(await locate(text))).toEqual([`${SERIES}/${INSTANCE}.dcm 4 aws+gcs`]);
  });

  test('the cloud that a URL names is asked first for folders too', async () => {
    expect(brief(await locate(`gs://public-datasets-idc/${SERIES}/*`))).toEqual([
      `${SERIES}/${INSTANCE}.dcm 4 gcs+aws`,
    ]);
    expect(commons.asked().every((line) => line.startsWith('gcs '))).toBe(true);
    expect(brief(await locate(`s3://idc-open-data/${SERIES}/*`, { endpointHint: 'gcs' }))).toEqual([
      `${SERIES}/${INSTANCE}.dcm 4 gcs+aws`,
    ]);
  });

  test('a folder that has moved since the manifest was made is found, with a note', async () => {
    const located = await locate(`gs://public-datasets-idc/${MOVED}/*`);
    expect(located.locations[0]?.sources.map(({ place }) => place.bucket)).toEqual([
      'idc-open-cr',
      'idc-open-data-cr',
    ]);
    expect(located.notes).toHaveLength(1);
  });

  test('taken by its letters, a folder is what stands in it', async () => {
    const located = await locate(`s3://idc-open-data/${SERIES}/*`, { literal: true });
    expect(located.locations.map(({ key }) => key)).toEqual([
      `${SERIES}/${INSTANCE}.dcm`,
      `${SERIES}/crdcobj.json`,
    ]);
    expect(await failureOf(locate(`s3://idc-open-data/${MOVED}/*`, { literal: true }))).toMatchObject({
      code: 'not-found',
    });
  });

  test('other wildcards and folders of the bucket are listed', async () => {
    expect(brief(await locate(`s3://idc-open-data/${SERIES.slice(0, 8)}*/6*.dcm`))).toEqual([
      `${SERIES}/${INSTANCE}.dcm 4 aws+gcs`,
    ]);
  });

  test('a mirror that fails is passed over and asked last', async () => {
    commons.s3.faults.push({ fault: { kind: 'status', status: 500 } });
    const located = await locate(`s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`);
    expect(brief(located)).toEqual([`${SERIES}/${INSTANCE}.dcm 4 gcs+aws`]);
    expect(located.notes).toEqual([expect.stringMatching(/^aws could not give /)]);
  });

  test('a disk that lacks an object is passed over without a word and is no source of it', async () => {
    const disk = await writeBuckets({ 'idc-open-data/x.dcm': 'x' });
    const archive = withMirrors(commons.archive, { 'cache:gcs': disk.root });
    const located = await locate(`s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`, { archive });
    expect(brief(located)).toEqual([`${SERIES}/${INSTANCE}.dcm 4 aws+gcs`]);
    expect(located.notes).toEqual([]);
    await disk.remove();
  });

  test('an object that is nowhere', async () => {
    const text = `s3://idc-open-data/${SERIES}/00000000-0000-4000-8000-000000000000.dcm`;
    expect(await failureOf(locate(text))).toMatchObject({ code: 'not-found', item: text });
  });

  test.each([
    [`gs://idc-open/${INSTANCE}.dcm`, /before v14/, new RegExp(`drs://dg.4DFC/${INSTANCE}`)],
    [`gs://public-datasets-idc/${INSTANCE}.dcm`, /before v14/, /name the series/],
  ])('%s cannot be located without its series, and says why', async (text, message, next) => {
    const failure = await failureOf(locate(text));
    expect(failure).toMatchObject({ code: 'not-found', item: text });
    expect((failure as Error).message).toMatch(message);
    expect((failure as { next: string }).next).toMatch(next);
    expect(commons.asked()).toEqual([]);
  });
});

describe('URLs of anybody', () => {
  const endpoint = () => ({ endpoint: commons.s3.url });

  test('go to the public endpoint of their scheme', () => {
    const places = (text: string, more = {}) =>
      urlPlaces(commons.archive, url(text), more).places.map(({ mirror, place }) => [
        mirror,
        place.protocol,
        place.endpoint,
        place.bucket,
      ]);
    expect(places('s3://mine/a')).toEqual([['s3', 's3', 'https://s3.amazonaws.com', 'mine']]);
    expect(places('gs://mine/a')).toEqual([['gs', 'gcs', 'https://storage.googleapis.com', 'mine']]);
    expect(places('s3://mine/a', { endpointHint: 'gcs' })).toEqual([
      ['gs', 'gcs', 'https://storage.googleapis.com', 'mine'],
    ]);
    expect(places('https://example.org/x/y.dcm')).toEqual([['https', 'https', 'https://example.org', '']]);
  });

  test('or to the endpoint that is given, also where the bucket is the archive’s', async () => {
    expect(brief(await locate('s3://mine/a/1.txt', endpoint()))).toEqual(['a/1.txt 1 s3']);
    expect(brief(await locate('gs://mine/a/1.txt', { endpoint: commons.gcs.url }))).toEqual(['a/1.txt 1 gs']);
    expect(brief(await locate(`s3://idc-open-data/${SERIES}/${INSTANCE}.dcm`, endpoint()))).toEqual([
      `${SERIES}/${INSTANCE}.dcm 4 s3`,
    ]);
  });

  test.each([
    ['s3://mine/a/', ['a/1.txt', 'a/b/2.txt', 'a/b/3.json']],
    ['s3://mine/a/*', ['a/1.txt', 'a/b/2.txt', 'a/b/3.json']],
    ['s3://mine/a/*.txt', ['a/1.txt', 'a/b/2.txt']],
    ['s3://mine/a/b/?.txt', ['a/b/2.txt']],
    ['s3://mine/*/3*', ['a/b/3.json']],
    ['s3://mine/c d/ü.txt', ['c d/ü.txt']],
  ])('%s', async (text, keys) => {
    const located = await locate(text, endpoint());
    expect(located.locations.map(({ key }) => key)).toEqual(keys);
  });

  test('nothing that matches is an error', async () => {
    expect(await failureOf(locate('s3://mine/zzz*', endpoint()))).toMatchObject({
      code: 'not-found',
      item: 's3://mine/zzz*',
    });
  });

  test('a file on a plain web server', async () => {
    const text = `${commons.s3.url}/mine/a/1.txt`;
    expect(brief(await locate(text))).toEqual(['mine/a/1.txt 1 https']);
    expect(await failureOf(locate(`${commons.s3.url}/mine/a/`))).toMatchObject({ code: 'unsupported' });
  });
});

describe('wildcards as s5cmd reads them', () => {
  test.each<[string, string, boolean]>([
    ['a/*', 'a/b/c', true],
    ['a/*', 'a/', true],
    ['a/?', 'a//', true],
    ['a/?', 'a/bc', false],
    ['*.dcm', 'x/y.dcm', true],
    ['*.dcm', 'x/y.dcm.gz', false],
    ['a[1].dcm', 'a[1].dcm', true],
    ['a[1].dcm', 'a1.dcm', false],
    ['a.b', 'axb', false],
    ['*', 'line\nbreak', true],
    ['?', '𝒳', true],
  ])('%s %s', (pattern, key, matches) => {
    expect(wildcardMatcher(pattern)(key)).toBe(matches);
  });

  test('every match starts with the prefix that is listed', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-c/*?.[\]-]{0,8}$/),
        fc.stringMatching(/^[a-c/.[\]-]{0,8}$/),
        (pattern, key) => {
          if (wildcardMatcher(pattern)(key)) expect(key.startsWith(wildcardPrefix(pattern))).toBe(true);
        },
      ),
    );
  });

  test('a pattern of many stars is not slow', () => {
    expect(wildcardMatcher(`${'*a'.repeat(12)}b`)('a'.repeat(60))).toBe(false);
  });
});
