import { describe, expect, test } from 'vitest';
import { readManifest } from '../../src/manifests/index.ts';

const read = (text: string) => readManifest(text, { origin: 'x.xml' });

describe("TCIA's XML", () => {
  test('names manifests, each with its line', () => {
    const xml = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<!-- made by hand -->',
      '<TCIACollection apiVersion="v2">',
      '  <Downloads>',
      '    <URL>https://example.org/x.tcia</URL>',
      '    <URL> https://example.org/y.tcia?a=1&amp;b=2 </URL>',
      '    <URL><![CDATA[https://example.org/z.tcia]]></URL>',
      '    <URL>https://example.org/x.tcia</URL>',
      '  </Downloads>',
      '</TCIACollection>',
    ].join('\r\n');
    const manifest = read(xml);
    expect(manifest).toMatchObject({ format: 'tcia-xml', entries: [], problems: [] });
    expect(manifest.pointers).toMatchObject([
      { line: 5, url: 'https://example.org/x.tcia' },
      { line: 6, url: 'https://example.org/y.tcia?a=1&b=2' },
      { line: 7, url: 'https://example.org/z.tcia' },
    ]);
  });

  test('with something else than an address says so', () => {
    const manifest = read(
      '<TCIACollection><Downloads>\n<URL>file:///etc/passwd</URL><URL/></Downloads></TCIACollection>',
    );
    expect(manifest.pointers).toBeUndefined();
    expect(manifest.problems).toMatchObject([
      { line: 2, reason: 'is not an http(s) address of a manifest' },
      { reason: 'the address of the manifest is empty' },
    ]);
  });

  test.each([
    ['no address at all', '<TCIACollection/>', 'names no data'],
    ['another XML', '<a><URL>https://example.org/x.tcia</URL></a>', 'is XML, not a manifest'],
  ])('%s is an error', (_, xml, message) => {
    expect(() => read(xml)).toThrow(message);
  });

  test('with entities that multiply is refused, not expanded', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(100)}"><!ENTITY b "${'&a;'.repeat(100)}"><!ENTITY c "${'&b;'.repeat(100)}">]><TCIACollection><URL>https://x.org/&c;</URL></TCIACollection>`;
    let length = 0;
    try {
      length = JSON.stringify(read(bomb)).length;
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-input' });
    }
    expect(length).toBeLessThan(100_000);
  });
});

describe('Croissant', () => {
  const dataset = (more: object) =>
    JSON.stringify({ '@context': {}, '@type': 'sc:Dataset', name: 'X', ...more });
  const role = (value: string) => [{ name: 'TCIA download artifact role', value }];

  test('has files with their digests, and manifests to follow', () => {
    const manifest = read(
      dataset({
        distribution: [
          {
            contentUrl: 'https://example.org/labels.csv',
            sha256: 'A'.repeat(64),
            contentSize: '12 B',
            additionalProperty: role('data file'),
          },
          { contentUrl: 'https://example.org/images', additionalProperty: role('manifest') },
          { contentUrl: 'https://example.org/more.tcia' },
          { '@type': 'cr:FileSet', includes: '*.csv', containedIn: { '@id': 'zip' } },
        ],
      }),
    );
    expect(manifest).toMatchObject({ format: 'croissant', problems: [] });
    expect(manifest.entries).toMatchObject([
      { line: 1, identifier: { kind: 'object-url' }, digests: [`sha256:${'a'.repeat(64)}`], size: 12 },
    ]);
    expect(manifest.pointers).toMatchObject([
      { line: 2, url: 'https://example.org/images' },
      { line: 3, url: 'https://example.org/more.tcia' },
    ]);
  });

  test('has rows that say where a download stands', () => {
    const row = (url: string, kind: string) => ({
      'd1/download_url': url,
      'd1/download_artifact_role': kind,
      'd1/access_mechanism': 'TCIA Data Retriever',
    });
    const manifest = read(
      dataset({
        recordSet: {
          data: [
            row('https://x.org/m.csv', 'manifest'),
            row('https://x.org/a.zip', 'data file'),
            { note: 1 },
          ],
        },
      }),
    );
    expect(manifest.pointers).toMatchObject([{ line: 1, url: 'https://x.org/m.csv' }]);
    expect(manifest.entries).toMatchObject([{ line: 2, identifier: { text: 'https://x.org/a.zip' } }]);
  });

  test('names a package of Aspera as what it is, without its passcode', () => {
    const manifest = read(
      dataset({
        distribution: {
          contentUrl: 'https://faspex.example.org/?context=SECRET',
          additionalProperty: role('transfer package'),
        },
      }),
    );
    expect(manifest.problems).toMatchObject([{ line: 1, reason: expect.stringMatching(/Aspera/) }]);
    expect(JSON.stringify(manifest)).not.toContain('SECRET');
  });
});
