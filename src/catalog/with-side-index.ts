/** A catalogue whose look-ups are answered from its side index, and by its tables wherever that cannot or must not. */
import { stopIfAborted } from './abort.ts';
import type { Catalog, Options, SelectOptions } from './catalog.ts';
import type { Match } from './look-up.ts';
import type { OpenTables } from './open-tables.ts';
import type { Selection, SeriesRow } from './rows.ts';
import { createSideAnswers, licensesOfRows } from './side-index/answers.ts';
import { createCountAnswers } from './side-index/count-answers.ts';
import { DamagedSideIndex } from './side-index/read-piece.ts';
import type { SideIndex } from './side-index/read-side-index.ts';

/**
 * More identifiers than these in one call are a join, which the engine does better: 10,000 scattered over all tables touch
 * every block, and took 2.8 times as long here.
 */
const MOST_IDS = 2_000;

/** Puts the side index before the tables. It is closed with the catalogue. */
export function withSideIndex(catalog: Catalog, tables: OpenTables, index: SideIndex): Catalog {
  const answers = createSideAnswers(index, tables);
  const counts = createCountAnswers(index, tables);
  const hasFiles = tables.content.tables.some(({ name }) => name === 'sm_instance_index');
  let usable = true;
  let closed = false;

  /** What the side index says; undefined where it has no answer or turns out to be damaged. */
  const ask = async <T>(work: () => Promise<T | undefined>): Promise<T | undefined> => {
    if (!usable || closed) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DamagedSideIndex) && !isReadError(error)) throw error;
      usable = false;
      return undefined;
    }
  };
  const select = (selection: Selection, options: SelectOptions = {}) =>
    ask(() => answers.select(selection, options.columns, options.signal));
  const rowsOf = async (selection: Selection, options?: SelectOptions): Promise<SeriesRow[]> =>
    (await select(selection, options)) ?? (await catalog.select(selection, options)).rows;

  return {
    ...catalog,
    async lookUp(text, options) {
      const found = await ask(() => answers.lookUp(text, options?.signal));
      if (found === undefined) return catalog.lookUp(text, options);
      return found.map(
        (match): Match => ({
          ...match,
          seriesRows: (rowOptions) => rowsOf(match.selection, rowOptions),
        }),
      );
    },
    async lookUpUids(uids, options) {
      if (uids.length > MOST_IDS) return catalog.lookUpUids(uids, options);
      const answer = await ask(() => answers.lookUpUids(uids, options?.signal));
      if (answer === undefined) return catalog.lookUpUids(uids, options);
      if (answer.unknown.length === 0 || !hasFiles) return answer.found;
      // They may be files of slides, which a table of their own lists.
      const files = await catalog.lookUpUids(answer.unknown, options);
      return new Map([...answer.found, ...files]);
    },
    async seriesByUuid(uuids, options = {}) {
      if (uuids.length > MOST_IDS) return catalog.seriesByUuid(uuids, options);
      const found = await ask(() => answers.seriesByUuid(uuids, options.columns, options.signal));
      return found ?? catalog.seriesByUuid(uuids, options);
    },
    async history(id, options) {
      return (await ask(() => answers.history(id, options?.signal))) ?? catalog.history(id, options);
    },
    async select(selection, options) {
      const rows = await select(selection, options);
      return rows === undefined ? catalog.select(selection, options) : { rows, notes: [] };
    },
    async count(what, options) {
      stopIfAborted(options?.signal);
      const found = await ask(() => counts.count(what, options?.sums));
      return found ?? catalog.count(what, options);
    },
    async groupBy(what, columns, options) {
      stopIfAborted(options?.signal);
      const found = await ask(() => counts.groupBy(what, columns, options));
      return found ?? catalog.groupBy(what, columns, options);
    },
    async licenses(what, options?: Options) {
      stopIfAborted(options?.signal);
      const rows = isSelection(what) ? await select(what, { ...options, columns: [] }) : undefined;
      if (rows !== undefined) return { licenses: licensesOfRows(rows), notes: [] };
      const licenses = isSelection(what) ? await ask(() => counts.licenses(what)) : undefined;
      return licenses === undefined ? catalog.licenses(what, options) : { licenses, notes: [] };
    },
    close() {
      closed = true;
      void index.close().catch(() => undefined);
      catalog.close();
    },
  };
}

function isSelection(what: Selection | readonly string[]): what is Selection {
  return !Array.isArray(what);
}

/** True for errors of reading and of decompressing: a file system that fails, a file that was replaced. */
function isReadError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EIO' || code === 'EBADF' || code === 'ESTALE' || code?.startsWith('ERR_') === true;
}
