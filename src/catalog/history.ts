/**
 * The history of a series from the rows of the tables. What is missing is called missing: a version that no table lists
 * is never invented, and a first release that a table claims is no proof that the series was published then.
 */
import { CarrelError } from '../errors.ts';
import type { Row, Session } from './engine.ts';
import {
  describeVersions,
  gapsOf,
  type History,
  type SeriesVersion,
  versionNotes,
  versionsOf,
} from './history-versions.ts';
import type { OpenTables } from './open-tables.ts';

/** Tables whose rows are already at hand. */
export type ReadTables = Omit<OpenTables, 'engine'>;

/** What one version of the tables says of a series: rows under `historyNames`. */
export interface SeriesRows {
  tables: ReadTables;
  rows: readonly Row[];
  /** First release that its table of prior versions knows; 0 without one. */
  least: number;
}

/** Reads the history by SeriesInstanceUID or by the uuid of any version. Throws `not-found`. */
export async function readHistory(session: Session, tables: OpenTables, id: string): Promise<History> {
  const column = /^[0-9a-f]{8}-/i.test(id.trim()) ? 'crdc_series_uuid' : 'SeriesInstanceUID';
  const value = column === 'crdc_series_uuid' ? id.trim().toLowerCase() : id.trim();
  let uids = [value];
  if (column === 'crdc_series_uuid') {
    const rows = await session.rows(
      'SELECT DISTINCT SeriesInstanceUID AS uid FROM carrel.versions WHERE crdc_series_uuid = $value',
      { value },
    );
    uids = rows.map(({ uid }) => String(uid));
  }
  const rows = await rangesOf(session, tables, uids);
  const least = rows.length === 0 ? 0 : await firstRelease(session, tables);
  return historyOf(value, { tables, rows, least });
}

/** Rows of series: that of the release of the tables, and every row of the table of prior versions. */
export async function rangesOf(
  session: Session,
  tables: ReadTables,
  uids: readonly string[],
  database?: string,
): Promise<Row[]> {
  const within = database === undefined ? '' : `${database}.`;
  const wanted = 'WHERE SeriesInstanceUID IN (SELECT unnest($uids))';
  const prior = tables.relations.hasPrior
    ? `UNION ALL SELECT * FROM (${historySql(tables, `${within}main.`)}) ${wanted}`
    : '';
  return await session.rows(
    `SELECT crdc_series_uuid, SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id, carrel_bytes, carrel_rounded,
       ${bucketList(tables, [...tables.relations.columns, ...tables.relations.bucketColumns])} instanceCount AS files,
       series_init_idc_version AS init, carrel_min AS first, carrel_max AS last, true AS newest
     FROM ${within}carrel.current ${wanted} ${prior}`,
    { uids: [...uids] },
  );
}

/** First release that the table of prior versions knows. */
export async function firstRelease(session: Session, tables: ReadTables, database?: string): Promise<number> {
  if (!tables.relations.hasPrior) return 0;
  const [row] = await session.rows(
    `SELECT min(min_idc_version) AS least FROM ${database === undefined ? '' : `${database}.main.`}prior_versions_index`,
  );
  return Number(row?.['least'] ?? 0);
}

/** Names of the values that a history is made from, in the order of `historySql`. */
export function historyNames(tables: Pick<OpenTables, 'relations'>): string[] {
  const before = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID', 'collection_id'];
  const after = ['files', 'init', 'first', 'last', 'newest'];
  return [...before, 'carrel_bytes', 'carrel_rounded', ...tables.relations.bucketColumns, ...after];
}

/** The table of prior versions, row by row, under `historyNames`. */
export function historySql(tables: Pick<OpenTables, 'relations' | 'content'>, within = ''): string {
  const rounded =
    tables.content.tables.find(({ name }) => name === 'prior_versions_index')?.sizes !== 'exact';
  return `SELECT crdc_series_uuid, SeriesInstanceUID, StudyInstanceUID, PatientID, collection_id,
    round(series_size_MB * 1e6)::BIGINT AS carrel_bytes, ${rounded} AS carrel_rounded,
    ${bucketList(tables, tables.relations.priorColumns)} NULL::BIGINT AS files, NULL::BIGINT AS init,
    min_idc_version AS first, max_idc_version AS last, false AS newest FROM ${within}prior_versions_index`;
}

function bucketList({ relations }: Pick<OpenTables, 'relations'>, known: string[]): string {
  return relations.bucketColumns
    .map((name) => `${known.includes(name) ? `"${name}"` : 'NULL::VARCHAR'} AS "${name}",`)
    .join(' ');
}

/**
 * The history of one series: what the newest tables know, and with older ones what has been withdrawn since, how many
 * files superseded versions had, and what a release itself did not list. Throws `not-found` where there are no rows.
 *
 * @param value what was asked for, for the message
 * @param older rows of the same series in older tables, newest tables first
 */
export function historyOf(value: string, newest: SeriesRows, older: readonly SeriesRows[] = []): History {
  const { tables, rows } = newest;
  const { archive, tablesRelease } = tables;
  const asOf = `${archive.catalog.releasePrefix}${tablesRelease}`;
  const versions = versionsOf(archive, rows);
  for (const version of versions) if (version.current) version.publishedIn.push(tablesRelease);
  for (const other of older) addOlder(versions, other);
  if (versions.length === 0) {
    throw new CarrelError('not-found', `no version of ${value} in the tables of ${asOf}`, {
      item: value,
      next: 'what was withdrawn altogether stands only in the tables of its own time: carrel catalog update --release vN',
    });
  }
  versions.sort((a, b) => a.minRelease - b.minRelease || a.maxRelease - b.maxRelease);
  for (const version of versions) {
    version.publishedIn.sort((a, b) => a - b);
    version.absentFrom.sort((a, b) => a - b);
  }
  describeVersions(archive, versions);
  const gaps = gapsOf(versions);
  const last = versions.at(-1);
  return {
    SeriesInstanceUID: last?.SeriesInstanceUID ?? '',
    StudyInstanceUID: last?.StudyInstanceUID ?? '',
    PatientID: last?.PatientID ?? '',
    versions,
    gaps,
    asOf,
    notes: [...versionNotes(newest, versions, gaps), ...evidenceNotes(tables, versions)],
  };
}

/** What older tables list and the newest ones know nothing of is withdrawn; of all others they are one more witness. */
function addOlder(versions: SeriesVersion[], { tables, rows }: SeriesRows): void {
  const release = tables.tablesRelease;
  const here = new Map(
    versionsOf(tables.archive, rows).map((version) => [version.crdc_series_uuid, version]),
  );
  for (const version of versions) {
    const same = here.get(version.crdc_series_uuid);
    here.delete(version.crdc_series_uuid);
    if (same?.current === true) {
      version.publishedIn.push(release);
      version.instanceCount ??= same.instanceCount;
    } else if (version.ranges.some(({ from, to }) => from <= release && release <= to))
      version.absentFrom.push(release);
    if (same !== undefined && version.state === 'withdrawn') {
      version.minRelease = Math.min(version.minRelease, same.minRelease);
      version.maxRelease = Math.max(version.maxRelease, same.maxRelease);
      version.instanceCount ??= same.instanceCount;
      version.ranges = joined([...version.ranges, ...same.ranges]);
    }
  }
  for (const version of here.values())
    versions.push({
      ...version,
      state: 'withdrawn',
      current: false,
      publishedIn: version.current ? [release] : [],
    });
}

/** Ranges in order; those that overlap are one. */
function joined(ranges: SeriesVersion['ranges']): SeriesVersion['ranges'] {
  const result: SeriesVersion['ranges'] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else result.push({ ...range });
  }
  return result;
}

function evidenceNotes(tables: ReadTables, versions: readonly SeriesVersion[]): string[] {
  const prefix = tables.archive.catalog.releasePrefix;
  const name = (numbers: readonly number[]) => numbers.map((number) => `${prefix}${number}`).join(', ');
  return versions.flatMap((version) => {
    if (version.state === 'withdrawn')
      return [
        `${version.crdc_series_uuid} was withdrawn: older tables list it${version.publishedIn.length > 0 ? ` (${name(version.publishedIn)})` : ''}, those of ${tables.version} do not; its files may be gone from the buckets`,
      ];
    if (version.absentFrom.length > 0)
      return [
        `${version.crdc_series_uuid} was not public then: the tables of ${name(version.absentFrom)} themselves do not list it`,
      ];
    return [];
  });
}
