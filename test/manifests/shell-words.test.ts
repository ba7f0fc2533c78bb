import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteWord, shellWords } from '../../src/manifests/index.ts';

describe('words as s5cmd run splits them (Go shellquote)', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['  a\t b  ', ['a', 'b']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a'b'"c"d`, ['abcd']],
    [`'' ""`, ['', '']],
    [`"a\\"b\\\\c\\$d"`, ['a"b\\c$d']],
    [`"a\\nb"`, ['a\\nb']],
    [`'a\\b'`, ['a\\b']],
    ['a\\ b', ['a b']],
    // No special case for Windows: the backslashes go, exactly as in s5cmd.
    ['C:\\a\\b', ['C:ab']],
    ['a#b # c', ['a#b', '#', 'c']],
    ["$'x' $HOME *", ['$x', '$HOME', '*']],
  ])('%j', (line, words) => {
    expect(shellWords(line)).toEqual({ words });
  });

  test.each([[`a 'b`], [`"a`], ['a\\']])('%j has no end', (line) => {
    expect(shellWords(line)).toHaveProperty('reason');
  });

  test('what is quoted comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes('\0'))), (words) => {
        expect(shellWords(words.map(quoteWord).join(' '))).toEqual({ words });
      }),
    );
  });

  test('plain words stay as they are', () => {
    expect(quoteWord('s3://idc-open-data/28621ba9/*')).toBe('s3://idc-open-data/28621ba9/*');
    expect(quoteWord("it's")).toBe(`'it'\\''s'`);
  });
});
