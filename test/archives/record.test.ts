/** Reading `archive.json`. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { archiveJsonSchema } from '../../scripts/write-schemas.ts';
import { type ArchiveRecord, parseArchive, toRecord } from '../../src/archives/index.ts';
import { type CarrelError, isCarrelError } from '../../src/errors.ts';
import { institute, smallest } from './institute.ts';

const origin = '/srv/archive.json';

function read(record: unknown, base?: string) {
  return parseArchive(record, { origin: base ?? origin, base });
}

function refusal(record: unknown, base?: string): CarrelError {
  try {
    read(record, base);
  } catch (error) {
    if (isCarrelError(error)) return error;
    throw error;
  }
  return expect.unreachable('the record was read');
}

/** A copy of a record with one field set (or, for undefined, removed): `mirrors.0.endpoint`. */
function withField(field: string, value: unknown, record: ArchiveRecord = institute): unknown {
  const copy = structuredClone(record) as unknown as Record<string, unknown>;
  const names = field.split('.');
  const last = names.pop() ?? '';
  let parent = copy;
  for (const name of names) parent = parent[name] as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

describe('a record is read', () => {
  test('with every field that it may have', () => {
    const archive = read(institute);
    expect(archive.origin).toBe(origin);
    expect(
      archive.mirrors.map(({ name, protocol, endpoint, access, scheme }) => [
        name,
        protocol,
        endpoint,
        access,
        scheme,
      ]),
    ).toEqual([
      ['local', 's3', 'https://s3.institute.example', 'signed', 's3'],
      ['web', 'https', 'https://imaging.institute.example/objects', 'anonymous', 'https'],
      ['partner', 'gcs', 'https://storage.googleapis.com', 'anonymous', 'gs'],
    ]);
    expect(archive.bucketClasses[1]).toEqual({
      name: 'members',
      description: '',
      buckets: { local: 'members' },
      historical: [],
    });
    expect(archive.drs?.endpoint).toBe('https://drs.institute.example/ga4gh/drs/v1');
    expect(archive.citation?.doi).toBe('10.1234/institute');
  });

  test('with nothing but what it must have', () => {
    expect(read(smallest)).toEqual({
      name: 'small',
      title: 'Small',
      home: undefined,
      mirrors: [
        { name: 'here', protocol: 'file', endpoint: '/srv/small', access: 'anonymous', scheme: 'file' },
      ],
      bucketClasses: [{ name: 'all', description: '', buckets: { here: 'all' }, historical: [] }],
      catalog: { versions: [], sources: [], tables: [], bucketColumns: {}, releasePrefix: 'v' },
      drs: undefined,
      viewers: [],
      citation: undefined,
      origin,
    });
  });

  test('and comes back the same from what it is written as', () => {
    for (const record of [institute, smallest]) {
      const archive = read(record);
      const written = JSON.parse(JSON.stringify(toRecord(archive))) as unknown;
      expect(read(written)).toEqual(archive);
    }
  });

  test('versions stand newest first, numbers compared as numbers', () => {
    expect(read(institute).catalog.versions.map(({ version }) => version)).toEqual([
      '10.0',
      '2.10',
      '2.9',
      '2.0',
      '1.0',
    ]);
  });

  test('fields of a later version of the format are no fault', () => {
    expect(() => read({ ...institute, quotas: { daily: 5 }, $schema: 'archive.schema.json' })).not.toThrow();
    expect(() => read(withField('mirrors.0.priority', 3))).not.toThrow();
    expect(() => read({ ...institute, viewer: 'weasis' })).not.toThrow(); // beside "viewers", so no slip
  });
});

describe('places', () => {
  const relative = (endpoint: string, protocol = 'file') =>
    withField('mirrors.0', { name: 'here', protocol, endpoint }, smallest);
  const endpoint = (record: unknown, base?: string) => read(record, base).mirrors[0]?.endpoint;

  test.each([
    ['.', '/srv/data/archive.json', '/srv/data'],
    ['objects', '/srv/data/archive.json', '/srv/data/objects'],
    ['../objects/', '/srv/data/archive.json', '/srv/objects'],
    ['my objects', '/srv/my data/archive.json', '/srv/my data/my objects'],
    ['/mnt/objects', '/srv/data/archive.json', '/mnt/objects'],
    ['file:///mnt/my%20objects', '/srv/data/archive.json', '/mnt/my objects'],
    ['objects', 'file:///srv/my%20data/archive.json', '/srv/my data/objects'],
  ])('folder %s in a record at %s is %s', (place, base, expected) => {
    expect(endpoint(relative(place), base)).toBe(expected);
  });

  test.each([
    ['.', 'http://127.0.0.1:9000/archive.json', 'http://127.0.0.1:9000'],
    ['/', 'http://127.0.0.1:9000/a/archive.json', 'http://127.0.0.1:9000'],
    ['s3', 'https://h.example/a/b/archive.json?x=1', 'https://h.example/a/b/s3'],
    ['../s3/', 'https://h.example/a/b/archive.json', 'https://h.example/a/s3'],
    ['../../../../s3', 'https://h.example/a/archive.json', 'https://h.example/s3'],
    ['https://other.example/', 'https://h.example/a/archive.json', 'https://other.example'],
  ])('server %s in a record at %s is %s', (place, base, expected) => {
    expect(endpoint(relative(place, 's3'), base)).toBe(expected);
  });

  test.each([
    ['catalog/{version}/{file}', '/srv/data/archive.json', '/srv/data/catalog/{version}/{file}'],
    [
      'catalog/{version}/{file}',
      'https://h.example/a/archive.json',
      'https://h.example/a/catalog/{version}/{file}',
    ],
    ['catalog/{version}/{file}', 's3://bucket/a/archive.json', 's3://bucket/a/catalog/{version}/{file}'],
    ['/catalog/{version}/{file}', 'gs://bucket/a/archive.json', 'gs://bucket/catalog/{version}/{file}'],
  ])('template %s in a record at %s is %s', (url, base, expected) => {
    const record = { ...institute, catalog: { ...institute.catalog, sources: [{ kind: 'artefacts', url }] } };
    expect(read(record, base).catalog.sources[0]?.url).toBe(expected);
  });

  test('a relative place needs a record with a place of its own', () => {
    const error = refusal(relative('objects'));
    expect(error.code).toBe('bad-input');
    expect(error.message).toContain('mirrors[0].endpoint: a relative place needs');
  });

  test.each(['/etc', 'file:///etc', '.'])(
    'a record from the network may not be about the folder %s alone',
    (place) => {
      const error = refusal(relative(place), 'https://h.example/archive.json');
      expect(error.code).toBe('unsafe');
      expect(error.message).toContain('mirrors: a record from the network names a folder of this machine');
      expect(error.next).toContain('save the record as a file');
    },
  );

  test('a catalogue on the disk of the reader is refused too', () => {
    const sources = [{ kind: 'artefacts', url: 'file:///etc/{version}/{file}' }];
    const error = refusal(
      { ...institute, catalog: { ...institute.catalog, sources } },
      's3://bucket/archive.json',
    );
    expect(error).toMatchObject({ code: 'unsafe', item: 's3://bucket/archive.json' });
    expect(error.message).toContain('catalog.sources[0].url: ');
  });

  test('one record serves whoever has the folder and whoever has its URL', () => {
    const record = {
      ...smallest,
      mirrors: [
        { name: 'disk', protocol: 'file', endpoint: 'buckets' },
        { name: 'site', protocol: 's3', endpoint: 'http://127.0.0.1:9000' },
      ],
      bucketClasses: [
        { name: 'both', buckets: { disk: 'a', site: 'b' }, historical: [{ mirror: 'disk', bucket: 'c' }] },
        { name: 'local', buckets: { disk: 'd' } },
      ],
      catalog: { bucketColumns: { disk_bucket: 'disk', site_bucket: 'site' } },
    };
    const here = read(record, '/srv/small/archive.json');
    expect(here.mirrors.map(({ endpoint }) => endpoint)).toEqual([
      '/srv/small/buckets',
      'http://127.0.0.1:9000',
    ]);
    expect(here.bucketClasses).toHaveLength(2);
    const there = read(record, 'https://h.example/archive.json');
    expect(there.mirrors.map(({ endpoint }) => endpoint)).toEqual(['http://127.0.0.1:9000']);
    expect(there.bucketClasses).toEqual([
      { name: 'both', description: '', buckets: { site: 'b' }, historical: [] },
    ]);
    expect(there.catalog.bucketColumns).toEqual({ site_bucket: 'site' });
    expect(parseArchive(toRecord(there), { origin: there.origin })).toEqual(there);
  });

  test('a fault is named by its place in the record as it was written', () => {
    const mirrors = [smallest.mirrors[0], { name: 'bad', protocol: 's3', endpoint: 'ftp://h' }];
    expect(refusal({ ...smallest, mirrors }, 'https://h.example/archive.json').message).toContain(
      'mirrors[1].endpoint: must be an http(s) URL',
    );
  });

  test.each([
    ['file', 'https://h.example/x', 'must be a folder for the protocol file'],
    ['s3', '/srv/x', 'must be an http(s) URL for the protocol s3'],
    ['gcs', 's3://bucket', 'must be an http(s) URL for the protocol gcs'],
    ['https', 'ftp://h.example', 'must be an http(s) URL for the protocol https'],
    ['https', 'https://', 'must be an http(s) URL for the protocol https'],
    ['https', 'https://h.example/a b', 'must be an http(s) URL for the protocol https'],
  ])('protocol %s does not go with %s', (protocol, place, message) => {
    expect(refusal(relative(place, protocol)).message).toContain(`mirrors[0].endpoint: ${message}`);
  });
});

describe('every wrong field is named', () => {
  test.each<[field: string, value: unknown, message: string]>([
    ['carrel_archive', undefined, 'carrel_archive: is missing'],
    ['carrel_archive', 2, 'carrel_archive: must be 1'],
    ['name', undefined, 'name: is missing'],
    ['name', 'The Institute', 'name: must be small letters, digits'],
    ['name', '../x', 'name: must be small letters, digits'],
    ['name', 7, 'name: must be a text, not a number'],
    ['title', '', 'title: must not be empty'],
    ['title', null, 'title: must be a text, not null'],
    ['home', 'javascript:alert(1)', 'home: must be an http(s) URL'],
    ['mirrors', undefined, 'mirrors: is missing'],
    ['mirrors', [], 'mirrors: must name at least one mirror'],
    ['mirrors', {}, 'mirrors: must be a list, not an object'],
    ['mirrors.0', 'aws', 'mirrors[0]: must be an object, not a text'],
    ['mirrors.0.name', 'auto', 'mirrors[0].name: must not be "auto"'],
    ['mirrors.1.name', 'local', 'mirrors[1].name: "local" stands there twice'],
    ['mirrors.0.protocol', 'ftp', 'mirrors[0].protocol: must be one of s3, gcs, https, file'],
    ['mirrors.0.endpoint', undefined, 'mirrors[0].endpoint: is missing'],
    ['mirrors.0.endpoint', 'a\0b', 'mirrors[0].endpoint: must be a URL or a path'],
    ['mirrors.0.scheme', 'http', 'mirrors[0].scheme: must be one of s3, gs, https, file'],
    ['mirrors.0.region', 1, 'mirrors[0].region: must be a text, not a number'],
    ['mirrors.0.access', 'public', 'mirrors[0].access: must be "anonymous" or "signed"'],
    ['mirrors.0.addressing', 'dns', 'mirrors[0].addressing: must be "path" or "virtual"'],
    ['bucketClasses', [], 'bucketClasses: must name at least one class of buckets'],
    ['bucketClasses.1.name', 'public', 'bucketClasses[1].name: "public" stands there twice'],
    ['bucketClasses.0.buckets', {}, 'bucketClasses[0].buckets: must name at least one bucket'],
    [
      'bucketClasses.0.buckets',
      { aws: 'x' },
      'bucketClasses[0].buckets.aws: no mirror is called "aws" (known: local, web, partner)',
    ],
    ['bucketClasses.0.buckets.local', '../x', 'bucketClasses[0].buckets.local: must be a bucket name'],
    [
      'bucketClasses.0.buckets.local',
      'a..b',
      'bucketClasses[0].buckets.local: a bucket name must not hold ".."',
    ],
    [
      'bucketClasses.1.buckets.local',
      'public',
      'bucketClasses[1].buckets.local: the bucket "public" belongs to the class "public" already',
    ],
    ['bucketClasses.0.historical.0.mirror', 'x', 'bucketClasses[0].historical[0]: no mirror is called "x"'],
    ['bucketClasses.0.historical.0.bucket', undefined, 'bucketClasses[0].historical[0].bucket: is missing'],
    [
      'bucketClasses.0.historical.0.layout',
      'v1',
      'bucketClasses[0].historical[0].layout: must be "hierarchical" or "flat"',
    ],
    [
      'catalog.versions.0.release',
      'one',
      'catalog.versions[0].release: must be "r" and a number, such as "r1"',
    ],
    ['catalog.versions.0.release', 'r0', 'catalog.versions[0].release: must be "r" and a number'],
    ['catalog.versions.0.version', '../1', 'catalog.versions[0].version: must be a version such as 25.0.5'],
    ['catalog.versions.0.version', '2.0', 'catalog.versions[2].version: "2.0" stands there twice'],
    [
      'catalog.versions.3.sha256',
      { 'index.parquet': 'AB' },
      'catalog.versions[3].sha256.index.parquet: must be 64 hex digits',
    ],
    [
      'catalog.sources.0.kind',
      'ftp',
      'catalog.sources[0].kind: must be one of artefacts, release-assets, wheel',
    ],
    ['catalog.sources.0.url', 'https://h/{version}', 'catalog.sources[0].url: must hold {file}'],
    ['catalog.sources.0.url', 'https://h/{file}', 'catalog.sources[0].url: must hold {version}'],
    ['catalog.tables.0.name', 'main', 'catalog.tables: must hold a core table called "index"'],
    ['catalog.tables.0.core', 'yes', 'catalog.tables[0].core: must be true or false'],
    [
      'catalog.tables.1.name',
      'x; DROP TABLE',
      'catalog.tables[1].name: must be a name that SQL takes without quotes',
    ],
    ['catalog.tables.1.name', 'INDEX', 'catalog.tables[1].name: "index" stands there twice'],
    ['catalog.tables.1.file', '../x', 'catalog.tables[1].file: must be a file name'],
    ['catalog.tables.1.file', 'index.parquet', 'catalog.tables[1].file: "index.parquet" stands there twice'],
    [
      'catalog.bucketColumns',
      { aws_bucket: 'aws' },
      'catalog.bucketColumns.aws_bucket: no mirror is called "aws"',
    ],
    ['catalog.releasePrefix', 'v 1', 'catalog.releasePrefix: must be letters'],
    ['drs.prefix', '', 'drs.prefix: must be a prefix such as dg.4DFC'],
    ['drs.host', 'https://h', 'drs.host: must be a host name'],
    ['viewers.0.study', 'https://h/', 'viewers[0].study: must be a URL with {StudyInstanceUID}'],
    [
      'viewers.0.series',
      'javascript:{SeriesInstanceUID}',
      'viewers[0].series: must be a URL with {SeriesInstanceUID}',
    ],
    ['viewers.0.modalities', 'SM', 'viewers[0].modalities: must be a list, not a text'],
    ['citation.doi', 'https://doi.org/10.1/x', 'citation.doi: must be a DOI such as 10.1148/rg.230180'],
  ])('%s = %j', (field, value, message) => {
    const error = refusal(withField(field, value));
    expect(error.code).toBe('bad-input');
    expect(error.item).toBe(origin);
    expect(error.message).toContain(`${origin} is no valid archive record: `);
    expect(error.message).toContain(message);
  });

  test.each<[field: string, message: string]>([
    ['mirrors.0.endpiont', 'mirrors[0].endpiont: unknown field; did you mean "endpoint"?'],
    ['bucket_classes', 'bucket_classes: unknown field; did you mean "bucketClasses"?'],
    ['catalog.release_prefix', 'catalog.release_prefix: unknown field; did you mean "releasePrefix"?'],
    ['viewer', 'viewer: unknown field; did you mean "viewers"?'],
  ])('a slip of the pen: %s', (slip, message) => {
    const right =
      {
        endpiont: 'endpoint',
        bucket_classes: 'bucketClasses',
        release_prefix: 'releasePrefix',
        viewer: 'viewers',
      }[slip.split('.').at(-1) ?? ''] ?? '';
    const where = slip.split('.').slice(0, -1);
    const value = [...where, right].reduce<unknown>(
      (parent, name) => (parent as Record<string, unknown>)[name],
      institute,
    );
    const record = withField([...where, right].join('.'), undefined, withField(slip, value) as ArchiveRecord);
    expect(refusal(record).message).toContain(message);
  });

  test('all of them at once, eight at most', () => {
    const record = { carrel_archive: 1, mirrors: Array.from({ length: 20 }, () => ({})), bucketClasses: 1 };
    const { message } = refusal(record);
    expect(message.split('; ')).toHaveLength(9);
    expect(message).toMatch(/; and 55 more$/);
  });

  test.each([undefined, null, 'x', 7, []])('a record must be an object, not %j', (record) => {
    expect(refusal(record).code).toBe('bad-input');
    expect(refusal(record).message).toMatch(
      /the record (?:must be an object|is missing)|carrel_archive: is missing/,
    );
  });

  test('a mirror may not be called what JavaScript calls its own', () => {
    for (const name of ['constructor', 'prototype', '__proto__']) {
      expect(refusal(withField('mirrors.0.name', name)).message).toContain('mirrors[0].name: must be');
    }
  });

  test('a field called __proto__ does nothing', () => {
    const record = JSON.parse(
      JSON.stringify(smallest).replace(/^\{/, '{"__proto__":{"home":7,"viewers":8},'),
    ) as unknown;
    expect(read(record)).toEqual(read(smallest));
  });
});

describe('the published JSON Schema', () => {
  const file = new URL('../../docs/archive.schema.json', import.meta.url);

  test('is the one that records are read with (npx tsx scripts/write-schemas.ts)', () => {
    expect(readFileSync(file, 'utf8')).toBe(archiveJsonSchema());
  });

  test('asks for the same fields', () => {
    const schema = JSON.parse(readFileSync(file, 'utf8')) as {
      required: string[];
      properties: Record<string, unknown>;
    };
    expect(schema.required).toEqual(['carrel_archive', 'name', 'title', 'mirrors', 'bucketClasses']);
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(institute)));
  });
});
