import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Catalog,
  type CitationList,
  installCatalog,
  openCatalog,
  resolveCitations,
} from '../../src/catalog/index.ts';
import { createHttpPool, type HttpPool } from '../../src/stores/index.ts';
import { temporaryFolder, tinyArchive, writeTinyTables } from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;
let list: CitationList;
let server: Server;
let resolver: string;
let http: HttpPool;
let cacheDir: string;
let requests: { path: string; accept: string | undefined }[] = [];
let answer: (
  path: string,
  accept: string,
) => { status?: number; type?: string; body?: string; location?: string };

beforeAll(async () => {
  root = await temporaryFolder();
  const tables = join(root.path, 'cache');
  await installCatalog({
    archive,
    cacheDir: tables,
    sources: [await writeTinyTables(join(root.path, 'tables'))],
  });
  catalog = await openCatalog({ archive, cacheDir: tables });
  list = await catalog.citations({ modality: ['SM'] });
  server = createServer((request, response) => {
    const accept = request.headers.accept ?? '';
    requests.push({ path: request.url ?? '', accept });
    const { status = 200, type = 'text/plain', body = '', location } = answer(request.url ?? '', accept);
    response
      .writeHead(status, { 'content-type': type, ...(location === undefined ? {} : { location }) })
      .end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resolver = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  catalog.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await root.remove();
});
beforeEach(async () => {
  http = createHttpPool();
  cacheDir = join(root.path, `private-${Math.random().toString(36).slice(2)}`);
  requests = [];
});
afterEach(async () => {
  await http.close();
});

const ask = (format: Parameters<typeof resolveCitations>[1]) =>
  resolveCitations(list.citations, format, { http, cacheDir, resolver });

describe('references of a resolver', () => {
  test.each([
    [
      'apa',
      'text/x-bibliography; style=apa; locale=en-US',
      '<i>Slides</i> &amp; more.\n',
      'Slides & more. https://doi.org/10.5/slides',
    ],
    ['text', 'text/x-bibliography; style=apa; locale=en-US', 'Doi:10.5/SLIDES', 'Doi:10.5/SLIDES'],
    ['bibtex', 'application/x-bibtex', ' @misc{a,\r\n title={T}}\n', '@misc{a,\n title={T}}'],
    ['ris', 'application/x-research-info-systems', 'TY  - DATA\r\nER  - \r\n', 'TY  - DATA\nER  -'],
    [
      'csl-json',
      'application/vnd.citationstyles.csl+json',
      '{ "DOI": "10.5/slides" }',
      '{"DOI":"10.5/slides"}',
    ],
  ] as const)('%s is asked for as %s', async (format, accept, body, entry) => {
    answer = () => ({ body });
    const { entries, notes } = await ask(format);
    expect(notes).toEqual([]);
    expect(entries[0]).toEqual({ doi: '10.5/slides', entry, from: 'resolver' });
    expect(requests.map(({ path }) => path).sort()).toEqual(['/10.1234/archive', '/10.5/slides']);
    expect(new Set(requests.map((one) => one.accept))).toEqual(new Set([accept]));
  });

  test('make one file: an array of CSL-JSON', async () => {
    answer = (path) => ({ body: JSON.stringify({ DOI: path.slice(1) }) });
    expect(JSON.parse((await ask('csl-json')).text)).toEqual([
      { DOI: '10.5/slides' },
      { DOI: '10.1234/archive' },
    ]);
  });

  test('are followed to the agency that registered the DOI', async () => {
    answer = (path) =>
      path.startsWith('/agency')
        ? { body: `@misc{x, doi={${path}}}` }
        : { status: 302, location: `${resolver}/agency${path}` };
    expect((await ask('bibtex')).entries[0]?.entry).toBe('@misc{x, doi={/agency/10.5/slides}}');
  });

  test('are kept: the second time nothing is asked', async () => {
    answer = () => ({ body: '@misc{a}' });
    await ask('bibtex');
    const again = await ask('bibtex');
    expect(requests).toHaveLength(2);
    expect(again.entries.map(({ from }) => from)).toEqual(['cache', 'cache']);
  });

  test.each([
    ['HTTP 503', { status: 503 }, 'HTTP 503'],
    ['HTTP 404', { status: 404 }, 'the resolver does not know this DOI'],
    ['a web page', { type: 'text/html; charset=utf-8', body: '<html>' }, 'a web page came instead'],
    ['something else with status 200', { body: 'sorry' }, 'the answer is no bibtex'],
  ])('%s: the text of the tables stands, and a note says so', async (_, reply, problem) => {
    answer = () => reply;
    const { entries, notes, text } = await ask('bibtex');
    expect(entries.map(({ from }) => from)).toEqual(['tables', 'tables']);
    expect(text).toBe(list.format('bibtex'));
    expect(notes.map(({ message }) => message)).toEqual([
      expect.stringContaining(problem),
      expect.stringContaining('the text of the tables stands'),
    ]);
  });

  test('without a network every reference is still there', async () => {
    const { entries, notes } = await resolveCitations(list.citations, 'apa', {
      http,
      cacheDir,
      resolver: 'http://127.0.0.1:9',
    });
    expect(entries.map(({ entry }) => entry)).toEqual(list.citations.map(({ text }) => text));
    expect(notes).toHaveLength(2);
  });

  test('a resolver that is no URL is a mistake of the caller', async () => {
    await expect(
      resolveCitations(list.citations, 'apa', { http, cacheDir, resolver: 'doi.org' }),
    ).rejects.toMatchObject({ code: 'usage' });
  });

  test('can be given up', async () => {
    answer = () => ({ body: '@misc{a}' });
    await expect(
      resolveCitations(list.citations, 'bibtex', { http, cacheDir, resolver, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'interrupted' });
  });
});
