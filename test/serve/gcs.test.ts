import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createGcsApp } from '../../src/serve/index.ts';
import { compileGlob } from '../../src/serve/objects/glob.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { ask, asText, elements } from './wire.ts';

/** Microseconds of the time stamp of every file. */
const GENERATION = '1704164645000000';

let buckets: BucketsFixture;
let app: App;

beforeAll(async () => {
  buckets = await writeBuckets({
    'idc-data/check.txt': '123456789',
    'idc-data/empty.bin': '',
    'idc-data/series/a+b c&d%é.dcm': 'awkward',
    'idc-data/series/one.dcm': 'hello DICOM',
    'idc-data/series/sub/deep.dcm': 'deep',
    'second_bucket/x': '1',
  });
  app = createGcsApp({ root: buckets.root, domain: 'storage.test' });
});

afterAll(() => buckets.remove());

describe('the XML API', () => {
  test('an object comes with its hashes, its generation and the MD5 as ETag', async () => {
    expect(await asText(await ask(app, '/idc-data/check.txt'))).toMatchInlineSnapshot(`
      "200
      accept-ranges: bytes
      content-length: 9
      content-type: text/plain; charset=utf-8
      etag: "25f9e794323b453885f5181f1b624d0b"
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-goog-generation: 1704164645000000
      x-goog-hash: crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==
      x-goog-metageneration: 1
      x-goog-storage-class: STANDARD
      x-goog-stored-content-encoding: identity
      x-goog-stored-content-length: 9

      123456789"
    `);
  });

  test('the bucket may stand in the host name, and a plus is a plus', async () => {
    expect((await ask(app, '/check.txt', { host: 'idc-data.storage.test' })).status).toBe(200);
    expect(await (await ask(app, '/idc-data/series/a+b%20c&d%25é.dcm')).text()).toBe('awkward');
  });

  test('ranges and HTTP conditions are those of S3; the hashes stay those of the whole', async () => {
    const part = await ask(app, '/idc-data/check.txt', { headers: { range: 'bytes=-2' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 7-8/9',
      '89',
    ]);
    expect(part.headers.get('x-goog-hash')).toMatch(/^crc32c=4waSgw==,md5=/);
    const behind = await ask(app, '/idc-data/check.txt', { headers: { range: 'bytes=9-' } });
    expect(await asText(behind)).toMatchInlineSnapshot(`
      "416
      content-length: 165
      content-range: bytes */9
      content-type: application/xml
      server: carrel

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>InvalidRange</Code><Message>The requested range cannot be satisfied.</Message><Details>bytes=9-</Details></Error>"
    `);
    expect((await ask(app, '/idc-data/check.txt', { headers: { 'if-match': '"x"' } })).status).toBe(412);
  });

  test.each<[string, Record<string, string>, number]>([
    ['', { 'x-goog-if-generation-match': GENERATION }, 200],
    ['', { 'x-goog-if-generation-match': '1' }, 412],
    ['', { 'x-goog-if-metageneration-match': '1' }, 200],
    ['', { 'x-goog-if-metageneration-match': '2' }, 412],
    ['', { 'x-goog-if-generation-not-match': GENERATION }, 304],
    ['', { 'x-goog-if-generation-not-match': '1' }, 200],
    [`?generation=${GENERATION}`, {}, 200],
    ['?generation=1', {}, 404],
  ])('version conditions: %s %j → %i', async (query, headers, status) => {
    expect((await ask(app, `/idc-data/check.txt${query}`, { headers })).status).toBe(status);
  });

  test('a listing has generations, and NextMarker even without a delimiter', async () => {
    expect(await (await ask(app, '/idc-data?max-keys=1')).text()).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01"><Name>idc-data</Name><Prefix/><Marker/><NextMarker>check.txt</NextMarker><MaxKeys>1</MaxKeys><IsTruncated>true</IsTruncated><Contents><Key>check.txt</Key><Generation>1704164645000000</Generation><MetaGeneration>1</MetaGeneration><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><Size>9</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
    `);
    const pages: string[][] = [];
    for (let marker: string | undefined = ''; marker !== undefined; ) {
      const page: string = await (
        await ask(app, `/idc-data?max-keys=2&marker=${encodeURIComponent(marker)}`)
      ).text();
      pages.push(elements(page, 'Key'));
      marker = elements(page, 'NextMarker')[0];
    }
    expect(pages).toEqual([
      ['check.txt', 'empty.bin'],
      ['series/a+b c&d%é.dcm', 'series/one.dcm'],
      ['series/sub/deep.dcm'],
    ]);
  });

  test('errors', async () => {
    expect(await asText(await ask(app, '/idc-data/none'))).toMatchInlineSnapshot(`
      "404
      content-length: 143
      content-type: application/xml
      server: carrel

      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>none</Key></Error>"
    `);
    expect((await ask(app, '/none/x')).status).toBe(404);
    expect((await ask(app, '/idc-data/..%2F..%2Fetc')).status).toBe(403);
    expect((await ask(app, '/idc-data/x', { method: 'PUT' })).status).toBe(405);
    expect((await ask(app, '/idc-data/none', { method: 'HEAD' })).body).toBe(null);
  });
});

describe('the JSON API', () => {
  const json = async (target: string, init: RequestInit = {}) => {
    const response = await ask(app, target, init);
    return [response.status, await response.json()];
  };
  const object = `/storage/v1/b/idc-data/o/${encodeURIComponent('series/a+b c&d%é.dcm')}`;

  test('buckets', async () => {
    expect(await json('/storage/v1/b?project=p')).toMatchObject([
      200,
      { kind: 'storage#buckets', items: [{ name: 'idc-data' }, { name: 'second_bucket' }] },
    ]);
    expect(await json('/storage/v1/b/idc-data')).toMatchObject([
      200,
      { kind: 'storage#bucket', name: 'idc-data' },
    ]);
    expect(await json('/storage/v1/b/idc-data/storageLayout')).toMatchObject([
      200,
      { hierarchicalNamespace: { enabled: false } },
    ]);
  });

  test('metadata of an object', async () => {
    expect(await json(object)).toMatchInlineSnapshot(`
      [
        200,
        {
          "bucket": "idc-data",
          "contentType": "application/dicom",
          "crc32c": "yQ5sNw==",
          "etag": "CMCmt4LcvYMDEAE=",
          "generation": "1704164645000000",
          "id": "idc-data/series/a+b c&d%é.dcm/1704164645000000",
          "kind": "storage#object",
          "md5Hash": "puV+lT0bGE/TicE2O3AEQQ==",
          "mediaLink": "http://server.test/download/storage/v1/b/idc-data/o/series%2Fa%2Bb%20c%26d%25%C3%A9.dcm?generation=1704164645000000&alt=media",
          "metageneration": "1",
          "name": "series/a+b c&d%é.dcm",
          "selfLink": "http://server.test/storage/v1/b/idc-data/o/series%2Fa%2Bb%20c%26d%25%C3%A9.dcm",
          "size": "7",
          "storageClass": "STANDARD",
          "timeCreated": "2024-01-02T03:04:05.000Z",
          "timeStorageClassUpdated": "2024-01-02T03:04:05.000Z",
          "updated": "2024-01-02T03:04:05.000Z",
        },
      ]
    `);
  });

  test.each(['/download', ''])('its bytes, by %s…?alt=media', async (prefix) => {
    expect(await asText(await ask(app, `${prefix}${object}?alt=media`))).toMatchInlineSnapshot(`
      "200
      accept-ranges: bytes
      content-disposition: attachment
      content-length: 7
      content-type: application/dicom
      etag: CMCmt4LcvYMDEAE=
      last-modified: Tue, 02 Jan 2024 03:04:05 GMT
      server: carrel
      x-goog-generation: 1704164645000000
      x-goog-hash: crc32c=yQ5sNw==,md5=puV+lT0bGE/TicE2O3AEQQ==
      x-goog-metageneration: 1
      x-goog-storage-class: STANDARD
      x-goog-stored-content-encoding: identity
      x-goog-stored-content-length: 7

      awkward"
    `);
  });

  test('a slash in the name of an object need not be encoded', async () => {
    expect(await json('/storage/v1/b/idc-data/o/series/one.dcm')).toMatchObject([
      200,
      { name: 'series/one.dcm' },
    ]);
  });

  test('mediaLink and selfLink lead to the object', async () => {
    const [, { mediaLink, selfLink }] = (await json(object)) as [
      number,
      { mediaLink: string; selfLink: string },
    ];
    expect(await (await app.fetch(new Request(mediaLink))).text()).toBe('awkward');
    expect((await app.fetch(new Request(selfLink))).status).toBe(200);
  });

  test('a part is 206, a part behind the end 416', async () => {
    const part = await ask(app, `/download${object}?alt=media`, { headers: { range: 'bytes=0-2' } });
    expect([part.status, await part.text()]).toEqual([206, 'awk']);
    const behind = await ask(app, `${object}?alt=media`, { headers: { range: 'bytes=99-' } });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */7']);
  });

  test.each([
    [`ifGenerationMatch=${GENERATION}`, 200],
    ['ifGenerationMatch=1', 412],
    ['ifGenerationMatch=0', 412],
    [`ifGenerationNotMatch=${GENERATION}`, 304],
    ['ifMetagenerationMatch=1', 200],
    ['ifMetagenerationMatch=7', 412],
    [`generation=${GENERATION}`, 200],
    ['generation=1', 404],
  ])('%s → %i', async (query, status) => {
    expect((await ask(app, `${object}?${query}`)).status).toBe(status);
    expect((await ask(app, `${object}?alt=media&${query}`)).status).toBe(status);
  });

  test('a replaced object has another generation', async () => {
    const before = await json('/storage/v1/b/second_bucket/o/x');
    await buckets.write({ 'second_bucket/x': '2' }, new Date('2025-01-01T00:00:00Z'));
    expect(await json('/storage/v1/b/second_bucket/o/x')).not.toEqual(before);
    expect((await ask(app, `/storage/v1/b/second_bucket/o/x?ifGenerationMatch=${GENERATION}`)).status).toBe(
      412,
    );
  });

  test('a listing with prefix and delimiter', async () => {
    expect(await json('/storage/v1/b/idc-data/o?prefix=series/&delimiter=/')).toMatchObject([
      200,
      {
        kind: 'storage#objects',
        prefixes: ['series/sub/'],
        items: [{ name: 'series/a+b c&d%é.dcm' }, { name: 'series/one.dcm', size: '11' }],
      },
    ]);
    expect(await json('/storage/v1/b/idc-data/o?prefix=none')).toEqual([200, { kind: 'storage#objects' }]);
  });

  test('pages follow nextPageToken', async () => {
    const names: string[] = [];
    let token = '';
    do {
      const query = `maxResults=2${token === '' ? '' : `&pageToken=${encodeURIComponent(token)}`}`;
      const [, page] = (await json(`/storage/v1/b/idc-data/o?${query}`)) as [
        number,
        { items: { name: string }[]; nextPageToken?: string },
      ];
      expect(page.items.length).toBeLessThanOrEqual(2);
      names.push(...page.items.map(({ name }) => name));
      token = page.nextPageToken ?? '';
    } while (token !== '');
    expect(names).toEqual([
      'check.txt',
      'empty.bin',
      'series/a+b c&d%é.dcm',
      'series/one.dcm',
      'series/sub/deep.dcm',
    ]);
  });

  test.each([
    ['matchGlob=series/*', ['series/a+b c&d%é.dcm', 'series/one.dcm']],
    ['matchGlob=series/**', ['series/a+b c&d%é.dcm', 'series/one.dcm', 'series/sub/deep.dcm']],
    ['matchGlob=**.dcm', ['series/a+b c&d%é.dcm', 'series/one.dcm', 'series/sub/deep.dcm']],
    ['startOffset=empty.bin&endOffset=series/one.dcm', ['empty.bin', 'series/a+b c&d%é.dcm']],
  ])('%s', async (query, names) => {
    const target = `/storage/v1/b/idc-data/o?${query.replace('**', '%2A%2A')}`;
    const [, page] = (await json(target)) as [number, { items: { name: string }[] }];
    expect(page.items.map(({ name }) => name)).toEqual(names);
  });

  test('errors are documents, of downloads plain text', async () => {
    expect(await json('/storage/v1/b/idc-data/o/none')).toMatchInlineSnapshot(`
      [
        404,
        {
          "error": {
            "code": 404,
            "errors": [
              {
                "domain": "global",
                "message": "The specified key does not exist.",
                "reason": "notFound",
              },
            ],
            "message": "The specified key does not exist.",
          },
        },
      ]
    `);
    expect(await json('/storage/v1/b/none/o')).toMatchObject([
      404,
      { error: { errors: [{ reason: 'notFound' }] } },
    ]);
    expect(await json('/storage/v1/b/none')).toMatchObject([404, {}]);
    expect(await json('/storage/v1/b/idc-data/o?pageToken=x')).toMatchObject([400, {}]);
    expect(await json('/storage/v1/b/idc-data/o?maxResults=0')).toMatchObject([400, {}]);
    expect(await json('/storage/v1/b/idc-data/o?matchGlob=%5Ba')).toMatchObject([400, {}]);
    expect(await json('/storage/v1/b/idc-data/iam')).toMatchObject([501, {}]);
    expect(await json(object, { method: 'DELETE' })).toMatchObject([405, { error: { code: 405 } }]);
    expect(await json('/storage/v1/b/idc-data/o/..%2F..%2Fetc%2Fpasswd')).toMatchObject([403, {}]);
    expect(await (await ask(app, '/download/storage/v1/b/idc-data/o/none?alt=media')).text()).toBe(
      'The specified key does not exist.',
    );
  });
});

describe('matchGlob', () => {
  test.each<[string, string[], string[]]>([
    ['*.dcm', ['a.dcm', '.dcm'], ['x/a.dcm', 'a.dcm2']],
    ['**/a', ['x/a', 'x/y/a'], ['a']],
    ['a?c', ['abc'], ['a/c', 'ac']],
    ['[a-c]x', ['ax', 'cx'], ['dx', '/x']],
    ['[!a]x', ['bx'], ['ax', '/x']],
    ['{one,t*o}.dcm', ['one.dcm', 'two.dcm'], ['three.dcm', 'one,t*o.dcm']],
    ['a,b', ['a,b'], ['a', 'b']],
    ['a.b+(c)', ['a.b+(c)'], ['aXb+(c)']],
    ['\\*', ['*'], ['x']],
  ])('%s', (pattern, yes, no) => {
    const glob = compileGlob(pattern);
    expect(yes.filter((name) => !glob?.test(name))).toEqual([]);
    expect(no.filter((name) => glob?.test(name))).toEqual([]);
  });

  test.each(['[a', '{a', '[z-a]'])('%s is malformed', (pattern) => {
    expect(compileGlob(pattern)).toBe(undefined);
  });
});
