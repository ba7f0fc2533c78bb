/** A statement that names a table which the archive has and which is not installed: told apart from other errors. */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { howToGet } from './tables.ts';

/** The engine's own error → the table. Errors are wrapped on their way out, and keep it as their cause. */
const missing = new WeakMap<object, string>();

/** The error for such a table; `place` is the engine's mark in the user's text. */
export function missingTableError(
  archive: Archive,
  table: string,
  place: string,
  cause: unknown,
): CarrelError {
  if (typeof cause === 'object' && cause !== null) missing.set(cause, table);
  return new CarrelError('not-found', `the table ${table} is not installed${place}`, {
    item: table,
    next: howToGet(archive, table),
    cause,
  });
}

/** The table that an error is about; undefined for every other error. */
export function missingTableOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const table = missing.get(at);
    if (table !== undefined) return table;
  }
  return undefined;
}
