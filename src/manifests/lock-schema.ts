/**
 * The shape of `carrel.lock.json` as a valibot schema: the one source of the reader and of the published JSON Schema
 * (`docs/carrel-lock.schema.json`, written by `scripts/write-lock-schema.ts`).
 */
import * as v from 'valibot';

/** The version of the format that this build writes and reads. */
export const LOCK_VERSION = 1;

const text = v.pipe(v.string(), v.minLength(1));
const nullableText = v.nullable(v.string());

const digest = v.pipe(
  v.string(),
  v.regex(
    /^(md5:[0-9a-f]{32}|crc32c:[0-9a-f]{8}|sha256:[0-9a-f]{64})$/,
    'must be md5:<32 hex>, crc32c:<8 hex> or sha256:<64 hex> in lower case',
  ),
  v.description('Digest of the whole object, algorithm:hex'),
);

const file = v.object({
  path: v.pipe(
    text,
    v.regex(/^[^/\\\0][^\\\0]*$/, 'must be a relative path with / and without backslashes'),
    v.description('Below the destination, with /'),
  ),
  key: v.pipe(text, v.description('Key of the object in its bucket')),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.description('Bytes')),
  digests: v.pipe(v.array(digest), v.description('Sorted; empty where nothing was to be had')),
  mirrors: v.pipe(
    v.record(text, text),
    v.description('Mirror name to bucket; for objects outside of any archive: scheme to URL without the key'),
  ),
});

const uuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a UUID in lower case'),
);

const series = v.object({
  crdc_series_uuid: v.pipe(uuid, v.description('Name of this version of the series')),
  SeriesInstanceUID: nullableText,
  StudyInstanceUID: nullableText,
  PatientID: nullableText,
  collection_id: nullableText,
  Modality: nullableText,
  license_short_name: nullableText,
  source_DOI: nullableText,
  files: v.pipe(v.array(file), v.description('Sorted by key')),
});

/** The lock file, version 1. Unknown members are ignored: members may be added within a version, never renamed. */
export const lockSchema = v.pipe(
  v.object({
    carrel_lock: v.pipe(v.literal(LOCK_VERSION), v.description('Version of this format')),
    archive: v.object({
      name: text,
      origin: v.pipe(v.string(), v.description('built-in, or the path or URL of the archive record')),
    }),
    release: v.pipe(v.nullable(text), v.description('v25; null for cohorts without a catalogue')),
    catalog: v.nullable(v.object({ version: text, digest })),
    question: v.pipe(
      v.object({ what: v.array(v.string()), selection: v.record(v.string(), v.unknown()) }),
      v.description('The question as it was asked'),
    ),
    layout: v.string(),
    series: v.pipe(v.array(series), v.description('Sorted by crdc_series_uuid')),
    files: v.pipe(v.array(file), v.description('Objects that belong to no series, sorted by path')),
    part: v.optional(
      v.pipe(
        v.object({
          index: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
          of: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
          series: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
          objects: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
          cohort: digest,
        }),
        v.description(
          'One share of a cohort that several runs fetch, and the digest of the names of all of it',
        ),
      ),
    ),
  }),
  v.title('carrel.lock.json'),
  v.description('A cohort pinned to its bytes. Sorted, without times or paths of the machine.'),
);
