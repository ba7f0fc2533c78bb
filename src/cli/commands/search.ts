/** `carrel search`: which series match, how many, by what; or which data sets are described by words. */
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import { ROW_FORMATS } from '../output/rows.ts';
import { countSeries } from '../search/count-series.ts';
import { addEngineFlags, bigQueryOf, tellUsage } from '../search/engine.ts';
import { groupSeries } from '../search/group-series.ts';
import { listDatasets } from '../search/list-datasets.ts';
import { listManifest } from '../search/list-manifest.ts';
import { listSeries } from '../search/list-series.ts';
import { planSearch } from '../search/plan-search.ts';
import type { Search } from '../search/search.ts';
import { addSelectionFlags, selectionOf } from '../selection-flags.ts';
import { write } from '../terminal.ts';

const FORMATS = [...ROW_FORMATS, 'parquet', 'manifest', 's5cmd', 'uids'] as const;

/** `carrel search`. */
export const spec: CommandSpec = {
  name: 'search',
  summary: 'which series match, or which data sets are described by words',
  examples: [
    'carrel search lung CT',
    'carrel search --collection nlst --modality CT --count',
    'carrel search --by Modality --sum instanceCount --plot',
    'carrel search --collection rider_pilot --where "instanceCount > 200" --order bytes:desc --format csv',
    'carrel search --collection nlst --sample 100 --split train=0.8,val=0.1,test=0.1 --format parquet -o cohort.parquet',
    'carrel search --collection rider_pilot --format manifest -o manifest.s5cmd',
    'carrel search --collection nlst --by Modality --engine bigquery --project my-project --dry-run',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command.argument('[words...]', 'words that describe a collection or an analysis result; all must match');
    addEngineFlags(addSelectionFlags(command))
      .addOption(new Option('--count', 'only how much: collections, patients, studies, series, files, bytes'))
      .addOption(
        new Option('--by <column>', 'count by the values of a column (repeatable)').argParser(collect),
      )
      .addOption(new Option('--sum <column>', 'add up a column of numbers (repeatable)').argParser(collect))
      .addOption(new Option('--plot', 'draw --by as bars'))
      .addOption(new Option('--columns <list>', 'columns to list, separated by commas'))
      .addOption(new Option('--format <format>', FORMATS.join(', ')))
      .addOption(new Option('-o, --output <file>', 'write the answer to a file'));
  },
  async run(run, words, flags) {
    const format = flags['format'] as string | undefined;
    if (format !== undefined && !(FORMATS as readonly string[]).includes(format)) {
      throw new CarrelError('usage', `no format ${JSON.stringify(format)}`, {
        item: format,
        next: FORMATS.join(', '),
      });
    }
    const by = flags['by'] as string[] | undefined;
    if (flags['plot'] === true && by === undefined)
      throw new CarrelError('usage', '--plot draws the values of --by', {
        next: 'for example --by Modality --plot',
      });
    const sums = ((flags['sum'] as string[] | undefined) ?? []).flatMap((one) => one.split(','));
    const counting = flags['count'] === true || (sums.length > 0 && by === undefined);
    const listed = format === 'manifest' || format === 's5cmd' || format === 'uids';
    if ((format === 'parquet' && counting) || (listed && (counting || by !== undefined)))
      throw new CarrelError('usage', `counts cannot be written as ${format}`, {
        next: `one of ${ROW_FORMATS.join(', ')}${by === undefined ? '' : ', parquet'}`,
      });
    return await atDesk(run, async (desk) => {
      const selection = selectionOf(flags);
      if (words.length > 0) selection.words = words;
      const bigquery = bigQueryOf(desk.archive, flags, selection.release);
      const catalog = bigquery ?? (await desk.catalog(selection.release));
      if (!run.quiet)
        for (const note of catalog.notes) await write(run.terminal.err, `${run.err.dim('note:')} ${note}\n`);
      const search: Search = {
        run,
        catalog,
        selection,
        strict: flags['strict'] === true,
        format,
        output: flags['output'] as string | undefined,
        sums,
      };
      const columns = flags['columns'] as string | undefined;
      const described =
        words.length > 0 && columns === undefined && selection.split === undefined && format !== 'parquet';
      if (bigquery !== undefined && flags['dryRun'] === true) {
        const kind = counting ? 'count' : by !== undefined || described ? 'groups' : 'series';
        await planSearch(search, bigquery, kind, listed ? [] : (by ?? columns?.split(',')), listed);
        return 0;
      }
      if (counting) await countSeries(search);
      else if (by !== undefined) await groupSeries(search, by, flags['plot'] === true);
      else if (listed) await listManifest(search, format === 'uids' ? 'uids' : 's5cmd');
      else if (described) await listDatasets(search, words);
      else await listSeries(search, columns);
      if (bigquery !== undefined) await tellUsage(run, bigquery);
      return 0;
    });
  },
};
