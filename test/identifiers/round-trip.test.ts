/** Printing and reading again gives the same identifier, for every kind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asKindOf,
  type Identifier,
  parseIdentifier,
  printIdentifier,
  toDrsUri,
  uuidOf,
} from '../../src/identifiers/index.ts';

/** Without the text as given and the remarks about it, also inside of compound objects. */
function bare(identifier: Identifier): unknown {
  const { text: _, warnings: __, ...rest } = identifier;
  if (rest.kind === 'compound-object') return { ...rest, location: bare(rest.location) };
  return JSON.parse(JSON.stringify(rest));
}

/** Reads, prints, reads again; answers with the kind. */
function roundTrip(first: Identifier): Identifier['kind'] {
  const printed = printIdentifier(first);
  const second = parseIdentifier(printed, { as: asKindOf(first) });
  expect(bare(second)).toEqual(bare(first));
  expect(printIdentifier(second)).toBe(printed);
  return first.kind;
}

const uuid = fc.uuid();
const anyCase = (text: string) => fc.constantFrom(text, text.toUpperCase(), text.toLowerCase());
const component = fc.oneof(fc.nat().map(String), fc.constantFrom('0001', '0', '00'));
const uid = fc.array(component, { minLength: 2, maxLength: 6 }).map((parts) => parts.join('.'));
const prefix = fc.oneof(
  anyCase('dg.4DFC'),
  fc
    .string({ unit: fc.constantFrom(...Array.from('ABCxyz019')), minLength: 1, maxLength: 6 })
    .map((end) => `dg.${end}`),
);
const hostName = fc.oneof(
  fc.domain(),
  fc.constantFrom('localhost:4500', '127.0.0.1:80', '[::1]:1', 'NCI.example.ORG'),
);
/** Characters that have a meaning somewhere, and some that have none. */
const keyText = fc
  .string({
    unit: fc.constantFrom(...Array.from('ab01 é😀%#?*+&=:@!~,;$\'"()[]{}|^`<>_-.')),
    minLength: 1,
    maxLength: 12,
  })
  .filter((text) => text !== '..');
const key = fc
  .tuple(
    fc.array(fc.oneof(keyText, uuid, uid), { minLength: 0, maxLength: 4 }),
    fc.constantFrom('', '/', '.dcm', '/*', '#12'),
  )
  .map(([segments, end]) => segments.join('/') + end);
const bucket = fc.constantFrom('b', 'idc-open-data', 'my.dotted.bucket', 'Old_Bucket');
const encoded = key
  .map((text) => text.split('/').map(encodeURIComponent).join('/'))
  .chain((text) => fc.constantFrom(text, text.replaceAll('*', '%2A')));
const region = fc.constantFrom('', '.us-east-1', '-eu-west-1', '.dualstack.us-gov-west-1');

/** Texts of each kind. */
const TEXTS: Record<Identifier['kind'], fc.Arbitrary<string>> = {
  'dicom-uid': fc.oneof(
    uid.filter((text) => text.length <= 64),
    uid.map((text) => `https://pacs.org/studies/1.2/series/${text}`),
  ),
  'crdc-uuid': fc.oneof(
    uuid,
    uuid.map((text) => text.toUpperCase()),
    uuid.map((text) => `${text}.dcm`),
  ),
  guid: fc.tuple(prefix, fc.constantFrom('/', ':', '%2F', ''), uuid).map((parts) => parts.join('')),
  drs: fc.oneof(
    fc.tuple(prefix, fc.constantFrom('/', ':', ':dg.4DFC/'), uuid).map((parts) => `drs://${parts.join('')}`),
    fc
      .tuple(
        hostName,
        fc.oneof(
          encoded,
          uuid,
          prefix.chain((start) => uuid.map((text) => `${start}/${text}`)),
        ),
      )
      .map(([host, id]) => `drs://${host}/${id}`),
    fc.tuple(prefix, encoded).map(([start, id]) => `drs://${start}:${id}`),
    fc.tuple(fc.constantFrom('ark', 'a/b', 'drs.anv0'), encoded).map(([space, id]) => `drs://${space}:${id}`),
  ),
  'drs-url': fc.oneof(
    fc
      .tuple(hostName, encoded, fc.constantFrom('', '/access/s3', '/access/a%2Fb'))
      .map(([host, id, access]) => `https://${host}/x/ga4gh/drs/v1/objects/${id}${access}`),
    fc
      .tuple(fc.constantFrom('dataguids.org', 'h.org', 'h.org/base'), prefix, uuid)
      .map(([host, start, id]) => `https://${host}/index/${start}/${id}`),
  ),
  'object-url': fc.oneof(
    fc
      .tuple(fc.constantFrom('s3', 'gs'), bucket, key)
      .map(([scheme, name, path]) => `${scheme}://${name}/${path}`),
    fc
      .tuple(region, bucket, encoded)
      .map(([where, name, path]) => `https://s3${where}.amazonaws.com/${name}/${path}`),
    fc
      .tuple(region, bucket, encoded)
      .map(
        ([where, name, path]) =>
          `https://${name.toLowerCase().replace('_', '-')}.s3${where}.amazonaws.com/${path}`,
      ),
    fc
      .tuple(bucket, encoded, fc.constantFrom('', '?generation=77'))
      .map(([name, path, end]) => `https://storage.googleapis.com/${name}/${path}${end}`),
    fc
      .tuple(hostName, encoded, fc.constantFrom('', '?a=b', '#top', '?X-Amz-Signature=0'))
      .map(([host, path, end]) => `https://${host}/${path}${end}`),
  ),
  'compound-object': fc
    .tuple(
      fc.constantFrom(
        'gs://b/',
        's3://b/',
        'https://h.org/',
        './',
        '/x/',
        'https://s3.us-east-1.amazonaws.com/b/',
      ),
      uuid,
    )
    .map(([start, id]) => `${start}${id}/crdcobj.json`),
  doi: fc
    .tuple(
      fc.constantFrom('', 'doi:', 'https://doi.org/'),
      fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019./-_()')), minLength: 1 }),
    )
    .map(([start, end]) => `${start}10.7937/${end}`),
  'faspex-link': fc
    .base64String({ minLength: 16, maxLength: 64 })
    .map((context) => `https://h.org/aspera/faspex/public/package?context=${context}`),
  path: fc
    .tuple(fc.constantFrom('./', '/', '~/', '../', 'file:///', 'C:\\'), encoded)
    .map((parts) => parts.join('')),
  stdin: fc.constant('-'),
  name: fc.string({ unit: fc.constantFrom(...Array.from('abXY01 _-=.')), minLength: 1, maxLength: 20 }),
};

describe('print and parse', () => {
  test.each(Object.keys(TEXTS) as Identifier['kind'][])('%s', (kind) => {
    let seen = 0;
    fc.assert(
      fc.property(TEXTS[kind], (text) => {
        let first: Identifier;
        try {
          first = parseIdentifier(text);
        } catch {
          return; // refused, which near-misses.test.ts is about
        }
        if (roundTrip(first) === kind) seen++;
      }),
      { numRuns: 500 },
    );
    expect(seen, 'texts of this kind that were really read as it').toBeGreaterThan(250);
  });

  test.each(['file:///%20', 'file:///a/%20b%20', 'file:///C:/x%20'])(
    'keeps blanks at the ends of the path of %s',
    (text) => {
      expect(roundTrip(parseIdentifier(text))).toBe('path');
    },
  );

  test('every --as that reads a text at all gives something that survives', () => {
    const kinds = fc.constantFrom(
      'series',
      'study',
      'instance',
      'patient',
      'collection',
      'analysis-result',
      'uuid',
      'url',
      'path',
      'doi',
      'drs',
    );
    let seen = 0;
    fc.assert(
      fc.property(fc.oneof(...Object.values(TEXTS)), kinds, (text, as) => {
        let first: Identifier;
        try {
          first = parseIdentifier(text, { as: as as 'series' });
        } catch {
          return;
        }
        seen++;
        roundTrip(first);
      }),
      { numRuns: 3000 },
    );
    expect(seen).toBeGreaterThan(1000);
  });
});

describe('the UUID of an identifier', () => {
  test('comes back from every DRS form that is made of it', () => {
    fc.assert(
      fc.property(uuid, (id) => {
        for (const text of [
          toDrsUri(id),
          toDrsUri(id, 'dg.MD1R'),
          `dg.4DFC/${id}`,
          id,
          `s3://b/${id}/*`,
          `gs://b/${id}.dcm`,
        ]) {
          expect(uuidOf(parseIdentifier(text))).toBe(id);
        }
      }),
    );
  });

  test('is that of the instance where a key names both', () => {
    const [series, instance] = [
      'cc9c8541-949d-48d9-beaf-7028aa4906dc',
      '641121f1-5ca0-42cc-9156-fb5538c14355',
    ];
    expect(uuidOf(parseIdentifier(`s3://b/${series}/${instance}.dcm`))).toBe(instance);
  });

  test.each(['nlst', '1.2.3', '10.1148/x', '-', './x', 's3://b/k', 'drs://dg.4DFC/some_TBD_uuid'])(
    '%s has none',
    (text) => {
      expect(uuidOf(parseIdentifier(text))).toBeUndefined();
    },
  );
});
