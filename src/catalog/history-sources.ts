/**
 * Every installed version of the tables as a witness of histories: its side index where there is one, in a few small
 * reads, else the engine.
 */
import type { Archive } from '../archives/index.ts';
import { listCatalogs } from './catalogs.ts';
import { type ChosenTables, chooseTables, openTablesOf } from './choose-tables.ts';
import type { Row, Session } from './engine.ts';
import { firstRelease, type ReadTables, rangesOf } from './history.ts';
import { openSideBySide, type Side } from './side-by-side.ts';
import { canHaveSideIndex, sideIndexOf } from './side-index/prepare.ts';
import { openSideIndex, type SideIndex } from './side-index/read-side-index.ts';

/** What a row says about what it is of. */
export interface NamedRow {
  crdc_series_uuid: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientID: string;
  collection_id: string;
}

/** One version of the tables. */
export interface HistorySource {
  tables: ReadTables;
  /** Rows of series versions, of any release, that hold an identifier as uuid, series, study or PatientID. */
  named(ids: readonly string[]): Promise<Map<string, NamedRow[]>>;
  /** Rows of series under `historyNames`. */
  ranges(uids: readonly string[]): Promise<Row[]>;
  /** True where a text is a collection or an analysis result of any release. */
  isDataset(text: string): Promise<boolean>;
  /** First release that the table of prior versions knows. */
  least(): Promise<number>;
}

/** All of them, newest first. */
export interface HistorySources {
  sources: HistorySource[];
  /** All versions in one engine, for what a side index cannot answer. */
  sideBySide(): Promise<{ session: Session; sides: Side[] }>;
  close(): Promise<void>;
}

/**
 * Opens every whole installed version. Throws `not-found` where there is none.
 *
 * @param options.sideIndex false: everything from the tables; answers are the same
 */
export async function openHistorySources(options: {
  archive: Archive;
  cacheDir: string;
  sideIndex?: boolean | undefined;
  signal?: AbortSignal | undefined;
}): Promise<HistorySources> {
  const { archive, cacheDir, signal } = options;
  const installed = await listCatalogs({ cacheDir, archive: archive.name });
  const whole = installed.filter(({ problem }) => problem === undefined);
  const chosen: ChosenTables[] = [];
  // Where none is whole, this says why.
  if (whole.length === 0) await chooseTables({ archive, cacheDir });
  for (const { version } of whole) {
    const [one] = await chooseTables({ archive, cacheDir, version });
    if (one !== undefined) chosen.push(one);
  }
  const indexes = await Promise.all(
    chosen.map(async (one) => (options.sideIndex === false ? undefined : await openIndexOf(archive, one))),
  );
  const ends: (() => void)[] = [];
  const open = async (versions: readonly string[]) => {
    const opened = await openSideBySide({
      archive,
      cacheDir,
      signal,
      sides: versions.map((version) => ({ version })),
    });
    ends.push(() => opened.close());
    const { session, release } = await opened.engine.open(signal);
    // The connection before its engine: one that is left open keeps interrupting once the signal has come.
    ends.unshift(release);
    return { session, sides: opened.sides };
  };
  // Versions without a side index share one engine, opened when one of them is asked.
  const without = chosen.filter((_, at) => indexes[at] === undefined).map(({ content }) => content.version);
  let rest: ReturnType<typeof open> | undefined;
  let all: ReturnType<typeof open> | undefined;
  const sources: HistorySource[] = [];
  const close = async () => {
    for (const end of ends) end();
    for (const index of indexes) await index?.close().catch(() => undefined);
  };
  const addSource = async (one: ChosenTables, index: SideIndex | undefined) => {
    if (index !== undefined) sources.push(sourceOfIndex(archive, one, index));
    else {
      rest ??= open(without);
      const { session, sides } = await rest;
      const side = sides[without.indexOf(one.content.version)];
      if (side !== undefined) sources.push(askedOnce(sourceOfSide(session, side)));
    }
  };
  try {
    for (const [at, one] of chosen.entries()) await addSource(one, indexes[at]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    sources,
    sideBySide: () => {
      const everything = chosen.length === without.length ? rest : undefined;
      all ??= everything ?? open(chosen.map(({ content }) => content.version));
      return all;
    },
    close,
  };
}

/** The side index that stands beside tables; undefined where there is none that can be used. */
async function openIndexOf(archive: Archive, chosen: ChosenTables): Promise<SideIndex | undefined> {
  if (!canHaveSideIndex(chosen)) return undefined;
  const { path, key } = sideIndexOf(archive, chosen);
  return openSideIndex(path, key).catch(() => undefined);
}

function sourceOfIndex(archive: Archive, chosen: ChosenTables, index: SideIndex): HistorySource {
  const { relations } = index.header;
  const tables = openTablesOf(archive, chosen, { ...relations, doubled: relations.doubled });
  const { historyNames, firstRelease: least, words } = index.header;
  const columns = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID', 'collection_id'];
  const places = columns.map((name) => [name, index.at(name)] as const);
  const renamed: Record<string, string> = {
    files: 'instanceCount',
    init: 'series_init_idc_version',
    first: 'carrel_min',
    last: 'carrel_max',
    newest: 'carrel_current',
  };
  const currentPlaces = historyNames.map((name) => [name, index.at(renamed[name] ?? name)] as const);
  return {
    tables,
    async named(ids) {
      const found = await index.versionRows(ids);
      return new Map(
        [...found].map(([id, rows]) => [
          id,
          rows.map(
            ({ values }) =>
              Object.fromEntries(
                places.map(([name, at]) => [name, String(values[at])]),
              ) as unknown as NamedRow,
          ),
        ]),
      );
    },
    async ranges(uids) {
      const rows: Row[] = [];
      for (const [uid, found] of await index.versionRows(uids))
        for (const { row, values } of found)
          if (row < index.header.rows.current && values[index.at('SeriesInstanceUID')] === uid)
            rows.push(Object.fromEntries(currentPlaces.map(([name, at]) => [name, values[at] ?? null])));
      for (const uid of uids) rows.push(...(await index.historyRows(uid)));
      return rows;
    },
    isDataset: async (text) => words.includes(text),
    least: async () => least ?? 0,
  };
}

/** The same questions come again while a history is put together, and each is a scan. */
function askedOnce(source: HistorySource): HistorySource {
  const named = new Map<string, ReturnType<HistorySource['named']>>();
  const ranges = new Map<string, ReturnType<HistorySource['ranges']>>();
  return {
    ...source,
    named: (ids) => remember(named, ids, source.named),
    ranges: (uids) => remember(ranges, uids, source.ranges),
  };
}

function remember<T>(
  known: Map<string, Promise<T>>,
  ids: readonly string[],
  ask: (ids: readonly string[]) => Promise<T>,
): Promise<T> {
  const key = ids.join('\n');
  const answer = known.get(key) ?? ask(ids);
  known.set(key, answer);
  return answer;
}

function sourceOfSide(session: Session, { name, tables }: Side): HistorySource {
  return {
    tables,
    async named(ids) {
      const columns = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID'] as const;
      // For a few names a filter, for many a join per column: a join on one of four columns is no hash join.
      const list = columns.join(', ');
      const from = `SELECT ${list}, collection_id FROM ${name}.carrel.versions WHERE`;
      const few = ids.length <= 8;
      const sql = few
        ? `${from} ${columns.map((column) => `list_contains($ids, ${column})`).join(' OR ')}`
        : columns.map((column) => `${from} ${column} IN (SELECT unnest($ids))`).join(' UNION ');
      const rows = await session.rows(sql, { ids: [...ids] });
      const wanted = new Set(ids);
      const found = new Map<string, NamedRow[]>();
      for (const row of rows as unknown as NamedRow[])
        for (const id of new Set(columns.map((column) => row[column])))
          if (wanted.has(id)) found.set(id, [...(found.get(id) ?? []), row]);
      return found;
    },
    ranges: (uids) => rangesOf(session, tables, uids, name),
    async isDataset(text) {
      const [row] = await session.rows(
        `SELECT 1 FROM ${name}.carrel.ranges WHERE collection_id = $text OR analysis_result_id = $text LIMIT 1`,
        { text },
      );
      return row !== undefined;
    },
    least: () => firstRelease(session, tables, name),
  };
}
