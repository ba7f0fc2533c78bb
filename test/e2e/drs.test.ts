/** DRS: what a host of the GA4GH's Data Repository Service names comes as files, whatever stands behind it. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DrsHost, type DrsHostOptions, startDrsHost } from '../fixtures/drs-host.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import {
  type ExpectedSeries,
  errorOf,
  filesBelow,
  openReadingRoom,
  type ReadingRoom,
  versionIn,
} from './carrel.ts';

const TOKEN = 'a secret of the test';
const INSTANCE = '11111111-1111-4111-8111-111111111111';
const BUNDLE = '22222222-2222-4222-8222-222222222222';

let host: DrsHost;
let room: ReadingRoom;
let signed: ObjectServers;
let buckets: BucketsFixture;
let series: ExpectedSeries;
let one: string;

/** A single object as a host describes it. */
function object(
  id: string,
  content: string | Buffer,
  access: unknown[],
  name?: string,
): Record<string, unknown> {
  return {
    id,
    name,
    self_uri: `drs://dg.SAMPLE:${id}`,
    size: Buffer.byteLength(content),
    created_time: '2024-01-02T03:04:05Z',
    checksums: [{ type: 'md5', checksum: createHash('md5').update(content).digest('hex') }],
    access_methods: access,
  };
}

beforeAll(async () => {
  host = await startDrsHost({ objects: {} });
  room = await openReadingRoom({
    edit(record) {
      record.drs = { prefix: 'dg.SAMPLE', host: host.host, endpoint: host.endpoint };
    },
  });
  series = versionIn(room.facts.removed);
  [one = ''] = series.version.instances.values();
  buckets = await writeBuckets({
    'vault/a/secret.dcm': 'signed bytes',
    'vault/b.dcm': 'second',
    'vault/c.dcm': 'third',
  });
  signed = await startObjectServers({ root: buckets.root });
});
afterAll(async () => {
  await room?.close();
  await host?.close();
  await signed?.close();
  await buckets?.remove();
});
beforeEach(() => {
  tell({ objects: {} });
  host.requests.length = 0;
  room.takeRequests();
});

/** What the host says from now on. */
function tell(options: DrsHostOptions): void {
  for (const key of Object.keys(host.options) as (keyof DrsHostOptions)[]) delete host.options[key];
  Object.assign(host.options, options);
}

describe('a single object', () => {
  test('is fetched from the buckets that the host names, and proven by its checksum', async () => {
    const bytes = await room.source(series, one);
    const url = `s3://sample-open-data/${series.version.uuid}/${one}.dcm`;
    tell({
      objects: {
        [`dg.SAMPLE/${one}`]: object(`dg.SAMPLE/${one}`, bytes, [
          { type: 's3', access_id: 's3', access_url: { url } },
        ]),
      },
    });
    for (const name of [
      `drs://dg.SAMPLE/${one}`,
      `drs://dg.SAMPLE:${one}`,
      `drs://${host.host}/dg.SAMPLE/${one}`,
      one,
    ]) {
      const out = await room.newFolder();
      const result = await room.run(['get', name, '-o', out]);
      expect(result.code, `${name} ${result.stderr}`).toBe(0);
      await room.mustHold(out, [{ ...series, instances: [one] }]);
    }
    expect(host.requests.length).toBeGreaterThan(0);
  });

  test('whose checksum is not that of the bytes is refused with 5', async () => {
    const url = `s3://sample-open-data/${series.version.uuid}/${one}.dcm`;
    const bytes = Buffer.from(await room.source(series, one));
    bytes[0] = 1;
    tell({
      objects: {
        [`dg.SAMPLE/${one}`]: object(`dg.SAMPLE/${one}`, bytes, [{ type: 's3', access_url: { url } }]),
      },
    });
    const out = await room.newFolder();
    expect(await room.run(['get', `drs://dg.SAMPLE/${one}`, '-o', out])).toMatchObject({ code: 5 });
    await room.mustHold(out, []);
  });

  test('behind a signed URL is fetched; the signature stands in no file of ours', async () => {
    const id = `dg.SAMPLE/${INSTANCE}`;
    tell({
      objects: { [id]: object(id, 'signed bytes', [{ type: 'https', access_id: 'signed' }], 'secret.dcm') },
      access: {
        [`${id} signed`]: { url: `${signed.s3.url}/vault/a/secret.dcm?X-Amz-Signature=0123456789abcdef` },
      },
    });
    const out = await room.newFolder();
    const result = await room.run(['get', `drs://dg.SAMPLE/${INSTANCE}`, '-o', out]);
    expect(result.code, result.stderr).toBe(0);
    const found = await filesBelow(out);
    expect([...found.values()].map(String)).toEqual(['signed bytes']);
    for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
      expect(text, entry.name).not.toContain('0123456789abcdef');
    }
    expect(result.stdout + result.stderr).not.toContain('0123456789abcdef');
  });

  test('that nobody knows ends with 4 and is named', async () => {
    const result = await room.run([
      'get',
      `drs://dg.SAMPLE/${INSTANCE}`,
      '-o',
      await room.newFolder(),
      '--json',
    ]);
    expect(result.code).toBe(4);
    expect(JSON.stringify(errorOf(result))).toContain(INSTANCE);
  });
});

describe('a host that wants a token', () => {
  const id = `dg.SAMPLE/${INSTANCE}`;
  const secret = (): DrsHostOptions => ({
    token: TOKEN,
    objects: {
      [id]: object(id, 'signed bytes', [
        { type: 'https', access_url: { url: `${signed.s3.url}/vault/a/secret.dcm` } },
      ]),
    },
  });

  test('gets that of CARREL_DRS_TOKEN, and nobody else does', async () => {
    tell(secret());
    const out = await room.newFolder();
    const result = await room.run(['get', `drs://dg.SAMPLE/${INSTANCE}`, '-o', out], {
      env: { CARREL_DRS_TOKEN: `${host.host}=${TOKEN}` },
    });
    expect(result.code, result.stderr).toBe(0);
    expect([...(await filesBelow(out)).values()].map(String)).toEqual(['signed bytes']);
    expect(host.requests.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    const elsewhere = [...signed.s3.requests, ...room.s3.requests, ...room.gcs.requests];
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(elsewhere.filter(({ headers }) => headers['authorization'] !== undefined)).toEqual([]);
  });

  test.each([
    ['without one', undefined],
    ['with one of another host', `drs.example.org=${TOKEN}`],
    ['with a wrong one', 'wrong'],
  ])('%s ends with 8 and says what to set, without the secret', async (_, value) => {
    tell(secret());
    const token = value === 'wrong' ? `${host.host}=not-${TOKEN}` : value;
    const result = await room.run(
      ['get', `drs://dg.SAMPLE/${INSTANCE}`, '-o', await room.newFolder(), '--json', '--debug'],
      {
        env: { CARREL_DRS_TOKEN: token },
      },
    );
    expect(result.code).toBe(8);
    expect(errorOf(result)).toMatchObject({ code: 'permission', exit: 8 });
    expect(result.stderr).toContain('CARREL_DRS_TOKEN');
    expect(result.stdout + result.stderr).not.toContain(TOKEN);
  });

  test('a token without a host is refused: it would go to everybody', async () => {
    const result = await room.run(['get', `drs://dg.SAMPLE/${INSTANCE}`, '-o', await room.newFolder()], {
      env: { CARREL_DRS_TOKEN: TOKEN },
    });
    expect(result.code).toBe(2);
    expect(result.stderr).not.toContain(TOKEN);
  });
});

test('a bundle comes as a folder, with the names that it gives', async () => {
  const child = (name: string, key: string, content: string) => {
    const id = `dg.SAMPLE/${name}`;
    return [
      id,
      object(id, content, [{ type: 'https', access_url: { url: `${signed.s3.url}/vault/${key}` } }], name),
    ] as const;
  };
  const children = [child('two.dcm', 'b.dcm', 'second'), child('three.dcm', 'c.dcm', 'third')];
  tell({
    objects: {
      [`dg.SAMPLE/${BUNDLE}`]: {
        id: `dg.SAMPLE/${BUNDLE}`,
        name: 'cohort',
        contents: [
          { name: 'two.dcm', id: children[0]?.[0] },
          { name: 'deeper', contents: [{ name: 'three.dcm', id: children[1]?.[0] }] },
        ],
      },
      ...Object.fromEntries(children),
    },
  });
  const out = await room.newFolder();
  const result = await room.run(['get', `drs://dg.SAMPLE/${BUNDLE}`, '-o', out]);
  expect(result.code, result.stderr).toBe(0);
  const found = await filesBelow(out);
  expect(new Map([...found].map(([path, bytes]) => [path, bytes.toString()]))).toEqual(
    new Map([
      ['two.dcm', 'second'],
      ['deeper/three.dcm', 'third'],
    ]),
  );
});

describe('a host that is down', () => {
  test('does not matter for a series: the tables or the buckets know it', async () => {
    tell({ objects: {}, failFirst: [] });
    const known = series.version.uuid;
    const superseded = versionIn(room.facts.corrected, 1);
    const env = { CARREL_CACHE_DIR: await room.newFolder('no-catalogue') };
    await host.close();
    try {
      const out = await room.newFolder();
      expect(await room.run(['get', `drs://dg.SAMPLE/${known}`, '-o', out])).toMatchObject({ code: 0 });
      await room.mustHold(out, [series]);
      // Without any catalogue, only the buckets are left.
      const bare = await room.newFolder();
      const result = await room.run(['get', `drs://dg.SAMPLE/${superseded.version.uuid}`, '-o', bare], {
        env,
      });
      expect(result.code, result.stderr).toBe(0);
      await room.mustHold(bare, [superseded]);
    } finally {
      host = await startDrsHost({ objects: {} });
    }
  });
});
