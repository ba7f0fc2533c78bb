/** Which file on disk a line of a list means. */
import { describe, expect, test } from 'vitest';
import { applyMapping, formsOf, indexFiles, mapSums } from '../../../src/tcia/index.ts';
import { safeSegment } from '../../../src/transfer/index.ts';

/** Lays a list over files. */
function lay(listed: readonly string[], files: readonly string[], at?: string) {
  const {
    mapping,
    hits,
    ties,
    files: found,
  } = mapSums(
    listed.map((path) => ({ path })),
    indexFiles(files),
    at,
  );
  return { ...mapping, hits, ties, found: Object.fromEntries(found) };
}

const CONTENT = ['SVS/case 1.svs', 'SVS/case 2.svs', 'Annotations/case 1.xml', 'readme.txt'];
const below = (folder: string, paths = CONTENT) => paths.map((path) => `${folder}/${path}`);
const PKG = 'PKG - Biobank_CMB-GEC_v1';

describe('the folder of a list', () => {
  test.each([
    ['the list lies at the root of what it lists', CONTENT, CONTENT, '', '', ''],
    ['the list lies in the folder of the package', CONTENT, below(PKG), PKG, '', PKG],
    ['the list lies elsewhere, the package below the folder', CONTENT, below(PKG), '', '', PKG],
    ['the list lies in the package, and its paths begin with it', below(PKG), below(PKG), PKG, '', ''],
    ['the list has a top folder that the download lacks', below('data'), CONTENT, '', 'data', ''],
    ['the same, inside of a package', below('data'), below(PKG), PKG, 'data', PKG],
    ['the download has data/ that the list lacks', CONTENT, below(`${PKG}/data`), PKG, '', `${PKG}/data`],
    ['the list names the package, the download does not', below(PKG), CONTENT, '', PKG, ''],
    ['two folders to drop', below('v1/data'), CONTENT, '', 'v1/data', ''],
    ['the download was put below folders of its own', CONTENT, below('mine/cmb'), '', '', 'mine/cmb'],
  ])('%s', (_, listed, files, at, strip, add) => {
    expect(lay(listed, files, at)).toMatchObject({ strip, add, hits: 4, ties: [] });
  });

  test('a folder that was received by itself has lost those above it: only its lines have a place', () => {
    const listed = below('Yale', ['Annotations/a.xml', 'Annotations/b.xml', 'SVS/a.svs']);
    expect(lay(listed, ['Annotations/a.xml', 'Annotations/b.xml'])).toEqual({
      strip: 'Yale',
      add: '',
      hits: 2,
      ties: [],
      found: { 'Yale/Annotations/a.xml': 'Annotations/a.xml', 'Yale/Annotations/b.xml': 'Annotations/b.xml' },
    });
    expect(applyMapping('readme.txt', { strip: 'Yale', add: '' })).toBeUndefined();
  });

  test('most files win, not the first that fits', () => {
    const files = ['readme.txt', ...below('pkg')];
    expect(lay(CONTENT, files)).toMatchObject({ strip: '', add: 'pkg', hits: 4, ties: [] });
  });

  test('as many files in two places: the least change is taken and the other is said', () => {
    const files = [...below('PKG - a'), ...below('PKG - b')];
    expect(lay(CONTENT, files)).toMatchObject({
      add: 'PKG - a',
      hits: 4,
      ties: [{ strip: '', add: 'PKG - b' }],
    });
    expect(lay([...CONTENT, 'gone'], [...CONTENT, ...below('copy')])).toMatchObject({
      add: '',
      ties: [{ strip: '', add: 'copy' }],
    });
  });

  test('a folder with a name of its own is never taken for another: what is missing is missing', () => {
    const listed = ['caseA/image.svs', 'caseC/image.svs'];
    expect(lay(listed, ['caseB/image.svs'])).toMatchObject({ hits: 0, found: {} });
    expect(lay(['caseA/image.svs'], ['caseB/image.svs'])).toMatchObject({ hits: 0, found: {} });
  });

  test('a list in a folder of its own speaks of those beside it; one in a package never of another package', () => {
    expect(lay(CONTENT, below(PKG), 'lists')).toMatchObject({ add: PKG, hits: 4 });
    expect(lay(CONTENT, below(PKG), 'PKG - other')).toMatchObject({ add: 'PKG - other', hits: 0 });
  });

  test('nothing on disk: the place is that of the list', () => {
    expect(lay(CONTENT, [], PKG)).toEqual({ strip: '', add: PKG, hits: 0, ties: [], found: {} });
  });

  test('thousands of files of one name are told apart by their folders', () => {
    const listed = Array.from({ length: 3000 }, (_, index) => `data/case ${index}/image.svs`);
    const files = listed.slice(0, 2000).map((path) => path.slice('data/'.length));
    const { hits, strip, found } = lay(listed, files);
    expect([hits, strip, found['data/case 1999/image.svs']]).toEqual([2000, 'data', 'case 1999/image.svs']);
  });
});

describe('names', () => {
  test('composed and decomposed letters are the same, on either side', () => {
    const [composed, decomposed] = ['Größe/é.svs'.normalize('NFC'), 'Größe/é.svs'.normalize('NFD')];
    expect(lay([composed], [decomposed]).found).toEqual({ [composed]: decomposed });
    expect(lay([decomposed], [composed]).found).toEqual({ [decomposed]: composed });
    expect(lay([`data/${decomposed}`], [composed])).toMatchObject({ strip: 'data', hits: 1 });
  });

  test('a file that was written under a safe name is found by the name of the package', () => {
    const listed = 'case: 1/a?b.svs';
    const file = listed.split('/').map(safeSegment).join('/');
    expect(file).not.toContain('?');
    expect(lay([listed], [file]).found).toEqual({ [listed]: file });
    expect(lay([listed], [`${PKG}/${file}`], PKG).found).toEqual({ [listed]: `${PKG}/${file}` });
    const letters = 'é?'.normalize('NFD');
    expect(lay([letters], [safeSegment(letters.normalize('NFC'))]).hits).toBe(1);
  });

  test('so are the names that ascp makes, separators of Windows, and what hand edited', () => {
    expect(lay(['a:b.svs'], ['a_b.svs']).hits).toBe(1);
    expect(lay(['SVS\\a.svs'], ['SVS/a.svs']).hits).toBe(1);
    expect(lay(['a.svs '], ['a.svs']).hits).toBe(1);
    expect(lay([' a.svs'], ['a.svs']).hits).toBe(1);
  });

  test('the name as listed goes before any other', () => {
    expect(lay([' a'], [' a', 'a']).found).toEqual({ ' a': ' a' });
    expect(lay(['a:b'], ['a:b', 'a_b']).found).toEqual({ 'a:b': 'a:b' });
    expect(formsOf('plain/name.svs')).toEqual(['plain/name.svs']);
  });
});
