/** The record `archive.json` of the sample (schema: room `archives`). */
import type { ArchiveRecord } from '../../archives/index.ts';
import { BUCKET_CLASSES } from '../model/buckets.ts';
import { RELEASES, type Release } from '../model/types.ts';
import { catalogVersionOf, SAMPLE_TABLES } from '../tables/catalog.ts';

/** Digests of the catalogue files: release → file → SHA-256 in hex. */
export type CatalogDigests = Record<Release, Record<string, string>>;

/** The record; every place in it is relative to itself or on this machine's loopback. */
export function archiveRecord(digests: CatalogDigests): ArchiveRecord {
  return {
    carrel_archive: 1,
    name: 'sample',
    title: 'Carrel sample archive',
    mirrors: [
      { name: 'disk', protocol: 'file', endpoint: 'buckets' },
      {
        name: 'aws',
        protocol: 's3',
        endpoint: 'http://127.0.0.1:9000',
        region: 'us-east-1',
        addressing: 'path',
      },
      { name: 'gcs', protocol: 'gcs', endpoint: 'http://127.0.0.1:9001', addressing: 'path' },
    ],
    bucketClasses: BUCKET_CLASSES.map(({ name, description, aws, gcs }) => ({
      name,
      description,
      buckets: { disk: aws, aws, gcs: gcs[3] },
      historical: gcs[1] === gcs[3] ? [] : [{ mirror: 'gcs', bucket: gcs[1], until: 'v1' }],
    })),
    catalog: {
      versions: RELEASES.toReversed().map((release) => ({
        version: catalogVersionOf(release),
        release: `v${release}`,
        sha256: digests[release],
      })),
      sources: [
        {
          kind: 'artefacts',
          url: 'catalog/{version}/{file}',
          digestSuffix: '.sha256',
          description: 'Files beside this record.',
        },
      ],
      tables: SAMPLE_TABLES.map(({ name, file, core, description }) => ({ name, file, core, description })),
      bucketColumns: { aws_bucket: 'aws' },
      releasePrefix: 'v',
    },
    drs: { prefix: 'dg.SAMPLE', host: '127.0.0.1:9002', endpoint: 'http://127.0.0.1:9002/ga4gh/drs/v1' },
    viewers: [
      {
        name: 'slim',
        modalities: ['SM'],
        study: 'http://127.0.0.1:9003/slim/studies/{StudyInstanceUID}',
        series: 'http://127.0.0.1:9003/slim/studies/{StudyInstanceUID}/series/{SeriesInstanceUID}',
      },
      {
        name: 'ohif',
        modalities: [],
        study: 'http://127.0.0.1:9003/viewer?StudyInstanceUIDs={StudyInstanceUID}',
        series:
          'http://127.0.0.1:9003/viewer?StudyInstanceUIDs={StudyInstanceUID}&initialSeriesInstanceUID={SeriesInstanceUID}',
      },
    ],
    citation: { text: 'Carrel sample archive: a synthetic imaging commons.', doi: '10.5072/sample.archive' },
  };
}
