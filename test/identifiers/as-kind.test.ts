/** `--as KIND`: what the user says the text is. */
import { describe, expect, test } from 'vitest';
import { AS_KINDS, type AsKind, parseIdentifier } from '../../src/identifiers/index.ts';

const UUID = '641121f1-5ca0-42cc-9156-fb5538c14355';
const SERIES = 'cc9c8541-949d-48d9-beaf-7028aa4906dc';

describe('--as', () => {
  test.each<[text: string, as: AsKind, meant: object]>([
    ['1.2.3', 'series', { kind: 'dicom-uid', uid: '1.2.3', level: 'series' }],
    ['1.2.3', 'study', { kind: 'dicom-uid', uid: '1.2.3', level: 'study' }],
    ['1.2.3', 'instance', { kind: 'dicom-uid', uid: '1.2.3', level: 'instance' }],
    [UUID, 'series', { kind: 'crdc-uuid', uuid: UUID, level: 'series' }],
    [`dg.4DFC/${UUID}`, 'instance', { kind: 'crdc-uuid', uuid: UUID, level: 'instance' }],
    [`s3://b/${SERIES}/*`, 'series', { kind: 'crdc-uuid', uuid: SERIES, level: 'series' }],
    [`s3://b/${SERIES}/${UUID}.dcm`, 'uuid', { kind: 'crdc-uuid', uuid: UUID }],
    [`drs://dg.4DFC:${UUID}`, 'uuid', { kind: 'crdc-uuid', uuid: UUID }],
    [
      '1.3.6.1.4.1.9328.50.4.0001',
      'patient',
      { kind: 'name', name: '1.3.6.1.4.1.9328.50.4.0001', level: 'patient' },
    ],
    ['x/y.json', 'patient', { kind: 'name', name: 'x/y.json', level: 'patient' }],
    ['nlst', 'collection', { kind: 'name', name: 'nlst', level: 'collection' }],
    ['bamf', 'analysis-result', { kind: 'name', name: 'bamf', level: 'analysis-result' }],
    ['nlst', 'path', { kind: 'path', path: 'nlst' }],
    ['10.1148/rg', 'path', { kind: 'path', path: '10.1148/rg' }],
    ['file:///a%20b', 'path', { kind: 'path', path: '/a b' }],
    ['10.1148/rg.230180', 'doi', { kind: 'doi', doi: '10.1148/rg.230180' }],
    [`gs://b/${SERIES}/crdcobj.json`, 'url', { kind: 'object-url', scheme: 'gs', form: 'object' }],
    [
      'https://doi.org/10.1/x',
      'url',
      { kind: 'object-url', scheme: 'https', endpoint: 'https://doi.org', key: '10.1/x' },
    ],
    ['https://pacs.org/studies/1.2', 'url', { kind: 'object-url', scheme: 'https', key: 'studies/1.2' }],
    [UUID, 'drs', { kind: 'drs', style: 'guid-authority', id: `dg.4DFC/${UUID}` }],
    [`dg.MD1R/${UUID}`, 'drs', { kind: 'drs', prefix: 'dg.MD1R' }],
    [`https://h.org/ga4gh/drs/v1/objects/${UUID}`, 'drs', { kind: 'drs-url' }],
  ])('%s as %s', (text, as, meant) => {
    expect(parseIdentifier(text, { as })).toMatchObject({ ...meant, text });
  });

  test('a UUID without prefix takes the archive’s own', () => {
    expect(parseIdentifier(UUID, { as: 'drs', guidPrefixes: ['dg.MyNode'] })).toMatchObject({
      prefix: 'dg.MyNode',
    });
  });

  test('a misspelt prefix keeps its warning', () => {
    expect(parseIdentifier(`dg.4DCF/${UUID}`, { as: 'drs' }).warnings[0]).toContain('misspelling');
  });

  test.each<[text: string, as: AsKind, message: string]>([
    ['nlst', 'series', '"nlst" is no series'],
    ['nlst', 'uuid', '"nlst" is no UUID'],
    ['1.2.3', 'uuid', '"1.2.3" is no UUID'],
    ['nlst', 'url', '"nlst" is no URL'],
    [`drs://dg.4DFC/${UUID}`, 'url', 'is no URL'],
    ['1.2.3', 'doi', '"1.2.3" is no DOI'],
    ['nlst', 'drs', '"nlst" is no DRS'],
    ['nl\0st', 'patient', 'control character'],
    ['', 'patient', 'names nothing'],
  ])('%s as %s is refused: %s', (text, as, message) => {
    expect(() => parseIdentifier(text, { as })).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  test('an unknown kind is a usage error that lists the known ones', () => {
    expect(() => parseIdentifier('nlst', { as: 'serie' as AsKind })).toThrow(
      expect.objectContaining({ code: 'usage', next: `--as takes ${AS_KINDS.join(', ')}` }) as Error,
    );
  });
});
