/**
 * docs/from-data-retriever.md and docs/from-tcia-utils.md are true: the second column of each row is run by a shell against the
 * sample archive, and an NBIA, a PathDB and a WordPress of this machine. The peers themselves are no programs of a test machine:
 * what they do is held by their documentation alone.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../src/serve/index.ts';
import { writeXlsx } from '../fixtures/write-xlsx.ts';
import { createCollectionServers, pathdbWorld } from '../tcia/server/fixtures-collections.ts';
import { createNbia } from '../tcia/server/nbia.ts';
import { worldSeries } from '../tcia/server/nbia-world.ts';
import { BIN, filesBelow, jsonLines, NODE, openReadingRoom, type ReadingRoom } from './carrel.ts';

/** A series of the sample archive, and its version. */
const IDC = '2.25.178001078320591412513373410317218923173';
const VERSION = '5f7a2b85-177f-4219-88b8-661583d69ad8';
const A = '1.3.6.1.4.1.14519.5.2.1.1';
const B = '1.3.6.1.4.1.14519.5.2.1.2';
const LUNG = '1.2.840.113654.2.55.77';
const NONCOMMERCIAL = '1.3.6.1.4.1.14519.5.2.1.3';

const nbia = createNbia({
  series: [
    worldSeries(A, 5),
    worldSeries(B, 2, { Modality: 'MR' }),
    worldSeries(NONCOMMERCIAL, 1, { LicenseURI: 'https://creativecommons.org/licenses/by-nc/4.0/' }),
    worldSeries(IDC, 1),
  ],
});
const nlst = createNbia({ series: [worldSeries(LUNG, 2, { Collection: 'NLST' })] });
const web = createCollectionServers();
const listeners: Listener[] = [];
let room: ReadingRoom;
let env: Record<string, string>;
let site: Listener;
let slide: string;

/** Rows of a page whose second cell is a command. */
async function rowsOf(page: string): Promise<{ theirs: string; ours: string; gives: string }[]> {
  const text = await readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line) => {
    const [, theirs = '', ours = '', gives = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const command = /^`((?:\w+=\S+ )?carrel .*)`$/.exec(ours)?.[1];
    return command === undefined || !/^(?:files|output)$/.test(gives)
      ? []
      : [{ theirs, ours: command.replaceAll('\\|', '|'), gives }];
  });
}
const rows = [...(await rowsOf('from-data-retriever')), ...(await rowsOf('from-tcia-utils'))];

beforeAll(async () => {
  room = await openReadingRoom({ releases: ['v2', 'v3'] });
  const open = async (fetch: (request: Request) => Promise<Response>) => {
    const listener = await listen({ fetch });
    listeners.push(listener);
    return listener.url;
  };
  const servers = {
    nbia: await open(nbia.fetch),
    nlst: await open(nlst.fetch),
    wordpress: await open(web.wordpress.fetch),
    pathdb: await open(web.pathdb.fetch),
    datacite: await open(web.datacite.fetch),
  };
  const [path = ''] = pathdbWorld().flatMap(({ slides }) => slides.map((one) => one.path));
  slide = `${servers.pathdb}/system/files/wsi/${path.split('/').map(encodeURIComponent).join('/')}`;
  site = await listen({ fetch: async (request) => page(new URL(request.url).pathname) });
  listeners.push(site);
  const bin = join(room.folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'carrel'), `#!/bin/sh\nexec '${NODE}' '${BIN}' "$@"\n`);
  await chmod(join(bin, 'carrel'), 0o755);
  const given = Object.entries(room.env).filter((one): one is [string, string] => one[1] !== undefined);
  env = {
    ...Object.fromEntries(given),
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: room.folder,
    CARREL_REUSE: 'never',
    CARREL_PIP: '',
    NO_PROXY: '127.0.0.1',
    CARREL_TCIA_SERVERS: Object.entries(servers)
      .map(([name, url]) => `${name}=${url}`)
      .join(','),
  };
}, 120_000);
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  await room?.close();
});

const manifest = (...uids: string[]) =>
  ['downloadServerUrl=https://nbia.cancerimagingarchive.net/x', 'ListOfSeriesToDownload=', ...uids, ''].join(
    '\r\n',
  );

/** Pages that manifests name. */
async function page(path: string): Promise<Response> {
  const pages: Record<string, string> = {
    '/both.tcia': manifest(A, IDC),
    '/again.xml': `<TCIACollection><Downloads><URL>${site.url}/again.xml</URL><URL>${site.url}/both.tcia</URL></Downloads></TCIACollection>`,
    '/labels.csv': 'a,b\n',
  };
  const text = pages[path];
  return text === undefined ? new Response('', { status: 404 }) : new Response(text);
}

/** A folder with what the rows name. */
async function newDesk(): Promise<string> {
  const desk = await mkdtemp(join(room.folder, 'desk-'));
  const table = [
    ['PatientID', 'Series Instance UID'],
    ['x', A],
    ['y', IDC],
  ];
  const files: Record<string, string | Buffer> = {
    'manifest.tcia': manifest(A, IDC),
    'cohort.s5cmd': `cp s3://sample-open-data/${VERSION}/* .\n`,
    'cohort.csv': table.map((row) => row.join(',')).join('\n'),
    'cohort.tsv': table.map((row) => row.join('\t')).join('\n'),
    'cohort.xlsx': writeXlsx({ Series: table }),
    'slides.csv': `imageUrl,collection,patient_id\n${slide},X,Y\n`,
    'collection.xml': `<TCIACollection apiVersion="v2"><Downloads><URL>${site.url}/both.tcia</URL></Downloads></TCIACollection>`,
    'dataset.jsonld': JSON.stringify({
      '@type': 'sc:Dataset',
      distribution: [
        { contentUrl: `${site.url}/labels.csv` },
        {
          contentUrl: `${site.url}/both.tcia`,
          additionalProperty: [{ name: 'TCIA download artifact role', value: 'manifest' }],
        },
      ],
    }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(desk, name), content);
  return desk;
}

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
  /** What is new below the desk, without our own files. */
  files: string[];
}

async function run(line: string, desk?: string): Promise<Answer> {
  const folder = desk ?? (await newDesk());
  const before = new Set((await filesBelow(folder)).keys());
  const { code, stdout, stderr } = await new Promise<Omit<Answer, 'files'>>((resolve) => {
    execFile('bash', ['-c', line], { cwd: folder, env, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout: out, stderr: err }),
    );
  });
  const files = [...(await filesBelow(folder)).keys()].filter(
    (name) => !before.has(name) && !/carrel\/|carrel\.|log\.jsonl/.test(name),
  );
  return { code, stdout, stderr, files };
}

describe('the pages', () => {
  test('have rows', () => {
    expect(rows.length).toBeGreaterThan(45);
  });

  test.each(rows)('$theirs: $ours', async ({ ours, gives }) => {
    const { code, stdout, stderr, files } = await run(ours);
    expect(code, stderr).toBe(0);
    if (gives === 'output') expect(stdout.trim().split('\n').length).toBeGreaterThan(0);
    if (gives === 'output') expect(stdout.trim()).not.toBe('');
    else expect(files.length, stderr).toBeGreaterThan(0);
  });
});

describe('a .tcia manifest', () => {
  test('comes from IDC where IDC has it, and from NBIA else', async () => {
    const { code, files, stdout, stderr } = await run('carrel get manifest.tcia -o out');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^complete: .*\n/m)]);
    expect(files.filter((name) => name.includes(`CT_${A}/${A}.`))).toHaveLength(5);
    expect(files.filter((name) => name.includes(IDC)).every((name) => /[0-9a-f-]{36}\.dcm$/.test(name))).toBe(
      true,
    );
    expect(stderr).toMatch(/from NBIA, for the catalogue does not have them: 1 series, 5 files/);
  });

  test('asks for nothing the second time', async () => {
    const desk = await newDesk();
    await run('carrel get manifest.tcia -o out', desk);
    nbia.requests.length = 0;
    const { code, stdout } = await run('carrel get manifest.tcia -o out', desk);
    expect(code).toBe(0);
    expect(stdout).toMatch(/NBIA: 0 fetched \(0 B\), 5 already here/);
    expect(nbia.requests.filter((line) => line.includes('getImage'))).toEqual([]);
  });

  test('with --no-nbia gives what IDC has, and names the rest', async () => {
    const { code, files, stderr } = await run('carrel get manifest.tcia -o out --no-nbia');
    expect(code).toBe(3);
    expect(files.some((name) => name.includes(A))).toBe(false);
    expect(stderr).toContain('manifest.tcia:3');
  });

  test('with --prefer nbia is not looked for in IDC', async () => {
    const { code, files } = await run('carrel get manifest.tcia -o out --prefer nbia');
    expect(code).toBe(0);
    expect(files.filter((name) => name.includes(IDC)).map((name) => name.split('/').at(-1))).toEqual([
      `${IDC}.1.dcm`,
    ]);
  });

  test('that is narrowed by flags asks NBIA for nothing', async () => {
    const { code, files } = await run('carrel get manifest.tcia -o out --collection sample_torso');
    expect(files.some((name) => name.includes(A))).toBe(false);
    expect(code).toBe(3);
  });

  test('is bound to the licence policy as everything is', async () => {
    const desk = await newDesk();
    await writeFile(join(desk, 'nc.tcia'), manifest(NONCOMMERCIAL));
    const { code, stderr, files } = await run('carrel get nc.tcia -o out --license-policy commercial', desk);
    expect([code, files]).toEqual([6, []]);
    expect(stderr).toContain('CC BY-NC 4.0');
  });

  test('in which a series stays broken ends with 3, in JSON with its failure and the code in the summary', async () => {
    nbia.faults.push({ series: A, kind: 'missing' });
    const { code, stdout } = await run('carrel get manifest.tcia -o out --json');
    nbia.faults.length = 0;
    expect(code).toBe(3);
    const lines = jsonLines(stdout);
    expect(lines.find(({ type }) => type === 'failure')).toMatchObject({ path: A, code: 'verification' });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', exit: 3 });
    expect(lines.filter(({ type }) => type === 'retry')).toHaveLength(3);
  }, 60_000);

  test('leaves receipts and a list of checksums that the bytes bear out', async () => {
    const desk = await newDesk();
    await run('carrel get manifest.tcia -o out', desk);
    const sums = await run(
      'cd out && md5sum --quiet -c <(grep -v "^#" carrel.nbia.sums) && grep -c dcm carrel.nbia.sums',
      desk,
    );
    expect([sums.code, sums.stdout.trim()]).toEqual([0, '5']);
    const receipts = jsonLines(await readFile(join(desk, 'out', 'carrel.receipts.jsonl'), 'utf8'));
    expect(receipts.filter(({ type, mirror }) => type === 'file' && mirror === 'nbia')).toHaveLength(5);
  });
});

describe('a series by its UID', () => {
  test('is asked of NBIA with --nbia only, and that is said', async () => {
    const without = await run(`carrel get ${B} -o out`);
    expect(without.code).toBe(4);
    expect(without.stderr).toContain('--nbia');
    expect(await run(`carrel get ${B} -o out --nbia`)).toMatchObject({ code: 0, files: { length: 2 } });
  });

  test('that nobody has is not found', async () => {
    expect(await run('carrel get 1.2.3.4.5 -o out --nbia')).toMatchObject({ code: 4, files: [] });
  });

  test.each([
    ['--prefer nbia --no-nbia', 2],
    ['--nbia --to tar', 2],
  ])('refuses %s', async (flags, exit) => {
    expect((await run(`carrel get ${A} -o out.tar ${flags}`)).code).toBe(exit);
  });
});

describe('layouts of the Data Retriever', () => {
  test.each([
    [
      'classic',
      new RegExp(`^out/test_nbia/TEST-01/[0-9.]+/${A.replaceAll('.', '\\.')}/`),
      new RegExp(`^out/sample_\\w+/[^/]+/2\\.25\\.\\d+/${IDC.replaceAll('.', '\\.')}/`),
    ],
    [
      'descriptive',
      /^out\/test_nbia\/TEST-01\/2001-02-03-CHEST_ABDOMEN-\.1\.99\/3-AX 5mm/,
      /^out\/sample_\w+\/[^/]+\/\d{4}-\d\d-\d\d-[^/]+-\d{5}\/\d+-[^/]+-23173\/[0-9a-f-]{36}\.dcm$/,
    ],
  ])('%s holds for what comes from either', async (layout, ofNbia, ofIdc) => {
    const { files } = await run(`carrel get manifest.tcia -o out --layout ${layout}`);
    expect(files.filter((name) => ofNbia.test(name))).toHaveLength(5);
    const rest = files.filter((name) => !ofNbia.test(name));
    expect(rest.length).toBeGreaterThan(0);
    for (const name of rest) expect(name).toMatch(ofIdc);
  });
});

describe('manifests of manifests', () => {
  test('that name themselves end', async () => {
    const desk = await newDesk();
    await writeFile(
      join(desk, 'loop.xml'),
      `<TCIACollection><URL>${site.url}/again.xml</URL></TCIACollection>`,
    );
    const { code, files, stderr } = await run('carrel get loop.xml -o out', desk);
    expect(code, stderr).toBe(0);
    expect(files.length).toBeGreaterThan(5);
    expect(stderr).toContain('was read already');
  });

  test('that cannot be had are named', async () => {
    const desk = await newDesk();
    await writeFile(
      join(desk, 'gone.xml'),
      `<TCIACollection>\n<URL>${site.url}/gone.tcia</URL></TCIACollection>`,
    );
    const { code, stderr } = await run('carrel get gone.xml -o out', desk);
    expect(code).toBe(4);
    expect(stderr).toContain('/gone.tcia');
  });

  test('are followed by their address too', async () => {
    expect(await run(`carrel get ${site.url}/both.tcia -o out`)).toMatchObject({ code: 0 });
  });
});
