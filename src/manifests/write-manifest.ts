/** Writes manifests that other tools take: s5cmd, idc-index, spreadsheets, gen3, the NBIA tools. */
import { CarrelError } from '../errors.ts';
import { asUuid, type Identifier, toDrsUri } from '../identifiers/index.ts';
import type { ManifestEntry } from './entry.ts';
import { quoteWord } from './shell-words.ts';

/** Formats that can be written. */
export type WritableFormat = 's5cmd' | 'csv' | 'tsv' | 'json' | 'uids' | 'dcf';

/**
 * A line to be written: a series version (a `SeriesRow` of the catalogue fits), one object of it (`key`), or an entry
 * of another manifest. What a format needs and a row lacks is an error naming the row, never a gap.
 */
export interface ManifestRow {
  crdc_series_uuid?: string | null | undefined;
  SeriesInstanceUID?: string | null | undefined;
  StudyInstanceUID?: string | null | undefined;
  PatientID?: string | null | undefined;
  collection_id?: string | null | undefined;
  Modality?: string | null | undefined;
  license_short_name?: string | null | undefined;
  source_DOI?: string | null | undefined;
  /** Bytes. */
  bytes?: number | null | undefined;
  /** Mirror → bucket: `{ aws: 'idc-open-data', gcs: 'idc-open-data' }`. */
  buckets?: Readonly<Record<string, string>> | undefined;
  /** Key of one object, `<crdc_series_uuid>/<crdc_instance_uuid>.dcm`, where the row is an object and not a series. */
  key?: string | undefined;
  /** Destination of an s5cmd line (default `.`). */
  destination?: string | undefined;
}

/** Options of `writeManifest`. */
export interface WriteManifestOptions {
  format: WritableFormat;
  /** Whose buckets stand in URLs (default `aws`). */
  cloud?: 'aws' | 'gcs' | undefined;
  /** Lines before the body, written as `#` comments (s5cmd, dcf); not used by the other formats. */
  header?: readonly string[] | undefined;
  /** Name of the file, for the command that the header of an s5cmd manifest shows. */
  fileName?: string | undefined;
  /** GUID prefix (default `dg.4DFC`), for dcf. */
  guidPrefix?: string | undefined;
}

/** Endpoints that s5cmd has to be given. GCS is read through its S3 twin, so its URLs say `s3://` as well. */
const ENDPOINTS = { aws: 'https://s3.amazonaws.com', gcs: 'https://storage.googleapis.com' };

const COLUMNS = [
  'collection_id',
  'PatientID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'Modality',
  'source_DOI',
  'license_short_name',
  'crdc_series_uuid',
] as const;

/** The text of a manifest, with a line feed at the end; an empty list gives an empty body. Throws `bad-input` for a row that the format cannot hold. */
export function writeManifest(
  items: readonly (ManifestRow | ManifestEntry)[],
  options: WriteManifestOptions,
): string {
  const rows = items.map(toRow);
  switch (options.format) {
    case 's5cmd':
      return s5cmdText(rows, options);
    case 'csv':
      return tableText(rows, options, ',');
    case 'tsv':
      return tableText(rows, options, '\t');
    case 'json':
      return `${JSON.stringify(
        rows.map((row) => jsonRow(row, options)),
        null,
        2,
      )}\n`;
    case 'uids':
      return lines(unique(rows.map((row) => needed(row, row.SeriesInstanceUID, 'SeriesInstanceUID'))));
    case 'dcf':
      return lines([...comments(options), ...unique(rows.map((row) => guidLine(row, options)))]);
  }
}

function s5cmdText(rows: readonly NamedRow[], options: WriteManifestOptions): string {
  const endpoint = ENDPOINTS[options.cloud ?? 'aws'];
  const head = options.header ?? [
    'To download the files in this manifest, first install s5cmd (https://github.com/peak/s5cmd),',
    'then run the following command:',
    `s5cmd --no-sign-request --endpoint-url ${endpoint} run ${options.fileName ?? 'manifest.s5cmd'}`,
  ];
  const commands = rows.map((row) => {
    const destination = row.destination === undefined ? '.' : quoteWord(row.destination);
    return `cp ${quoteWord(urlOf(row, options, 's3'))} ${destination}`;
  });
  return lines([...comments({ ...options, header: head }), ...unique(commands)]);
}

function tableText(rows: readonly NamedRow[], options: WriteManifestOptions, delimiter: string): string {
  const cell = (value: string): string =>
    /["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value;
  const header = [...COLUMNS, urlColumn(options)];
  const body = rows.map((row) => [
    ...COLUMNS.map((column) => row[column] ?? ''),
    tableUrl(row, options) ?? '',
  ]);
  return lines([header, ...body].map((cells) => cells.map(cell).join(delimiter)));
}

function jsonRow(row: NamedRow, options: WriteManifestOptions): Record<string, string> {
  const pairs = COLUMNS.flatMap((column) => {
    const value = row[column];
    return value === undefined || value === null ? [] : [[column, value] as const];
  });
  const url = tableUrl(row, options);
  return Object.fromEntries(url === undefined ? pairs : [...pairs, [urlColumn(options), url]]);
}

function urlColumn(options: WriteManifestOptions): string {
  return options.cloud === 'gcs' ? 'gcs_url' : 'aws_url';
}

function tableUrl(row: NamedRow, options: WriteManifestOptions): string | undefined {
  if (row.url === undefined && row.buckets === undefined) {
    needed(row, row.crdc_series_uuid ?? row.SeriesInstanceUID ?? row.StudyInstanceUID, 'name of a series');
    return undefined;
  }
  return urlOf(row, options, options.cloud === 'gcs' ? 'gs' : 's3');
}

function urlOf(row: NamedRow, options: WriteManifestOptions, scheme: 's3' | 'gs'): string {
  if (row.url !== undefined) return row.url.replace(/^gs:/, `${scheme}:`);
  const cloud = options.cloud ?? 'aws';
  const bucket = needed(row, row.buckets?.[cloud], `bucket on ${cloud}`);
  return `${scheme}://${bucket}/${row.key ?? `${needed(row, row.crdc_series_uuid, 'crdc_series_uuid')}/*`}`;
}

/** One GUID per line, as IDC's `.dcf` files. Instances where objects are given, the series' own otherwise. */
function guidLine(row: NamedRow, options: WriteManifestOptions): string {
  const stem =
    row.key === undefined ? undefined : asUuid((row.key.split('/').pop() ?? '').replace(/\.dcm$/, ''));
  const uuid = row.key === undefined ? row.crdc_series_uuid : stem;
  return toDrsUri(needed(row, uuid, 'uuid'), options.guidPrefix).replace(/^drs:\/\//, '');
}

interface NamedRow extends ManifestRow {
  /** What messages call it. */
  label: string;
  /** An object, folder or wildcard that is written as it is. */
  url?: string | undefined;
}

function toRow(item: ManifestRow | ManifestEntry): NamedRow {
  if (!('identifier' in item)) {
    return {
      ...item,
      label: item.key ?? item.crdc_series_uuid ?? item.SeriesInstanceUID ?? 'a row without a name',
    };
  }
  const row: NamedRow = { label: `line ${item.line} (${item.text.trim()})`, destination: item.destination };
  for (const identifier of [...(item.others ?? []).toReversed(), item.identifier]) nameRow(row, identifier);
  return row;
}

function nameRow(row: NamedRow, identifier: Identifier): void {
  switch (identifier.kind) {
    case 'crdc-uuid':
      if (identifier.level === 'instance') row.key = `${row.crdc_series_uuid ?? ''}/${identifier.uuid}.dcm`;
      else if (identifier.level !== 'study') row.crdc_series_uuid = identifier.uuid;
      return;
    case 'dicom-uid':
      if (identifier.level === 'study') row.StudyInstanceUID = identifier.uid;
      else if (identifier.level !== 'instance') row.SeriesInstanceUID = identifier.uid;
      return;
    case 'object-url': {
      if (identifier.scheme === 'https') row.url = identifier.text.trim();
      else {
        const whole = identifier.layout === 'hierarchical' && identifier.instanceUuid === undefined;
        const key =
          whole && identifier.seriesUuid !== undefined ? `${identifier.seriesUuid}/*` : identifier.key;
        row.url = `${identifier.scheme}://${identifier.bucket}/${key}${key.endsWith('/') ? '*' : ''}`;
      }
      if (identifier.seriesUuid !== undefined) row.crdc_series_uuid ??= identifier.seriesUuid;
      if (identifier.instanceUuid !== undefined) row.key = identifier.key;
      return;
    }
    case 'drs':
    case 'drs-url':
    case 'guid':
      if (identifier.uuid !== undefined) row.key ??= `/${identifier.uuid}.dcm`;
      return;
    case 'name':
      if (identifier.level === 'collection') row.collection_id = identifier.name;
      else if (identifier.level === 'patient') row.PatientID = identifier.name;
      return;
    case 'compound-object':
    case 'doi':
    case 'faspex-link':
    case 'path':
    case 'stdin':
  }
}

function needed(row: NamedRow, value: string | null | undefined, what: string): string {
  if (value !== undefined && value !== null && value !== '') return value;
  throw new CarrelError('bad-input', `${row.label} has no ${what}`, {
    item: row.label,
    next: 'look it up in the catalogue first, or write another format',
  });
}

function comments(options: WriteManifestOptions): string[] {
  return (options.header ?? [])
    .flatMap((text) => text.split(/\r\n|\n|\r/))
    .map((text) => `# ${text}`.trimEnd());
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
