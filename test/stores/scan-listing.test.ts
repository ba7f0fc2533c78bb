import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { scanListing } from '../../src/stores/s3/scan-listing.ts';

const ROOT = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
const END = '</ListBucketResult>';

/** What a general parser makes of the same text. */
function oracle(xml: string): unknown {
  const parser = new XMLParser({
    parseTagValue: false,
    ignoreAttributes: true,
    trimValues: false,
    processEntities: false,
    isArray: (name) => name === 'Contents' || name === 'CommonPrefixes',
  });
  return parser.parse(xml).ListBucketResult;
}

describe('the quick reading of a listing', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '/', ' ', '0', 'é', '日', '&amp;', '&#10;', '"', '-', '.'),
  });
  const entry = fc.record({ Key: text, Size: fc.nat().map(String), ETag: text }, { requiredKeys: ['Key'] });
  const element = (name: string, value: string) => `<${name}>${value}</${name}>`;
  const fieldsOf = (record: object) =>
    Object.entries(record)
      .map(([name, value]) => element(name, String(value)))
      .join('');

  test('agrees with a general parser on everything that it reads', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1 }),
        fc.array(text),
        fc.constantFrom('', '\n', '\r\n  '),
        fc.constantFrom('', '<Owner><ID>x</ID><DisplayName/></Owner>'),
        (entries, prefixes, gap, owner) => {
          const xml = `<?xml version="1.0" encoding="UTF-8"?>${gap}${ROOT}${gap}<Name>b</Name><Prefix/>${gap}${entries
            .map((each) => element('Contents', `${gap}${fieldsOf(each)}${owner}${gap}`))
            .join(
              gap,
            )}${prefixes.map((each) => `<CommonPrefixes>${element('Prefix', each)}</CommonPrefixes>`).join('')}${END}${gap}`;
          const scanned = scanListing(xml);
          expect(scanned?.Contents.map(({ Key, Size, ETag }) => ({ Key, Size, ETag }))).toEqual(
            entries.map(({ Key, Size, ETag }) => ({ Key, Size, ETag })),
          );
          expect(scanned?.CommonPrefixes.map(({ Prefix }) => Prefix)).toEqual(prefixes);
          const judged = oracle(xml) as { Contents: { Key: string }[]; Name: string };
          expect(judged.Contents.map(({ Key }) => Key)).toEqual(scanned?.Contents.map(({ Key }) => Key));
          expect(scanned?.fields).toEqual({ Name: 'b', Prefix: '' });
        },
      ),
    );
  });

  test('a text that was cut anywhere is none', () => {
    const xml = `${ROOT}<Name>b</Name><Contents><Key>k</Key><Size>1</Size></Contents>${END}`;
    for (let end = 0; end < xml.length; end += 1) expect(scanListing(xml.slice(0, end))).toBeUndefined();
    expect(scanListing(xml)).toBeDefined();
  });

  test.each([
    ['another root', '<Error><Code>x</Code></Error>'],
    ['a prefix of a name space', '<s3:ListBucketResult><Name>b</Name></s3:ListBucketResult>'],
    ['a comment', `${ROOT}<!-- x --><Name>b</Name>${END}`],
    ['a section', `${ROOT}<Name><![CDATA[b]]></Name>${END}`],
    ['attributes', `${ROOT}<Name x="y">b</Name>${END}`],
    ['text between elements', `${ROOT}x<Name>b</Name>${END}`],
    ['an element twice', `${ROOT}<Contents><Key>a</Key><Key>b</Key></Contents>${END}`],
    ['something behind the end', `${ROOT}<Name>b</Name>${END}<x/>`],
    ['a wrong end', `${ROOT}<Name>b</Key>${END}`],
    ['a page for people', '<!DOCTYPE html><html></html>'],
  ])('leaves %s to the general parser', (_what, xml) => {
    expect(scanListing(xml)).toBeUndefined();
  });
});
