import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createS3App } from '../../src/serve/index.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { ask, asText, elements } from './wire.ts';

const AWKWARD_KEYS = [
  'plain.dcm',
  'with space.txt',
  'with+plus.txt',
  'per%cent%20.txt',
  'a&b<c>"d\'.xml',
  'ünïcode/日本語/😀.dcm',
  'tilde~star*(1)!.txt',
  'question?hash#semi;.txt',
  'new\nline\ttab.txt',
  '.hidden',
  '-dash',
];

let buckets: BucketsFixture;
let app: App;

beforeAll(async () => {
  const awkward = Object.fromEntries(AWKWARD_KEYS.map((key) => [`awkward/${key}`, `content of ${key}`]));
  buckets = await writeBuckets({
    'idc-data/series/one.dcm': 'hello DICOM',
    'idc-data/series/two.dcm': 'second',
    'idc-data/top.json': '{}',
    'idc-data/empty.bin': '',
    'idc-data/folder-without-files/': '',
    'second-bucket/check.txt': '123456789',
    '.hidden-folder/x': 'not a bucket',
    'file-beside-buckets': 'not a bucket either',
    ...awkward,
  });
  app = createS3App({ root: buckets.root, domain: 's3.server.test' });
});

afterAll(() => buckets.remove());

describe('objects', () => {
  test('GET sends the bytes with the MD5 as ETag', async () => {
    expect(await asText(await ask(app, '/idc-data/series/one.dcm'))).toMatchInlineSnapshot(`
      "200
      accept-ranges: bytes
      content-length: 11
      content-type: application/dicom
      etag: "27555dfdcaddcd3aa20a5c116f66cbf7"
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      hello DICOM"
    `);
    const etag = (await ask(app, '/idc-data/series/one.dcm')).headers.get('etag');
    expect(etag).toBe(`"${createHash('md5').update('hello DICOM').digest('hex')}"`);
  });

  test('HEAD sends the same headers and no body', async () => {
    expect(
      await asText(await ask(app, '/idc-data/series/one.dcm', { method: 'HEAD' })),
    ).toMatchInlineSnapshot(`
      "200
      accept-ranges: bytes
      content-length: 11
      content-type: application/dicom
      etag: "27555dfdcaddcd3aa20a5c116f66cbf7"
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      "
    `);
  });

  test('an empty object is a whole answer', async () => {
    const response = await ask(app, '/idc-data/empty.bin');
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '0',
      '',
    ]);
    expect(response.headers.get('etag')).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
  });

  test('a checksum of the whole object comes where it is asked for, and never with a range', async () => {
    const headers = { 'x-amz-checksum-mode': 'ENABLED' };
    const whole = await ask(app, '/second-bucket/check.txt', { headers, method: 'HEAD' });
    // The check value of RFC 3720: 0xE3069283.
    expect(whole.headers.get('x-amz-checksum-crc32c')).toBe('4waSgw==');
    expect(whole.headers.get('x-amz-checksum-type')).toBe('FULL_OBJECT');
    const part = await ask(app, '/second-bucket/check.txt', { headers: { ...headers, range: 'bytes=0-1' } });
    expect(part.headers.has('x-amz-checksum-crc32c')).toBe(false);
  });

  test.each(AWKWARD_KEYS)('the key %j is found under its encoded name', async (key) => {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const response = await ask(app, `/awkward/${path}`);
    expect([response.status, await response.text()]).toEqual([200, `content of ${key}`]);
  });

  test('a bare plus in a path is a space, as S3 has it', async () => {
    expect((await ask(app, '/awkward/with+space.txt')).status).toBe(200);
    expect((await ask(app, '/awkward/with+plus.txt')).status).toBe(404);
    expect((await ask(app, '/awkward/with%2Bplus.txt')).status).toBe(200);
  });

  test('the bucket may stand in the host name', async () => {
    const response = await ask(app, '/series/one.dcm', { host: 'idc-data.s3.server.test:8080' });
    expect([response.status, await response.text()]).toEqual([200, 'hello DICOM']);
    const listing = await ask(app, '/?list-type=2&prefix=series/', { host: 'idc-data.s3.server.test' });
    expect(elements(await listing.text(), 'Key')).toEqual(['series/one.dcm', 'series/two.dcm']);
  });

  test('the only version is `null`', async () => {
    expect((await ask(app, '/idc-data/top.json?versionId=null')).status).toBe(200);
    expect(await asText(await ask(app, '/idc-data/top.json?versionId=abc'))).toMatchInlineSnapshot(`
      "404
      content-length: 253
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>NoSuchVersion</Code><Message>The specified version does not exist.</Message><Key>top.json</Key><VersionId>abc</VersionId><RequestId>…</RequestId><HostId>…</HostId></Error>"
    `);
  });

  test('a signature is accepted and not checked', async () => {
    const signed = await ask(app, '/idc-data/top.json?X-Amz-Signature=0&X-Amz-Expires=60', {
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=0',
        'x-amz-date': '20260101T000000Z',
      },
    });
    expect(signed.status).toBe(200);
  });
});

describe('errors', () => {
  test('NoSuchKey', async () => {
    expect(await asText(await ask(app, '/idc-data/a<b&c'))).toMatchInlineSnapshot(`
      "404
      content-length: 223
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b&amp;c</Key><RequestId>…</RequestId><HostId>…</HostId></Error>"
    `);
  });

  test('NoSuchBucket, for objects and for listings', async () => {
    expect(await asText(await ask(app, '/no-bucket/key'))).toMatchInlineSnapshot(`
      "404
      content-length: 239
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>no-bucket</BucketName><RequestId>…</RequestId><HostId>…</HostId></Error>"
    `);
    expect((await ask(app, '/no-bucket?list-type=2')).status).toBe(404);
    expect((await ask(app, '/no-bucket', { method: 'HEAD' })).status).toBe(404);
  });

  test('HEAD of a missing object is a bare 404', async () => {
    const response = await ask(app, '/idc-data/none', { method: 'HEAD' });
    expect([response.status, response.body]).toEqual([404, null]);
  });

  test('folders are no objects, and neither are keys that no file can have', async () => {
    for (const key of [
      'series',
      'series/',
      'series//one.dcm',
      '/series/one.dcm',
      'top.json/',
      'top.json/x',
    ]) {
      expect([key, (await ask(app, `/idc-data/${key}`)).status]).toEqual([key, 404]);
    }
    expect((await ask(app, `/idc-data/${'n'.repeat(300)}`)).status).toBe(404);
  });

  test('hidden folders and files beside the buckets are not served', async () => {
    expect((await ask(app, '/.hidden-folder/x')).status).toBe(404);
    expect((await ask(app, '/file-beside-buckets')).status).toBe(404);
    expect((await ask(app, '/file-beside-buckets/x')).status).toBe(404);
  });

  test.each(['PUT', 'POST', 'DELETE', 'PATCH'])('%s is not allowed', async (method) => {
    const response = await ask(app, '/idc-data/top.json', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(elements(await response.text(), 'Code')).toEqual(['MethodNotAllowed']);
  });

  test('a key of more than 1,024 bytes is too long', async () => {
    const response = await ask(app, `/idc-data/${'é'.repeat(513)}`);
    expect([response.status, elements(await response.text(), 'Code')]).toEqual([400, ['KeyTooLongError']]);
  });

  test('a broken percent sign is a bad request', async () => {
    expect((await ask(app, '/idc-data/%E0%A4%A')).status).toBe(400);
  });

  test('what a folder does not have is not made up', async () => {
    for (const name of ['acl', 'policy', 'tagging', 'versions', 'uploads']) {
      expect([name, (await ask(app, `/idc-data?${name}`)).status]).toEqual([name, 501]);
    }
  });

  test('a missing root is an internal error, not an empty server', async () => {
    const lost = createS3App({ root: `${buckets.root}/gone` });
    expect((await ask(lost, '/')).status).toBe(500);
  });
});

describe('ranges', () => {
  const range = (value: string, key = 'series/one.dcm') =>
    ask(app, `/idc-data/${key}`, { headers: { range: value } });

  test('a part is 206 with its place in the whole', async () => {
    expect(await asText(await range('bytes=6-8'))).toMatchInlineSnapshot(`
      "206
      accept-ranges: bytes
      content-length: 3
      content-range: bytes 6-8/11
      content-type: application/dicom
      etag: "27555dfdcaddcd3aa20a5c116f66cbf7"
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      DIC"
    `);
  });

  test.each([
    ['bytes=0-4', 'bytes 0-4/11', 'hello'],
    ['bytes=6-', 'bytes 6-10/11', 'DICOM'],
    ['bytes=-5', 'bytes 6-10/11', 'DICOM'],
    ['bytes=-500', 'bytes 0-10/11', 'hello DICOM'],
    ['bytes=6-999', 'bytes 6-10/11', 'DICOM'],
    ['bytes=10-10', 'bytes 10-10/11', 'M'],
    ['BYTES = 0 - 0', 'bytes 0-0/11', 'h'],
  ])('%s → %s', async (value, contentRange, body) => {
    const response = await range(value);
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([
      206,
      contentRange,
      body,
    ]);
  });

  test.each(['bytes=0-1,4-5', 'bytes=5-2', 'items=0-1', 'bytes=', 'bytes=-', 'bytes=a-b', '0-1'])(
    '%j is ignored: 200 and the whole object',
    async (value) => {
      const response = await range(value);
      expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([
        200,
        null,
        'hello DICOM',
      ]);
    },
  );

  test('a range behind the end is 416', async () => {
    expect(await asText(await range('bytes=11-'))).toMatchInlineSnapshot(`
      "416
      content-length: 289
      content-range: bytes */11
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message><RangeRequested>bytes=11-</RangeRequested><ActualObjectSize>11</ActualObjectSize><RequestId>…</RequestId><HostId>…</HostId></Error>"
    `);
  });

  test.each(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0'])(
    '%s of an empty object is 416',
    async (value) => {
      expect((await range(value, 'empty.bin')).status).toBe(416);
    },
  );

  test('HEAD takes a range as well', async () => {
    const response = await ask(app, '/idc-data/series/one.dcm', {
      method: 'HEAD',
      headers: { range: 'bytes=1-2' },
    });
    expect([response.status, response.headers.get('content-length')]).toEqual([206, '2']);
  });
});

describe('conditions', () => {
  const ETAG = '"b2b0da15ad1f4f0ac0d4f5ab0ae4b0e4"';
  const BEFORE = 'Mon, 01 Jan 2024 00:00:00 GMT';
  const SAME = 'Tue, 02 Jan 2024 03:04:05 GMT';
  const AFTER = 'Wed, 03 Jan 2024 00:00:00 GMT';
  const status = async (headers: Record<string, string>) => {
    const etag = (await ask(app, '/idc-data/series/one.dcm', { method: 'HEAD' })).headers.get('etag') ?? '';
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace('ETAG', etag)]);
    return (await ask(app, '/idc-data/series/one.dcm', { headers: Object.fromEntries(filled) })).status;
  };

  test.each<[Record<string, string>, number]>([
    [{ 'if-match': 'ETAG' }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `${ETAG}, ETAG` }, 200],
    [{ 'if-match': ETAG }, 412],
    [{ 'if-none-match': 'ETAG' }, 304],
    [{ 'if-none-match': 'W/ETAG' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': ETAG }, 200],
    [{ 'if-modified-since': BEFORE }, 200],
    [{ 'if-modified-since': SAME }, 304],
    [{ 'if-modified-since': AFTER }, 304],
    [{ 'if-modified-since': 'nonsense' }, 200],
    [{ 'if-unmodified-since': BEFORE }, 412],
    [{ 'if-unmodified-since': SAME }, 200],
    [{ 'if-match': 'ETAG', 'if-unmodified-since': BEFORE }, 200],
    [{ 'if-none-match': ETAG, 'if-modified-since': AFTER }, 200],
    [{ 'if-match': ETAG, range: 'bytes=0-1' }, 412],
    [{ 'if-range': 'ETAG', range: 'bytes=0-1' }, 206],
    [{ 'if-range': ETAG, range: 'bytes=0-1' }, 200],
    [{ 'if-range': 'W/ETAG', range: 'bytes=0-1' }, 200],
    [{ 'if-range': SAME, range: 'bytes=0-1' }, 206],
    [{ 'if-range': BEFORE, range: 'bytes=0-1' }, 200],
    [{ 'if-range': ETAG, range: 'bytes=99-' }, 200],
  ])('%j → %i', async (headers, expected) => {
    expect(await status(headers)).toBe(expected);
  });

  test('304 has the validators and no body', async () => {
    const headers = { 'if-none-match': '*' };
    expect(await asText(await ask(app, '/idc-data/series/one.dcm', { headers }))).toMatchInlineSnapshot(`
      "304
      accept-ranges: bytes
      etag: "27555dfdcaddcd3aa20a5c116f66cbf7"
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      "
    `);
  });

  test('412 says which condition failed', async () => {
    const headers = { 'if-match': ETAG };
    expect(await asText(await ask(app, '/idc-data/series/one.dcm', { headers }))).toMatchInlineSnapshot(`
      "412
      content-length: 268
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message><Condition>If-Match</Condition><RequestId>…</RequestId><HostId>…</HostId></Error>"
    `);
  });
});

describe('the service and its buckets', () => {
  test('ListBuckets names the folders', async () => {
    expect(await asText(await ask(app, '/'))).toMatchInlineSnapshot(`
      "200
      content-length: 495
      content-type: application/xml
      server: carrel
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>carrel</ID><DisplayName>carrel</DisplayName></Owner><Buckets><Bucket><Name>awkward</Name><CreationDate>…</CreationDate></Bucket><Bucket><Name>idc-data</Name><CreationDate>…</CreationDate></Bucket><Bucket><Name>second-bucket</Name><CreationDate>…</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"
    `);
  });

  test('HeadBucket names the region', async () => {
    expect(await asText(await ask(app, '/idc-data', { method: 'HEAD' }))).toMatchInlineSnapshot(`
      "200
      server: carrel
      x-amz-bucket-region: us-east-1
      x-amz-id-2: …
      x-amz-request-id: …

      "
    `);
  });

  test('GetBucketLocation', async () => {
    const text = async (location: App) => (await ask(location, '/idc-data?location')).text();
    expect(await text(app)).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>"
    `);
    expect(await text(createS3App({ root: buckets.root, region: 'eu-west-1' }))).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>"
    `);
  });

  test('GetBucketVersioning', async () => {
    expect(await (await ask(app, '/idc-data?versioning')).text()).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>"
    `);
  });
});

describe('listings', () => {
  test('ListObjectsV2', async () => {
    expect(await asText(await ask(app, '/idc-data?list-type=2'))).toMatchInlineSnapshot(`
      "200
      content-length: 1049
      content-type: application/xml
      server: carrel
      x-amz-bucket-region: us-east-1
      x-amz-id-2: …
      x-amz-request-id: …

      <?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>idc-data</Name><Prefix/><KeyCount>4</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>empty.bin</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size><StorageClass>STANDARD</StorageClass></Contents><Contents><Key>series/one.dcm</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;27555dfdcaddcd3aa20a5c116f66cbf7&quot;</ETag><Size>11</Size><StorageClass>STANDARD</StorageClass></Contents><Contents><Key>series/two.dcm</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;a9f0e61a137d86aa9db53465e0801612&quot;</ETag><Size>6</Size><StorageClass>STANDARD</StorageClass></Contents><Contents><Key>top.json</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;99914b932bd37a50b983c5e7c90ae93b&quot;</ETag><Size>2</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
    `);
  });

  test('ListObjectsV2 with prefix, delimiter, owner and a start', async () => {
    const query = 'list-type=2&prefix=&delimiter=%2F&fetch-owner=true&start-after=empty.bin';
    expect(await (await ask(app, `/idc-data?${query}`)).text()).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>idc-data</Name><Prefix/><StartAfter>empty.bin</StartAfter><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><IsTruncated>false</IsTruncated><Contents><Key>top.json</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;99914b932bd37a50b983c5e7c90ae93b&quot;</ETag><Size>2</Size><Owner><ID>carrel</ID><DisplayName>carrel</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>series/</Prefix></CommonPrefixes></ListBucketResult>"
    `);
  });

  test('ListObjects, version 1', async () => {
    const first = await ask(app, '/idc-data?delimiter=/&max-keys=2');
    expect(await first.text()).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>idc-data</Name><Prefix/><Marker/><NextMarker>series/</NextMarker><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated><Contents><Key>empty.bin</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size><Owner><ID>carrel</ID><DisplayName>carrel</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>series/</Prefix></CommonPrefixes></ListBucketResult>"
    `);
    const second = await ask(app, '/idc-data?delimiter=/&max-keys=2&marker=series/');
    expect(await second.text()).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>idc-data</Name><Prefix/><Marker>series/</Marker><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>false</IsTruncated><Contents><Key>top.json</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;99914b932bd37a50b983c5e7c90ae93b&quot;</ETag><Size>2</Size><Owner><ID>carrel</ID><DisplayName>carrel</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
    `);
  });

  test('encoding-type=url encodes names as S3 does', async () => {
    const xml = await (await ask(app, '/awkward?list-type=2&encoding-type=url')).text();
    expect(elements(xml, 'Key').join('\n')).toMatchInlineSnapshot(`
      "-dash
      .hidden
      a%26b%3Cc%3E%22d%27.xml
      new%0Aline%09tab.txt
      per%25cent%2520.txt
      plain.dcm
      question%3Fhash%23semi%3B.txt
      tilde%7Estar*%281%29%21.txt
      with+space.txt
      with%2Bplus.txt
      %C3%BCn%C3%AFcode/%E6%97%A5%E6%9C%AC%E8%AA%9E/%F0%9F%98%80.dcm"
    `);
    const decoded = elements(xml, 'Key').map((key) => decodeURIComponent(key.replaceAll('+', '%20')));
    expect(decoded.toSorted()).toEqual(AWKWARD_KEYS.toSorted());
  });

  test('without it, names are escaped for XML, control characters as references', async () => {
    const xml = await (await ask(app, '/awkward?list-type=2')).text();
    expect(elements(xml, 'Key').toSorted()).toEqual(AWKWARD_KEYS.toSorted());
    expect(xml).toContain('<Key>a&amp;b&lt;c&gt;&quot;d&apos;.xml</Key>');
    expect(xml).toContain('<Key>new&#xa;line&#x9;tab.txt</Key>');
  });

  test.each([
    'max-keys=x',
    'max-keys=-1',
    'max-keys=99999999999',
    'continuation-token=bm9uZQ==',
    'encoding-type=xml',
  ])('%s is an invalid argument', async (query) => {
    const response = await ask(app, `/idc-data?list-type=2&${query}`);
    expect([response.status, elements(await response.text(), 'Code')]).toEqual([400, ['InvalidArgument']]);
  });

  test('max-keys=0 asks for nothing and gets it', async () => {
    const xml = await (await ask(app, '/idc-data?list-type=2&max-keys=0')).text();
    expect([elements(xml, 'KeyCount'), elements(xml, 'IsTruncated')]).toEqual([['0'], ['false']]);
  });
});
