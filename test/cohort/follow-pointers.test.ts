import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchManifest } from '../../src/cohort/follow-pointers.ts';
import { type Gathered, gather } from '../../src/cohort/gather.ts';
import type { Tools } from '../../src/cohort/index.ts';
import { CarrelError } from '../../src/errors.ts';
import { listen } from '../../src/serve/index.ts';
import { createHttpPool } from '../../src/stores/index.ts';

const xml = (...urls: string[]) =>
  `<TCIACollection><Downloads>${urls.map((url) => `<URL>${url}</URL>`).join('\n')}</Downloads></TCIACollection>`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-follow-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What a word leads to where the web holds `pages`. */
async function read(
  text: string,
  pages: Record<string, string>,
): Promise<{ gathered: Gathered; asked: string[] }> {
  await writeFile(join(folder, 'x.xml'), text);
  const asked: string[] = [];
  const gathered = await gather(
    { what: ['x.xml'], selection: {} },
    {
      cwd: folder,
      async fetchManifest(url) {
        asked.push(url);
        const page = pages[url];
        if (page === undefined) throw new CarrelError('not-found', `${url} is not there`, { item: url });
        return new TextEncoder().encode(page);
      },
    },
  );
  return { gathered, asked };
}

describe('a manifest that names manifests', () => {
  test('stands for what they name, with their own lines', async () => {
    const { gathered } = await read(xml('https://x.org/a.tcia', 'https://x.org/b.csv'), {
      'https://x.org/a.tcia': 'ListOfSeriesToDownload=\n1.2.3\njunk\n',
      'https://x.org/b.csv': 'SeriesInstanceUID\n1.2.4\n',
    });
    expect(
      gathered.wanted.map(({ origin, identifier, manifest }) => [origin, identifier.text, manifest]),
    ).toEqual([
      ['a.tcia:2', '1.2.3', 'tcia'],
      ['b.csv:2', '1.2.4', 'csv'],
    ]);
    expect(gathered.unresolved.map(({ origin }) => origin)).toEqual(['a.tcia:3']);
  });

  test('may name further ones, and a circle of them ends', async () => {
    const { gathered, asked } = await read(xml('https://x.org/1.xml'), {
      'https://x.org/1.xml': xml('https://x.org/2.xml#again'),
      'https://x.org/2.xml#again': xml('https://x.org/1.xml', 'https://x.org/2.xml', 'https://x.org/a.tcia'),
      'https://x.org/a.tcia': '1.2.3\n',
    });
    expect(asked).toEqual(['https://x.org/1.xml', 'https://x.org/2.xml#again', 'https://x.org/a.tcia']);
    expect(gathered.wanted).toHaveLength(1);
    expect(gathered.notes.map(({ message }) => message).join('\n')).toMatch(/1\.xml was read already/);
  });

  test('that goes on and on is left, and that is said', async () => {
    const pages = Object.fromEntries(
      Array.from({ length: 10 }, (_, n) => [`https://x.org/${n}.xml`, xml(`https://x.org/${n + 1}.xml`)]),
    );
    const { gathered, asked } = await read(xml('https://x.org/0.xml'), pages);
    expect(asked).toHaveLength(5);
    expect(gathered.unresolved).toMatchObject([
      { item: 'https://x.org/5.xml', error: { code: 'bad-input' } },
    ]);
  });

  test('one that is not there does not stop the others', async () => {
    const { gathered } = await read(xml('https://x.org/gone.tcia', 'https://x.org/a.tcia'), {
      'https://x.org/a.tcia': '1.2.3\n',
    });
    expect(gathered.unresolved).toMatchObject([{ origin: 'x.xml:1', error: { code: 'not-found' } }]);
    expect(gathered.wanted).toHaveLength(1);
  });
});

describe('fetching one', () => {
  test('asks over https, but for this machine', async () => {
    const asked: string[] = [];
    const tools = {
      http: {
        async request({ url }: { url: string }) {
          asked.push(url);
          throw new CarrelError('network', 'no');
        },
      },
    } as unknown as Tools;
    for (const url of ['http://x.org/a.tcia', 'http://127.0.0.1:9/a.tcia'])
      await expect(fetchManifest(url, tools)).rejects.toMatchObject({ code: 'network' });
    expect(asked).toEqual(['https://x.org/a.tcia', 'http://127.0.0.1:9/a.tcia']);
  });

  test('says what the server answered', async () => {
    const server = await listen({
      fetch: async (request) =>
        new URL(request.url).pathname === '/a.tcia'
          ? new Response('1.2.3\n')
          : new Response('', { status: 404 }),
    });
    const http = createHttpPool();
    try {
      const tools = { http } as unknown as Tools;
      expect(new TextDecoder().decode(await fetchManifest(`${server.url}/a.tcia`, tools))).toBe('1.2.3\n');
      await expect(fetchManifest(`${server.url}/b.tcia`, tools)).rejects.toMatchObject({
        code: 'not-found',
        status: 404,
      });
    } finally {
      await http.close();
      await server.close();
    }
  });
});
