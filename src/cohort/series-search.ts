/** A selection as something to iterate, to count and to group: asked when it is used, and not before. */
import type {
  Amount,
  Catalog,
  CitationList,
  CountOptions,
  Counts,
  GroupOptions,
  LicenseShare,
  ParquetResult,
  Selection,
  SelectionNote,
  SeriesRow,
} from '../catalog/index.ts';
import { refuseUnknown } from './unknown-value.ts';

/** A series version whose `columns` are those that were asked for. */
export type SeriesRowOf<Column extends string> = Omit<SeriesRow, 'columns'> & {
  columns: Record<Column, unknown>;
};

/** A row of `groupBy`: amounts for one combination of values. */
export type GroupOf<Column extends string> = Amount & {
  /** Value per column; null where the archive has none. */
  values: Record<Column, unknown>;
  /** Sum per column asked for: whole numbers beyond 2^53 as text. */
  sums?: Record<string, number | string | null>;
};

/** Options of a search. */
export interface SearchOptions<Column extends string = string> {
  /** Published columns to read into `SeriesRow.columns`; default all. Fewer are faster. */
  columns?: readonly Column[] | undefined;
  /** A value that the catalogue does not hold is `not-found`, with the nearest real ones; default: a note. */
  strict?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The series of a selection. Nothing is asked until it is iterated or one of its methods is called, each of which asks
 * anew; leaving a loop early gives the statement up.
 */
export interface SeriesSearch<Column extends string = string> extends AsyncIterable<SeriesRowOf<Column>> {
  readonly selection: Selection;
  /** The rows in pieces of up to 2,048, as the engine hands them out: faster for millions. */
  pieces(): AsyncIterable<SeriesRowOf<Column>[]>;
  /** All rows at once. */
  toArray(): Promise<SeriesRowOf<Column>[]>;
  /** What to know about the answer: values that were read in another case, that are unknown, a derived release. */
  notes(): Promise<SelectionNote[]>;
  /** Collections, patients, studies, series, files, bytes, sums. */
  count(options?: Omit<CountOptions, 'signal'>): Promise<Counts>;
  /** Amounts per value of the columns, most series first. */
  groupBy<const By extends string>(
    columns: readonly By[],
    options?: Omit<GroupOptions, 'signal'>,
  ): Promise<GroupOf<By>[]>;
  /** How much there is under which licence. */
  licenses(): Promise<LicenseShare[]>;
  /** What is to be cited: one reference per DOI, `format('bibtex')`. */
  citations(): Promise<CitationList>;
  /** Writes the answer as a Parquet file with the engine's types; the file appears when it is whole. */
  writeParquet(path: string): Promise<ParquetResult>;
}

/** What a search asks. */
export interface SearchParts {
  open(): Promise<Catalog>;
  /** The signals that end it, as one. */
  signal: AbortSignal | undefined;
}

/** Makes a search. */
export function createSearch<Column extends string>(
  parts: SearchParts,
  selection: Selection,
  options: SearchOptions<Column>,
): SeriesSearch<Column> {
  const { signal } = parts;
  const settle = (notes: readonly SelectionNote[]) => {
    if (options.strict === true) refuseUnknown(notes);
  };
  const columns = options.columns === undefined ? undefined : [...options.columns];
  const stream = async (): Promise<{ rows: AsyncIterable<SeriesRowOf<Column>[]> }> => {
    const catalog = await parts.open();
    if (columns !== undefined) catalog.answerColumns(columns, selection);
    const answer = await catalog.selectStream(selection, { signal, columns });
    settle(answer.notes);
    return answer;
  };
  const search: SeriesSearch<Column> = {
    selection,
    async *pieces() {
      yield* (await stream()).rows;
    },
    async *[Symbol.asyncIterator]() {
      for await (const piece of search.pieces()) yield* piece;
    },
    async toArray() {
      const rows: SeriesRowOf<Column>[] = [];
      for await (const piece of search.pieces()) for (const row of piece) rows.push(row);
      return rows;
    },
    async notes() {
      const catalog = await parts.open();
      const about = catalog.notes.map((message) => releaseNote(catalog, message));
      return [...about, ...(await catalog.count(selection, { signal })).notes];
    },
    async count(more = {}) {
      const counts = await (await parts.open()).count(selection, { ...more, signal });
      settle(counts.notes);
      return counts;
    },
    async groupBy(by, more = {}) {
      const { rows, notes } = await (await parts.open()).groupBy(selection, [...by], { ...more, signal });
      settle(notes);
      return rows;
    },
    async licenses() {
      const { licenses, notes } = await (await parts.open()).licenses(selection, { signal });
      settle(notes);
      return licenses;
    },
    async citations() {
      return await (await parts.open()).citations(selection, { signal });
    },
    async writeParquet(path) {
      const catalog = await parts.open();
      return await catalog.exportParquet({ selection, columns }, path, { signal });
    },
  };
  return search;
}

function releaseNote(catalog: Catalog, message: string): SelectionNote {
  return { field: 'release', value: catalog.releaseName, message, suggestions: [], unknown: false };
}
