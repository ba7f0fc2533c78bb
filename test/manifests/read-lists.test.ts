import { describe, expect, test } from 'vitest';
import { manifestKind, readManifest } from '../../src/manifests/index.ts';

const A = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const B = 'f0b76401-c6d1-4b61-a5fd-3fa596e6cc41';
const UID = '1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101';

const read = (text: string | Uint8Array, origin = 'x.txt') => readManifest(text, { origin });
const texts = (text: string, origin?: string) =>
  read(text, origin).entries.map(({ identifier }) => identifier.text);
const failure = (text: string | Uint8Array, origin = 'x.txt') => {
  try {
    read(text, origin);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('.tcia', () => {
  const head = [
    'downloadServerUrl=https://public.cancerimagingarchive.net/nbia-download/servlet/DownloadServlet',
    'includeAnnotation=true',
    'noOfrRetry=4',
    'databasketId=manifest-1657139394890.tcia',
    'manifestVersion=3.0',
    'ListOfSeriesToDownload=',
  ];

  test.each([
    ['as the portal writes it', [...head, UID, '1.2.3.4', '']],
    ['without a head', ['ListOfSeriesToDownload=', UID, '1.2.3.4']],
    ['with the head in another order', [head[5] ?? '', head[0] ?? '', UID, head[2] ?? '', '1.2.3.4']],
    ['with a UID on the marker line', [...head.slice(0, 5), `ListOfSeriesToDownload=${UID}`, '1.2.3.4']],
    ['with blanks and comments', [...head, '', ` ${UID} `, '# c', '1.2.3.4']],
    ['with a BOM and CRLF', [`\uFEFF${head[0]}\r`, `ListOfSeriesToDownload=\r`, `${UID}\r`, '1.2.3.4\r']],
  ])('%s', (_, lines) => {
    const manifest = read(lines.join('\n'), 'x.tcia');
    expect(manifest).toMatchObject({ format: 'tcia', problems: [] });
    expect(manifest.entries.map(({ identifier }) => identifier)).toMatchObject([
      { kind: 'dicom-uid', uid: UID, level: 'series' },
      { kind: 'dicom-uid', uid: '1.2.3.4', level: 'series' },
    ]);
  });

  test('junk below the head is reported, not dropped', () => {
    const manifest = read([...head, UID, 'junk'].join('\n'), 'x.tcia');
    expect(manifest.problems).toEqual([{ line: 8, text: 'junk', reason: 'is not a SeriesInstanceUID' }]);
  });

  test('a head without series is an error that says so', () => {
    expect(failure(head.join('\n'), 'x.tcia')).toMatchObject({
      code: 'bad-input',
      message: 'x.tcia names no data',
      item: 'x.tcia',
    });
  });

  test.each([
    ['heads without their sign', ['downloadServerUrl', 'ListOfSeriesToDownload', UID, '1.2.3.4']],
    ['heads with a colon', ['manifestVersion: 3.0', 'ListOfSeriesToDownload:', UID, '1.2.3.4']],
    ['heads of unknown names', ['x.y=1', 'ListOfSeriesToDownload=', UID, '1.2.3.4']],
    ['a head on one line', [`noOfrRetry=4 ListOfSeriesToDownload=${UID}`, '1.2.3.4']],
    ['a marker in other letters', ['LISTOFSERIESTODOWNLOAD =', `${UID},`, '1.2.3.4']],
    ['repeated UIDs', [...head, UID, '1.2.3.4', UID]],
    ['nothing but UIDs', [UID, '1.2.3.4']],
    ['half a head', ['includeAnnotation=true', UID, '1.2.3.4']],
  ])('with %s', (_, lines) => {
    const manifest = read(lines.join('\n'), 'x.tcia');
    expect(manifest).toMatchObject({ format: 'tcia', problems: [] });
    expect(manifest.entries.map(({ identifier }) => identifier)).toMatchObject([
      { kind: 'dicom-uid', uid: UID, level: 'series' },
      { kind: 'dicom-uid', uid: '1.2.3.4', level: 'series' },
    ]);
  });

  test('in UTF-16, as Windows saves it', () => {
    const text = `\uFEFF${[...head, UID].join('\r\n')}`;
    expect(read(Buffer.from(text, 'utf16le'), 'x.tcia').entries).toMatchObject([
      { line: 7, identifier: { uid: UID } },
    ]);
  });

  test('a line that repeats an earlier one is taken once, and said', () => {
    expect(read([...head, UID, UID].join('\n'), 'x.tcia').notes).toEqual([
      '1 line repeats an earlier one, taken once (line 8 says what line 7 says)',
    ]);
  });
});

describe('lists', () => {
  test('a .dcf file: one GUID per line below comments', () => {
    const manifest = read(`# IDC manifest\ndg.4DFC/${A}\ndg.4DFC/${B}\n`, 'x.dcf');
    expect(manifest.format).toBe('dcf');
    expect(manifest.entries).toMatchObject([
      { line: 2, identifier: { kind: 'guid', prefix: 'dg.4DFC', uuid: A } },
      { line: 3, identifier: { kind: 'guid', uuid: B } },
    ]);
  });

  test("IDC's own misspelling of the prefix is read, with one remark for all lines", () => {
    const manifest = read(`dg.4DCF/${A}\ndg.4DCF/${B}\n`, 'x.dcf');
    expect(manifest.entries).toHaveLength(2);
    expect(manifest.notes).toHaveLength(1);
    expect(manifest.notes[0]).toMatch(/^line 1 and 1 more: .*misspelling/);
  });

  test.each([
    ['one per line', `1.2.3\n1.2.4`],
    ['commas', '1.2.3,1.2.4'],
    ['commas and blanks', '1.2.3, 1.2.4,'],
    ['blanks', '1.2.3 1.2.4'],
    ['semicolons and tabs', '1.2.3;\t1.2.4'],
    ['quotes', `"1.2.3",\n"1.2.4"`],
    ['a comment behind', '1.2.3 # CT\n1.2.4'],
  ])('UIDs with %s', (_, text) => {
    expect(read(text)).toMatchObject({ format: 'uids', problems: [] });
    expect(texts(text)).toEqual(['1.2.3', '1.2.4']);
  });

  test('all kinds of names may be mixed', () => {
    const manifest = read(
      `${UID}\n${A}\ndrs://dg.4DFC:${B}\nhttps://s3.amazonaws.com/idc-open-data/${A}/${B}.dcm\n`,
    );
    expect(manifest.entries.map(({ identifier }) => identifier.kind)).toEqual([
      'dicom-uid',
      'crdc-uuid',
      'drs',
      'object-url',
    ]);
  });

  test('single words are names for the catalogue to know', () => {
    expect(texts('TCGA-05-4244\nTCGA-50-6592\n')).toEqual(['TCGA-05-4244', 'TCGA-50-6592']);
  });

  test('a PatientID with blanks is one name, quoted or with a comment behind it', () => {
    const lines = ['ZZ RIDER MR8 1', '"SAMPLE PHANTOM #1"', 'ZZ SAMPLE BRAIN 1 # the first', 'BRAIN=0005--B'];
    expect(texts(`${lines.join('\n')}\n`)).toEqual([
      'ZZ RIDER MR8 1',
      'SAMPLE PHANTOM #1',
      'ZZ SAMPLE BRAIN 1',
      'BRAIN=0005--B',
    ]);
  });

  test('several names without a header, sentences and rows give problems, no guesses', () => {
    const sentence = 'This is a sentence that is longer than any PatientID can be: it names nothing at all.';
    const manifest = read(`LUNG-1, LUNG-2\n${sentence}\nSee 1.2.3 for details\n`);
    expect(manifest.entries).toEqual([]);
    const reason = 'is not one name of data (names stand in lines of their own)';
    expect(manifest.problems).toEqual([
      { line: 1, text: 'LUNG-1, LUNG-2', reason },
      { line: 2, text: sentence, reason },
      { line: 3, text: 'See 1.2.3 for details', reason: 'holds more than names of data (1 of 4 words are)' },
    ]);
  });

  test('a manifest never names files of the machine that reads it', () => {
    const manifest = read(`${A}\n../../etc/passwd\n/etc/passwd\n-\nC:\\x\\y.dcm\n`);
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.problems.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });
});

describe('what is no manifest', () => {
  test.each([
    ['nothing', '', 'is empty'],
    ['blanks', ' \n\t\n', 'is empty'],
    ['only a BOM', '\uFEFF', 'is empty'],
    ['only comments', '# a\n\n  # b\n', 'holds nothing but comments'],
    ['a web page', '<!DOCTYPE html><title>Sign in</title>', 'is a web page, not a manifest'],
    ['other XML', '<?xml version="1.0"?><x/>', 'is XML, not a manifest'],
    ['binary data', 'DICM\0\0\0', 'is binary data, not a manifest'],
    ['broken JSON', '{"a": ', 'starts like JSON and is none'],
    ['JSON without a list', '{"a": 1}', 'is JSON without a list of names or rows'],
    ['an empty JSON list', '[]', 'names no data'],
  ])('%s', (_, text, message) => {
    expect(failure(text)).toMatchObject({ code: 'bad-input', item: 'x.txt' });
    expect((failure(text) as Error).message).toContain(message);
    expect((failure(text) as { next?: string }).next ?? 'none for XML').not.toBe('');
  });

  test('a line of 10 MB is refused by its number', () => {
    const error = failure(`${A}\n${'x'.repeat(10_000_000)}\n`) as Error & { item?: string };
    expect(error).toMatchObject({ code: 'bad-input', item: 'x.txt:2' });
    expect(error.message.length).toBeLessThan(200);
  });

  test('long lines are cut in messages', () => {
    const [problem] = read(`${A}\n${'word '.repeat(1000)}`).problems;
    expect(problem?.text.length).toBe(200);
  });
});

describe('the format is found by content first, then by the name', () => {
  test.each([
    [`cp s3://b/${A}/* .`, 'x.csv', 's5cmd'],
    [`SeriesInstanceUID,x\n1.2.3,y`, 'x.s5cmd', 'csv'],
    [`SeriesInstanceUID\tx\n1.2.3\ty`, '-', 'tsv'],
    [`SeriesInstanceUID\n1.2.3`, 'x.txt', 'csv'],
    ['1.2.3', 'x.csv', 'uids'],
    [`dg.4DFC/${A}`, '-', 'dcf'],
    ['ListOfSeriesToDownload=\n1.2.3', 'x.txt', 'tcia'],
    ['["1.2.3"]', 'x.txt', 'json'],
    ['some_collection', 'x.s5cmd', 's5cmd'],
    ['some_collection', 'x.list', 'uids'],
    [`{"encoding_version":"1.0","access_methods":[],"id":"${A}"}`, 'x.json', 'compound-object'],
  ])('%j in %s is %s', (text, origin, format) => {
    expect(manifestKind(text, origin)).toBe(format);
  });

  test('the format may be said', () => {
    expect(readManifest(`${A}\n`, { origin: 'x', format: 'uids' }).format).toBe('uids');
    expect(() => readManifest(`${A}\n`, { origin: 'x', format: 'json' })).toThrow('x is uids, not json');
  });
});

describe('JSON', () => {
  test.each([
    ['a list of names', [UID, A]],
    ['a list of rows', [{ SeriesInstanceUID: UID }, { crdc_series_uuid: A }]],
    ['a list in a member', { manifest: [UID, A] }],
    [
      'the legacy API',
      {
        code: 200,
        cohort: { name: 'x' },
        manifest: { manifest_data: [{ SeriesInstanceUID: UID }, { crdc_series_uuid: A }], totalFound: 2 },
      },
    ],
    [
      'rows of the portal',
      {
        rows: [
          { PatientID: 'P', SeriesInstanceUID: UID },
          { crdc_series_uuid: A, size: 3 },
        ],
      },
    ],
  ])('%s', (_, value) => {
    expect(texts(JSON.stringify(value))).toEqual([UID, A]);
  });

  test('a Gen3 manifest: object_id with md5sum and file_size', () => {
    const md5sum = 'f338e8c5e3d8955d222a04d5f3f6e2b4';
    const text = JSON.stringify([
      { object_id: `dg.4DFC/${A}`, md5sum, file_size: 135450, file_name: 'x', commons_url: 'x' },
    ]);
    expect(read(text).entries).toMatchObject([
      { line: 1, identifier: { kind: 'guid', uuid: A }, digests: [`md5:${md5sum}`], size: 135450 },
    ]);
  });

  test('JSON Lines', () => {
    const manifest = read(`{"SeriesInstanceUID":"1.2.3"}\n\n{"SeriesInstanceUID":"1.2.4"}\n{"x":1}\n`);
    expect(manifest.format).toBe('json');
    expect(manifest.entries.map(({ line }) => line)).toEqual([1, 3]);
    expect(manifest.problems).toEqual([{ line: 4, text: '{"x":1}', reason: 'names nothing: members are x' }]);
  });

  test('items that name nothing are problems by their place in the list', () => {
    const manifest = read(JSON.stringify([UID, 7, null, {}, '', { foo: 1 }, { SeriesInstanceUID: null }]));
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.problems.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('one list of 20 MB on one line is JSON, not a line that is too long', () => {
    const list = Array.from(
      { length: 300_000 },
      (_, n) => `1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.${n}`,
    );
    expect(read(JSON.stringify(list)).entries).toHaveLength(300_000);
  });

  test('a compound object is its series; without a uuid its children', () => {
    const methods = [
      { access_method: 'children', contents: [{ name: '1.2', drs_uri: `drs://dg.4DFC/${B}` }] },
    ];
    const whole = read(JSON.stringify({ encoding_version: '1.0', id: A, access_methods: methods }));
    expect(whole).toMatchObject({ format: 'compound-object' });
    expect(whole.entries).toMatchObject([
      { line: 0, identifier: { kind: 'crdc-uuid', uuid: A, level: 'series' } },
    ]);
    const bare = read(JSON.stringify({ access_methods: methods }));
    expect(bare.entries).toMatchObject([{ line: 1, identifier: { kind: 'drs', uuid: B } }]);
  });
});
