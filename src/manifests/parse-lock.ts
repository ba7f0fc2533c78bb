/**
 * Reads `carrel.lock.json`. A lock file may come from a stranger: paths that would leave the destination are refused
 * here, before anything else sees them.
 */
import { CarrelError } from '../errors.ts';
import { hasLockMember, readLockDocument } from './lock-document.ts';
import type { LockFile } from './lock-file.ts';
import { LOCK_VERSION, lockSchema } from './lock-schema.ts';
import { readPlainLock } from './read-plain-lock.ts';

/** Words for messages. */
export interface ParseLockOptions {
  /** Path or URL that it was read from. */
  origin: string;
}

const FORMAT = {
  member: 'carrel_lock',
  version: LOCK_VERSION,
  schema: lockSchema,
  what: 'lock file',
  example: 'a carrel.lock.json as carrel get writes it',
};

/** True for a value (already parsed from JSON) that claims to be a lock file of any version. */
export function isLockLike(value: unknown): boolean {
  return hasLockMember(value, FORMAT.member);
}

/**
 * Parses and checks a lock file, given as text or as a value parsed from JSON.
 * Throws `bad-input` naming the member at fault, `unsupported` for another version of the format, `unsafe` for a path
 * that leaves the destination.
 */
export function parseLock(input: unknown, { origin }: ParseLockOptions): LockFile {
  // The schema has matched every digest against the form of the type; valibot's type for it is only `string`.
  const lock = readLockDocument(input, FORMAT, origin, readPlainLock) as LockFile;
  checkPaths(lock, origin);
  return lock;
}

/** A segment that is empty, `.` or `..`, or a drive. */
const LEAVES = /(?:^|\/)\.{0,2}(?:\/|$)|^[A-Za-z]:/;

function checkPaths(lock: LockFile, origin: string): void {
  const seen = new Set<string>();
  const owners = [lock.files, ...lock.series.map((series) => series.files)];
  for (const files of owners) {
    for (const { path } of files) {
      if (LEAVES.test(path)) {
        throw new CarrelError(
          'unsafe',
          `${origin}: the path ${JSON.stringify(path)} leaves the destination`,
          {
            item: path,
            next: 'do not use this lock file: carrel never writes such a path',
          },
        );
      }
      const folded = fold(path);
      if (seen.has(folded)) {
        const other = owners.flat().find((file) => fold(file.path) === folded)?.path;
        throw new CarrelError('unsafe', `${origin}: two files with one name: ${other} and ${path}`, {
          item: path,
          next: 'do not use this lock file: carrel never writes such a pair',
        });
      }
      seen.add(folded);
    }
  }
}

/** macOS and Windows fold case and normalise Unicode: two such names would be one file there. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
