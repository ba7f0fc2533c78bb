import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CatalogEvent,
  checkCatalog,
  listCatalogs,
  openCatalog,
  updateCatalog,
} from '../../src/catalog/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { temporaryFolder, tinyArchive, writeTinyTables } from './tiny-tables.ts';
import { writeZip } from './zip-file.ts';

/** A web server of files that can misbehave. */
interface Site {
  url: string;
  server: Server;
  /** Every request as `GET /path bytes=…`. */
  requests: string[];
  files: Map<string, Buffer>;
  /** Cuts the body of that path after so many bytes, once per entry. */
  cuts: Map<string, number[]>;
}

async function startSite(): Promise<Site> {
  const site: Site = { url: '', server: createServer(), requests: [], files: new Map(), cuts: new Map() };
  site.server.on('request', (request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    site.requests.push([request.method, path, request.headers.range].filter(Boolean).join(' '));
    const bytes = site.files.get(path);
    if (bytes === undefined) return response.writeHead(404).end();
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    if (request.headers['if-match'] !== undefined && request.headers['if-match'] !== etag)
      return response.writeHead(412).end();
    const start = range === null ? 0 : Number(range[1]);
    if (start >= bytes.length && start > 0) return response.writeHead(416).end();
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': bytes.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    const cut = site.cuts.get(path)?.shift();
    if (cut === undefined) return response.end(bytes.subarray(start));
    return response.write(bytes.subarray(start, start + cut), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
  site.url = `http://127.0.0.1:${(site.server.address() as AddressInfo).port}`;
  return site;
}

let root: Awaited<ReturnType<typeof temporaryFolder>>;
let tables: Record<string, Buffer> = {};
let site: Site;
let opener: StoreOpener;
let cacheDir: string;
let serial = 0;

beforeAll(async () => {
  root = await temporaryFolder();
  const folder = await writeTinyTables(join(root.path, 'tables'), { slides: true });
  tables = Object.fromEntries(
    await Promise.all(
      (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const),
    ),
  );
});
beforeEach(async () => {
  site = await startSite();
  opener = createOpenStore({ env: {} });
  serial += 1;
  cacheDir = join(root.path, `cache-${serial}`);
  for (const [name, bytes] of Object.entries(tables)) {
    site.files.set(`/5.0.0/files/${name}`, bytes);
    site.files.set(
      `/5.0.0/files/${name}.sha256`,
      Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`),
    );
  }
});
afterEach(async () => {
  await opener.close();
  site.server.closeAllConnections();
  await new Promise((resolve) => site.server.close(resolve));
});
afterAll(() => root.remove());

const artefacts = () => ({
  kind: 'artefacts',
  url: `${site.url}/{version}/files/{file}`,
  digestSuffix: '.sha256',
  description: 'files',
});
const archiveOf = (...sources: unknown[]) => tinyArchive({ sources });

describe('fetching a catalogue', () => {
  test('brings the core tables with their digests, and a second time makes no request', async () => {
    const archive = archiveOf(artefacts());
    const events: CatalogEvent[] = [];
    const installed = await updateCatalog({
      archive,
      cacheDir,
      openStore: opener,
      onEvent: (event) => events.push(event),
    });
    expect(installed.tables.map(({ name, evidence }) => [name, evidence])).toEqual([
      ['index', 'published'],
      ['prior_versions_index', 'published'],
      ['collections_index', 'published'],
      ['analysis_results_index', 'published'],
      ['version_metadata_index', 'published'],
    ]);
    expect(events.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
      table: 'version_metadata_index',
      bytes: tables['version_metadata_index.parquet']?.length,
    });
    site.requests.length = 0;
    expect((await updateCatalog({ archive, cacheDir, openStore: opener })).added).toEqual([]);
    expect(site.requests).toEqual([]);
    const catalog = await openCatalog({ archive, cacheDir });
    expect((await catalog.count({})).series).toBe(6);
    catalog.close();
    expect(
      (await readdir(join(cacheDir, 'catalogs', 'tiny', '.downloads'))).filter(
        (name) => !name.endsWith('.lock'),
      ),
    ).toEqual([]);
  });

  test('brings a table that is named, and only what is missing', async () => {
    const archive = archiveOf(artefacts());
    await updateCatalog({ archive, cacheDir, openStore: opener });
    site.requests.length = 0;
    const installed = await updateCatalog({
      archive,
      cacheDir,
      openStore: opener,
      tables: ['sm_instance_index'],
    });
    expect(installed.added).toEqual(['sm_instance_index']);
    expect(site.requests.filter((line) => line.endsWith('.parquet'))).toEqual([
      'GET /5.0.0/files/sm_instance_index.parquet',
    ]);
    await expect(
      updateCatalog({ archive, cacheDir, openStore: opener, tables: ['sm_inst'] }),
    ).rejects.toMatchObject({
      code: 'not-found',
      next: 'did you mean sm_instance_index?',
    });
  });

  test('goes on inside a file that broke off', async () => {
    const path = '/5.0.0/files/idc_index.parquet';
    site.cuts.set(path, [1000, 500]);
    const installed = await updateCatalog({ archive: archiveOf(artefacts()), cacheDir, openStore: opener });
    expect(installed.added).toHaveLength(5);
    expect(site.requests.filter((line) => line.includes(`${path}`) && !line.includes('sha256'))).toEqual([
      `GET ${path}`,
      `GET ${path} bytes=1000-`,
      `GET ${path} bytes=1500-`,
    ]);
  });

  test('goes on in another run where the first one was stopped', async () => {
    const path = '/5.0.0/files/idc_index.parquet';
    site.cuts.set(path, [1000]);
    const stop = new AbortController();
    const first = updateCatalog({
      archive: archiveOf(artefacts()),
      cacheDir,
      openStore: opener,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.bytes >= 1000) stop.abort();
      },
    });
    await expect(first).rejects.toMatchObject({ code: 'interrupted' });
    expect(await listCatalogs({ cacheDir })).toEqual([]);
    site.requests.length = 0;
    await updateCatalog({ archive: archiveOf(artefacts()), cacheDir, openStore: opener });
    expect(site.requests).toContain(`GET ${path} bytes=1000-`);
  });

  test('starts over where the file changed meanwhile', async () => {
    const path = '/5.0.0/files/idc_index.parquet';
    const right = tables['idc_index.parquet'] ?? Buffer.alloc(0);
    site.files.set(path, Buffer.concat([right, Buffer.from('x')]));
    site.cuts.set(path, [1000]);
    const changing = updateCatalog({
      archive: archiveOf(artefacts()),
      cacheDir,
      openStore: opener,
      onEvent: (event) => {
        if (event.type === 'progress' && event.bytes === 1000) site.files.set(path, right);
      },
    });
    expect((await changing).added).toHaveLength(5);
  });

  test('refuses bytes that differ from their digest, and keeps nothing of them', async () => {
    site.files.set(
      '/5.0.0/files/idc_index.parquet.sha256',
      Buffer.from(`${'0'.repeat(64)}  idc_index.parquet\n`),
    );
    await expect(
      updateCatalog({ archive: archiveOf(artefacts()), cacheDir, openStore: opener }),
    ).rejects.toMatchObject({
      code: 'verification',
      message: expect.stringContaining('idc_index.parquet has other bytes than were published') as string,
    });
    expect(await listCatalogs({ cacheDir })).toEqual([]);
  });

  test('a core table that a version does not have is left out, with a note; the main one must be there', async () => {
    site.files.delete('/5.0.0/files/version_metadata_index.parquet');
    const notes: string[] = [];
    const onEvent = (event: CatalogEvent) => {
      if (event.type === 'note') notes.push(event.message);
    };
    const installed = await updateCatalog({
      archive: archiveOf(artefacts()),
      cacheDir,
      openStore: opener,
      onEvent,
    });
    expect(installed.tables).toHaveLength(4);
    expect(notes).toEqual(['5.0.0 has no table version_metadata_index']);
    await expect(
      updateCatalog({ archive: archiveOf(artefacts()), cacheDir, openStore: opener, version: '4.0.0' }),
    ).rejects.toMatchObject({
      code: 'not-found',
      item: '4.0.0',
    });
  });

  test('takes the next source where one fails: release assets without digests, a wheel, a folder', async () => {
    const dead = { kind: 'artefacts', url: `${site.url}/nowhere/{version}/{file}`, description: 'gone' };
    const notes: string[] = [];
    const onEvent = (event: CatalogEvent) => {
      if (event.type === 'note') notes.push(event.message);
    };
    const assets = {
      kind: 'release-assets',
      url: `${site.url}/{version}/files/{file}`,
      description: 'assets',
    };
    const one = await updateCatalog({
      archive: archiveOf(dead, assets),
      cacheDir,
      openStore: opener,
      onEvent,
    });
    expect(one.tables.every(({ evidence }) => evidence === 'none')).toBe(true);
    expect(notes.some((note) => /nowhere\/5\.0\.0\/.*does not exist/.test(note))).toBe(true);
    expect(notes).toContain('idc_index.parquet comes without a digest; its form is checked');

    const wheelPath = join(root.path, 'tiny_index_data-5.0.0-py3-none-any.whl');
    await writeZip(
      wheelPath,
      Object.fromEntries(Object.entries(tables).map(([name, bytes]) => [`tiny/${name}`, bytes])),
    );
    site.files.set('/wheels/tiny_index_data-5.0.0-py3-none-any.whl', await readFile(wheelPath));
    const wheel = {
      kind: 'wheel',
      url: `${site.url}/wheels/tiny_index_data-{version}-py3-none-any.whl`,
      description: 'wheel',
    };
    const two = await updateCatalog({
      archive: archiveOf(dead, wheel),
      cacheDir: `${cacheDir}-b`,
      openStore: opener,
    });
    expect(two.added).toContain('index');

    const folder = join(root.path, 'mirror', '5.0.0');
    await mkdir(folder, { recursive: true });
    for (const [name, bytes] of Object.entries(tables)) await writeFile(join(folder, name), bytes);
    const disk = {
      kind: 'artefacts',
      url: join(root.path, 'mirror', '{version}', '{file}'),
      description: 'disk',
    };
    const three = await updateCatalog({
      archive: archiveOf(disk),
      cacheDir: `${cacheDir}-c`,
      openStore: opener,
    });
    expect(three.added).toHaveLength(5);
    await rm(join(root.path, 'mirror'), { recursive: true });
  });

  test('without a network the error says what to do without one', async () => {
    const dead = {
      kind: 'artefacts',
      url: 'http://127.0.0.1:1/{version}/{file}',
      description: 'unreachable',
    };
    const purl = { kind: 'wheel', url: 'pkg:pypi/tiny-index-data@{version}', description: 'package' };
    await expect(
      updateCatalog({ archive: archiveOf(dead, purl), cacheDir, openStore: opener, env: { CARREL_PIP: '' } }),
    ).rejects.toMatchObject({
      code: 'network',
      item: '5.0.0',
      message: expect.stringContaining('catalogue 5.0.0 of tiny could not be fetched') as string,
      next: expect.stringContaining(
        'pip download --no-deps tiny-index-data==5.0.0 && carrel catalog add',
      ) as string,
    });
  });

  describe('three sources in their order, as IDC has them', () => {
    const wheelName = 'tiny_index_data-5.0.0-py3-none-any.whl';
    const sources = () => [
      { kind: 'artefacts', url: `${site.url}/gone/{version}/{file}`, description: 'gone' },
      {
        kind: 'release-assets',
        url: `${site.url}/assets/{version}/{file}`,
        digestSuffix: '.sha256',
        description: 'assets',
      },
      {
        kind: 'wheel',
        url: `${site.url}/wheels/tiny_index_data-{version}-py3-none-any.whl`,
        description: 'wheel',
      },
    ];
    const right = () => tables['idc_index.parquet'] ?? Buffer.alloc(0);
    const serveWheel = async () => {
      const path = join(root.path, wheelName);
      await writeZip(path, {
        'tiny_index_data-5.0.0.dist-info/METADATA': 'Name: tiny-index-data',
        ...Object.fromEntries(
          Object.entries(tables)
            .filter(([name]) => name !== 'sm_instance_index.parquet')
            .map(([name, bytes]) => [`tiny/${name}`, bytes]),
        ),
      });
      site.files.set(`/wheels/${wheelName}`, await readFile(path));
      return path;
    };

    test.each<[string, () => void, RegExp]>([
      [
        'shorter than its server says',
        () => {
          site.files.set('/assets/5.0.0/idc_index.parquet', right());
          site.cuts.set('/assets/5.0.0/idc_index.parquet', [900, 0, 0, 0, 0, 0, 0, 0]);
        },
        /assets\/5\.0\.0\/.*(ended|broke|closed|bytes)/i,
      ],
      [
        'cut short, with the digest of the whole',
        () => {
          site.files.set('/assets/5.0.0/idc_index.parquet', right().subarray(0, 900));
          site.files.set(
            '/assets/5.0.0/idc_index.parquet.sha256',
            Buffer.from(`${createHash('sha256').update(right()).digest('hex')}  idc_index.parquet\n`),
          );
        },
        /assets\/5\.0\.0\/idc_index\.parquet has other bytes than were published/,
      ],
      [
        'cut short, without any digest',
        () => site.files.set('/assets/5.0.0/idc_index.parquet', right().subarray(0, 900)),
        /assets\/5\.0\.0\/: idc_index\.parquet is no whole Parquet file/,
      ],
    ])(
      'the first has nothing, the second is %s, the third is the wheel',
      async (_, damage, message) => {
        damage();
        await serveWheel();
        const notes: string[] = [];
        const onEvent = (event: CatalogEvent) => {
          if (event.type === 'note') notes.push(event.message);
        };
        const installed = await updateCatalog({
          archive: archiveOf(...sources()),
          cacheDir,
          openStore: opener,
          onEvent,
        });
        expect(installed.sources).toEqual([wheelName]);
        expect(notes.some((note) => /gone\/5\.0\.0\/.*does not exist/.test(note))).toBe(true);
        expect(notes.some((note) => message.test(note))).toBe(true);
        const left = await readdir(join(cacheDir, 'catalogs', 'tiny', '.downloads'));
        expect(left.filter((name) => !name.endsWith('.lock'))).toEqual([]);
        expect(
          (await checkCatalog({ cacheDir, archive: 'tiny', version: '5.0.0' })).every(({ ok }) => ok),
        ).toBe(true);
      },
      30_000,
    );

    test('where all fail, each failure is in the message, and damage is what is told', async () => {
      site.files.set('/assets/5.0.0/idc_index.parquet', right());
      site.files.set(
        '/assets/5.0.0/idc_index.parquet.sha256',
        Buffer.from(`${'0'.repeat(64)}  idc_index.parquet\n`),
      );
      site.files.set(`/wheels/${wheelName}`, Buffer.from('PK, but no more'));
      await expect(
        updateCatalog({ archive: archiveOf(...sources()), cacheDir, openStore: opener }),
      ).rejects.toMatchObject({
        code: 'verification',
        message: expect.stringMatching(
          /gone\/5\.0\.0\/.*\n.*assets\/5\.0\.0\/.*other bytes.*\n.*\.whl: .*cannot be read as a ZIP/,
        ) as string,
      });
      expect(await listCatalogs({ cacheDir })).toEqual([]);
    });

    test('a package is asked of pip, which is told to run nothing of it', async () => {
      const wheel = await serveWheel();
      const said = join(root.path, 'pip-said.json');
      const pip = join(root.path, 'pip.mjs');
      await writeFile(
        pip,
        `import { copyFileSync, writeFileSync } from 'node:fs';
         const words = process.argv.slice(2);
         writeFileSync(${JSON.stringify(said)}, JSON.stringify(words));
         copyFileSync(${JSON.stringify(wheel)}, words[words.indexOf('--dest') + 1] + '/${wheelName}');`,
      );
      const purl = { kind: 'wheel', url: 'pkg:pypi/tiny-index-data@{version}', description: 'package' };
      const env = { CARREL_PIP: `${process.execPath} ${pip}` };
      const archive = archiveOf(sources()[0], purl);
      const installed = await updateCatalog({ archive, cacheDir, openStore: opener, env });
      expect(installed.added).toContain('index');
      const words = JSON.parse(await readFile(said, 'utf8')) as string[];
      expect(words).toEqual(
        expect.arrayContaining(['download', '--no-deps', '--only-binary', 'tiny-index-data==5.0.0']),
      );
      // It holds the core tables: another one is not looked for there.
      await rm(said);
      await expect(
        updateCatalog({ archive, cacheDir, openStore: opener, env, tables: ['sm_instance_index'] }),
      ).rejects.toMatchObject({ code: 'not-found' });
      await expect(readFile(said)).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test('what pip cannot do is said in its own last words', async () => {
      const pip = join(root.path, 'no-pip.mjs');
      await writeFile(
        pip,
        "console.error('ERROR: Could not find a version that satisfies'); console.error('ERROR: No matching distribution found'); process.exit(1);",
      );
      const purl = { kind: 'wheel', url: 'pkg:pypi/tiny-index-data@{version}', description: 'package' };
      const env = { CARREL_PIP: `${process.execPath} ${pip}` };
      await expect(
        updateCatalog({ archive: archiveOf(sources()[0], purl), cacheDir, openStore: opener, env }),
      ).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('pip: ERROR: No matching distribution found') as string,
      });
      await expect(
        updateCatalog({
          archive: archiveOf(purl),
          cacheDir,
          openStore: opener,
          env: { CARREL_PIP: join(root.path, 'no-such-program') },
        }),
      ).rejects.toMatchObject({ message: expect.stringContaining('there is no pip') as string });
    });
  });

  test('a version that is whole but lost its side index gets it again, without a request', async () => {
    const archive = archiveOf(artefacts());
    const { path } = await updateCatalog({ archive, cacheDir, openStore: opener });
    const isSide = (name: string) => name.startsWith('side-index-');
    const [side = ''] = (await readdir(path)).filter(isSide);
    await rm(join(path, side));
    site.requests.length = 0;
    expect((await updateCatalog({ archive, cacheDir, openStore: opener })).added).toEqual([]);
    expect((await readdir(path)).filter(isSide)).toEqual([side]);
    expect(site.requests).toEqual([]);
  });

  test('a newer version stands beside the older one, which stays until it is removed', async () => {
    const versions = [
      { version: '6.0.0', release: 'v6' },
      { version: '5.0.0', release: 'v5' },
    ];
    const archive = tinyArchive({ sources: [artefacts()], versions });
    await updateCatalog({ archive, cacheDir, openStore: opener, version: '5.0.0' });
    const plain = join(root.path, 'plain-6');
    await writeTinyTables(plain, { version: '6.0.0' });
    for (const name of await readdir(plain)) {
      site.files.set(`/6.0.0/files/${name}`, await readFile(join(plain, name)));
    }
    await updateCatalog({ archive, cacheDir, openStore: opener });
    expect((await listCatalogs({ cacheDir })).map(({ version }) => version)).toEqual(['6.0.0', '5.0.0']);
  });

  test('two at once fetch each table once', async () => {
    const archive = archiveOf(artefacts());
    const answers = await Promise.all(
      [1, 2].map(() => updateCatalog({ archive, cacheDir, openStore: opener })),
    );
    expect(answers.map(({ added }) => added.length).sort((a, b) => a - b)).toEqual([0, 5]);
    expect(site.requests.filter((line) => line === 'GET /5.0.0/files/idc_index.parquet')).toHaveLength(1);
  });
});
