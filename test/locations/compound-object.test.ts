import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archives/index.ts';
import { parseIdentifier } from '../../src/identifiers/index.ts';
import { fetchCompoundObject, locateCompound, readCompoundObject } from '../../src/locations/index.ts';
import { startDrsHost } from '../fixtures/drs-host.ts';
import { brief, type Commons, failureOf, startCommons } from './commons.ts';

const SERIES = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const A = '641121f1-5ca0-42cc-9156-fb5538c14355';
const B = 'ccafd781-ef39-4d39-ad74-e09de1ada476';

const child = (uuid: string, name = '1.2.3') => ({ name, drs_uri: `drs://dg.4DFC/${uuid}` });
const object = (children: unknown[], more = {}) => ({
  encoding_version: '1.0',
  description: 'IDC CRDC DICOM series compound object',
  object_type: 'DICOM series',
  id: SERIES,
  name: '1.2.3.4',
  self_uri: `drs://dg.4DFC/${SERIES}`,
  access_methods: [{ method: 'children', mime_type: 'application/dicom', contents: children }],
  ...more,
});

describe('reading a compound object', () => {
  test('as it was written', () => {
    expect(readCompoundObject(object([child(A, '1.2.3.4.5')]))).toEqual({
      objectType: 'DICOM series',
      uuid: SERIES,
      name: '1.2.3.4',
      children: [{ name: '1.2.3.4.5', uri: `drs://dg.4DFC/${A}`, uuid: A }],
      others: [],
      notes: [],
    });
  });

  test.each<[string, object]>([
    [
      'access_method in place of method',
      object([], { access_methods: [{ access_method: 'children', contents: [child(A)] }] }),
    ],
    ['id in place of name', object([{ id: '1.2.3', drs_uri: `drs://dg.4DFC/${A}` }])],
    ['compact URIs', object([{ name: '1.2.3', drs_uri: `drs://dg.4DFC:${A}` }])],
    [
      'hosted URIs with an escaped slash',
      object([{ name: '1.2.3', drs_uri: `drs://nci-crdc.datacommons.io/dg.4DFC%2F${A}` }]),
    ],
    ['a list of URIs', object([{ name: '1.2.3', drs_uri: [`drs://dg.4DFC/${A}`] }])],
    [
      'members of early drafts and unknown ones',
      object([child(A)], { size: 1, created_time: 'x', aliases: [], version: null, zzz: {} }),
    ],
    ['no id, only its URI', object([child(A)], { id: undefined })],
    ['a GUID as id', object([child(A)], { id: `dg.4DFC/${SERIES}` })],
    [
      'the first prototype',
      {
        description: 'x',
        series_uuid: SERIES,
        SeriesInstanceUID: '1.2.3.4',
        instance_uuids: [A],
        archive_drs_uri: 'x',
      },
    ],
    [
      'the second prototype',
      {
        description: 'x',
        self_uri: `drs://dg.4DFC:${SERIES}`,
        SeriesInstanceUID: '1.2.3.4',
        contents: [`drs://dg.4DFC:${A}`],
      },
    ],
  ])('%s', (_, json) => {
    expect(readCompoundObject(json)).toMatchObject({
      uuid: SERIES,
      name: '1.2.3.4',
      children: [{ uuid: A }],
    });
  });

  test('placeholders are not available, which is no error', () => {
    const methods = [
      { method: 'children', contents: [child(A), child('some_TBD_uuid')] },
      {
        method: 'folder_object',
        contents: [{ name: '1.2.3.4/', drs_uri: 'drs://dg.4DFC/some_TBD_folder_object_uuid' }],
      },
      { method: 'archive_package', contents: [{ name: '1.2.3.4.zip', drs_uri: `drs://dg.4DFC/${B}` }] },
    ];
    const compound = readCompoundObject(object([], { access_methods: methods }));
    expect(compound.children.map(({ uuid }) => uuid)).toEqual([A, undefined]);
    expect(compound.others).toEqual([{ method: 'archive_package', uri: `drs://dg.4DFC/${B}`, uuid: B }]);
    expect(compound.notes).toEqual([
      'folder_object is announced and has no address',
      '1 of 2 children have no address',
    ]);
  });

  test.each([[null], [[]], ['x'], [{}], [{ access_methods: 'x' }], [{ id: 'x', name: 'y' }]])(
    '%j is none',
    (json) => {
      expect(() => readCompoundObject(json, 'x.json')).toThrow(
        expect.objectContaining({ code: 'bad-input', item: 'x.json' }),
      );
    },
  );
});

describe('locating the children', () => {
  let commons: Commons;
  beforeAll(async () => {
    commons = await startCommons({
      [`idc-open-data/${SERIES}/${A}.dcm`]: 'a',
      [`idc-open-data/${SERIES}/${SERIES}.dcm`]: 'not a child',
      [`idc-open-data/${SERIES}/crdcobj.json`]: JSON.stringify(object([child(A)])),
      'mine/broken/crdcobj.json': '{',
    });
  });
  afterAll(() => commons.close());

  test('children that the folder does not hold are named', async () => {
    const located = await locateCompound(readCompoundObject(object([child(B), child(A)])), commons.options);
    expect(brief(located)).toEqual([`${SERIES}/${A}.dcm 1 aws+gcs`]);
    expect(located).toMatchObject({ crdc_series_uuid: SERIES, missing: [B] });
    expect(located.notes).toEqual([`1 of 2 children were not found: ${B}`]);
  });

  test('they are asked for at the DRS host, where there is one', async () => {
    const host = await startDrsHost({
      objects: {
        [`dg.4DFC/${B}`]: {
          id: B,
          size: 9,
          access_methods: [{ type: 'gs', access_url: { url: `gs://idc-open-data/${A}/${B}.dcm` } }],
        },
      },
    });
    const drs = { prefix: 'dg.4DFC', host: 'nci-crdc.datacommons.io', aliases: [], endpoint: host.endpoint };
    const archive: Archive = { ...commons.archive, drs };
    const options = { ...commons.options, archive, http: commons.stores.pool };
    const located = await locateCompound(readCompoundObject(object([child(B), child(A)])), options);
    expect(brief(located)).toEqual([`${A}/${B}.dcm 9 gcs+aws`, `${SERIES}/${A}.dcm 1 aws+gcs`]);
    expect(located.missing).toEqual([]);
    expect(host.requests).toHaveLength(1);
    await host.close();
  });

  test('no child anywhere is an error', async () => {
    expect(
      await failureOf(locateCompound(readCompoundObject(object([child(B)])), commons.options)),
    ).toMatchObject({
      code: 'not-found',
      item: SERIES,
    });
    expect(
      await failureOf(locateCompound(readCompoundObject(object([child(A)], { id: B })), commons.options)),
    ).toMatchObject({
      code: 'not-found',
      item: B,
    });
  });

  const fetchAt = async (text: string, more = {}) => {
    const identifier = parseIdentifier(text);
    if (identifier.kind !== 'compound-object' || identifier.location.kind !== 'object-url')
      throw new Error(identifier.kind);
    return fetchCompoundObject(identifier.location, { ...commons.options, ...more });
  };

  test.each([
    `s3://idc-open-data/${SERIES}/crdcobj.json`,
    `gs://idc-open-data/${SERIES}/crdcobj.json`,
    `https://storage.googleapis.com/idc-open-data/${SERIES}/crdcobj.json`,
  ])('%s', async (text) => {
    const located = await locateCompound(await fetchAt(text), commons.options);
    expect(brief(located)).toEqual([`${SERIES}/${A}.dcm 1 aws+gcs`]);
  });

  test('one that is missing, and one that is broken', async () => {
    const endpoint = { endpoint: commons.s3.url };
    expect(await failureOf(fetchAt('s3://mine/nothing/crdcobj.json', endpoint))).toMatchObject({
      code: 'not-found',
    });
    expect(await failureOf(fetchAt('s3://mine/broken/crdcobj.json', endpoint))).toMatchObject({
      code: 'bad-input',
      item: 's3://mine/broken/crdcobj.json',
    });
  });
});

const samples = new URL('../../../shared/samples/', import.meta.url);
const REAL = 'f5d6b517-2c02-4035-9444-0f15be7180ff';
const realFile = new URL(`crdcobj_${REAL}.json`, samples);
describe.skipIf(!existsSync(realFile))(
  'the real object of 101 instances (skipped without ../shared/samples)',
  () => {
    let commons: Commons;
    let text: string;
    let sizes: Record<string, number>;
    beforeAll(async () => {
      text = readFileSync(realFile, 'utf8');
      sizes = JSON.parse(readFileSync(new URL('sizes_f5d6b517.json', samples), 'utf8'));
      commons = await startCommons({
        [`idc-open-data/${REAL}/crdcobj.json`]: text,
        ...Object.fromEntries(
          Object.entries(sizes).map(([name, size]) => [
            `idc-open-data/${REAL}/${name}`,
            new Uint8Array(size),
          ]),
        ),
      });
    });
    afterAll(() => commons.close());

    test('is read byte for byte as it was published', () => {
      const compound = readCompoundObject(JSON.parse(text));
      expect(compound).toMatchObject({
        objectType: 'DICOM series',
        uuid: REAL,
        name: '1.3.6.1.4.1.14519.5.2.1.7009.9004.330787529051851659409647497231',
        notes: [
          'folder_object is announced and has no address',
          'archive_package is announced and has no address',
        ],
      });
      expect(compound.children).toHaveLength(101);
      expect(compound.children[0]).toEqual({
        name: '1.3.6.1.4.1.14519.5.2.1.7009.9004.556887014045436659051172668458',
        uri: 'drs://dg.4DFC/65965c28-adc2-4d2e-811c-5eabae295153',
        uuid: '65965c28-adc2-4d2e-811c-5eabae295153',
      });
    });

    test('all 101 files, 53,209,020 bytes, from one listing and without a resolver', async () => {
      commons.asked();
      const compound = readCompoundObject(JSON.parse(text));
      const located = await locateCompound(compound, { ...commons.options, http: commons.stores.pool });
      expect(located.missing).toEqual([]);
      expect(located.locations.map(({ key }) => key)).toEqual(
        compound.children.map(({ uuid }) => `${REAL}/${uuid}.dcm`),
      );
      expect(located.locations.map(({ key, size }) => [key.slice(37), size])).toEqual(
        compound.children.map(({ uuid }) => [`${uuid}.dcm`, sizes[`${uuid}.dcm`]]),
      );
      expect(located.locations.reduce((sum, { size }) => sum + (size ?? 0), 0)).toBe(53_209_020);
      const asked = commons.asked();
      expect(asked.filter((line) => line.includes(`prefix=${REAL}`))).toHaveLength(asked.length);
      expect(asked.length).toBeLessThanOrEqual(3);
    });
  },
);
