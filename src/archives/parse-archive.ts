/** Reads `archive.json`: schema, references between fields, defaults, places made absolute. */
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import type { Archive, CatalogVersion, Mirror } from './archive.ts';
import { checkReferences } from './check-references.ts';
import { misspeltFields } from './misspelt-fields.ts';
import type { ParsedRecord, Protocol } from './record.ts';
import { archiveRecordSchema } from './record.ts';
import { isLocal, localFolder, resolvePlace } from './resolve-place.ts';
import { withoutDisks } from './without-disks.ts';

/** Most faults that one message lists. */
const MAX_FAULTS = 8;

/** Scheme of URLs by protocol. */
export const SCHEME_OF: Record<Protocol, NonNullable<Mirror['scheme']>> = {
  s3: 's3',
  gcs: 'gs',
  https: 'https',
  file: 'file',
};

/**
 * Reads the record of an archive. Mirrors on a disk are left out of a record that came over the network.
 *
 * @param json the parsed `archive.json`
 * @param options.origin where it was read from, for messages and lock files: `built-in`, a path or a URL
 * @param options.base the record's own path or URL; relative places are beside it. Default: none may be relative
 * @throws `bad-input` naming every wrong field; `unsafe` where a record from the network has nothing but local folders
 */
export function parseArchive(json: unknown, options: { origin: string; base?: string | undefined }): Archive {
  const { origin, base } = options;
  const result = v.safeParse(archiveRecordSchema, json);
  const faults = result.success ? checkReferences(result.output) : result.issues.map(describeIssue);
  faults.push(...misspeltFields(json));
  if (!result.success || faults.length > 0) throw badRecord(origin, faults);
  const all = result.output;
  const record = base === undefined || isLocal(base) ? all : withoutDisks(all);
  const absolute: Absolute = (field, place) => {
    try {
      return resolvePlace(place, base);
    } catch (error) {
      if (!(error instanceof CarrelError)) throw badRecord(origin, [`${field}: not a place`]);
      const details = { item: origin, next: error.next, cause: error };
      throw new CarrelError(error.code, `${origin}: ${field}: ${error.message}`, details);
    }
  };
  if (record.mirrors.length === 0) {
    const cause = localFolder(all.mirrors[0]?.endpoint ?? '');
    throw new CarrelError(cause.code, `${origin}: mirrors: ${cause.message}`, {
      item: origin,
      next: cause.next,
      cause,
    });
  }
  const mirrors = record.mirrors.map((mirror) =>
    toMirror(mirror, `mirrors[${all.mirrors.indexOf(mirror)}]`, absolute, origin),
  );
  return toArchive(record, mirrors, origin, absolute);
}

/** Makes a place absolute; the field is for messages. */
type Absolute = (field: string, place: string) => string;

function toMirror(
  mirror: ParsedRecord['mirrors'][number],
  at: string,
  absolute: Absolute,
  origin: string,
): Mirror {
  const { protocol } = mirror;
  const endpoint = absolute(`${at}.endpoint`, mirror.endpoint);
  const fits = protocol === 'file' ? isLocal(endpoint) : /^https?:\/\/[^\s/]+\S*$/i.test(endpoint);
  if (!fits) {
    const wanted = protocol === 'file' ? 'a folder' : 'an http(s) URL';
    throw badRecord(origin, [`${at}.endpoint: must be ${wanted} for the protocol ${protocol}`]);
  }
  return { ...mirror, endpoint, scheme: mirror.scheme ?? SCHEME_OF[protocol] };
}

function toArchive(record: ParsedRecord, mirrors: Mirror[], origin: string, absolute: Absolute): Archive {
  const { catalog, drs } = record;
  return {
    name: record.name,
    title: record.title,
    home: record.home,
    mirrors,
    bucketClasses: record.bucketClasses,
    catalog: {
      versions: newestFirst(catalog.versions, catalog.releasePrefix),
      sources: catalog.sources.map((source, i) => ({
        ...source,
        url: absolute(`catalog.sources[${i}].url`, source.url),
      })),
      tables: catalog.tables,
      ...(catalog.clinical === undefined ? {} : { clinical: absolute('catalog.clinical', catalog.clinical) }),
      bucketColumns: catalog.bucketColumns,
      releasePrefix: catalog.releasePrefix,
    },
    drs: drs && {
      prefix: drs.prefix,
      host: drs.host,
      aliases: drs.aliases,
      endpoint:
        drs.endpoint === undefined
          ? `https://${drs.host}/ga4gh/drs/v1`
          : absolute('drs.endpoint', drs.endpoint),
    },
    bigquery: record.bigquery,
    ...(record.tombstones === undefined ? {} : { tombstones: absolute('tombstones', record.tombstones) }),
    viewers: record.viewers,
    citation: record.citation,
    origin,
  };
}

/** By number of the release, then by the parts of the version as numbers. */
function newestFirst(versions: CatalogVersion[], prefix: string): CatalogVersion[] {
  const key = ({ version, release }: CatalogVersion) => [
    Number(release.slice(prefix.length)),
    ...version.split(/[._+-]/).map((part) => Number(part) || 0),
  ];
  return versions.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      const difference = (right[i] ?? 0) - (left[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** `mirrors[0].endpoint: must be …` */
function describeIssue(issue: v.BaseIssue<unknown>): string {
  let field = '';
  for (const { key } of issue.path ?? []) {
    field += typeof key === 'number' ? `[${key}]` : `${field === '' ? '' : '.'}${String(key).slice(0, 80)}`;
  }
  const missing = issue.input === undefined && issue.kind === 'schema';
  const wrongType = issue.message.startsWith('Invalid ');
  const message = missing
    ? 'is missing'
    : wrongType
      ? `must be ${typeName(issue.expected)}, not ${kindOf(issue.input)}`
      : issue.message;
  return field === '' ? `the record ${message}` : `${field}: ${message}`;
}

function typeName(expected: string | null): string {
  if (expected === 'Object') return 'an object';
  if (expected === 'Array') return 'a list';
  return expected === 'string' ? 'a text' : (expected ?? 'something else');
}

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (input === null) return 'null';
  return typeof input === 'object' ? 'an object' : typeof input === 'string' ? 'a text' : `a ${typeof input}`;
}

function badRecord(origin: string, faults: string[]): CarrelError {
  const shown = faults.slice(0, MAX_FAULTS);
  const more = faults.length > shown.length ? `; and ${faults.length - shown.length} more` : '';
  return new CarrelError('bad-input', `${origin} is no valid archive record: ${shown.join('; ')}${more}`, {
    item: origin,
    next: 'compare it with docs/archive.schema.json',
  });
}
