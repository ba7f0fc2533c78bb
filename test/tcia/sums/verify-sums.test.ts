/** Files on disk against lists of checksums. */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  findSums,
  isSumsReportGood,
  OWN_SUMS_NAME,
  openSums,
  parseSums,
  printSums,
  type SumsReport,
  type VerifySumsOptions,
  verifySums,
  writeOwnSums,
} from '../../../src/tcia/index.ts';
import type { TransferEvent } from '../../../src/transfer/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-sums-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** Writes files whose content is their path. */
async function write(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path);
  }
}

/** A list in the manner of TCIA, of files whose content is their path. */
async function writeList(name: string, paths: readonly string[]): Promise<string> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, paths.map((path) => `${md5(path)} ${path}\n`).join(''));
  return file;
}

async function verify(lists: string[], options: Partial<VerifySumsOptions> = {}): Promise<SumsReport> {
  return await verifySums(await openSums(folder, lists), { directory: folder, ...options });
}

/** A report in short. */
function short({ ok, mismatched, missing, extra, unlisted, unfinished, unverifiable, unknown }: SumsReport) {
  return {
    ok: ok.map(({ path }) => path),
    mismatched: mismatched.map(({ path }) => path),
    missing,
    extra,
    unlisted,
    unfinished: unfinished.map(({ path }) => path),
    unverifiable: unverifiable.map(({ path }) => path),
    unknown,
  };
}

const NOTHING = {
  ok: [],
  mismatched: [],
  missing: [],
  extra: [],
  unlisted: [],
  unfinished: [],
  unverifiable: [],
  unknown: [],
};
const PATHS = ['SVS/a b.svs', 'SVS/c & d.svs', 'readme.txt'];

describe('a folder and its list', () => {
  test('right files are OK by MD5, with their sizes; the list does not list itself', async () => {
    await write(...PATHS);
    const report = await verify([await writeList('p.sums', PATHS)]);
    expect(short(report)).toEqual({ ...NOTHING, ok: PATHS });
    expect(report.ok[0]).toEqual({
      path: 'SVS/a b.svs',
      listed: 'SVS/a b.svs',
      bytes: 11,
      digest: `md5:${md5('SVS/a b.svs')}`,
      verifiedBy: 'md5',
    });
    expect(isSumsReportGood(report)).toBe(true);
  });

  test('a changed byte is MISMATCH, a file that is gone MISSING, one that nobody lists EXTRA', async () => {
    await write(...PATHS, 'mine.txt');
    const list = await writeList('p.sums', PATHS);
    await writeFile(join(folder, 'readme.txt'), 'readme.tx!');
    await rm(join(folder, 'SVS/a b.svs'));
    const report = await verify([list]);
    expect(short(report)).toEqual({
      ...NOTHING,
      ok: ['SVS/c & d.svs'],
      mismatched: ['readme.txt'],
      missing: ['SVS/a b.svs'],
      extra: ['mine.txt'],
    });
    expect(report.mismatched[0]).toMatchObject({
      expected: `md5:${md5('readme.txt')}`,
      found: `md5:${md5('readme.tx!')}`,
    });
    expect(isSumsReportGood(report)).toBe(false);
  });

  test('a file that was cut is MISMATCH, and a folder in its place is MISSING', async () => {
    await write('a', 'b/c');
    const list = await writeList('p.sums', ['a', 'b']);
    await truncate(join(folder, 'a'), 0);
    expect(short(await verify([list]))).toMatchObject({ mismatched: ['a'], missing: ['b'] });
  });

  test('in the package but in no list is UNLISTED where the listing is known', async () => {
    await write(...PATHS, 'new.txt', 'mine.txt');
    const report = await verify([await writeList('p.sums', PATHS)], {
      listing: [...PATHS, 'new.txt', 'p.sums'],
    });
    expect(short(report)).toEqual({ ...NOTHING, ok: PATHS, extra: ['mine.txt'], unlisted: ['new.txt'] });
    expect(isSumsReportGood(report)).toBe(true);
  });

  test('leftovers of ascp are named as unfinished, with the file they would have become', async () => {
    await write('b.svs', 'b.svs.partial', 'a.svs.partial', 'a.svs.partial.aspera-ckpt', 'x.aspera-ckpt');
    const report = await verify([await writeList('p.sums', ['a.svs', 'b.svs', 'listed.partial'])]);
    await write('listed.partial');
    expect(short(report)).toMatchObject({ ok: ['b.svs'], missing: ['a.svs', 'listed.partial'], extra: [] });
    expect(report.unfinished).toEqual([
      { path: 'a.svs.partial', of: 'a.svs' },
      { path: 'a.svs.partial.aspera-ckpt', of: 'a.svs' },
      { path: 'b.svs.partial', of: 'b.svs' },
      { path: 'x.aspera-ckpt', of: 'x' },
    ]);
    const again = await verify([join(folder, 'p.sums')]);
    expect(again.ok.map(({ path }) => path)).toContain('listed.partial');
  });

  test('a list that proves nothing is no proof', async () => {
    await write(...PATHS);
    for (const text of ['', 'junk\n', `${md5('x').slice(2)} a\n`]) {
      await writeFile(join(folder, 'p.sums'), text);
      expect(isSumsReportGood(await verify([join(folder, 'p.sums')]))).toBe(false);
    }
  });

  test('digests that contradict each other can not be right', async () => {
    await write('a', 'b');
    await writeFile(join(folder, 'p.sums'), `${md5('a')} a\n${md5('b')} b\n${md5('other')} a\n`);
    const report = await verify([join(folder, 'p.sums')]);
    expect(short(report)).toEqual({ ...NOTHING, ok: ['b'], unverifiable: ['a'] });
    expect(report.unverifiable[0]?.reason).toMatch(/different digests in lines 1 and 3/);
    expect(report.lists[0]?.problems).toHaveLength(1);
    expect(isSumsReportGood(report)).toBe(false);
  });

  test('names that no plan may write are verified where they stand', async () => {
    const names = ['a:b?.svs', 'CON', 'trailing.', 'A.txt', 'a.txt'];
    await write(...names);
    expect(short(await verify([await writeList('p.sums', names)])).ok.sort()).toEqual([...names].sort());
  });

  test('links to files are files; links to folders are not followed', async () => {
    await write('real/a');
    await symlink(join(folder, 'real/a'), join(folder, 'linked'));
    await symlink(folder, join(folder, 'real', 'circle'));
    await writeFile(join(folder, 'p.sums'), `${md5('real/a')} linked\n${md5('real/a')} real/a\n`);
    expect(short(await verify([join(folder, 'p.sums')]))).toEqual({ ...NOTHING, ok: ['linked', 'real/a'] });
  });

  test('a line for the list itself is passed over, one for another list is held', async () => {
    await write('a');
    await writeFile(join(folder, 'q.sums'), '');
    await writeFile(join(folder, 'p.sums'), `${md5('a')} a\n${md5('?')} p.sums\n${md5('')} q.sums\n`);
    expect(short(await verify([join(folder, 'p.sums')]))).toEqual({ ...NOTHING, ok: ['a', 'q.sums'] });
  });
});

describe('several lists', () => {
  test('of two packages in one folder, each relative to its own', async () => {
    await write('PKG - a/x', 'PKG - b/x');
    await writeFile(join(folder, 'PKG - a/a.sums'), `${md5('PKG - a/x')} x\n`);
    await writeFile(join(folder, 'PKG - b/b.sums'), `${md5('PKG - b/x')} data/x\n`);
    const found = await findSums(folder);
    expect(found.map((path) => path.slice(folder.length + 1))).toEqual(['PKG - a/a.sums', 'PKG - b/b.sums']);
    expect(short(await verify(found))).toEqual({ ...NOTHING, ok: ['PKG - a/x', 'PKG - b/x'] });
  });

  test('that share a package: together they list it; where they differ nothing can be right', async () => {
    await write('a', 'b', 'c');
    await writeList('one.sums', ['a', 'b']);
    await writeFile(join(folder, 'two.sums'), `${md5('b')}  b\n${md5('else')}  c\n`);
    expect(short(await verify(await findSums(folder)))).toEqual({
      ...NOTHING,
      ok: ['a', 'b'],
      mismatched: ['c'],
    });
    await writeFile(join(folder, 'one.sums'), `${md5('c')} c\n`);
    expect(short(await verify(await findSums(folder)))).toMatchObject({ ok: ['b'], unverifiable: ['c'] });
  });
});

describe('a selection', () => {
  beforeEach(async () => {
    await write('Yale/Annotations/a.xml', 'Yale/Annotations/b.xml', 'Yale/SVS/a.svs');
    await writeList('p.sums', [
      'Yale/Annotations/a.xml',
      'Yale/Annotations/b.xml',
      'Yale/Annotations/c.xml',
      'Yale/SVS/a.svs',
      'Yale/SVS/b.svs',
    ]);
  });

  test.each([['Yale/SVS/a.svs'], ['./Yale/SVS/a.svs'], ['/Yale/SVS/a.svs']])(
    'of one file (%s): the rest is not missing',
    async (scope) => {
      const report = await verify([join(folder, 'p.sums')], { scope: [scope] });
      expect(short(report)).toEqual({ ...NOTHING, ok: ['Yale/SVS/a.svs'] });
    },
  );

  test('of a folder: what is missing there is missing, what is elsewhere is not asked', async () => {
    await write('Yale/SVS/mine', 'Yale/Annotations/mine');
    const report = await verify([join(folder, 'p.sums')], { scope: ['Yale/SVS/'] });
    expect(short(report)).toEqual({
      ...NOTHING,
      ok: ['Yale/SVS/a.svs'],
      missing: ['Yale/SVS/b.svs'],
      extra: ['Yale/SVS/mine'],
    });
  });

  test('names the path here or in the package', async () => {
    await mkdir(join(folder, 'PKG - p'));
    const list = await readFile(join(folder, 'p.sums'), 'utf8');
    await rm(join(folder, 'Yale'), { recursive: true });
    await write('PKG - p/Yale/SVS/a.svs');
    await writeFile(
      join(folder, 'p.sums'),
      list.replace(md5('Yale/SVS/a.svs'), md5('PKG - p/Yale/SVS/a.svs')),
    );
    for (const scope of ['Yale/SVS/a.svs', 'PKG - p/Yale/SVS/a.svs'])
      expect(short(await verify([join(folder, 'p.sums')], { scope: [scope] }))).toEqual({
        ...NOTHING,
        ok: ['PKG - p/Yale/SVS/a.svs'],
      });
  });

  test('whose files have the same names in every case is laid where its content is', async () => {
    const cases = [1, 2, 3].flatMap((number) => ['a', 'b'].map((name) => `data/case ${number}/${name}`));
    await rm(join(folder, 'Yale'), { recursive: true });
    await writeList('p.sums', cases);
    await writeFile(join(folder, 'a'), 'data/case 2/a');
    await writeFile(join(folder, 'b'), 'data/case 2/b');
    const whole = await verify([join(folder, 'p.sums')]);
    expect(whole.lists[0]).toMatchObject({ mapping: { strip: 'data/case 2', add: '' }, ties: [] });
    expect(short(whole)).toMatchObject({ ok: ['a', 'b'], mismatched: [] });
    await writeFile(join(folder, 'a'), 'wrong');
    await writeFile(join(folder, 'b'), 'wrong');
    const unknown = await verify([join(folder, 'p.sums')]);
    expect(unknown.lists[0]?.ties).toHaveLength(2);
    const scoped = await verify([join(folder, 'p.sums')], { scope: ['data/case 3'] });
    expect(scoped.lists[0]).toMatchObject({ mapping: { strip: 'data/case 3', add: '' }, ties: [] });
    expect(short(scoped)).toEqual({ ...NOTHING, mismatched: ['a', 'b'] });
  });

  test('a path that is nowhere is told', async () => {
    const report = await verify([join(folder, 'p.sums')], { scope: ['Yale/SVS/a.svs', 'Jale'] });
    expect(report.unknown).toEqual(['Jale']);
    expect(isSumsReportGood(report)).toBe(false);
  });
});

test('progress counts every file and byte, and ends with all of them', async () => {
  const paths = Array.from({ length: 50 }, (_, index) => `f/${index}`);
  await write(...paths);
  const events: TransferEvent[] = [];
  await verify([await writeList('p.sums', paths)], { onEvent: (event) => events.push(event) });
  const bytes = paths.join('').length;
  expect(events.at(-1)).toMatchObject({
    type: 'progress',
    files: 50,
    totalFiles: 50,
    bytes,
    totalBytes: bytes,
  });
});

test('an abort ends it', async () => {
  await write(...PATHS);
  const list = await writeList('p.sums', PATHS);
  const signal = AbortSignal.abort();
  await expect(verify([list], { signal })).rejects.toMatchObject({ code: 'interrupted' });
});

describe('a list of our own', () => {
  test('is written for a package that has none, found by itself, and proves later that nothing changed', async () => {
    await write(...PATHS);
    const { path, files } = await writeOwnSums(
      folder,
      PATHS.map((one) => ({ path: one })),
    );
    expect(path).toBe(join(folder, OWN_SUMS_NAME));
    expect(files.map((file) => file.digests)).toEqual(PATHS.map((one) => [`md5:${md5(one)}`]));
    const text = await readFile(path, 'utf8');
    expect(text.split('\n')[0]).toMatch(/^# .*upstream gave no digests$/);
    expect(text.slice(text.indexOf('\n') + 1)).toBe(
      printSums(PATHS.map((one) => ({ path: one, digests: [`md5:${md5(one)}`] }))),
    );
    expect(await findSums(folder)).toEqual([path]);
    const [source] = await openSums(folder, [path]);
    expect(source?.evidence).toBe('own');
    expect(short(await verify([path]))).toEqual({ ...NOTHING, ok: PATHS });
  });

  test('a later run adds; what is gone is dropped; a known digest is not computed', async () => {
    await write('a', 'b', 'c');
    await writeOwnSums(folder, [{ path: 'a' }, { path: 'b' }]);
    await rm(join(folder, 'b'));
    await writeOwnSums(folder, [{ path: 'c', digests: [`md5:${md5('known')}`] }]);
    const list = parseSums(await readFile(join(folder, OWN_SUMS_NAME), 'utf8'));
    expect(list.entries.map(({ path, digests }) => [path, ...digests])).toEqual([
      ['a', `md5:${md5('a')}`],
      ['c', `md5:${md5('known')}`],
    ]);
  });

  test('never stands in the place of a list that came from elsewhere', async () => {
    await write('a');
    const theirs = `${md5('a')}  a\n`;
    await writeFile(join(folder, OWN_SUMS_NAME), theirs);
    await expect(writeOwnSums(folder, [{ path: 'a' }])).rejects.toMatchObject({ code: 'unsafe' });
    expect(await readFile(join(folder, OWN_SUMS_NAME), 'utf8')).toBe(theirs);
    await rm(join(folder, OWN_SUMS_NAME));
    await expect(writeOwnSums(folder, [{ path: 'Carrel.sums' }])).rejects.toMatchObject({ code: 'unsafe' });
  });

  test('steps back where the package has a list', async () => {
    await write('a');
    await writeOwnSums(folder, [{ path: 'a' }]);
    const theirs = await writeList('p.sums', ['a']);
    await appendFile(theirs, '');
    expect(await findSums(folder)).toEqual([theirs]);
  });
});
