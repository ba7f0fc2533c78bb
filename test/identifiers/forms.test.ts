/** Every form of identifier that is seen in the wild, one row each, with what it means. */
import { describe, expect, test } from 'vitest';
import { type Identifier, parseIdentifier, printIdentifier } from '../../src/identifiers/index.ts';

// A real instance of IDC, and the series that it stands in.
const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';
const SERIES = 'cc9c8541-949d-48d9-beaf-7028aa4906dc';
const UPPER = INSTANCE.toUpperCase();
const GUID = `dg.4DFC/${INSTANCE}`;

/** The identifier without the text and the warnings, which have tests of their own. */
function meaning(text: string): Record<string, unknown> {
  const { text: given, warnings, ...rest } = parseIdentifier(text) as Identifier & Record<string, unknown>;
  expect(given).toBe(text);
  expect(warnings).toBeInstanceOf(Array);
  return JSON.parse(JSON.stringify(rest)) as Record<string, unknown>;
}

const drs = { kind: 'drs', id: GUID, prefix: 'dg.4DFC', uuid: INSTANCE };
const host = 'nci-crdc.datacommons.io';

describe('DRS URIs', () => {
  test.each<[why: string, text: string, meant: object, canonical: string]>([
    [
      'GUID in the place of the host (IDC, HTAN)',
      `drs://${GUID}`,
      { ...drs, style: 'guid-authority' },
      `drs://${GUID}`,
    ],
    ['the same in capitals', `DRS://DG.4DFC/${UPPER}`, { ...drs, style: 'guid-authority' }, `drs://${GUID}`],
    [
      'compact (GDC, ISB-CGC)',
      `drs://dg.4DFC:${INSTANCE}`,
      { ...drs, style: 'compact' },
      `drs://dg.4DFC:${INSTANCE}`,
    ],
    [
      'compact in small letters',
      `drs://dg.4dfc:${INSTANCE}`,
      { ...drs, style: 'compact' },
      `drs://dg.4DFC:${INSTANCE}`,
    ],
    [
      'doubled prefix',
      `drs://dg.4DFC:dg.4DFC/${INSTANCE}`,
      { ...drs, style: 'compact' },
      `drs://dg.4DFC:${INSTANCE}`,
    ],
    [
      'doubled prefix behind a slash',
      `drs://dg.4DFC/dg.4DFC:${INSTANCE}`,
      { ...drs, style: 'guid-authority' },
      `drs://${GUID}`,
    ],
    [
      'host and slash',
      `drs://${host}/${GUID}`,
      { ...drs, style: 'hosted', host },
      `drs://${host}/dg.4DFC%2F${INSTANCE}`,
    ],
    [
      'host and escaped slash',
      `drs://${host}/dg.4DFC%2F${INSTANCE}`,
      { ...drs, style: 'hosted', host },
      `drs://${host}/dg.4DFC%2F${INSTANCE}`,
    ],
    [
      'host in capitals',
      `drs://${host.toUpperCase()}/${GUID}`,
      { ...drs, style: 'hosted', host },
      `drs://${host}/dg.4DFC%2F${INSTANCE}`,
    ],
    [
      'host without prefix',
      `drs://${host}/${INSTANCE}`,
      { kind: 'drs', style: 'hosted', host, id: INSTANCE, uuid: INSTANCE },
      `drs://${host}/${INSTANCE}`,
    ],
    [
      'host and port of a test server',
      `drs://localhost:4500/${INSTANCE}`,
      { kind: 'drs', style: 'hosted', host: 'localhost:4500', id: INSTANCE, uuid: INSTANCE },
      `drs://localhost:4500/${INSTANCE}`,
    ],
    [
      'address in brackets',
      `drs://[::1]:4500/a`,
      { kind: 'drs', style: 'hosted', host: '[::1]:4500', id: 'a' },
      'drs://[::1]:4500/a',
    ],
    [
      'id that is escaped twice stays escaped once',
      'drs://h.org/a%252Fb',
      { kind: 'drs', style: 'hosted', host: 'h.org', id: 'a%2Fb' },
      'drs://h.org/a%252Fb',
    ],
    [
      'another namespace',
      'drs://drs.anv0:v2_b3d9',
      { kind: 'drs', style: 'compact', prefix: 'drs.anv0', id: 'v2_b3d9' },
      'drs://drs.anv0:v2_b3d9',
    ],
    [
      'another namespace with a provider',
      'drs://ebi/ega.dataset:EGAD1',
      { kind: 'drs', style: 'compact', prefix: 'ebi/ega.dataset', id: 'EGAD1' },
      'drs://ebi/ega.dataset:EGAD1',
    ],
    [
      'another GUID prefix keeps its spelling',
      `drs://dg.aNV0/${INSTANCE}`,
      { kind: 'drs', style: 'guid-authority', prefix: 'dg.aNV0', id: `dg.aNV0/${INSTANCE}`, uuid: INSTANCE },
      `drs://dg.aNV0/${INSTANCE}`,
    ],
    [
      'numbers behind a GUID prefix are no port',
      `drs://dg.4DFC:4500/x`,
      { kind: 'drs', style: 'compact', prefix: 'dg.4DFC', id: 'dg.4DFC/4500/x' },
      'drs://dg.4DFC:4500%2Fx',
    ],
    [
      'placeholder of a compound object',
      'drs://dg.4DFC/some_TBD_uuid',
      { kind: 'drs', style: 'guid-authority', prefix: 'dg.4DFC', id: 'dg.4DFC/some_TBD_uuid' },
      'drs://dg.4DFC/some_TBD_uuid',
    ],
  ])('%s: %s', (_, text, meant, canonical) => {
    expect(meaning(text)).toEqual(meant);
    expect(printIdentifier(parseIdentifier(text))).toBe(canonical);
  });
});

test('two different prefixes are no doubled one: nothing is guessed', () => {
  const found = parseIdentifier(`drs://dg.4DFC:dg.MD1R/${INSTANCE}`);
  expect(found).toMatchObject({
    kind: 'drs',
    prefix: 'dg.4DFC',
    id: `dg.4DFC/dg.MD1R/${INSTANCE}`,
    uuid: undefined,
  });
  expect(found.warnings.join()).toContain('no UUID');
});

describe('GUIDs and UUIDs', () => {
  const guid = { kind: 'guid', prefix: 'dg.4DFC', uuid: INSTANCE };
  test.each<[why: string, text: string, meant: object]>([
    ['line of a .dcf manifest', GUID, guid],
    ['small letters', `dg.4dfc/${INSTANCE}`, guid],
    ['the misspelling of a published manifest', `dg.4DCF/${INSTANCE}`, guid],
    ['colon', `dg.4DFC:${INSTANCE}`, guid],
    ['escaped slash', `dg.4DFC%2F${INSTANCE}`, guid],
    ['no slash: name of an old DRS bundle', `dg.4DFC${INSTANCE}`, guid],
    ['another node', `dg.MD1R/${INSTANCE}`, { ...guid, prefix: 'dg.MD1R' }],
    ['bare UUID', INSTANCE, { kind: 'crdc-uuid', uuid: INSTANCE }],
    ['bare UUID in capitals', UPPER, { kind: 'crdc-uuid', uuid: INSTANCE }],
    ['URN', `urn:uuid:${INSTANCE}`, { kind: 'crdc-uuid', uuid: INSTANCE }],
    ['name of a file', `${INSTANCE}.dcm`, { kind: 'crdc-uuid', uuid: INSTANCE, level: 'instance' }],
  ])('%s: %s', (_, text, meant) => {
    expect(meaning(text)).toEqual(meant);
  });

  test('a prefix of one’s own is printed as its archive spells it', () => {
    const found = parseIdentifier(`drs://DG.MYNODE:${INSTANCE}`, { guidPrefixes: ['dg.MyNode'] });
    expect(found).toMatchObject({ prefix: 'dg.MyNode', id: `dg.MyNode/${INSTANCE}` });
  });
});

describe('https addresses of DRS objects and index records', () => {
  const url = {
    kind: 'drs-url',
    host,
    endpoint: `https://${host}`,
    id: GUID,
    prefix: 'dg.4DFC',
    uuid: INSTANCE,
  };
  test.each<[text: string, meant: object]>([
    [`https://${host}/ga4gh/drs/v1/objects/${GUID}`, { ...url, service: 'drs' }],
    [`https://${host}/ga4gh/drs/v1/objects/dg.4DFC%2F${INSTANCE}`, { ...url, service: 'drs' }],
    [`https://${host}/ga4gh/drs/v1/objects/${GUID}/access/gs`, { ...url, service: 'drs', accessId: 'gs' }],
    [`https://${host}/ga4gh/drs/v1/objects/${GUID}?expand=true`, { ...url, service: 'drs' }],
    [`https://${host}/index/${GUID}`, { ...url, service: 'index' }],
    [
      `https://${host}/index/${INSTANCE}`,
      { kind: 'drs-url', service: 'index', host, endpoint: `https://${host}`, id: INSTANCE, uuid: INSTANCE },
    ],
    [
      `https://dataguids.org/index/${GUID}`,
      { ...url, service: 'dataguids', host: 'dataguids.org', endpoint: 'https://dataguids.org' },
    ],
    [
      'http://127.0.0.1:8080/base/ga4gh/drs/v1/objects/a%2Fb',
      {
        kind: 'drs-url',
        service: 'drs',
        host: '127.0.0.1:8080',
        endpoint: 'http://127.0.0.1:8080/base',
        id: 'a/b',
      },
    ],
  ])('%s', (text, meant) => {
    expect(meaning(text)).toEqual(meant);
  });

  test('the word "index" in an address makes it no record', () => {
    expect(meaning('https://example.org/index/scan.dcm')).toMatchObject({
      kind: 'object-url',
      scheme: 'https',
    });
  });
});

describe('objects, folders and wildcards', () => {
  const key = `${SERIES}/${INSTANCE}.dcm`;
  const object = {
    kind: 'object-url',
    key,
    form: 'object',
    layout: 'hierarchical',
    seriesUuid: SERIES,
    instanceUuid: INSTANCE,
  };
  const s3 = { ...object, scheme: 's3', bucket: 'idc-open-data' };
  const gs = { ...object, scheme: 'gs', bucket: 'idc-open-data' };
  test.each<[text: string, meant: object, canonical: string]>([
    [`s3://idc-open-data/${key}`, s3, `s3://idc-open-data/${key}`],
    [`S3://idc-open-data/${key}`, s3, `s3://idc-open-data/${key}`],
    [`gs://idc-open-data/${key}`, gs, `gs://idc-open-data/${key}`],
    [`https://s3.amazonaws.com/idc-open-data/${key}`, s3, `s3://idc-open-data/${key}`],
    [`https://idc-open-data.s3.amazonaws.com/${key}`, s3, `s3://idc-open-data/${key}`],
    [
      `https://idc-open-data.s3.us-east-1.amazonaws.com/${key}`,
      { ...s3, region: 'us-east-1' },
      `https://s3.us-east-1.amazonaws.com/idc-open-data/${key}`,
    ],
    [
      `https://s3.us-west-2.amazonaws.com/idc-open-data/${key}`,
      { ...s3, region: 'us-west-2' },
      `https://s3.us-west-2.amazonaws.com/idc-open-data/${key}`,
    ],
    [
      `https://s3-eu-west-1.amazonaws.com/idc-open-data/${key}`,
      { ...s3, region: 'eu-west-1' },
      `https://s3.eu-west-1.amazonaws.com/idc-open-data/${key}`,
    ],
    [
      `https://s3.dualstack.us-gov-west-1.amazonaws.com/idc-open-data/${key}`,
      { ...s3, region: 'us-gov-west-1' },
      `https://s3.us-gov-west-1.amazonaws.com/idc-open-data/${key}`,
    ],
    [
      `https://my.dotted.bucket.s3.amazonaws.com/${key}`,
      { ...s3, bucket: 'my.dotted.bucket' },
      `s3://my.dotted.bucket/${key}`,
    ],
    [`https://storage.googleapis.com/idc-open-data/${key}`, gs, `gs://idc-open-data/${key}`],
    [`https://idc-open-data.storage.googleapis.com/${key}`, gs, `gs://idc-open-data/${key}`],
    [`https://storage.cloud.google.com/idc-open-data/${key}`, gs, `gs://idc-open-data/${key}`],
    [
      `https://storage.googleapis.com/idc-open-data/${key}?generation=1678`,
      { ...gs, generation: '1678' },
      `gs://idc-open-data/${key}#1678`,
    ],
  ])('object: %s', (text, meant, canonical) => {
    expect(meaning(text)).toEqual(meant);
    expect(printIdentifier(parseIdentifier(text))).toBe(canonical);
  });

  const series = {
    kind: 'object-url',
    scheme: 's3',
    bucket: 'b1',
    layout: 'hierarchical',
    seriesUuid: SERIES,
  };
  test.each<[text: string, meant: object]>([
    [`s3://b1/${SERIES}/*`, { ...series, key: `${SERIES}/*`, form: 'wildcard' }],
    [`s3://b1/${SERIES}/*.dcm`, { ...series, key: `${SERIES}/*.dcm`, form: 'wildcard' }],
    [`s3://b1/${SERIES}/`, { ...series, key: `${SERIES}/`, form: 'folder' }],
    [`s3://b1/${SERIES}`, { ...series, key: SERIES, form: 'folder' }],
    [`gs://b1/${SERIES}/*`, { ...series, scheme: 'gs', key: `${SERIES}/*`, form: 'wildcard' }],
    [`https://s3.amazonaws.com/b1/${SERIES}/*`, { ...series, key: `${SERIES}/*`, form: 'wildcard' }],
    ['s3://b1', { kind: 'object-url', scheme: 's3', bucket: 'b1', key: '', form: 'folder', layout: 'other' }],
    [
      's3://b1/',
      { kind: 'object-url', scheme: 's3', bucket: 'b1', key: '', form: 'folder', layout: 'other' },
    ],
    [
      's3://b/p*/x?.dcm',
      { kind: 'object-url', scheme: 's3', bucket: 'b', key: 'p*/x?.dcm', form: 'wildcard', layout: 'other' },
    ],
    [
      's3://b/a b/%2F+#1.dcm',
      {
        kind: 'object-url',
        scheme: 's3',
        bucket: 'b',
        key: 'a b/%2F+#1.dcm',
        form: 'object',
        layout: 'other',
      },
    ],
    [
      'https://s3.amazonaws.com/b/a%20b/%C3%A9%2B',
      { kind: 'object-url', scheme: 's3', bucket: 'b', key: 'a b/é+', form: 'object', layout: 'other' },
    ],
    [
      'https://s3.amazonaws.com/b/what%3F%2A',
      { kind: 'object-url', scheme: 's3', bucket: 'b', key: 'what?*', form: 'object', layout: 'other' },
    ],
  ])('folder, wildcard or odd key: %s', (text, meant) => {
    expect(meaning(text)).toEqual(meant);
  });

  test.each([
    ['https://s3.amazonaws.com/b/what%3F%2A', 'https://s3.amazonaws.com/b/what%3F%2A'],
    ['https://s3.amazonaws.com/b/a%20', 'https://s3.amazonaws.com/b/a%20'],
    ['https://storage.googleapis.com/b/a%2312', 'https://storage.googleapis.com/b/a%2312'],
    ['https://s3.amazonaws.com/b/a%2312', 's3://b/a#12'],
    ['https://s3.amazonaws.com/b/a%20b', 's3://b/a b'],
    ['https://s3.eu-west-1.amazonaws.com/b/a*%3F', 'https://s3.eu-west-1.amazonaws.com/b/a*%3F'],
  ])('%s is printed as %s: s3:// and gs:// only where they are read the same', (text, canonical) => {
    expect(printIdentifier(parseIdentifier(text))).toBe(canonical);
  });

  test.each<[text: string, meant: object]>([
    [
      `gs://public-datasets-idc/${INSTANCE}.dcm`,
      { bucket: 'public-datasets-idc', layout: 'flat', instanceUuid: INSTANCE },
    ],
    [`gs://idc-open/${INSTANCE}.dcm`, { bucket: 'idc-open', layout: 'flat', instanceUuid: INSTANCE }],
    [`gs://idc-open-idc/${INSTANCE}.dcm`, { bucket: 'idc-open-idc', layout: 'flat', instanceUuid: INSTANCE }],
    [
      'gs://idc-tcia-rider_pilot/dicom/1.2.3/1.2.3.4/1.2.3.4.5.dcm#1612345678901234',
      {
        bucket: 'idc-tcia-rider_pilot',
        key: 'dicom/1.2.3/1.2.3.4/1.2.3.4.5.dcm',
        layout: 'v1',
        generation: '1612345678901234',
        studyInstanceUid: '1.2.3',
        seriesInstanceUid: '1.2.3.4',
        sopInstanceUid: '1.2.3.4.5',
      },
    ],
    [
      'gs://idc-tcia-rider_pilot/dicom/1.2.3/1.2.3.4/',
      { layout: 'v1', form: 'folder', seriesInstanceUid: '1.2.3.4' },
    ],
  ])('layouts of earlier years: %s', (text, meant) => {
    expect(parseIdentifier(text)).toMatchObject({ kind: 'object-url', scheme: 'gs', ...meant });
  });

  test('other web servers keep their address as it is, with the query', () => {
    expect(meaning('https://data.example.org:8443/a%20b/scan.dcm?v=2')).toEqual({
      kind: 'object-url',
      scheme: 'https',
      bucket: '',
      endpoint: 'https://data.example.org:8443',
      key: 'a%20b/scan.dcm?v=2',
      form: 'object',
      layout: 'other',
    });
  });

  test('a signed URL is taken as it is, and said to be a secret', () => {
    const text = `https://idc-open-data.s3.amazonaws.com/${key}?X-Amz-Signature=00`;
    const found = parseIdentifier(text);
    expect(found).toMatchObject({ scheme: 'https', bucket: '', seriesUuid: SERIES, instanceUuid: INSTANCE });
    expect(found.warnings.join()).toContain('signed URL');
    expect(printIdentifier(found)).toBe(text);
  });
});

describe('compound objects', () => {
  test.each([
    [`gs://crdcobj/${SERIES}/crdcobj.json`, { kind: 'object-url', scheme: 'gs' }, SERIES],
    [`s3://b1/${SERIES}/crdcobj.json`, { kind: 'object-url', scheme: 's3' }, SERIES],
    [`https://example.org/x/${SERIES}/crdcobj.json`, { kind: 'object-url', scheme: 'https' }, SERIES],
    [`./${SERIES}/crdcobj.json`, { kind: 'path' }, SERIES],
    ['crdcobj.json', { kind: 'path', path: 'crdcobj.json' }, undefined],
  ])('%s', (text, location, seriesUuid) => {
    const found = parseIdentifier(text);
    expect(found).toMatchObject({ kind: 'compound-object', location });
    expect(found.kind === 'compound-object' && found.seriesUuid).toBe(seriesUuid);
  });
});

describe('DICOM UIDs', () => {
  test.each([
    '1.3.6.1.4.1.14519.5.2.1.7695.1700.114861588187429958687900856462',
    '2.25.52562508346911983761523927257987425894',
    '1.2.840.113654.2.55.100004988183996567551011427980805457777',
    '1.2',
  ])('%s', (text) => {
    expect(parseIdentifier(text)).toEqual({ kind: 'dicom-uid', uid: text, text, warnings: [] });
  });

  test.each([
    ['1.3.6.1.4.1.9328.50.4.0001', 'leading zero'],
    ['1..2', 'empty component'],
    ['1.2.', 'empty component'],
    ['61.7.1', 'does not start with 0, 1 or 2'],
  ])('%s is read with a warning: %s', (text, fault) => {
    const found = parseIdentifier(text);
    expect(found).toMatchObject({ kind: 'dicom-uid', uid: text });
    expect(found.warnings).toHaveLength(1);
    expect(found.warnings[0]).toContain(fault);
    expect(found.warnings[0]).toContain('PatientID');
  });

  test('64 characters are one, 65 are a name with a warning', () => {
    const longest = `1.${'2'.repeat(62)}`;
    expect(parseIdentifier(longest).kind).toBe('dicom-uid');
    const longer = parseIdentifier(`${longest}3`);
    expect(longer.kind).toBe('name');
    expect(longer.warnings[0]).toContain('too long for a UID');
  });

  test('digits alone are a name: 29,481 PatientIDs are', () => {
    expect(meaning('100002')).toEqual({ kind: 'name', name: '100002' });
  });
});

describe('DOIs', () => {
  test.each([
    '10.1148/rg.230180',
    '10.1148/RG.230180',
    'doi:10.1148/rg.230180',
    'DOI: 10.1148/rg.230180',
    'doi.org/10.1148/rg.230180',
    'https://doi.org/10.1148/rg.230180',
    'http://dx.doi.org/10.1148%2Frg.230180',
  ])('%s', (text) => {
    expect(meaning(text)).toEqual({ kind: 'doi', doi: '10.1148/rg.230180' });
  });

  test('a DOI may hold slashes', () => {
    expect(meaning('10.7937/K9/TCIA.2016.IMMQW8UQ')).toEqual({
      kind: 'doi',
      doi: '10.7937/k9/tcia.2016.immqw8uq',
    });
  });
});

describe('links out of a browser', () => {
  const viewer = 'https://viewer.imaging.datacommons.cancer.gov';
  test.each<[text: string, meant: object]>([
    [`${viewer}/viewer/1.2.3`, { kind: 'dicom-uid', uid: '1.2.3', level: 'study' }],
    [`${viewer}/viewer/1.2.3?SeriesInstanceUID=1.2.4`, { kind: 'dicom-uid', uid: '1.2.4', level: 'series' }],
    [`${viewer}/v3/viewer/?StudyInstanceUIDs=1.2.3`, { kind: 'dicom-uid', uid: '1.2.3', level: 'study' }],
    [
      `${viewer}/v3/viewer/?StudyInstanceUIDs=1.2.3&initialSeriesInstanceUID=1.2.4`,
      { kind: 'dicom-uid', uid: '1.2.4', level: 'series' },
    ],
    [`${viewer}/slim/studies/1.2.3`, { kind: 'dicom-uid', uid: '1.2.3', level: 'study' }],
    [`${viewer}/slim/studies/1.2.3/series/1.2.4`, { kind: 'dicom-uid', uid: '1.2.4', level: 'series' }],
    [
      'https://pacs.example.org/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5',
      { kind: 'dicom-uid', uid: '1.2.5', level: 'instance' },
    ],
    [
      'https://portal.imaging.datacommons.cancer.gov/explore/filters/?collection_id=nlst',
      { kind: 'name', name: 'nlst', level: 'collection' },
    ],
  ])('%s', (text, meant) => {
    expect(meaning(text)).toEqual(meant);
    expect(parseIdentifier(text).warnings[0]).toContain('not asked');
  });

  test('several series in one link are left to whoever can ask', () => {
    expect(parseIdentifier(`${viewer}/viewer/1.2.3?seriesInstanceUID=1.2,1.3`).kind).toBe('object-url');
  });
});

describe('Faspex links', () => {
  const context = 'eyJyZXNvdXJjZSI6InBhY2thZ2VzIiwiaWQiOiI3NjIifQ==';
  test.each([
    `https://faspex.example.org/aspera/faspex/public/package?context=${context}`,
    `https://faspex.example.org/aspera/faspex/public/package?context=${context}&redirected=true`,
    `https://faspex.example.org/aspera/faspex/public/package?context=${context}&amp;redirected=true`,
    `https://faspex.example.org/?context=${context}`,
    `https://faspex.example.org/public?redirected=true&context=${context}`,
    `https://faspex.example.org/?context%3D${context}%26redirected%3Dtrue`,
    'https://faspex.example.org/aspera/faspex/external_deliveries/74?passcode=0123456789012345678901234567890123456789',
    'https://faspex.example.org/aspera/faspex/external/submissions/new?passcode=0123456789012345678901234567890123456789',
    'https://faspex.example.org/external/dropbox_submissions/new?passcode=0123456789012345678901234567890123456789',
  ])('%s', (text) => {
    expect(meaning(text)).toEqual({ kind: 'faspex-link', url: text, host: 'faspex.example.org' });
  });
});

describe('paths, standard input and names', () => {
  test.each([
    ['./x', './x'],
    ['../x', '../x'],
    ['/x', '/x'],
    ['~/x', '~/x'],
    ['.', '.'],
    ['..', '..'],
    ['folder/cohort', 'folder/cohort'],
    ['C:\\data\\x.csv', 'C:\\data\\x.csv'],
    ['C:/data', 'C:/data'],
    ['carrel.lock.json', 'carrel.lock.json'],
    ['manifest.s5cmd', 'manifest.s5cmd'],
    ['NBIA-manifest.TCIA', 'NBIA-manifest.TCIA'],
    ['file:///data/a%20b.csv', '/data/a b.csv'],
    ['file://localhost/data/x', '/data/x'],
    ['file:/data/x', '/data/x'],
    ['file:///C:/data/x', 'C:/data/x'],
  ])('%s is the path %s', (text, path) => {
    expect(meaning(text)).toEqual({ kind: 'path', path });
  });

  test('- is standard input', () => {
    expect(meaning('-')).toEqual({ kind: 'stdin' });
  });

  test.each([
    'nlst',
    'TCGA-05-4244',
    'ZZ RIDER MR8 1',
    'a=b',
    'dro--toolkit',
    'P_00038_RIGHT_MLO_2.dcm',
    'PCAMPMRI-00001',
  ])('%s is a name', (text) => {
    expect(parseIdentifier(text)).toEqual({ kind: 'name', name: text, text, warnings: [] });
  });

  test('blanks and line ends around a name are no part of it', () => {
    expect(parseIdentifier('\ufeff  nlst\r\n')).toMatchObject({ kind: 'name', name: 'nlst' });
  });
});

describe('warnings', () => {
  test.each([
    [`dg.4DCF/${INSTANCE}`, 'dg.4DCF is a known misspelling of dg.4DFC; read as dg.4DFC'],
    [`drs://dg.4DCF:${INSTANCE}`, 'dg.4DCF is a known misspelling of dg.4DFC; read as dg.4DFC'],
    [`drs://dg.4DFC:dg.4DFC/${INSTANCE}`, 'the prefix dg.4DFC stands there twice; read as one'],
    ['drs://dg.4DFC/some_TBD_uuid', 'dg.4DFC is followed by no UUID: a placeholder, or a slip'],
    [`drs://${GUID}?x=1`, 'what stands behind ? or # is no part of a DRS id; left out'],
    [`idc-open-data/${SERIES}/*`, `read as a path; a bucket would be s3://idc-open-data/${SERIES}/*`],
    ['641121f15ca042cc9156fb5538c14355', `read as a name; as a UUID it would be ${INSTANCE}`],
  ])('%s: %s', (text, warning) => {
    expect(parseIdentifier(text).warnings).toEqual([warning]);
  });
});
