/**
 * Tombstones: what an archive removed for good, and why. Redaction is the one exception to "a version never changes":
 * files of old versions go too, and the uuid of their series stays. Only a public list of such removals tells a redacted
 * file from a lost one.
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import { isCrdcUuid } from '../identifiers/index.ts';
import type { Tools } from './question.ts';

/** One removal. */
export interface Tombstone {
  /** Of what was removed: an instance, or a series and every file in it. */
  uuid: string;
  level: 'instance' | 'series';
  /** `YYYY-MM-DD`. */
  date: string;
  /** A word: `phi`, `consent-withdrawn`, `license`. */
  reason: string;
  /** In a sentence. */
  description?: string | undefined;
}

/** What became of a file that no mirror has: removed on purpose, or gone without a word. */
export interface MissingFile {
  path: string;
  key: string;
  fate: 'redacted' | 'lost';
  tombstone: Tombstone | null;
}

const schema = v.object({
  carrel_tombstones: v.literal(1),
  tombstones: v.array(
    v.object({
      uuid: v.pipe(v.string(), v.toLowerCase(), v.check(isCrdcUuid)),
      level: v.picklist(['instance', 'series']),
      date: v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/)),
      reason: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,63}$/)),
      description: v.optional(v.pipe(v.string(), v.maxLength(2000))),
    }),
  ),
});

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads the list that the archive's record names, by uuid. Empty where it names none.
 *
 * @throws `bad-input` for a list of another form; what its place answers
 */
export async function readTombstones(
  tools: Pick<Tools, 'archive' | 'openStore' | 'signal'>,
): Promise<ReadonlyMap<string, Tombstone>> {
  const { archive, openStore, signal } = tools;
  const place = archive.tombstones;
  if (place === undefined) return new Map();
  let text: string;
  if (/^https?:\/\//.test(place)) {
    const url = new URL(place);
    const store = openStore({ protocol: 'https', endpoint: url.origin, bucket: '' });
    const body = await store.get(`${url.pathname.slice(1)}${url.search}`, { signal });
    text = new TextDecoder().decode(await body.bytes(MAX_BYTES));
  } else text = await readFile(place, 'utf8');
  const parsed = v.safeParse(schema, safeJson(text));
  if (!parsed.success)
    throw new CarrelError('bad-input', `the list of tombstones of ${archive.name} cannot be read: ${place}`, {
      item: place,
      next: 'it must be {"carrel_tombstones": 1, "tombstones": […]}; docs/archives.md shows one',
    });
  return new Map(parsed.output.tombstones.map((one) => [one.uuid, one]));
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The tombstone of an object `<series uuid>/<instance uuid>.dcm`: that of the file, else that of its series. */
export function tombstoneOf(key: string, tombstones: ReadonlyMap<string, Tombstone>): Tombstone | undefined {
  const parts = key.split('/').map((part) => part.replace(/\.dcm$/i, '').toLowerCase());
  const [instance = '', series = ''] = [parts.at(-1), parts.at(-2)];
  const own = tombstones.get(instance);
  if (own !== undefined && (own.level === 'instance' || parts.length === 1)) return own;
  const whole = tombstones.get(series);
  return whole?.level === 'series' ? whole : undefined;
}

/** The error about what is missing, with what the tombstones say. */
export function missingError(
  item: string,
  tombstone: Tombstone | undefined,
  cause: CarrelError,
): CarrelError {
  if (tombstone === undefined)
    return new CarrelError(
      'not-found',
      `${item} is lost: every mirror was asked, and no tombstone explains it`,
      {
        item,
        next: 'tell the archive: a version is not supposed to change',
        cause,
        status: cause.status,
      },
    );
  const { date, reason, description } = tombstone;
  const why = description === undefined ? reason : `${reason}: ${description}`;
  return new CarrelError('not-found', `${item} was redacted by the archive on ${date} (${why})`, {
    item,
    next: 'it will not come back; remove copies of it that are left',
    cause,
    status: cause.status,
  });
}

/**
 * Tells redacted files from lost ones, among those that no mirror has: their errors are replaced in `failed`. A list of
 * tombstones that cannot be read is a note, not a failure.
 */
export async function explainMissing(
  failed: { path: string; error: CarrelError }[],
  keyOf: (path: string) => string | undefined,
  tools: Tools,
): Promise<{ missing: MissingFile[]; notes: string[] }> {
  const gone = failed.filter(({ error }) => error.code === 'not-found');
  if (gone.length === 0) return { missing: [], notes: [] };
  const notes: string[] = [];
  const tombstones = await readTombstones(tools).catch((error: unknown) => {
    if (tools.signal?.aborted === true) throw error;
    notes.push(`the list of tombstones could not be read: ${(error as Error).message}`);
    return undefined;
  });
  const missing = gone.map((one): MissingFile => {
    const key = keyOf(one.path) ?? one.path;
    const tombstone = tombstones === undefined ? undefined : tombstoneOf(key, tombstones);
    // Without the list nobody knows; then the engine's own words stand.
    if (tombstones !== undefined) one.error = missingError(one.path, tombstone, one.error);
    return {
      path: one.path,
      key,
      fate: tombstone === undefined ? 'lost' : 'redacted',
      tombstone: tombstone ?? null,
    };
  });
  return { missing, notes };
}
