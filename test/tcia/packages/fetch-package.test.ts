import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { contentOf, md5, openPackageRig, type PackageRig, type RigPackage } from './rig.ts';

const FILES = [
  { path: 'Yale_HER2_cohort/SVS/Her2Pos Case & 01.svs', content: 'slide one'.repeat(50) },
  { path: 'Yale_HER2_cohort/Annotations/Her2Pos Case & 01.xml', content: '<one/>' },
  { path: 'Yale_response/Annotations/Her2Pos Case & 01.xml', content: '<two/>', link: true },
  { path: 'Yale_response/SVS/O09-03495.svs', content: 'slide two'.repeat(70), link: 'bare' },
] as const;
const HER2: RigPackage = { id: '739', title: 'HER2 tumor ROIs v3', files: FILES, sums: 'HER2_v3.sums' };

const rigs: PackageRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});
const open = async (
  packages: readonly RigPackage[] = [HER2],
  options: Parameters<typeof openPackageRig>[1] = {},
): Promise<PackageRig> => {
  const rig = await openPackageRig(packages, options);
  rigs.push(rig);
  return rig;
};
const lockOf = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'carrel.lock.tcia.json'), 'utf8')) as {
    packages: { package_id: string; question: object; files: { path: string; evidence: string }[] }[];
  };

describe('a package as a whole', () => {
  test('comes with its tree, proven by its list of checksums, and is pinned', async () => {
    const at = await open();
    const folder = await at.destination();
    const result = await at.fetch(folder);
    expect(result.failed).toEqual([]);
    expect(result.plan).toMatchObject({
      listing: 'sums',
      whole: true,
      proven: true,
      name: 'HER2 tumor ROIs v3',
    });
    const there = await contentOf(folder);
    expect(Object.keys(there)).toEqual(
      ['HER2_v3.sums', ...FILES.map(({ path }) => path)].map((path) => `HER2 tumor ROIs v3/${path}`).sort(),
    );
    for (const { path, content } of FILES) expect(there[`HER2 tumor ROIs v3/${path}`]).toBe(content);
    const lock = await lockOf(folder);
    expect(lock.packages[0]?.question).toEqual({ paths: [], include: [], exclude: [] });
    const evidence = Object.fromEntries(
      (lock.packages[0]?.files ?? []).map((file) => [file.path, file.evidence]),
    );
    expect(evidence).toEqual({
      'HER2_v3.sums': 'size',
      ...Object.fromEntries(FILES.map(({ path }) => [path, 'sums'])),
    });
    // One session for the list, one for the files.
    expect(await at.runs()).toHaveLength(2);
  });

  test('is not fetched again, nor read again, and ascp is not even looked for', async () => {
    const at = await open();
    const folder = await at.destination();
    await at.fetch(folder);
    const before = await at.runs();
    const again = await at.fetch(folder, { ascp: '/nowhere/ascp' });
    expect(again).toMatchObject({ present: 5, bytesFetched: 0, transport: undefined, failed: [] });
    expect(await at.runs()).toEqual(before);
  });

  test('a file that was changed or is gone comes again, and it alone', async () => {
    const at = await open();
    const folder = await at.destination();
    await at.fetch(folder);
    const first = join(folder, 'HER2 tumor ROIs v3', FILES[0].path);
    await writeFile(first, 'slide ONE'.repeat(50));
    await rm(join(folder, 'HER2 tumor ROIs v3', FILES[1].path));
    const again = await at.fetch(folder);
    expect(again).toMatchObject({ present: 3, failed: [] });
    expect(await readFile(first, 'utf8')).toBe(FILES[0].content);
  });

  test('files that another tool put there are taken where the list of checksums proves them', async () => {
    const at = await open();
    const folder = await at.destination();
    await at.fetch(folder);
    await rm(join(folder, '.carrel'), { recursive: true });
    await rm(join(folder, 'carrel.lock.tcia.json'));
    const again = await at.fetch(folder);
    // The list itself is listed nowhere: it comes again.
    expect(again).toMatchObject({ present: 4, failed: [] });
  });

  test('without a list of checksums sizes prove it, and a list of its own is written', async () => {
    const at = await open([{ ...HER2, sums: undefined }]);
    const folder = await at.destination();
    const result = await at.fetch(folder);
    expect(result.plan).toMatchObject({ listing: 'browse', proven: false });
    expect(result.ownSums).toBe(join(folder, 'HER2 tumor ROIs v3', 'carrel.sums'));
    const own = await readFile(result.ownSums ?? '', 'utf8');
    expect(own).toContain(`${md5(FILES[0].content)}  ${FILES[0].path}`);
    const lock = await lockOf(folder);
    expect(lock.packages[0]?.files.map(({ evidence }) => evidence).sort()).toEqual([
      'own',
      'size',
      'size',
      'size',
    ]);
    expect(await readFile(join(folder, 'carrel.receipts.jsonl'), 'utf8')).toContain(
      'upstream gave no digest',
    );
    expect(await at.fetch(folder)).toMatchObject({ present: 4, transport: undefined });
  });
});

describe('a selection', () => {
  test('of a folder and a file keeps the tree; the lock says what was asked for', async () => {
    const at = await open();
    const folder = await at.destination();
    const paths = ['Yale_HER2_cohort/Annotations', '/Yale_response/SVS/O09-03495.svs/'];
    const result = await at.fetch(folder, { layout: '{path}', choice: { paths } });
    expect(result.failed).toEqual([]);
    expect(Object.keys(await contentOf(folder))).toEqual([
      'Yale_HER2_cohort/Annotations/Her2Pos Case & 01.xml',
      'Yale_response/SVS/O09-03495.svs',
    ]);
    expect((await lockOf(folder)).packages[0]?.question).toMatchObject({ paths: [...paths].sort() });
  });

  test('by kind and by size', async () => {
    const at = await open();
    const slides = await at.fetch(await at.destination(), { choice: { kinds: ['SVS'] } });
    expect(slides.placed.map(({ path }) => path).sort()).toEqual([FILES[0].path, FILES[3].path]);
    const small = await at.fetch(await at.destination(), { choice: { maxSize: 100 } });
    expect(small.placed.map(({ path }) => path).sort()).toEqual([FILES[1].path, FILES[2].path]);
    expect(small.plan.notes).toEqual(['left out, for their size is not known: 1 file']);
  });

  test('a path that is not there is an error that names the nearest ones; nothing is fetched', async () => {
    const at = await open();
    const folder = await at.destination();
    await expect(
      at.fetch(folder, { choice: { paths: ['Yale_HER2_cohort/Annotation'] } }),
    ).rejects.toMatchObject({
      code: 'not-found',
      message: 'HER2 tumor ROIs v3 holds no "Yale_HER2_cohort/Annotation"',
      next: expect.stringContaining('"Yale_HER2_cohort/Annotations"') as string,
    });
    expect(existsSync(folder)).toBe(false);
    const plain = await open([{ ...HER2, sums: undefined }]);
    await expect(plain.fetch(folder, { choice: { paths: ['yale_her2_cohort'] } })).rejects.toMatchObject({
      next: expect.stringContaining('"Yale_HER2_cohort"') as string,
    });
  });

  test('two later selections of one folder are one lock file', async () => {
    const at = await open();
    const folder = await at.destination();
    await at.fetch(folder, { choice: { paths: ['Yale_HER2_cohort'] } });
    await at.fetch(folder, { choice: { paths: ['Yale_response'] } });
    const [locked] = (await lockOf(folder)).packages;
    expect(locked?.files).toHaveLength(4);
    expect(locked?.question).toMatchObject({ paths: ['Yale_HER2_cohort', 'Yale_response'] });
  });
});

describe('listings', () => {
  test('a list of checksums with another number of files than the server counts is not taken for a listing', async () => {
    const extra = { path: 'Yale_response/new.svs', content: 'came later' };
    const at = await open([
      {
        ...HER2,
        files: [...FILES, extra],
        async change(entries, folder) {
          const path = join(folder, 'HER2_v3.sums');
          const text = (await readFile(path, 'utf8')).replace(/^.*new\.svs\n/m, '');
          await writeFile(path, text);
          return entries.map((one) => (one.path === 'HER2_v3.sums' ? { ...one, size: text.length } : one));
        },
      },
    ]);
    const result = await at.fetch(await at.destination());
    expect(result.plan.listing).toBe('browse');
    expect(result.placed.find(({ path }) => path === extra.path)?.evidence).toBe('size');
    expect(result.failed).toEqual([]);
  });

  test('a listing that is known to be short is refused; the list of checksums fills it', async () => {
    const at = await open([{ ...HER2, sums: undefined }]);
    at.faspex.faults.noPages = true;
    at.faspex.faults.totalOffBy = 3;
    const folder = await at.destination();
    await expect(at.fetch(folder)).rejects.toMatchObject({ code: 'partial' });
    const allowed = await at.fetch(folder, { allowPartial: true });
    expect(allowed.plan.complete).toBe(false);
    expect(allowed.plan.notes[0]).toContain('is short');
    expect(allowed.placed).toHaveLength(4);
  });
});

describe('what goes wrong on the way', () => {
  test('a byte that was changed is found; the file comes once more and is right', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'corrupt@2:01.svs';
    const folder = await at.destination();
    const result = await at.fetch(folder);
    expect(result.failed).toEqual([]);
    expect((await contentOf(folder))[`HER2 tumor ROIs v3/${FILES[0].path}`]).toBe(FILES[0].content);
    expect(await at.runs()).toHaveLength(3);
  });

  test('a file that is wrong both times fails, and nothing wrong stands under its name', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'corrupt:01.svs';
    const folder = await at.destination();
    const result = await at.fetch(folder);
    expect(result.failed).toMatchObject([
      { path: FILES[0].path, error: { code: 'verification' }, attempts: 2 },
    ]);
    expect(Object.keys(await contentOf(folder))).not.toContain(`HER2 tumor ROIs v3/${FILES[0].path}`);
    expect(result.placed).toHaveLength(4);
    delete at.env['FAKE_ASCP_FAULT'];
    expect(await at.fetch(folder)).toMatchObject({ present: 4, failed: [] });
  });

  test('a file that is left out without a word is asked for again, and named where it never comes', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'missing@2:O09-03495.svs';
    expect((await at.fetch(await at.destination())).failed).toEqual([]);
    at.env['FAKE_ASCP_FAULT'] = 'missing:O09-03495.svs';
    const lost = await at.fetch(await at.destination());
    expect(lost.failed.map(({ path }) => path)).toEqual([FILES[3].path]);
    expect(lost.placed).toHaveLength(4);
  });

  test('code 27 names the file; the others arrive', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'fileerror:O09-03495.svs';
    const result = await at.fetch(await at.destination());
    expect(result.failed.map(({ path }) => path)).toEqual([FILES[3].path]);
    expect(result.placed).toHaveLength(4);
  });

  test('a stall ends the session, a new one goes on with a new token', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'stall@2:100';
    const result = await at.fetch(await at.destination(), { stallMs: 300 });
    expect(result.failed).toEqual([]);
    expect(Object.keys(at.faspex.issued.tokens).length).toBeGreaterThan(2);
    expect(at.events.some((event) => event.type === 'retry')).toBe(true);
  });

  test('tokens that expire in the middle are asked for anew', async () => {
    const at = await open();
    at.env['FAKE_ASCP_FAULT'] = 'expired@2';
    at.faspex.faults.requestsPerToken = 2;
    expect((await at.fetch(await at.destination())).failed).toEqual([]);
  });

  test('sums that name a file that is not there: it fails by its name, the rest arrives', async () => {
    const at = await open([
      {
        ...HER2,
        async change(entries, folder) {
          await appendFile(join(folder, 'HER2_v3.sums'), `${'0'.repeat(32)} Yale_response/ghost.svs\n`);
          const { size } = await stat(join(folder, 'HER2_v3.sums'));
          return entries.map((one) => (one.path === 'HER2_v3.sums' ? { ...one, size } : one));
        },
      },
    ]);
    const result = await at.fetch(await at.destination());
    expect(result.plan.listing).toBe('browse');
    expect(result.failed).toEqual([]);
  });
});

describe('hostile packages', () => {
  const hostile: RigPackage = {
    id: '666',
    title: 'Hostile',
    files: [
      { path: 'good.svs', content: 'good' },
      { path: '../outside.svs', content: 'evil' },
      { path: 'new\nline.svs', content: 'evil' },
      { path: 'absolute.svs', shown: '/etc/../absolute.svs', content: 'evil' },
      { path: 'CON.svs', content: 'reserved' },
      { path: 'a:b.svs', content: 'colon' },
      { path: 'case/Slide.svs', content: 'capital' },
      { path: 'case/slide.svs', content: 'small' },
      { path: 'deep/.carrel/journal.jsonl', content: 'inner' },
    ],
  };

  test('what would hurt is refused by its name, the rest arrives, nothing lies outside of the folder', async () => {
    const at = await open([hostile]);
    const folder = await at.destination();
    const result = await at.fetch(folder);
    expect(Object.keys(await contentOf(folder))).toEqual([
      'Hostile/carrel.sums',
      'Hostile/deep/.carrel/journal.jsonl',
      'Hostile/good.svs',
    ]);
    expect(result.failed.every(({ error }) => error.code === 'unsafe')).toBe(true);
    const names = result.failed.map(({ path }) => path);
    expect(names).toEqual(
      expect.arrayContaining(['CON.svs', 'a:b.svs', 'case/Slide.svs', 'case/slide.svs', '/new\nline.svs']),
    );
    expect(names).toHaveLength(7);
    expect(
      Object.keys(await contentOf(at.root)).filter(
        (path) => /evil|outside/.test(path) && !path.startsWith('upstream'),
      ),
    ).toEqual([]);
  });

  test('--names escape makes names safe and tells them apart; what leads out stays refused', async () => {
    const at = await open([hostile]);
    const folder = await at.destination();
    const result = await at.fetch(folder, { names: 'escape' });
    expect(result.failed.map(({ path }) => path)).toHaveLength(3);
    const there = await contentOf(folder);
    expect(Object.values(there)).toEqual(
      expect.arrayContaining(['reserved', 'colon', 'capital', 'small', 'good']),
    );
    expect(new Set(Object.keys(there).map((path) => path.toLowerCase())).size).toBe(
      Object.keys(there).length,
    );
  });

  test('the state folder is out of reach of a layout without folders', async () => {
    const at = await open([
      {
        id: '1',
        title: 'T',
        files: [
          { path: '.carrel/journal.jsonl', content: 'x' },
          { path: 'a', content: 'a' },
        ],
      },
    ]);
    const result = await at.fetch(await at.destination(), { layout: '{path}' });
    expect(result.failed).toMatchObject([{ path: '.carrel/journal.jsonl', error: { code: 'unsafe' } }]);
  });

  test('a layout that gives two files one name is refused before anything comes', async () => {
    const at = await open();
    const folder = await at.destination();
    await expect(at.fetch(folder, { layout: '{file}' })).rejects.toMatchObject({
      code: 'unsafe',
      message: expect.stringContaining('gives 2 files one name') as string,
    });
    expect(await at.runs()).toHaveLength(1);
  });
});

describe('a run that was killed', () => {
  test('goes on: what is proven is not fetched again, what stood whole is proven first', async () => {
    const files = Array.from({ length: 20 }, (_, at) => ({
      path: `d/${at}.svs`,
      content: `file ${at} `.repeat(20),
    }));
    const at = await open([{ id: '5', title: 'Twenty', files, sums: 'x.sums' }]);
    const folder = await at.destination();
    await at.fetch(folder);
    // As a kill leaves it: some files named, some whole in the staging folder, the lock file not yet written.
    await rm(join(folder, 'carrel.lock.tcia.json'));
    const state = join(folder, '.carrel', 'packages');
    const [id = ''] = await import('node:fs/promises').then(({ readdir }) => readdir(state));
    const staged = join(state, id, 'files', 'Twenty', 'd');
    await mkdir(staged, { recursive: true });
    for (const name of ['1.svs', '2.svs'])
      await rename(join(folder, 'Twenty', 'd', name), join(staged, name));
    await rm(join(folder, 'Twenty', 'd', '3.svs'));
    await writeFile(join(staged, '3.svs'), 'torn');
    await utimes(join(staged, '3.svs'), new Date(0), new Date(0));
    const before = Object.keys(at.faspex.issued.tokens);
    expect(await at.fetch(folder)).toMatchObject({ present: 20, failed: [] });
    const asked = Object.entries(at.faspex.issued.tokens).filter(([token]) => !before.includes(token));
    expect(
      asked
        .flatMap(([, { sources }]) => Object.keys(sources))
        .map((source) => source.replace(/^.*\/d\//, '')),
    ).toEqual(['3.svs']);
    expect(Object.keys(await contentOf(folder))).toHaveLength(21);
  });

  test('one run at a time in a folder', async () => {
    const at = await open();
    const folder = await at.destination();
    at.env['FAKE_ASCP_DELAY_MS'] = '300';
    // Which of them comes first is the disk's affair.
    const ends = await Promise.allSettled([at.fetch(folder), at.fetch(folder)]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'busy' } });
  });
});
