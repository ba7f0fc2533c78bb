/**
 * The story of TCIA's own notebook on downloads over Aspera, command by command, on paths with blanks and `&`; then every row of
 * docs/from-ascli.md.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentOf, openPackageRig, type PackageRig } from '../tcia/packages/rig.ts';
import { type CollectionRig, startCollections } from '../tcia/server/collection-rig.ts';
import { wordpressWorld } from '../tcia/server/fixtures-collections.ts';
import { BIN, NODE } from './carrel.ts';

const BIOBANK = [
  { path: 'slides/MSB 1 & 2.svs', content: 'gastric slide'.repeat(100), link: true },
  { path: 'slides/MSB-00352.svs', content: 'gastric slide two', link: 'unsized' },
] as const;
const HER2 = [
  { path: 'Yale HER2 & cohort/Annotations/Her2Pos Case 01.xml', content: '<her2/>' },
  { path: 'Yale HER2 & cohort/SVS/Her2Pos Case 01.svs', content: 'her2 slide'.repeat(50) },
  { path: 'Yale HER2 & cohort/SVS/Her2Pos Case 02.svs', content: 'her2 slide 2' },
  { path: 'Yale_trastuzumab_response_cohort/Annotations/O09-03495.xml', content: '<o9/>', link: true },
  {
    path: 'Yale_trastuzumab_response_cohort/Annotations/Her2Pos Case 01.xml',
    content: '<other/>',
    link: true,
  },
  { path: 'Yale_trastuzumab_response_cohort/SVS/O09-03495.svs', content: 'response', link: 'bare' },
] as const;

let rig: PackageRig;
let tcia: CollectionRig;
let env: Record<string, string>;
let count = 0;

beforeAll(async () => {
  rig = await openPackageRig([
    { id: '762', title: 'Biobank_CMB-GEC_v1', files: BIOBANK, sums: 'Biobank_CMB-GEC_v1.sums' },
    { id: '739', title: 'HER2_tumor_ROIs_v3', files: HER2, sums: 'HER2_tumor_ROIs_v3.sums' },
  ]);
  const world = wordpressWorld((id) => rig.link(String(id)));
  // The data set as it is at TCIA: one package.
  for (const one of world.collections)
    if (one['slug'] === 'her2-tumor-rois') one['collection_downloads'] = [1020];
  tcia = await startCollections({ wordpress: { world } });
  const bin = join(rig.root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'carrel'), `#!/bin/sh\nexec '${NODE}' '${BIN}' "$@"\n`);
  await chmod(join(bin, 'carrel'), 0o755);
  env = {
    ...rig.env,
    CARREL_TCIA_SERVERS: tcia.flags.filter((flag) => flag !== '--server').join(','),
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    LINK: rig.link('739'),
  };
});
afterAll(async () => {
  await tcia?.close();
  await rig?.close();
});

const folder = async (): Promise<string> => {
  count += 1;
  const path = join(rig.root, `work ${count}`);
  await mkdir(path);
  return path;
};
const shell = async (line: string, cwd: string): Promise<{ code: number; stdout: string; stderr: string }> =>
  await new Promise((resolve) => {
    execFile('/bin/sh', ['-c', line], { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });

/** What the notebook types, with its link in full. */
const ascli = (rest: string, id = '739'): string =>
  `ascli faspex5 packages ${rest.replace('$LINK', rig.link(id))}`;
const shorter = (ours: string, theirs: string): void => expect(ours.length).toBeLessThan(theirs.length);

describe("TCIA's notebook on Aspera downloads", () => {
  test('download an entire package, and verify it', async () => {
    const cwd = await folder();
    const ours = 'carrel tcia get CMB-GEC --download faspex';
    shorter(ours, ascli("receive --url='$LINK'", '762'));
    const received = await shell(ours, cwd);
    expect(received.code, received.stderr).toBe(0);
    const there = await contentOf(cwd);
    for (const { path, content } of BIOBANK) expect(there[`CMB-GEC/${path}`]).toBe(content);
    const verified = await shell('carrel verify .', cwd);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/^verified: 3 /);
    // The notebook's own way, which stops at a path with a blank: the list at the root, whoever fetched the files.
    const bySums = await shell('carrel verify CMB-GEC --sums auto', cwd);
    expect(bySums.stdout).toMatch(/^verified: 2 right \(2 by MD5\), 0 wrong, 0 missing/m);
    await writeFile(join(cwd, 'CMB-GEC', BIOBANK[0].path), 'changed');
    const wrong = await shell('carrel verify CMB-GEC --sums auto', cwd);
    expect(wrong.code).toBe(5);
    expect(wrong.stdout).toContain(`MISMATCH ${BIOBANK[0].path}`);
  });

  test('browse the root of a package, then a folder', async () => {
    const cwd = await folder();
    const root = 'carrel tcia browse HER2-tumor-ROIs';
    shorter(root, ascli('browse --url="$LINK"'));
    const first = await shell(root, cwd);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/^file .* HER2_tumor_ROIs_v3\.sums$/m);
    expect(first.stdout).toMatch(/^folder .* Yale HER2 & cohort\/$/m);
    const inside = `${root} Yale_trastuzumab_response_cohort/Annotations`;
    const second = await shell(inside, cwd);
    expect(second.stdout).toContain('Yale_trastuzumab_response_cohort/Annotations/O09-03495.xml');
    expect(second.stdout).not.toContain('rsponse');
  });

  test('receive a folder', async () => {
    const cwd = await folder();
    const ours = 'carrel tcia get HER2-tumor-ROIs Yale_trastuzumab_response_cohort/Annotations';
    shorter(ours, ascli('receive --url="$LINK" Yale_trastuzumab_response_cohort/Annotations'));
    expect((await shell(ours, cwd)).code).toBe(0);
    expect(Object.keys(await contentOf(cwd))).toEqual([
      'HER2 tumor ROIs/Yale_trastuzumab_response_cohort/Annotations/Her2Pos Case 01.xml',
      'HER2 tumor ROIs/Yale_trastuzumab_response_cohort/Annotations/O09-03495.xml',
    ]);
  });

  test('receive the list of checksums, and sort it by path', async () => {
    const cwd = await folder();
    const received = await shell('carrel tcia get HER2-tumor-ROIs HER2_tumor_ROIs_v3.sums', cwd);
    expect(received.code, received.stderr).toBe(0);
    expect(Object.keys(await contentOf(cwd))).toEqual(['HER2 tumor ROIs/HER2_tumor_ROIs_v3.sums']);
    const ours = 'carrel tcia sums HER2-tumor-ROIs --sort -o HER2_sorted.sums';
    shorter(ours, ascli('receive --url="$LINK" HER2_tumor_ROIs_v3.sums'));
    expect((await shell(ours, cwd)).code).toBe(0);
    const lines = (await readFile(join(cwd, 'HER2_sorted.sums'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => line.slice(34))).toEqual(HER2.map(({ path }) => path).sort());
  });

  test('receive two selected files: each in its folder', async () => {
    const cwd = await folder();
    const files =
      '"Yale HER2 & cohort/Annotations/Her2Pos Case 01.xml" "Yale HER2 & cohort/SVS/Her2Pos Case 01.svs"';
    const ours = `carrel tcia get HER2-tumor-ROIs ${files}`;
    shorter(ours, ascli(`receive --url="$LINK" ${files}`));
    const result = await shell(ours, cwd);
    expect(result.code, result.stderr).toBe(0);
    expect(Object.keys(await contentOf(cwd))).toEqual(
      HER2.slice(0, 2).map(({ path }) => `HER2 tumor ROIs/${path}`),
    );
  });
});

/** Rows whose second cell is a command and whose third says what it gives. */
const rows = (await readFile(new URL('../../docs/from-ascli.md', import.meta.url), 'utf8'))
  .split('\n')
  .flatMap((line) => {
    const [, theirs = '', ours = '', gives = ''] = line.split('|').map((cell) => cell.trim());
    const command = /^`(carrel .*)`$/.exec(ours)?.[1];
    return command === undefined || !/^(?:files|output)$/.test(gives)
      ? []
      : [{ theirs, ours: command, gives }];
  });

describe('docs/from-ascli.md', () => {
  let first: string;
  beforeAll(async () => {
    first = await folder();
    // As ascli leaves a package.
    await cp(join(rig.root, 'upstream', '739'), join(first, 'PKG - HER2'), { recursive: true });
    expect((await shell('carrel tcia get HER2-tumor-ROIs -o out', first)).code).toBe(0);
  });

  test('has a row for each command of the notebook', () => {
    expect(rows.length).toBeGreaterThanOrEqual(12);
  });

  test.each(rows)('$theirs → $ours', async ({ ours, gives }) => {
    const cwd = gives === 'files' ? await folder() : first;
    const result = await shell(ours, cwd);
    expect(result.code, result.stderr).toBe(0);
    if (gives === 'output') expect(result.stdout).not.toBe('');
    else expect(Object.keys(await contentOf(cwd)).length).toBeGreaterThan(0);
  });
});
