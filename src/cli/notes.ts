/** Remarks about an answer, on stderr. */
import type { SelectionNote } from '../catalog/index.ts';
import { unknownValue } from '../cohort/index.ts';
import type { Run } from './command.ts';
import { printable, write } from './terminal.ts';

/** Prints what the catalogue has to say about a selection; nothing with `--quiet`. */
export async function printSelectionNotes(run: Run, notes: readonly SelectionNote[]): Promise<void> {
  if (run.quiet) return;
  for (const { message, suggestions, unknown } of notes) {
    const hint =
      unknown && suggestions.length > 0 && !suggestions.some((value) => message.includes(value))
        ? ` (nearest: ${suggestions.join(', ')})`
        : '';
    await write(run.terminal.err, `${run.err.dim('note:')} ${printable(`${message}${hint}`)}\n`);
  }
}

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
