/** The questions of a catalogue, asked of an archive's data set on BigQuery instead of installed tables. */
import { type Archive, newestRelease, releaseName, releaseNumber } from '../../archives/index.ts';
import { CarrelError } from '../../errors.ts';
import type { Catalog } from '../catalog.ts';
import { answerColumn } from '../columns.ts';
import { datasetTextsOf } from '../dataset-texts.ts';
import { prepareDraw } from '../draw.ts';
import { matchesOf } from '../find-datasets.ts';
import type { Ranking } from '../rank-datasets.ts';
import type { Selection, SelectionNote, SeriesRow } from '../rows.ts';
import { seriesReader } from '../series-rows.ts';
import type { Amount } from '../summary.ts';
import { idsOf, rankTexts, wordNotes } from '../words.ts';
import { amountOf, answerPieces, sumsOf } from './answers.ts';
import { type BigQueryJobs, type BigQueryOptions, createBigQueryJobs } from './client.ts';
import { type DataSet, dataSetOf, rowsOf, valuesOf } from './data-set.ts';
import { matchValues, type ReadTexts } from './match-values.ts';
import { checkSelect, planStatements, type StatementPlan } from './plan.ts';
import { compileQuestion, type Question, type Statement } from './questions.ts';
import { RELATIONS } from './relations.ts';
import { rowReader } from './rows.ts';
import { runStatement } from './run-statement.ts';
import { SERIES_COLUMNS } from './series-columns.ts';

/** What can be asked of BigQuery: a part of `Catalog`, with the same answers. */
export interface BigQueryCatalog
  extends Pick<
    Catalog,
    | 'archive'
    | 'release'
    | 'releaseName'
    | 'evidence'
    | 'notes'
    | 'answerColumns'
    | 'schema'
    | 'select'
    | 'selectStream'
    | 'count'
    | 'groupBy'
    | 'findDatasets'
    | 'query'
    | 'exportParquet'
  > {
  /** The statements of a question with what they would read, as far as that can be known; runs none of them. */
  plan(
    question: Question | { kind: 'sql'; sql: string },
    options?: { signal?: AbortSignal | undefined },
  ): Promise<StatementPlan[]>;
  /** Bytes that the statements until now have read, and the project that they ran in. */
  usage(): Promise<{ bytes: number; project: string }>;
}

/** Options of `openBigQueryCatalog`. */
export interface BigQueryCatalogOptions extends Omit<BigQueryOptions, 'dataSet' | 'location'> {
  archive: Archive;
  /** `v24`, `24`, `current` (default: the newest that the record knows). */
  release?: string | undefined;
}

/**
 * A catalogue over the data set of one release. Nothing is asked before the first question. Throws `unsupported` where
 * the archive has no data set, `usage` and `not-found` for releases.
 */
export function openBigQueryCatalog(options: BigQueryCatalogOptions, jobs?: BigQueryJobs): BigQueryCatalog {
  const { archive } = options;
  const number =
    options.release === undefined ? newestRelease(archive) : releaseNumber(archive, options.release);
  const set = dataSetOf(archive, number);
  return createBigQueryCatalog(
    archive,
    set,
    jobs ?? createBigQueryJobs({ ...options, location: set.location, dataSet: set }),
  );
}

function createBigQueryCatalog(archive: Archive, set: DataSet, jobs: BigQueryJobs): BigQueryCatalog {
  const name = releaseName(archive, set.release);
  let bytesRead = 0;

  const run = async (sql: string, signal?: AbortSignal) => {
    const answer = await jobs.run(sql, { signal });
    bytesRead += answer.cached ? 0 : answer.bytes;
    return answer;
  };
  const rowsBy = async (sql: string, signal?: AbortSignal): Promise<Record<string, unknown>[]> => {
    const { fields, pages } = await run(sql, signal);
    const read = rowReader(fields);
    const rows: Record<string, unknown>[] = [];
    for await (const page of pages)
      for (const row of page)
        rows.push(Object.fromEntries(read(row).map((value, at) => [fields[at]?.name ?? '', value])));
    return rows;
  };
  const readTexts =
    (signal?: AbortSignal): ReadTexts =>
    async (sql) =>
      (await rowsBy(sql, signal)).map((row) =>
        Object.values(row).map((value) => (typeof value === 'string' ? value : null)),
      );
  const rank = async (words: readonly string[], signal?: AbortSignal): Promise<Ranking> => {
    const ids = async (column: string) => {
      const { sql, from } = valuesOf(set, column);
      const rows = await readTexts(signal)(
        `SELECT DISTINCT ${sql} AS id FROM ${from} WHERE ${sql} IS NOT NULL`,
      );
      return rows.map(([id]) => id);
    };
    const texts = datasetTextsOf({
      collections: await rowsBy(rowsOf(set, 'collections_index'), signal),
      analysisResults: await rowsBy(rowsOf(set, 'analysis_results_index'), signal),
      collectionIds: await ids('collection_id'),
      analysisResultIds: await ids('analysis_result_id'),
    });
    return rankTexts(texts, words);
  };
  /** A question with real values instead of typed ones, compiled; the user's own SQL is looked at first. */
  const settle = async (
    question: Question,
    signal?: AbortSignal,
  ): Promise<Statement & { notes: SelectionNote[] }> => {
    const { selection } = question;
    checkRelease(archive, set, selection);
    // Mistakes in columns and numbers are found before anything is asked.
    compileQuestion(set, question);
    await checkSelect(jobs, set, selection, signal);
    const matched = await matchValues(set, selection, name, readTexts(signal));
    const notes = matched.notes;
    let words: ReturnType<typeof idsOf> | undefined;
    if (selection.words !== undefined) {
      const ranking = await rank(selection.words, signal);
      notes.push(...wordNotes(ranking));
      words = idsOf(ranking);
    }
    return { ...compileQuestion(set, { ...question, selection: matched.selection }, words), notes };
  };

  const catalog: BigQueryCatalog = {
    archive,
    release: set.release,
    releaseName: name,
    // The data set of a release is the archive's own word on it.
    evidence: 'published',
    notes: releaseNotes(archive, set, name),
    answerColumns: (columns, selection = {}) => {
      const { added } = prepareDraw({ relations: RELATIONS }, selection);
      return columns.map((column) => answerColumn({ relations: RELATIONS }, column, added));
    },
    schema: (table) =>
      table === 'index'
        ? Promise.resolve(
            Object.entries(SERIES_COLUMNS).map(([column, { type }]) => ({
              name: column,
              type,
              description: '',
            })),
          )
        : Promise.reject(noSuchTable(table)),
    async count(selection, { signal, sums } = {}) {
      const statement = await settle({ kind: 'count', selection, sums }, signal);
      const [row = {}] = await rowsBy(statement.sql, signal);
      return {
        collections: Number(row['collections'] ?? 0),
        ...amountOf(row),
        ...sumsOf(row, statement.sums),
        notes: statement.notes,
      };
    },
    async groupBy(selection, columns, { signal, sums, order, limit } = {}) {
      const statement = await settle({ kind: 'groups', selection, columns, sums, order, limit }, signal);
      const rows = await rowsBy(statement.sql, signal);
      return {
        rows: rows.map((row) => ({
          values: Object.fromEntries(statement.names.map((column) => [column, row[column] ?? null])),
          ...amountOf(row),
          ...sumsOf(row, statement.sums),
        })),
        notes: statement.notes,
      };
    },
    async select(selection, options = {}) {
      const stream = await catalog.selectStream(selection, options);
      const rows: SeriesRow[] = [];
      for await (const piece of stream.rows) rows.push(...piece);
      return { rows, notes: stream.notes };
    },
    async selectStream(selection, { signal, columns } = {}) {
      const statement = await settle({ kind: 'series', selection, columns }, signal);
      const { fields, pages } = await run(statement.sql, signal);
      const read = rowReader(fields);
      const own = ['carrel_bytes', 'carrel_rounded', 'carrel_min', 'carrel_max', 'carrel_current'];
      const toRow = seriesReader(
        { archive, relations: RELATIONS },
        [...statement.names, ...own],
        statement.published ?? 0,
      );
      const revised = statement.names.indexOf('series_revised_idc_version');
      const rows = answerPieces(pages, (row) => {
        const values = read(row);
        const since = revised < 0 ? set.release : (values[revised] ?? set.release);
        return toRow([...values, false, since, set.release, true]);
      });
      return { rows, notes: statement.notes };
    },
    async findDatasets(words, selection = {}, { signal } = {}) {
      const ranking = await rank(words, signal);
      const notes = wordNotes(ranking);
      if (ranking.datasets.length === 0) return { datasets: [], notes };
      const amounts = new Map<string, Amount>();
      for (const [kind, column] of [
        ['collection', 'collection_id'],
        ['analysis-result', 'analysis_result_id'],
      ] as const) {
        const found = await catalog.groupBy(selection, [column], { signal });
        if (kind === 'collection') notes.push(...found.notes);
        for (const { values, ...amount } of found.rows)
          amounts.set(`${kind} ${String(values[column])}`, amount);
      }
      return { datasets: matchesOf(ranking, amounts), notes };
    },
    query: (sql, options) => runStatement({ set, jobs, run }, sql, options),
    exportParquet: () =>
      Promise.reject(
        new CarrelError('usage', 'Parquet is written from the installed tables only', {
          next: 'take --format csv or jsonl, or leave out --engine bigquery',
        }),
      ),
    plan: (question, { signal } = {}) => planStatements(jobs, set, question, signal),
    usage: async () => ({ bytes: bytesRead, project: await jobs.project() }),
  };
  return catalog;
}

function checkRelease(archive: Archive, set: DataSet, selection: Selection): void {
  if (selection.release === undefined) return;
  const number = releaseNumber(archive, selection.release);
  if (number !== set.release)
    throw new CarrelError('internal', `a selection of release ${number} reached the data set ${set.name}`);
}

/** What to know about answers of a release whose columns nobody has compared with those that are asked for. */
function releaseNotes(archive: Archive, set: DataSet, name: string): string[] {
  const since = archive.bigquery?.since;
  if (since === undefined || releaseNumber(archive, since) <= set.release) return [];
  return [
    `the columns of ${set.name} are not known to be those of ${since} and later; ${name} may lack some of them`,
  ];
}

function noSuchTable(table: string): CarrelError {
  return new CarrelError('not-found', `columns of ${table} are not described for BigQuery`, { item: table });
}
