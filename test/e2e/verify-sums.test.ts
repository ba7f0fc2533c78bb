/** `carrel verify DIR --sums FILE` proves packages that other tools fetched. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLock, printLock } from '../../src/manifests/index.ts';
import {
  createPackageLock,
  type LockedPackageFile,
  PACKAGE_LOCK_NAME,
  printPackageLock,
} from '../../src/tcia/index.ts';
import { errorOf, runCarrel, summaryOf } from './carrel.ts';

const PKG = 'PKG - Biobank_CMB-GEC_v1';
const PATHS = ['Annotations/case 1 & 2.xml', 'SVS/case 1.svs', 'SVS/case 2.svs'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-sums-'));
  for (const path of PATHS) await put(`${PKG}/${path}`, path);
  await put(`${PKG}/Biobank.sums`, sums(PATHS));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
/** A list in the manner of TCIA, of files whose content is their path. */
const sums = (paths: readonly string[]) => paths.map((path) => `${md5(path)} ${path}\n`).join('');

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

const run = (...args: string[]) => runCarrel(['verify', ...args], { cwd: folder });

describe('a package as ascli leaves it', () => {
  test('is proven by the list at its root, from the folder above and from itself; nothing is written', async () => {
    const before = await readdir(folder, { recursive: true });
    for (const what of ['.', PKG, join(folder, PKG)]) {
      const result = await run(what, '--sums', 'auto');
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(result.stdout).toMatch(
        /^verified: 3 right \(3 by MD5\), 0 wrong, 0 missing, 0 extra, 0 unlisted;/,
      );
    }
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort());
  });

  test('agrees with md5sum -c on what is right, wrong and missing', async () => {
    await put(`${PKG}/SVS/case 1.svs`, 'SVS/case 1.sv!');
    await rm(join(folder, PKG, 'SVS/case 2.svs'));
    const input = sums(PATHS).replaceAll(/^([0-9a-f]{32}) /gm, '$1  ');
    let theirs = '';
    try {
      execFileSync('md5sum', ['-c', '-'], { cwd: join(folder, PKG), input, stdio: 'pipe' });
    } catch (error) {
      theirs = String((error as { stdout: Buffer }).stdout);
    }
    const ours = summaryOf(await run(PKG, '--sums', 'auto', '--json'));
    expect(theirs).toContain('case 1 & 2.xml: OK');
    expect(theirs).toContain('case 1.svs: FAILED\n');
    expect(theirs).toContain('case 2.svs: FAILED open or read');
    expect(ours).toMatchObject({
      ok: 1,
      verifiedBy: { md5: 1 },
      mismatched: [{ path: 'SVS/case 1.svs', expected: `md5:${md5('SVS/case 1.svs')}` }],
      missing: ['SVS/case 2.svs'],
      exit: 5,
    });
  });

  test('a changed byte, a missing file and a leftover are named, and 5', async () => {
    await put(`${PKG}/SVS/case 1.svs`, 'SVS/case 1.sv!');
    await rename(join(folder, PKG, 'SVS/case 2.svs'), join(folder, PKG, 'SVS/case 2.svs.partial'));
    await put(`${PKG}/mine.txt`, 'mine');
    const result = await run(PKG, '--sums', 'auto');
    expect(result.code).toBe(5);
    expect(result.stdout).toMatch(/^MISMATCH SVS\/case 1\.svs: expected md5:[0-9a-f]{32}, found md5:/m);
    expect(result.stdout).toContain('MISSING  SVS/case 2.svs\n');
    expect(result.stdout).toContain(
      'UNFINISHED SVS/case 2.svs.partial: what a transfer of SVS/case 2.svs left',
    );
    expect(result.stdout).toContain('EXTRA    mine.txt\n');
    expect(result.stdout).toContain(
      'not as listed: 1 right (1 by MD5), 1 wrong, 1 missing, 1 unfinished, 1 extra',
    );
    expect(result.stderr).toContain(
      `next: carrel tcia get "$LINK" 'SVS/case 1.svs' 'SVS/case 2.svs' --layout '{path}' --recheck -o '${PKG}'\n`,
    );
  });

  test('files that no list names are no failure; of many the first are shown, with --extra all', async () => {
    for (let index = 0; index < 30; index += 1) await put(`${PKG}/mine/${index}`, '');
    const result = await run(PKG, '--sums', 'auto');
    expect(result.code).toBe(0);
    expect(result.stdout.match(/^EXTRA /gm)).toHaveLength(20);
    expect(result.stdout).toContain('… and 10 more that no list names; --extra shows all');
    expect((await run(PKG, '--sums', 'auto', '--extra')).stdout.match(/^EXTRA /gm)).toHaveLength(30);
    expect(summaryOf(await run(PKG, '--sums', 'auto', '--json'))['extra']).toHaveLength(30);
  });
});

describe('a list from elsewhere', () => {
  test('whose paths have a top folder that the download lacks is laid over it, and that is said', async () => {
    await put('lists/data.sums', sums(PATHS).replaceAll(/^(\S+) /gm, '$1 data/'));
    const result = await run('.', '--sums', 'lists/data.sums');
    expect(result, result.stdout).toMatchObject({ code: 0 });
    expect(result.stderr).toContain(`note: lists/data.sums: its paths without "data" are below "${PKG}"`);
    expect(summaryOf(await run('.', '--sums', 'lists/data.sums', '--json'))['sums']).toMatchObject([
      { listed: 3, found: 3, mapping: { strip: 'data', add: PKG }, ties: [], unusableLines: 0 },
    ]);
  });

  test('two lists together; lines that cannot be used are told with their numbers', async () => {
    await put('a.sums', `${sums(PATHS.slice(0, 1))}junk\n`);
    await put('b.sums', sums(PATHS.slice(1)).replaceAll('\n', '\r\n'));
    const result = await run(PKG, '--sums', 'a.sums', '--sums', 'b.sums');
    expect(result, result.stdout).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('3 right');
    expect(result.stderr).toContain('note: a.sums:2: not a digest and a path: junk');
  });

  test('that lists nothing proves nothing', async () => {
    await put('empty.sums', '');
    const result = await run(PKG, '--sums', 'empty.sums');
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('nothing was proven');
  });
});

describe('a part of a package', () => {
  test('is judged by itself with --scope', async () => {
    await rm(join(folder, PKG, 'SVS'), { recursive: true });
    expect(await run(PKG, '--sums', 'auto')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('--scope'),
    });
    for (const scope of ['Annotations', './Annotations/', `Annotations/case 1 & 2.xml`])
      expect((await run(PKG, '--sums', 'auto', '--scope', scope)).stdout).toMatch(/^verified: 1 right/);
    await truncate(join(folder, PKG, PATHS[0] ?? ''), 3);
    expect(await run(PKG, '--sums', 'auto', '--scope', 'Annotations')).toMatchObject({ code: 5 });
  });

  test('that lost the folders above it is found', async () => {
    await rename(join(folder, PKG, 'SVS'), join(folder, 'SVS'));
    const list = sums(PATHS).replaceAll(/^(\S+) /gm, '$1 Yale/');
    await put('p.sums', list);
    await rm(join(folder, PKG), { recursive: true });
    expect(await run('.', '--sums', 'p.sums', '--scope', 'Yale/SVS')).toMatchObject({ code: 0 });
  });

  test('that names nothing ends with 4', async () => {
    const error = errorOf(await run(PKG, '--sums', 'auto', '--scope', 'Anotations', '--json'));
    expect(error).toMatchObject({ code: 'not-found', exit: 4, item: 'Anotations' });
  });
});

describe('what cannot be', () => {
  test.each([
    ['a folder without a list', ['.', '--sums', 'auto'], 'not-found', 4],
    ['a list that is not there', [PKG, '--sums', 'nowhere.sums'], 'not-found', 4],
    ['a folder that is not there', ['nowhere', '--sums', 'auto'], 'not-found', 4],
    ['a folder as a list', [PKG, '--sums', '.'], 'bad-input', 2],
    ['--fix with a list', [PKG, '--sums', 'auto', '--fix'], 'usage', 2],
    ['--size with a list', [PKG, '--sums', 'auto', '--size'], 'usage', 2],
    ['--scope without a list', [PKG, '--scope', 'SVS'], 'usage', 2],
  ] as const)('%s', async (_, args, code, exit) => {
    if (args[0] === '.') await rm(join(folder, PKG, 'Biobank.sums'));
    expect(errorOf(await run(...args, '--json'))).toMatchObject({ code, exit });
  });

  test('a folder with a list and no lock file: verify says how it can be proven', async () => {
    const error = errorOf(await run(PKG, '--json'));
    expect(error).toMatchObject({ code: 'not-found', exit: 4 });
    expect(error['next']).toContain('--sums auto');
  });
});

describe('a folder with a lock file of packages', () => {
  /** The package as carrel itself would have pinned it. */
  const packageLock = (more: Partial<LockedPackageFile> = {}) =>
    printPackageLock(
      createPackageLock([
        {
          host: 'faspex.example',
          package_id: '762',
          package_uuid: null,
          title: 'Biobank_CMB-GEC_v1',
          collection: { slug: 'cmb-gec', version: '1', doi: null },
          question: { paths: [], include: [], exclude: [] },
          files: PATHS.map((path) => ({
            path,
            local: path,
            size: path.length,
            digests: [`md5:${md5(path)}`],
            evidence: 'sums',
            ...more,
          })),
        },
      ]),
    );

  test('is proven by it without a word more, from the folder and from the lock file', async () => {
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock());
    for (const what of [PKG, `${PKG}/${PACKAGE_LOCK_NAME}`]) {
      const result = await run(what);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(result.stdout).toMatch(/^verified: 3 right \(3 by MD5\), 0 wrong, 0 missing/);
    }
    expect(summaryOf(await run(PKG, '--extra', '--json'))).toMatchObject({
      ok: 3,
      packages: 1,
      extra: ['Biobank.sums'],
    });
  });

  test('where upstream gave no digest, by size only, and says so', async () => {
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock({ digests: [], evidence: 'size' }));
    expect((await run(PKG)).stdout).toMatch(/^verified: 3 right \(3 by size only\)/);
  });

  test('a wrong file is 5, with the command that fetches the package again; --fix does not pretend', async () => {
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock());
    await put(`${PKG}/SVS/case 1.svs`, 'SVS/case 1.sv!');
    for (const flags of [[], ['--fix']]) {
      const result = await run(PKG, ...flags);
      expect(result.code).toBe(5);
      expect(result.stdout).toContain('MISMATCH SVS/case 1.svs');
      expect(result.stderr).toContain(
        `next: carrel tcia get cmb-gec 'SVS/case 1.svs' --layout '{path}' --recheck -o '${PKG}'\n`,
      );
    }
  });

  test('and one of a cohort is held against both', async () => {
    const object = {
      path: 'mine.dcm',
      key: 'mine.dcm',
      size: 4,
      digests: [`md5:${md5('mine')}` as const],
      mirrors: {},
    };
    const lock = createLock({
      archive: { name: 'idc', origin: 'built-in' },
      release: null,
      catalog: null,
      question: { what: [], selection: {} },
      layout: '{file}',
      series: [],
      files: [object],
    });
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock());
    await put(`${PKG}/carrel.lock.json`, printLock(lock));
    await put(`${PKG}/mine.dcm`, 'mine');
    await put(`${PKG}/other`, '');
    const good = await run(PKG, '--extra');
    expect(good, good.stderr).toMatchObject({ code: 0 });
    expect(good.stdout).toMatch(/^EXTRA {4}Biobank\.sums\nEXTRA {4}other\nverified: 4 right/);
    await put(`${PKG}/mine.dcm`, 'thin');
    expect(await run(PKG)).toMatchObject({ code: 5, stderr: expect.stringContaining('--fix') });
    await put(`${PKG}/mine.dcm`, 'mine');
    await rm(join(folder, PKG, 'SVS/case 1.svs'));
    const bad = summaryOf(await run(PKG, '--json'));
    expect(bad).toMatchObject({ ok: 3, missing: ['SVS/case 1.svs'] });
  });

  test('also tells what of the package no list of checksums names', async () => {
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock());
    await put('part.sums', sums(PATHS.slice(1)));
    const result = await run(PKG, '--sums', 'part.sums');
    expect(result, result.stdout).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('UNLISTED Annotations/case 1 & 2.xml\n');
    expect(result.stdout).toMatch(/0 extra, 1 unlisted/);
  });

  test('that was edited is refused', async () => {
    await put(`${PKG}/${PACKAGE_LOCK_NAME}`, packageLock().replace('"local": "SVS', '"local": "../SVS'));
    expect(errorOf(await run(PKG, '--json'))).toMatchObject({ code: 'unsafe', exit: 2 });
  });
});
