/** The releases that the tables know. */
import type { ReleaseInfo } from './catalog.ts';
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';

/** Newest first, with dates where `version_metadata_index` is installed; else numbers from the other tables. */
export async function listReleases(session: Session, tables: OpenTables): Promise<ReleaseInfo[]> {
  const prefix = tables.archive.catalog.releasePrefix;
  const dated = tables.content.tables.some(({ name }) => name === 'version_metadata_index');
  const rows = dated
    ? await session.rows(
        'SELECT idc_version AS n, version_timestamp::VARCHAR AS date FROM version_metadata_index ORDER BY 1 DESC',
      )
    : await session.rows(
        'SELECT n, NULL AS date FROM (SELECT unnest(range(min(carrel_min), max(carrel_max) + 1)) AS n FROM carrel.versions) ORDER BY 1 DESC',
      );
  return rows.map((row) => ({
    release: `${prefix}${row['n']}`,
    number: Number(row['n']),
    date: typeof row['date'] === 'string' ? row['date'].slice(0, 10) : null,
    newest: Number(row['n']) === tables.tablesRelease,
  }));
}
