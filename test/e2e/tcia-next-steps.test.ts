/**
 * What `carrel verify` says to type next is typed: by a shell, as it stands, with names that shells like to take apart. And what
 * `carrel tcia get` does where a choice, a catalogue or several roads meet.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../src/serve/index.ts';
import { contentOf, openPackageRig, PASSCODE, type PackageRig } from '../tcia/packages/rig.ts';
import { type CollectionRig, startCollections } from '../tcia/server/collection-rig.ts';
import { pathdbWorld, wordpressWorld } from '../tcia/server/fixtures-collections.ts';
import { createNbia } from '../tcia/server/nbia.ts';
import { worldSeries } from '../tcia/server/nbia-world.ts';
import { BIN, filesBelow, jsonLines, NODE, openReadingRoom, type ReadingRoom } from './carrel.ts';

/** Names that a shell would take apart, or a command line for flags. */
const ODD = [
  "it's $HOME & `id`.svs",
  '-rf.xml',
  'a;b *?[x]{1,2}.svs',
  '~tilde/"quoted" \\ back.xml',
  'ünï/ø.svs',
  'plain/one.svs',
];
const FILES = ODD.map((path, at) => ({ path, content: `content ${at} of ${path}` }));
const MANY = Array.from({ length: 30 }, (_, at) => ({ path: `d/${at}.svs`, content: `file ${at}` }));
const A = '1.3.6.1.4.1.14519.5.2.1.1';
const B = '1.3.6.1.4.1.14519.5.2.1.2';

const world = pathdbWorld();
for (const [at, name] of ["it's 2.svs", 'three.svs'].entries())
  world[0]?.slides.push({
    id: 101 + at,
    subject: 'MSB 02',
    image: name,
    path: `Biobank/${name}`,
    bytes: new TextEncoder().encode(name),
  });
const nbia = createNbia({ series: [worldSeries(A, 5), worldSeries(B, 2)] });
let at: Listener;
let rig: PackageRig;
let tcia: CollectionRig;
let room: ReadingRoom;
let env: Record<string, string>;

beforeAll(async () => {
  rig = await openPackageRig([
    { id: '615', title: 'Odd names', files: FILES, sums: 'Odd_v1.sums' },
    { id: '700', title: 'Bare', files: FILES },
    { id: '740', title: 'Many', files: MANY, sums: 'Many.sums' },
    { id: '900', title: 'Torso', files: [{ path: 'ct/one.dcm', content: 'ct' }] },
  ]);
  room = await openReadingRoom();
  at = await listen({ fetch: nbia.fetch });
  const site = wordpressWorld((id) => rig.link(String(id)));
  const torso = site.downloads.find((one) => one['id'] === 1070) ?? {};
  // The images of a data set that IDC has, as a package; and as one with a table, by two roads.
  site.downloads.push({ ...torso, id: 1071, slug: 'd-1071', download_url: rig.link('900') });
  for (const one of site.collections)
    if (one['slug'] === 'sample-torso') one['collection_downloads'] = [1071, 1012];
  tcia = await startCollections({ wordpress: { world: site }, pathdb: { collections: world } });
  const bin = join(rig.root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'carrel'), `#!/bin/sh\nexec '${NODE}' '${BIN}' "$@"\n`);
  await chmod(join(bin, 'carrel'), 0o755);
  const given = Object.entries(room.env).filter((one): one is [string, string] => one[1] !== undefined);
  const servers = tcia.flags.filter((flag) => flag !== '--server');
  env = {
    ...Object.fromEntries(given),
    ...rig.env,
    CARREL_CACHE_DIR: room.env['CARREL_CACHE_DIR'] ?? '',
    CARREL_TCIA_SERVERS: [...servers, `nbia=${at.url}`, `nlst=${at.url}`].join(','),
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    CARREL_REUSE: 'never',
    CARREL_PIP: '',
    NO_PROXY: '127.0.0.1',
  };
}, 120_000);
afterAll(async () => {
  await at?.close();
  await tcia?.close();
  await room?.close();
  await rig?.close();
});

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a line in a shell, as somebody would who pastes it. */
async function shell(line: string, cwd: string, more: Record<string, string> = {}): Promise<Said> {
  return await new Promise((resolve) => {
    execFile(
      'bash',
      ['-c', line],
      { cwd, env: { ...env, ...more }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const nextOf = ({ stderr }: Said): string[] =>
  [...stderr.matchAll(/^next: (carrel .*)$/gm)].map(([, command = '']) => command);

async function newDesk(): Promise<string> {
  const desk = await rig.destination();
  await mkdir(desk);
  return desk;
}

/** Changes a byte as a bad disk does: size and time stay, to the nanosecond. */
async function rot(path: string): Promise<void> {
  const before = `${path}.before`;
  execFileSync('cp', ['--preserve=timestamps', '--', path, before]);
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(path, bytes);
  execFileSync('touch', ['-r', before, '--', path]);
  await rm(before);
}

describe('the next step of a package that is not as it should be', () => {
  test.each([
    ['by its name', 'carrel tcia get DLBCL-Morphology -o out', ''],
    ['in a layout of its own', `carrel tcia get "$LINK" -o out --layout 'my {package}/{dir}/x {file}'`, ''],
    [
      'without folders in front',
      `carrel tcia get DLBCL-Morphology -o . --layout '{path}' --names escape`,
      '',
    ],
  ])('is a command that brings it back: fetched %s', async (_, command) => {
    const desk = await newDesk();
    const LINK = rig.link('615');
    const first = await shell(`${command} --names escape`, desk, { LINK });
    expect(first.code, first.stderr).toBe(0);
    const folder = command.includes('-o out') ? join(desk, 'out') : desk;
    const before = await filesBelow(folder);
    const paths = [...before.keys()].filter((path) => !path.endsWith('.sums'));
    expect(paths).toHaveLength(ODD.length);
    for (const path of paths.slice(1, 4)) await rot(join(folder, path));
    for (const path of paths.slice(4)) await rm(join(folder, path));

    const wrong = await shell(command.includes('-o out') ? 'carrel verify out' : 'carrel verify .', desk);
    expect([wrong.code, nextOf(wrong)]).toEqual([5, [expect.stringMatching(/^carrel tcia get /)]]);
    for (const text of [wrong.stdout, wrong.stderr])
      expect(text).not.toMatch(new RegExp(`${PASSCODE}|context=|${LINK.split('context=')[1]}`));

    const again = await shell(nextOf(wrong)[0] ?? '', desk, { LINK });
    expect(again.code, again.stderr + nextOf(wrong)[0]).toBe(0);
    const after = await filesBelow(folder);
    expect([...after].map(([path, bytes]) => [path, bytes.toString()])).toEqual(
      [...before].map(([path, bytes]) => [path, bytes.toString()]),
    );
  });

  test('is one for a folder that ascli filled and no lock file describes, with its list of checksums', async () => {
    const desk = await newDesk();
    const LINK = rig.link('615');
    await shell(`carrel tcia get "$LINK" -o . --layout 'PKG - Odd/{path}' --names escape`, desk, { LINK });
    await rm(join(desk, 'carrel.lock.tcia.json'));
    await rm(join(desk, '.carrel'), { recursive: true });
    await rot(join(desk, 'PKG - Odd/plain/one.svs'));
    await rm(join(desk, 'PKG - Odd/ünï/ø.svs'));
    const wrong = await shell(`carrel verify . --sums auto`, desk);
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain('--scope PATH');
    expect(wrong.stderr).toContain('LINK is the link to the package "Odd", or the name of its data set');
    const again = await shell(nextOf(wrong)[0] ?? '', desk, { LINK });
    expect(again.code, again.stderr).toBe(0);
    expect((await shell('carrel verify . --sums auto', desk)).code).toBe(0);
  });

  test('names what was asked for where more is wrong than anybody wants to read; what is right does not come again', async () => {
    const desk = await newDesk();
    await shell(`carrel tcia get HER2-tumor-ROIs --download 1021 --include '*.svs' -o out`, desk);
    const folder = join(desk, 'out', 'HER2 tumor ROIs Tissue Slides, second package');
    for (const { path } of MANY.slice(0, 20)) await rm(join(folder, path));
    const wrong = await shell('carrel verify out', desk);
    expect(nextOf(wrong)).toEqual([
      "carrel tcia get her2-tumor-rois --include '*.svs' --download 1021 -o out",
    ]);
    const again = await shell(`${nextOf(wrong)[0]} --json`, desk);
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ fetched: 20, present: 10, exit: 0 });
  });

  test('cannot be made a flag or an address by a lock file of a stranger', async () => {
    const desk = await newDesk();
    await shell('carrel tcia get DLBCL-Morphology -o . --names escape', desk);
    const path = join(desk, 'carrel.lock.tcia.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"dlbcl-morphology"', '"--ascp=./evil"'));
    await rm(join(desk, 'DLBCL-Morphology'), { recursive: true });
    const wrong = await shell('carrel verify .', desk);
    expect(nextOf(wrong)[0]).toMatch(/^carrel tcia get "\$LINK" /);
    const json = await shell('carrel verify . --json', desk);
    expect(jsonLines(json.stdout).at(-1)?.['next']).toEqual(nextOf(wrong));
    expect(wrong.stderr).toContain('LINK is the link to package 615 of 127.0.0.1:');
  });

  test('what the journal vouches for is read with --recheck', async () => {
    const desk = await newDesk();
    await shell('carrel tcia get "$LINK" -o . --names escape', desk, { LINK: rig.link('700') });
    await rot(join(desk, 'Bare/plain/one.svs'));
    const believed = await shell('carrel tcia get "$LINK" -o . --names escape', desk, {
      LINK: rig.link('700'),
    });
    expect(believed.stdout).toContain(' 0 fetched');
    const read = await shell('carrel tcia get "$LINK" -o . --names escape --recheck', desk, {
      LINK: rig.link('700'),
    });
    expect(read.stdout).toContain(' 1 fetched');
    expect((await contentOf(desk))['Bare/plain/one.svs']).toBe(FILES.at(-1)?.content);
  });
});

describe('slides of PathDB and files of the web site', () => {
  const get = 'carrel tcia get CMB-GEC --download pathdb -o out';

  test('are pinned, proven by carrel verify, and come back by the command that it names', async () => {
    const desk = await newDesk();
    const first = await shell(get, desk);
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringContaining('pinned by out/carrel.lock.tcia.json'),
    ]);
    expect((await shell('carrel tcia get CMB-GEC --download 1012 -o out', desk)).code).toBe(0);
    const lock = JSON.parse(await readFile(join(desk, 'out/carrel.lock.tcia.json'), 'utf8')) as {
      downloads: { kind: string; files: Record<string, unknown>[] }[];
    };
    expect(lock.downloads.map(({ kind }) => kind)).toEqual(['pathdb', 'spreadsheet']);
    for (const file of lock.downloads.flatMap(({ files }) => files))
      expect(file).toMatchObject({
        digests: [expect.stringMatching(/^md5:/)],
        etag: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        modified: '2024-01-16T21:08:33.000Z',
      });
    const before = await filesBelow(join(desk, 'out'));
    expect((await shell('carrel verify out', desk)).stdout).toContain(`verified: ${before.size} right`);
    const [one = '', two = ''] = [...before.keys()].filter((path) => path.endsWith('.svs'));
    await rot(join(desk, 'out', one));
    await rm(join(desk, 'out', two));
    const wrong = await shell('carrel verify out', desk);
    expect([wrong.code, nextOf(wrong)]).toEqual([
      5,
      [expect.stringMatching(/^carrel tcia get cmb-gec --download pathdb .*--include=.* --recheck -o out$/)],
    ]);
    const again = await shell(nextOf(wrong)[0] ?? '', desk);
    expect(again.code, again.stderr).toBe(0);
    expect(await filesBelow(join(desk, 'out'))).toEqual(before);
    expect((await shell('carrel verify out', desk)).code).toBe(0);
  });

  test('are known to a later run: whoever put them there, and also where the server has others now', async () => {
    const desk = await newDesk();
    await shell(get, desk);
    await rm(join(desk, 'out/.carrel'), { recursive: true });
    expect((await shell(get, desk)).stdout).toContain(': 0 fetched');
    const slide = world.find(({ name }) => name === 'CMB-GEC')?.slides[0];
    if (slide === undefined) throw new Error('no slide');
    const bytes = slide.bytes;
    slide.bytes = Uint8Array.from(bytes, (byte) => byte ^ 1);
    try {
      const changed = await shell(get, desk);
      expect(changed.stderr).toContain('changed at TCIA since they came here, and so fetched again: 1 file');
      expect([changed.code, changed.stdout]).toEqual([0, expect.stringContaining(': 1 fetched')]);
      expect((await shell('carrel verify out', desk)).code).toBe(0);
    } finally {
      slide.bytes = bytes;
    }
  });
});

describe('series of NBIA', () => {
  const manifest = `ListOfSeriesToDownload=\n${A}\n${B}\n`;

  test('are proven by carrel verify without a word more, and come back by the command that it names', async () => {
    const desk = await newDesk();
    await writeFile(join(desk, 'm.tcia'), manifest);
    const first = await shell('carrel get m.tcia -o out --layout classic', desk);
    expect(first.code, first.stderr).toBe(0);
    const good = await shell('carrel verify out', desk);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringContaining(
        'verified: 7 right (7 by MD5), 0 wrong, 0 missing, 0 unproven; 7 files listed in out',
      ),
    ]);
    const before = await filesBelow(join(desk, 'out'));
    const [one = '', two = ''] = [...before.keys()].filter((path) => path.includes(A));
    await rot(join(desk, 'out', one));
    await rm(join(desk, 'out', two));
    const wrong = await shell('carrel verify out', desk);
    expect(wrong.code).toBe(5);
    expect(wrong.stdout).toContain(`MISMATCH ${one}`);
    expect(nextOf(wrong)).toEqual([
      `carrel get ${A} --prefer nbia --layout '{collection_id}/{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{file}' -o out`,
    ]);
    nbia.requests.length = 0;
    const again = await shell(nextOf(wrong)[0] ?? '', desk);
    expect(again.code, again.stderr).toBe(0);
    expect(nbia.requests.filter((line) => line.includes('getImage'))).toHaveLength(1);
    expect(await filesBelow(join(desk, 'out'))).toEqual(before);
    expect((await shell('carrel verify out --extra', desk)).stdout).toMatch(/^verified: 7 right/);
  });

  test('that do not fit on the disk are refused before a byte comes, also beside what comes from IDC', async () => {
    const desk = await newDesk();
    const huge = createNbia({ series: [worldSeries(A, 5, { FileSize: 9e15 })] });
    const server = await listen({ fetch: huge.fetch });
    try {
      await writeFile(
        join(desk, 'm.tcia'),
        `ListOfSeriesToDownload=\n${A}\n${room.facts.series[0]?.seriesInstanceUid}\n`,
      );
      const servers = env['CARREL_TCIA_SERVERS']?.replaceAll(at.url, server.url) ?? '';
      const result = await shell('carrel get m.tcia -o out', desk, { CARREL_TCIA_SERVERS: servers });
      expect([result.code, result.stderr]).toEqual([7, expect.stringMatching(/are needed .* are free/)]);
      expect([...(await filesBelow(join(desk, 'out'))).keys()]).toEqual([]);
      expect(huge.requests.filter((line) => line.includes('getImage'))).toEqual([]);
    } finally {
      await server.close();
    }
  });

  test('whose server is dead are named with --no-nbia, and what IDC has comes', async () => {
    const desk = await newDesk();
    const idc = room.facts.series[0]?.seriesInstanceUid ?? '';
    await writeFile(join(desk, 'm.tcia'), `ListOfSeriesToDownload=\n${A}\n${idc}\n`);
    const servers = env['CARREL_TCIA_SERVERS']?.replaceAll(at.url, 'http://127.0.0.1:9') ?? '';
    const result = await shell('carrel get m.tcia -o out', desk, { CARREL_TCIA_SERVERS: servers });
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toContain('--no-nbia to leave them out');
    expect([...(await filesBelow(join(desk, 'out'))).keys()].length).toBeGreaterThan(0);
    const alone = await shell(`carrel get ${A} --prefer nbia -o out`, desk, { CARREL_TCIA_SERVERS: servers });
    expect([alone.code, alone.stderr]).toEqual([1, expect.not.stringContaining('--no-nbia')]);
  }, 60_000);
});

describe('--prefer idc', () => {
  test('takes a whole data set from there; with a choice of files it is refused, with both ways out', async () => {
    const desk = await newDesk();
    const refused = await shell(
      'carrel tcia get Sample-Torso --download 1071 ct/one.dcm --prefer idc -o out',
      desk,
    );
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('--prefer idc cannot choose "ct/one.dcm"');
    expect(refused.stderr).toContain('carrel get 10.5072/sample.torso --patient ID');
    for (const flag of ["--include '*.dcm'", '--kind dcm', '--max-size 2GB'])
      expect(
        (await shell(`carrel tcia get Sample-Torso --download 1071 ${flag} --prefer idc`, desk)).code,
      ).toBe(2);
    const whole = await shell(
      'carrel tcia get Sample-Torso --download 1071 --prefer idc -o out --json',
      desk,
    );
    expect(whole.code, whole.stderr).toBe(0);
    expect(jsonLines(whole.stdout).filter(({ type }) => type === 'summary')).toHaveLength(1);
    expect([...(await filesBelow(join(desk, 'out'))).keys()].every((path) => path.endsWith('.dcm'))).toBe(
      true,
    );
    const ours = await shell('carrel tcia get Sample-Torso --download 1071 ct/one.dcm -o tcia', desk);
    expect([ours.code, Object.keys(await contentOf(join(desk, 'tcia')))]).toEqual([
      0,
      expect.arrayContaining(['Sample-Torso/ct/one.dcm']),
    ]);
  });

  test('is offered where something is to come, and not where nothing can be made of it', async () => {
    const desk = await newDesk();
    const get = 'carrel tcia get Sample-Torso --download 1071 -o out';
    expect((await shell(get, desk)).stderr).toContain('--prefer idc');
    expect((await shell(get, desk)).stderr).not.toContain('--prefer idc');
    expect((await shell(`${get} ct/one.dcm`, desk)).stderr).not.toContain('--prefer idc');
    expect((await shell(`${get} --dry-run`, desk)).stderr).toContain('--prefer idc');
  });
});

describe('one command', () => {
  test('ends with one summary, whatever roads its data came by', async () => {
    const desk = await newDesk();
    const get = 'carrel tcia get Sample-Torso HER2-tumor-ROIs --download all -o out --json';
    const run = await shell(get, desk);
    const lines = jsonLines(run.stdout);
    const summaries = lines.filter(({ type }) => type === 'summary');
    expect(summaries, run.stderr).toHaveLength(1);
    expect(lines.at(-1)).toBe(summaries[0]);
    const parts = lines.filter(({ type }) => type === 'part');
    expect(parts.length).toBeGreaterThan(1);
    const total = (name: string) => parts.reduce((sum, part) => sum + Number(part[name]), 0);
    expect(summaries[0]).toMatchObject({
      parts: parts.length,
      planned: total('planned'),
      fetched: total('fetched'),
      bytesFetched: total('bytesFetched'),
      directory: join(desk, 'out'),
      exit: run.code,
    });
    const dry = jsonLines((await shell(`${get} --dry-run`, desk)).stdout);
    expect(dry.filter(({ type }) => type === 'summary')).toEqual([
      expect.objectContaining({ dryRun: true, directory: join(desk, 'out') }),
    ]);
  });

  test('alone keeps the summary that it has always had', async () => {
    const desk = await newDesk();
    const run = await shell('carrel tcia get Sample-Torso --download 1012 -o out --json', desk);
    expect(jsonLines(run.stdout).filter(({ type }) => type === 'part')).toEqual([]);
    expect(jsonLines(run.stdout).at(-1)).toMatchObject({ type: 'summary', planned: 1, exit: run.code });
  });
});
