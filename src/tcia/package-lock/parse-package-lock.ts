/**
 * Reads `carrel.lock.tcia.json`. It may come from a stranger: a path that would leave the folder is refused here, before
 * anything else sees it.
 */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import { checkPlan } from '../../transfer/index.ts';
import { PACKAGE_LOCK_VERSION, packageLockSchema } from './lock-schema.ts';
import type { PackageLock } from './package-lock.ts';

/** True for a value (already parsed from JSON) that claims to be a lock file of packages, of any version. */
export function isPackageLockLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'carrel_tcia_lock' in value;
}

/**
 * Parses and checks a lock file, given as text or as a value parsed from JSON.
 *
 * @param origin path or URL that it was read from, for messages
 * @throws CarrelError `bad-input` naming the member at fault, `unsupported` for another version of the format, `unsafe` for a
 *   path that leaves the folder or two files of one name
 */
export function parsePackageLock(input: unknown, { origin }: { origin: string }): PackageLock {
  const value = typeof input === 'string' ? parseJson(input, origin) : input;
  if (typeof value !== 'object' || value === null || !('carrel_tcia_lock' in value))
    throw new CarrelError(
      'bad-input',
      `${origin} is not a lock file of packages: it has no member "carrel_tcia_lock"`,
      { item: origin, next: 'hand in a carrel.lock.tcia.json as carrel tcia get writes it' },
    );
  if (value.carrel_tcia_lock !== PACKAGE_LOCK_VERSION)
    throw new CarrelError(
      'unsupported',
      `${origin} is a lock file of version ${JSON.stringify(value.carrel_tcia_lock)}; this build reads version ${PACKAGE_LOCK_VERSION}`,
      { item: origin, next: 'install a newer carrel' },
    );
  const result = v.safeParse(packageLockSchema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const where = v.getDotPath(issue) ?? '(top level)';
    throw new CarrelError('bad-input', `${origin}: ${where}: ${issue.message}`, {
      item: `${origin}#${where}`,
      next: 'restore the lock file from the run that wrote it',
    });
  }
  // The schema has matched every digest against the form of the type; valibot's type for it is only `string`.
  const lock = result.output as PackageLock;
  checkPlan(
    lock.packages.flatMap(({ files }) =>
      files.map(({ local }) => ({ path: local, digests: [], sources: [] })),
    ),
  );
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
