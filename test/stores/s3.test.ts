import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createHttpPool,
  createOpenStore,
  type OpenStoreOptions,
  type Place,
} from '../../src/stores/index.ts';
import { encodeKey, encodeQuery } from '../../src/stores/object-key.ts';
import { parseListDocument } from '../../src/stores/s3/list-document.ts';
import { createSigner } from '../../src/stores/s3/sign.ts';
import { expectCode } from '../contract/store.ts';
import { type RawHandler, type RawRequest, reply, startRawServer } from './raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const item of open.splice(0)) await item.close();
});

async function at(handler: RawHandler, place: Partial<Place> = {}, options: OpenStoreOptions = {}) {
  const server = await startRawServer(handler);
  const pool = createHttpPool({ env: {}, lookup: async () => [{ address: '127.0.0.1', family: 4 }] });
  open.push(pool, server);
  const opener = createOpenStore({ pool, ...options });
  return {
    server,
    pool,
    store: opener({ protocol: 's3', endpoint: server.url, bucket: 'bucket', ...place }),
  };
}

const KEYS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const target = ({ requests }: { requests: RawRequest[] }) => requests.map((request) => request.target);

describe('addresses', () => {
  test.each([
    ['a b', 'a%20b'],
    ['a+b', 'a%2Bb'],
    ['100%', '100%25'],
    ['ü/日本/😀', '%C3%BC/%E6%97%A5%E6%9C%AC/%F0%9F%98%80'],
    ["it's(1)!*", 'it%27s%281%29%21%2A'],
    ['a//b/', 'a//b/'],
    ['-._~', '-._~'],
    ['\ud800', '%EF%BF%BD'],
  ])('the key %j on the wire', (key, encoded) => {
    expect(encodeKey(key)).toBe(encoded);
  });

  test('parameters are in the order and encoding of signatures', () => {
    expect(encodeQuery({ prefix: 'a/b c', 'list-type': '2', delimiter: '/' })).toBe(
      'delimiter=%2F&list-type=2&prefix=a%2Fb%20c',
    );
  });

  test('by path, below a path of the endpoint, or by host', async () => {
    const handler: RawHandler = (_request, socket) => void socket.write(reply(200, {}, 'x'));
    const byPath = await at(handler);
    await byPath.store.stat('k/1');
    expect(target(byPath.server)).toEqual(['/bucket/k/1']);

    const { server, pool } = await at(handler);
    const opener = createOpenStore({ pool });
    await opener({ protocol: 's3', endpoint: `${server.url}/gateway/`, bucket: 'bucket' }).stat('k');
    await opener({
      protocol: 's3',
      endpoint: `http://s3.test:${server.port}`,
      bucket: 'bucket',
      addressing: 'virtual',
    }).stat('k');
    expect(server.requests.map(({ headers, target: path }) => [headers['host'], path])).toEqual([
      [`127.0.0.1:${server.port}`, '/gateway/bucket/k'],
      [`bucket.s3.test:${server.port}`, '/k'],
    ]);
  });

  test('`..` in a key is sent as it stands', async () => {
    const { store, server } = await at((_request, socket) => void socket.write(reply(200, {}, 'x')));
    await store.stat('p/../../x');
    expect(target(server)).toEqual(['/bucket/p/../../x']);
  });
});

describe('what is known of an object', () => {
  const MD5 = '0CC175B9C0F1B6A831C399E269772661';
  const stat = async (headers: Record<string, string>) => {
    const { store } = await at((_request, socket) => void socket.write(reply(200, headers, '')));
    return (await store.stat('k')).digests;
  };

  test('the ETag is the MD5 of an object of one part', async () => {
    expect(await stat({ etag: `"${MD5}"` })).toEqual([`md5:${MD5.toLowerCase()}`]);
    expect(await stat({ etag: `"${MD5}"`, 'x-amz-server-side-encryption': 'AES256' })).toHaveLength(1);
  });

  test.each([
    ['weak', { etag: `W/"${MD5}"` }],
    ['encrypted with KMS keys', { etag: `"${MD5}"`, 'x-amz-server-side-encryption': 'aws:kms' }],
    ['encrypted twice', { etag: `"${MD5}"`, 'x-amz-server-side-encryption': 'aws:kms:dsse' }],
    [
      'encrypted with own keys',
      { etag: `"${MD5}"`, 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
    ],
    ['other', { etag: '"abc"' }],
    ['missing', {}],
  ])('but not where it is %s', async (_what, headers) => {
    expect(await stat(headers as Record<string, string>)).toEqual([]);
  });

  test('an ETag of several parts is evidence of its own kind', async () => {
    expect(await stat({ etag: '"0cc175b9c0f1b6a831c399e269772661-7"' })).toEqual([
      's3etag:0cc175b9c0f1b6a831c399e269772661-7',
    ]);
  });

  test('stored checksums, where they are of the whole object', async () => {
    const crc = { 'x-amz-checksum-crc32c': '4waSgw==' };
    expect(await stat(crc)).toEqual(['crc32c:e3069283']);
    expect(await stat({ ...crc, 'x-amz-checksum-type': 'FULL_OBJECT' })).toEqual(['crc32c:e3069283']);
    expect(await stat({ ...crc, 'x-amz-checksum-type': 'COMPOSITE' })).toEqual([]);
    expect(await stat({ 'x-amz-checksum-crc32c': '4waSgw==-3' })).toEqual([]);
    expect(await stat({ 'x-amz-checksum-sha256': Buffer.alloc(32, 1).toString('base64') })).toEqual([
      `sha256:${'01'.repeat(32)}`,
    ]);
  });

  test('CRC-64/NVME, only where its type is named, for other servers may give it for parts', async () => {
    const crc = { 'x-amz-checksum-crc64nvme': 'rosUhgp5mIg=' };
    expect(await stat({ ...crc, 'x-amz-checksum-type': 'FULL_OBJECT' })).toEqual([
      'crc64nvme:ae8b14860a799888',
    ]);
    expect(await stat(crc)).toEqual([]);
    expect(await stat({ ...crc, 'x-amz-checksum-type': 'COMPOSITE' })).toEqual([]);
    expect(
      await stat({ 'x-amz-checksum-crc64nvme': '4waSgw==', 'x-amz-checksum-type': 'FULL_OBJECT' }),
    ).toEqual([]);
  });

  test('they are asked for', async () => {
    const { store, server } = await at((_request, socket) => void socket.write(reply(200, {}, '')));
    await store.stat('k');
    expect(server.requests[0]?.headers['x-amz-checksum-mode']).toBe('ENABLED');
  });

  test('on a partial reply they may be those of a part', async () => {
    const { store } = await at((_request, socket) => {
      socket.write(reply(206, { 'content-range': 'bytes 0-0/9', 'x-amz-checksum-crc32c': '4waSgw==' }, '1'));
    });
    const got = await store.get('k', { range: { start: 0, end: 1 } });
    expect(got.stat).toMatchObject({ size: 9, digests: [] });
    await got.bytes();
  });
});

describe('refusals', () => {
  test('403 says that the object may be missing', async () => {
    const { store } = await at((_request, socket) => {
      socket.write(reply(403, {}, '<Error><Code>AccessDenied</Code><Message>secret</Message></Error>'));
    });
    const error = await expectCode(store.get('k'), 'permission');
    expect(error.message).toBe(
      's3://bucket/k was refused (403 AccessDenied); it may also be missing: buckets that cannot be listed say so for both',
    );
    expect(error).toMatchObject({ status: 403, item: 's3://bucket/k' });
  });
});

describe('the parts of an upload', () => {
  test.each([
    ['told with 206', 206, { 'x-amz-mp-parts-count': '3' }, 5_242_880],
    ['told with 200 and a count', 200, { 'x-amz-mp-parts-count': '3' }, 5_242_880],
    ['not told by a server that answers for the whole object', 200, {}, undefined],
    ['not told by one that refuses', 501, {}, undefined],
  ])('are %s', async (_what, status, headers, expected) => {
    const asked: string[] = [];
    const { store } = await at((request, socket) => {
      asked.push(`${request.method} ${request.target}`);
      socket.write(reply(status, { ...headers, 'content-length': '5242880' }, ''));
    });
    expect(await store.firstPartSize?.('a b', { ifMatch: 'x-3' })).toBe(expected);
    expect(asked).toEqual(['HEAD /bucket/a%20b?partNumber=1']);
  });
});

describe('listings', () => {
  const page = (inner: string) =>
    `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;
  const contents = (...keys: string[]) =>
    keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  const parse = async (inner: string) =>
    (await parseListDocument(page(inner), true)) ?? expect.fail('no listing');

  test('keys stay text', async () => {
    const { objects } = await parse(contents('0001', '1e5', 'true', ' a ', '0x10'));
    expect(objects.map(({ key }) => key)).toEqual(['0001', '1e5', 'true', ' a ', '0x10']);
  });

  test('entities are decoded once', async () => {
    const { objects } = await parse(
      contents('a&amp;b', '&amp;lt;', '&#x41;&#66;', '&quot;&apos;&gt;', '&unknown;'),
    );
    expect(objects.map(({ key }) => key)).toEqual(['a&b', '&lt;', 'AB', '"\'>', '&unknown;']);
  });

  test('keys are decoded where the server says that they are encoded', async () => {
    const encoded = await parse(
      `<EncodingType>url</EncodingType>${contents('a%2Bb+c%20d', '100%25', '%E6%97%A5')}`,
    );
    expect(encoded.objects.map(({ key }) => key)).toEqual(['a+b c d', '100%', '日']);
    const plain = await parse(contents('a%2Bb+c'));
    expect(plain.objects.map(({ key }) => key)).toEqual(['a%2Bb+c']);
  });

  test('a page', async () => {
    expect(
      await parse(
        '<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/=</NextContinuationToken>' +
          '<Contents><Key>k</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>5368709120</Size></Contents>' +
          '<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>',
      ),
    ).toEqual({
      objects: [
        {
          key: 'k',
          size: 5_368_709_120,
          etag: '0cc175b9c0f1b6a831c399e269772661',
          generation: undefined,
          lastModified: '2024-01-02T03:04:05.000Z',
          digests: ['md5:0cc175b9c0f1b6a831c399e269772661'],
        },
      ],
      prefixes: ['p/'],
      truncated: true,
      continuationToken: 'a+b/=',
      nextMarker: undefined,
    });
  });

  test.each([
    ['a page of the network', '<html><body>Sign in</body></html>'],
    ['an error', '<Error><Code>x</Code></Error>'],
    ['JSON', '{}'],
    ['nothing', ''],
    [
      'own entities',
      '<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult><Contents><Key>&a;</Key></Contents></ListBucketResult>',
    ],
  ])('%s is no listing', async (_what, text) => {
    expect(await parseListDocument(text, true)).toBeUndefined();
    const { store } = await at((_request, socket) => void socket.write(reply(200, {}, text)));
    const first = store.list('')[Symbol.asyncIterator]().next();
    expect((await expectCode(first, 'network')).message).toContain('the answer is no listing');
  });

  test('an empty bucket', async () => {
    const { store } = await at(
      (_request, socket) => void socket.write(reply(200, {}, '<ListBucketResult/>')),
    );
    expect(await all(store.list(''))).toEqual([{ objects: [], prefixes: [] }]);
  });

  test('a missing bucket', async () => {
    const { store } = await at(
      (_request, socket) => void socket.write(reply(404, {}, '<Error><Code>NoSuchBucket</Code></Error>')),
    );
    const error = await expectCode(all(store.list('x/')), 'not-found');
    expect(error.message).toContain('NoSuchBucket');
  });

  test.each([400, 405, 501])('version 1 where version 2 answers %i', async (status) => {
    const { store, server } = await at((request, socket) => {
      if (request.target.includes('list-type=2')) socket.write(reply(status, {}, 'no'));
      else if (request.target.includes('marker=')) socket.write(reply(200, {}, page(contents('p/c'))));
      else socket.write(reply(200, {}, page(`<IsTruncated>true</IsTruncated>${contents('p/a', 'p/b')}`)));
    });
    expect(keysOf(await all(store.list('p/', { startAfter: 'p/' })))).toEqual(['p/c']);
    expect(keysOf(await all(store.list('p/')))).toEqual(['p/a', 'p/b', 'p/c']);
    expect(target(server).filter((path) => path.includes('marker'))).toEqual([
      '/bucket?encoding-type=url&marker=p%2F&prefix=p%2F',
      '/bucket?encoding-type=url&marker=p%2Fb&prefix=p%2F',
    ]);
  });

  test('version 1 where version 2 is ignored', async () => {
    const { store } = await at((request, socket) => {
      const more = request.target.includes('marker=');
      const next = '<IsTruncated>true</IsTruncated><NextMarker>a</NextMarker>';
      socket.write(reply(200, {}, page(more ? contents('b') : `${next}${contents('a')}`)));
    });
    expect(keysOf(await all(store.list('')))).toEqual(['a', 'b']);
  });

  test('pages that repeat themselves come to an end', async () => {
    for (const next of ['<NextContinuationToken>same</NextContinuationToken>', '']) {
      const { store } = await at((_request, socket) => {
        socket.write(reply(200, {}, page(`<IsTruncated>true</IsTruncated>${next}${contents('a')}`)));
      });
      const error = await expectCode(all(store.list('')), 'network');
      expect(error.message).toContain('does not come to its end');
    }
  });

  test('a server that ignores what it was asked for', async () => {
    const { store } = await at(
      (_request, socket) => void socket.write(reply(200, {}, page(contents('a/1', 'b/1', 'b/2', 'c')))),
    );
    expect(keysOf(await all(store.list('b/')))).toEqual(['b/1', 'b/2']);
    expect(keysOf(await all(store.list('b/', { startAfter: 'b/1' })))).toEqual(['b/2']);
  });
});

describe('signatures', () => {
  test('as Amazon’s own example', async () => {
    // "GET Object" of "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
    vi.useFakeTimers({ now: new Date('2013-05-24T00:00:00Z'), toFake: ['Date'] });
    const headers = await createSigner(async () => KEYS)({
      method: 'GET',
      protocol: 'https:',
      host: 'examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      query: {},
      headers: { range: 'bytes=0-9' },
      region: 'us-east-1',
    });
    vi.useRealTimers();
    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, ' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  test('from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEYS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEYS.secretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');
    vi.stubEnv('AWS_PROFILE', '');
    const { store, server } = await at((_request, socket) => void socket.write(reply(200, {}, 'x')), {
      access: 'signed',
      region: 'eu-west-1',
    });
    await store.stat('k');
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: expect.stringMatching(
        /Credential=AKIAIOSFODNN7EXAMPLE\/[0-9]{8}\/eu-west-1\/s3\/aws4_request/,
      ),
      'x-amz-security-token': 'session',
      'x-amz-checksum-mode': 'ENABLED',
    });
  });

  test('never on an anonymous request', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEYS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEYS.secretAccessKey);
    const { store, server } = await at((_request, socket) => void socket.write(reply(200, {}, 'x')));
    await store.stat('k');
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('authorization');
  });

  test('missing credentials are a matter of permission', async () => {
    const credentials = async () => {
      throw new Error('Could not load credentials from any providers');
    };
    const { store, server } = await at(() => {}, { access: 'signed' }, { credentials });
    const error = await expectCode(store.get('k'), 'permission');
    expect(error.next).toContain('AWS_ACCESS_KEY_ID');
    expect(server.requests).toEqual([]);
  });

  test('the right region is taken from the answer, once', async () => {
    const { store, server } = await at(
      (request, socket) => {
        if (request.headers['authorization']?.includes('/eu-central-1/')) socket.write(reply(200, {}, 'x'));
        else
          socket.write(
            reply(
              400,
              { 'x-amz-bucket-region': 'eu-central-1' },
              '<Error><Code>AuthorizationHeaderMalformed</Code></Error>',
            ),
          );
      },
      { access: 'signed' },
      { credentials: async () => KEYS },
    );
    expect((await store.stat('k')).size).toBe(1);
    expect(server.requests).toHaveLength(2);
    await store.stat('k');
    expect(server.requests).toHaveLength(3);
  });

  test('many requests that meet the wrong region at the same time all find the right one', async () => {
    const { store } = await at(
      async (request, socket) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (request.headers['authorization']?.includes('/eu-central-1/')) socket.write(reply(200, {}, 'x'));
        else socket.write(reply(400, { 'x-amz-bucket-region': 'eu-central-1' }, ''));
      },
      { access: 'signed' },
      { credentials: async () => KEYS },
    );
    const bodies = await Promise.all(Array.from({ length: 8 }, (_, i) => store.get(`${i}`)));
    for (const body of bodies) expect(await body.bytes()).toHaveLength(1);
  });

  test('without a signature, Amazon’s host of the right region', async () => {
    const { server, pool } = await at((request, socket) => {
      if (request.headers['host']?.startsWith('s3.eu-central-1.amazonaws.com'))
        socket.write(reply(200, {}, 'x'));
      else
        socket.write(
          reply(
            301,
            { 'x-amz-bucket-region': 'eu-central-1' },
            '<Error><Code>PermanentRedirect</Code></Error>',
          ),
        );
    });
    const endpoint = `http://s3.amazonaws.com:${server.port}`;
    const store = createOpenStore({ pool })({ protocol: 's3', endpoint, bucket: 'bucket' });
    expect((await store.stat('k')).size).toBe(1);
    expect((await store.stat('k')).size).toBe(1);
    expect(server.requests).toHaveLength(3);
  });

  test('a wrong hint ends in the refusal, not in a circle', async () => {
    let turn = 0;
    const { store, server } = await at(
      (_request, socket) => {
        turn += 1;
        socket.write(
          reply(
            301,
            { 'x-amz-bucket-region': `region-${turn}` },
            '<Error><Code>PermanentRedirect</Code></Error>',
          ),
        );
      },
      { access: 'signed' },
      { credentials: async () => KEYS },
    );
    await expectCode(store.get('k'), 'network');
    expect(server.requests).toHaveLength(2);
  });

  test('a redirect is not followed with a signature for another place', async () => {
    const far = await startRawServer((_request, socket) => void socket.write(reply(200, {}, 'far')));
    open.push(far);
    const { store } = await at(
      (_request, socket) => void socket.write(reply(307, { location: far.url })),
      { access: 'signed' },
      { credentials: async () => KEYS },
    );
    await expectCode(store.get('k'), 'network');
    expect(far.requests).toEqual([]);
  });
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

function keysOf(pages: { objects: { key: string }[] }[]): string[] {
  return pages.flatMap(({ objects }) => objects.map(({ key }) => key));
}
