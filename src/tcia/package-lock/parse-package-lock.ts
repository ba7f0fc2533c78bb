/**
 * Reads `carrel.lock.tcia.json`. It may come from a stranger: a path that would leave the folder is refused here, before
 * anything else sees it.
 */
import { hasLockMember, readLockDocument } from '../../manifests/index.ts';
import { checkPlan } from '../../transfer/index.ts';
import { PACKAGE_LOCK_VERSION, packageLockSchema } from './lock-schema.ts';
import { packageFiles } from './merge-package-locks.ts';
import type { PackageLock } from './package-lock.ts';

const FORMAT = {
  member: 'carrel_tcia_lock',
  version: PACKAGE_LOCK_VERSION,
  schema: packageLockSchema,
  what: 'lock file of packages',
  example: 'a carrel.lock.tcia.json as carrel tcia get writes it',
};

/** True for a value (already parsed from JSON) that claims to be a lock file of packages, of any version. */
export function isPackageLockLike(value: unknown): boolean {
  return hasLockMember(value, FORMAT.member);
}

/**
 * Parses and checks a lock file, given as text or as a value parsed from JSON.
 *
 * @param origin path or URL that it was read from, for messages
 * @throws CarrelError `bad-input` naming the member at fault, `unsupported` for another version of the format, `unsafe` for a
 *   path that leaves the folder or two files of one name
 */
export function parsePackageLock(input: unknown, { origin }: { origin: string }): PackageLock {
  // The schema has matched every digest against the form of the type; valibot's type for it is only `string`.
  const lock = readLockDocument(input, FORMAT, origin) as PackageLock;
  checkPlan(packageFiles(lock).map(({ local }) => ({ path: local, digests: [], sources: [] })));
  return lock;
}
