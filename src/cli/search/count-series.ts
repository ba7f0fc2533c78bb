/** `carrel search --count`: how much a selection is. */

import { settleNotes } from '../notes.ts';
import { withDestination } from '../output/destination.ts';
import { toJson } from '../output/json.ts';
import { rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import { write } from '../terminal.ts';
import type { Search } from './search.ts';

/** Prints one line, or one row or document in a format for programs. */
export async function countSeries(search: Search): Promise<void> {
  const { run, catalog, selection, strict, sums } = search;
  const { notes, ...counts } = await catalog.count(selection, { signal: run.signal, sums });
  await settleNotes(run, notes, strict, counts.series === 0);
  await withDestination(run.terminal, search.output, async (terminal) => {
    if (run.json || search.format === 'json') {
      const evidence = 'evidence' in catalog ? { evidence: catalog.evidence } : {};
      const head = { archive: catalog.archive.name, release: catalog.releaseName, ...evidence };
      await write(terminal.out, `${toJson({ ...head, ...counts, notes })}\n`);
      return;
    }
    if (search.format !== undefined && search.format !== 'table') {
      const { sums: added = {}, ...amounts } = counts;
      const named = Object.entries(added).map(([name, value]) => [`sum_${name}`, value] as const);
      const columns = [...Object.entries(amounts), ...named];
      await writeRows(
        terminal,
        { columns: columns.map(([name]) => name), rows: [[columns.map(([, value]) => value)]] },
        rowFormat(search.format, false),
      );
      return;
    }
    const unknown = counts.seriesWithoutInstances;
    const text = [
      `${formatCount(counts.series)} series`,
      `${plural(counts.instances, 'file')}${unknown > 0 ? ` (unknown for ${formatCount(unknown)} series)` : ''}`,
      `${formatBytes(counts.bytes)}${counts.seriesRounded > 0 ? ' (rounded for superseded versions)' : ''}`,
      plural(counts.studies, 'study', 'studies'),
      plural(counts.patients, 'patient'),
      plural(counts.collections, 'collection'),
      ...Object.entries(counts.sums ?? {}).map(([name, sum]) => `${name} ${formatSum(sum)}`),
    ];
    await write(terminal.out, `${text.join(' · ')}   (${catalog.archive.name} ${catalog.releaseName})\n`);
  });
}

/** A sum for people: thousands separated, at most six digits after the point. */
export function formatSum(sum: number | string | null): string {
  if (sum === null) return '?';
  return typeof sum === 'number' ? sum.toLocaleString('en-US', { maximumFractionDigits: 6 }) : sum;
}
