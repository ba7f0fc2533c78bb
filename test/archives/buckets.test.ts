/** From the name of a bucket to the places where its objects stand. */
import { describe, expect, test } from 'vitest';
import {
  bucketClassOf,
  bucketsFor,
  builtInArchive,
  hasFlatKeys,
  mirrorFor,
  parseArchive,
  placesFor,
  withMirrors,
} from '../../src/archives/index.ts';
import type { Place } from '../../src/stores/store.ts';
import { institute } from './institute.ts';

const idc = builtInArchive('idc');
const ours = parseArchive(institute, { origin: 'test' });
const aws = {
  protocol: 's3',
  endpoint: 'https://s3.amazonaws.com',
  region: 'us-east-1',
  access: 'anonymous',
  addressing: 'path',
};
const gcs = {
  protocol: 'gcs',
  endpoint: 'https://storage.googleapis.com',
  region: undefined,
  access: 'anonymous',
  addressing: 'path',
};

describe('the mirror that a URL means', () => {
  test.each([
    ['s3', 'idc-open-data', 'aws'], // one name on both clouds: the scheme decides
    ['gs', 'idc-open-data', 'gcs'],
    [undefined, 'idc-open-data', 'aws'],
    ['https', 'idc-open-data', 'aws'],
    ['s3', 'idc-open-data-two', 'aws'],
    ['gs', 'idc-open-idc1', 'gcs'],
    ['s3', 'idc-open-idc1', 'gcs'], // s5cmd with Google's S3 interface
    ['gs', 'idc-open-data-cr', 'aws'],
    ['s3', 'public-datasets-idc', 'gcs'], // portal manifests before v20
    ['gs', 'public-datasets-idc', 'gcs'],
    ['s3', 'invalid-idc-open-data', undefined],
  ])('%s://%s: %s', (scheme, bucket, name) => {
    expect(mirrorFor(idc, scheme, bucket)?.name).toBe(name);
  });

  test('stays the same where it was pointed to a disk', () => {
    const here = withMirrors(idc, ['gcs=/data/gcs']);
    expect(mirrorFor(here, 'gs', 'idc-open-data')).toMatchObject({
      name: 'gcs',
      protocol: 'file',
      endpoint: '/data/gcs',
    });
  });
});

describe('places, best first', () => {
  test('are what the stores take', () => {
    const places: { mirror: string; place: Place }[] = placesFor(idc, 'idc-open-data');
    expect(places).toEqual([
      { mirror: 'aws', place: { ...aws, bucket: 'idc-open-data' } },
      { mirror: 'gcs', place: { ...gcs, bucket: 'idc-open-data' } },
    ]);
  });

  test('start with the mirror that the URL means', () => {
    expect(placesFor(idc, 'idc-open-data', { scheme: 'gs' }).map(({ mirror }) => mirror)).toEqual([
      'gcs',
      'aws',
    ]);
    expect(placesFor(idc, 'idc-open-data', { scheme: 's3' }).map(({ mirror }) => mirror)).toEqual([
      'aws',
      'gcs',
    ]);
  });

  test('carry the names of today, whatever the name of the question', () => {
    for (const name of ['idc-open-data-two', 'idc-open-idc1']) {
      expect(placesFor(idc, name).map(({ place }) => place.bucket)).toEqual([
        'idc-open-data-two',
        'idc-open-idc1',
      ]);
    }
    expect(
      placesFor(idc, 'public-datasets-idc', { scheme: 'gs' }).map(
        ({ mirror, place }) => `${mirror} ${place.bucket}`,
      ),
    ).toEqual(['gcs idc-open-data', 'aws idc-open-data']);
  });

  test('leave out mirrors that have no such bucket', () => {
    expect(placesFor(ours, 'members').map(({ mirror }) => mirror)).toEqual(['local']);
    expect(
      placesFor(ours, 'institute-public').map(({ mirror, place }) => `${mirror} ${place.bucket}`),
    ).toEqual(['local public', 'web public-web', 'partner institute-public']);
  });

  test.each(['stranger', 'constructor', '__proto__', ''])('there are none for %j', (bucket) => {
    expect(placesFor(idc, bucket)).toEqual([]);
    expect(placesFor(idc, bucket, { scheme: 's3' })).toEqual([]);
    expect(bucketsFor(idc, bucket)).toEqual({});
    expect(bucketClassOf(idc, bucket)).toBeUndefined();
  });
});

describe('buckets', () => {
  test('have one name per mirror', () => {
    expect(bucketsFor(idc, 'idc-open-cr')).toEqual({ aws: 'idc-open-data-cr', gcs: 'idc-open-cr' });
    expect(bucketsFor(idc, 'public-datasets-idc')).toEqual({ aws: 'idc-open-data', gcs: 'idc-open-data' });
  });

  test('cannot be changed through an answer', () => {
    bucketsFor(idc, 'idc-open-cr')['aws'] = 'mine';
    expect(bucketsFor(idc, 'idc-open-cr')['aws']).toBe('idc-open-data-cr');
  });

  test.each([
    ['idc-open', true],
    ['idc-open-idc', true],
    ['public-datasets-idc', false],
    ['idc-open-data', false],
    ['stranger', false],
  ])('%s held flat keys: %s', (bucket, flat) => {
    expect(hasFlatKeys(idc, bucket)).toBe(flat);
  });

  test('a name of today wins over the same name of an earlier year', () => {
    const record = structuredClone(institute) as unknown as {
      bucketClasses: { buckets: Record<string, string>; historical?: unknown[] }[];
    };
    record.bucketClasses[0]?.historical?.push({ mirror: 'local', bucket: 'public' });
    const archive = parseArchive(record, { origin: 'test' });
    expect(bucketClassOf(archive, 'public')?.name).toBe('public');
    expect(bucketClassOf(archive, 'old-public')?.name).toBe('public');
  });
});
