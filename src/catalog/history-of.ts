/** The history of whatever a text names: a series with its versions, or anything larger release by release. */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { listCatalogs } from './catalogs.ts';
import type { Session } from './engine.ts';
import { findNamed, type HistoryLevel, type Named } from './history-names.ts';
import { type ReleaseAmount, releaseAmounts } from './history-releases.ts';
import { seriesHistories } from './history-series.ts';
import type { KnownHistory } from './history-versions.ts';
import { openSideBySide, type Side } from './side-by-side.ts';

/** The history of a series, with the evidence of every installed version of the tables. */
export interface SeriesHistory extends KnownHistory {
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
  series: KnownHistory[] | null;
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
  signal?: AbortSignal | undefined;
}

/**
 * Reads a history from all installed tables: the newest ones tell what they know, older ones what has been withdrawn
 * since, how many files superseded versions had, and what a release itself did not list.
 * Throws `not-found`, `ambiguous` with the choices, and what `openCatalog` throws.
 */
export async function readHistoryOf(options: HistoryOptions): Promise<SeriesHistory | WideHistory> {
  const { archive, cacheDir, signal } = options;
  const installed = await listCatalogs({ cacheDir, archive: archive.name });
  const versions = installed.filter(({ problem }) => problem === undefined).map(({ version }) => version);
  const opened = await openSideBySide({
    archive,
    cacheDir,
    signal,
    sides: versions.length === 0 ? [{}] : versions.map((version) => ({ version })),
  });
  try {
    return await opened.engine.session((session) => readFrom(session, opened.sides, options), signal);
  } finally {
    opened.close();
  }
}

async function readFrom(
  session: Session,
  sides: readonly Side[],
  options: HistoryOptions,
): Promise<SeriesHistory | WideHistory> {
  const { archive, seriesLimit = 100 } = options;
  const prefix = archive.catalog.releasePrefix;
  const [newest] = sides;
  const asOf = `${prefix}${newest?.tables.tablesRelease ?? 0}`;
  const named = await findNamed(session, sides, options.what.trim(), options);
  await collectSeries(session, sides, named);
  const [count] = await session.rows('SELECT count(*) AS n FROM temp.wanted');
  const seriesEver = Number(count?.['n'] ?? 0);
  if (named.level === 'series') {
    const [history] = await seriesHistories(session, sides);
    if (history === undefined)
      throw new CarrelError('internal', `the history of ${named.value} is empty`, { item: named.value });
    return { level: 'series', ...history };
  }
  const releases = await releaseAmounts(session, sides, named);
  const last = releases.findLast(({ series }) => series > 0);
  return {
    level: named.level,
    value: named.value,
    collection_id: named.collections.length === 1 ? (named.collections[0] ?? null) : null,
    asOf,
    releases,
    seriesEver,
    series: seriesEver <= seriesLimit ? await seriesHistories(session, sides) : null,
    notes: notesOf(named, asOf, last?.release),
  };
}

/** Every series that any table ever placed there: `temp.wanted`. */
async function collectSeries(session: Session, sides: readonly Side[], named: Named): Promise<void> {
  const parts = sides.map(
    ({ name }) => `SELECT SeriesInstanceUID AS uid FROM ${name}.carrel.ranges WHERE ${named.condition}`,
  );
  await session.rows(`CREATE TEMP TABLE wanted AS ${parts.join(' UNION ')}`, named.parameters);
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
