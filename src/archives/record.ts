/**
 * The record as it stands in `archive.json` (JSON Schema: `docs/archive.schema.json`, written from this file by
 * `scripts/write-schemas.ts`). To be parsed once, at the door, by `parseArchive`.
 */
import * as v from 'valibot';

/** Wire protocol of a mirror. `https` is a plain web server without listings. */
export type Protocol = 's3' | 'gcs' | 'https' | 'file';

/** Longest text of any field. */
const MAX_TEXT = 4096;

const text = (description: string) =>
  v.pipe(v.string(), v.minLength(1, 'must not be empty'), v.maxLength(MAX_TEXT), v.description(description));

/** What people read; may be empty. */
const note = (description: string) => v.pipe(v.string(), v.maxLength(MAX_TEXT), v.description(description));

const pattern = (regex: RegExp, what: string, description: string) =>
  v.pipe(v.string(), v.maxLength(MAX_TEXT), v.regex(regex, `must be ${what}`), v.description(description));

/** Names of archives and mirrors: they become words of the command line and folders of the cache. */
const word = (description: string) =>
  pattern(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'small letters, digits, "-" and "_", at most 64', description);

/** A URL or a path; relative ones are meant relative to the record itself. */
const place = (description: string) =>
  pattern(/^[ -~\u00a0-\uffff]+$/, 'a URL or a path', `${description} May be relative to the record.`);

const https = (description: string) =>
  pattern(/^https?:\/\/[!-~\u00a0-\uffff]+$/, 'an http(s) URL', description);

const bucketName = (description: string) =>
  pattern(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?$/, 'a bucket name', description);

const mirror = v.object({
  name: v.pipe(
    word('Word of --from and --mirror.'),
    v.check((name) => name !== 'auto', 'must not be "auto": that word means "choose for me"'),
    // Valibot drops keys of these names from every object, and mirrors are keys of buckets.
    v.check(
      (name) => name !== 'constructor' && name !== 'prototype',
      'must be another word: JavaScript uses this one',
    ),
  ),
  protocol: v.picklist(['s3', 'gcs', 'https', 'file'], 'must be one of s3, gcs, https, file'),
  endpoint: place('Where the buckets stand: the URL of the service, or a folder for "file".'),
  scheme: v.optional(
    v.pipe(
      v.picklist(['s3', 'gs', 'https', 'file'], 'must be one of s3, gs, https, file'),
      v.description('Scheme under which URLs name its objects. Default: that of the protocol.'),
    ),
  ),
  region: v.optional(text('Region of the buckets, for S3.')),
  access: v.optional(v.picklist(['anonymous', 'signed'], 'must be "anonymous" or "signed"'), 'anonymous'),
  addressing: v.optional(v.picklist(['path', 'virtual'], 'must be "path" or "virtual"')),
});

const bucketClass = v.object({
  name: word('Name of the class.'),
  description: v.optional(note('What is kept in it.'), ''),
  buckets: v.pipe(
    v.record(word('Mirror.'), bucketName('Bucket on that mirror.')),
    v.description('Name of the bucket on each mirror. The keys in them are the same.'),
  ),
  historical: v.optional(
    v.array(
      v.object({
        mirror: word('Mirror that had it.'),
        bucket: bucketName('Name that stands in old manifests and tables.'),
        until: v.optional(text('Last release that used the name.')),
        layout: v.optional(
          v.pipe(
            v.picklist(['hierarchical', 'flat'], 'must be "hierarchical" or "flat"'),
            v.description(
              'Keys of that time; "flat" ones (<instance>.dcm) are not valid in the bucket of today.',
            ),
          ),
        ),
      }),
    ),
    [],
  ),
});

const table = v.object({
  name: pattern(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name that SQL takes without quotes', 'Name in SQL.'),
  file: pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/, 'a file name', 'File in the source.'),
  core: v.optional(v.pipe(v.boolean('must be true or false'), v.description('Always fetched.')), false),
  description: v.optional(note('What a row is.'), ''),
  columns: v.optional(
    v.pipe(
      v.array(
        v.object({
          name: text('Name of the column.'),
          type: text("The engine's type: VARCHAR, BIGINT, DOUBLE, VARCHAR[] …"),
          description: v.optional(note('What it says.'), ''),
        }),
      ),
      v.description('Columns of the table, for whoever asks before it is installed.'),
    ),
  ),
});

const catalogVersion = v.object({
  version: pattern(/^[0-9A-Za-z][0-9A-Za-z._+-]{0,63}$/, 'a version such as 25.0.5', 'Version of the files.'),
  release: text('Release that it describes.'),
  sha256: v.optional(
    v.pipe(
      v.record(
        text('File.'),
        pattern(/^[0-9a-f]{64}$/, '64 hex digits in small letters', 'SHA-256 of the file.'),
      ),
      v.description('Pinned contents of files.'),
    ),
  ),
});

const catalogSource = v.object({
  kind: v.picklist(
    ['artefacts', 'release-assets', 'wheel'],
    'must be one of artefacts, release-assets, wheel',
  ),
  url: place(
    'Where a file is: a URL or path with {version} and {file}; a wheel holds all files of a version.',
  ),
  digestSuffix: v.optional(text('What to add to the URL of a file for the file with its SHA-256.')),
  description: v.optional(note('What this source is.'), ''),
});

const viewer = v.object({
  name: word('Name of the viewer.'),
  modalities: v.optional(
    v.pipe(v.array(text('DICOM modality.')), v.description('What it is for; none: everything else.')),
    [],
  ),
  study: pattern(
    /^https?:\/\/[!-~\u00a0-\uffff]*\{StudyInstanceUID\}[!-~\u00a0-\uffff]*$/,
    'a URL with {StudyInstanceUID}',
    'Link to a study.',
  ),
  series: pattern(
    /^https?:\/\/[!-~\u00a0-\uffff]*\{SeriesInstanceUID\}[!-~\u00a0-\uffff]*$/,
    'a URL with {SeriesInstanceUID}',
    'Link to a series; may hold {StudyInstanceUID} too.',
  ),
});

/** The schema of `archive.json`. References between fields are checked by `parseArchive` on top of it. */
export const archiveRecordSchema = v.pipe(
  v.object({
    $schema: v.optional(v.string()),
    carrel_archive: v.pipe(
      v.literal(1, 'must be 1: the version of this format'),
      v.description('Version of this format.'),
    ),
    name: word('Short name of the archive; the word of --archive.'),
    title: text('Full name.'),
    home: v.optional(https('Page for people.')),
    mirrors: v.pipe(
      v.array(mirror),
      v.minLength(1, 'must name at least one mirror'),
      v.description('Copies of the buckets, the preferred one first.'),
    ),
    bucketClasses: v.pipe(
      v.array(bucketClass),
      v.minLength(1, 'must name at least one class of buckets'),
      v.description('Buckets with the same keys under one name per mirror.'),
    ),
    catalog: v.optional(
      v.object({
        versions: v.optional(v.array(catalogVersion), []),
        sources: v.optional(v.pipe(v.array(catalogSource), v.description('Tried in this order.')), []),
        tables: v.optional(v.array(table), []),
        clinical: v.optional(
          place(
            'Folder of Parquet files of a clinical table: URL or path with {release} and {table}, as clinical_index lists them.',
          ),
        ),
        bucketColumns: v.optional(
          v.pipe(
            v.record(text('Column.'), word('Mirror.')),
            v.description('Columns of the table "index" that name a bucket, with the mirror that it is on.'),
          ),
          {},
        ),
        releasePrefix: v.optional(
          pattern(/^[A-Za-z_.-]{0,16}$/, 'letters', 'What stands before the number of a release.'),
          'v',
        ),
      }),
      {},
    ),
    tombstones: v.optional(
      place('JSON list of what was removed for good, with date and reason: URL or path.'),
    ),
    drs: v.optional(
      v.object({
        prefix: pattern(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/, 'a prefix such as dg.4DFC', 'Prefix of GUIDs.'),
        host: pattern(
          /^[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?$/,
          'a host name',
          'Host of the DRS server.',
        ),
        aliases: v.optional(
          v.pipe(v.array(text('Prefix.')), v.description('Other prefixes that are read as the first.')),
          [],
        ),
        endpoint: v.optional(place('Base of the DRS API. Default: https://<host>/ga4gh/drs/v1.')),
      }),
    ),
    bigquery: v.optional(
      v.pipe(
        v.object({
          project: pattern(
            /^[a-z][a-z0-9.:-]{4,61}[a-z0-9]$/,
            'an id of a Google Cloud project',
            'Project of the data sets.',
          ),
          dataset: pattern(
            /^[A-Za-z0-9_]*\{release\}[A-Za-z0-9_]*$/,
            'a name with {release}',
            'Data set of a release: idc_v{release}.',
          ),
          layout: v.pipe(
            v.literal('dicom_all', 'must be "dicom_all"'),
            v.description('Layout of the tables: IDC\'s "dicom_all" has one row per file.'),
          ),
          location: v.optional(pattern(/^[A-Za-z0-9-]{1,40}$/, 'a region', 'Region of the data sets: US.')),
          since: v.optional(text('First release whose columns are known.')),
        }),
        v.description('Tables of the archive on Google BigQuery, for --engine bigquery.'),
      ),
    ),
    viewers: v.optional(v.array(viewer), []),
    citation: v.optional(
      v.object({
        text: text('Reference of the archive itself.'),
        doi: pattern(/^10\.[0-9]{4,9}\/\S+$/, 'a DOI such as 10.1148/rg.230180', 'Its DOI.'),
      }),
    ),
  }),
  v.title('Carrel archive record'),
  v.description(
    'What an imaging archive is: its mirrors, buckets, catalogue, releases, DRS prefix and viewers.',
  ),
);

/** `archive.json` as it may be written: defaults left out, places relative. */
export type ArchiveRecord = v.InferInput<typeof archiveRecordSchema>;

/** `archive.json` after the schema: defaults filled in, places as written. */
export type ParsedRecord = v.InferOutput<typeof archiveRecordSchema>;
