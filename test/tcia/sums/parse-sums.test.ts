/** Lists of checksums in every form that is met, and those that are none. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectSums, createSumsParser, parseSums, printSums, readSums } from '../../../src/tcia/index.ts';

const A = 'd41d8cd98f00b204e9800998ecf8427e';
const B = '9e107d9d372bb6826bd81d3542a419d6';
const SHA = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Paths and digests of a list without problems. */
function read(text: string): Record<string, string> {
  const list = parseSums(text);
  expect(list.problems).toEqual([]);
  return Object.fromEntries(list.entries.map(({ path, digests }) => [path, digests.join(' ')]));
}

describe('forms of a line', () => {
  test('of TCIA: digest, one blank, path; blanks in paths belong to them', () => {
    expect(read(`${A} Yale HER2 cohort/SVS/Her2Pos Case & 01.svs\n${B} readme.txt\n`)).toEqual({
      'Yale HER2 cohort/SVS/Her2Pos Case & 01.svs': `md5:${A}`,
      'readme.txt': `md5:${B}`,
    });
  });

  test('of md5sum: two blanks, or a blank and an asterisk', () => {
    expect(read(`${A}  a b.svs\n${B} *c.svs\n`)).toEqual({ 'a b.svs': `md5:${A}`, 'c.svs': `md5:${B}` });
  });

  test('a second blank belongs to the name in a list that parts by one', () => {
    expect(read(`${A} a.svs\n${B}  b.svs\n`)).toEqual({ 'a.svs': `md5:${A}`, ' b.svs': `md5:${B}` });
  });

  test('escaped names of md5sum: backslash, line feed, carriage return', () => {
    expect(read(`\\${A}  a\\\\b\\nc\\rd.svs\n`)).toEqual({ 'a\\b\nc\rd.svs': `md5:${A}` });
  });

  test('a backslash without the mark of an escape is a part of the name', () => {
    expect(read(`${A}  a\\nb.svs\n`)).toEqual({ 'a\\nb.svs': `md5:${A}` });
  });

  test('tagged, as BSD, md5sum --tag and openssl write it', () => {
    expect(
      read(
        `MD5 (a (1).svs) = ${A}\nMD5(b.svs)= ${B}\nSHA256 (c = d) = ${SHA}\n\\MD5 (e\\nf) = ${A}\nSHA2-256(g)= ${SHA}\n`,
      ),
    ).toEqual({
      'a (1).svs': `md5:${A}`,
      'b.svs': `md5:${B}`,
      'c = d': `sha256:${SHA}`,
      'e\nf': `md5:${A}`,
      g: `sha256:${SHA}`,
    });
  });

  test('SHA-256 is known by its length', () => {
    expect(read(`${SHA}  a.svs\n`)).toEqual({ 'a.svs': `sha256:${SHA}` });
  });

  test('line ends of Windows, a byte order mark, upper case, tabs, blank lines, remarks, no last line end', () => {
    expect(read(`\uFEFF# sums\r\n\r\n${A.toUpperCase()} a.svs\r\n  ${B}\tb.svs`)).toEqual({
      'a.svs': `md5:${A}`,
      'b.svs': `md5:${B}`,
    });
  });

  test('what stands before the first folder is dropped: ./ and /, and doubled slashes', () => {
    expect(read(`${A} ./a/b\n${A} /c//d\n${A} ././e/./f\n`)).toEqual({
      'a/b': `md5:${A}`,
      'c/d': `md5:${A}`,
      'e/f': `md5:${A}`,
    });
  });

  test('an empty list is an empty list', () => {
    expect(parseSums('')).toMatchObject({ entries: [], problems: [], lines: 0 });
  });
});

describe('what cannot be used is told with its line', () => {
  test.each([
    ['hello world', 'not a digest and a path'],
    [`${A}`, 'not a digest and a path'],
    [`${A} `, 'there is no path after the digest'],
    [`${A.slice(1)} a`, 'not a digest and a path'],
    [`${A}aabbccdd a`, 'a digest of SHA-1 cannot be checked here, only MD5 and SHA-256'],
    [`SHA512 (a) = ${SHA}`, 'SHA512 cannot be checked here, only MD5 and SHA-256'],
    [`MD5 (a) = ${SHA}`, '64 hexadecimal digits are no digest of MD5'],
    [`${A} ../a`, 'the path goes through ..'],
    [`${A} /../../etc/passwd`, 'the path goes through ..'],
    [`${A} a/`, 'the path is that of a folder'],
    [`${A} a\0b`, 'the name holds a NUL'],
    [`\\${A}  a\\tb`, 'the name has an escape that md5sum does not write'],
  ])('%j', (line, reason) => {
    const list = parseSums(`${B} good\n${line}\n${B} also good\n`);
    expect(list.problems).toEqual([{ line: 2, text: line, reason }]);
    expect(list.entries.map(({ path, line: at }) => [path, at])).toEqual([
      ['good', 1],
      ['also good', 3],
    ]);
  });

  test('the same path with the same digest is one entry; with another one it is a conflict', () => {
    const list = parseSums(`${A} a\n${A} ./a\n${A} b\n${B} b\n${SHA} a\n`);
    expect(list.entries).toEqual([{ path: 'a', digests: [`md5:${A}`, `sha256:${SHA}`], line: 1 }]);
    expect(list.conflicts).toEqual([{ path: 'b', lines: [3, 4], digests: [`md5:${A}`, `md5:${B}`] }]);
    expect(list.problems).toEqual([
      { line: 4, text: 'b', reason: 'line 3 lists this path with another digest' },
    ]);
  });

  test('a file that is no list ends in bounded memory: a line without an end is one problem', () => {
    const problems: string[] = [];
    const paths: string[] = [];
    const parser = createSumsParser({
      onSum: (path) => paths.push(path),
      onProblem: ({ line, text, reason }) => problems.push(`${line} ${text.length} ${reason}`),
    });
    for (let index = 0; index < 100; index += 1) parser.push('x'.repeat(10_000));
    parser.push(`\n${A} a\n`);
    expect(parser.end()).toBe(2);
    expect(problems).toEqual(['1 121 the line is longer than 65536 characters']);
    expect(paths).toEqual(['a']);
  });

  test('of many problems a thousand are kept and all are counted', () => {
    const list = parseSums('junk\n'.repeat(1500));
    expect([list.problems.length, list.problemCount, list.lines]).toEqual([1000, 1500, 1500]);
  });
});

describe('from bytes', () => {
  test('wherever chunks end, also inside of a character', async () => {
    const text = `\uFEFF${A} Ärzte/größe 1.svs\r\n\\${B}  a\\nb\r\nMD5 (é) = ${A}`;
    const bytes = Buffer.from(text);
    const whole = parseSums(text, 'x');
    for (let size = 1; size < 12; size += 1) {
      async function* chunks() {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      }
      expect(await collectSums(chunks(), 'x')).toEqual(whole);
    }
  });

  test('in UTF-16, as PowerShell writes it', async () => {
    async function* chunks() {
      yield Buffer.from(`\uFEFF${A}  größe.svs\r\n`, 'utf16le');
    }
    expect((await collectSums(chunks(), 'x')).entries).toEqual([
      { path: 'größe.svs', digests: [`md5:${A}`], line: 1 },
    ]);
  });

  test('a list that is not there, and a folder, end in errors that name them', async () => {
    await expect(readSums('/nowhere/a.sums')).rejects.toMatchObject({
      code: 'not-found',
      item: '/nowhere/a.sums',
    });
    await expect(readSums(tmpdir())).rejects.toMatchObject({ code: 'bad-input', item: tmpdir() });
  });
});

describe('printed', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-sums-'));
  });
  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  test('sorted by path, each line once, as md5sum writes it', () => {
    const entries = [
      { path: 'b c', digests: [`md5:${B}`] as const },
      { path: 'a\\b', digests: [`md5:${A}`] as const },
      { path: 'B', digests: [`sha256:${SHA}`, `md5:${A}`] as const },
      { path: 'b c', digests: [`md5:${B}`] as const },
    ];
    expect(printSums(entries)).toBe(`${A}  B\n\\${A}  a\\\\b\n${B}  b c\n`);
    expect(printSums(entries, { algorithm: 'sha256', comment: 'ours' })).toBe(`# ours\n${SHA}  B\n`);
  });

  const name = fc
    .string({
      unit: fc.constantFrom('a', 'B', ' ', '*', '\\', '\n', '\r', '-', '#', '(', ')', '=', 'é', '图', '.'),
      minLength: 1,
      maxLength: 12,
    })
    .filter((text) => text !== '.' && text !== '..');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

  test('what is printed is read again, whatever the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
        const entries = paths.map((one) => ({ path: one, digests: [`md5:${A}`] as const }));
        const list = parseSums(printSums(entries));
        expect(list.problems).toEqual([]);
        expect(list.entries.map((entry) => entry.path)).toEqual([...paths].sort());
      }),
    );
  });

  const hasMd5sum = (() => {
    try {
      return execFileSync('md5sum', ['--version'], { encoding: 'utf8' }).includes('GNU');
    } catch {
      return false;
    }
  })();

  test.skipIf(!hasMd5sum)(
    'md5sum -c --strict reads it back (skipped where GNU md5sum is missing)',
    async () => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(path, { minLength: 1, maxLength: 8 }), async (paths) => {
          runs += 1;
          const root = join(folder, String(runs));
          // A name may be a file or a folder of others, not both.
          const apart = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
          const entries = await Promise.all(
            apart.map(async (one) => {
              await mkdir(dirname(join(root, one)), { recursive: true });
              await writeFile(join(root, one), one);
              const hex = createHash('md5').update(one).digest('hex');
              return { path: one, digests: [`md5:${hex}`] as const };
            }),
          );
          const input = printSums(entries, { comment: 'a remark' });
          const output = execFileSync('md5sum', ['-c', '--strict', '--quiet', '-'], { cwd: root, input });
          expect(output.toString()).toBe('');
        }),
        { numRuns: 40 },
      );
    },
  );

  test.skipIf(!hasMd5sum)('and what md5sum writes, tagged or not, is read', async () => {
    const root = join(folder, 'theirs');
    await mkdir(root);
    const names = ['plain', ' blank first', '*star', 'back\\slash', 'line\nfeed', 'a (b) = c', 'é图'];
    for (const one of names) await writeFile(join(root, one), one);
    for (const flags of [[], ['-b'], ['--tag']]) {
      const text = execFileSync('md5sum', [...flags, '--', ...names], { cwd: root, encoding: 'utf8' });
      const list = parseSums(text);
      expect(list.problems).toEqual([]);
      expect(list.entries.map((entry) => [entry.path, ...entry.digests])).toEqual(
        names.map((one) => [one, `md5:${createHash('md5').update(one).digest('hex')}`]),
      );
    }
  });
});
