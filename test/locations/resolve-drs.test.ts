import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archives/index.ts';
import {
  drsTokenFrom,
  type ResolveDrsOptions,
  resolveDrs,
  SIGNED_MIRROR,
} from '../../src/locations/index.ts';
import { type DrsHost, type DrsHostOptions, startDrsHost } from '../fixtures/drs-host.ts';
import { brief, type Commons, failureOf, startCommons } from './commons.ts';

// The instance that the documentation of the host shows, and its series.
const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';
const SERIES = 'cc9c8541-949d-48d9-beaf-7028aa4906dc';
const LATER_SERIES = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const OTHER = 'ccafd781-ef39-4d39-ad74-e09de1ada476';
const MD5 = 'f338e8c5e3d8955d222a04d5f3f6e2b4';
const ID = `dg.4DFC/${INSTANCE}`;
const KEY = `${SERIES}/${INSTANCE}.dcm`;

/** As indexd answers for IDC: text size, wrong type, empty contents, times without a zone, public URLs and ids. */
const indexd = {
  access_methods: [
    { access_id: 'gs', access_url: { url: `gs://public-datasets-idc/${KEY}` }, region: 'us', type: 'gs' },
    { access_id: 's3', access_url: { url: `s3://idc-open-data/${KEY}` }, region: 'us-east-1', type: 's3' },
  ],
  aliases: [],
  checksums: [{ checksum: MD5, type: 'md5' }],
  contents: [],
  created_time: '2020-07-09T18:49:30.151811',
  description: null,
  form: 'object',
  id: ID,
  index_created_time: '2020-07-09T18:49:30.151811',
  mime_type: 'application/json',
  name: '1.3.6.1.4.1.14519.5.2.1.7695.1700.277743171070833720282648319465',
  self_uri: `drs://dg.4DFC:${INSTANCE}`,
  size: '135450',
  updated_time: '',
  version: 'idc_v1',
};

let commons: Commons;
let hosts: DrsHost[] = [];
beforeAll(async () => {
  commons = await startCommons({
    [`idc-open-data/${LATER_SERIES}/${INSTANCE}.dcm`]: 'later',
    [`idc-open-data/${LATER_SERIES}/${OTHER}.dcm`]: 'other',
  });
});
beforeEach(() => commons.asked());
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  hosts = [];
});
afterAll(() => commons.close());

/** A host for the archive's prefix and name. */
async function start(options: DrsHostOptions): Promise<{ host: DrsHost; options: ResolveDrsOptions }> {
  const host = await startDrsHost(options);
  hosts.push(host);
  const drs = {
    prefix: 'dg.4DFC',
    host: 'nci-crdc.datacommons.io',
    aliases: ['dg.4DCF'],
    endpoint: host.endpoint,
  };
  const archive: Archive = { ...commons.archive, drs };
  return { host, options: { ...commons.options, archive, http: commons.stores.pool, retryDelayMs: 5 } };
}

describe('a single object', () => {
  test.each([
    `drs://dg.4DFC/${INSTANCE}`,
    `drs://dg.4DFC:${INSTANCE}`,
    `drs://dg.4dfc:${INSTANCE}`,
    `drs://dg.4DFC:dg.4DFC/${INSTANCE}`,
    `drs://nci-crdc.datacommons.io/dg.4DFC/${INSTANCE}`,
    `drs://nci-crdc.datacommons.io/dg.4DFC%2F${INSTANCE}`,
    `dg.4DFC/${INSTANCE}`,
    `dg.4DCF/${INSTANCE}`,
    INSTANCE,
    `https://nci-crdc.datacommons.io/ga4gh/drs/v1/objects/dg.4DFC/${INSTANCE}`,
    `https://nci-crdc.datacommons.io/index/dg.4DFC/${INSTANCE}`,
    `https://dataguids.org/index/dg.4DFC/${INSTANCE}`,
  ])('%s', async (uri) => {
    const { host, options } = await start({ objects: { [ID]: indexd } });
    const resolved = await resolveDrs(uri, options);
    expect(resolved.kind).toBe('object');
    expect(resolved.paths).toEqual([indexd.name]);
    // The archive's mirrors, not the public clouds: the bucket's name of earlier years and of today are one class.
    expect(brief(resolved)).toEqual([`${KEY} 135450 gcs+aws`]);
    expect(resolved.locations[0]).toMatchObject({ digests: [`md5:${MD5}`], crdc_series_uuid: SERIES });
    expect(resolved.locations[0]?.sources.map(({ place }) => place.endpoint)).toEqual([
      commons.gcs.url,
      commons.s3.url,
    ]);
    expect(host.requests.map(({ path }) => path)).toEqual([`/ga4gh/drs/v1/objects/dg.4DFC%2F${INSTANCE}`]);
  });

  test('a host without a prefix in its ids', async () => {
    const { options } = await start({ objects: { [INSTANCE]: { ...indexd, id: INSTANCE } } });
    const resolved = await resolveDrs(`drs://nci-crdc.datacommons.io/${INSTANCE}`, options);
    expect(brief(resolved)).toEqual([`${KEY} 135450 gcs+aws`]);
  });

  test('a host of somebody else by its name in the URI', async () => {
    const { host, options } = await start({ objects: { 'a/b:c': { ...indexd, id: 'a/b:c' } } });
    const resolved = await resolveDrs(`drs://${host.host}/a%2Fb%3Ac`, options);
    expect(resolved.locations).toHaveLength(1);
    expect(host.requests[0]?.path).toBe('/ga4gh/drs/v1/objects/a%2Fb%3Ac');
  });

  test('a host that cannot route an escaped slash is asked with a raw one', async () => {
    const { host, options } = await start({ objects: { [ID]: indexd }, ids: 'raw' });
    await resolveDrs(`dg.4DFC/${INSTANCE}`, options);
    expect(host.requests.map(({ path }) => path)).toEqual([
      `/ga4gh/drs/v1/objects/dg.4DFC%2F${INSTANCE}`,
      `/ga4gh/drs/v1/objects/dg.4DFC/${INSTANCE}`,
    ]);
  });

  test('202 means later: the same request again', async () => {
    const { host, options } = await start({ objects: { [ID]: indexd }, pending: { [ID]: 3 } });
    await resolveDrs(ID, options);
    expect(host.requests).toHaveLength(4);
  });

  test('failures that may pass are repeated, a few times', async () => {
    const { host, options } = await start({ objects: { [ID]: indexd }, failFirst: [503, 429, 500] });
    await resolveDrs(ID, options);
    expect(host.requests).toHaveLength(4);
    host.requests.splice(0);
    const dead = await start({ objects: {}, failFirst: [503, 503, 503, 503, 503, 503] });
    expect(await failureOf(resolveDrs(ID, { ...dead.options, drsOnly: true }))).toMatchObject({
      code: 'network',
      status: 503,
    });
    expect(dead.host.requests).toHaveLength(4);
  });

  test('checksums by any of their names, CRC32C in Google’s own spelling, sizes as numbers, no size at all', async () => {
    const checksums = [
      { type: 'md5', checksum: MD5.toUpperCase() },
      { type: 'sha-256', checksum: 'a'.repeat(64) },
      { type: 'crc32c', checksum: Buffer.from('01020304', 'hex').toString('base64') },
      { type: 'trunc512', checksum: 'x' },
      { type: 'md5', checksum: 'not hex' },
      null,
    ];
    const { host, options } = await start({ objects: { [ID]: { ...indexd, checksums, size: 135450 } } });
    expect((await resolveDrs(ID, options)).locations[0]).toMatchObject({
      size: 135450,
      digests: [`md5:${MD5}`, `sha256:${'a'.repeat(64)}`, 'crc32c:01020304'],
    });
    host.options.objects[ID] = { ...indexd, checksums: null, size: null, name: null };
    const bare = await resolveDrs(ID, options);
    expect(bare.locations[0]).toMatchObject({ digests: [] });
    expect(bare.locations[0]?.size).toBeUndefined();
    expect(bare.paths).toEqual([`${INSTANCE}.dcm`]);
  });

  test('a bucket of somebody else goes to the public endpoint of its cloud, the generation is cut', async () => {
    const access_methods = [{ type: 'gs', access_url: { url: 'gs://their-bucket/x/y.dcm#1234' } }];
    const { options } = await start({ objects: { [ID]: { ...indexd, access_methods } } });
    const [location] = (await resolveDrs(ID, options)).locations;
    expect(location).toMatchObject({
      key: 'x/y.dcm',
      sources: [
        {
          mirror: 'gs',
          place: { protocol: 'gcs', endpoint: 'https://storage.googleapis.com', bucket: 'their-bucket' },
        },
      ],
    });
  });

  test('a plain https URL', async () => {
    const access_methods = [{ type: 'https', access_url: { url: 'https://data.example.org/a/b.dcm' } }];
    const { options } = await start({ objects: { [ID]: { ...indexd, access_methods } } });
    expect((await resolveDrs(ID, options)).locations[0]?.sources).toEqual([
      {
        mirror: 'https',
        place: { protocol: 'https', endpoint: 'https://data.example.org', bucket: '' },
        key: 'a/b.dcm',
      },
    ]);
  });

  test('warm copies before cold ones', async () => {
    const access_methods = [
      { type: 'gs', access_url: { url: `gs://cold/${KEY}` }, available: false },
      { type: 's3', access_url: { url: `s3://warm/${KEY}` }, available: true },
    ];
    const { options } = await start({ objects: { [ID]: { ...indexd, access_methods } } });
    const resolved = await resolveDrs(ID, options);
    expect(resolved.locations[0]?.sources.map(({ place }) => place.bucket)).toEqual(['warm']);
  });
});

describe('signed access', () => {
  const signed = 'https://storage.googleapis.com/private/x.dcm?X-Goog-Signature=secret';
  const only = (access_methods: unknown[]) => ({ ...indexd, access_methods });

  test('is asked for where nothing is public, and marked', async () => {
    const { host, options } = await start({
      objects: { [ID]: only([{ type: 'gs', access_id: 'gs' }]) },
      access: { [`${ID} gs`]: { url: signed } },
    });
    const [location] = (await resolveDrs(ID, options)).locations;
    expect(location).toMatchObject({ key: 'private/x.dcm', size: 135450 });
    expect(location?.sources).toEqual([
      {
        mirror: SIGNED_MIRROR,
        place: { protocol: 'https', endpoint: 'https://storage.googleapis.com', bucket: '' },
        key: 'private/x.dcm?X-Goog-Signature=secret',
      },
    ]);
    expect(host.requests.map(({ path }) => path)[1]).toBe(
      `/ga4gh/drs/v1/objects/dg.4DFC%2F${INSTANCE}/access/gs`,
    );
  });

  test('is not asked for where something is public', async () => {
    const { host, options } = await start({
      objects: { [ID]: indexd },
      access: { [`${ID} gs`]: { url: signed } },
    });
    await resolveDrs(ID, options);
    expect(host.requests).toHaveLength(1);
  });

  test('the next id is tried where the first gives nothing', async () => {
    const { options } = await start({
      objects: {
        [ID]: only([
          { type: 's3', access_id: 's3' },
          { type: 'gs', access_id: 'gs' },
        ]),
      },
      access: { [`${ID} gs`]: { url: signed } },
    });
    expect((await resolveDrs(ID, options)).locations).toHaveLength(1);
  });

  test('URLs that need request headers are refused, not tried without', async () => {
    const headers = ['Authorization: Basic c2VjcmV0'];
    const { options } = await start({
      objects: {
        [ID]: only([{ type: 'https', access_url: { url: 'https://data.example.org/x', headers } }]),
      },
    });
    const failure = await failureOf(resolveDrs(ID, options));
    expect(failure).toMatchObject({ code: 'unsupported', item: ID });
    expect(JSON.stringify(failure) + (failure as Error).message).not.toContain('c2VjcmV0');
  });

  test('an object without any access method', async () => {
    const { options } = await start({ objects: { [ID]: only([]) } });
    expect(await failureOf(resolveDrs(ID, { ...options, drsOnly: true }))).toMatchObject({
      code: 'not-found',
      item: ID,
    });
  });
});

describe('tokens', () => {
  test('go to the host that they are named for, and to no other', async () => {
    const { host, options } = await start({ objects: { [ID]: indexd }, token: 'secret' });
    const token = drsTokenFrom(`${host.host}=secret`);
    await resolveDrs(ID, { ...options, token });
    expect(host.requests[0]?.authorization).toBe('Bearer secret');
    const other = await start({ objects: { [ID]: indexd } });
    await resolveDrs(ID, { ...other.options, token });
    expect(other.host.requests[0]?.authorization).toBeUndefined();
  });

  test('a wrong one is an error without the token in it', async () => {
    const { host, options } = await start({ objects: { [ID]: indexd }, token: 'secret' });
    const failure = await failureOf(
      resolveDrs(ID, { ...options, token: drsTokenFrom(`${host.host}=wrong-one`) }),
    );
    expect(failure).toMatchObject({ code: 'permission', status: 403 });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong-one');
    expect(await failureOf(resolveDrs(ID, options))).toMatchObject({ code: 'permission', status: 401 });
  });

  test('a token without a host is refused: a manifest could send it anywhere', () => {
    expect(() => drsTokenFrom('eyJhbGciOiJSUzI1NiJ9.e30.c2ln')).toThrow(
      expect.objectContaining({ code: 'usage', item: 'CARREL_DRS_TOKEN' }),
    );
    expect(() => drsTokenFrom('top-secret')).toThrow(expect.not.stringContaining('top-secret'));
    expect(drsTokenFrom(undefined)('x.org')).toBeUndefined();
    expect(drsTokenFrom('a.org=one==, b.org:8443=two')('B.org:8443')).toBe('two');
    expect(drsTokenFrom('a.org=one==')('a.org')).toBe('one==');
  });
});

describe('bundles', () => {
  const blob = (id: string, name: string) => ({
    ...indexd,
    id,
    name,
    access_methods: [{ type: 's3', access_url: { url: `s3://idc-open-data/${SERIES}/${name}.dcm` } }],
  });

  test('everything below them, in folders; one list or one text of URIs, ids, and nested contents', async () => {
    const { options } = await start({
      objects: {
        root: {
          id: 'root',
          name: 'study',
          size: 3,
          contents: [
            { name: 'a', drs_uri: `drs://dg.4DFC:${INSTANCE}` },
            { name: 'inner', id: 'inner', drs_uri: ['drs://unknown:zzz'] },
            { name: 'plain folder', contents: [{ name: 'c', id: 'c' }] },
          ],
        },
        inner: {
          id: 'inner',
          contents: [
            { name: 'b', id: 'b' },
            { name: 'b', id: 'b2' },
          ],
        },
        [ID]: blob(ID, 'one'),
        b: blob('b', 'two'),
        b2: blob('b2', 'three'),
        c: blob('c', 'four'),
      },
    });
    const host = hosts[0]?.host ?? '';
    const resolved = await resolveDrs(`drs://${host}/root`, options);
    expect(resolved.kind).toBe('bundle');
    expect(
      resolved.paths.map((path, index) => `${path} ${resolved.locations[index]?.key.split('/')[1]}`).sort(),
    ).toEqual(['a one.dcm', 'inner/b two.dcm', 'inner/b2 three.dcm', 'plain folder/c four.dcm']);
  });

  test('names cannot leave the folder', async () => {
    const { options } = await start({
      objects: {
        root: {
          id: 'root',
          contents: [
            { name: '../../x', id: 'a' },
            { name: '..', id: 'b' },
            { name: 'a/b\\c', id: 'c' },
          ],
        },
        a: blob('a', 'one'),
        b: blob('b', 'two'),
        c: blob('c', 'three'),
      },
    });
    const { paths } = await resolveDrs(`drs://${hosts[0]?.host}/root`, options);
    expect(paths).toEqual(['.._.._x', '_', 'a_b_c']);
  });

  test('children that were announced and never made are noted', async () => {
    const { options } = await start({
      objects: {
        root: {
          id: 'root',
          contents: [
            { name: 'a', id: 'a' },
            { name: 'zip', drs_uri: 'drs://dg.4DFC/some_TBD_uuid' },
          ],
        },
        a: blob('a', 'one'),
      },
    });
    const resolved = await resolveDrs(`drs://${hosts[0]?.host}/root`, options);
    expect(resolved.locations).toHaveLength(1);
    expect(resolved.notes).toEqual(['zip is named in the bundle and has no address yet']);
  });

  test('a bundle that contains itself is an error, not a loop', async () => {
    const { options, host } = await start({
      objects: {
        root: { id: 'root', contents: [{ name: 'x', id: 'inner' }] },
        inner: { id: 'inner', contents: [{ name: 'y', id: 'root' }] },
      },
    });
    expect(await failureOf(resolveDrs(`drs://${host.host}/root`, options))).toMatchObject({
      code: 'bad-input',
      item: 'root',
    });
  });

  test('a deep nest is given up', async () => {
    const objects = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [
        `n${n}`,
        { id: `n${n}`, contents: [{ name: 'x', id: `n${n + 1}` }] },
      ]),
    );
    const { options, host } = await start({ objects });
    expect(await failureOf(resolveDrs(`drs://${host.host}/n0`, options))).toMatchObject({
      code: 'bad-input',
    });
    expect(host.requests.length).toBeLessThan(40);
  });

  const many = (count: number) => {
    const ids = Array.from(
      { length: count },
      (_, n) => `dg.4DFC/00000000-0000-4000-8000-${n.toString().padStart(12, '0')}`,
    );
    const contents = ids.map((id, n) => ({ name: `f${n}`, drs_uri: [`drs://${id}`] }));
    return {
      root: { id: 'root', contents },
      ...Object.fromEntries(ids.map((id, n) => [id, blob(id, `f${n}`)])),
    };
  };

  test.each(['resolved_drs_object', 'resolved_drs_objects'] as const)(
    'many children in few requests where the host offers that (%s)',
    async (bulkKey) => {
      const { host, options } = await start({ objects: many(25), bulk: 10, bulkKey });
      const resolved = await resolveDrs('drs://nci-crdc.datacommons.io/root', options);
      expect(resolved.paths).toEqual(Array.from({ length: 25 }, (_, n) => `f${n}`));
      expect(resolved.locations.map(({ key }) => key)).toEqual(
        Array.from({ length: 25 }, (_, n) => `${SERIES}/f${n}.dcm`),
      );
      expect(host.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /ga4gh/drs/v1/objects/root',
        'GET /ga4gh/drs/v1/service-info',
        ...Array.from({ length: 3 }, () => 'POST /ga4gh/drs/v1/objects'),
      ]);
    },
  );

  test('one by one where it offers nothing, or only says that it does', async () => {
    for (const bulk of [undefined, 'broken'] as const) {
      const { options } = await start({ objects: many(6), ...(bulk === undefined ? {} : { bulk }) });
      expect((await resolveDrs('drs://nci-crdc.datacommons.io/root', options)).locations).toHaveLength(6);
    }
  });
});

describe('a series that the host does not know', () => {
  test('404 is by design: the buckets know it', async () => {
    const { host, options } = await start({ objects: {} });
    const resolved = await resolveDrs(`drs://dg.4DFC/${LATER_SERIES}`, options);
    expect(resolved.kind).toBe('series');
    expect(brief(resolved)).toEqual([
      `${LATER_SERIES}/${INSTANCE}.dcm 5 aws+gcs`,
      `${LATER_SERIES}/${OTHER}.dcm 5 aws+gcs`,
    ]);
    expect(resolved.notes[0]).toMatch(/answered 404.*; found as a series in the archive's buckets$/);
    expect(host.requests).toHaveLength(2);
  });

  test('so it is where the host does not answer at all', async () => {
    const { host, options } = await start({ objects: {} });
    await host.close();
    hosts = [];
    const resolved = await resolveDrs(`drs://dg.4DFC/${LATER_SERIES}`, options);
    expect(resolved.locations).toHaveLength(2);
  });

  test('known to nobody', async () => {
    const { options } = await start({ objects: {} });
    const failure = await failureOf(resolveDrs(`drs://dg.4DFC/${OTHER}`, options));
    expect(failure).toMatchObject({ code: 'not-found', item: `dg.4DFC/${OTHER}` });
    expect((failure as Error).message).toMatch(/no bucket of idc holds it as a series/);
  });
});

describe('what is not resolved', () => {
  test('a prefix that no record maps to a host', async () => {
    const { options } = await start({ objects: {} });
    expect(await failureOf(resolveDrs('drs://dg.ABCD:123', options))).toMatchObject({ code: 'not-found' });
    const bare: ResolveDrsOptions = { ...options, archive: { ...options.archive, drs: undefined } };
    expect(await failureOf(resolveDrs(INSTANCE, bare))).toMatchObject({ code: 'not-found' });
  });

  test('a sign-in page in place of JSON, and JSON that is no DRS object', async () => {
    const { host, options } = await start({ objects: { [ID]: { hello: 'world' } } });
    expect(await failureOf(resolveDrs(ID, { ...options, drsOnly: true }))).toMatchObject({
      code: 'network',
      retryable: false,
    });
    expect(host.requests).toHaveLength(1);
  });

  test('the signal ends the waiting', async () => {
    const { options } = await start({
      objects: { [ID]: indexd },
      failFirst: Array.from({ length: 9 }, () => 503),
    });
    const failure = await failureOf(
      resolveDrs(ID, { ...options, retryDelayMs: 10_000, signal: AbortSignal.timeout(50) }),
    );
    expect(failure).toMatchObject({ code: 'interrupted' });
  });
});
