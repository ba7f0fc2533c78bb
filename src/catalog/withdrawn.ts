/** What earlier releases held and the newest tables know nothing of: said as withdrawn, never as unknown. */
import type { Archive } from '../archives/index.ts';
import { type HistorySource, openHistorySources } from './history-sources.ts';
import { releaseNumber } from './layout.ts';

/** Something that was withdrawn. */
export interface Withdrawn {
  /** As asked: a uuid, SeriesInstanceUID, StudyInstanceUID or PatientID. */
  name: string;
  level: 'version' | 'series' | 'study' | 'patient';
  /** First and last release that are known to have held it: `v2`, `v18`. */
  first: string;
  last: string;
  /** First release after that whose installed tables do not list it. */
  gone: string;
  /** True where that is the very next release; false: it left somewhere in between. */
  exact: boolean;
  /** Installed release whose tables still know it: what `--release` has to name. */
  knownBy: string;
  /** Series versions of it in its last release. */
  versions: string[];
}

const LEVELS = [
  ['version', 'crdc_series_uuid'],
  ['series', 'SeriesInstanceUID'],
  ['study', 'StudyInstanceUID'],
  ['patient', 'PatientID'],
] as const;

/**
 * Which of these names the newest installed tables do not know, in any release, while older installed ones do. Names
 * that no table knows, or that the newest one knows, are missing from the answer.
 */
export async function findWithdrawn(options: {
  archive: Archive;
  cacheDir: string;
  names: readonly string[];
  signal?: AbortSignal | undefined;
}): Promise<Map<string, Withdrawn>> {
  const { archive } = options;
  const found = new Map<string, Withdrawn>();
  if (options.names.length === 0) return found;
  const opened = await openHistorySources(options);
  try {
    const [newest, ...older] = opened.sources;
    if (newest === undefined || older.length === 0) return found;
    const idOf = (name: string) => (/^[0-9a-f]{8}-/i.test(name) ? name.toLowerCase() : name);
    const known = await newest.named(options.names.map(idOf));
    const names = options.names.filter((name) => !known.has(idOf(name)));
    if (names.length === 0) return found;
    const listed: { source: HistorySource; named: Awaited<ReturnType<HistorySource['named']>> }[] = [];
    for (const source of older) listed.push({ source, named: await source.named(names.map(idOf)) });
    const own = opened.sources.map(({ tables }) => tables.tablesRelease);
    for (const name of names) {
      const one = await describe(archive, idOf(name), listed, own);
      if (one !== undefined) found.set(name, { ...one, name });
    }
    return found;
  } finally {
    await opened.close();
  }
}

async function describe(
  archive: Archive,
  id: string,
  listed: readonly { source: HistorySource; named: Awaited<ReturnType<HistorySource['named']>> }[],
  own: readonly number[],
): Promise<Withdrawn | undefined> {
  const prefix = archive.catalog.releasePrefix;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let knownBy: number | undefined;
  let level: Withdrawn['level'] | undefined;
  let versions: string[] = [];
  for (const { source, named } of listed) {
    const rows = named.get(id);
    if (rows === undefined) continue;
    const found = LEVELS.find(([, column]) => rows.some((row) => row[column] === id));
    if (found === undefined) continue;
    level ??= found[0];
    const [, column] = found;
    // Of several tables that know it, the one of its own last release describes it best.
    const release = source.tables.tablesRelease;
    const uids = [...new Set(rows.map((row) => row.SeriesInstanceUID))];
    for (const row of await source.ranges(uids)) {
      if (row[column] !== id) continue;
      first = Math.min(first, Number(row['first']));
      const end = Number(row['last']);
      if (end > last) versions = [];
      last = Math.max(last, end);
      if (end === last) versions.push(String(row['crdc_series_uuid']));
    }
    knownBy = knownBy === undefined ? release : release >= last ? Math.min(knownBy, release) : knownBy;
  }
  if (level === undefined || knownBy === undefined) return undefined;
  const gone = Math.min(...own.filter((release) => release > last));
  return {
    name: id,
    level,
    first: `${prefix}${first}`,
    last: `${prefix}${last}`,
    gone: `${prefix}${gone}`,
    exact: gone === last + 1,
    knownBy: `${prefix}${knownBy}`,
    versions: [...new Set(versions)].sort(),
  };
}

/** In words: `was withdrawn: last in v18, gone since v19`. */
export function withdrawnText(archive: Archive, { first, last, gone, exact }: Withdrawn): string {
  const after = `${archive.catalog.releasePrefix}${releaseNumber(archive, last) + 1}`;
  const held = first === last ? `only in ${last}` : `in ${first} to ${last}`;
  return `was withdrawn: ${held}, gone ${exact ? `since ${gone}` : `between ${after} and ${gone}`}`;
}
