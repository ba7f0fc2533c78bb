import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LAYOUT, parseLayout, pathFor } from '../../src/cohort/index.ts';

const row = {
  collection_id: 'nlst',
  PatientID: '100002',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.4',
  Modality: 'CT',
  SeriesDescription: null,
};
const path = (template: string, extra: Record<string, unknown> = {}) =>
  pathFor(parseLayout(template), { ...row, ...extra }, 'a.dcm');

describe('a layout', () => {
  test('names files like idc-index does, with the file’s own name at the end', () => {
    expect(path(DEFAULT_LAYOUT)).toBe('nlst/100002/1.2.3/CT_1.2.3.4/a.dcm');
  });

  test.each([
    ['%collection_id/%PatientID', 'nlst/100002/a.dcm'],
    ['%collection_id%PatientID', 'nlst100002/a.dcm'],
    ['%Modality_%SeriesInstanceUID', 'CT_1.2.3.4/a.dcm'],
    ['%collection_id-%Modality', 'nlst-CT/a.dcm'],
  ])('reads the templates of idc-index: %s', (template, expected) => {
    expect(path(template)).toBe(expected);
  });

  test.each([
    ['{file}', 'a.dcm'],
    ['{Modality}-{file}', 'CT-a.dcm'],
    ['data/{collection_id}', 'data/nlst/a.dcm'],
    ['{{literal}}/{file}', '{literal}/a.dcm'],
    ['{SeriesDescription}/{file}', '_/a.dcm'],
  ])('%s gives %s', (template, expected) => {
    expect(path(template)).toBe(expected);
  });

  test.each([
    ['classic', 'nlst/100002/1.2.3/1.2.3.4/a.dcm'],
    ['idc', 'nlst/100002/1.2.3/CT_1.2.3.4/a.dcm'],
    ['descriptive', 'nlst/100002/1999-01-02-CHEST-1.2.3/3-_-2.3.4/a.dcm'],
    ['{SeriesInstanceUID:-5}/{Modality:1}', '2.3.4/C/a.dcm'],
  ])('goes by a name or cuts its values: %s gives %s', (template, expected) => {
    const row = { StudyDate: '1999-01-02', StudyDescription: 'CHEST', SeriesNumber: 3 };
    expect(path(template, row)).toBe(expected);
  });

  test('counts what is kept by code points, so that no letter is torn', () => {
    const text = '𝒳'.repeat(60);
    expect(path('{SeriesDescription:54}/{file}', { SeriesDescription: text })).toContain('𝒳'.repeat(40));
    const [name = ''] = path('{SeriesDescription:54}/{file}', { SeriesDescription: 'ü'.repeat(60) }).split(
      '/',
    );
    expect(name.split('_')[0]).toBe('ü'.repeat(54));
    expect(path('{SeriesDescription:4}/{file}', { SeriesDescription: 'CT  CHEST' })).toBe('CT/a.dcm');
  });

  test('is recorded as it can be read again', () => {
    const { text } = parseLayout('descriptive');
    expect(parseLayout(text)).toEqual(parseLayout('descriptive'));
    expect(text).toContain('{StudyDescription:54}');
  });

  test.each([
    ['{file:5}'],
    ['{PatientID:0}'],
    ['{PatientID:x}'],
    ['{'],
    ['{a b}'],
    ['}'],
    ['a//b'],
    ['/abs'],
    ['../up/{file}'],
    ['./{file}'],
    ['%unknown/%PatientID'],
  ])('refuses %s, saying why', (template) => {
    expect(() => parseLayout(template)).toThrow(expect.objectContaining({ code: 'usage', item: template }));
  });

  test('never lets a value make or climb folders, or two values share a name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (a, b) => {
        const [one, other] = [a, b].map((PatientID) => path('{PatientID}/{file}', { PatientID }));
        expect(one?.split('/')).toHaveLength(2);
        expect(one).not.toMatch(/(^|\/)\.{1,2}(\/|$)/);
        // Slashes become underscores and an empty value is one; apart from that, different stays different.
        const plain = (text: string) => (text === '' ? '_' : text.replaceAll('/', '_'));
        if (plain(a) !== plain(b)) expect(one).not.toBe(other);
      }),
    );
  });

  test('is recorded in our own notation', () => {
    expect(parseLayout('%collection_id/%PatientID').text).toBe('{collection_id}/{PatientID}/{file}');
    expect(parseLayout('{{x}}/{file}').text).toBe('{{x}}/{file}');
  });
});
