import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanCitation } from '../../src/catalog/citation-text.ts';
import { allowsCommercialUse, type Catalog, installCatalog, openCatalog } from '../../src/catalog/index.ts';
import { temporaryFolder, tinyArchive, uuid, writeTinyTables } from './tiny-tables.ts';

const archive = tinyArchive();
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;

beforeAll(async () => {
  root = await temporaryFolder();
  const cacheDir = join(root.path, 'cache');
  await installCatalog({ archive, cacheDir, sources: [await writeTinyTables(join(root.path, 'tables'))] });
  catalog = await openCatalog({ archive, cacheDir });
});
afterAll(async () => {
  catalog.close();
  await root.remove();
});

describe('citations', () => {
  test('are one per DOI in plain text, the archive’s own last', async () => {
    const { citations, notes } = await catalog.citations({});
    expect(notes).toEqual([]);
    expect(citations).toEqual([
      {
        doi: '10.5/alpha',
        text: 'A. Author, & B. Bäcker (2020). The alpha set & more. https://doi.org/10.5/ALPHA',
        title: 'Alpha',
        license: 'CC BY 4.0',
        url: 'https://doi.org/10.5/alpha',
        collections: ['alpha', 'beta'],
        series: 4,
        from: 'collections_index',
      },
      expect.objectContaining({ doi: '10.5/seg', from: 'analysis_results_index', collections: ['alpha'] }),
      expect.objectContaining({
        doi: '10.5/slides',
        text: 'C. Author (2021b). Slides_100%. https://doi.org/10.5/slides',
        title: 'Slides {1}',
      }),
      expect.objectContaining({
        doi: '10.1234/archive',
        from: 'archive',
        text: 'The Archivists. A tiny archive. 2020. https://doi.org/10.1234/archive',
      }),
    ]);
  });

  test('as text, BibTeX and CSL-JSON', async () => {
    const list = await catalog.citations({ modality: ['SM'] });
    expect(list.format('text')).toBe(
      'C. Author (2021b). Slides_100%. https://doi.org/10.5/slides\n\nThe Archivists. A tiny archive. 2020. https://doi.org/10.1234/archive\n',
    );
    expect(list.format('bibtex')).toMatchInlineSnapshot(`
      "@misc{10_5_slides,
        author = {{C. Author}},
        title = {{Slides \\{1\\}}},
        year = {2021},
        doi = {10.5/slides},
        url = {https://doi.org/10.5/slides},
        note = {C. Author (2021b). Slides\\_100\\%. https://doi.org/10.5/slides}
      }

      @misc{10_1234_archive,
        doi = {10.1234/archive},
        url = {https://doi.org/10.1234/archive},
        note = {The Archivists. A tiny archive. 2020. https://doi.org/10.1234/archive}
      }
      "
    `);
    expect(JSON.parse(list.format('csl-json'))).toEqual([
      {
        id: '10_5_slides',
        type: 'dataset',
        author: [{ literal: 'C. Author' }],
        title: 'Slides {1}',
        DOI: '10.5/slides',
        URL: 'https://doi.org/10.5/slides',
        issued: { 'date-parts': [[2021]] },
        note: 'C. Author (2021b). Slides_100%. https://doi.org/10.5/slides',
      },
      expect.objectContaining({ id: '10_1234_archive', type: 'article-journal' }),
    ]);
  });

  test('of superseded versions are unknown, and that is said', async () => {
    const { citations, notes } = await catalog.citations([uuid(30)]);
    expect(citations.map(({ from }) => from)).toEqual(['archive']);
    expect(notes).toMatchObject([
      { field: 'citation', message: '1 series have no DOI in the tables (superseded versions have none)' },
    ]);
  });

  test('of nothing are none', async () => {
    expect((await catalog.citations({ modality: ['MR'], collection: ['alpha'] })).citations).toEqual([]);
  });
});

describe('the text of a citation', () => {
  test.each([
    ['<i>Data</i> &amp; more', 'Data & more'],
    ['a\r\n  b\tc\u00a0d', 'a b c d'],
    ['5 < 6 and 7 > 3', '5 < 6 and 7 > 3'],
    ['&lt;i&gt;', '<i>'],
    ['M&#252;ller &#x2013; &eacute; &ndash;', 'Müller – &eacute; –'],
    ['Łukasz, José, 王', 'Łukasz, José, 王'],
  ])('%j', (dirty, clean) => {
    expect(cleanCitation(dirty)).toBe(clean);
  });

  test('is one line without blanks at its ends, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanCitation(text);
        expect(clean).toBe(clean.trim());
        expect(clean).not.toMatch(/[\n\r\t]| {2}/);
      }),
    );
  });
});

describe('what a licence allows', () => {
  test.each([
    ['CC BY 4.0', true],
    ['CC BY 3.0', true],
    ['CC0', true],
    ['CC0 1.0', true],
    ['cc-by-4.0', true],
    ['CC BY-NC 4.0', false],
    ['CC BY-NC-SA 4.0', false],
    ['CC-BY-NC 3.0', false],
    ['National Library of Medicine Terms and Conditions; May 21, 2019', false],
    ['CC BYE', false],
    ['', false],
    [null, false],
    [undefined, false],
  ])('%s: commercial use %s', (name, allowed) => {
    expect(allowsCommercialUse(name)).toBe(allowed);
  });
});
