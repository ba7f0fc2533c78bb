/**
 * Which file on disk does a line of a list mean?
 *
 * Lists of TCIA are relative to the root of the package, or carry a top folder that a download lacks (`data/`), or lack one that
 * it has (`PKG - <title>`, which ascp makes); and a download of a selection has lost the folders above what was asked for. So
 * folders are dropped from and put before what is listed until most lines find a file. Content is not asked here: a file that is
 * there and wrong must be called wrong, not looked for elsewhere. It only decides between ties (`settle-ties.ts`).
 */

import type { SumEntry } from './parse-sums.ts';
import { formsOf, type LocalIndex } from './path-forms.ts';

/** Folders that are dropped from the front, or put there, at most. */
const MAX_DEPTH = 4;

/** Folders that one path is tried under. */
const MAX_PLACES = 64;

/** Other mappings that are looked at. */
const MAX_TIES = 256;

/** How a listed path becomes one below the folder. Folders without `/` at their ends, `''` for none. */
export interface SumsMapping {
  /** Dropped from the front; lines outside of this folder mean no file here. */
  strip: string;
  /** Put before the rest. */
  add: string;
}

/** A list laid over a folder. */
export interface MappedSums {
  mapping: SumsMapping;
  /** Lines whose file is there. */
  hits: number;
  /** Other mappings with as many hits; the one with the fewest changes was taken. */
  ties: SumsMapping[];
  /** Listed path → file on disk, for those that are there. */
  files: Map<string, string>;
}

/** The place of a listed path; undefined where the mapping has none for it. */
export function applyMapping(path: string, { strip, add }: SumsMapping): string | undefined {
  if (strip !== '' && !path.startsWith(`${strip}/`)) return undefined;
  const rest = strip === '' ? path : path.slice(strip.length + 1);
  return add === '' ? rest : `${add}/${rest}`;
}

/** The path in the package that a listed path means: a list may have `data/` or `PKG - …` in front, a package has not. */
export function packagePathOf(path: string, { strip }: SumsMapping): string {
  return strip !== '' && isPlainWrapper(strip) && path.startsWith(`${strip}/`)
    ? path.slice(strip.length + 1)
    : path;
}

/**
 * Finds the mapping with the most hits.
 *
 * @param at folder of the list below the directory, `''` for its root, or where the list lies elsewhere
 */
export function mapSums(entries: readonly Pick<SumEntry, 'path'>[], local: LocalIndex, at = ''): MappedSums {
  const plain: SumsMapping = { strip: '', add: at };
  const first = layMapping(entries, local, plain);
  if (first.size === entries.length) return { mapping: plain, hits: first.size, ties: [], files: first };
  const counts = countHits(entries, local, at);
  counts.delete(keyOf(plain));
  const ranked = [...counts]
    .map(([key, hits]) => ({ mapping: mappingOf(key), hits }))
    .sort(
      (a, b) => b.hits - a.hits || costOf(a.mapping, at) - costOf(b.mapping, at) || compareMappings(a, b),
    );
  const most = Math.max(first.size, ranked[0]?.hits ?? 0);
  if (most === 0) {
    // A list that was put into a folder of its own speaks of those beside it; one in a package never of another package.
    const elsewhere = at !== '' && !/(?:^|\/)PKG - /i.test(at) ? mapSums(entries, local) : undefined;
    if (elsewhere !== undefined && elsewhere.hits > 0) return elsewhere;
    return { mapping: plain, hits: 0, ties: [], files: first };
  }
  const best = ranked.filter(({ hits }) => hits === most).map(({ mapping }) => mapping);
  const [winner = plain, ...others] = first.size === most ? [plain, ...best] : best;
  const files = winner === plain ? first : layMapping(entries, local, winner);
  // To drop a folder and to put it back is no other mapping.
  const ties = others
    .slice(0, MAX_TIES)
    .filter((other) =>
      [...files.keys()].some((path) => applyMapping(path, other) !== applyMapping(path, winner)),
    );
  return { mapping: winner, hits: files.size, ties, files };
}

/** Lays a list over a folder by a mapping that is known: listed path → file on disk, for those that are there. */
export function layMapping(
  entries: readonly Pick<SumEntry, 'path'>[],
  local: LocalIndex,
  mapping: SumsMapping,
): Map<string, string> {
  const files = new Map<string, string>();
  for (const { path } of entries) {
    const place = applyMapping(path, mapping);
    const file = place === undefined ? undefined : findBelow(local, place, mapping.add);
    if (file !== undefined) files.set(path, file);
  }
  return files;
}

/** Names of the folder that is put in front are those on disk; only the rest may differ in form. */
function findBelow(local: LocalIndex, place: string, add: string): string | undefined {
  const exact = local.exact(place);
  if (exact !== undefined || add === '') return exact ?? local.find(place);
  for (const form of formsOf(place.slice(add.length + 1))) {
    const found = local.exact(`${add}/${form}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Hits of every mapping that has any: each line is looked for once under each of its endings. */
function countHits(
  entries: readonly Pick<SumEntry, 'path'>[],
  local: LocalIndex,
  at: string,
): Map<string, number> {
  const anywhere = new Map<string, string[]>();
  const wrapped = new Map<string, string[]>();
  for (const file of local.files) {
    for (const cut of cutsOf(file)) {
      const folder = file.slice(0, Math.max(0, cut - 1));
      const ending = file.slice(cut).normalize('NFC');
      if (!isRelated(folder, at)) continue;
      put(anywhere, ending, folder);
      if (isWrapper(folder, at)) put(wrapped, ending, folder);
    }
  }
  const counts = new Map<string, number>();
  for (const { path } of entries) {
    const seen = new Set<string>();
    for (const cut of cutsOf(path)) {
      const strip = path.slice(0, Math.max(0, cut - 1));
      const places = strip === '' || isPlainWrapper(strip) ? anywhere : wrapped;
      for (const form of formsOf(path.slice(cut)))
        for (const add of places.get(form) ?? []) seen.add(keyOf({ strip, add }));
    }
    for (const key of seen) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Where the endings of a path begin: itself, and without one to four folders. */
function cutsOf(path: string): number[] {
  const cuts = [0];
  for (let at = path.indexOf('/'); at !== -1 && cuts.length <= MAX_DEPTH; at = path.indexOf('/', at + 1))
    cuts.push(at + 1);
  return cuts;
}

function put(places: Map<string, string[]>, ending: string, folder: string): void {
  const known = places.get(ending);
  if (known === undefined) places.set(ending, [folder]);
  else if (known.length < MAX_PLACES) known.push(folder);
}

/** True for the folder of the list, those above it and those below it: a list speaks of its own package only. */
function isRelated(folder: string, at: string): boolean {
  return (
    folder === '' || folder === at || at === '' || at.startsWith(`${folder}/`) || folder.startsWith(`${at}/`)
  );
}

/**
 * True for folders that say nothing of what is in them: only they may take the place of others. `caseB/image.svs` must never be
 * taken for `caseA/image.svs`.
 */
function isWrapper(folder: string, at: string): boolean {
  if (folder === '' || folder === at || at.startsWith(`${folder}/`)) return true;
  const below = at !== '' && folder.startsWith(`${at}/`) ? folder.slice(at.length + 1) : folder;
  return isPlainWrapper(below);
}

function isPlainWrapper(folder: string): boolean {
  return folder.split('/').every((name) => /^(?:PKG - .+|data)$/i.test(name));
}

function keyOf({ strip, add }: SumsMapping): string {
  return `${strip}\0${add}`;
}

function mappingOf(key: string): SumsMapping {
  const [strip = '', add = ''] = key.split('\0');
  return { strip, add };
}

/** Folders dropped, and steps from the folder of the list to the one that is put in front. */
function costOf({ strip, add }: SumsMapping, at: string): number {
  const depth = (folder: string) => (folder === '' ? 0 : folder.split('/').length);
  return depth(strip) + Math.abs(depth(add) - depth(at));
}

function compareMappings(a: { mapping: SumsMapping }, b: { mapping: SumsMapping }): number {
  const [left, right] = [keyOf(a.mapping), keyOf(b.mapping)];
  return left < right ? -1 : left > right ? 1 : 0;
}
