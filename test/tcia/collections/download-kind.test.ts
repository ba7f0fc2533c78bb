import { describe, expect, test } from 'vitest';
import { accessOf, downloadKind, type KindFacts } from '../../../src/tcia/collections/download-kind.ts';
import { readDownload } from '../../../src/tcia/collections/read-records.ts';
import { packageLink } from '../server/fixtures-collections.ts';

const nothing: KindFacts = {
  url: null,
  media: null,
  search: null,
  types: [],
  fileTypes: [],
  requirements: null,
};
const kindOf = (facts: Partial<KindFacts>) => downloadKind({ ...nothing, ...facts });

describe('the road by which a download comes', () => {
  test.each([
    [packageLink(1), 'faspex'],
    [packageLink(1, 'http://127.0.0.1:8042'), 'faspex'],
    ['https://faspex.cancerimagingarchive.net/?context=eyJ', 'faspex'],
    ['http://127.0.0.1:8042/?context=eyJyZXNv', 'faspex'],
    ['https://faspex.cancerimagingarchive.net/aspera/faspex/external_deliveries/74?passcode=0', 'faspex'],
    ['https://www.cancerimagingarchive.net/wp-content/uploads/A.TCIA', 'nbia'],
    ['https://pathdb.cancerimagingarchive.net/eaglescope/dist/?configurl=x', 'pathdb'],
    ['https://www.cancerimagingarchive.net/wp-content/uploads/a%20b.xlsx', 'spreadsheet'],
    ['https://www.cancerimagingarchive.net/wp-content/uploads/a.zip', 'file'],
    ['http://127.0.0.1:1/wp-content/uploads/a.pdf', 'file'],
    ['https://zenodo.org/record/1', 'external'],
    ['https://www.cancerimagingarchive.net/nih-controlled-data-access-policy/', 'external'],
    ['https://example.org/report?context=eyJ', 'external'],
  ])('%s: %s', (url, kind) => expect(kindOf({ url })).toBe(kind));

  test('a file known by number only goes by the types that the page states', () => {
    expect(kindOf({ media: 1, fileTypes: ['XLSX', 'csv'] })).toBe('spreadsheet');
    expect(kindOf({ media: 1, fileTypes: ['DICOM'], types: ['Radiology Images'] })).toBe('nbia');
    expect(kindOf({ media: 1, requirements: 'Download requires NBIA Data Retriever' })).toBe('nbia');
    expect(kindOf({ media: 1, fileTypes: ['ZIP'] })).toBe('file');
  });

  test('without any file, the page that shows the slides tells of PathDB', () => {
    expect(kindOf({ search: 'https://pathdb.cancerimagingarchive.net/eaglescope/' })).toBe('pathdb');
    expect(kindOf({ search: 'https://nbia.cancerimagingarchive.net/nbia-search/' })).toBe('external');
    expect(kindOf({})).toBe('external');
  });
});

test('a package whose link stands in the wrong field is one all the same, and its link no page to show', () => {
  const read = readDownload({ id: 1, download_title: 'Slides', search_url: packageLink(1) });
  expect(read).toMatchObject({ kind: 'faspex', url: packageLink(1), search: null });
});

describe('who may have a download', () => {
  test.each([
    [{ license: 'CC BY 4.0', access: 'Limited' }, 'public'],
    [{ license: 'Creative Commons Attribution-NonCommercial 3.0', access: '' }, 'public'],
    [{ license: 'CC0', access: '' }, 'public'],
    [{ license: 'NIH Controlled Data Access', access: 'Public' }, 'controlled'],
    [{ license: 'TCIA Restricted', access: '' }, 'controlled'],
    [{ license: null, access: 'Limited' }, 'controlled'],
    [{ license: null, access: 'Public', requirements: 'Requires a Data Usage Agreement' }, 'controlled'],
    [{ license: null, access: 'Public', requirements: 'Requires IBM-Aspera-Connect plugin' }, 'public'],
  ])('%j: %s', (facts, access) => expect(accessOf({ requirements: null, ...facts })).toBe(access));
});
