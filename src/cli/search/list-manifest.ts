/** `carrel search --format manifest|uids`: a selection as a list that other tools take. */
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
  const { rows, notes } = await catalog.select(selection, { signal: run.signal, columns: [] });
  await settleNotes(run, notes, search.strict, rows.length === 0);
  const text = writeManifest(rows, { format, cloud: 'aws', fileName: output });
  await withDestination(run.terminal, output, (terminal) => write(terminal.out, text));
  await tellWritten(run, rows.length, output);
}
