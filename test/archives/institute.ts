/** The record of an institute that does not exist, with every field that a record may have. */
import type { ArchiveRecord } from '../../src/archives/index.ts';

export const institute = {
  carrel_archive: 1,
  name: 'institute',
  title: 'Imaging Archive of the Institute',
  home: 'https://imaging.institute.example',
  mirrors: [
    {
      name: 'local',
      protocol: 's3',
      endpoint: 'https://s3.institute.example',
      region: 'eu-1',
      access: 'signed',
      addressing: 'virtual',
    },
    { name: 'web', protocol: 'https', endpoint: 'https://imaging.institute.example/objects' },
    { name: 'partner', protocol: 'gcs', endpoint: 'https://storage.googleapis.com', scheme: 'gs' },
  ],
  bucketClasses: [
    {
      name: 'public',
      description: 'What anybody may have.',
      buckets: { local: 'public', web: 'public-web', partner: 'institute-public' },
      historical: [{ mirror: 'local', bucket: 'old-public', until: 'r2', layout: 'flat' }],
    },
    { name: 'members', buckets: { local: 'members' } },
  ],
  catalog: {
    versions: [
      { version: '1.0', release: 'r1' },
      { version: '10.0', release: 'r10' },
      { version: '2.0', release: 'r2' },
      { version: '2.10', release: 'r2', sha256: { 'index.parquet': 'ab'.repeat(32) } },
      { version: '2.9', release: 'r2' },
    ],
    sources: [
      {
        kind: 'artefacts',
        url: 'https://imaging.institute.example/catalog/{version}/{file}',
        digestSuffix: '.sha256',
        description: 'Ours.',
      },
    ],
    tables: [
      { name: 'index', file: 'index.parquet', core: true, description: 'One row per series.' },
      { name: 'ct_index', file: 'ct.parquet' },
    ],
    bucketColumns: { local_bucket: 'local' },
    releasePrefix: 'r',
  },
  drs: {
    prefix: 'dg.INST',
    host: 'drs.institute.example',
    aliases: ['dg.inst'],
    endpoint: 'https://drs.institute.example/ga4gh/drs/v1',
  },
  viewers: [
    {
      name: 'weasis',
      modalities: [],
      study: 'https://view.institute.example/?study={StudyInstanceUID}',
      series: 'https://view.institute.example/?study={StudyInstanceUID}&series={SeriesInstanceUID}',
    },
  ],
  citation: { text: 'The Institute. Its archive. Journal 2025;1:1.', doi: '10.1234/institute' },
} as const satisfies ArchiveRecord;

/** The least that a record must say. */
export const smallest = {
  carrel_archive: 1,
  name: 'small',
  title: 'Small',
  mirrors: [{ name: 'here', protocol: 'file', endpoint: '/srv/small' }],
  bucketClasses: [{ name: 'all', buckets: { here: 'all' } }],
} as const satisfies ArchiveRecord;
