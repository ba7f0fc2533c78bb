import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldName, nameFiles, shownPath } from '../../../src/tcia/packages/name-files.ts';
import { readPackageLayout } from '../../../src/tcia/packages/package-layout.ts';
import { checkPlan } from '../../../src/transfer/index.ts';

const VALUES = { package: 'HER2 ROIs', collection: 'HER2', version: '3' };
const place = (layout: string, path: string): string =>
  readPackageLayout(layout, VALUES)
    .place(path)
    .map(({ text }) => text)
    .join('/');

describe('layouts', () => {
  test.each([
    ['{package}/{path}', 'HER2 ROIs/a b/c & d.svs'],
    ['{path}', 'a b/c & d.svs'],
    ['{collection} v{version}/{dir}/{file}', 'HER2 v3/a b/c & d.svs'],
    ['flat/x-{file}', 'flat/x-c & d.svs'],
  ])('%s', (layout, expected) => expect(place(layout, 'a b/c & d.svs')).toBe(expected));

  test.each([
    ['{Package}/{path}', 'names {Package}'],
    ['{package}', 'gives every file the same name'],
    ['x{path}', 'beside other text'],
    ['/tmp/{path}', 'leaves the destination'],
    ['../{path}', 'leaves the destination'],
    ['{path', 'without its other half'],
  ])('%s is refused', (layout, reason) => {
    expect(() => readPackageLayout(layout, VALUES)).toThrow(reason);
  });

  test('what a bare link does not tell is refused', () => {
    expect(() => readPackageLayout('{version}/{path}', { package: 'x' })).toThrow(
      'the link alone does not tell it',
    );
  });
});

describe('names', () => {
  test('whatever a package holds: what gets a name can be written, and no two names are one', () => {
    const paths = fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(paths, fc.constantFrom('strict' as const, 'escape' as const), (all, names) => {
        const layout = readPackageLayout('{package}/{path}', VALUES);
        const { named, refused } = nameFiles(
          all.map((path) => ({ path })),
          { layout, names },
        );
        expect(named.length + refused.length).toBe(all.length);
        checkPlan(named.map(({ local }) => ({ path: local, digests: [], sources: [] })));
        expect(new Set(named.map(({ local }) => foldName(local))).size).toBe(named.length);
      }),
    );
  });

  test('a file where another needs a folder is refused; so is what another package of the run has', () => {
    const layout = readPackageLayout('{path}', VALUES);
    const taken = new Set(['b']);
    const { named, refused } = nameFiles([{ path: 'a' }, { path: 'a/c' }, { path: 'B' }], {
      layout,
      names: 'strict',
      taken,
    });
    expect(named.map(({ local }) => local)).toEqual(['a/c']);
    expect(refused.map(({ path }) => path)).toEqual(['a', 'B']);
  });

  test('a path is shown on one line', () => {
    expect(shownPath('a\nb "c" \\ d')).toBe('a\\nb "c" \\ d');
  });
});
