/** Each side of a comparison as a table of its series, keyed by SeriesInstanceUID. */
import type { Archive } from '../archives/index.ts';
import type { Pinned } from './diff-rows.ts';
import { literal, quoted, type Session } from './engine.ts';
import { bucketColumnsOf, type OpenTables } from './open-tables.ts';

/** Columns of a side, beside those asked for with `by`. */
const COLUMNS = {
  uuid: 'crdc_series_uuid',
  study: 'StudyInstanceUID',
  patient: 'PatientID',
  collection: 'collection_id',
  modality: 'Modality',
  license: 'license_short_name',
  files: 'instanceCount',
  bytes: 'carrel_bytes',
  rounded: 'carrel_rounded',
} as const;

/** Makes the view `temp.<name>` of the series of a release. The session stays at that release's database. */
export async function tableOfRelease(
  session: Session,
  name: string,
  database: string,
  tables: OpenTables,
  by: readonly string[],
): Promise<void> {
  await session.connection.run(`USE ${database}`);
  const { place, bucket } = placeSql(tables.archive, tables.relations.bucketColumns);
  const extra = by.map((column, at) =>
    tables.relations.columns.some((known) => known.toLowerCase() === column.toLowerCase())
      ? `${quoted(column)}::VARCHAR AS by${at}`
      : `NULL::VARCHAR AS by${at}`,
  );
  const columns = Object.entries(COLUMNS).map(([alias, column]) => `${column} AS ${alias}`);
  await session.connection.run(
    `CREATE TEMP VIEW ${name} AS SELECT SeriesInstanceUID AS uid, ${[...columns, `${place} AS place`, `${bucket} AS bucket`, ...extra].join(', ')} FROM ${database}.carrel.series`,
  );
}

/**
 * The class of the buckets that a row names, and the bucket. Buckets are compared by class: names differ between the
 * clouds and change with time (`public-datasets-idc`, `idc-open-data`), which is no move.
 */
function placeSql(archive: Archive, columns: readonly string[]): { place: string; bucket: string } {
  const mirrors = bucketColumnsOf(archive);
  const cases: string[] = [];
  for (const { name, buckets, historical } of archive.bucketClasses) {
    for (const column of columns) {
      const mirror = mirrors[column] ?? '';
      const known = [
        buckets[mirror],
        ...historical.filter((former) => former.mirror === mirror).map((former) => former.bucket),
      ].filter((bucket) => bucket !== undefined);
      if (known.length > 0)
        cases.push(`WHEN ${quoted(column)} IN (${known.map(literal).join(', ')}) THEN ${literal(name)}`);
    }
  }
  const names = columns.map((column) => `nullif(${quoted(column)}, '')`);
  const bucket = names.length === 0 ? 'NULL::VARCHAR' : `coalesce(${[...names, 'NULL'].join(', ')})::VARCHAR`;
  return { place: cases.length === 0 ? bucket : `CASE ${cases.join(' ')} ELSE ${bucket} END`, bucket };
}

/**
 * Makes the table `temp.<name>` from a list of versions. A list may pin two versions of one series: the last of them by
 * uuid stands for the series, the others stand for themselves. A version without UID is looked up in `known`.
 */
export async function tableOfPinned(
  session: Session,
  name: string,
  pinned: Pinned,
  archive: Archive,
  by: readonly string[],
  known: string | undefined,
): Promise<void> {
  const rows = pinned.series.map((one) => {
    const found = archive.bucketClasses.find(({ buckets, historical }) =>
      Object.entries(one.buckets).some(
        ([mirror, bucket]) =>
          buckets[mirror] === bucket ||
          historical.some((former) => former.mirror === mirror && former.bucket === bucket),
      ),
    );
    const bucket = Object.values(one.buckets)[0] ?? null;
    return { ...one, place: found?.name ?? bucket, bucket };
  });
  const extra = by.map((column, at) => {
    const held = rows.some((row) => column in row);
    return `${held ? `json_extract_string(j, ${literal(`$.${column}`)})` : 'NULL::VARCHAR'} AS by${at}`;
  });
  const text = (member: string) => `json_extract_string(j, '$.${member}')`;
  await session.rows(
    `CREATE TEMP TABLE ${name} AS SELECT ${text('SeriesInstanceUID')} AS uid, ${text('crdc_series_uuid')} AS uuid,
       ${text('StudyInstanceUID')} AS study, ${text('PatientID')} AS patient, ${text('collection_id')} AS collection, ${text('Modality')} AS modality,
       ${text('license_short_name')} AS license, ${text('instanceCount')}::BIGINT AS files, ${text('bytes')}::BIGINT AS bytes, false AS rounded,
       ${[`${text('place')} AS place`, `${text('bucket')} AS bucket`, ...extra].join(', ')}
     FROM (SELECT unnest($lines)::JSON AS j)`,
    { lines: rows.map((row) => JSON.stringify(row)) },
  );
  if (known !== undefined) {
    await session.connection.run(
      `UPDATE ${name} SET uid = k.SeriesInstanceUID FROM ${known} k WHERE ${name}.uid IS NULL AND k.crdc_series_uuid = ${name}.uuid`,
    );
  }
  await session.connection.run(
    `UPDATE ${name} SET uid = uuid WHERE uid IS NULL OR uuid NOT IN (SELECT max(uuid) FROM ${name} GROUP BY uid)`,
  );
}
