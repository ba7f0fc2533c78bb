/**
 * Which column of a row names the data. Tables come from the IDC portal, its API, BigQuery, Gen3 commons, PathDB and
 * TCIA's Data Retriever; each calls the same thing by other names. The most specific usable column wins, the others
 * are kept as further names (`others`): an instance is only found through its series, a patient only in its collection.
 */
import type { AsKind, Identifier } from '../identifiers/index.ts';
import type { Collector } from './collector.ts';
import { readName } from './collector.ts';

/** Values by column, as the table spells the columns. */
export interface Row {
  get(column: string): string | undefined;
}

/** What a column holds. */
type Role =
  | 'object-url'
  | 'instance-uuid'
  | 'drs'
  | 'sop-uid'
  | 'series-uuid'
  | 'series-url'
  | 'series-uid'
  | 'study-uuid'
  | 'study-uid'
  | 'patient'
  | 'analysis-result'
  | 'collection'
  | 'doi';

/** Instance, series, study, patient, and what is no level. */
const LEVEL: Record<Role, number> = {
  'object-url': 0,
  'instance-uuid': 0,
  drs: 0,
  'sop-uid': 0,
  'series-uuid': 1,
  'series-url': 1,
  'series-uid': 1,
  'study-uuid': 2,
  'study-uid': 2,
  patient: 3,
  'analysis-result': 4,
  collection: 5,
  doi: 6,
};

/** Most specific first. A series uuid stands before the series' URL because buckets were renamed, uuids never are. */
const ROLES: readonly { role: Role; as?: AsKind; columns: readonly string[] }[] = [
  {
    role: 'object-url',
    columns: [
      'awsurl',
      'gcsurl',
      's3url',
      'gsurl',
      'url',
      'urls',
      'fileurl',
      'imageurl',
      'wsiimageurl',
      'objecturl',
    ],
  },
  { role: 'instance-uuid', as: 'instance', columns: ['crdcinstanceuuid', 'instanceuuid'] },
  { role: 'drs', columns: ['drsuri', 'objectid', 'guid', 'did', 'fileid', 'gafdrsuri', 'drs'] },
  { role: 'sop-uid', as: 'instance', columns: ['sopinstanceuid', 'sopuid', 'instanceuid'] },
  { role: 'series-uuid', as: 'series', columns: ['crdcseriesuuid', 'seriesuuid'] },
  { role: 'series-url', columns: ['seriesawsurl', 'seriesgcsurl'] },
  { role: 'series-uid', as: 'series', columns: ['seriesinstanceuid', 'seriesuid', 'seriesid'] },
  { role: 'study-uuid', as: 'study', columns: ['crdcstudyuuid', 'studyuuid'] },
  { role: 'study-uid', as: 'study', columns: ['studyinstanceuid', 'studyuid'] },
  {
    role: 'patient',
    as: 'patient',
    columns: ['patientid', 'subjectid', 'casesubmitterid', 'submittercaseid'],
  },
  { role: 'analysis-result', as: 'analysis-result', columns: ['analysisresultid'] },
  { role: 'collection', as: 'collection', columns: ['collectionid', 'collection', 'idcwebappcollectionid'] },
  { role: 'doi', as: 'doi', columns: ['sourcedoi', 'doi'] },
];

const ROLE_OF_COLUMN = new Map(
  ROLES.flatMap(({ role, columns }) => columns.map((column) => [column, role] as const)),
);
const AS_OF_ROLE = new Map(ROLES.map(({ role, as }) => [role, as]));
const RANK = new Map(ROLES.map(({ role }, rank) => [role, rank]));

const DIGEST_COLUMNS = new Map<string, 'md5' | 'sha256' | 'crc32c'>([
  ...['md5', 'md5sum', 'md5hash', 'instancehash'].map((name) => [name, 'md5'] as const),
  ...['sha256', 'sha256sum'].map((name) => [name, 'sha256'] as const),
  ['crc32c', 'crc32c'],
]);
const HEX_LENGTH = { md5: 32, sha256: 64, crc32c: 8 };
const SIZE_COLUMNS = new Set(['size', 'filesize', 'instancesize', 'filesizebytes', 'sizebytes', 'bytes']);

/** The spelling-free form of a column: `Series Instance UID`, `series_instance_uid` and `SeriesInstanceUID` are one. */
export function columnKey(column: string): string {
  return column.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** True for a column that can name data. */
export function isNamingColumn(column: string): boolean {
  return ROLE_OF_COLUMN.has(columnKey(column));
}

/** Columns of a table, looked up once: place, column and role, most specific first. */
export interface NamingColumns {
  naming: readonly { column: string; role: Role }[];
  digests: readonly { column: string; algorithm: 'md5' | 'sha256' | 'crc32c' }[];
  size: string | undefined;
}

/** Sorts the columns of a table by what they are good for. */
export function namingColumns(columns: readonly string[]): NamingColumns {
  const naming = columns.flatMap((column) => {
    const role = ROLE_OF_COLUMN.get(columnKey(column));
    return role === undefined ? [] : [{ column, role }];
  });
  naming.sort((a, b) => (RANK.get(a.role) ?? 0) - (RANK.get(b.role) ?? 0));
  return {
    naming,
    digests: columns.flatMap((column) => {
      const algorithm = DIGEST_COLUMNS.get(columnKey(column));
      return algorithm === undefined ? [] : [{ column, algorithm }];
    }),
    size: columns.find((column) => SIZE_COLUMNS.has(columnKey(column))),
  };
}

interface Name {
  identifier: Identifier;
  role: Role;
  rank: number;
}

/** Reads one row into the collector; a row that names nothing becomes a problem. */
export function readRow(
  line: number,
  text: string,
  row: Row,
  columns: NamingColumns,
  collector: Collector,
): void {
  const reasons: string[] = [];
  const names: Name[] = [];
  for (const { column, role } of columns.naming) {
    // What encloses the row's thing from farther away (its study, its collection, its DOI) does not help to find it.
    if (names.length > 0 && !helps(role, Math.min(...names.map(({ rank }) => rank)))) continue;
    const value = firstName(row.get(column)?.trim() ?? '', role);
    if (value === '') continue;
    const identifier = readName(value, AS_OF_ROLE.get(role));
    if (typeof identifier === 'string') reasons.push(`${column}: ${identifier}`);
    else if (holds(role, identifier)) names.push({ identifier, role, rank: rankOf(role, identifier) });
    else reasons.push(`${column}: ${JSON.stringify(value.slice(0, 80))} is no ${WORD[role] ?? role}`);
  }
  names.sort((a, b) => a.rank - b.rank);
  const [best, ...others] = names;
  if (best === undefined) {
    const columnNames = [...new Set(columns.naming.map(({ column }) => column))].join(', ');
    const reason = reasons.length > 0 ? reasons.join('; ') : `names nothing: no value in ${columnNames}`;
    collector.problem(line, text, reason);
    return;
  }
  for (const reason of reasons) collector.note(`${reason} (another column names the row)`, line);
  const single = best.role === 'drs' || isObjectLevel(best.identifier);
  collector.add({
    line,
    text,
    name: best.identifier,
    others: others.map(({ identifier }) => identifier),
    digests: single ? digestsOf(row, columns) : [],
    size: single ? sizeOf(row, columns) : undefined,
  });
}

/** True where a further name is of use beside the best one: the same thing, the series of an instance, the collection of a patient. */
function helps(role: Role, bestRank: number): boolean {
  const level = LEVEL[role];
  const best = LEVEL[ROLES[bestRank]?.role ?? role];
  return level === best || (best === 0 && level === 1) || (best === 3 && role === 'collection');
}

const WORD: Partial<Record<Role, string>> = {
  'object-url': 'URL',
  'series-url': 'URL',
  drs: 'DRS identifier',
};

/** A column of URLs that holds a word, or of GUIDs that holds a path, names nothing. */
function holds(role: Role, identifier: Identifier): boolean {
  if (role === 'object-url' || role === 'series-url') return identifier.kind === 'object-url';
  if (role !== 'drs') return true;
  return ['drs', 'drs-url', 'guid', 'crdc-uuid', 'object-url'].includes(identifier.kind);
}

/** `gcs_url` holds a file in one export and a folder in the next: what it says decides, not what it is called. */
function rankOf(role: Role, identifier: Identifier): number {
  const url = role === 'object-url' || role === 'series-url';
  if (!url) return RANK.get(role) ?? 0;
  const single = identifier.kind === 'object-url' && identifier.form === 'object';
  return RANK.get(single ? 'object-url' : 'series-url') ?? 0;
}

function isObjectLevel(identifier: Identifier): boolean {
  if (identifier.kind === 'object-url') return identifier.form === 'object';
  if (identifier.kind === 'crdc-uuid' || identifier.kind === 'dicom-uid')
    return identifier.level === 'instance';
  return false;
}

/** DCF tables hold lists of URLs in one cell: `[gs://…, s3://…]`; all name the same bytes, the first is taken. */
function firstName(value: string, role: Role): string {
  if (/^(?:null|none|nan|n\/a)$/i.test(value)) return '';
  if (role !== 'object-url' || !/^[['"]/.test(value)) return value;
  return /(?:s3|gs|https?):\/\/[^\s,'"\]]+/i.exec(value)?.[0] ?? value;
}

function digestsOf(row: Row, columns: NamingColumns): string[] {
  return columns.digests.flatMap(({ column, algorithm }) => {
    const value = row.get(column)?.trim() ?? '';
    const hex = /^[A-Za-z0-9+/]+={1,2}$/.test(value)
      ? Buffer.from(value, 'base64').toString('hex')
      : value.toLowerCase();
    return hex.length === HEX_LENGTH[algorithm] && /^[0-9a-f]+$/.test(hex) ? [`${algorithm}:${hex}`] : [];
  });
}

function sizeOf(row: Row, columns: NamingColumns): number | undefined {
  const value = columns.size === undefined ? '' : (row.get(columns.size)?.trim() ?? '');
  const size = /^\d+(?:\.0)?$/.test(value) ? Number(value) : undefined;
  return size !== undefined && Number.isSafeInteger(size) ? size : undefined;
}
