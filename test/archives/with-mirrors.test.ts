/** `--mirror NAME=ENDPOINT`. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Archive,
  builtInArchive,
  parseArchive,
  placesFor,
  toRecord,
  withMirrors,
} from '../../src/archives/index.ts';
import { institute, smallest } from './institute.ts';

const idc = builtInArchive('idc');
const first = (archive: Archive) => archive.mirrors[0];

describe('a mirror is pointed elsewhere', () => {
  test('to another server of its protocol', () => {
    const here = withMirrors(idc, ['aws=http://127.0.0.1:9000/']);
    expect(here.mirrors).toEqual([{ ...idc.mirrors[0], endpoint: 'http://127.0.0.1:9000' }, idc.mirrors[1]]);
    expect(placesFor(here, 'idc-open-idc1')[0]).toMatchObject({
      place: { endpoint: 'http://127.0.0.1:9000', bucket: 'idc-open-data-two' },
    });
  });

  test('in both ways of writing it', () => {
    expect(withMirrors(idc, { aws: 'http://h:1', gcs: 'http://h:2' })).toEqual(
      withMirrors(idc, ['aws=http://h:1', 'gcs=http://h:2']),
    );
  });

  test('with an "=" in the endpoint', () => {
    expect(first(withMirrors(idc, ['aws=https://h/a=b']))?.endpoint).toBe('https://h/a=b');
  });

  test.each([
    ['/a/folder', '/a/folder'],
    ['/a/folder/', '/a/folder'],
    ['file:///a/my%20folder', '/a/my folder'],
    ['./folder', path.resolve('folder')],
    ['../folder', path.resolve('../folder')],
    ['.', path.resolve('.')],
  ])('to the folder %s', (endpoint, expected) => {
    expect(first(withMirrors(idc, [`aws=${endpoint}`]))).toEqual({
      name: 'aws',
      protocol: 'file',
      endpoint: expected,
      scheme: 's3', // URLs with s3:// still mean it
      region: undefined,
      access: 'anonymous',
      addressing: undefined,
    });
  });

  test('signed stays signed on a server, and needs no sign-in on a disk', () => {
    const ours = parseArchive(institute, { origin: 'test' });
    expect(first(withMirrors(ours, ['local=https://other.example']))).toMatchObject({
      access: 'signed',
      region: 'eu-1',
      addressing: 'virtual',
    });
    expect(first(withMirrors(ours, ['local=/mnt/x']))).toMatchObject({
      access: 'anonymous',
      protocol: 'file',
    });
  });

  test.each(['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000'])(
    'no bucket can be a subdomain of %s',
    (endpoint) => {
      const ours = parseArchive(institute, { origin: 'test' });
      expect(first(withMirrors(ours, [`local=${endpoint}`]))?.addressing).toBe('path');
    },
  );

  test('a disk becomes a plain web server', () => {
    const small = parseArchive(smallest, { origin: 'test' });
    expect(first(withMirrors(small, ['here=https://h.example/small']))).toMatchObject({ protocol: 'https' });
  });

  test('the archive that was given stays as it was', () => {
    const before = structuredClone(idc);
    withMirrors(idc, ['aws=/x', 'near:gcs=/y']);
    expect(idc).toEqual(before);
  });

  test('nothing is changed by nothing', () => {
    expect(withMirrors(idc, [])).toEqual(idc);
    expect(withMirrors(idc, {})).toEqual(idc);
  });
});

describe('a mirror is added as a copy of a known one', () => {
  const near = withMirrors(idc, ['near:aws=http://cache.example']);

  test('and goes before all others', () => {
    expect(near.mirrors.map(({ name }) => name)).toEqual(['near', 'aws', 'gcs']);
    expect(
      placesFor(near, 'idc-open-cr').map(
        ({ mirror, place }) => `${mirror} ${place.endpoint} ${place.bucket}`,
      ),
    ).toEqual([
      'near http://cache.example idc-open-data-cr',
      'aws https://s3.amazonaws.com idc-open-data-cr',
      'gcs https://storage.googleapis.com idc-open-cr',
    ]);
  });

  test('and the archive is still a valid one', () => {
    expect(parseArchive(toRecord(near), { origin: 'built-in' })).toEqual(near);
  });
});

describe('refused', () => {
  test('an unknown name, with the names there are', () => {
    expect(() => withMirrors(idc, ['azure=https://h'])).toThrow(
      expect.objectContaining({
        code: 'usage',
        item: 'azure=https://h',
        message: 'idc has no mirror called "azure"',
        next: 'its mirrors are aws, gcs; a new one is a copy of one of them: NEW:aws=…',
      }) as Error,
    );
  });

  test.each([
    ['aws', 'is no mirror'],
    ['=http://h', 'is no mirror'],
    ['aws=', 'has no valid endpoint'],
    ['aws=s3://bucket', 'has no valid endpoint'],
    ['aws=ftp://h', 'has no valid endpoint'],
    ['aws=folder', 'has no valid endpoint'],
    ['aws=127.0.0.1:9000', 'has no valid endpoint'],
    ['aws=localhost:9000', 'has no valid endpoint'],
    ['aws=s3.example.org', 'has no valid endpoint'],
    ['aws=http://', 'has no valid endpoint'],
    ['aws=http://me:secret@h', 'has no valid endpoint'],
    ['aws=http://h/?x=1', 'has no valid endpoint'],
    ['aws=http://a b', 'has no valid endpoint'],
    ['aws=file://server/share', 'has no valid endpoint'],
    ['aws=/a\0b', 'has no valid endpoint'],
    ['near:azure=http://h', 'no mirror called "azure"'],
    ['gcs:aws=http://h', 'names a mirror that exists already'],
    ['auto:aws=http://h', 'has no valid name'],
    ['Near:aws=http://h', 'has no valid name'],
    [':aws=http://h', 'has no valid name'],
    ['a:b:aws=http://h', 'names more than two mirrors'],
  ])('%s: %s', (override, message) => {
    expect(() => withMirrors(idc, [override])).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  test('the password in an endpoint is not repeated', () => {
    expect(() => withMirrors(idc, ['aws=http://me:secret@h'])).toThrow(
      expect.objectContaining({
        message: expect.not.stringContaining('secret') as string,
        item: expect.not.stringContaining('secret') as string,
      }) as Error,
    );
  });
});
