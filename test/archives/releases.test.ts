/** Releases and the versions of the catalogue that describe them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  builtInArchive,
  catalogVersionFor,
  newestRelease,
  parseArchive,
  releaseName,
  releaseNumber,
  withCatalogVersion,
} from '../../src/archives/index.ts';
import { institute, smallest } from './institute.ts';

const idc = builtInArchive('idc');
const ours = parseArchive(institute, { origin: 'test' });
const small = parseArchive(smallest, { origin: 'test' });

describe('numbers of releases', () => {
  test.each([
    ['v24', 24],
    ['V24', 24],
    ['24', 24],
    [24, 24],
    [' v24 ', 24],
    ['v1', 1],
    ['v007', 7],
    ['current', 25],
    ['CURRENT', 25],
  ])('%j is %i', (text, number) => {
    expect(releaseNumber(idc, text)).toBe(number);
  });

  test.each([
    '',
    'v',
    'v0',
    '0',
    'v-1',
    '-1',
    '1.5',
    'v1e3',
    'r5',
    'latest',
    '٣',
    '9999999999',
    'v24x',
    Number.NaN,
    1.5,
  ])('%j names no release', (text) => {
    expect(() => releaseNumber(idc, text)).toThrow(
      expect.objectContaining({ code: 'usage', next: 'write it as v25, 25 or current' }) as Error,
    );
  });

  test('one after the newest is not found', () => {
    expect(() => releaseNumber(idc, 'v26')).toThrow(
      expect.objectContaining({
        code: 'not-found',
        message: 'idc has no release v26; the newest known is v25',
      }) as Error,
    );
  });

  test('other archives call them otherwise', () => {
    expect(releaseNumber(ours, 'r2')).toBe(2);
    expect(releaseName(ours, 2)).toBe('r2');
    expect(newestRelease(ours)).toBe(10);
    expect(() => releaseNumber(ours, 'v2')).toThrow('names no release');
  });

  test('an archive without a catalogue has no current release, but any number', () => {
    expect(newestRelease(small)).toBe(0);
    expect(releaseNumber(small, 'v3')).toBe(3);
    expect(() => releaseNumber(small, 'current')).toThrow('names no release');
    expect(catalogVersionFor(small)).toBeUndefined();
  });

  test('name and number belong together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), (number) => {
        expect(releaseNumber(idc, releaseName(idc, number))).toBe(number);
      }),
    );
  });
});

describe('versions of the catalogue', () => {
  test.each([
    ['v25', '25.0.5'],
    ['v17', '17.0.2'],
    [20, '20.0.3'],
    ['v16', undefined],
    ['v1', undefined],
  ])('%s was described by %s', (release, version) => {
    expect(catalogVersionFor(idc, release)?.version).toBe(version);
  });

  test('the newest of several for one release', () => {
    expect(catalogVersionFor(ours, 'r2')?.version).toBe('2.10');
    expect(catalogVersionFor(ours)?.version).toBe('10.0');
  });

  test('one that came after the record can be added', () => {
    const later = withCatalogVersion(idc, { version: '26.0.0', release: 'v26' });
    expect(releaseNumber(later, 'current')).toBe(26);
    expect(catalogVersionFor(later)?.version).toBe('26.0.0');
    expect(newestRelease(idc)).toBe(25);
  });

  test('in its place, and once', () => {
    const versions = (archive: typeof idc) => archive.catalog.versions.map(({ version }) => version);
    const patched = withCatalogVersion(idc, { version: '24.3.0', release: 'v24' });
    expect(versions(patched).slice(0, 3)).toEqual(['25.0.5', '24.3.0', '24.2.2']);
    expect(versions(withCatalogVersion(patched, { version: '24.3.0', release: 'v24' }))).toEqual(
      versions(patched),
    );
    expect(versions(withCatalogVersion(idc, { version: '16.0.0', release: 'v16' })).at(-1)).toBe('16.0.0');
    expect(versions(withCatalogVersion(small, { version: '1', release: 'v1' }))).toEqual(['1']);
  });
});
