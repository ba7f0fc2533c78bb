/** The built-in record of the Imaging Data Commons. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  bucketClassOf,
  builtInArchive,
  builtInArchiveNames,
  builtInRecord,
  catalogVersionFor,
  parseArchive,
  toRecord,
  viewerUrl,
} from '../../src/archives/index.ts';

const idc = builtInArchive('idc');

describe('the record of IDC', () => {
  test('is the default, and built in under its name', () => {
    expect(builtInArchiveNames).toEqual(['idc']);
    expect(builtInArchive()).toEqual(idc);
    expect(idc.origin).toBe('built-in');
  });

  test('is valid by its own schema, also after being written out', () => {
    const written = JSON.parse(JSON.stringify(builtInRecord('idc'))) as unknown;
    expect(parseArchive(written, { origin: 'built-in' })).toEqual(idc);
    expect(parseArchive(JSON.parse(JSON.stringify(toRecord(idc))), { origin: 'built-in' })).toEqual(idc);
  });

  test('is a fresh value each time: nobody can change it for the others', () => {
    const mine = builtInArchive('idc');
    mine.mirrors.length = 0;
    mine.bucketClasses[0]?.historical.pop();
    expect(builtInArchive('idc')).toEqual(idc);
  });

  test.each(['IDC', 'tcia', '', 'constructor', '__proto__'])('there is none called %j', (name) => {
    expect(() => builtInArchive(name)).toThrow(
      expect.objectContaining({
        code: 'not-found',
        next: expect.stringContaining('use idc') as string,
      }) as Error,
    );
  });

  test('has two mirrors, readable by anybody', () => {
    expect(idc.mirrors).toEqual([
      {
        name: 'aws',
        protocol: 's3',
        endpoint: 'https://s3.amazonaws.com',
        region: 'us-east-1',
        access: 'anonymous',
        addressing: 'path',
        scheme: 's3',
      },
      {
        name: 'gcs',
        protocol: 'gcs',
        endpoint: 'https://storage.googleapis.com',
        access: 'anonymous',
        addressing: 'path',
        scheme: 'gs',
      },
    ]);
  });

  test.each([
    ['idc-open-data', 'open'],
    ['public-datasets-idc', 'open'],
    ['idc-open', 'open'],
    ['idc-open-idc', 'open'],
    ['idc-open-data-two', 'head-scans'],
    ['idc-open-idc1', 'head-scans'],
    ['idc-open-data-cr', 'commercial-restricted'],
    ['idc-open-cr', 'commercial-restricted'],
    ['idc-open-metadata', undefined],
    ['invalid-idc-open-data', undefined],
  ])('the bucket %s is of the class %s', (bucket, name) => {
    expect(bucketClassOf(idc, bucket)?.name).toBe(name);
  });

  test('says nothing about licences that could be read off a bucket', () => {
    expect(Object.keys(idc.bucketClasses[2] ?? {}).toSorted()).toEqual([
      'buckets',
      'description',
      'historical',
      'name',
    ]);
  });

  test('knows the catalogue of every release since v17', () => {
    expect(idc.catalog.versions.map(({ version, release }) => `${release} ${version}`)).toEqual([
      'v25 25.0.5',
      'v24 24.2.2',
      'v23 23.10.1',
      'v22 22.1.5',
      'v21 21.0.0',
      'v20 20.0.3',
      'v19 19.0.3',
      'v18 18.2.0',
      'v17 17.0.2',
    ]);
    expect(catalogVersionFor(idc)?.version).toBe('25.0.5');
  });

  test('fetches catalogue files from the artefact store, then the release, then the wheel', () => {
    expect(idc.catalog.sources.map(({ kind, url, digestSuffix }) => [kind, url, digestSuffix])).toEqual([
      [
        'artefacts',
        'https://storage.googleapis.com/idc-index-data-artifacts/{version}/release_artifacts/{file}',
        '.sha256',
      ],
      [
        'release-assets',
        'https://github.com/ImagingDataCommons/idc-index-data/releases/download/{version}/{file}',
        undefined,
      ],
      ['wheel', 'pkg:pypi/idc-index-data@{version}', undefined],
    ]);
  });

  test('describes all 17 tables, five of them core', () => {
    expect(idc.catalog.tables.map(({ name, file, core }) => `${core ? '*' : ' '} ${name} ${file}`)).toEqual([
      '* index idc_index.parquet',
      '* prior_versions_index prior_versions_index.parquet',
      '* collections_index collections_index.parquet',
      '* analysis_results_index analysis_results_index.parquet',
      '* version_metadata_index version_metadata_index.parquet',
      '  clinical_index clinical_index.parquet',
      '  sm_index sm_index.parquet',
      '  sm_instance_index sm_instance_index.parquet',
      '  seg_index seg_index.parquet',
      '  rtstruct_index rtstruct_index.parquet',
      '  ann_index ann_index.parquet',
      '  ann_group_index ann_group_index.parquet',
      '  contrast_index contrast_index.parquet',
      '  ct_index ct_index.parquet',
      '  mr_index mr_index.parquet',
      '  pt_index pt_index.parquet',
      '  volume_geometry_index volume_geometry_index.parquet',
    ]);
    for (const { description } of idc.catalog.tables) expect(description).toMatch(/^[A-Z].{20,}\.$/);
  });

  test('cites the paper of IDC', () => {
    expect(idc.citation?.doi).toBe('10.1148/rg.230180');
    expect(idc.citation?.text).toMatch(/^Fedorov A.*RadioGraphics 2023;43\(12\):e230180\.$/);
  });

  test('resolves GUIDs at the Cancer Research Data Commons', () => {
    expect(idc.drs).toEqual({
      prefix: 'dg.4DFC',
      host: 'nci-crdc.datacommons.io',
      aliases: ['dg.4dfc', 'dg.4DCF'],
      endpoint: 'https://nci-crdc.datacommons.io/ga4gh/drs/v1',
    });
  });
});

describe('links to the viewers of IDC', () => {
  const [S, E] = ['1.2.840.1', '1.2.840.1.1'];
  const base = 'https://viewer.imaging.datacommons.cancer.gov';
  test.each([
    [
      'radiology, study',
      { StudyInstanceUID: S, modalities: ['CT', 'SEG'] },
      `${base}/v3/viewer/?StudyInstanceUIDs=${S}`,
    ],
    [
      'radiology, series',
      { StudyInstanceUID: S, SeriesInstanceUID: E, modalities: ['CT'] },
      `${base}/v3/viewer/?StudyInstanceUIDs=${S}&initialSeriesInstanceUID=${E}`,
    ],
    ['slides, study', { StudyInstanceUID: S, modalities: ['SM'] }, `${base}/slim/studies/${S}`],
    [
      'slides, series',
      { StudyInstanceUID: S, SeriesInstanceUID: E, modalities: ['SM'] },
      `${base}/slim/studies/${S}/series/${E}`,
    ],
    [
      'segmentation in a study of slides',
      { StudyInstanceUID: S, SeriesInstanceUID: E, modalities: ['SEG', 'SM'] },
      `${base}/slim/studies/${S}/series/${E}`,
    ],
    ['modality unknown', { StudyInstanceUID: S }, `${base}/v3/viewer/?StudyInstanceUIDs=${S}`],
    [
      'viewer named',
      { StudyInstanceUID: S, modalities: ['CT'], viewer: 'slim' },
      `${base}/slim/studies/${S}`,
    ],
  ])('%s', (_, target, url) => {
    expect(viewerUrl(idc, target)).toBe(url);
  });

  test('what is no UID is put into no link', () => {
    expect(() => viewerUrl(idc, { StudyInstanceUID: '1.2&x=1' })).toThrow('no DICOM UID');
    expect(() => viewerUrl(idc, { StudyInstanceUID: S, SeriesInstanceUID: '$&' })).toThrow('no DICOM UID');
  });

  test('an unknown viewer is a usage error that lists the known ones', () => {
    expect(() => viewerUrl(idc, { StudyInstanceUID: S, viewer: 'volview' })).toThrow(
      expect.objectContaining({ code: 'usage', next: 'its viewers: slim, ohif' }) as Error,
    );
  });

  test('an archive without viewers has no link', () => {
    expect(viewerUrl({ ...idc, viewers: [] }, { StudyInstanceUID: S })).toBeUndefined();
  });
});

const wheel = process.env['CARREL_TEST_WHEEL'];
describe.skipIf(wheel === undefined)(
  'against the published wheel of 25.0.5 (skipped without CARREL_TEST_WHEEL)',
  () => {
    const python = (script: string) =>
      execFileSync('python3', ['-c', script, wheel ?? ''], { maxBuffer: 256 * 1024 * 1024 });

    test('the core tables are the ones inside, with the digests that the record pins', () => {
      const list = python(
        'import sys,zipfile; print("\\n".join(n for n in zipfile.ZipFile(sys.argv[1]).namelist() if n.endswith(".parquet")))',
      );
      const core = idc.catalog.tables.filter((table) => table.core).map(({ file }) => file);
      expect(
        list
          .toString()
          .trim()
          .split('\n')
          .map((name) => name.replace('idc_index_data/', ''))
          .toSorted(),
      ).toEqual(core.toSorted());
      const pinned = catalogVersionFor(idc, 'v25')?.sha256 ?? {};
      expect(Object.keys(pinned).toSorted()).toEqual(core.toSorted());
      for (const [file, digest] of Object.entries(pinned)) {
        const bytes = python(
          `import sys,zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("idc_index_data/${file}"))`,
        );
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
      }
    });

    test('every table of the record has a published schema, and the other way round', () => {
      const list = python(
        'import sys,zipfile; print("\\n".join(n for n in zipfile.ZipFile(sys.argv[1]).namelist() if n.endswith("_schema.json")))',
      );
      const published = list
        .toString()
        .trim()
        .split('\n')
        .map((name) => name.replace('idc_index_data/', '').replace('_schema.json', '.parquet'));
      expect(idc.catalog.tables.map(({ file }) => file).toSorted()).toEqual(published.toSorted());
    });
  },
);
