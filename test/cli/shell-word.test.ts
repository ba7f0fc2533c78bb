/** Words that are printed to be typed: a shell must read back what was meant. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellWord } from '../../src/cli/shell-word.ts';

/** What bash makes of words. */
function readBack(words: readonly string[]): string[] {
  const line = `for word in ${words.join(' ')}; do printf '%s\\0' "$word"; done`;
  const out = execFileSync('bash', ['-c', line], {
    env: { LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return out.toString('utf8').split('\0').slice(0, -1);
}

describe('a word for a shell', () => {
  test.each([
    ['SVS/case-1.svs', 'SVS/case-1.svs'],
    ['a b', "'a b'"],
    ["it's", `'it'\\''s'`],
    ['~', "'~'"],
    ['*.svs', "'*.svs'"],
    ['{a,b}', "'{a,b}'"],
    ['=x', "'=x'"],
    ['', "''"],
    ['a\nb', `$'a\\u000ab'`],
  ])('%j is %s', (word, quoted) => {
    expect(shellWord(word)).toBe(quoted);
  });

  test('is read back as it was, whatever is in it', () => {
    const word = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 200 }), (words) => {
        expect(readBack(words.map(shellWord))).toEqual(words);
      }),
      { numRuns: 20 },
    );
  });

  test('never moves the cursor', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => !/[\u0000-\u001f\u007f-\u009f\u202e]/.test(shellWord(text)),
      ),
    );
  });
});
