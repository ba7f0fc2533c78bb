import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/serve/index.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import { askNbia, describeNbiaSeries, nbiaSeries } from '../../../src/tcia/nbia/ask-nbia.ts';
import { isoDate, licenseShortName, type NbiaSeries } from '../../../src/tcia/nbia/series-row.ts';
import { sopInstanceUidOf } from '../../../src/tcia/nbia/sop-instance-uid.ts';
import { parseHashes } from '../../../src/tcia/nbia/unpack-series.ts';
import { createNbia } from '../server/nbia.ts';
import { dicomFile, worldSeries } from '../server/nbia-world.ts';

const world = [worldSeries('1.2.3.1'), worldSeries('1.2.3.2', 2, { Modality: 'MR', Collection: 'OTHER' })];
const nbia = createNbia({ series: world });
const nlst = createNbia({ series: [] });
const http = createHttpPool();
let main: Listener;
let lung: Listener;
beforeAll(async () => {
  main = await listen({ fetch: nbia.fetch });
  lung = await listen({ fetch: nlst.fetch });
});
afterAll(async () => {
  await http.close();
  await main.close();
  await lung.close();
});
const options = () => ({ http, servers: { nbia: main.url, nlst: lung.url }, attempts: 2, retryDelayMs: 1 });

describe('a question to NBIA', () => {
  test.each([
    ['getCollectionValues', {}, [{ Collection: 'TEST-NBIA' }, { Collection: 'OTHER' }]],
    ['getModalityValues', { Collection: 'OTHER' }, [{ Modality: 'MR' }]],
    ['getPatient', { Collection: 'OTHER' }, [{ PatientId: 'TEST-01' }]],
    ['getPatientStudy', { PatientID: 'TEST-01', Collection: 'OTHER' }, [{ StudyInstanceUID: '1.2.3.99' }]],
    ['getSeriesSize', { SeriesInstanceUID: '1.2.3.2' }, [{ ObjectCount: '2' }]],
    [
      'getSOPInstanceUIDs',
      { SeriesInstanceUID: '1.2.3.2' },
      [{ SOPInstanceUID: '1.2.3.2.1' }, { SOPInstanceUID: '1.2.3.2.2' }],
    ],
  ])('%s of %o is a list, also of one', async (name, parameters, rows) => {
    expect(await askNbia(name, parameters, options())).toMatchObject(rows);
  });

  test('to which nothing fits has an empty answer, which is an empty list', async () => {
    expect(await nbiaSeries({ Collection: 'NOBODY' }, options())).toEqual([]);
  });

  test('that it does not know is an error', async () => {
    await expect(askNbia('getNothing', {}, options())).rejects.toMatchObject({
      code: 'not-found',
      status: 404,
    });
  });

  test('describes many series in few questions, and asks the other server for what is left', async () => {
    nbia.requests.length = 0;
    nlst.requests.length = 0;
    const uids = [...Array.from({ length: 1500 }, (_, n) => `1.9.${n}`), '1.2.3.1', '1.2.3.2'];
    const found = await describeNbiaSeries(uids, options());
    expect([...found.keys()].sort()).toEqual(['1.2.3.1', '1.2.3.2']);
    expect(found.get('1.2.3.1')).toMatchObject({
      PatientID: 'TEST-01',
      imageCount: 3,
      StudyDate: '2001-02-03',
      SeriesDate: '2001-02-03',
      SeriesDescription: 'AX 5mm "soft"',
      server: 'nbia',
    });
    expect([nbia.requests.length, nlst.requests.length]).toEqual([2, 2]);
  });

  test('finds what the first server has where the second is down', async () => {
    const servers = { nbia: main.url, nlst: 'http://127.0.0.1:9' };
    expect((await describeNbiaSeries(['1.2.3.1', '1.9'], { ...options(), servers })).size).toBe(1);
  });
});

describe('licences', () => {
  const name = (license?: string, licenseUri?: string) =>
    licenseShortName({ license, licenseUri } as NbiaSeries);
  test.each([
    [undefined, 'https://creativecommons.org/licenses/by/4.0/', 'CC BY 4.0'],
    ['x', 'http://creativecommons.org/licenses/by-nc/3.0/', 'CC BY-NC 3.0'],
    ['x', 'https://creativecommons.org/licenses/by-nc-sa/4.0/deed.en', 'CC BY-NC-SA 4.0'],
    ['Creative Commons Attribution 3.0 Unported License', undefined, 'CC BY 3.0'],
    ['Creative Commons Attribution-NonCommercial 4.0 International License', undefined, 'CC BY-NC 4.0'],
    ['CC BY 4.0', undefined, 'CC BY 4.0'],
    ['TCIA Restricted License', undefined, 'TCIA Restricted License'],
    [undefined, undefined, null],
  ])('%s at %s is %s', (license, uri, expected) => {
    expect(name(license, uri)).toBe(expected);
  });
});

test.each([
  ['2001-02-03 00:00:00.0', '2001-02-03'],
  ['02-03-2001', '2001-02-03'],
  ['2/3/2001', '2001-02-03'],
  ['20010203', '2001-02-03'],
  ['unknown', 'unknown'],
])('the date %s is %s', (text, iso) => {
  expect(isoDate(text)).toBe(iso);
});

describe('the SOPInstanceUID of a file', () => {
  test('is read from its first bytes', () => {
    expect(sopInstanceUidOf(dicomFile('1.2.3.4.5'))).toBe('1.2.3.4.5');
  });
  test('is none where the file is cut, no DICOM, or says nonsense', () => {
    const file = dicomFile('1.2.3.4.5');
    for (const bytes of [
      file.subarray(0, 180),
      Buffer.from('hello'),
      Buffer.alloc(4096),
      dicomFile('../../etc'),
    ])
      expect(sopInstanceUidOf(bytes)).toBeUndefined();
  });
});

test('md5hashes.csv is read with any line ends, quotes and case', () => {
  const md5 = '0123456789abcdef0123456789abcdef';
  expect(
    parseHashes(`\uFEFFFilename,MD5Hash\r\n00000001.dcm,${md5}\r\n"1-2.dcm","${md5.toUpperCase()}"\n\n`),
  ).toEqual(
    new Map([
      ['00000001.dcm', md5],
      ['1-2.dcm', md5],
    ]),
  );
});
