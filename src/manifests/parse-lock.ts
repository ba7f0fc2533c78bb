/**
 * Reads `carrel.lock.json`. A lock file may come from a stranger: paths that would leave the destination are refused
 * here, before anything else sees them.
 */
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import type { LockFile } from './lock-file.ts';
import { LOCK_VERSION, lockSchema } from './lock-schema.ts';

/** Words for messages. */
export interface ParseLockOptions {
  /** Path or URL that it was read from. */
  origin: string;
}

/** True for a value (already parsed from JSON) that claims to be a lock file of any version. */
export function isLockLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'carrel_lock' in value;
}

/**
 * Parses and checks a lock file, given as text or as a value parsed from JSON.
 * Throws `bad-input` naming the member at fault, `unsupported` for another version of the format, `unsafe` for a path
 * that leaves the destination.
 */
export function parseLock(input: unknown, { origin }: ParseLockOptions): LockFile {
  const value = typeof input === 'string' ? parseJson(input, origin) : input;
  if (typeof value !== 'object' || value === null || !('carrel_lock' in value)) {
    throw new CarrelError('bad-input', `${origin} is not a lock file: it has no member "carrel_lock"`, {
      item: origin,
      next: 'hand in a carrel.lock.json as carrel get writes it',
    });
  }
  if (value.carrel_lock !== LOCK_VERSION) {
    throw new CarrelError(
      'unsupported',
      `${origin} is a lock file of version ${JSON.stringify(value.carrel_lock)}; this build reads version ${LOCK_VERSION}`,
      { item: origin, next: 'install a newer carrel' },
    );
  }
  const result = v.safeParse(lockSchema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const where = v.getDotPath(issue) ?? '(top level)';
    throw new CarrelError('bad-input', `${origin}: ${where}: ${issue.message}`, {
      item: `${origin}#${where}`,
      next: 'restore the lock file from the run that wrote it',
    });
  }
  // The schema has matched every digest against the form of the type; valibot's type for it is only `string`.
  const lock = result.output as LockFile;
  checkPaths(lock, origin);
  return lock;
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (cause) {
    throw new CarrelError('bad-input', `${origin} is not JSON: ${(cause as Error).message}`, {
      item: origin,
      next: 'restore the lock file from the run that wrote it',
      cause,
    });
  }
}

function checkPaths(lock: LockFile, origin: string): void {
  const seen = new Map<string, string>();
  const owners = [lock.files, ...lock.series.map((series) => series.files)];
  for (const files of owners) {
    for (const { path } of files) {
      if (
        path.split('/').some((part) => part === '' || part === '.' || part === '..') ||
        /^[A-Za-z]:/.test(path)
      ) {
        throw new CarrelError(
          'unsafe',
          `${origin}: the path ${JSON.stringify(path)} leaves the destination`,
          {
            item: path,
            next: 'do not use this lock file: carrel never writes such a path',
          },
        );
      }
      // macOS and Windows fold case and normalise Unicode: two such names would be one file there.
      const folded = path.normalize('NFC').toLowerCase();
      const other = seen.get(folded);
      if (other !== undefined) {
        throw new CarrelError('unsafe', `${origin}: two files with one name: ${other} and ${path}`, {
          item: path,
          next: 'do not use this lock file: carrel never writes such a pair',
        });
      }
      seen.set(folded, path);
    }
  }
}
