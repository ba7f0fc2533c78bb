import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createHttpPool,
  createOpenStore,
  type OpenStoreOptions,
  type Place,
} from '../../src/stores/index.ts';
import { expectCode } from '../contract/store.ts';
import { type RawHandler, reply, startRawServer } from './raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function at(handler: RawHandler, place: Partial<Place> = {}, options: OpenStoreOptions = {}) {
  const server = await startRawServer(handler);
  const pool = createHttpPool({ env: {} });
  open.push(pool, server);
  const opener = createOpenStore({ pool, env: {}, ...options });
  return { server, store: opener({ protocol: 'gcs', endpoint: server.url, bucket: 'bucket', ...place }) };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

const HASHES = { 'x-goog-hash': 'crc32c=4waSgw==,md5=XUFAKrxLKna5cZ2REBfFkg==' };

describe('objects', () => {
  test('digests, generation and stored size come with every reply', async () => {
    const { store } = await at((_request, socket) => {
      socket.write(
        reply(
          206,
          {
            ...HASHES,
            'x-goog-generation': '1700000000000001',
            'x-goog-stored-content-length': '9',
            'content-range': 'bytes 0-0/9',
          },
          '1',
        ),
      );
    });
    const got = await store.get('k', { range: { start: 0, end: 1 } });
    expect(got.stat).toMatchObject({
      size: 9,
      generation: '1700000000000001',
      digests: ['crc32c:e3069283', 'md5:5d41402abc4b2a76b9719d911017c592'],
    });
    expect(store.pin(got.stat)).toBe('1700000000000001');
    await got.bytes();
  });

  test('the hashes may come in two fields, and the MD5 may be missing', async () => {
    const answers = [
      'x-goog-hash: crc32c=4waSgw==\r\nx-goog-hash: md5=XUFAKrxLKna5cZ2REBfFkg==',
      'x-goog-hash: crc32c=4waSgw==',
    ];
    for (const [i, fields] of answers.entries()) {
      const { store } = await at(
        (_request, socket) => void socket.write(`HTTP/1.1 200 OK\r\n${fields}\r\ncontent-length: 9\r\n\r\n`),
      );
      expect((await store.stat('k')).digests).toHaveLength(2 - i);
    }
  });

  test('pins by generation', async () => {
    const { store, server } = await at(
      (_request, socket) => void socket.write(reply(200, { 'x-goog-generation': '7' }, 'x')),
    );
    await (await store.get('k', { ifMatch: '7' })).bytes();
    expect(server.requests[0]?.headers['x-goog-if-generation-match']).toBe('7');
  });

  test('what is stored compressed comes as it is stored', async () => {
    const packed = gzipSync('hello '.repeat(100));
    const stored = {
      'x-goog-stored-content-encoding': 'gzip',
      'x-goog-stored-content-length': String(packed.length),
    };
    const { store, server } = await at((_request, socket) => {
      socket.write(reply(200, { ...stored, 'content-encoding': 'gzip' }, packed));
    });
    const got = await store.get('k');
    expect(got.stat).toMatchObject({ size: packed.length, contentEncoding: 'gzip' });
    expect(Buffer.from(await got.bytes()).equals(packed)).toBe(true);
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip');
  });

  test('what was unpacked on the way is refused: its digests are of other bytes', async () => {
    const { store } = await at((_request, socket) => {
      socket.write(reply(200, { 'x-goog-stored-content-encoding': 'gzip', ...HASHES }, 'unpacked'));
    });
    const error = await expectCode(store.get('k'), 'unsupported');
    expect(error.message).toContain('unpacked on the way');
  });

  test('what was packed on the way is asked for again as it is', async () => {
    const stored = { 'x-goog-stored-content-encoding': 'identity', 'x-goog-stored-content-length': '5' };
    const { store } = await at((request, socket) => {
      if (request.headers['accept-encoding'] === 'identity') socket.write(reply(200, stored, 'hello'));
      else socket.write(reply(200, { ...stored, 'content-encoding': 'gzip' }, gzipSync('hello')));
    });
    const got = await store.get('k');
    expect(got.stat.contentEncoding).toBeUndefined();
    expect(Buffer.from(await got.bytes()).toString()).toBe('hello');
  });
});

describe('listings', () => {
  const item = (name: string) => ({
    name,
    size: '9',
    generation: '7',
    crc32c: '4waSgw==',
    md5Hash: 'XUFAKrxLKna5cZ2REBfFkg==',
    updated: '2024-01-02T03:04:05.678Z',
    etag: 'CAE=',
  });

  test('by JSON, with digests and generation', async () => {
    const { store, server } = await at(
      (_request, socket) =>
        void socket.write(reply(200, {}, JSON.stringify({ items: [item('p/a')], prefixes: ['p/q/'] }))),
    );
    expect(await all(store.list('p/', { delimiter: '/', pageSize: 10 }))).toEqual([
      {
        objects: [
          {
            key: 'p/a',
            size: 9,
            etag: 'CAE=',
            generation: '7',
            lastModified: '2024-01-02T03:04:05.678Z',
            digests: ['crc32c:e3069283', 'md5:5d41402abc4b2a76b9719d911017c592'],
            contentEncoding: undefined,
          },
        ],
        prefixes: ['p/q/'],
      },
    ]);
    const url = new URL(server.requests[0]?.target ?? '', 'http://x');
    expect(url.pathname).toBe('/storage/v1/b/bucket/o');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      prefix: 'p/',
      delimiter: '/',
      maxResults: '10',
    });
  });

  test('page by page; `startOffset` would give the key itself once more', async () => {
    const { store, server } = await at((request, socket) => {
      const more = request.target.includes('pageToken=t%2F1');
      socket.write(
        reply(
          200,
          {},
          JSON.stringify(
            more ? { items: [item('c')] } : { items: [item('a'), item('b')], nextPageToken: 't/1' },
          ),
        ),
      );
    });
    const pages = await all(store.list('', { startAfter: 'a' }));
    expect(pages.map(({ objects }) => objects.map(({ key }) => key))).toEqual([['b'], ['c']]);
    expect(server.requests[1]?.target).toContain('startOffset=a');
  });

  test.each([400, 404, 405, 501])('by XML where JSON answers %i', async (status) => {
    const { store } = await at((request, socket) => {
      if (request.target.startsWith('/storage/v1')) return void socket.write(reply(status, {}, 'no'));
      const xml =
        '<ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01"><Contents><Key>a</Key><Generation>7</Generation><Size>9</Size><ETag>"0cc175b9c0f1b6a831c399e269772661"</ETag></Contents></ListBucketResult>';
      return void socket.write(reply(200, {}, xml));
    });
    const [page] = await all(store.list(''));
    expect(page?.objects).toMatchObject([
      { key: 'a', size: 9, generation: '7', digests: ['md5:0cc175b9c0f1b6a831c399e269772661'] },
    ]);
  });

  test('a page of the network in place of an answer', async () => {
    const { store } = await at(
      (_request, socket) => void socket.write(reply(200, {}, '<html>Sign in</html>')),
    );
    await expectCode(all(store.list('')), 'network');
  });

  test('a missing bucket', async () => {
    const { store } = await at(
      (_request, socket) => void socket.write(reply(404, {}, '<Error><Code>NoSuchBucket</Code></Error>')),
    );
    await expectCode(all(store.list('')), 'not-found');
  });

  test('pages that repeat themselves', async () => {
    const { store } = await at(
      (_request, socket) =>
        void socket.write(reply(200, {}, JSON.stringify({ items: [], nextPageToken: 'same' }))),
    );
    await expectCode(all(store.list('')), 'network');
  });
});

describe('tokens', () => {
  const answer: RawHandler = (_request, socket) => void socket.write(reply(200, {}, 'x'));

  test.each(['CARREL_GCS_TOKEN', 'GOOGLE_OAUTH_ACCESS_TOKEN'])(
    '%s is sent to signed places',
    async (name) => {
      const { store, server } = await at(answer, { access: 'signed' }, { env: { [name]: 'token' } });
      await store.stat('k');
      expect(server.requests[0]?.headers['authorization']).toBe('Bearer token');
    },
  );

  test('but not to anonymous ones', async () => {
    const { store, server } = await at(answer, {}, { env: { CARREL_GCS_TOKEN: 'token' } });
    await store.stat('k');
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('authorization');
  });

  test('a missing one is a matter of permission', async () => {
    const { store, server } = await at(answer, { access: 'signed' });
    const error = await expectCode(store.get('k'), 'permission');
    expect(error.next).toContain('CARREL_GCS_TOKEN');
    expect(server.requests).toEqual([]);
  });

  test('it does not follow a redirect to another host', async () => {
    const far = await startRawServer(answer);
    open.push(far);
    const { store } = await at(
      (_request, socket) => void socket.write(reply(307, { location: far.url })),
      { access: 'signed' },
      { gcsToken: () => 'token' },
    );
    await store.stat('k');
    expect(Object.keys(far.requests[0]?.headers ?? {})).not.toContain('authorization');
  });
});
