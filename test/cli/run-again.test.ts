import { describe, expect, test } from 'vitest';
import { runAgain } from '../../src/cli/run-again.ts';

describe('the next step after an interrupt', () => {
  test('is the command itself, quoted for a shell', () => {
    expect(runAgain(['cp', 's3://bucket/a b/*', '.'])).toBe(
      "carrel cp 's3://bucket/a b/*' .   (the same command goes on where it stopped)",
    );
  });

  test.each([
    'https://faspex.example/aspera/faspex/public/package?context=eyJwYXNzY29kZSI6',
    'https://bucket.example/key?X-Amz-Signature=abc',
    'source=https://user:password@example.org/key',
  ])('is told without the words of a command that may open something: %s', (word) => {
    expect(runAgain(['get', word, '-o', 'data'])).toBe(
      'run the same command again: it goes on where it stopped',
    );
  });
});
