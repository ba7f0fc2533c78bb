import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ManifestRow, readManifest, splitManifest, writeManifest } from '../../src/manifests/index.ts';

const A = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const B = '5d4d4cf8-65e9-4868-9ab5-3c8267157bd2';
const I = '641121f1-5ca0-42cc-9156-fb5538c14355';

const rows: ManifestRow[] = [
  {
    crdc_series_uuid: A,
    SeriesInstanceUID: '1.2.3.4',
    StudyInstanceUID: '1.2.3',
    PatientID: 'P, "one"',
    collection_id: 'nlst',
    Modality: 'CT',
    license_short_name: 'CC BY 4.0',
    source_DOI: '10.7937/tcia.hmq8-j677',
    buckets: { aws: 'idc-open-data', gcs: 'idc-open-data' },
  },
  {
    crdc_series_uuid: B,
    SeriesInstanceUID: '1.2.3.5',
    StudyInstanceUID: null,
    buckets: { aws: 'idc-open-data-cr', gcs: 'idc-open-cr' },
  },
];

describe('writeManifest', () => {
  test('s5cmd as the IDC portal writes it', () => {
    expect(writeManifest(rows, { format: 's5cmd', fileName: 'cohort.s5cmd' })).toBe(
      [
        '# To download the files in this manifest, first install s5cmd (https://github.com/peak/s5cmd),',
        '# then run the following command:',
        '# s5cmd --no-sign-request --endpoint-url https://s3.amazonaws.com run cohort.s5cmd',
        `cp s3://idc-open-data/${A}/* .`,
        `cp s3://idc-open-data-cr/${B}/* .`,
        '',
      ].join('\n'),
    );
  });

  test('s5cmd for Google: its buckets under s3://, its endpoint in the header', () => {
    expect(writeManifest(rows, { format: 's5cmd', cloud: 'gcs' })).toBe(
      [
        '# To download the files in this manifest, first install s5cmd (https://github.com/peak/s5cmd),',
        '# then run the following command:',
        '# s5cmd --no-sign-request --endpoint-url https://storage.googleapis.com run manifest.s5cmd',
        `cp s3://idc-open-data/${A}/* .`,
        `cp s3://idc-open-cr/${B}/* .`,
        '',
      ].join('\n'),
    );
  });

  test('CSV and TSV with quoted cells', () => {
    expect(writeManifest(rows, { format: 'csv' })).toBe(
      [
        'collection_id,PatientID,StudyInstanceUID,SeriesInstanceUID,Modality,source_DOI,license_short_name,crdc_series_uuid,aws_url',
        `nlst,"P, ""one""",1.2.3,1.2.3.4,CT,10.7937/tcia.hmq8-j677,CC BY 4.0,${A},s3://idc-open-data/${A}/*`,
        `,,,1.2.3.5,,,,${B},s3://idc-open-data-cr/${B}/*`,
        '',
      ].join('\n'),
    );
    const tsv = writeManifest(rows, { format: 'tsv', cloud: 'gcs' }).split('\n');
    expect(tsv[0]?.split('\t').at(-1)).toBe('gcs_url');
    expect(tsv[1]?.split('\t')).toEqual([
      'nlst',
      '"P, ""one"""',
      '1.2.3',
      '1.2.3.4',
      'CT',
      '10.7937/tcia.hmq8-j677',
      'CC BY 4.0',
      A,
      `gs://idc-open-data/${A}/*`,
    ]);
  });

  test('a delimiter in a cell is quoted, also without quotes beside it', () => {
    const row = { crdc_series_uuid: A, PatientID: 'P,1', source_DOI: 'a\tb', buckets: { aws: 'b' } };
    expect(writeManifest([row], { format: 'csv' }).split('\n')[1]).toBe(`,"P,1",,,,a\tb,,${A},s3://b/${A}/*`);
    expect(writeManifest([row], { format: 'tsv' }).split('\n')[1]).toBe(
      ['', 'P,1', '', '', '', '"a\tb"', '', A, `s3://b/${A}/*`].join('\t'),
    );
  });

  test('JSON without empty members', () => {
    expect(JSON.parse(writeManifest(rows.slice(1), { format: 'json' }))).toEqual([
      { SeriesInstanceUID: '1.2.3.5', crdc_series_uuid: B, aws_url: `s3://idc-open-data-cr/${B}/*` },
    ]);
  });

  test('lists of UIDs and of GUIDs', () => {
    expect(writeManifest([...rows, ...rows], { format: 'uids' })).toBe('1.2.3.4\n1.2.3.5\n');
    expect(writeManifest(rows, { format: 'dcf', header: ['IDC v25'] })).toBe(
      `# IDC v25\ndg.4DFC/${A}\ndg.4DFC/${B}\n`,
    );
  });

  test('objects: file by file', () => {
    const files = [{ ...rows[0], key: `${A}/${I}.dcm`, destination: 'my folder/' }];
    expect(writeManifest(files, { format: 's5cmd', header: [] })).toBe(
      `cp s3://idc-open-data/${A}/${I}.dcm 'my folder/'\n`,
    );
    expect(writeManifest(files, { format: 'dcf' })).toBe(`dg.4DFC/${I}\n`);
  });

  test('a row that the format cannot hold is an error naming it', () => {
    expect(() => writeManifest([{ SeriesInstanceUID: '1.2.3' }], { format: 's5cmd' })).toThrow(
      expect.objectContaining({ code: 'bad-input', message: '1.2.3 has no bucket on aws' }),
    );
    expect(() =>
      writeManifest([{ crdc_series_uuid: A, buckets: { aws: 'b' } }], { format: 's5cmd', cloud: 'gcs' }),
    ).toThrow(`${A} has no bucket on gcs`);
    expect(() => writeManifest([{ crdc_series_uuid: A }], { format: 'uids' })).toThrow(
      `${A} has no SeriesInstanceUID`,
    );
    const { entries } = readManifest('1.2.3\n', { origin: 'x' });
    expect(() => writeManifest(entries, { format: 's5cmd' })).toThrow('line 1 (1.2.3) has no bucket on aws');
  });

  test('entries of another manifest are converted as far as they say', () => {
    const { entries } = readManifest(`s3://idc-open-data/${A}/\ncp gs://b/${B}/${I}.dcm "x y"\n`, {
      origin: 'x',
    });
    expect(writeManifest(entries, { format: 's5cmd', header: [] })).toBe(
      `cp s3://idc-open-data/${A}/* .\ncp s3://b/${B}/${I}.dcm 'x y'\n`,
    );
    expect(writeManifest(entries, { format: 'dcf' })).toBe(`dg.4DFC/${A}\ndg.4DFC/${I}\n`);
    const table = readManifest(`crdc_series_uuid,SeriesInstanceUID\n${A},1.2.3\n`, { origin: 'x' });
    expect(writeManifest(table.entries, { format: 'uids' })).toBe('1.2.3\n');
  });

  test.each(['s5cmd', 'csv', 'tsv', 'json', 'uids', 'dcf'] as const)(
    'what is written as %s is read again',
    (format) => {
      const manifest = readManifest(writeManifest(rows, { format }), { origin: 'x' });
      expect(manifest.format).toBe(format);
      expect(manifest.problems).toEqual([]);
      const named = manifest.entries.map(({ identifier }) =>
        identifier.kind === 'object-url'
          ? identifier.seriesUuid
          : identifier.kind === 'dicom-uid'
            ? identifier.uid
            : 'uuid' in identifier
              ? identifier.uuid
              : '',
      );
      expect(named).toEqual(format === 'uids' ? ['1.2.3.4', '1.2.3.5'] : [A, B]);
    },
  );
});

describe('splitManifest', () => {
  test('consecutive pieces of about equal weight', () => {
    expect(splitManifest([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([
      [1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    expect(splitManifest([100, 1, 1, 1, 100], 2, { weight: (n) => n })).toEqual([
      [100, 1, 1],
      [1, 100],
    ]);
    expect(splitManifest([1, 2], 4)).toEqual([[1], [2], [], []]);
    expect(splitManifest([], 2)).toEqual([[], []]);
    expect(splitManifest([0, 0, 0, 0], 2, { weight: (n) => n })).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test.each([0, -1, 1.5, Number.NaN])('%d shards are refused', (shards) => {
    expect(() => splitManifest([1], shards)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  test('whatever the weights: the pieces are the list, none is empty without need, and it is the same each time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e6)), fc.integer({ min: 1, max: 40 }), (items, shards) => {
        const pieces = splitManifest(items, shards, { weight: (n) => n });
        expect(pieces).toHaveLength(shards);
        expect(pieces.flat()).toEqual(items);
        expect(pieces.filter((piece) => piece.length === 0)).toHaveLength(Math.max(0, shards - items.length));
        expect(splitManifest(items, shards, { weight: (n) => n })).toEqual(pieces);
        // No piece is heavier than a fair share plus its heaviest item on either side.
        const total = items.reduce((sum, n) => sum + n, 0);
        const heaviest = Math.max(0, ...items);
        if (items.length >= shards) {
          for (const piece of pieces) {
            expect(piece.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(total / shards + 2 * heaviest);
          }
        }
      }),
    );
  });
});
