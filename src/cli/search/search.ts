/** What the parts of `carrel search` share. */
import type { Catalog, Selection } from '../../catalog/index.ts';
import type { Run } from '../command.ts';
import { formatCount } from '../output/text.ts';
import { shortPath, write } from '../terminal.ts';

/** What a search asks of a catalogue, whichever engine answers. */
export type SearchCatalog = Pick<
  Catalog,
  | 'archive'
  | 'releaseName'
  | 'evidence'
  | 'answerColumns'
  | 'schema'
  | 'select'
  | 'selectStream'
  | 'count'
  | 'groupBy'
  | 'findDatasets'
  | 'exportParquet'
>;

/** One search: the catalogue, what was selected, and how the answer is to look. */
export interface Search {
  run: Run;
  catalog: SearchCatalog;
  selection: Selection;
  /** `--strict`. */
  strict: boolean;
  /** `--format`, as typed. */
  format: string | undefined;
  /** `-o`. */
  output: string | undefined;
  /** `--sum`. */
  sums: string[];
}

/** Says on stderr what was written where. */
export async function tellWritten(run: Run, rows: number, output: string | undefined): Promise<void> {
  if (output === undefined || run.quiet) return;
  await write(
    run.terminal.err,
    `${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'} → ${shortPath(run.terminal.cwd, output)}\n`,
  );
}
