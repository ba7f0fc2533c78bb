/**
 * When to stop trying. Each file is tried patiently; a hundred thousand files that are tried patiently against a service
 * that is gone take days. So a run in which so many files in a row could not be reached, by any mirror, tries no more.
 */
import { CarrelError, isCarrelError } from '../errors.ts';

/** Files in a row, each of them tried as often and as long as `retry` says. */
const LOST_FILES = 100;

/** Watches the ends of files. */
export interface LostLine {
  /** A file came. */
  reached(): void;
  /** A file failed, for good. True at the moment when nothing more is to be tried. */
  failed(error: unknown): boolean;
  /** Nothing more is to be tried. */
  readonly isOver: boolean;
  /** Says so. */
  readonly message: string;
  /** For a file that was not tried. */
  error(path: string): CarrelError;
}

/** Fresh for each run. */
export function createLostLine(most = LOST_FILES): LostLine {
  let inARow = 0;
  let last: unknown;
  return {
    reached() {
      inARow = 0;
    },
    failed(error) {
      // A file that is missing or refused says that somebody answers.
      inARow = isCarrelError(error, 'network') ? inARow + 1 : 0;
      last = error;
      return inARow === most;
    },
    get isOver() {
      return inARow >= most;
    },
    message: `${most} files in a row could not be reached: nothing more is tried`,
    error(path) {
      return new CarrelError(
        'network',
        `${path}: not tried, because ${most} files before it could not be reached`,
        {
          item: path,
          next: 'check the connection, then run the same command again: it goes on where it stopped',
          cause: last,
          retryable: true,
        },
      );
    },
  };
}
