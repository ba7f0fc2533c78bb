/**
 * What is odd about installed tables: every wart that the catalogue absorbs by a rule, counted, so that nobody has to
 * take the rule on trust. Rules and their evidence stand in docs/catalog.md.
 */
import type { Archive } from '../archives/index.ts';
import { listCatalogs } from './catalogs.ts';
import type { Session } from './engine.ts';
import { releaseNumber } from './layout.ts';
import { openSideBySide, type Side } from './side-by-side.ts';

/** One rule and how often it was needed. */
export interface Oddity {
  /** Stable name: `several-ranges`. */
  rule: string;
  /** Number of rows, uuids or values; null where the tables that it is told from are not installed. */
  count: number | null;
  /** What it is, and what is done about it. */
  message: string;
  /** Version that it was compared with. */
  comparedWith?: string | undefined;
}

interface Rule {
  rule: string;
  message: string;
  /** Tables and columns that it needs, of `index` unless a table is named. */
  needs?: readonly string[];
  /** The number as SQL; undefined where another version is needed and not there. */
  sql: (side: Side, others: Others) => { sql: string; comparedWith?: string | undefined } | undefined;
}

/** The other versions of a check. */
interface Others {
  /** The nearest newer version, else the nearest older one. */
  neighbour: Side | undefined;
  newer: Side | undefined;
  newest: Side | undefined;
}

const count = (from: string, where = 'true') => `SELECT count(*) AS n FROM ${from} WHERE ${where}`;
const here = (from: string, where?: string) => () => ({ sql: count(from, where) });
const CONTROL = "'[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F]'";

const RULES: readonly Rule[] = [
  {
    rule: 'several-ranges',
    message: 'superseded versions have several rows; they are one version each',
    needs: ['prior_versions_index'],
    sql: here('(SELECT 1 FROM prior_versions_index GROUP BY crdc_series_uuid HAVING count(*) > 1)'),
  },
  {
    rule: 'row-inside-another',
    message:
      'rows of superseded versions lie inside another row; they are left out, and the smaller size is taken',
    needs: ['prior_versions_index'],
    sql: () => ({
      sql: 'SELECT (SELECT count(*) FROM prior_versions_index) - (SELECT count(*) FROM carrel.ranges WHERE NOT carrel_current) AS n',
    }),
  },
  {
    rule: 'counted-twice',
    message:
      'series have exactly twice the files and bytes that another version gives to the same uuid; half counts',
    sql: (_, { neighbour }) =>
      neighbour === undefined
        ? undefined
        : {
            comparedWith: neighbour.tables.version,
            sql: `SELECT count(*) AS n FROM (SELECT c.crdc_series_uuid AS u, published.instanceCount AS files, published.series_size_MB AS mb
                FROM carrel.current c JOIN published."index" published USING (SeriesInstanceUID)) h
              JOIN ${neighbour.name}.carrel.current t ON t.crdc_series_uuid = h.u
              WHERE h.files = 2 * t.instanceCount AND abs(h.mb - 2 * t.series_size_MB) < 0.02`,
          },
  },
  {
    rule: 'revised-without-prior',
    message: 'series were revised, but no earlier version is listed; none is made up',
    needs: ['prior_versions_index', 'series_init_idc_version', 'series_revised_idc_version'],
    sql: here(
      'published."index"',
      'series_revised_idc_version > series_init_idc_version AND SeriesInstanceUID NOT IN (SELECT SeriesInstanceUID FROM prior_versions_index)',
    ),
  },
  {
    rule: 'history-starts-late',
    message:
      'the first listed version of a series is younger than its series_init_idc_version; "init" proves no publication',
    needs: ['prior_versions_index', 'series_init_idc_version', 'series_revised_idc_version'],
    sql: () => ({
      sql: `SELECT count(*) AS n FROM (SELECT SeriesInstanceUID, min(carrel_min) AS first, min(series_init_idc_version) AS init FROM carrel.ranges GROUP BY 1) WHERE init < first`,
    }),
  },
  {
    rule: 'size-zero',
    message: 'sizes are 0.00 because of rounding to two decimals; they count as 0 bytes, marked as rounded',
    sql: here('carrel.ranges', 'series_size_MB = 0'),
  },
  {
    rule: 'bucket-missing',
    message: 'rows name no bucket on this mirror; the class of the other mirror’s bucket says it',
    needs: ['prior_versions_index', 'prior_versions_index.aws_bucket'],
    sql: here('prior_versions_index', "coalesce(aws_bucket, '') = ''"),
  },
  {
    rule: 'license-changed',
    message:
      'series versions have another licence in the next release; a licence is always that of the release asked for',
    sql: (_, { newer }) =>
      newer === undefined
        ? undefined
        : {
            comparedWith: newer.tables.version,
            sql: `SELECT count(*) AS n FROM carrel.current h JOIN ${newer.name}.carrel.current t USING (crdc_series_uuid) WHERE h.license_short_name <> t.license_short_name`,
          },
  },
  {
    rule: 'bucket-changed',
    message:
      'series versions stand in another bucket in the next release; buckets are those of the newest tables',
    sql: (_, { newer }) =>
      newer === undefined
        ? undefined
        : {
            comparedWith: newer.tables.version,
            sql: `SELECT count(*) AS n FROM carrel.current h JOIN ${newer.name}.carrel.current t USING (crdc_series_uuid) WHERE h.aws_bucket <> t.aws_bucket`,
          },
  },
  {
    rule: 'withdrawn',
    message:
      'series versions listed here are in no newer table; they were withdrawn, and their files may be gone',
    sql: (side, { newest }) =>
      newest === undefined || newest === side
        ? undefined
        : {
            comparedWith: newest.tables.version,
            sql: `SELECT count(*) AS n FROM carrel.current WHERE crdc_series_uuid NOT IN (SELECT crdc_series_uuid FROM ${newest.name}.carrel.ranges)`,
          },
  },
  {
    rule: 'listed-later',
    message:
      'series versions that newer tables place in this release are not in its own; they became public later',
    sql: (side, { newest }) =>
      newest === undefined || newest === side
        ? undefined
        : {
            comparedWith: newest.tables.version,
            sql: `SELECT count(*) AS n FROM ${newest.name}.carrel.ranges WHERE ${side.tables.tablesRelease} BETWEEN carrel_min AND carrel_max AND crdc_series_uuid NOT IN (SELECT crdc_series_uuid FROM carrel.current)`,
          },
  },
  {
    rule: 'doi-in-capitals',
    message: 'DOIs hold capitals; DOIs are compared in small letters',
    needs: ['source_DOI'],
    sql: here('published."index"', 'source_DOI <> lower(source_DOI)'),
  },
  {
    rule: 'doi-empty',
    message: 'DOIs are empty texts; they count as unknown',
    needs: ['source_DOI'],
    sql: here('published."index"', "source_DOI = ''"),
  },
  {
    rule: 'analysis-result-in-capitals',
    message: 'analysis_result_ids hold capitals; a selection finds them without regard to case',
    needs: ['analysis_result_id'],
    sql: here('published."index"', 'analysis_result_id <> lower(analysis_result_id)'),
  },
  {
    rule: 'control-characters',
    message: 'SeriesDescriptions hold control characters; printers escape them',
    needs: ['SeriesDescription'],
    sql: here('published."index"', `regexp_matches(SeriesDescription, ${CONTROL})`),
  },
  {
    rule: 'patient-in-two-collections',
    message: 'PatientIDs belong to several collections; patients are counted by collection and PatientID',
    sql: here(
      '(SELECT 1 FROM published."index" GROUP BY PatientID HAVING count(DISTINCT collection_id) > 1)',
    ),
  },
  {
    rule: 'study-of-two-patients',
    message: 'studies hold series of several PatientIDs',
    sql: here(
      '(SELECT 1 FROM published."index" GROUP BY StudyInstanceUID HAVING count(DISTINCT PatientID) > 1)',
    ),
  },
  {
    rule: 'study-and-series',
    message: 'UIDs are both a study and a series; both are shown, --as decides',
    sql: here(
      '(SELECT DISTINCT StudyInstanceUID FROM published."index" WHERE StudyInstanceUID IN (SELECT SeriesInstanceUID FROM published."index"))',
    ),
  },
];

/**
 * Counts every oddity of one installed version; those that take a comparison use the other installed versions.
 * Throws what `openCatalog` throws.
 */
export async function findOddities(options: {
  archive: Archive;
  cacheDir: string;
  version: string;
  signal?: AbortSignal | undefined;
}): Promise<Oddity[]> {
  const { archive, cacheDir, version, signal } = options;
  const installed = await listCatalogs({ cacheDir, archive: archive.name });
  const whole = installed.filter(({ problem }) => problem === undefined);
  const number = (one: { release: string }) => releaseNumber(archive, one.release);
  const mine = whole.find((one) => one.version === version);
  const own = mine === undefined ? 0 : number(mine);
  const newer = whole.filter((one) => number(one) > own).at(-1);
  const neighbour = newer ?? whole.find((one) => number(one) < own);
  const newest = whole[0];
  const versions = [...new Set([version, newer?.version, neighbour?.version, newest?.version])].filter(
    (one) => one !== undefined,
  );
  const opened = await openSideBySide({
    archive,
    cacheDir,
    signal,
    sides: versions.map((one) => ({ version: one })),
  });
  try {
    const sideOf = (wanted: string | undefined) =>
      opened.sides.find(({ tables }) => wanted !== undefined && tables.version === wanted);
    const side = sideOf(version) as Side;
    const others = {
      newer: sideOf(newer?.version),
      neighbour: sideOf(neighbour?.version),
      newest: sideOf(newest?.version),
    };
    return await opened.engine.session((session) => ask(session, side, others), signal);
  } finally {
    opened.close();
  }
}

async function ask(session: Session, side: Side, others: Others): Promise<Oddity[]> {
  await session.connection.run(`USE ${side.name}`);
  const { relations, content } = side.tables;
  const there = new Set([
    ...relations.columns.filter((column) => !relations.absent.includes(column)),
    ...content.tables.map(({ name }) => name),
    ...relations.priorColumns.map((column) => `prior_versions_index.${column}`),
  ]);
  const found: Oddity[] = [];
  for (const { rule, message, needs = [], sql } of RULES) {
    if (!needs.every((need) => there.has(need))) continue;
    const question = sql(side, others);
    if (question === undefined) {
      // Nothing newer exists that could tell: then there is nothing to know either.
      if (side === others.newest && rule !== 'counted-twice') continue;
      found.push({ rule, count: null, message });
      continue;
    }
    const [row] = await session.rows(question.sql);
    found.push({ rule, count: Number(row?.['n'] ?? 0), message, comparedWith: question.comparedWith });
  }
  if (relations.absent.length > 0)
    found.push({
      rule: 'columns-missing',
      count: relations.absent.length,
      message: `columns that newer tables have are missing, and NULL here: ${relations.absent.join(', ')}`,
    });
  return found;
}
