/** `carrel tcia get` and `carrel tcia sums` of the built command: Faspex, `ascp`, gateway and the web site on this machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../src/serve/index.ts';
import { contentOf, openPackageRig, PASSCODE, type PackageRig } from '../tcia/packages/rig.ts';
import { type CollectionRig, startCollections } from '../tcia/server/collection-rig.ts';
import { wordpressWorld } from '../tcia/server/fixtures-collections.ts';
import { createGateway } from '../tcia/server/gateway.ts';
import { createNbia } from '../tcia/server/nbia.ts';
import { worldSeries } from '../tcia/server/nbia-world.ts';
import { type CarrelResult, jsonLines, runCarrel, startCarrel, summaryOf } from './carrel.ts';

const FILES = [
  { path: 'Yale HER2/SVS/Case & 01.svs', content: 'slide one'.repeat(50) },
  { path: 'Yale HER2/Annotations/Case & 01.xml', content: '<one/>' },
  { path: 'Yale response/Annotations/Case & 01.xml', content: '<two/>', link: true },
  { path: 'Yale response/SVS/O09-03495.svs', content: 'slide two'.repeat(70), link: 'bare' },
] as const;

/** Five folders that hold files of the same thousand names. */
const SAME_NAMES = Array.from({ length: 5000 }, (_, at) => ({
  path: `cohort ${Math.floor(at / 1000)}/slide ${String(at % 1000).padStart(4, '0')}.xml`,
  content: `<slide n="${at}"/>`,
}));
const REST = Array.from({ length: 15_000 }, (_, at) => ({
  path: `rest ${at % 7}/${at}.svs`,
  size: 10,
  disk: null,
}));

let rig: PackageRig;
let tcia: CollectionRig;
beforeAll(async () => {
  rig = await openPackageRig([
    { id: '615', title: 'DLBCL-Morphology', files: FILES, sums: 'DLBCL_v1.sums' },
    { id: '739', title: 'HER2 tumor ROIs v3', files: FILES, sums: 'HER2_v3.sums' },
    { id: '740', title: 'Second', files: [{ path: 'Yale HER2/other.svs', content: 'other' }] },
    {
      id: '20000',
      title: 'Large',
      files: SAME_NAMES,
      sums: 'large.sums',
      change: (entries) => [...entries, ...REST],
    },
    {
      id: '30',
      title: 'Thirty',
      files: Array.from({ length: 1200 }, (_, at) => ({ path: `d/${at}.svs`, content: `file ${at}` })),
      sums: 'x.sums',
    },
    {
      id: '666',
      title: 'Hostile',
      files: [
        { path: 'good.svs', content: 'good' },
        { path: '../outside.svs', content: 'evil' },
        { path: 'new\nline.svs', content: 'evil' },
        { path: 'CON.svs', content: 'evil' },
      ],
    },
  ]);
  tcia = await startCollections({ wordpress: { world: wordpressWorld((id) => rig.link(String(id))) } });
});
afterEach(() => {
  for (const name of Object.keys(rig.env)) if (/^FAKE_ASCP_(?:FAULT|DELAY)/.test(name)) delete rig.env[name];
  delete rig.faspex.faults.requestsPerToken;
});
afterAll(async () => {
  await tcia?.close();
  await rig?.close();
});

const environment = (): Record<string, string> => ({
  ...rig.env,
  CARREL_TCIA_SERVERS: tcia.flags.filter((flag) => flag !== '--server').join(','),
});
const carrel = async (...args: string[]): Promise<CarrelResult> =>
  await runCarrel(args, { cwd: rig.root, env: environment() });
const get = async (...args: string[]): Promise<CarrelResult> => await carrel('tcia', 'get', ...args);

describe('carrel tcia get', () => {
  test('a name ends in verified files, a lock file and receipts', async () => {
    const folder = await rig.destination();
    const result = await get('dlbcl-morphology', '-o', folder);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(
      /^complete: 5 fetched \(.*\), 0 already here, 0 failed, verified: 4 by MD5, 1 by size only\nfiles in .*, pinned by .*carrel\.lock\.tcia\.json\n$/,
    );
    expect(result.stderr).toContain('also of DLBCL-Morphology: 1002 Clinical data (spreadsheet)');
    const there = await contentOf(folder);
    for (const { path, content } of FILES) expect(there[`DLBCL-Morphology/${path}`]).toBe(content);
    const verified = await carrel('verify', folder);
    expect(verified.code, verified.stderr).toBe(0);
    const again = await get('10.7937/TCIA.FEFX-SN51', '-o', folder);
    expect(again.stdout).toContain('0 fetched (0 B in');
    expect(again.stdout).toContain('5 already here');
  });

  test('a link does the same, in carrel get too; paths choose; --json is one object per line', async () => {
    const folder = await rig.destination();
    const whole = await carrel('get', `${rig.link('739')}&amp;redirected=true`, '-o', folder);
    expect(whole.code, whole.stderr).toBe(0);
    const part = await rig.destination();
    const result = await get(rig.link('739'), 'Yale HER2/Annotations', '-o', part, '--json');
    expect(summaryOf(result)).toMatchObject({
      planned: 1,
      fetched: 1,
      failed: 0,
      verifiedBy: { md5: 1 },
      exit: 0,
    });
    expect(jsonLines(result.stdout)[0]).toMatchObject({
      type: 'package',
      package: '739',
      listing: 'sums',
      whole: false,
    });
    expect(Object.keys(await contentOf(part))).toEqual([
      'HER2 tumor ROIs v3/Yale HER2/Annotations/Case & 01.xml',
    ]);
    const mixed = await carrel('get', rig.link('739'), 'nlst', '-o', folder);
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).not.toContain('context=');
  });

  test('several packages in one run stay apart', async () => {
    const folder = await rig.destination();
    const result = await get('HER2-tumor-ROIs', '--download', 'all', 'DLBCL-Morphology', '-o', folder);
    expect(result.code, result.stderr).toBe(0);
    const folders = (await readdir(folder)).filter((name) => !/^\.?carrel/.test(name)).sort();
    expect(folders).toEqual([
      'DLBCL-Morphology',
      'HER2 tumor ROIs Tissue Slides and ROIs',
      'HER2 tumor ROIs Tissue Slides, second package',
    ]);
    const lock = JSON.parse(await readFile(join(folder, 'carrel.lock.tcia.json'), 'utf8')) as {
      packages: { package_id: string }[];
    };
    expect(lock.packages.map((one) => one.package_id)).toEqual(['615', '739', '740']);
    // The table of DLBCL came over HTTPS.
    expect(
      (await readdir(join(folder, 'DLBCL-Morphology'))).some((name) => /\.(?:xlsx|csv)$/.test(name)),
    ).toBe(true);
  });

  test('a path that is not there names its neighbours; a dry run asks for no transfer', async () => {
    const before = (await rig.runs()).length;
    const wrong = await get(rig.link('739'), 'Yale HER2/Annotation', '--dry-run');
    expect(wrong.code).toBe(4);
    expect(wrong.stderr).toContain('did you mean "Yale HER2/Annotations"');
    const dry = await get(rig.link('739'), '--include', '*.xml', '--dry-run', '-o', 'never');
    expect(dry.stdout).toContain('dry run: 2 files, 12 B would be in never');
    expect((await rig.runs()).length).toBe(before);
    expect(await readdir(rig.root)).not.toContain('never');
  });

  test('without ascp: what stands in the way, and the other roads', async () => {
    const folder = await rig.destination();
    const env = { ...environment(), CARREL_ASCP: '', PATH: '/nowhere' };
    const dlbcl = await runCarrel(['tcia', 'get', 'DLBCL-Morphology', '-o', folder], { cwd: rig.root, env });
    expect(dlbcl.code).toBe(1);
    expect(dlbcl.stderr).toContain('there is no ascp on this machine');
    expect(dlbcl.stderr).toContain('carrel tcia install-ascp');
  });

  test('hostile names are refused one by one; the rest arrives', async () => {
    const folder = await rig.destination();
    const result = await get(rig.link('666'), '-o', folder);
    expect(result.code).toBe(3);
    expect(Object.keys(await contentOf(folder))).toEqual(['Hostile/carrel.sums', 'Hostile/good.svs']);
    expect(result.stderr).toContain('failed CON.svs: refused, for a name is reserved by Windows');
    expect(result.stderr).toContain('/new\\nline.svs: refused');
    expect(result.stderr).toContain('".."');
  });

  test('a byte that is wrong each time ends with 5 where nothing else failed', async () => {
    const folder = await rig.destination();
    rig.env['FAKE_ASCP_FAULT'] = 'corrupt:01.svs';
    const result = await get(rig.link('739'), '-o', folder);
    expect(result.code, result.stderr).toBe(5);
    expect(Object.keys(await contentOf(folder)).filter((path) => path.endsWith('01.svs'))).toEqual([]);
  });

  test('a server with an HTTP gateway needs no ascp', async () => {
    const gateway = createGateway({ registry: rig.env['FAKE_ASCP_REGISTRY'] ?? '' });
    const at = await listen({ fetch: gateway.fetch });
    const own = await openPackageRig([{ id: '1', title: 'G', files: FILES, sums: 'G.sums' }], {
      gateway: { url: at.url, in: 'configuration' },
      registry: rig.env['FAKE_ASCP_REGISTRY'] ?? '',
    });
    try {
      const folder = await own.destination();
      const env = { ...own.env, CARREL_ASCP: '', PATH: '/nowhere' };
      const result = await runCarrel(['tcia', 'get', own.link(), '-o', folder, '--json'], {
        cwd: own.root,
        env,
      });
      expect(result.code, result.stderr).toBe(0);
      expect(summaryOf(result)).toMatchObject({ fetched: 5, verifiedBy: { md5: 4, size: 1 } });
      expect(String((summaryOf(result)['transports'] as string[])[0])).toMatch(/^http-gateway /);
      for (const { path, content } of FILES) expect((await contentOf(folder))[`G/${path}`]).toBe(content);
    } finally {
      await own.close();
      await at.close();
    }
  });
});

describe('downloads that are no packages', () => {
  test('slides of PathDB come over HTTPS, one by one', async () => {
    const folder = await rig.destination();
    const result = await get('CMB-GEC', '--download', 'pathdb', '-o', folder);
    expect(result.code, result.stderr).toBe(0);
    const slides = Object.keys(await contentOf(folder));
    expect(slides.length).toBeGreaterThan(0);
    expect(slides.every((path) => path.startsWith('CMB-GEC/'))).toBe(true);
    expect((await get('CMB-GEC', '--download', 'pathdb', '-o', folder)).stdout).toContain(': 0 fetched');
  });

  test('a manifest of NBIA comes as carrel get fetches it', async () => {
    const nbia = createNbia({ series: [worldSeries('1.3.6.1.4.1.14519.5.2.1.1', 5)] });
    const at = await listen({ fetch: nbia.fetch });
    try {
      const folder = await rig.destination();
      const servers = ['--server', `nbia=${at.url}`, '--server', `nlst=${at.url}`];
      const result = await get('CMB-GEC', '--download', 'nbia', '-o', folder, ...servers);
      expect(result.stdout, result.stderr).toContain('5 fetched');
      expect(Object.keys(await contentOf(folder)).filter((path) => path.endsWith('.dcm'))).toHaveLength(5);
    } finally {
      await at.close();
    }
  });

  test('files of a package are asked of packages only; an empty name is a mistake of the shell', async () => {
    const result = await get('DLBCL-Morphology', '--download', '1002', '--path', 'SVS');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('Clinical data is no package: SVS cannot be a file in it');
    expect((await get('')).code).toBe(2);
  });
});

describe('large packages', () => {
  test('20,000 files are browsed, and 5,000 of equal names arrive each in its folder', async () => {
    const folder = await rig.destination();
    const result = await get(
      rig.link('20000'),
      '--include',
      'cohort */*.xml',
      '-o',
      folder,
      '--layout',
      '{path}',
      '--json',
    );
    expect(result.code, result.stderr).toBe(0);
    expect(summaryOf(result)).toMatchObject({ fetched: 5000, failed: 0, verifiedBy: { md5: 5000 } });
    expect(jsonLines(result.stdout)[0]).toMatchObject({ listing: 'browse', complete: true });
    const there = await contentOf(folder);
    expect(Object.keys(there)).toHaveLength(5000);
    expect(SAME_NAMES.filter(({ path, content }) => there[path] !== content)).toEqual([]);
  });
});

describe('a run that ends in the middle', () => {
  const sources = async (): Promise<string[]> => {
    const text = await readFile(rig.env['FAKE_ASCP_REGISTRY'] ?? '', 'utf8');
    const { tokens } = JSON.parse(text) as { tokens: Record<string, { sources: Record<string, unknown> }> };
    return Object.values(tokens)
      .flatMap((one) => Object.keys(one.sources))
      .filter((source) => source.includes('Thirty'));
  };
  const placed = async (folder: string): Promise<string[]> =>
    (await readdir(join(folder, 'Thirty', 'd')).catch(() => [])).filter((name) => name.endsWith('.svs'));
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 600; tries += 1) {
      if (await done()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came to that');
  };
  const isAlive = (pid: number): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  test('killed: the next one goes on; what was proven is not asked for again', async () => {
    const folder = await rig.destination();
    rig.env['FAKE_ASCP_DELAY_MS'] = '1';
    const run = startCarrel(['tcia', 'get', rig.link('30'), '-o', folder], {
      cwd: rig.root,
      env: environment(),
    });
    await until(async () => (await placed(folder)).length >= 500);
    run.child.kill('SIGKILL');
    expect((await run.done).signal).toBe('SIGKILL');
    const before = await placed(folder);
    expect(before.length).toBeLessThan(1200);
    const asked = (await sources()).length;
    await until(async () => {
      const { pid } = (await rig.runs()).at(-1) ?? { pid: 0 };
      return !isAlive(pid);
    });
    const again = await get(rig.link('30'), '-o', folder, '--json');
    expect(summaryOf(again)).toMatchObject({ planned: 1201, failed: 0, exit: 0 });
    const anew = (await sources()).slice(asked).map((source) => source.replace(/^.*\//, ''));
    expect(anew.filter((name) => before.includes(name))).toEqual([]);
    expect(await placed(folder)).toHaveLength(1200);
    expect((await carrel('verify', folder)).code).toBe(0);
  }, 120_000);

  test('Ctrl-C ends with 130 and without the link; ascp ends with it', async () => {
    const folder = await rig.destination();
    rig.env['FAKE_ASCP_FAULT'] = 'stall:1';
    const before = (await rig.runs()).length;
    const run = startCarrel(['tcia', 'get', rig.link('30'), '-o', folder], {
      cwd: rig.root,
      env: environment(),
    });
    await until(async () => (await rig.runs()).length > before);
    run.child.kill('SIGINT');
    const result = await run.done;
    expect(result.code, result.stderr).toBe(130);
    expect(result.stderr).not.toContain('context=');
    const { pid } = (await rig.runs()).at(-1) ?? { pid: 0 };
    expect(isAlive(pid)).toBe(false);
  });
});

describe('secrets', () => {
  /** Command lines and environments of what runs below a process, as `/proc` shows them. */
  const lookAt = (parent: number): { pid: number; line: string; env: string }[] => {
    const found: { pid: number; line: string; env: string }[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const ppid = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]);
        if (ppid !== parent) continue;
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        found.push({ pid: Number(name), line, env: readFileSync(`/proc/${name}/environ`, 'utf8') });
      } catch {
        // It ended meanwhile.
      }
    }
    return found;
  };

  test('are in no argument list of a child, in no output, in no file that stays', async () => {
    const folder = await rig.destination();
    rig.env['FAKE_ASCP_DELAY_MS'] = '200';
    rig.env['FAKE_ASCP_FAULT'] = 'leak@2';
    rig.faspex.faults.requestsPerToken = 3;
    const log = join(rig.root, 'secret-runs.jsonl');
    const env = { ...environment(), FAKE_ASCP_LOG: log };
    const run = startCarrel(['tcia', 'get', 'DLBCL-Morphology', '-o', folder, '--json', '--debug'], {
      cwd: rig.root,
      env,
    });
    let watched = run.child.pid ?? 0;
    const seen = new Map<number, { line: string; env: string }>();
    const timer = setInterval(() => {
      for (const { pid, ...one } of lookAt(watched)) seen.set(pid, one);
    }, 10);
    const result = await run.done;
    expect(result.code).toBe(1);
    // The second run goes through: lock file and receipts are looked at, too.
    const again = startCarrel(['tcia', 'get', 'DLBCL-Morphology', '-o', folder, '--json', '--debug'], {
      cwd: rig.root,
      env: { ...env, FAKE_ASCP_FAULT: 'corrupt@3:01.svs' },
    });
    watched = again.child.pid ?? 0;
    const second = await again.done;
    clearInterval(timer);
    const secrets = await rig.secrets();
    const children = [...seen.values()];
    // The token goes by the environment, which only the user can read: that the look saw it proves the look.
    expect(children.some((one) => one.env.includes('ASPERA_SCP_TOKEN=ATM2_'))).toBe(true);
    const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));
    for (const { line } of children) expect(leaks(line)).toEqual([]);
    for (const one of children) expect(leaks(one.env).filter((secret) => secret === PASSCODE)).toEqual([]);
    expect(leaks(await readFile(log, 'utf8'))).toEqual([]);
    expect(summaryOf(second)).toMatchObject({ fetched: 5, failed: 0 });
    expect(Object.keys(await contentOf(folder)).length).toBeGreaterThan(0);
    for (const one of [result, second]) expect(leaks(one.stdout + one.stderr)).toEqual([]);
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of files.filter((one) => one.isFile()))
      expect(leaks(await readFile(join(entry.parentPath, entry.name), 'utf8'))).toEqual([]);
  });

  test('a link that fails is not repeated, in text, JSON or with --debug', async () => {
    rig.faspex.faults.linkRefused = `The link ${PASSCODE} is not valid`;
    try {
      for (const more of [[], ['--json'], ['--debug']]) {
        const result = await get(rig.link('739'), ...more);
        expect(result.code).toBe(8);
        expect(result.stdout + result.stderr).not.toContain(PASSCODE);
        expect(result.stdout + result.stderr).not.toContain('context=');
      }
    } finally {
      delete rig.faspex.faults.linkRefused;
    }
  });
});

describe('newer versions', () => {
  test('a folder that holds an older version is told of it', async () => {
    const folder = await rig.destination();
    await get('DLBCL-Morphology', '-o', folder);
    const path = join(folder, 'carrel.lock.tcia.json');
    const text = (await readFile(path, 'utf8')).replace(/"version": "[^"]*"/, '"version": "0"');
    await writeFile(path, text);
    const again = await get('DLBCL-Morphology', '-o', folder);
    expect(again.stderr).toContain('dlbcl-morphology has a new version: 1; this folder holds version 0');
  });
});

describe('carrel tcia browse --sums', () => {
  const rows = (result: CarrelResult) =>
    JSON.parse(result.stdout) as {
      path: string;
      kind: string;
      bytes: number | null;
      digest: string | null;
    }[];

  test('lists by the list of checksums, with digests, and says so; no folder is asked for', async () => {
    const asked = rig.faspex.requests.length;
    const result = await carrel('tcia', 'browse', rig.link('615'), '-r', '--sums', '--json');
    expect(result.code, result.stderr).toBe(0);
    const about = rig.faspex.requests.slice(asked);
    expect(about.some((one) => /"path":"\/?Yale/.test(JSON.stringify(one)))).toBe(false);
    const files = rows(result).filter(({ kind }) => kind === 'file');
    expect(files.map(({ path }) => path).sort()).toEqual(
      ['DLBCL_v1.sums', ...FILES.map(({ path }) => path)].sort(),
    );
    expect(files.filter(({ digest }) => digest?.startsWith('md5:') === true)).toHaveLength(FILES.length);
    expect(jsonLines(result.stderr)[0]).toMatchObject({
      type: 'note',
      message: expect.stringContaining('listed by DLBCL_v1.sums: 5 files in all') as string,
    });
    const folder = await carrel('tcia', 'browse', rig.link('615'), 'Yale HER2', '--sums');
    expect(folder.stdout).toContain('Yale HER2/SVS/');
    expect(folder.stdout).not.toContain('Case & 01');
    expect((await carrel('tcia', 'browse', rig.link('615'), 'Yale', '--sums')).code).toBe(4);
  });

  test('asks the server where there is no list, or one that is not whole, and says so', async () => {
    for (const id of ['740', '20000']) {
      const result = await carrel('tcia', 'browse', rig.link(id), '--sums');
      expect(result.code, result.stderr).toBe(0);
      expect(result.stderr).toContain('the server is asked');
    }
  });
});

describe('carrel tcia sums', () => {
  test('prints the list, sorted where asked, as md5sum reads it; nothing else is fetched or left', async () => {
    const before = (await rig.runs()).length;
    const result = await carrel('tcia', 'sums', 'dlbcl-morphology', '--sort');
    expect(result.code, result.stderr).toBe(0);
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(34))).toEqual(FILES.map(({ path }) => path).sort());
    expect((await rig.runs()).length).toBe(before + 1);
    const json = await carrel('tcia', 'sums', rig.link('615'), '--json');
    expect(jsonLines(json.stdout)[0]).toMatchObject({
      path: FILES[0].path,
      digests: [expect.stringMatching(/^md5:/) as string],
    });
    const none = await carrel('tcia', 'sums', rig.link('666'));
    expect(none.code).toBe(4);
    expect(none.stderr).toContain('Hostile has no list of checksums');
    const data = (await carrel('tcia', 'sums', 'RIDER Pilot')).stderr;
    expect(data).toContain('has no Faspex package');
    await rm(join(rig.root, 'x.sums'), { force: true });
    expect((await carrel('tcia', 'sums', rig.link('615'), '-o', 'x.sums', '--sort')).stdout).toBe('');
    expect(await readFile(join(rig.root, 'x.sums'), 'utf8')).toBe(result.stdout);
  });
});
