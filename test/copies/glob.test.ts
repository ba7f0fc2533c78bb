import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob, type GlobLanguage, nameFilter } from '../../src/copies/index.ts';

const KEYS = [
  'top.txt',
  'a/1.txt',
  'a/2.txt',
  'a/1.dat',
  'a/c/3.txt',
  'a/c/d/4.txt',
  'ab/5.txt',
  'x/def',
  'x/y/def',
  'def',
];
const found = (pattern: string, language: GlobLanguage) =>
  KEYS.filter(compileGlob(pattern, language).matches);

describe('the same text in the two languages', () => {
  test.each([
    ['a/*', ['a/1.txt', 'a/2.txt', 'a/1.dat', 'a/c/3.txt', 'a/c/d/4.txt'], ['a/1.txt', 'a/2.txt', 'a/1.dat']],
    ['a*', ['a/1.txt', 'a/2.txt', 'a/1.dat', 'a/c/3.txt', 'a/c/d/4.txt', 'ab/5.txt'], []],
    [
      'a/**',
      ['a/1.txt', 'a/2.txt', 'a/1.dat', 'a/c/3.txt', 'a/c/d/4.txt'],
      ['a/1.txt', 'a/2.txt', 'a/1.dat', 'a/c/3.txt', 'a/c/d/4.txt'],
    ],
    ['**/def', ['x/def', 'x/y/def'], ['x/def', 'x/y/def', 'def']],
    ['x/**/def', ['x/y/def'], ['x/def', 'x/y/def']],
    ['a/?.txt', ['a/1.txt', 'a/2.txt'], ['a/1.txt', 'a/2.txt']],
    ['a?1.txt', ['a/1.txt'], []],
    ['a/[1-2].txt', [], ['a/1.txt', 'a/2.txt']],
    ['a/[!2].*', [], ['a/1.txt', 'a/1.dat']],
    ['top.txt', ['top.txt'], ['top.txt']],
  ])('%s', (pattern, s5cmd, gsutil) => {
    expect(found(pattern, 's5cmd')).toEqual(s5cmd);
    expect(found(pattern, 'gsutil')).toEqual(gsutil);
  });

  test('what is listed is the text before the first wildcard of the language', () => {
    expect(compileGlob('a/[b]*', 's5cmd').prefix).toBe('a/[b]');
    expect(compileGlob('a/[b]*', 'gsutil').prefix).toBe('a/');
    expect(compileGlob('a/*', 's5cmd', true)).toMatchObject({ isPattern: false, prefix: 'a/*' });
  });

  test('a pattern matches itself with every wildcard replaced', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '😀'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), text, (parts, filling) => {
        const key = parts.join(filling);
        expect(compileGlob(parts.join('*'), 's5cmd').matches(key)).toBe(true);
        expect(compileGlob(parts.join('**'), 'gsutil').matches(key)).toBe(true);
        const flat = key.replaceAll('/', '-');
        expect(compileGlob(parts.join('*').replaceAll('/', '-'), 'gsutil').matches(flat)).toBe(true);
      }),
    );
  });

  test('a hostile pattern ends', () => {
    const hostile = `${'*a'.repeat(60)}b`;
    expect(compileGlob(hostile, 's5cmd').matches('a'.repeat(1000))).toBe(false);
    expect(compileGlob(`**${hostile}`, 'gsutil').matches('a'.repeat(1000))).toBe(false);
  });
});

test('an exclusion wins over an inclusion', () => {
  const wanted = nameFilter({ include: ['*.txt'], exclude: ['1*'] }, 's5cmd');
  expect(['1.txt', '2.txt', 'c/3.txt', '1.dat'].filter(wanted)).toEqual(['2.txt', 'c/3.txt']);
  expect(['1.txt', 'x'].filter(nameFilter({}, 'gsutil'))).toEqual(['1.txt', 'x']);
});
