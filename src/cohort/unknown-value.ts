/** A value of a selection that is nowhere in the catalogue. */
import { FIELD_COLUMNS, type SelectionNote } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';

/** The error for such a value, with its nearest real ones. */
export function unknownValue(note: SelectionNote): CarrelError {
  const value = note.value === '' ? `an empty ${columnOf(note.field)}` : note.value;
  return new CarrelError('not-found', `${value} is nowhere in the catalogue`, {
    item: note.value,
    next:
      note.suggestions.length > 0
        ? `did you mean ${note.suggestions.join(', ')}?`
        : note.field === 'words'
          ? 'carrel search --by collection_id lists all collections'
          : LONG.has(note.field)
            ? 'carrel show takes it too, and says what is known of it'
            : `carrel search --by ${columnOf(note.field)} lists the values`,
  });
}

/** Throws where a note tells of an unknown value. */
export function refuseUnknown(notes: readonly SelectionNote[]): void {
  const first = notes.find(({ unknown }) => unknown);
  if (first !== undefined) throw unknownValue(first);
}

/** Fields of which nobody wants a list of all values. */
const LONG = new Set(['study', 'series', 'crdcSeriesUuid', 'doi']);

function columnOf(field: string): string {
  return Object.entries(FIELD_COLUMNS).find(([name]) => name === field)?.[1] ?? field;
}
