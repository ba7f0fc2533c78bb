/** The catalogue over open tables: each method one session of the engine. */
import { abortError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import { stopIfAborted } from './abort.ts';
import type { Catalog, Options, SelectionOrUuids } from './catalog.ts';
import { citationsOf, completeCitations } from './citations.ts';
import { answerColumn } from './columns.ts';
import { prepareDraw } from './draw.ts';
import type { Engine, Session } from './engine.ts';
import { selectionError } from './engine-error.ts';
import { exportParquet, type OpenWriter } from './export-parquet.ts';
import { findDatasets } from './find-datasets.ts';
import { readHistory } from './history.ts';
import { findInstance, listInstances, lookUpInstance } from './instances.ts';
import { releaseNumber } from './layout.ts';
import { lookUpText, type Match } from './look-up.ts';
import { lookUpUids } from './look-up-uids.ts';
import type { OpenTables } from './open-tables.ts';
import { runQuery } from './query.ts';
import { missingColumns } from './release-notes.ts';
import { listReleases } from './releases.ts';
import type { Selection, SelectionNote, SeriesRow } from './rows.ts';
import { compileSelection } from './selection.ts';
import { streamSeries } from './series-rows.ts';
import { suggestIn } from './suggest.ts';
import { countSelection, groupSelection, licensesOf } from './summary.ts';
import { describeTable, listTables } from './tables.ts';
import type { Withdrawn } from './withdrawn.ts';

/** What the catalogue needs beside its tables. */
export interface CatalogParts {
  notes: string[];
  /** The same archive at another release. */
  reopen(release: string): Promise<Catalog>;
  /** What older installed tables know of names that the newest do not. */
  withdrawn(names: readonly string[], signal: AbortSignal | undefined): Promise<Map<string, Withdrawn>>;
  /** The same tables in an engine with another memory limit or number of threads, which may also write the files named. */
  engineWith(memoryLimit: string | undefined, writable?: string[], threads?: number): Promise<Engine>;
}

/** Puts the catalogue together. */
export function createCatalog(tables: OpenTables, parts: CatalogParts): Catalog {
  const { engine, archive } = tables;
  const prefix = archive.catalog.releasePrefix;
  const others = new Map<number, Promise<Catalog>>();
  let newest: Promise<Catalog> | undefined;
  const index = tables.content.tables.find(({ name }) => name === 'index')?.files[0];
  const digest: Digest = `sha256:${index?.sha256 ?? ''}`;
  const ask = <T>(work: (session: Session) => Promise<T>, options?: Options) =>
    engine.session(work, options?.signal);

  /** A question about a selection: what the engine says against its conditions is the user's to know. */
  const askAbout = <T>(
    what: SelectionOrUuids,
    work: (session: Session) => Promise<T>,
    options?: Options,
  ): Promise<T> =>
    ask(work, options).catch((error: unknown) => {
      throw Array.isArray(what) ? error : selectionError(what as Selection, error);
    });

  /** The catalogue that answers a selection: this one, or one at the release that it names. */
  const at = async (what: Selection | readonly string[]): Promise<Catalog | undefined> => {
    const release = Array.isArray(what) ? undefined : (what as Selection).release;
    if (release === undefined || release === 'current') return undefined;
    const number = releaseNumber(archive, release);
    if (number === tables.release) return undefined;
    const known = others.get(number) ?? parts.reopen(`${prefix}${number}`);
    others.set(number, known);
    known.catch(() => others.delete(number));
    return known;
  };

  /** The newest installed tables, where these are not the ones. */
  const newer = async (): Promise<Catalog | undefined> => {
    newest ??= parts.reopen('current');
    const found = await newest.catch(() => undefined);
    return found?.version === tables.version ? undefined : found;
  };

  const catalog: Catalog = {
    archive,
    version: tables.version,
    release: tables.release,
    releaseName: `${prefix}${tables.release}`,
    derived: tables.derived,
    evidence: tables.derived ? 'derived' : 'published',
    missing: missingColumns(tables),
    digest,
    notes: parts.notes,
    async query(sql, options = {}) {
      if (options.memoryLimit === undefined) return runQuery(engine, tables, sql, options);
      const own = await parts.engineWith(options.memoryLimit);
      return runQuery(own, tables, sql, options, () => own.close());
    },
    async exportParquet(question, path, options) {
      const other = 'sql' in question ? undefined : await at(question.selection);
      if (other !== undefined)
        return withReleaseNotes(other, await other.exportParquet(question, path, options));
      const openWriter: OpenWriter = (files, limit, threads) => parts.engineWith(limit, files, threads);
      return exportParquet(tables, openWriter, question, path, options);
    },
    tables: (options) => ask((session) => listTables(session, tables), options),
    answerColumns: (columns, selection = {}) => {
      const added = prepareDraw(tables, selection).added;
      return columns.map((column) => answerColumn(tables, column, added));
    },
    schema: (table, options) => ask((session) => describeTable(session, tables, table), options),
    async select(selection, options = {}) {
      const stream = await catalog.selectStream(selection, options);
      const rows: SeriesRow[] = [];
      for await (const chunk of stream.rows) for (const row of chunk) rows.push(row);
      return { rows, notes: stream.notes };
    },
    async selectStream(selection, options = {}) {
      const other = await at(selection);
      if (other !== undefined) return withReleaseNotes(other, await other.selectStream(selection, options));
      const { session, release } = await engine.open(options.signal);
      try {
        const compiled = await compileSelection(session, tables, selection);
        const rows = async function* () {
          try {
            for await (const chunk of streamSeries(session, tables, compiled, options.columns)) {
              stopIfAborted(options.signal);
              yield chunk;
            }
            // An interrupted statement ends like one whose rows have all come.
            stopIfAborted(options.signal);
          } catch (error) {
            throw aborted(options.signal) ?? selectionError(selection, error);
          } finally {
            release();
          }
        };
        return { rows: rows(), notes: compiled.notes };
      } catch (error) {
        release();
        throw aborted(options.signal) ?? selectionError(selection, error);
      }
    },
    async count(selection, options) {
      const other = await at(selection);
      if (other !== undefined) return withReleaseNotes(other, await other.count(selection, options));
      return askAbout(
        selection,
        (session) => countSelection(session, tables, selection, options?.sums),
        options,
      );
    },
    async groupBy(selection, columns, options) {
      const other = await at(selection);
      if (other !== undefined)
        return withReleaseNotes(other, await other.groupBy(selection, columns, options));
      return askAbout(
        selection,
        (session) => groupSelection(session, tables, selection, columns, options),
        options,
      );
    },
    async findDatasets(words, selection = {}, options) {
      const other = await at(selection);
      if (other !== undefined)
        return withReleaseNotes(other, await other.findDatasets(words, selection, options));
      return askAbout(selection, (session) => findDatasets(session, tables, words, selection), options);
    },
    async lookUp(text, options) {
      const bare = await ask((session) => lookUpText(session, tables, text), options);
      const instance =
        bare.length === 0 ? await ask((session) => lookUpInstance(session, tables, text), options) : [];
      return [...bare, ...instance].map(
        (match): Match => ({
          ...match,
          seriesRows: async (rowOptions) => (await catalog.select(match.selection, rowOptions)).rows,
        }),
      );
    },
    lookUpUids: (uids, options) => ask((session) => lookUpUids(session, tables, uids), options),
    async seriesByUuid(uuids, options = {}) {
      const found = new Map<string, SeriesRow>();
      if (uuids.length === 0) return found;
      await ask(async (session) => {
        const parameters = { uuids: uuids.map((uuid) => uuid.toLowerCase()) };
        const from = '(SELECT * FROM carrel.versions WHERE crdc_series_uuid IN (SELECT unnest($uuids)))';
        for await (const rows of streamSeries(
          session,
          tables,
          { from, parameters, ordered: false, notes: [] },
          options.columns,
        )) {
          for (const row of rows) found.set(row.crdc_series_uuid, row);
        }
      }, options);
      return found;
    },
    instanceLookup: (id, options) => ask((session) => findInstance(session, tables, id), options),
    instancesOf: (uid, options) => ask((session) => listInstances(session, tables, uid), options),
    history: (id, options) => ask((session) => readHistory(session, tables, id), options),
    withdrawn: (names, options) => parts.withdrawn(names, options?.signal),
    releases: (options) => ask((session) => listReleases(session, tables), options),
    suggest: (field, value, options) => ask((session) => suggestIn(session, tables, field, value), options),
    async licenses(what, options) {
      const other = await at(what);
      if (other !== undefined) return withReleaseNotes(other, await other.licenses(what, options));
      return askAbout(what, (session) => licensesOf(session, tables, what), options);
    },
    async citations(what, options) {
      const other = await at(what);
      if (other !== undefined) return withReleaseNotes(other, await other.citations(what, options));
      const list = await askAbout(what, (session) => citationsOf(session, tables, what), options);
      return completeCitations(list, newer);
    },
    close() {
      for (const other of others.values()) void other.then((opened) => opened.close()).catch(() => undefined);
      others.clear();
      void newest?.then((opened) => opened.close()).catch(() => undefined);
      engine.close();
    },
  };
  return catalog;
}

/** An answer at another release begins with what is to be known of that release. */
function withReleaseNotes<T extends { notes: SelectionNote[] }>(other: Catalog, answer: T): T {
  const about = other.notes.map((message) => ({
    field: 'release',
    value: other.releaseName,
    message,
    suggestions: [],
    unknown: false,
  }));
  return { ...answer, notes: [...about, ...answer.notes] };
}

/** The abort as the error to be thrown; undefined where nobody aborted. */
function aborted(signal: AbortSignal | undefined): Error | undefined {
  return signal?.aborted === true ? abortError(signal) : undefined;
}
