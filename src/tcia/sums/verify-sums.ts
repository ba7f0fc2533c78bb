/**
 * Proves the files of a package against its lists of checksums, whoever fetched them. Without network.
 */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { abortError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import { type ProvenFile, type TransferEvent, verifyFiles } from '../../transfer/index.ts';
import { finishedName, isSumsName, listLocalFiles } from './local-files.ts';
import { applyMapping, layMapping, type MappedSums, mapSums, type SumsMapping } from './map-sums.ts';
import type { SumsList, SumsProblem } from './parse-sums.ts';
import { indexFiles } from './path-forms.ts';
import { createScope } from './scope.ts';
import { settleTies } from './settle-ties.ts';

const STATS_AT_ONCE = 64;

/** Other mappings that are told of. */
const SHOWN_TIES = 8;

/** A list and where it lies. */
export interface SumsSource {
  list: SumsList;
  /** Folder of the list below the directory, with `/`; `''` for its root or where it lies elsewhere. */
  at?: string | undefined;
  /** The list's own path below the directory. A line for it is passed over: no list holds its own digest. */
  self?: string | undefined;
}

/** How to verify. */
export interface VerifySumsOptions {
  directory: string;
  /** Only these paths and what is below them: paths of the package, or below the directory. Default: everything. */
  scope?: readonly string[] | undefined;
  /** All paths of the package, where known: tells what is in it but in no list. */
  listing?: readonly string[] | undefined;
  /** Files at once. Default 8. */
  jobs?: number | undefined;
  /** `progress` events, at most ten a second. */
  onEvent?: ((event: TransferEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What became of one list. */
export interface SumsListReport {
  origin: string;
  /** Paths that it lists. */
  listed: number;
  /** Of these, those that are on disk. */
  found: number;
  mapping: SumsMapping;
  ties: SumsMapping[];
  problems: SumsProblem[];
  problemCount: number;
}

/** The state of a folder. Paths are those on disk, of what is missing those of the list. Each list is sorted. */
export interface SumsReport {
  /** `listed`: its path in the list. */
  ok: (ProvenFile & { listed: string })[];
  mismatched: { path: string; expected: string; found: string }[];
  missing: string[];
  /** There, but not readable, or listed with digests that contradict each other. */
  unverifiable: { path: string; reason: string }[];
  /** On disk, and neither in a list nor in the package. */
  extra: string[];
  /** In the package, but in no list: nothing proves them. Paths of the package. */
  unlisted: string[];
  /** Leftovers of a transfer that did not end; `of` is the file that it would have become. */
  unfinished: { path: string; of: string }[];
  /** Paths of the scope that are nowhere: in no list and not on disk. */
  unknown: string[];
  /** What is wrong, missing or cannot be read, with its place in the package; not what no bytes can satisfy. */
  again: FetchAgain[];
  lists: SumsListReport[];
}

/** A file that should come once more. */
export interface FetchAgain {
  /** Its path in the list. */
  listed: string;
  /** Where it stands below the folder, or would stand. */
  local: string;
  mapping: SumsMapping;
  /** Of the list. */
  origin: string;
  /** Something stands there already. */
  there: boolean;
}

/** True where every listed file is there and right, and at least one is. What no list names is not held against a folder. */
export function isSumsReportGood(report: SumsReport): boolean {
  const { ok, mismatched, missing, unverifiable, unknown } = report;
  return ok.length > 0 && mismatched.length + missing.length + unverifiable.length + unknown.length === 0;
}

/** What a file on disk should be. */
interface Expectation {
  listed: string;
  digests: Digest[];
  /** Why nothing can be right. */
  conflict?: string | undefined;
  mapping: SumsMapping;
  origin: string;
}

/**
 * Compares every listed file with its digests; several files are read and several MD5s computed at once.
 *
 * @throws CarrelError `not-found` where there is no such folder, `interrupted` after an abort
 */
export async function verifySums(
  sources: readonly SumsSource[],
  options: VerifySumsOptions,
): Promise<SumsReport> {
  const { signal } = options;
  const directory = resolve(options.directory);
  const local = indexFiles(await listLocalFiles(directory, { signal }));
  const scope = createScope(options.scope);
  const mapped: Laid[] = [];
  for (const { list, at, self } of sources) {
    const entries = list.entries.filter(({ path }) => path !== self && joined(at, path) !== self);
    const every = [
      ...entries,
      ...list.conflicts.map(({ path, lines: [line] }) => ({ path, line, digests: [] })),
    ];
    // What was asked for tells more of the place of a list than the rest, which need not be here.
    const asked = every.filter(({ path }) => scope.holds(path));
    const basis = asked.length === 0 ? every : asked;
    const found = await settleTies(mapSums(basis, local, at ?? ''), basis, local, { directory, signal });
    const files = basis.length === every.length ? found.files : layMapping(every, local, found.mapping);
    mapped.push({ list, entries, ...found, hits: files.size, files });
  }
  const { expected, missing } = expectations(mapped, scope.holds);

  const checked = [...expected].filter(([, { conflict }]) => conflict === undefined);
  const sized = await withSizes(directory, checked, signal);
  const verified = await verifyFiles(sized, {
    directory,
    anyNames: true,
    jobs: options.jobs,
    onEvent: options.onEvent,
    signal,
  });

  const named = new Set<string>();
  for (const { files } of mapped) for (const file of files.values()) named.add(file);
  const rest = local.files.filter((file) => !named.has(file));
  const finished = rest.flatMap((path) => {
    const of = finishedName(path);
    return of !== undefined && scope.holds(of) ? [{ path, of }] : [];
  });
  const leftovers = new Set(finished.map(({ path }) => path));
  const unnamed = rest.filter((file) => !leftovers.has(file) && !isSumsName(file) && scope.holds(file));
  const unlisted = findUnlisted(options.listing ?? [], mapped, scope.holds);
  const inPackage = new Set(unlisted.flatMap((path) => mapped.flatMap((one) => placesOf(path, one))));
  const back = (path: string): FetchAgain[] => {
    const known = expected.get(path);
    return known === undefined ? [] : [{ ...placed(known, path), there: true }];
  };
  return {
    ok: verified.ok.map((file) => ({ ...file, listed: expected.get(file.path)?.listed ?? file.path })),
    mismatched: verified.mismatched,
    missing: [
      ...missing.keys(),
      ...verified.missing.map((path) => expected.get(path)?.listed ?? path),
    ].sort(),
    unverifiable: [
      ...verified.unverifiable.map(({ path, reason }) => ({ path, reason })),
      ...[...expected].flatMap(([path, { conflict }]) =>
        conflict === undefined ? [] : [{ path, reason: conflict }],
      ),
    ],
    extra: unnamed.filter((file) => !inPackage.has(file)),
    unlisted,
    unfinished: finished,
    unknown: scope.unused(),
    again: [
      ...verified.mismatched.flatMap(({ path }) => back(path)),
      ...verified.unverifiable.flatMap(({ path }) => back(path)),
      ...[...missing.values()].map((one) => ({ ...one, there: false })),
      ...verified.missing.flatMap((path) => back(path).map((one) => ({ ...one, there: false }))),
    ],
    lists: mapped.map(({ list, entries, hits, mapping, ties }) => ({
      origin: list.origin,
      listed: entries.length + list.conflicts.length,
      found: hits,
      mapping,
      ties: ties.slice(0, SHOWN_TIES),
      problems: list.problems,
      problemCount: list.problemCount,
    })),
  };
}

type Laid = MappedSums & { list: SumsList; entries: readonly SumsList['entries'][number][] };

/** What each file on disk should be by all lists together, and what is missing by every list that names it. */
function expectations(
  mapped: readonly Laid[],
  holds: (path: string) => boolean,
): { expected: Map<string, Expectation>; missing: Map<string, Omit<FetchAgain, 'there'>> } {
  const expected = new Map<string, Expectation>();
  const found = new Set<string>();
  const missing = new Map<string, Omit<FetchAgain, 'there'>>();
  for (const { list, entries, files, mapping } of mapped) {
    const expect = (listed: string, digests: readonly Digest[], conflict?: string) => {
      const file = files.get(listed);
      const place = file ?? applyMapping(listed, mapping) ?? listed;
      if (!holds(listed) && !holds(place)) return;
      const { origin } = list;
      if (file === undefined) {
        missing.set(listed, { listed, local: place, mapping, origin });
        return;
      }
      found.add(listed);
      const known = expected.get(file);
      if (known === undefined)
        expected.set(file, { listed, digests: [...digests], conflict, mapping, origin });
      else merge(known, digests, conflict);
    };
    for (const { path, digests } of entries) expect(path, digests);
    for (const { path, lines } of list.conflicts)
      expect(
        path,
        [],
        `${basename(list.origin)} lists it with different digests in lines ${lines.join(' and ')}`,
      );
  }
  const sorted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const path of found) missing.delete(path);
  return { expected: new Map(sorted), missing };
}

function placed({ listed, mapping, origin }: Expectation, local: string): Omit<FetchAgain, 'there'> {
  return { listed, local, mapping, origin };
}

function merge(known: Expectation, digests: readonly Digest[], conflict: string | undefined): void {
  known.conflict ??= conflict;
  for (const digest of digests) {
    if (known.digests.includes(digest)) continue;
    const kind = digest.slice(0, digest.indexOf(':') + 1);
    if (known.digests.some((one) => one.startsWith(kind)))
      known.conflict ??= 'two lists name it with different digests';
    else known.digests.push(digest);
  }
}

/** Sizes as they are: they tell progress its end. A file that went away meanwhile is left to be found missing. */
async function withSizes(
  directory: string,
  files: readonly [string, Expectation][],
  signal: AbortSignal | undefined,
): Promise<{ path: string; size: number | undefined; digests: Digest[] }[]> {
  const sized: { path: string; size: number | undefined; digests: Digest[] }[] = [];
  for (let at = 0; at < files.length; at += STATS_AT_ONCE) {
    if (signal?.aborted) throw abortError(signal);
    const some = files.slice(at, at + STATS_AT_ONCE);
    const sizes = await Promise.all(
      some.map(([path]) =>
        stat(join(directory, path)).then(
          ({ size }) => size,
          () => undefined,
        ),
      ),
    );
    some.forEach(([path, { digests }], index) => {
      sized.push({ path, size: sizes[index], digests });
    });
  }
  return sized;
}

/** Files of the package that no list names; the lists themselves are not expected to be named. */
function findUnlisted(
  listing: readonly string[],
  mapped: readonly Laid[],
  holds: (path: string) => boolean,
): string[] {
  const listed = new Set<string>();
  for (const { list } of mapped) {
    for (const { path } of [...list.entries, ...list.conflicts]) listed.add(path.normalize('NFC'));
  }
  return listing
    .filter((path) => !listed.has(path.normalize('NFC')) && !isSumsName(path) && holds(path))
    .sort();
}

/** Where a file of the package that no list names would stand. */
function placesOf(path: string, { mapping: { strip, add } }: Laid): string[] {
  const place = strip === '' || !path.startsWith(`${strip}/`) ? path : path.slice(strip.length + 1);
  return [joined(add, place), path];
}

function joined(folder: string | undefined, path: string): string {
  return folder === undefined || folder === '' ? path : `${folder}/${path}`;
}
