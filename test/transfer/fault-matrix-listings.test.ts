/**
 * The fault matrix, second table: listings that fail, lie or never end, and names that would hurt. From a pattern to files
 * on disk, through both protocols that list; a plain web server has no listings, and its names come from plans.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { type NamePolicy, planCohort, resolveCohort, type Tools } from '../../src/cohort/index.ts';
import { isCarrelError } from '../../src/errors.ts';
import { type App, listen, type RequestRecord } from '../../src/serve/index.ts';
import { createOpenStore, type Place } from '../../src/stores/index.ts';
import { checkPlan, transfer } from '../../src/transfer/index.ts';
import { bounded, SHORT, visibleIn } from '../fixtures/fault-rig.ts';
import { type FaultRule, withFaults } from '../fixtures/faults.ts';

type Lister = 's3' | 'gcs';
const LISTERS: readonly Lister[] = ['s3', 'gcs'];

const hash = (text: string) => createHash('md5').update(text);
const bodyOf = (key: string) => `bytes of ${key}`;

/** A bucket in two words of a server: it lists what it is told to, in pages, and gives bytes for any key. */
function bucketOf(keys: readonly string[], lister: Lister, pageSize = 2): App {
  const listing = (from: number): string => {
    const page = keys.slice(from, from + pageSize);
    const more = from + pageSize < keys.length ? String(from + pageSize) : undefined;
    if (lister === 'gcs') {
      const items = page.map((name) => ({
        name,
        size: String(Buffer.byteLength(bodyOf(name))),
        md5Hash: hash(bodyOf(name)).digest('base64'),
        generation: '7',
      }));
      return JSON.stringify({ items, ...(more === undefined ? {} : { nextPageToken: more }) });
    }
    const contents = page.map(
      (key) =>
        `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>"${hash(bodyOf(key)).digest('hex')}"</ETag><Size>${Buffer.byteLength(bodyOf(key))}</Size></Contents>`,
    );
    const next = more === undefined ? '' : `<NextContinuationToken>${more}</NextContinuationToken>`;
    return `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more !== undefined}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
  };
  return {
    async fetch(request) {
      const url = new URL(request.url);
      const isListing = url.searchParams.has('list-type') || url.pathname.endsWith('/b/evil/o');
      const from = Number(
        url.searchParams.get('continuation-token') ?? url.searchParams.get('pageToken') ?? 0,
      );
      const key = decodeURIComponent(url.pathname.slice('/evil/'.length));
      const text = isListing ? listing(from) : bodyOf(key);
      return new Response(request.method === 'HEAD' ? null : text, {
        headers: {
          'content-type': isListing ? 'text/plain' : 'application/dicom',
          'content-length': String(Buffer.byteLength(text)),
          ...(isListing ? {} : { etag: `"${hash(text).digest('hex')}"`, 'x-goog-generation': '7' }),
        },
      });
    },
  };
}

interface Outcome {
  code: string | undefined;
  message: string;
  next: string | undefined;
  /** Paths on disk, relative to the destination. */
  files: string[];
  texts: string[];
  requests: RequestRecord[];
}

/** Everything from a pattern to the disk. */
async function getAll(
  lister: Lister,
  app: App,
  options: { rules?: FaultRule[]; pattern?: string; names?: NamePolicy; threads?: number } = {},
): Promise<Outcome> {
  const requests: RequestRecord[] = [];
  const faulty = withFaults(app, options.rules ?? []);
  const listener = await listen({
    fetch: (request) => faulty.fetch(request),
    onRequest: (record) => void requests.push(record),
  });
  const outer = await mkdtemp(join(tmpdir(), 'carrel-listing-'));
  const directory = join(outer, 'a', 'b');
  const opener = createOpenStore({ env: {}, http: { timeouts: SHORT } });
  let code: string | undefined;
  let message = '';
  let next: string | undefined;
  try {
    await bounded(async (signal) => {
      const tools: Tools = {
        archive: builtInArchive('idc'),
        openStore: opener.openStore,
        http: opener.pool,
        catalog: undefined,
        from: 'auto',
        signal,
      };
      const url = `${lister === 's3' ? 's3' : 'gs'}://evil/${options.pattern ?? '*'}`;
      const question = { what: [url], selection: {}, endpoint: listener.url };
      const cohort = await resolveCohort(question, tools, { cwd: outer });
      const [unresolved] = cohort.unresolved;
      if (unresolved !== undefined) throw unresolved.error;
      const plan = await planCohort(cohort, tools, { directory, listings: 'none', names: options.names });
      const result = await transfer(plan.files, {
        directory,
        openStore: opener.openStore,
        threads: options.threads ?? 1,
        retry: { attempts: 3, baseMs: 1, capMs: 4 },
        signal,
      });
      const [failed] = result.failed;
      if (failed !== undefined) throw failed.error;
    });
  } catch (error) {
    if (!isCarrelError(error)) throw error;
    ({ code, message, next } = error);
  }
  try {
    const files = (await visibleIn(outer))
      .map((path) => (path.startsWith('a/b/') ? path.slice('a/b/'.length) : `../../${path}`))
      .filter((path) => !/^\.carrel\/(journal\.jsonl|partial\/.*)$/.test(path));
    const texts = await Promise.all(files.map((path) => readFile(join(directory, path), 'utf8')));
    return { code, message, next, files, texts, requests };
  } finally {
    await opener.close();
    await listener.close();
    await rm(outer, { recursive: true, force: true });
  }
}

const PLAIN = ['a.dcm', 'b.dcm', 'c.dcm', 'd.dcm', 'e.dcm'];
const isListing = /list-type|\/o\?/;
const PAGE = '<!doctype html><html><body>Please sign in</body></html>';

/** The page token of every answer is another one. */
const withToken = (token: (request: Request) => string): FaultRule => ({
  path: isListing,
  fault: {
    kind: 'custom',
    async apply(request, app) {
      const text = await (await app.fetch(request)).text();
      const next = token(request);
      return new Response(
        text
          .replace(
            /<IsTruncated>false<\/IsTruncated>/,
            '<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>',
          )
          .replace(/^\{(?!.*nextPageToken)/, '{"nextPageToken":"",')
          .replace(/<NextContinuationToken>[^<]*/, `<NextContinuationToken>${next}`)
          .replace(/"nextPageToken":"[^"]*"/, `"nextPageToken":"${next}"`),
      );
    },
  },
});
const asked = (request: Request) => {
  const { searchParams } = new URL(request.url);
  return searchParams.get('continuation-token') ?? searchParams.get('pageToken') ?? '0';
};

interface ListingCase {
  what: string;
  rules?: FaultRule[];
  keys?: string[];
  pattern?: string;
  ends: readonly string[];
}

const LISTINGS: readonly ListingCase[] = [
  { what: 'all is well', ends: ['right'] },
  {
    what: 'a page fails once',
    rules: [{ path: isListing, skip: 1, times: 1, fault: { kind: 'status', status: 500 } }],
    ends: ['right'],
  },
  {
    what: 'a page fails always',
    rules: [{ path: isListing, skip: 1, fault: { kind: 'status', status: 500 } }],
    ends: ['network'],
  },
  {
    what: 'a page is refused with 503, to come back in a second',
    rules: [{ path: isListing, skip: 1, times: 1, fault: { kind: 'status', status: 503, retryAfter: 1 } }],
    ends: ['right'],
  },
  {
    what: 'a page is reset once',
    rules: [{ path: isListing, skip: 1, times: 1, fault: { kind: 'reset' } }],
    ends: ['right'],
  },
  {
    what: 'a page is cut once',
    rules: [{ path: isListing, times: 1, fault: { kind: 'cut', after: 60 } }],
    ends: ['right'],
  },
  {
    what: 'a page falls silent once',
    rules: [{ path: isListing, times: 1, fault: { kind: 'stall', after: 60 } }],
    ends: ['right'],
  },
  {
    what: 'no page is ever answered',
    rules: [{ path: isListing, fault: { kind: 'silence' } }],
    ends: ['network'],
  },
  { what: 'the same page comes for ever', rules: [withToken(asked)], ends: ['network', 'right'] },
  {
    what: 'pages go round in a circle',
    rules: [withToken((request) => (asked(request) === '0' ? '2' : '0'))],
    ends: ['network', 'right'],
  },
  {
    what: 'tokens that are new each time lead to the same page',
    rules: [
      {
        path: isListing,
        fault: {
          kind: 'custom',
          async apply(request) {
            const json = request.url.includes('/o?');
            const token = `t${Math.random()}`;
            return new Response(
              json
                ? JSON.stringify({ items: [{ name: 'a.dcm', size: '1' }], nextPageToken: token })
                : `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken><Contents><Key>a.dcm</Key><Size>1</Size></Contents></ListBucketResult>`,
            );
          },
        },
      },
    ],
    ends: ['network'],
  },
  {
    what: 'a sign-in page in place of a listing: once',
    rules: [{ path: isListing, times: 1, fault: { kind: 'replace', body: PAGE } }],
    ends: ['right', 'network'],
  },
  {
    what: 'a sign-in page in place of a listing: always',
    rules: [{ path: isListing, fault: { kind: 'replace', body: PAGE } }],
    ends: ['network'],
  },
  {
    what: 'an empty reply in place of a listing',
    rules: [{ path: isListing, fault: { kind: 'replace', body: '' } }],
    ends: ['network'],
  },
  {
    what: 'a listing that ends in the middle of a word, lengths agree',
    rules: [{ path: isListing, fault: { kind: 'short', bytes: 40 } }],
    ends: ['network'],
  },
  {
    what: 'the bucket is not there',
    rules: [{ path: isListing, fault: { kind: 'status', status: 404 } }],
    ends: ['not-found'],
  },
  {
    what: 'the bucket wants a sign-in',
    rules: [{ path: isListing, fault: { kind: 'status', status: 403 } }],
    ends: ['permission'],
  },
  { what: 'a pattern that matches nothing', pattern: 'z*', ends: ['not-found'] },
  { what: 'a bucket with nothing in it', keys: [], ends: ['not-found'] },
  {
    what: 'a listed object that is gone',
    rules: [{ path: 'c.dcm', fault: { kind: 'status', status: 404 } }],
    ends: ['not-found'],
  },
  {
    what: 'a listed object that is a sign-in page',
    rules: [{ path: 'c.dcm', fault: { kind: 'replace', body: PAGE } }],
    ends: ['verification', 'network'],
  },
];

describe.concurrent('a listing that misbehaves', { timeout: 120_000 }, () => {
  test.each(LISTINGS.flatMap((one) => LISTERS.map((lister) => ({ ...one, lister }))))(
    '$what, through $lister',
    async ({ lister, rules, pattern, keys, ends, what }) => {
      const found = await getAll(lister, bucketOf(keys ?? PLAIN, lister), {
        ...(rules === undefined ? {} : { rules: rules.map((rule) => ({ ...rule })) }),
        ...(pattern === undefined ? {} : { pattern }),
      });
      const outcome = found.code ?? 'right';
      expect(ends, `${what}: ${found.message}`).toContain(outcome);
      if (outcome === 'right') expect(found.files).toEqual(PLAIN);
      else expect(found.next ?? found.message).not.toBe('');
      // Nothing wrong stands there, however it ended.
      expect(found.texts).toEqual(found.files.map(bodyOf));
      // A circle is left as soon as it is one.
      expect(found.requests.length).toBeLessThan(60);
    },
  );
});

const HOSTILE: readonly (readonly [string, string[]])[] = [
  ['climbs out', ['../escaped.dcm']],
  ['climbs out on a detour', ['folder/../../../escaped.dcm']],
  ['stays where it is', ['folder/./a.dcm']],
  ['is absolute', ['/etc/escaped.dcm']],
  ['is absolute on Windows', ['C:\\escaped.dcm']],
  ['climbs out on Windows', ['folder\\..\\..\\escaped.dcm']],
  ['has an empty segment', ['folder//a.dcm']],
  ['holds a line break', ['a\nb.dcm']],
  ['holds a header', ['a\r\nX-Injected: yes\r\n\r\n.dcm']],
  ['holds NUL', ['a\u0000b.dcm']],
  ['holds a terminal sequence', ['\u001b[2Ja.dcm']],
  ['is a device of Windows', ['folder/CON.dcm']],
  ['is another device of Windows', ['nul']],
  ['ends with a dot', ['folder./a.dcm']],
  ['ends with a blank', ['a.dcm ']],
  ['names a stream of NTFS', ['a.dcm:hidden']],
  ['is longer than 255 bytes', [`${'x'.repeat(300)}.dcm`]],
  ['is longer than 255 bytes, not characters', [`${'ä'.repeat(130)}.dcm`]],
  ['stands in our own folder', ['.carrel/journal.jsonl']],
  ['stands in our own folder, in capitals', ['.CARREL/journal.jsonl']],
  ['differs by case only', ['series/A.dcm', 'series/a.dcm']],
  ['differs by its Unicode form only', ['caf\u00e9.dcm', 'cafe\u0301.dcm']],
  ['is a file and a folder', ['a', 'a/b.dcm']],
];

describe.concurrent('a name that hurts', { timeout: 120_000 }, () => {
  test.each(HOSTILE.flatMap(([what, keys]) => LISTERS.map((lister) => ({ what, keys, lister }))))(
    'one that $what is refused, with the reason; --names escape takes it; $lister',
    async ({ keys, lister }) => {
      const all = [...keys, 'z.dcm'];
      const strict = await getAll(lister, bucketOf(all, lister));
      // A request cannot hold NUL; a Unicode form alone is told apart by the name that is made of it.
      expect(['unsafe', undefined]).toContain(strict.code);
      if (strict.code === 'unsafe') {
        expect(strict.files).toEqual([]);
        expect(strict.requests.filter(({ path }) => !isListing.test(path))).toEqual([]);
        expect(strict.next).toMatch(/--names escape|layout/);
      } else expect(strict.texts.sort()).toEqual(all.map(bodyOf).sort());
      const escaped = await getAll(lister, bucketOf(all, lister), { names: 'escape' });
      // A server that folds paths, as all that are made with `URL` do, refuses dots: honest, and all that can be had there.
      if (keys.some((key) => /(^|\/)\.{1,2}\//.test(key))) {
        expect(escaped.message).toContain('answered 400');
        expect(escaped.files).toEqual(['z.dcm']);
        return;
      }
      expect(escaped.code, escaped.message).toBeUndefined();
      expect(escaped.texts.sort()).toEqual(all.map(bodyOf).sort());
      expect(() =>
        checkPlan(escaped.files.map((path) => ({ path, digests: [], sources: [] }))),
      ).not.toThrow();
      for (const { headers } of escaped.requests) expect(headers).not.toHaveProperty('x-injected');
    },
  );

  test.each(HOSTILE)('one that %s is refused in a plan, too', async (_, keys) => {
    const place: Place = { protocol: 'https', endpoint: 'http://127.0.0.1:9', bucket: 'b' };
    const plan = keys.map((path) => ({ path, digests: [], sources: [{ mirror: 'm', place, key: 'k' }] }));
    const opener = createOpenStore({ env: {} });
    const directory = await mkdtemp(join(tmpdir(), 'carrel-name-'));
    try {
      await expect(transfer(plan, { directory, openStore: opener.openStore })).rejects.toMatchObject({
        code: 'unsafe',
      });
      expect(await visibleIn(directory)).toEqual([]);
    } finally {
      await opener.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
