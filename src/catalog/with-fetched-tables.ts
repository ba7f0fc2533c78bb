/**
 * A catalogue that fetches a table when a question names it: the question is asked, the engine says which table is missing,
 * the table is fetched into the installed version, and the question is asked again of the tables opened anew.
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { OpenStore } from '../stores/index.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEvent } from './catalogs.ts';
import { missingTableOf } from './missing-table.ts';
import { howToGet } from './tables.ts';
import { updateCatalog } from './update.ts';

/** Lets a question fetch the tables that it names. */
export interface FetchTables {
  openStore: OpenStore;
  /** What is fetched, as it comes: notes, progress, tables. */
  onEvent?: ((event: CatalogEvent) => void) | undefined;
}

/** Wraps a catalogue; `reopen` opens the same tables at the same release again. */
export function withFetchedTables(
  first: Catalog,
  options: FetchTables & {
    cacheDir: string;
    signal?: AbortSignal | undefined;
    reopen: () => Promise<Catalog>;
  },
): Catalog {
  let current = first;
  const opened = [first];
  const running = new Map<string, Promise<void>>();

  /** Two questions that miss the same table wait for one fetch. */
  const bring = (table: string): Promise<void> => {
    const known = running.get(table);
    if (known !== undefined) return known;
    const work = (async () => {
      await fetchTable(current, table, options);
      current = await options.reopen();
      opened.push(current);
    })().finally(() => running.delete(table));
    running.set(table, work);
    return work;
  };

  const asking = async <T>(work: (catalog: Catalog) => Promise<T>): Promise<T> => {
    const tried = new Set<string>();
    for (;;) {
      const asked = current;
      try {
        return await work(asked);
      } catch (error) {
        const table = missingTableOf(error);
        if (table === undefined || tried.has(table)) throw error;
        tried.add(table);
        // Another question may have brought it meanwhile.
        if (asked === current) await bring(table);
      }
    }
  };

  return {
    ...first,
    query: (sql, how) => asking((catalog) => catalog.query(sql, how)),
    exportParquet: (question, path, how) => asking((catalog) => catalog.exportParquet(question, path, how)),
    select: (selection, how) => asking((catalog) => catalog.select(selection, how)),
    selectStream: (selection, how) => asking((catalog) => catalog.selectStream(selection, how)),
    count: (selection, how) => asking((catalog) => catalog.count(selection, how)),
    groupBy: (selection, columns, how) => asking((catalog) => catalog.groupBy(selection, columns, how)),
    findDatasets: (words, selection, how) => asking((catalog) => catalog.findDatasets(words, selection, how)),
    licenses: (what, how) => asking((catalog) => catalog.licenses(what, how)),
    citations: (what, how) => asking((catalog) => catalog.citations(what, how)),
    tables: (how) => current.tables(how),
    schema: (table, how) => current.schema(table, how),
    instanceLookup: (id, how) => current.instanceLookup(id, how),
    instancesOf: (uid, how) => current.instancesOf(uid, how),
    close() {
      for (const catalog of opened) catalog.close();
    },
  };
}

/** Fetches a table into the version that is open. Throws with the reasons and with the two ways to get it. */
async function fetchTable(
  catalog: Catalog,
  table: string,
  options: FetchTables & { cacheDir: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { archive, version } = catalog;
  options.onEvent?.({
    type: 'note',
    message: `the table ${table} of ${version} is not installed: fetching it`,
  });
  try {
    await updateCatalog({
      archive,
      cacheDir: options.cacheDir,
      version,
      tables: [table],
      openStore: options.openStore,
      onEvent: options.onEvent,
      signal: options.signal,
    });
  } catch (cause) {
    if (!isCarrelError(cause) || ['interrupted', 'busy', 'no-space'].includes(cause.code)) throw cause;
    throw new CarrelError(
      cause.code,
      `the table ${table} is not installed, and could not be fetched: ${cause.message}`,
      {
        item: table,
        next: `${howToGet(archive, table)} where there is a network, or carrel catalog add FILE with its Parquet file`,
        cause,
        retryable: cause.retryable,
      },
    );
  }
}
