/** The history of whatever a text names: a series with its versions, or anything larger release by release. */
import type { Archive } from '../archives/index.ts';
import { historyOf, type SeriesRows } from './history.ts';
import { amountsOf, type ReleaseAmount } from './history-amounts.ts';
import { findDataset, findIdentifier, type HistoryLevel, type Named } from './history-names.ts';
import { releaseAmounts } from './history-releases.ts';
import { type HistorySource, openHistorySources } from './history-sources.ts';
import type { History } from './history-versions.ts';

/** The history of a series, with the evidence of every installed version of the tables. */
export interface SeriesHistory extends History {
  level: 'series';
}

/** The history of something that holds many series. */
export interface WideHistory {
  level: Exclude<HistoryLevel, 'series'>;
  value: string;
  /** The collection of a patient or a study, where it has always been one. */
  collection_id: string | null;
  asOf: string;
  /** Every release that holds any of it, and every one in which something changed; oldest first. */
  releases: ReleaseAmount[];
  /** All series that were ever part of it. */
  seriesEver: number;
  /** Their histories, where they are not more than `seriesLimit`; else null. */
  series: History[] | null;
  notes: string[];
}

/** Options of `readHistoryOf`. */
export interface HistoryOptions {
  archive: Archive;
  cacheDir: string;
  /** SeriesInstanceUID, crdc_series_uuid, StudyInstanceUID, PatientID or collection id. */
  what: string;
  /** Where a text names several things. */
  as?: HistoryLevel | undefined;
  /** The collection of a PatientID that several have. */
  collection?: string | undefined;
  /** Up to so many series are told one by one. Default 100. */
  seriesLimit?: number | undefined;
  /** False: everything from the tables. Answers are the same. */
  sideIndex?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads a history from all installed tables: the newest ones tell what they know, older ones what has been withdrawn
 * since, how many files superseded versions had, and what a release itself did not list. Of a series, a study or a
 * patient the side indexes tell it in some milliseconds; a collection takes the engine.
 * Throws `not-found`, `ambiguous` with the choices, and what `openCatalog` throws.
 */
export async function readHistoryOf(options: HistoryOptions): Promise<SeriesHistory | WideHistory> {
  const { archive, seriesLimit = 100 } = options;
  const opened = await openHistorySources(options);
  try {
    const { sources } = opened;
    const text = options.what.trim();
    const found = await findIdentifier(sources, text, options);
    if (found !== undefined) {
      const uids = await seriesOf(sources, found);
      const witnesses = await witnessesOf(sources, uids);
      if (found.level === 'series') return { level: 'series', ...oneOf(found.value, witnesses) };
      const series = uids.length <= seriesLimit ? historiesOf(uids, witnesses) : null;
      return describe(archive, sources, found, amountsOf(witnesses, found), uids.length, series);
    }
    const { session, sides } = await opened.sideBySide();
    const named = await findDataset(session, sides, text, options);
    const parts = sides.map(
      ({ name }) => `SELECT SeriesInstanceUID AS uid FROM ${name}.carrel.ranges WHERE ${named.condition}`,
    );
    await session.rows(`CREATE TEMP TABLE wanted AS ${parts.join(' UNION ')}`, named.parameters);
    const [count] = await session.rows('SELECT count(*) AS n FROM temp.wanted');
    const seriesEver = Number(count?.['n'] ?? 0);
    const amounts = await releaseAmounts(session, sides, named);
    let series: History[] | null = null;
    if (seriesEver <= seriesLimit) {
      const rows = await session.rows('SELECT uid FROM temp.wanted ORDER BY 1');
      const uids = rows.map(({ uid }) => String(uid));
      series = historiesOf(uids, await witnessesOf(sources, uids));
    }
    return describe(archive, sources, named, amounts, seriesEver, series);
  } finally {
    await opened.close();
  }
}

/** Every series that any table ever placed there. */
async function seriesOf(sources: readonly HistorySource[], found: Named): Promise<string[]> {
  const uids = new Set<string>();
  for (const source of sources) {
    const rows = (await source.named([found.value])).get(found.value) ?? [];
    const candidates = [...new Set(rows.map((row) => row.SeriesInstanceUID))];
    if (candidates.length === 0) continue;
    for (const row of await source.ranges(candidates))
      if (found.holds(row)) uids.add(String(row['SeriesInstanceUID']));
  }
  return [...uids].sort();
}

/** What every version of the tables says of these series. */
async function witnessesOf(
  sources: readonly HistorySource[],
  uids: readonly string[],
): Promise<SeriesRows[]> {
  const witnesses: SeriesRows[] = [];
  for (const source of sources)
    witnesses.push({
      tables: source.tables,
      rows: await source.ranges(uids),
      least: await source.least(),
    });
  return witnesses;
}

function oneOf(uid: string, witnesses: readonly SeriesRows[]): History {
  const [newest, ...older] = witnesses.map((witness) => ({
    ...witness,
    rows: witness.rows.filter((row) => row['SeriesInstanceUID'] === uid),
  }));
  return historyOf(uid, newest as SeriesRows, older);
}

function historiesOf(uids: readonly string[], witnesses: readonly SeriesRows[]): History[] {
  return uids.map((uid) => oneOf(uid, witnesses));
}

function describe(
  archive: Archive,
  sources: readonly HistorySource[],
  named: Named,
  releases: ReleaseAmount[],
  seriesEver: number,
  series: History[] | null,
): WideHistory {
  const asOf = `${archive.catalog.releasePrefix}${sources[0]?.tables.tablesRelease ?? 0}`;
  const last = releases.findLast((one) => one.series > 0);
  return {
    level: named.level as WideHistory['level'],
    value: named.value,
    collection_id: named.collections.length === 1 ? (named.collections[0] ?? null) : null,
    asOf,
    releases,
    seriesEver,
    series,
    notes: notesOf(named, asOf, last?.release),
  };
}

function notesOf(named: Named, asOf: string, last: string | undefined): string[] {
  const notes: string[] = [];
  if (named.level === 'patient' && named.collections.length > 1)
    notes.push(
      `this PatientID stood in ${named.collections.length} collections: ${named.collections.join(', ')}`,
    );
  if (last !== undefined && last !== asOf) notes.push(`not in ${asOf}; last in ${last}`);
  return notes;
}
