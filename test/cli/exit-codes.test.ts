import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.ts';
import type { ErrorCode } from '../../src/errors.ts';

const page = readFileSync('docs/exit-codes.md', 'utf8');

describe('exit codes', () => {
  test('the page lists exactly the table', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(rows).toEqual(Object.entries(EXIT_CODES).map(([code, meaning]) => [Number(code), meaning]));
  });

  test('the page gives every error code its exit code', () => {
    const source = readFileSync('src/errors.ts', 'utf8');
    const codes = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code as ErrorCode);
    expect(codes.length).toBeGreaterThan(10);
    const documented = [...page.matchAll(/^\| ((?:`[a-z-]+` ?)+)\| (\d+) \|$/gm)].flatMap(
      ([, names = '', exit]) => [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => [name, Number(exit)]),
    );
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(codes.map((code) => [code, exitCodeOf(code)])),
    );
  });
});
