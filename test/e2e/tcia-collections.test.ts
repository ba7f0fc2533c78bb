/** `carrel tcia collections` and `carrel tcia show`: the built command, the services of TCIA on loopback. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CollectionRig, startCollections } from '../tcia/server/collection-rig.ts';
import { PASSCODE, packageLink } from '../tcia/server/fixtures-collections.ts';
import {
  type CarrelResult,
  errorOf,
  openReadingRoom,
  type ReadingRoom,
  runCarrel,
  startCarrel,
} from './carrel.ts';

let rig: CollectionRig;
let folder: string;
beforeAll(async () => {
  rig = await startCollections();
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-tcia-'));
});
afterEach(() => rig.wordpress.faults.splice(0));
afterAll(async () => {
  await rig?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Without any catalogue of IDC, in a cache of its own by default. */
const tcia = async (args: readonly string[], env: Record<string, string> = {}): Promise<CarrelResult> =>
  await runCarrel(['tcia', ...args, ...rig.flags], {
    cwd: folder,
    env: { CARREL_CACHE_DIR: join(folder, 'cache'), CARREL_CONFIG_DIR: join(folder, 'config'), ...env },
  });
const asked = () => rig.wordpress.requests.splice(0).length;

interface Shown {
  collection: { name: string; doi: string };
  downloads: { id: number; kind: string; url: string | null; next: string; idc: string[] }[];
  citations: string[];
  versions: { number: string }[];
  idc: { archive: string; parts: { by: string; series: number; command: string }[] } | null;
  idcProblem: { message: string; next: string } | null;
  catalogue: { fresh: boolean; ageSeconds: number; notes: string[] };
}
const shown = (result: CarrelResult): Shown => {
  expect(result.code, result.stderr).toBe(0);
  return JSON.parse(result.stdout) as Shown;
};

describe('carrel tcia collections', () => {
  test('lists what TCIA has, says when it was fetched, and asks nobody the second time', async () => {
    const first = await tcia(['collections']);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout.split('\n')[0]).toMatch(/^name +subjects +downloads +size +licence +updated +title$/);
    expect(first.stdout).toMatch(
      /^DLBCL-Morphology +209 +faspex, spreadsheet +221 GB +CC BY 3\.0, CC BY 4\.0 +2024-05-16 /m,
    );
    expect(first.stdout).not.toContain('Old-Phantom');
    expect(first.stderr).toMatch(/^asking 127\.0\.0\.1:\d+ for the catalogue of TCIA …$/m);
    expect(first.stderr).toMatch(/^TCIA's catalogue of \d{4}-\d\d-\d\d \d\d:\d\d UTC, fetched now$/m);
    expect(asked()).toBe(6);
    const second = await tcia(['collections']);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toContain('less than a minute old');
    expect(asked()).toBe(0);
  });

  test('finds by words and kinds; CSV for programs', async () => {
    const { stdout } = await tcia(['collections', 'lung', '--kind', 'nbia', '--format', 'csv', '-q']);
    const [head, ...rows] = stdout.trim().split('\n');
    expect(head).toBe(
      'name,kind,doi,version,updated,subjects,species,cancer_types,cancer_locations,data_types,downloads,bytes,licenses,access,title,page',
    );
    expect(rows.map((row) => row.split(',').slice(0, 3).join(','))).toEqual([
      'QIBA-VolCT-1B,analysis-result,10.7937/tcia.2020.1c3h-vp70',
      'RIDER Pilot,collection,10.7937/m87f-mz83',
    ]);
    const both = await tcia([
      'collections',
      'lung',
      '--kind',
      'nbia',
      '--kind',
      'collection',
      '--format',
      'jsonl',
      '-q',
    ]);
    expect((JSON.parse(both.stdout) as { name: string }).name).toBe('RIDER Pilot');
  });

  test('--json is one document with the state of the catalogue', async () => {
    const document = JSON.parse((await tcia(['collections', 'cmb', '--json'])).stdout) as {
      catalogue: { origin: string; fetchedAt: string; ageSeconds: number };
      collections: { slug: string; downloadKinds: string[]; bytes: number | null; bytesKnown: number }[];
    };
    expect(document.catalogue).toMatchObject({
      origin: rig.servers.wordpress,
      ageSeconds: expect.any(Number) as number,
    });
    expect(document.collections).toMatchObject([
      {
        slug: 'cmb-gec',
        downloadKinds: ['faspex', 'nbia', 'spreadsheet'],
        bytes: null,
        bytesKnown: 22_204_000_000,
      },
    ]);
  });

  test('--refresh fetches; where that fails the old one stays and answers with its age', async () => {
    await tcia(['collections', '-q']);
    asked();
    expect((await tcia(['collections', '--refresh', '-q'])).code).toBe(0);
    expect(asked()).toBe(6);
    rig.wordpress.faults.push({ path: /\/downloads\//, kind: 'maintenance' });
    const failed = await tcia(['collections', '--refresh', '--json']);
    expect(failed.code).toBe(1);
    expect(errorOf(failed)).toMatchObject({
      code: 'network',
      message: expect.stringContaining('JSON') as string,
    });
    const offline = await tcia(['collections', 'cmb', '--offline']);
    expect(offline).toMatchObject({ code: 0 });
    expect(offline.stdout).toContain('CMB-GEC');
    expect(offline.stderr).toContain('old; --refresh fetches it anew');
  });

  test.each([
    ['SIGKILL', null],
    ['SIGINT', 130],
  ] as const)('a refresh that %s ends leaves the catalogue as it was', async (signal, code) => {
    const before = await tcia(['collections', '--format', 'csv', '-q']);
    rig.wordpress.requests.length = 0;
    rig.wordpress.faults.push({ path: /\/downloads\//, kind: 'stall' });
    const { child, done } = startCarrel(['tcia', 'collections', '--refresh', ...rig.flags], {
      cwd: folder,
      env: { CARREL_CACHE_DIR: join(folder, 'cache'), CARREL_CONFIG_DIR: join(folder, 'config') },
    });
    await vi.waitUntil(() => rig.wordpress.requests.some((line) => line.includes('/downloads/')), {
      timeout: 30_000,
    });
    child.kill(signal);
    expect((await done).code).toBe(code);
    expect((await tcia(['collections', '--format', 'csv', '-q', '--offline'])).stdout).toBe(before.stdout);
  });

  test('offline without a catalogue says how to get it, and asks nobody', async () => {
    asked();
    const result = await tcia(['collections', '--offline'], { CARREL_CACHE_DIR: join(folder, 'empty') });
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('carrel tcia collections --refresh');
    expect(asked()).toBe(0);
  });

  test.each([
    [['collections', 'zebra'], 4, 'no data set of TCIA is described by zebra'],
    [['collections', 'dlbcl-morfology'], 4, 'did you mean DLBCL-Morphology?'],
    [['collections', '--kind', 'fax'], 2, 'faspex, nbia, pathdb'],
    [['collections', '--format', 'xml'], 2, 'table, csv'],
    [['collections', '--refresh', '--offline'], 2, 'exclude each other'],
    [['collections', '--server', 'nowhere=http://h'], 2, 'wordpress, nbia'],
    [['show', 'nothing-like-it'], 4, "in TCIA's catalogue"],
    [['show', 'https://wiki.cancerimagingarchive.net/x/c4hF'], 2, 'old wiki'],
  ])('%j ends with %i: %s', async (args, code, says) => {
    const result = await tcia(args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(says);
    expect(result.stdout).toBe('');
  });

  test('servers may be named by a variable', async () => {
    const { code, stderr } = await runCarrel(['tcia', 'collections', '-q'], {
      cwd: folder,
      env: {
        CARREL_CACHE_DIR: join(folder, 'by-variable'),
        CARREL_CONFIG_DIR: folder,
        CARREL_TCIA_SERVERS: `pathdb=${rig.servers.pathdb},wordpress=${rig.servers.wordpress}`,
      },
    });
    expect(code, stderr).toBe(0);
  });
});

describe('carrel tcia show', () => {
  test('tells the downloads with the next command for each, versions and citation', async () => {
    const { code, stdout, stderr } = await tcia(['show', 'https://doi.org/10.7937/E7KH-R486']);
    expect(code, stderr).toBe(0);
    for (const line of [
      /^name +CMB-GEC \(collection, version 9, updated 2026-07-02\)$/m,
      /^DOI +https:\/\/doi\.org\/10\.7937\/e7kh-r486$/m,
      /^version +9 of 2026-07-02: Added 2 subjects$/m,
      /^cite +Cancer Moonshot Biobank\. \(2022\)/m,
      /^ +1010 +Images +nbia +22\.1 GB +DICOM +18 subjects, 251 series, 43,120 images +CC BY 4\.0/m,
      /^ +1010 +carrel tcia get cmb-gec --download 1010$/m,
      /^ +1011 +carrel tcia get cmb-gec --download 1011$/m,
      /or slide by slide over HTTPS: carrel tcia get cmb-gec --download pathdb$/m,
    ])
      expect(stdout).toMatch(line);
  });

  test('controlled and foreign downloads say where to go instead', async () => {
    const { downloads } = shown(await tcia(['show', 'ReMIND-Faces', '--json']));
    expect(downloads.map(({ next }) => next)).toEqual([
      'controlled access: apply as https://www.cancerimagingarchive.net/nih-controlled-data-access-policy/ says',
      'carrel tcia get remind-faces --download 1041',
    ]);
    expect(shown(await tcia(['show', 'qiba-volct-1b', '--json'])).downloads[1]?.next).toBe(
      'see https://zenodo.org/record/1',
    );
  });

  test('prints passcodes on request only, and never in errors', async () => {
    const secret = /context=|eyJ/;
    const plain = [
      await tcia(['show', 'DLBCL-Morphology']),
      await tcia(['show', 'DLBCL-Morphology', '--json']),
      await tcia(['collections', '--json']),
      await tcia(['collections', '--format', 'csv']),
      await tcia(['show', packageLink(615)]),
      await tcia(['show', packageLink(615), '--json', '--debug']),
    ];
    for (const { stdout, stderr } of plain) {
      expect(stdout).not.toMatch(secret);
      expect(stderr).not.toMatch(secret);
      expect(stdout + stderr).not.toContain(PASSCODE);
    }
    expect(plain.slice(4).map(({ code }) => code)).toEqual([2, 2]);
    const asked = shown(await tcia(['show', 'DLBCL-Morphology', '--json', '--links']));
    expect(asked.downloads[0]?.url).toBe(`${packageLink(615)}&redirected=true`);
    expect((await tcia(['show', 'DLBCL-Morphology', '--links'])).stdout).toContain(packageLink(615));
  });

  test('the catalogue on disk is for its owner only', async () => {
    const path = join(folder, 'cache', 'tcia', `127.0.0.1_${new URL(rig.servers.wordpress).port}`);
    expect(await readdir(path)).toEqual(['collections.json']);
    expect(await readFile(join(path, 'collections.json'), 'utf8')).toContain('context=');
    if (process.platform !== 'win32')
      expect((await stat(join(path, 'collections.json'))).mode & 0o077).toBe(0);
  });

  test('asks DataCite and the web site about what moved; with --offline nobody', async () => {
    expect(shown(await tcia(['show', '10.7937/old1-gec0', '--json'])).collection.name).toBe('CMB-GEC');
    const page = 'www.cancerimagingarchive.net/collection/cmb-gastroesophageal';
    expect(shown(await tcia(['show', page, '--json'])).collection.name).toBe('CMB-GEC');
    rig.datacite.requests.length = 0;
    expect((await tcia(['show', '10.7937/old1-gec0', '--offline'])).code).toBe(4);
    expect(rig.datacite.requests).toEqual([]);
  });

  test('without a catalogue of IDC says how to get it', async () => {
    const { idc, idcProblem } = shown(await tcia(['show', 'CMB-GEC', '--json']));
    expect(idc).toBeNull();
    expect(idcProblem?.message).toContain('whether idc has the same images is not known');
    expect(idcProblem?.next).toContain('carrel catalog update');
  });
});

describe('the same images in an installed archive', () => {
  let room: ReadingRoom;
  beforeAll(async () => {
    room = await openReadingRoom();
  });
  afterAll(async () => await room?.close());

  test('are told with the command that fetches them from there, which is right', async () => {
    const told = shown(await room.run(['tcia', 'show', 'Sample-Torso', '--json', ...rig.flags]));
    const [part] = told.idc?.parts ?? [];
    expect(part).toMatchObject({ by: 'doi', command: 'carrel get 10.5072/sample.torso' });
    expect(told.downloads[0]?.idc).toEqual(['carrel get 10.5072/sample.torso']);
    const plan = await room.run(['get', '10.5072/sample.torso', '--dry-run', '--json']);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain(`"series":${part?.series}`);
    const { stdout } = await room.run(['tcia', 'show', 'Sample-Torso', ...rig.flags]);
    expect(stdout).toMatch(/or from \S+: carrel get 10\.5072\/sample\.torso/);
  });

  test('or that it has none', async () => {
    const { stdout } = await room.run(['tcia', 'show', 'DLBCL-Morphology', ...rig.flags]);
    expect(stdout).toContain('the installed archive has none of it');
    expect(
      shown(await room.run(['tcia', 'show', 'DLBCL-Morphology', '--json', ...rig.flags])).idc,
    ).toBeNull();
  });
});
