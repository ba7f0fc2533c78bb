import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { isCarrelError } from '../../../src/errors.ts';
import { findEntries } from '../../../src/tcia/faspex/find-entries.ts';
import {
  type ListingOutcome,
  type ListPackageOptions,
  listPackage,
} from '../../../src/tcia/faspex/list-package.ts';
import type { PackageEntry } from '../../../src/tcia/faspex/package-entry.ts';
import type { FaspexOptions } from '../server/faspex.ts';
import type { FaspexFaults } from '../server/faspex-faults.ts';
import type { ServedEntry, ServedPackage } from '../server/faspex-packages.ts';
import { layOutPackage, manyFiles } from '../server/package-files.ts';
import { type ServedFaspex, serveFaspex } from '../server/serve-faspex.ts';

const open: ServedFaspex[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function packageOf(entries: ServedPackage['entries'], more: Partial<ServedPackage> = {}): ServedPackage {
  return { id: '739', passcode: 'c0ffee', title: 'HER2_tumor_ROIs_v3', entries, ...more };
}

async function serve(
  entries: ServedPackage['entries'],
  faults: FaspexFaults = {},
  options: Partial<FaspexOptions> = {},
): Promise<ServedFaspex> {
  const server = await serveFaspex({ packages: [packageOf(entries)], faults, ...options });
  open.push(server);
  return server;
}

async function list(
  server: ServedFaspex,
  path = '',
  options: ListPackageOptions = {},
): Promise<{ entries: PackageEntry[]; outcome: ListingOutcome }> {
  const listing = listPackage(server.client(), path, options);
  const entries: PackageEntry[] = [];
  for await (const entry of listing) entries.push(entry);
  return { entries, outcome: listing.outcome() };
}

async function failure(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isCarrelError(error)) throw new Error(`no CarrelError: ${String(error)}`);
  return error;
}

/** Listing requests: `offset 0+500`, `page 500`. */
function listings(server: ServedFaspex): string[] {
  return server.requests
    .filter(({ path }) => path.includes('/files/received'))
    .map(({ path, query, status }) =>
      path.endsWith('/page')
        ? `page ${query['per_page']} ${status}`
        : `offset ${query['offset']}+${query['limit']} ${status}`,
    );
}

const names = (entries: readonly PackageEntry[]) => entries.map(({ path }) => path);

describe('a package like the one of the HER2 collection', () => {
  async function her2(faults: FaspexFaults = {}): Promise<ServedFaspex> {
    const folder = await mkdtemp(join(tmpdir(), 'carrel-faspex-'));
    folders.push(folder);
    const cohort = 'Yale_trastuzumab_response_cohort';
    const entries = await layOutPackage(
      folder,
      [
        { path: `${cohort}/Annotations/O09-03495.xml`, content: '<a/>', link: true },
        { path: `${cohort}/Annotations/R&D case 1.xml`, content: '<bb/>', link: 'bare' },
        { path: `${cohort}/SVS/big.svs`, content: 'pixels', link: 'unsized' },
        { path: 'Yale_HER2_cohort/SVS/Her2Pos_Case_01.svs', content: 'more pixels' },
      ],
      { sums: 'HER2_tumor_ROIs_v3.sums' },
    );
    return await serve(entries, faults);
  }

  test('the root: folders without sizes, the sums', async () => {
    const { entries, outcome } = await list(await her2());
    expect(entries).toEqual([
      {
        path: 'HER2_tumor_ROIs_v3.sums',
        kind: 'file',
        size: expect.any(Number) as number,
        modified: '2024-03-23T21:07:20Z',
      },
      { path: 'Yale_HER2_cohort', kind: 'folder' },
      { path: 'Yale_trastuzumab_response_cohort', kind: 'folder' },
    ]);
    expect(outcome).toEqual({ complete: true, reasons: [], entries: 3, folders: 1 });
  });

  test('links are what they point to; an unknown size is unknown; a misspelt target is no name', async () => {
    const { entries } = await list(await her2(), 'Yale_trastuzumab_response_cohort', { recursive: true });
    expect(entries.filter(({ kind }) => kind === 'link')).toEqual([
      {
        path: 'Yale_trastuzumab_response_cohort/Annotations/O09-03495.xml',
        kind: 'link',
        targetKind: 'file',
        size: 4,
        modified: '2024-03-23T21:07:20Z',
        target: '/pathology/pkg_v3/Yale_trastuzumab_rsponse_cohort/Annotations/O09-03495.xml',
      },
      {
        path: 'Yale_trastuzumab_response_cohort/Annotations/R&D case 1.xml',
        kind: 'link',
        modified: '2024-03-23T21:07:20Z',
      },
      {
        path: 'Yale_trastuzumab_response_cohort/SVS/big.svs',
        kind: 'link',
        targetKind: 'file',
        modified: '2024-03-23T21:07:20Z',
        target: '/pathology/pkg_v3/Yale_trastuzumab_rsponse_cohort/SVS/big.svs',
      },
    ]);
  });

  test('recursive: a folder before what is in it, the entries of a folder together', async () => {
    const { entries, outcome } = await list(await her2(), '', { recursive: true });
    expect(names(entries)).toEqual([
      'HER2_tumor_ROIs_v3.sums',
      'Yale_HER2_cohort',
      'Yale_trastuzumab_response_cohort',
      'Yale_HER2_cohort/SVS',
      'Yale_trastuzumab_response_cohort/Annotations',
      'Yale_trastuzumab_response_cohort/SVS',
      'Yale_HER2_cohort/SVS/Her2Pos_Case_01.svs',
      'Yale_trastuzumab_response_cohort/Annotations/O09-03495.xml',
      'Yale_trastuzumab_response_cohort/Annotations/R&D case 1.xml',
      'Yale_trastuzumab_response_cohort/SVS/big.svs',
    ]);
    expect(outcome).toMatchObject({ complete: true, folders: 6, entries: 10 });
  });

  test.each([
    'Yale_HER2_cohort/SVS',
    '/Yale_HER2_cohort/SVS',
    'Yale_HER2_cohort//SVS/',
    '/Yale_HER2_cohort/SVS//',
  ])('paths come out the same however the folder is written: %s', async (path) => {
    expect(names((await list(await her2(), path)).entries)).toEqual([
      'Yale_HER2_cohort/SVS/Her2Pos_Case_01.svs',
    ]);
  });

  test('the path of a file lists that file', async () => {
    const path = 'Yale_trastuzumab_response_cohort/Annotations/R&D case 1.xml';
    expect(names((await list(await her2(), path)).entries)).toEqual([path]);
  });

  test('a path that is not there is an error that names it', async () => {
    const error = await failure(list(await her2(), 'yale_her2_cohort'));
    expect(error).toMatchObject({ code: 'not-found', item: 'yale_her2_cohort' });
    expect(error.next).toContain('capitals and blanks count');
  });

  test.each(['a/../b', '.', 'a\u0000b', 'a\nb'])('%j is refused before anything is asked', async (path) => {
    const server = await her2();
    expect((await failure(list(server, path))).code).toBe('bad-input');
    expect(server.requests).toEqual([]);
  });

  test('sizes written as text are numbers; sizes that are null are unknown', async () => {
    const text = await list(await her2({ sizesAsText: true }), 'Yale_HER2_cohort/SVS');
    expect(text.entries[0]?.size).toBe(11);
    const none = await list(await her2({ nullSizes: true }), 'Yale_HER2_cohort/SVS');
    expect(none.entries[0]).not.toHaveProperty('size');
  });
});

describe('packages of many files', () => {
  test('20,000 files in one folder are listed, each once', async () => {
    const server = await serve(() => manyFiles(20_000, 1));
    const seen: number[] = [];
    const { entries, outcome } = await list(server, 'folder 000', {
      onPage: (progress) => seen.push(progress.entries),
    });
    expect(new Set(names(entries)).size).toBe(20_000);
    expect(outcome).toEqual({ complete: true, reasons: [], entries: 20_000, folders: 1 });
    expect(seen.at(-1)).toBe(20_000);
    expect(listings(server)).toHaveLength(41);
  });

  test('20,000 files in 200 folders are listed, the order not depending on which answer comes first', async () => {
    const server = await serve(() => manyFiles(20_000, 200));
    const { entries, outcome } = await list(server, '', { recursive: true, folders: 8 });
    expect(entries).toHaveLength(20_200);
    expect(outcome).toMatchObject({ complete: true, folders: 201 });
    const files = names(entries.filter(({ kind }) => kind === 'file'));
    const folderNames = files.map((path) => path.slice(0, 10));
    expect(folderNames).toEqual([...folderNames].sort());
  });

  test('20,000 files are listed while tokens end, pages above 60 rows fail and answers are short', async () => {
    const server = await serve(() => manyFiles(20_000, 3), {
      requestsPerToken: 50,
      failAbove: 60,
      shortPages: 40,
      unavailable: 1,
    });
    const { entries, outcome } = await list(server, '', { recursive: true });
    expect(new Set(names(entries)).size).toBe(20_003);
    expect(outcome.complete).toBe(true);
    const smaller = listings(server).filter((line) => line.endsWith('500'));
    expect(smaller.slice(0, 1)).toEqual(['offset 0+500 500']);
  });

  test('pages are halved down to ten rows, and tried larger after a while', async () => {
    const server = await serve(() => manyFiles(400, 0), { failAbove: 12 });
    expect((await list(server)).outcome).toMatchObject({ complete: true, entries: 400 });
    expect(listings(server).slice(0, 8)).toEqual([
      'offset 0+500 500',
      'offset 0+250 500',
      'offset 0+125 500',
      'offset 0+62 500',
      'offset 0+31 500',
      'offset 0+15 500',
      'offset 0+10 200',
      'offset 10+10 200',
    ]);
    server.faults.failAbove = 500;
    server.requests.length = 0;
    await list(server);
    expect(listings(server)).toEqual(['offset 0+500 200']);
  });

  test('reading ends early without a request left running', async () => {
    const server = await serve(() => manyFiles(5000, 50));
    const listing = listPackage(server.client(), '', { recursive: true });
    for await (const entry of listing) if (entry.kind === 'file') break;
    expect(listing.outcome().complete).toBe(false);
    const asked = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests.length).toBeLessThanOrEqual(asked + 4);
  });

  test('an abort ends it as interrupted', async () => {
    const server = await serve(() => manyFiles(5000, 50));
    const stop = new AbortController();
    const work = list(server, '', { recursive: true, signal: stop.signal, onPage: () => stop.abort() });
    expect((await failure(work)).code).toBe('interrupted');
  });
});

describe('never silently short', () => {
  const rows = 1234;
  const cases: [string, FaspexFaults, ListingOutcome['complete'], number][] = [
    ['a server without pages', { noPages: true }, true, rows],
    ['a server whose offset form fails', { noOffsets: true }, 'unknown', rows],
    ['an offset form that ends early, pages that do not', { endsAfter: 100 }, true, rows],
    ['an offset form that ends early, and no pages', { endsAfter: 100, noPages: true }, false, 100],
    ['both end early', { endsAfter: 100, losesToken: 1 }, false, 500],
    ['pages that repeat themselves', { endsAfter: 100, repeatsPage: true }, false, 500],
    ['no total', { noTotal: true }, 'unknown', rows],
    ['no total and short answers', { noTotal: true, shortPages: 7 }, 'unknown', rows],
    ['a total that is too low', { totalOffBy: -1000 }, 'unknown', rows],
    ['a total that is too high', { totalOffBy: 5 }, false, rows],
    ['tokens in the query only', { endsAfter: 0, tokenIn: 'query' }, true, rows],
    ['tokens in the body only', { endsAfter: 0, tokenIn: 'body' }, true, rows],
  ];
  test.each(cases)('%s', async (_, faults, complete, count) => {
    const server = await serve(() => manyFiles(rows, 0), faults);
    const { entries, outcome } = await list(server);
    expect(outcome.complete).toBe(complete);
    expect(new Set(names(entries)).size).toBe(count);
    expect(entries).toHaveLength(count);
    expect(outcome.reasons).toHaveLength(complete === true ? 0 : 1);
  });

  test('the reason says the folder and the numbers', async () => {
    const server = await serve(() => manyFiles(300, 1), { endsAfter: 100, noPages: true });
    expect((await list(server, '', { recursive: true })).outcome.reasons).toEqual([
      'folder 000: the server counts 300 rows and gave 100',
    ]);
  });

  test('a folder that cannot be listed costs itself only, and is named', async () => {
    const entries: ServedEntry[] = [
      { path: 'a/1.xml', size: 1 },
      { path: 'b', type: 'symbolic_link', target: { path: '/gone', type: 'directory' } },
      { path: 'c/2.xml', size: 1 },
    ];
    const { entries: listed, outcome } = await list(await serve(entries), '', { recursive: true });
    expect(names(listed)).toEqual(['a', 'b', 'c', 'a/1.xml', 'c/2.xml']);
    expect(outcome.complete).toBe(false);
    expect(outcome.reasons).toHaveLength(1);
    expect(outcome.reasons[0]).toMatch(/^b: .*The path does not exist/);
  });

  test('a server that answers the first listing with 401 for ever ends in words', async () => {
    const server = await serve(() => manyFiles(30, 0));
    const client = server.client();
    await client.info();
    server.faults.requestsPerToken = 0;
    const error = await failure(
      (async () => {
        for await (const entry of listPackage(client)) void entry;
      })(),
    );
    expect(error).toMatchObject({ code: 'permission', status: 401 });
  });

  test('a server that wants to know the recipient is told', async () => {
    const server = await serve(() => manyFiles(30, 0), { needsRecipient: true });
    expect((await list(server)).outcome).toMatchObject({ complete: true, entries: 30 });
    const group = await serveFaspex({
      packages: [
        packageOf(() => manyFiles(3, 0), { recipients: [{ id: '9', recipient_type: 'shared_inbox' }] }),
      ],
      faults: { needsRecipient: true },
    });
    open.push(group);
    expect((await list(group)).outcome.entries).toBe(3);
  });
});

describe('links to folders', () => {
  test('are entered; what is in them has the path of the link', async () => {
    const server = await serve([
      { path: 'real/x.svs', size: 3 },
      {
        path: 'link',
        type: 'symbolic_link',
        target: { path: '/data/real', type: 'directory' },
        resolves: 'real',
      },
    ]);
    const { entries, outcome } = await list(server, '', { recursive: true });
    expect(entries).toEqual([
      { path: 'link', kind: 'link', targetKind: 'folder', target: '/data/real' },
      { path: 'real', kind: 'folder' },
      { path: 'link/x.svs', kind: 'file', size: 3 },
      { path: 'real/x.svs', kind: 'file', size: 3 },
    ]);
    expect(outcome.complete).toBe(true);
  });

  test('in a circle are entered once', async () => {
    const server = await serve([
      { path: 'x.svs', size: 3 },
      { path: 'loop', type: 'symbolic_link', target: { path: '/data', type: 'directory' }, resolves: '' },
    ]);
    const { entries, outcome } = await list(server, '', { recursive: true });
    expect(names(entries)).toEqual(['loop', 'x.svs', 'loop/loop', 'loop/x.svs']);
    expect(outcome).toMatchObject({ complete: true, folders: 2 });
  });
});

describe('hostile names', () => {
  test('are named, said to be refused, and never asked for', async () => {
    const server = await serve([
      { path: 'good.svs', size: 1 },
      { path: '..', type: 'directory' },
      { path: 'sub/..', type: 'directory' },
      { path: 'bell\u0007.svs', size: 1 },
      { path: 'two\nlines.svs', size: 1 },
      { path: 'passwd', shown: '/etc/passwd', size: 1 },
      { path: 'up', shown: '/../../up', size: 1 },
    ]);
    const { entries } = await list(server, '', { recursive: true });
    expect(
      entries.filter(({ refused }) => refused !== undefined).map(({ path, refused }) => [path, refused]),
    ).toEqual(
      expect.arrayContaining([
        ['/..', 'holds a "." or ".." segment'],
        ['/sub/..', 'holds a "." or ".." segment'],
        ['/bell\u0007.svs', 'holds a control character'],
        ['/two\nlines.svs', 'holds a control character'],
        ['/etc/passwd', 'does not lie in the folder that was listed'],
        ['/../../up', 'holds a "." or ".." segment'],
      ]),
    );
    expect(names(entries.filter(({ refused }) => refused === undefined))).toEqual(['good.svs', 'sub']);
    const asked = server.requests.flatMap(({ body }) => (body as { path?: string } | undefined)?.path ?? []);
    expect(asked).toEqual(['/', '/sub']);
  });
});

describe('paths that somebody named', () => {
  test('5,000 of 20,000 files are found with one listing of each folder; what is not there is named', async () => {
    const server = await serve(() => manyFiles(20_000, 4));
    const wanted = Array.from({ length: 5000 }, (_, at) => {
      const number = at * 4;
      return `/folder 00${number % 4}/f${String(number).padStart(6, '0')}.svs`;
    });
    const { found, missing, doubtful } = await findEntries(server.client(), [
      ...wanted,
      'folder 001',
      '',
      'folder 002/lost.svs',
      'lost/x.svs',
    ]);
    expect(found.size).toBe(5001);
    expect(found.get('folder 001')).toEqual({ path: 'folder 001', kind: 'folder' });
    expect(found.get('folder 000/f000008.svs')).toMatchObject({ size: 8 });
    expect({ missing, doubtful }).toEqual({ missing: ['folder 002/lost.svs', 'lost/x.svs'], doubtful: [] });
    // 5,000 rows in pages of 500 and one to see the end, twice; the root; a folder that is not there.
    expect(listings(server)).toHaveLength(11 + 11 + 1 + 1);
  });

  test('are doubtful where the list of their folder came short', async () => {
    const server = await serve(() => manyFiles(300, 1), { endsAfter: 100, noPages: true });
    const { found, missing, doubtful } = await findEntries(server.client(), [
      'folder 000/f000007.svs',
      'folder 000/f000200.svs',
    ]);
    expect([...found.keys()]).toEqual(['folder 000/f000007.svs']);
    expect(missing).toEqual([]);
    expect(doubtful).toEqual([
      { path: 'folder 000/f000200.svs', reason: 'the server counts 300 rows and gave 100' },
    ]);
  });

  test('a server that fails is a failure, not a missing file', async () => {
    const server = await serve(() => manyFiles(3, 1));
    const client = server.client();
    await client.info();
    server.faults.maintenance = true;
    expect((await failure(findEntries(client, ['folder 000/f000000.svs']))).code).toBe('network');
  });
});

test('any tree of names comes back as it is, in any page size', async () => {
  const name = fc
    .string({
      unit: fc.constantFrom('a', 'B', ' ', '&', '=', '+', '%', 'é', '漢', '"', '\\', "'", ';', '?', '#'),
      minLength: 1,
      maxLength: 6,
    })
    .filter((text) => text.trim() !== '');
  const tree = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 25,
    selector: (parts) => parts.join('/'),
  });
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 1, max: 12 }), async (paths, shortPages) => {
      const all = paths.map((parts) => parts.join('/'));
      // A file cannot be a folder too.
      const files = all.filter((path) => !all.some((other) => other.startsWith(`${path}/`)));
      const server = await serveFaspex({
        packages: [packageOf(files.map((path, size) => ({ path, size })))],
        faults: { shortPages },
      });
      try {
        const { entries, outcome } = await list(server, '', { recursive: true });
        expect(names(entries.filter(({ kind }) => kind === 'file')).sort()).toEqual([...files].sort());
        expect(outcome.complete).toBe(true);
      } finally {
        await server.close();
      }
    }),
    { numRuns: 25 },
  );
});
