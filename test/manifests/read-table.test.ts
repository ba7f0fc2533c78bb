import { describe, expect, test } from 'vitest';
import { readManifest } from '../../src/manifests/index.ts';

const SERIES = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const STUDY = 'f0b76401-c6d1-4b61-a5fd-3fa596e6cc41';
const INSTANCE = '641121f1-5ca0-42cc-9156-fb5538c14355';
const MD5 = 'f338e8c5e3d8955d222a04d5f3f6e2b4';

const read = (text: string, origin = 'x.csv') => readManifest(text, { origin });
const best = (text: string) =>
  read(text).entries.map(({ identifier }) => `${identifier.kind} ${identifier.text}`);

describe('CSV', () => {
  test('a portal manifest: free text before the header row, the most specific name of each row', () => {
    const manifest = read(
      [
        'Manifest for cohort: my cohort, 2 series',
        'IDC data version: 24, created by the portal',
        '',
        'PatientID,collection_id,StudyInstanceUID,SeriesInstanceUID,source_DOI,crdc_study_uuid,crdc_series_uuid,gcs_url',
        `P1,nlst,1.2.3,1.2.3.4,10.7937/tcia.x,${STUDY},${SERIES},gs://public-datasets-idc/${SERIES}/`,
      ].join('\n'),
    );
    expect(manifest).toMatchObject({ format: 'csv', problems: [] });
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.entries[0]).toMatchObject({
      line: 5,
      identifier: { kind: 'crdc-uuid', uuid: SERIES, level: 'series' },
    });
    expect(manifest.entries[0]?.others?.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      `object-url gs://public-datasets-idc/${SERIES}/`,
      'dicom-uid 1.2.3.4',
    ]);
  });

  test.each([
    ['crdc_series_uuid', SERIES, 'crdc-uuid'],
    ['series_uuid', SERIES, 'crdc-uuid'],
    ['SeriesInstanceUID', '1.2.3.4', 'dicom-uid'],
    ['Series Instance UID', '1.2.3.4', 'dicom-uid'],
    ['seriesuid', '1.2.3.4', 'dicom-uid'],
    ['StudyInstanceUID', '1.2.3', 'dicom-uid'],
    ['SOPInstanceUID', '1.2.3.4.5', 'dicom-uid'],
    ['crdc_instance_uuid', INSTANCE, 'crdc-uuid'],
    ['instance_uuid', INSTANCE, 'crdc-uuid'],
    ['gcs_url', `gs://b/${SERIES}/${INSTANCE}.dcm`, 'object-url'],
    ['aws_url', `s3://b/${SERIES}/${INSTANCE}.dcm`, 'object-url'],
    ['series_aws_url', `s3://b/${SERIES}/*`, 'object-url'],
    ['imageUrl', 'https://pathdb.example.org/system/files/wsi/x.svs', 'object-url'],
    ['drs_uri', `drs://dg.4DFC:${INSTANCE}`, 'drs'],
    ['object_id', `dg.4DFC/${INSTANCE}`, 'guid'],
    ['File ID', `dg.4DFC/${INSTANCE}`, 'guid'],
    ['collection_id', 'nlst', 'name'],
    ['analysis_result_id', 'bamf_aimi_annotations', 'name'],
    ['PatientID', '100002', 'name'],
    ['source_DOI', '10.7937/tcia.hmq8-j677', 'doi'],
  ])('the column %s alone is enough', (column, value, kind) => {
    for (const header of [column, column.toUpperCase(), `"${column}"`]) {
      expect(best(`note,${header}\nx,${value}\n`)).toEqual([`${kind} ${value}`]);
    }
    expect(best(`${column}\n${value}\n`)).toEqual([`${kind} ${value}`]);
  });

  test('a file-level URL is more specific than any uuid, a folder URL less than the series uuid', () => {
    const file = `gs://b/${SERIES}/${INSTANCE}.dcm`;
    expect(best(`crdc_series_uuid,crdc_instance_uuid,gcs_url\n${SERIES},${INSTANCE},${file}\n`)).toEqual([
      `object-url ${file}`,
    ]);
    expect(best(`crdc_series_uuid,gcs_url\n${SERIES},gs://b/${SERIES}/\n`)).toEqual([`crdc-uuid ${SERIES}`]);
  });

  test('an instance keeps its series, a patient its collection', () => {
    const [instance] = read(`crdc_series_uuid,crdc_instance_uuid\n${SERIES},${INSTANCE}\n`).entries;
    expect(instance).toMatchObject({
      identifier: { uuid: INSTANCE, level: 'instance' },
      others: [{ uuid: SERIES }],
    });
    const [patient] = read('collection_id,PatientID\npdmr_texture_analysis,521955-158-R4-2163\n').entries;
    expect(patient).toMatchObject({
      identifier: { kind: 'name', name: '521955-158-R4-2163', level: 'patient' },
      others: [{ name: 'pdmr_texture_analysis', level: 'collection' }],
    });
  });

  test('the next column steps in where the best one is empty or wrong, and the wrong one is said', () => {
    const manifest = read(`crdc_series_uuid,SeriesInstanceUID\n,1.2.3.4\nnull,1.2.3.5\nnot-a-uuid,1.2.3.6\n`);
    expect(manifest.entries.map(({ identifier }) => identifier.text)).toEqual([
      '1.2.3.4',
      '1.2.3.5',
      '1.2.3.6',
    ]);
    expect(manifest.notes).toHaveLength(1);
    expect(manifest.notes[0]).toMatch(/^line 4: crdc_series_uuid: /);
  });

  test('a row that names nothing is a problem with its line', () => {
    const manifest = read(
      `PatientID,SeriesInstanceUID,gcs_url\n,,\n,  ,\nP,1.2.3,\n,,nonsense\n`.replace(',  ,', 'x,y z,'),
    );
    expect(manifest.problems).toHaveLength(1);
    expect(manifest.problems[0]).toMatchObject({
      line: 5,
      text: ',,nonsense',
      reason: 'gcs_url: "nonsense" is no URL',
    });
  });

  test('quotes, commas in cells, semicolons, CRLF, BOM, comment lines', () => {
    expect(
      best(`\uFEFFSeriesDescription,SeriesInstanceUID\r\n"AX T1, ""fat sat""",1.2.3.4\r\n# c\r\n`),
    ).toEqual(['dicom-uid 1.2.3.4']);
    expect(best('Beschreibung;SeriesInstanceUID\nx;1.2.3.4\n')).toEqual(['dicom-uid 1.2.3.4']);
  });

  test('one stray quote does not swallow the rows below it', () => {
    const manifest = read(`SeriesDescription,SeriesInstanceUID\n"5 inch,1.2.3.4\nx,1.2.3.5\ny,1.2.3.6\n`);
    expect(manifest.entries.map(({ identifier }) => identifier.text)).toEqual([
      '1.2.3.4',
      '1.2.3.5',
      '1.2.3.6',
    ]);
    expect(manifest.notes[0]).toMatch(/quotes are not balanced/);
  });

  test('rows longer than the header are read and noted', () => {
    const manifest = read('SeriesInstanceUID,x\n1.2.3.4,a,b\n');
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.notes).toEqual(['line 2: more cells than the header has columns (3 instead of 2)']);
  });

  test('a header without rows names no data', () => {
    expect(() => read('SeriesInstanceUID,x\n')).toThrow(
      expect.objectContaining({ code: 'bad-input', item: 'x.csv' }),
    );
  });

  test('a table whose columns name nothing is not taken for one when CSV is asked for', () => {
    expect(() => readManifest('a,b\n1,2\n', { origin: 'x', format: 'csv' })).toThrow(
      /has no header row that names data/,
    );
  });

  test('65,000 rows of ten columns', () => {
    const row = (n: number) =>
      `P${n},c,1.2.${n},1.2.${n}.1,10.7937/x,,,CT,desc,28621ba9-1aca-4aab-a2a1-${n.toString(16).padStart(12, '0')}`;
    const header =
      'PatientID,collection_id,StudyInstanceUID,SeriesInstanceUID,source_DOI,a,b,Modality,d,crdc_series_uuid';
    const text = [header, ...Array.from({ length: 65_000 }, (_, n) => row(n))].join('\n');
    const manifest = read(text);
    expect(manifest.entries).toHaveLength(65_000);
    expect(manifest.entries.at(-1)?.line).toBe(65_001);
  });
});

describe('TSV', () => {
  test('a DCF table: GUID, md5 and size; the bucket URL is nearer to the bytes than the GUID', () => {
    const url = `cc9c8541-949d-48d9-beaf-7028aa4906dc/${INSTANCE}.dcm`;
    const manifest = read(
      [
        'GUID\tmd5\tsize\tacl\tauthz\turl\tdescription\tversion\tname',
        `dg.4DFC/${INSTANCE}\t${MD5}\t135450\t['*']\t['/open']\t[gs://idc-open-data/${url}, s3://idc-open-data/${url}]\tDICOM instance\tIDC version: 1\t1.2.3`,
        '',
      ].join('\n'),
      'x.tsv',
    );
    expect(manifest.format).toBe('tsv');
    expect(manifest.entries).toMatchObject([
      {
        line: 2,
        identifier: { kind: 'object-url', scheme: 'gs', instanceUuid: INSTANCE },
        others: [{ kind: 'guid', uuid: INSTANCE }],
        digests: [`md5:${MD5}`],
        size: 135450,
      },
    ]);
  });

  test('digests in base64, and those of other lengths left out', () => {
    const base64 = Buffer.from(MD5, 'hex').toString('base64');
    const manifest = read(`object_id\tmd5sum\tfile_size\n${INSTANCE}\t${base64}\t12\n${SERIES}\tabc\tx\n`);
    expect(manifest.entries[0]).toMatchObject({ digests: [`md5:${MD5}`], size: 12 });
    expect(manifest.entries[1]?.digests).toBeUndefined();
    expect(manifest.entries[1]?.size).toBeUndefined();
  });

  test('the size of a series row is not taken for that of a file', () => {
    expect(read(`crdc_series_uuid\tsize\n${SERIES}\t12\n`).entries[0]?.size).toBeUndefined();
  });
});
