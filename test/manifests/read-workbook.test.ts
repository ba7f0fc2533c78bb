import { describe, expect, test } from 'vitest';
import { manifestKind, readManifest } from '../../src/manifests/index.ts';
import { writeXlsx } from '../fixtures/write-xlsx.ts';
import { makeZip } from '../tcia/unzip/make-zip.ts';

const A = '1.3.6.1.4.1.14519.5.2.1.7695.1700.1';
const B = '1.3.6.1.4.1.14519.5.2.1.7695.1700.2';
const read = (bytes: Uint8Array) => readManifest(bytes, { origin: 'x.xlsx' });
const texts = (bytes: Uint8Array) =>
  read(bytes).entries.map(({ line, identifier }) => [line, identifier.text]);
const failure = (bytes: Uint8Array) => {
  try {
    read(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('a spreadsheet', () => {
  test.each(['SeriesInstanceUID', 'seriesinstanceuid', 'Series Instance UID', 'Series UID', 'SeriesUID'])(
    'names series in a column %s, whatever its case and blanks',
    (column) => {
      const book = writeXlsx({
        Sheet1: [
          ['PatientID', column],
          ['P', A],
          ['P', B],
        ],
      });
      expect(manifestKind(book)).toBe('xlsx');
      expect(texts(book)).toEqual([
        [2, A],
        [3, B],
      ]);
    },
  );

  test('names slides of PathDB by their URL, with the blanks and ampersands of real ones', () => {
    const url = 'https://pathdb.example.org/system/files/a%20b.svs?x=1&y=2';
    const book = writeXlsx({
      Slides: [
        ['wsiimage_url', 'file_size_bytes'],
        [url, 59303321],
      ],
    });
    expect(read(book).entries).toMatchObject([
      { line: 2, identifier: { kind: 'object-url', text: url }, size: 59303321 },
    ]);
  });

  test('names files of commons by drs_uri or File ID', () => {
    const guid = 'dg.4DFC/f293760b-ec7f-527d-be83-bb4aa5214ddd';
    expect(texts(writeXlsx({ S: [['File ID'], [guid]] }))).toEqual([[2, guid]]);
    expect(texts(writeXlsx({ S: [['drs_uri'], [`drs://${guid.replace('/', ':')}`]] }))).toHaveLength(1);
  });

  test('has inline strings, rich text without its phonetic hints, and stored values of formulas', () => {
    const inline = { xml: `<c t="inlineStr"><is><t>${A}</t></is></c>` };
    const rich = {
      xml: `<c t="inlineStr"><is><r><t>${B.slice(0, 9)}</t></r><r><rPr/><t xml:space="preserve">${B.slice(9)}</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>`,
    };
    const formula = { xml: '<c t="str"><f>CONCAT(A1,B1)</f><v>1.2.3</v></c>' };
    expect(texts(writeXlsx({ S: [['SeriesUID'], [inline], [rich], [formula]] }))).toEqual([
      [2, A],
      [3, B],
      [4, '1.2.3'],
    ]);
  });

  test('skips columns and rows, and its own numbers stand', () => {
    const rows = { xml: `<c r="C1" t="inlineStr"><is><t>SeriesUID</t></is></c>` };
    const cell = { xml: `<c r="C2" t="inlineStr"><is><t>${A}</t></is></c>` };
    expect(texts(writeXlsx({ S: [[rows], [cell]] }))).toEqual([[2, A]]);
    expect(texts(writeXlsx({ S: [['a title'], [], ['SeriesUID'], [], [A]] }))).toEqual([[5, A]]);
  });

  test('reports every row that cannot be used with its number', () => {
    const empty = { xml: '<c><f>A1</f></c>' };
    const manifest = read(
      writeXlsx({
        S: [
          ['SeriesUID', 'n'],
          [A, 1],
          ['', 2],
          ['#REF!', 3],
          [empty, 4],
        ],
      }),
    );
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.problems.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(manifest.notes).toContainEqual(expect.stringMatching(/^line 5: a formula without a stored value/));
  });

  test('is read from its first sheet that names data; another one is said to be left', () => {
    const manifest = read(
      writeXlsx({ About: [['hello']], One: [['SeriesUID'], [A]], Two: [['SeriesUID'], [B]] }),
    );
    expect(manifest.entries.map(({ identifier }) => identifier.text)).toEqual([A]);
    expect(manifest.notes.join('\n')).toMatch(/sheet "Two" names data too and was not read/);
    expect(manifest.notes.join('\n')).toMatch(/sheet "One" was read/);
  });

  test('with hidden rows is read whole, and that is said', () => {
    const book = writeXlsx({ S: [['SeriesUID'], [A]] });
    const sheet =
      '<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>SeriesUID</t></is></c></row><row r="2" hidden="1"><c t="inlineStr"><is><t>1.2.3</t></is></c></row></sheetData></worksheet>';
    expect(read(book).notes).toEqual([]);
    const hidden = makeZip([
      {
        name: 'xl/workbook.xml',
        bytes: '<x:workbook xmlns:x="x"><x:sheets><x:sheet name="S" r:id="a"/></x:sheets></x:workbook>',
      },
      {
        name: 'xl/_rels/workbook.xml.rels',
        bytes:
          '<Relationships><Relationship Id="a" Type="http://x/worksheet" Target="/xl/s.xml"/></Relationships>',
      },
      { name: 'xl/s.xml', bytes: sheet.replaceAll(/<(\/?)(?=\w)/g, '<$1x:'), deflate: false },
    ]);
    expect(texts(hidden)).toEqual([[2, '1.2.3']]);
    expect(read(hidden).notes).toEqual(['1 hidden row was read like the others']);
  });
});

describe('what is no spreadsheet, or a hostile one', () => {
  test('another ZIP', () => {
    expect(failure(makeZip([{ name: 'a.txt', bytes: 'a' }]))).toMatchObject({
      code: 'bad-input',
      message: 'x.xlsx is a ZIP archive, not a manifest',
    });
  });

  test('one without a column that names data', () => {
    expect(
      failure(
        writeXlsx({
          S: [
            ['Age', 'Sex'],
            [1, 'F'],
          ],
        }),
      ),
    ).toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/no sheet with a column that names data/),
    });
  });

  test('one that breaks off', () => {
    const book = writeXlsx({ S: [['SeriesUID'], [A]] });
    expect(failure(book.subarray(0, book.length - 30))).toMatchObject({ code: 'bad-input' });
  });

  test('one whose parts are larger than they say', () => {
    const bomb = makeZip([{ name: 'xl/workbook.xml', bytes: Buffer.alloc(50_000_000), size: 1000 }]);
    expect(failure(bomb)).toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/larger than it says/),
    });
  });

  test('one that swells beyond measure', () => {
    const bomb = makeZip([{ name: 'xl/workbook.xml', bytes: 'x', size: 500 * 1024 * 1024 }]);
    expect(failure(bomb)).toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/unpacks to more than/),
    });
  });

  test('one byte changed', () => {
    const parts = [{ name: 'xl/workbook.xml', bytes: '<workbook/>', deflate: false }];
    const book = makeZip(parts);
    book[book.indexOf('<workbook/>') + 3] = 0x41;
    expect(failure(book)).toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/checksum is wrong/),
    });
  });
});
