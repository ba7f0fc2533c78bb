/** `carrel.lock.tcia.json`: packages pinned to their files. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageLockSchemaText } from '../../../scripts/write-tcia-lock-schema.ts';
import {
  createPackageLock,
  isPackageLockLike,
  type LockedPackage,
  type LockedPackageFile,
  mergePackageLocks,
  newerVersionOf,
  openPackageFolder,
  PACKAGE_LOCK_NAME,
  packageFiles,
  parsePackageLock,
  printPackageLock,
  verifyPackageFolder,
  writePackageLock,
} from '../../../src/tcia/index.ts';

const EMPTY = 'md5:d41d8cd98f00b204e9800998ecf8427e' as const;

function file(path: string, more: Partial<LockedPackageFile> = {}): LockedPackageFile {
  return { path, local: path, size: 0, digests: [EMPTY], evidence: 'sums', ...more };
}

function pack(id: string, files: LockedPackageFile[], more: Partial<LockedPackage> = {}): LockedPackage {
  return {
    host: 'faspex.example',
    package_id: id,
    package_uuid: '5b3e0c4e-0d6b-4a3b-8b5e-6a1f0f6f0001',
    title: 'HER2 tumor ROIs v3',
    collection: { slug: 'her2-tumor-rois', version: '3', doi: '10.7937/NVA3-N783' },
    question: { paths: [], include: [], exclude: [] },
    files,
    ...more,
  };
}

describe('the text', () => {
  test('is the same for the same packages, in whatever order they come', () => {
    const [a, b, c] = [file('a b'), file('é'), file('c')];
    const one = [pack('739', [b, a]), pack('1345', [c], { collection: null }), pack('762', [])];
    const text = printPackageLock(createPackageLock(one));
    expect(printPackageLock(createPackageLock([...one].reverse()))).toBe(text);
    expect(printPackageLock(parsePackageLock(text, { origin: 'x' }))).toBe(text);
    expect([...text.matchAll(/"package_id": "(\d+)"/g)].map(([, id]) => id)).toEqual(['739', '762', '1345']);
  });

  test('golden', () => {
    const files = [
      file('SVS/x: 1.svs', { local: 'SVS/x_ 1.svs_0123456789', size: 7, evidence: 'size', digests: [] }),
      file('Annotations/a.xml'),
    ];
    const question = { paths: ['SVS', 'Annotations', 'SVS'], include: ['*.svs'], exclude: [] };
    expect(printPackageLock(createPackageLock([pack('739', files, { question })]))).toMatchInlineSnapshot(`
      "{
        "carrel_tcia_lock": 1,
        "packages": [
          {
            "host": "faspex.example",
            "package_id": "739",
            "package_uuid": "5b3e0c4e-0d6b-4a3b-8b5e-6a1f0f6f0001",
            "title": "HER2 tumor ROIs v3",
            "collection": {
              "slug": "her2-tumor-rois",
              "version": "3",
              "doi": "10.7937/NVA3-N783"
            },
            "question": {
              "paths": [
                "Annotations",
                "SVS"
              ],
              "include": [
                "*.svs"
              ],
              "exclude": []
            },
            "files": [
              {
                "path": "Annotations/a.xml",
                "local": "Annotations/a.xml",
                "size": 0,
                "digests": [
                  "md5:d41d8cd98f00b204e9800998ecf8427e"
                ],
                "evidence": "sums"
              },
              {
                "path": "SVS/x: 1.svs",
                "local": "SVS/x_ 1.svs_0123456789",
                "size": 7,
                "digests": [],
                "evidence": "size"
              }
            ]
          }
        ]
      }
      "
    `);
  });

  test('holds nothing that does not belong: no link, no passcode, no time', () => {
    const stray = Object.assign(pack('1', [Object.assign(file('a'), { fetchedAt: '2026-01-01' })]), {
      passcode: 'secret',
      link: '?context=x',
    });
    const text = printPackageLock(createPackageLock([stray]));
    expect(text).not.toMatch(/secret|context|2026/);
  });

  test('docs/tcia-lock.schema.json is what the code says (npx tsx scripts/write-tcia-lock-schema.ts writes it)', () => {
    const published = readFileSync(new URL('../../../docs/tcia-lock.schema.json', import.meta.url), 'utf8');
    expect(published).toBe(packageLockSchemaText());
  });
});

describe('reading', () => {
  const lock = createPackageLock([pack('739', [file('a')])]);
  const edited = (...changes: object[]) => {
    const files = changes.map((change) => ({ ...file('a'), ...change }));
    const value = { ...lock, packages: [{ ...lock.packages[0], files }] };
    return () => parsePackageLock(JSON.stringify(value), { origin: 'x.json' });
  };

  test('names what it is', () => {
    expect([isPackageLockLike(lock), isPackageLockLike({ carrel_lock: 1 }), isPackageLockLike(null)]).toEqual(
      [true, false, false],
    );
  });

  test.each([
    ['no JSON', () => parsePackageLock('{', { origin: 'x.json' }), 'bad-input', /^x\.json is not JSON/],
    [
      'another file',
      () => parsePackageLock('{}', { origin: 'x.json' }),
      'bad-input',
      /not a lock file of packages/,
    ],
    [
      'another version',
      () => parsePackageLock({ carrel_tcia_lock: 2 }, { origin: 'x.json' }),
      'unsupported',
      /version 2/,
    ],
    [
      'a digest that is none',
      edited({ digests: ['md5:12'] }),
      'bad-input',
      /packages\.0\.files\.0\.digests\.0/,
    ],
    ['a size that is none', edited({ size: -1 }), 'bad-input', /files\.0\.size/],
    ['a path that leaves the folder', edited({ local: 'a/../../b' }), 'unsafe', /goes through \.\./],
    ['an absolute path', edited({ local: '/etc/passwd' }), 'bad-input', /files\.0\.local/],
    ['two files of one name', edited({}, { path: 'b', local: 'A' }), 'unsafe', /collide/],
  ] as const)('%s is refused', (_, read, code, message) => {
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('a later run over the same folder', () => {
  const merge = (before: LockedPackage[], after: LockedPackage[]) =>
    mergePackageLocks(createPackageLock(before), createPackageLock(after)).packages;
  const asked = (...paths: string[]) => ({ question: { paths, include: [], exclude: [] } });

  test('adds files of the same package and what was asked for', () => {
    const [one] = merge(
      [pack('739', [file('a'), file('b')], asked('a', 'b'))],
      [pack('739', [file('b', { evidence: 'size' }), file('c')], asked('c'))],
    );
    expect(one?.files.map(({ path, evidence }) => `${path} ${evidence}`)).toEqual([
      'a sums',
      'b size',
      'c sums',
    ]);
    expect(one?.question.paths).toEqual(['a', 'b', 'c']);
  });

  test('that asked for all of it asked for all of it', () => {
    expect(merge([pack('739', [], asked('a'))], [pack('739', [file('a')])])[0]?.question.paths).toEqual([]);
  });

  test('adds packages; a file that was written over belongs to the later one', () => {
    const merged = merge(
      [pack('739', [file('readme.txt'), file('v3')]), pack('585', [file('README.txt')])],
      [pack('1065', [file('Readme.txt')])],
    );
    expect(merged.map(({ package_id: id, files }) => [id, files.map(({ path }) => path)])).toEqual([
      ['739', ['v3']],
      ['1065', ['Readme.txt']],
    ]);
  });

  test('that brought the same leaves the same text', () => {
    const lock = createPackageLock([pack('739', [file('a')], asked('a'))]);
    expect(printPackageLock(mergePackageLocks(lock, lock))).toBe(printPackageLock(lock));
  });
});

describe('a collection that went on', () => {
  const lock = createPackageLock([pack('739', [file('a')])]);
  const slug = 'HER2-tumor-ROIs';

  test.each([
    ['4', '/ has a new version: 4; this folder holds version 3'],
    ['10', '/ has a new version: 10; this folder holds version 3'],
    ['3.1', '/ has a new version: 3.1; this folder holds version 3'],
  ])('version %s is newer than 3', (version, words) => {
    expect(newerVersionOf(lock, { slug, version, packageId: '1065' })).toEqual({
      slug,
      message: words.replace('/', slug),
      locked: { version: '3', packageIds: ['739'] },
      now: { version, packageIds: ['1065'] },
    });
  });

  test.each([
    ['the same version in another package', { slug, version: 'Version 3', packageId: '740' }],
    ['an older version', { slug, version: '2' }],
    ['another collection', { slug: 'other', version: '9' }],
    ['the same package without a version', { slug, packageId: ['739', '740'] }],
    ['nothing known', { slug }],
  ])('%s is not', (_, fresh) => {
    expect(newerVersionOf(lock, fresh)).toBeUndefined();
  });

  test('without a version the package tells, with less certainty', () => {
    const unversioned = createPackageLock([
      pack('739', [file('a')], { collection: { slug, version: null, doi: null } }),
    ]);
    expect(newerVersionOf(unversioned, { slug, version: '4', packageId: '1065' })?.message).toBe(
      `${slug} stands in another package now (1065); this folder holds 739, so it has probably a new version`,
    );
    expect(newerVersionOf(unversioned, { slug, version: '4', packageId: '739' })).toBeUndefined();
  });

  test('of packages of several versions the oldest counts', () => {
    const both = createPackageLock([
      pack('739', [file('a')]),
      pack('1065', [file('b')], { collection: { slug, version: '4', doi: null } }),
    ]);
    expect(newerVersionOf(both, { slug, version: '4' })?.locked.version).toBe('3');
  });
});

describe('a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-package-lock-'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  test('without a lock file has none; neither has another file', async () => {
    expect(await openPackageFolder(folder)).toBeUndefined();
    expect(await openPackageFolder(join(folder, 'nowhere'))).toBeUndefined();
    await writeFile(join(folder, 'carrel.lock.json'), '{"carrel_lock":1}');
    expect(await openPackageFolder(join(folder, 'carrel.lock.json'))).toBeUndefined();
  });

  test('is verified by digest, by size where upstream gave none; what is wrong and missing is told', async () => {
    await writeFile(join(folder, 'a'), '');
    await writeFile(join(folder, 'sized'), '1234567');
    await writeFile(join(folder, 'mine'), '');
    await writeFile(join(folder, 'carrel.sums'), '');
    const sized = file('sized', { size: 7, digests: [], evidence: 'size' });
    await writePackageLock(folder, createPackageLock([pack('739', [file('a'), sized])]));
    for (const path of [folder, join(folder, PACKAGE_LOCK_NAME)]) {
      const opened = await openPackageFolder(path);
      if (opened === undefined) throw new Error('no lock');
      const report = await verifyPackageFolder(opened, { extra: true });
      expect(report.ok.map(({ path: name, verifiedBy }) => [name, verifiedBy])).toEqual([
        ['a', 'md5'],
        ['sized', 'size'],
      ]);
      expect([report.missing, report.mismatched, report.extra]).toEqual([[], [], ['mine']]);
    }
    await writeFile(join(folder, 'sized'), '12345');
    await rm(join(folder, 'a'));
    const opened = await openPackageFolder(folder);
    if (opened === undefined) throw new Error('no lock');
    expect(await verifyPackageFolder(opened)).toMatchObject({
      ok: [],
      missing: ['a'],
      mismatched: [{ path: 'sized', expected: '7 bytes', found: '5 bytes' }],
    });
  });

  test('is written whole or not at all, and joined with what is there', async () => {
    await writePackageLock(folder, createPackageLock([pack('739', [file('a')])]));
    const merged = await writePackageLock(folder, createPackageLock([pack('762', [file('b')])]));
    expect(packageFiles(merged).map(({ path }) => path)).toEqual(['a', 'b']);
    expect(await readFile(join(folder, PACKAGE_LOCK_NAME), 'utf8')).toBe(printPackageLock(merged));
    expect(await readdir(folder)).toEqual([PACKAGE_LOCK_NAME]);
    await writeFile(join(folder, PACKAGE_LOCK_NAME), 'torn');
    await expect(writePackageLock(folder, merged)).rejects.toMatchObject({ code: 'bad-input' });
    expect(await readFile(join(folder, PACKAGE_LOCK_NAME), 'utf8')).toBe('torn');
  });
});
