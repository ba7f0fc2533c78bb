/** Aborts as the errors of the house. */
import { abortError } from '../errors.ts';

/** Throws `interrupted` (or the abort's own reason) where the signal was aborted. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}
