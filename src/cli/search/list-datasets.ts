/** `carrel search WORDS…`: collections and analysis results, best first, with how much of the selection is in each. */
import type { DatasetMatch } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import { settleNotes } from '../notes.ts';
import { withDestination } from '../output/destination.ts';
import { toJson } from '../output/json.ts';
import { rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { write } from '../terminal.ts';
import { type Search, tellWritten } from './search.ts';

/** Columns for programs. */
const FIELDS = [
  'kind',
  'id',
  'title',
  'cancerTypes',
  'locations',
  'species',
  'modalities',
  'patients',
  'studies',
  'series',
  'instances',
  'bytes',
  'score',
  'found',
] as const satisfies (keyof DatasetMatch)[];

/** Prints the data sets. `--limit` is about data sets here. */
export async function listDatasets(search: Search, words: readonly string[]): Promise<void> {
  const { run, catalog, strict } = search;
  const { limit, words: _, order, ...selection } = search.selection;
  if (order !== undefined)
    throw new CarrelError('usage', 'data sets come best first; --order is for series and groups', {
      next: 'add --by collection_id to count series by collection, or --columns to list series',
    });
  const { datasets, notes } = await catalog.findDatasets(words, selection, { signal: run.signal });
  await settleNotes(run, notes, strict, datasets.length === 0);
  const shown = datasets.slice(0, limit);
  const format = rowFormat(search.format, run.json);
  await withDestination(run.terminal, search.output, async (terminal) => {
    if (run.json) {
      const head = { archive: catalog.archive.name, release: catalog.releaseName };
      await write(terminal.out, `${toJson({ ...head, datasets: shown, notes })}\n`);
      return;
    }
    const people = format === 'table' || format === 'markdown';
    await writeRows(
      terminal,
      people
        ? {
            columns: ['id', 'title', 'cancer types', 'modalities', 'patients', 'series', 'size'],
            numeric: [4, 5, 6],
            optional: [2, 3],
            whole: [0],
            rows: [
              shown.map((one) => [
                one.id,
                one.title ?? '',
                one.cancerTypes ?? (one.kind === 'analysis-result' ? '(analysis result)' : ''),
                one.modalities ?? '',
                formatCount(one.patients),
                formatCount(one.series),
                formatBytes(one.bytes),
              ]),
            ],
          }
        : { columns: FIELDS, rows: [shown.map((one) => FIELDS.map((field) => one[field]))] },
      format,
    );
  });
  await tellWritten(run, shown.length, search.output);
  if (run.quiet || run.json || search.output !== undefined) return;
  const hint = `carrel search ${words.join(' ')} --count counts their series, --columns lists them`;
  await write(
    run.terminal.err,
    datasets.length === 0
      ? 'no data set matches\n'
      : `${formatCount(shown.length)} of ${formatCount(datasets.length)} data sets; ${hint}\n`,
  );
}
