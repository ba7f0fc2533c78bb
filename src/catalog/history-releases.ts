/** Release by release: how much there was, and what came, left or was revised. */
import type { Session } from './engine.ts';
import type { ReleaseAmount } from './history-amounts.ts';
import type { Named } from './history-names.ts';
import type { Side } from './side-by-side.ts';

/**
 * The releases that hold any of it, and the one in which the last of it left. Series are compared by 64-bit hashes of
 * their UIDs: NLST has 592,600 in each of 25 releases, and two of them share a hash once in a hundred million archives.
 */
export async function releaseAmounts(
  session: Session,
  sides: readonly Side[],
  named: Named,
): Promise<ReleaseAmount[]> {
  const [newest] = sides;
  if (newest === undefined) return [];
  const own = sides.map(({ tables }) => tables.tablesRelease);
  const columns =
    'hash(SeriesInstanceUID) AS uid, hash(crdc_series_uuid) AS uuid, hash(StudyInstanceUID) AS study, hash(collection_id, PatientID) AS patient, carrel_bytes AS bytes, carrel_rounded AS rounded';
  const published = sides.map(
    ({ name, tables }) =>
      `SELECT ${tables.tablesRelease} AS n, ${columns} FROM ${name}.carrel.current WHERE ${named.condition}`,
  );
  await session.rows(`CREATE TEMP TABLE held AS ${published.join(' UNION ALL ')}`, named.parameters);
  await addDerived(session, sides, named, columns);
  const rows = await session.rows(
    `WITH steps AS (SELECT n, uid, uuid, study, patient, bytes, rounded,
         lag(n) OVER before AS last_n, lag(uuid) OVER before AS last_uuid, lead(n) OVER before AS next_n
       FROM temp.held WINDOW before AS (PARTITION BY uid ORDER BY n)),
     here AS (SELECT n, count(*) AS series, count(DISTINCT study) AS studies, count(DISTINCT patient) AS patients,
         coalesce(sum(bytes), 0)::BIGINT AS bytes, bool_or(rounded) AS rounded,
         count(*) FILTER (WHERE last_n IS DISTINCT FROM n - 1) AS added,
         count(*) FILTER (WHERE last_n = n - 1 AND last_uuid <> uuid) AS revised FROM steps GROUP BY n),
     gone AS (SELECT n + 1 AS n, count(*) AS removed FROM steps WHERE next_n IS DISTINCT FROM n + 1 AND n < ${newest.tables.tablesRelease} GROUP BY 1)
     SELECT coalesce(here.n, gone.n) AS n, series, studies, patients, bytes, rounded, added, revised, removed
     FROM here FULL JOIN gone ON here.n = gone.n ORDER BY 1`,
  );
  const prefix = newest.tables.archive.catalog.releasePrefix;
  return rows.map((row) => {
    const number = Number(row['n']);
    const count = (column: string) => Number(row[column] ?? 0);
    return {
      release: `${prefix}${number}`,
      number,
      evidence: own.includes(number) ? 'published' : 'derived',
      series: count('series'),
      studies: count('studies'),
      patients: count('patients'),
      bytes: count('bytes'),
      bytesRounded: row['rounded'] === true,
      added: count('added'),
      removed: count('removed'),
      revised: count('revised'),
    };
  });
}

/**
 * Releases without tables of their own, from the ranges of the newest tables. Two corrections by older ones: a version
 * that the next published release should list and does not was not public before it either (61 series of mri_dir, which
 * v25 places in v2 to v24); and what only older tables list as superseded was there, and is withdrawn now.
 */
async function addDerived(
  session: Session,
  sides: readonly Side[],
  named: Named,
  columns: string,
): Promise<void> {
  const [newest, ...older] = sides;
  if (newest === undefined) return;
  const own = sides.map(({ tables }) => tables.tablesRelease);
  const releases = `(SELECT unnest(range(1, ${newest.tables.tablesRelease + 1})) AS n)`;
  const absent = older.map((side) => {
    const n = side.tables.tablesRelease;
    // Only the first published release after some derived ones has anything to say about them.
    if (own.includes(n - 1)) return [];
    return [
      `SELECT hash(crdc_series_uuid) AS uuid, ${n} AS n FROM ${newest.name}.carrel.ranges WHERE (${named.condition}) AND ${n} BETWEEN carrel_min AND carrel_max
       AND crdc_series_uuid NOT IN (SELECT crdc_series_uuid FROM ${side.name}.carrel.current)`,
    ];
  });
  const nobody = 'SELECT NULL::UBIGINT AS uuid, NULL::INTEGER AS n WHERE false';
  const statements = absent.flat();
  // The engine refuses parameters that no part of the statement names.
  await session.rows(
    `CREATE TEMP TABLE not_public AS ${[nobody, ...statements].join(' UNION ALL ')}`,
    statements.length === 0 ? {} : named.parameters,
  );
  await session.rows(
    `INSERT INTO temp.held SELECT r.n, ${columns} FROM ${newest.name}.carrel.ranges JOIN ${releases} r ON r.n BETWEEN carrel_min AND carrel_max
     WHERE (${named.condition}) AND r.n NOT IN (${own.join(', ')})
       AND NOT EXISTS (SELECT 1 FROM temp.not_public p WHERE p.uuid = hash(crdc_series_uuid) AND r.n < p.n)`,
    named.parameters,
  );
  if (older.length === 0) return;
  const superseded = older.map(
    ({ name }) =>
      `SELECT crdc_series_uuid, ${columns}, carrel_min, carrel_max FROM ${name}.carrel.ranges WHERE (${named.condition}) AND NOT carrel_current`,
  );
  await session.rows(`CREATE TEMP TABLE superseded AS ${superseded.join(' UNION ALL ')}`, named.parameters);
  await session.connection.run(
    `INSERT INTO temp.held SELECT n, uid, any_value(uuid), any_value(study), any_value(patient), min(bytes), bool_or(rounded)
     FROM temp.superseded JOIN ${releases} r ON r.n BETWEEN carrel_min AND carrel_max
     WHERE r.n NOT IN (${own.join(', ')}) AND crdc_series_uuid NOT IN (SELECT crdc_series_uuid FROM ${newest.name}.carrel.ranges)
     GROUP BY n, uid`,
  );
}
