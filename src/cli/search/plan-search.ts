/** `carrel search --dry-run`: the statements that a search would send. */
import type { BigQueryCatalog, Question } from '../../catalog/index.ts';
import { printPlan } from './engine.ts';
import { columnsOf } from './list-series.ts';
import type { Search } from './search.ts';

/** Prints the statements of a search; `columns` are those counted by, or listed. */
export async function planSearch(
  search: Search,
  catalog: BigQueryCatalog,
  kind: Question['kind'],
  columns: readonly string[] | undefined,
  listed: boolean,
): Promise<void> {
  const { run, sums, output } = search;
  const question = (): Question => {
    if (kind === 'count') return { kind, selection: search.selection, sums };
    if (kind === 'groups') {
      const { limit, order, ...selection } = search.selection;
      // Data sets are counted by their collection; the same once more by analysis result.
      const by = columns === undefined ? ['collection_id'] : columns.flatMap((one) => one.split(','));
      return {
        kind,
        selection,
        columns: catalog.answerColumns(
          by.map((one) => one.trim()),
          selection,
        ),
        sums,
        order,
        limit: columns === undefined ? undefined : limit,
      };
    }
    const wanted = listed ? [] : columnsOf(search, columns?.join(','));
    return { kind, selection: search.selection, columns: wanted.filter((name) => name !== 'bytes') };
  };
  const plans = await catalog.plan(question(), { signal: run.signal });
  await printPlan(run, catalog, plans, output);
}
