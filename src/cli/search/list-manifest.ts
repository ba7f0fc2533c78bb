/** `carrel search --format manifest|uids`: a selection as a list that other tools take, streamed. */
import type { SeriesRow } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import { writeManifest } from '../../manifests/index.ts';
import { settleNotes } from '../notes.ts';
import { withDestination } from '../output/destination.ts';
import { isNarrowed } from '../selection-flags.ts';
import { write } from '../terminal.ts';
import { type Search, tellWritten } from './search.ts';

/** Prints an s5cmd run file or SeriesInstanceUIDs. Throws `usage` for a selection of everything. */
export async function listManifest(search: Search, format: 'uids' | 's5cmd'): Promise<void> {
  const { run, catalog, selection, output } = search;
  if (!isNarrowed(selection)) {
    throw new CarrelError('usage', 'a manifest of the whole archive is hardly what you want', {
      next: 'narrow it with --collection or another flag',
    });
  }
  const { rows, notes } = await catalog.selectStream(selection, { signal: run.signal, columns: [] });
  const pieces = rows[Symbol.asyncIterator]();
  try {
    let piece = await pieces.next();
    await settleNotes(run, notes, search.strict, piece.done === true);
    const isNew = onlyNew(search, format);
    let count = 0;
    await withDestination(run.terminal, output, async (terminal) => {
      const options = { format, cloud: 'aws', fileName: output } as const;
      if (piece.done === true) await write(terminal.out, writeManifest([], options));
      for (let first = true; piece.done !== true; first = false, piece = await pieces.next()) {
        const fresh = piece.value.filter(isNew);
        count += fresh.length;
        const text = writeManifest(fresh, first ? options : { ...options, header: [] });
        if (!(await write(terminal.out, text))) return;
      }
    });
    await tellWritten(run, count, output);
    if (count === 0 && !run.quiet) await write(run.terminal.err, 'no series match\n');
  } finally {
    await pieces.return?.(undefined);
  }
}

/** Only a selection by uuids or SQL can hold two versions of one series; nothing else has to remember what it listed. */
function onlyNew({ selection }: Search, format: 'uids' | 's5cmd'): (row: SeriesRow) => boolean {
  if (format !== 'uids' || (selection.crdcSeriesUuid === undefined && selection.sql === undefined))
    return () => true;
  const seen = new Set<string>();
  return ({ SeriesInstanceUID }) => {
    const before = seen.size;
    return seen.add(SeriesInstanceUID).size > before;
  };
}
