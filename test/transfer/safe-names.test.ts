import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPlan, safeSegment } from '../../src/transfer/index.ts';

const plan = (...paths: string[]) => planAll(paths);
const planAll = (paths: string[]) => paths.map((path) => ({ path, digests: [], sources: [] }));

describe('checkPlan', () => {
  test.each([
    'a.dcm',
    'nlst/100002/1.2.840.1/CT_1.2.3/a.dcm',
    'a b/c=d/e,f.dcm',
    'Müller/日本.dcm',
    'console.dcm',
    'com10/nul-like.txt',
    '.hidden',
    'carrel/journal.jsonl',
    '.carrel.dcm',
    `${'x'.repeat(255)}`,
  ])('takes %j', (path) => {
    expect(() => checkPlan(plan(path))).not.toThrow();
  });

  test.each([
    ['/etc/passwd', 'absolute'],
    ['', 'empty segment'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['../b', 'goes through ..'],
    ['a/../../b', 'goes through ..'],
    ['./a', 'goes through .'],
    ['C:/a', 'character'],
    ['a\\..\\b', 'character'],
    ['a\u0000b', 'character'],
    ['a\nb', 'character'],
    ['a\ud800b', 'character'],
    ['what?.dcm', 'character'],
    ['a./b', 'dot or a blank'],
    ['a /b', 'dot or a blank'],
    ['CON', 'reserved'],
    ['x/nul.txt', 'reserved'],
    ['Lpt1/a', 'reserved'],
    ['x'.repeat(256), 'longer than 255 bytes'],
    ['ü'.repeat(128), 'longer than 255 bytes'],
    [Array(10).fill('x'.repeat(200)).join('/'), 'longer than 1000 bytes'],
    ['.carrel/journal.jsonl', 'state of the transfer'],
    ['.CARREL/lock', 'state of the transfer'],
    ['.carrel', 'state of the transfer'],
  ])('refuses %j', (path, reason) => {
    expect(() => checkPlan(plan('good.dcm', path))).toThrow(
      expect.objectContaining({ code: 'unsafe', item: path, message: expect.stringContaining(reason) }),
    );
  });

  test.each([
    ['the same path', 'a/b', 'a/b', '"a/b" twice'],
    ['paths that differ only by case', 'A/b', 'a/B', '"A/b" and "a/B"'],
    ['paths that differ only by normalization', 'e\u0301', '\u00e9', '"e\u0301" and "\u00e9"'],
    ['a file where another needs a folder', 'a/b', 'a/b/c/d', '"a/b" is both a file and a folder of others'],
    ['sharp s and its capital form', 'straße', 'STRASSE', '"straße" and "STRASSE"'],
  ])('refuses %s', (_, a, b, message) => {
    expect(() => checkPlan(plan(a, 'x', b))).toThrow(`files would collide: ${message}`);
  });

  test('takes paths that differ by case where the disk is known to keep them apart', () => {
    expect(() => checkPlan(plan('a', 'A'), { caseInsensitive: false })).not.toThrow();
  });

  test('names up to five collisions', () => {
    const names = Array.from({ length: 9 }, (_, index) => `n${index}`);
    const message = (() => {
      try {
        checkPlan(plan(...names, ...names));
        return '';
      } catch (error) {
        return String(error);
      }
    })();
    expect(message.match(/twice/g)).toHaveLength(5);
  });

  test('looks at two hundred thousand files without a quadratic step', () => {
    const paths = Array.from({ length: 200_000 }, (_, i) => `patient-${i % 500}/series-${i % 5000}/${i}.dcm`);
    expect(() => checkPlan(planAll(paths))).not.toThrow();
  });
});

describe('safeSegment', () => {
  test.each([
    'TCGA-02-0001',
    '1.2.840.113654.2.55',
    'CT_1.2.3',
    'a b',
    'a=b',
    'a+b@c,d',
    'Müller',
    '日本',
    '_',
    '-rf',
  ])('keeps %j', (text) => {
    expect(safeSegment(text)).toBe(text);
  });

  test.each([
    ['a/b', 'a_b_'],
    ['', '_'],
    ['.', '__'],
    ['..', '__'],
    ['../../etc', '__.._etc_'],
    [' a ', '_a__'],
    ['a.', 'a__'],
    ['CON', '_CON_'],
    ['nul.txt', '_nul.txt_'],
    ['a:b*c?', 'a_b_c__'],
    ['tab\there', 'tab_here_'],
    ['.carrel', '_carrel_'],
  ])('changes %j and says which one it was', (text, start) => {
    const safe = safeSegment(text);
    expect(safe).toMatch(/_[0-9a-f]{10}$/);
    expect(safe.slice(0, -10)).toBe(start);
  });

  test('is the same on every machine and in every run', () => {
    expect(safeSegment('a/b')).toBe('a_b_6df7cee24c');
  });

  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom('a', 'A', '.', ' ', '/', '_', '\u0000', 'ü', 'u\u0308', '\ud800', '0'),
      maxLength: 12,
    }),
    fc.constantFrom('con', 'AUX.dcm', 'com¹', '..', 'a_0123456789'),
  );

  test('anything becomes a name that a plan may hold', () => {
    fc.assert(
      fc.property(anything, (text) => {
        checkPlan(plan(`${safeSegment(text)}/${safeSegment(text)}.dcm`));
      }),
      { numRuns: 3000 },
    );
  });

  test('two values never become one name', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        fc.pre(a !== b);
        expect(safeSegment(a)).not.toBe(safeSegment(b));
        expect(safeSegment(safeSegment(a))).not.toBe(a === safeSegment(a) ? safeSegment(b) : safeSegment(a));
      }),
      { numRuns: 3000 },
    );
  });
});
