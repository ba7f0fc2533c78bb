/** What the catalogue has to say about a selection, before its answer is printed. */
import type { SelectionNote } from '../../catalog/index.ts';
import type { Run } from '../command.ts';
import { printSelectionNotes, unknownValue } from '../notes.ts';

/** Prints notes; an unknown value is an error where nothing is left, or with `--strict`. */
export async function settleNotes(
  run: Run,
  notes: readonly SelectionNote[],
  strict: boolean,
  nothingLeft: boolean,
): Promise<void> {
  const fatal = nothingLeft || strict ? notes.find((note) => note.unknown) : undefined;
  await printSelectionNotes(
    run,
    notes.filter((note) => note !== fatal),
  );
  if (fatal !== undefined) throw unknownValue(fatal);
}
