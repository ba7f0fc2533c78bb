/** What the readers of lock files have in common: JSON, a member that names format and version, a schema. */
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';

/** A format of lock files. */
export interface LockFormat<Schema extends v.GenericSchema> {
  /** Its member, whose value is the version: `carrel_lock`. */
  member: string;
  version: number;
  schema: Schema;
  /** For messages: `lock file`, `lock file of packages`. */
  what: string;
  /** What to hand in: `a carrel.lock.json as carrel get writes it`. */
  example: string;
}

/** True for a value (already parsed from JSON) that claims to be of a format, in any version. */
export function hasLockMember(value: unknown, member: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && member in value;
}

/**
 * Reads a lock file, given as text or as a value parsed from JSON; its paths are not looked at.
 *
 * @param origin path or URL that it was read from, for messages
 * @param quick reads what the schema takes, faster; undefined where it is not sure
 * @throws CarrelError `bad-input` naming the member at fault, `unsupported` for another version of the format
 */
export function readLockDocument<Schema extends v.GenericSchema>(
  input: unknown,
  { member, version, schema, what, example }: LockFormat<Schema>,
  origin: string,
  quick?: (value: Record<string, unknown>) => v.InferOutput<Schema> | undefined,
): v.InferOutput<Schema> {
  const value = typeof input === 'string' ? parseJson(input, origin) : input;
  if (!hasLockMember(value, member)) {
    throw new CarrelError('bad-input', `${origin} is not a ${what}: it has no member "${member}"`, {
      item: origin,
      next: `hand in ${example}`,
    });
  }
  if (value[member] !== version) {
    throw new CarrelError(
      'unsupported',
      `${origin} is a lock file of version ${JSON.stringify(value[member])}; this build reads version ${version}`,
      { item: origin, next: 'install a newer carrel' },
    );
  }
  const plain = quick?.(value);
  if (plain !== undefined) return plain;
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? '(top level)';
  throw new CarrelError('bad-input', `${origin}: ${where}: ${issue.message}`, {
    item: `${origin}#${where}`,
    next: 'restore the lock file from the run that wrote it',
  });
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
