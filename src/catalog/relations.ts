/**
 * The views that every question goes through: tables as published, and two relations of our own,
 * `carrel.series` (the series of one release) and `carrel.versions` (every version that the tables know).
 *
 * A release older than the tables is derived: current rows with `series_revised_idc_version <= N` and prior rows whose
 * range holds N, one row per uuid. Of the 82,428 prior rows of IDC's v25, 11,338 uuids have two or three: ranges that
 * touch (a bucket moved), or a third row inside with twice the size. So one row per uuid, and the smaller size.
 */
import { CarrelError } from '../errors.ts';
import { literal, quoted, type Session } from './engine.ts';
import { findDoubled, HALVED, inSnakeCase, RENAMED, TIMES } from './old-tables.ts';
import { createOwnViews } from './own-tables/own-views.ts';
import type { OwnTable } from './own-tables/table-file.ts';
import { mustHaveColumns } from './required-columns.ts';

/** Columns that the relations always have, with their types; NULL where an older table lacks them. */
const STANDARD: Record<string, string> = {
  collection_id: 'VARCHAR',
  analysis_result_id: 'VARCHAR',
  PatientID: 'VARCHAR',
  StudyInstanceUID: 'VARCHAR',
  SeriesInstanceUID: 'VARCHAR',
  Modality: 'VARCHAR',
  BodyPartExamined: 'VARCHAR',
  Manufacturer: 'VARCHAR',
  source_DOI: 'VARCHAR',
  license_short_name: 'VARCHAR',
  instanceCount: 'BIGINT',
  series_init_idc_version: 'BIGINT',
  series_revised_idc_version: 'BIGINT',
  series_size_MB: 'DOUBLE',
};

/** Columns of a prior table that say the same for all versions of a series, or change with its rows. */
const PRIOR_COLUMNS = [
  'collection_id',
  'PatientID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'Modality',
  'series_aws_url',
];

/** What the views were made from. */
export interface RelationOptions {
  /** Release of the tables, as number. */
  tablesRelease: number;
  /** Release asked for; smaller than `tablesRelease` where it is derived. */
  release: number;
  /** Columns that hold buckets: `aws_bucket`. */
  bucketColumns: string[];
  tables: { name: string; files: string[]; sizes?: 'exact' | 'rounded' | undefined }[];
  /** Main table of a neighbouring version: what it gives with half the files and half the bytes is counted twice here. */
  counterpart?: { version: string; files: string[] } | undefined;
  /** Tables of the user's own, beside the archive's. */
  own?: readonly OwnTable[] | undefined;
}

/** What the views turned out to hold. */
export interface Relations {
  /** Published columns of `index`, in order, with those derived from others. */
  columns: string[];
  /** Columns known of superseded versions; all others are NULL there. */
  priorColumns: string[];
  hasPrior: boolean;
  bucketColumns: string[];
  /** Column of `index` → DuckDB type. */
  types: Record<string, string>;
  /** Columns that the tables lack: NULL everywhere. */
  absent: string[];
  /** Series that the main table counts twice, put right by a counterpart; undefined where nothing was compared. */
  doubled: number | undefined;
}

/** Creates all views. Throws `bad-input` where the tables cannot be a catalogue, `not-found` where a release cannot be derived. */
export async function createRelations(session: Session, options: RelationOptions): Promise<Relations> {
  await session.connection.run('CREATE SCHEMA carrel; CREATE SCHEMA published; CREATE SCHEMA clinical');
  const derived = options.release !== options.tablesRelease;
  for (const table of options.tables) {
    const list = `[${table.files.map(literal).join(', ')}]`;
    const union = table.files.length > 1 ? ', union_by_name=true' : '';
    const source = `read_parquet(${list}${union})`;
    const select = RENAMED.has(table.name) ? await inSnakeCase(session, source) : '*';
    await session.connection.run(`CREATE VIEW ${viewName(table.name)} AS SELECT ${select} FROM ${source}`);
  }
  await nameClinicalTables(session, options);
  await createOwnViews(session, options.own ?? [], ['index', ...options.tables.map(({ name }) => name)]);
  const types = await typesOf(session, 'published."index"');
  const columns = Object.keys(types);
  mustHaveColumns('index', columns);
  const prior = options.tables.some(({ name }) => name === 'prior_versions_index')
    ? await columnsOf(session, 'main.prior_versions_index')
    : undefined;
  if (derived && !columns.includes('series_revised_idc_version')) {
    throw new CarrelError(
      'not-found',
      `release v${options.release} cannot be derived from these tables: they do not say since when a series is as it is`,
      {
        item: `v${options.release}`,
        next: 'install that release’s own tables, or those of a newer one',
      },
    );
  }
  const added = derivedColumns(columns);
  const given = [...columns, ...Object.keys(added)];
  const absent = Object.keys(STANDARD).filter((column) => !given.includes(column));
  const published = [...given, ...absent];
  const doubled = derived ? undefined : await findDoubled(session, options.counterpart);
  const buckets = options.bucketColumns.filter(
    (column) => published.includes(column) || prior?.includes(column) === true,
  );
  await session.connection.run(
    `CREATE VIEW carrel.current AS ${currentSql(columns, added, buckets, options, doubled !== undefined)}`,
  );
  await session.connection.run(
    `CREATE VIEW carrel.versions AS ${withPrior('SELECT * FROM carrel.current', prior, buckets, options)}`,
  );
  await session.connection.run(
    `CREATE VIEW carrel.ranges AS ${withRanges('SELECT * FROM carrel.current', prior, buckets, options)}`,
  );
  const atRelease = derived
    ? withPrior(
        `SELECT * FROM carrel.current WHERE series_revised_idc_version <= ${options.release}`,
        prior,
        buckets,
        options,
        options.release,
      )
    : 'SELECT * FROM carrel.current';
  await session.connection.run(`CREATE VIEW carrel.series AS ${atRelease}`);
  const same = !derived && given.length === columns.length && absent.length === 0 && doubled === undefined;
  await session.connection.run(
    `CREATE VIEW main."index" AS SELECT ${same ? '*' : published.map(quoted).join(', ')} FROM ${same ? 'published."index"' : 'carrel.series'}`,
  );
  return {
    columns: published,
    priorColumns: prior ?? [],
    hasPrior: prior !== undefined,
    bucketColumns: buckets,
    types,
    absent,
    doubled,
  };
}

/** Clinical tables that stand among the others are under `clinical.NAME` too: `clinical_index` says which they are. */
async function nameClinicalTables(session: Session, options: RelationOptions): Promise<void> {
  const names = options.tables.map(({ name }) => name);
  if (!names.includes('clinical_index')) return;
  const columns = await columnsOf(session, 'clinical_index');
  if (!columns.includes('short_table_name')) return;
  for (const row of await session.rows('SELECT DISTINCT short_table_name AS name FROM clinical_index')) {
    const name = String(row['name']);
    if (!names.includes(name) || names.includes(`clinical.${name}`)) continue;
    await session.connection.run(
      `CREATE VIEW clinical.${quoted(name)} AS SELECT * FROM main.${quoted(name)}`,
    );
  }
}

/** The main table's name belongs to the view of the release; the file itself is `published.index`. */
function viewName(table: string): string {
  if (table === 'index') return 'published."index"';
  return table.startsWith('clinical.') ? `clinical.${quoted(table.slice(9))}` : `main.${quoted(table)}`;
}

/** Names of the columns of a view, in order. */
export async function columnsOf(session: Session, view: string): Promise<string[]> {
  return Object.keys(await typesOf(session, view));
}

/** Column → type of a view, in order. */
async function typesOf(session: Session, view: string): Promise<Record<string, string>> {
  const rows = await session.rows(`DESCRIBE SELECT * FROM ${view}`);
  return Object.fromEntries(rows.map((row) => [String(row['column_name']), String(row['column_type'])]));
}

/** Tables of v17–v19 name bucket and uuid only in a URL, `s3://<bucket>/<uuid>/*`. */
function derivedColumns(columns: string[]): Record<string, string> {
  if (!columns.includes('series_aws_url')) return {};
  const added: Record<string, string> = {};
  if (!columns.includes('aws_bucket')) added['aws_bucket'] = "split_part(series_aws_url, '/', 3)";
  if (!columns.includes('crdc_series_uuid')) added['crdc_series_uuid'] = "split_part(series_aws_url, '/', 4)";
  return added;
}

/** Bytes from megabytes of 10^6: exact tables give every byte back, and whole numbers add up the same in any order. */
const BYTES = 'round(series_size_MB * 1e6)::BIGINT';

function currentSql(
  columns: string[],
  added: Record<string, string>,
  buckets: string[],
  options: RelationOptions,
  halved: boolean,
): string {
  const rounded = options.tables.find(({ name }) => name === 'index')?.sizes !== 'exact';
  const known = new Set([...columns, ...Object.keys(added)]);
  const absent = { ...STANDARD, ...Object.fromEntries(buckets.map((column) => [column, 'VARCHAR'])) };
  const select = [
    halved ? HALVED : '*',
    ...Object.entries(added).map(([name, sql]) => `${sql} AS ${name}`),
    ...Object.entries(absent)
      .filter(([name]) => !known.has(name))
      .map(([name, type]) => `NULL::${type} AS ${quoted(name)}`),
    `${columns.includes('series_size_MB') ? (halved ? `${BYTES} // ${TIMES}` : BYTES) : 'NULL::BIGINT'} AS carrel_bytes`,
    `${rounded} AS carrel_rounded`,
    `${columns.includes('series_revised_idc_version') ? `coalesce(series_revised_idc_version, ${options.tablesRelease})` : options.tablesRelease}::BIGINT AS carrel_min`,
    `${options.tablesRelease}::BIGINT AS carrel_max`,
    'true AS carrel_current',
  ];
  return `SELECT ${select.join(', ')} FROM published."index"`;
}

/** Adds the superseded versions, one row per uuid; with `release` only those that it held. */
function withPrior(
  current: string,
  prior: string[] | undefined,
  buckets: string[],
  options: RelationOptions,
  release?: number,
): string {
  if (prior === undefined) return current;
  const rounded = options.tables.find(({ name }) => name === 'prior_versions_index')?.sizes !== 'exact';
  const within = `${release ?? 0} BETWEEN min_idc_version AND max_idc_version`;
  // Of several rows the one that the release held decides, else the newest: its bucket is the one still in use.
  const order =
    release === undefined
      ? 'max_idc_version'
      : `CASE WHEN ${within} THEN 100000 ELSE 0 END + max_idc_version`;
  const newest = [...PRIOR_COLUMNS, ...buckets].filter((column) => prior.includes(column));
  const select = [
    'crdc_series_uuid',
    ...newest.map((column) => `arg_max(${quoted(column)}, ${order}) AS ${quoted(column)}`),
    'min(series_size_MB) AS series_size_MB',
    `min(${BYTES}) AS carrel_bytes`,
    `${rounded} AS carrel_rounded`,
    'min(min_idc_version)::BIGINT AS carrel_min',
    'max(max_idc_version)::BIGINT AS carrel_max',
    'false AS carrel_current',
  ];
  const having = release === undefined ? '' : ` HAVING bool_or(${within})`;
  return `${current} UNION ALL BY NAME SELECT ${select.join(', ')} FROM main.prior_versions_index GROUP BY crdc_series_uuid${having}`;
}

/**
 * Every range by itself: collection and bucket of that time. A row inside another of the same version (IDC's v23 to v25
 * have 48, with twice the size) is left out.
 */
function withRanges(
  current: string,
  prior: string[] | undefined,
  buckets: string[],
  options: RelationOptions,
): string {
  if (prior === undefined) return current;
  const rounded = options.tables.find(({ name }) => name === 'prior_versions_index')?.sizes !== 'exact';
  const columns = [...PRIOR_COLUMNS, ...buckets].filter((column) => prior.includes(column)).map(quoted);
  const before = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING';
  return `${current} UNION ALL BY NAME SELECT crdc_series_uuid, ${columns.join(', ')}, series_size_MB, ${BYTES} AS carrel_bytes,
    ${rounded} AS carrel_rounded, min_idc_version::BIGINT AS carrel_min, max_idc_version::BIGINT AS carrel_max, false AS carrel_current
    FROM main.prior_versions_index QUALIFY coalesce(max_idc_version > max(max_idc_version) OVER
      (PARTITION BY crdc_series_uuid ORDER BY min_idc_version, max_idc_version DESC, series_size_MB ${before}), true)`;
}
