/** What the tables of earlier years need before they can be asked like those of today. */
import { literal, quoted, type Session } from './engine.ts';

/** Tables whose columns were CamelCase until v23 (`CancerTypes`) and are snake_case since v24 (`cancer_types`). */
export const RENAMED: ReadonlySet<string> = new Set(['collections_index', 'analysis_results_index']);

/** The select list that gives the columns of such a table their present names. */
export async function inSnakeCase(session: Session, source: string): Promise<string> {
  const rows = await session.rows(`DESCRIBE SELECT * FROM ${source}`);
  return rows
    .map((row) => String(row['column_name']))
    .map((name) => {
      if (!/^(?:[A-Z][a-z]+)+$/.test(name)) return quoted(name);
      const snake = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
      return `${quoted(name)} AS ${quoted(snake)}`;
    })
    .join(', ');
}

/** 2 for a series that the table counts twice, else 1. */
export const TIMES = 'CASE WHEN crdc_series_uuid IN (SELECT uuid FROM carrel.doubled) THEN 2 ELSE 1 END';

/** The main table with the doubled counts put right. */
export const HALVED = `* REPLACE (instanceCount // ${TIMES} AS instanceCount, series_size_MB / ${TIMES} AS series_size_MB)`;

/**
 * Finds what the main table counts twice: a version never changes, so a uuid to which a neighbour gives exactly half the
 * files and half the bytes is doubled here. The answer is their number; undefined without a neighbour.
 *
 * IDC's 23.10.1 does this to 3,111 series of tcga_brca (3,063 of them are still current in v25); v22, v24 and v25 have
 * them right. Sizes before v23 have two decimals, hence the tolerance.
 */
export async function findDoubled(
  session: Session,
  counterpart: { files: string[] } | undefined,
): Promise<number | undefined> {
  if (counterpart === undefined) return undefined;
  const other = `read_parquet([${counterpart.files.map(literal).join(', ')}])`;
  await session.connection.run(
    `CREATE TABLE carrel.doubled AS SELECT here.crdc_series_uuid AS uuid FROM published."index" here
     JOIN ${other} there USING (crdc_series_uuid)
     WHERE here.instanceCount = 2 * there.instanceCount AND abs(here.series_size_MB - 2 * there.series_size_MB) < 0.02`,
  );
  const [row] = await session.rows('SELECT count(*) AS n FROM carrel.doubled');
  return Number(row?.['n'] ?? 0);
}

/** A table that is known to count some series twice. */
export interface KnownDoubling {
  archive: string;
  release: string;
  /** What to say where nothing is there to compare with. */
  message: string;
}

/** Releases whose tables are compared with a neighbour when they are opened: that costs half a second, so not all are. */
export const KNOWN_DOUBLINGS: readonly KnownDoubling[] = [
  {
    archive: 'idc',
    release: 'v23',
    message:
      'the tables of v23 count 3,111 series of tcga_brca twice in files and bytes; with those of v22 or v24 installed beside them this is put right',
  },
];
