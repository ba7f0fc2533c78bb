/** JSON for machines: documents for short answers, lines for long runs. Described in docs/json-output.md. */
import { isCarrelError } from '../../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';

/** JSON text of any value; integers beyond 2^53 become text, so that no digit is lost. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, item: unknown) =>
      typeof item === 'bigint' ? (Number.isSafeInteger(Number(item)) ? Number(item) : item.toString()) : item,
    indent,
  );
}

/** An error as the object that `--json` writes to stderr. */
export function errorToJson(error: unknown): Record<string, unknown> {
  if (isCarrelError(error)) {
    return {
      type: 'error',
      code: error.code,
      exit: exitCodeOf(error.code),
      item: error.item ?? null,
      message: error.message,
      next: error.next ?? null,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: 'error', code: 'internal', exit: 1, item: null, message, next: null };
}
