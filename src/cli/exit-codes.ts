/**
 * The one table of exit codes; `docs/exit-codes.md` is its page and a test holds the two together.
 */
import type { ErrorCode } from '../errors.ts';

/** Code → what it means. Codes may be added, never changed. */
export const EXIT_CODES = {
  0: 'all done',
  1: 'failed: network, disk or a defect',
  2: 'usage: wrong flag, value, or an input that cannot be read or is ambiguous',
  3: 'partly done: some items failed; they are listed',
  4: 'not found: an identifier, release, table, bucket or object',
  5: 'verification failed: bytes differ from the evidence',
  6: 'refused by the licence policy',
  7: 'not enough space',
  8: 'sign-in or permission needed',
  130: 'interrupted; the command to resume is printed',
} as const;

/** An exit code of the table. */
export type ExitCode = keyof typeof EXIT_CODES;

const BY_ERROR: Record<ErrorCode, ExitCode> = {
  usage: 2,
  'bad-input': 2,
  ambiguous: 2,
  sql: 2,
  unsafe: 2,
  'not-found': 4,
  verification: 5,
  license: 6,
  'no-space': 7,
  permission: 8,
  interrupted: 130,
  partial: 3,
  network: 1,
  busy: 1,
  unsupported: 1,
  internal: 1,
};

/** The exit code of an error code. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return BY_ERROR[code];
}

/** The codes as the last paragraph of every command's help. */
export function exitCodesHelp(codes: readonly ExitCode[]): string {
  return `Exit codes:\n${codes.map((code) => `  ${String(code).padStart(3)}  ${EXIT_CODES[code]}`).join('\n')}`;
}
