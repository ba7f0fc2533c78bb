/** The files of a package: by its list of checksums where that is complete, else by browsing; complete, or said not to be. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import type { FaspexClient } from '../faspex/faspex-client.ts';
import { findEntries } from '../faspex/find-entries.ts';
import { type ListingOutcome, listPackage } from '../faspex/list-package.ts';
import type { PackageEntry } from '../faspex/package-entry.ts';
import { isSumsName } from '../sums/local-files.ts';
import type { SumsList } from '../sums/parse-sums.ts';
import { type ListedFile, noSuchPaths, wantedPaths } from './choose-files.ts';
import { digestsFor, listedBySums } from './package-sums.ts';

/** How files are listed. */
export interface ListFilesOptions {
  /** Files and folders that are wanted; only they are browsed. */
  paths?: readonly string[] | undefined;
  /** Sizes are needed, which lists of checksums do not tell. */
  sizes: boolean;
  /** Fetches lists of checksums, given their entries; undefined where nothing is to be fetched. */
  fetchSums?: ((entries: readonly PackageEntry[]) => Promise<SumsList[]>) | undefined;
  onPage?: ((progress: { entries: number; folders: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Files of a package. */
export interface ListedPackage {
  files: ListedFile[];
  /** `sums`: as its lists of checksums have them; their number is that which the server counts. */
  source: 'sums' | 'browse';
  /** As `ListingOutcome`. */
  complete: ListingOutcome['complete'];
  reasons: readonly string[];
  /** Names of the lists of checksums at the root. */
  sums: string[];
  /** Undefined where no list was fetched: nothing is known of digests then. */
  digests: Map<string, Digest[]> | undefined;
}

/**
 * Lists a package. Folders that could not be listed to their end are filled from the lists of checksums, where these have as many
 * files as the server counts.
 *
 * @throws CarrelError as `FaspexClient.ask`; `not-found` for wanted paths that are not there
 */
export async function listFiles(client: FaspexClient, options: ListFilesOptions): Promise<ListedPackage> {
  const { signal, onPage } = options;
  const info = await client.info(signal);
  const { lists, fetched, bySums, counted } = await readRoot(client, options);
  const sums = lists.map(({ path }) => path);
  if (bySums !== undefined && counted && !options.sizes) {
    return {
      files: [...bySums.values()],
      source: 'sums',
      complete: true,
      reasons: [],
      sums,
      digests: digestsOf(fetched, bySums.keys()),
    };
  }
  const wanted = wantedPaths(options.paths);
  const found =
    wanted.length === 0
      ? await browse(client, [''], { signal, onPage, recursive: true })
      : await browseWanted(client, wanted, { signal, onPage });
  let { complete, reasons } = found;
  const files = new Map(
    found.entries
      .filter((entry) => isFile(entry) || entry.refused !== undefined)
      .map((entry) => [entry.path, listed(entry)]),
  );
  if (complete !== true && bySums !== undefined && counted) {
    for (const [path, file] of bySums) if (!files.has(path) && isWanted(path, wanted)) files.set(path, file);
    [complete, reasons] = [true, []];
  }
  if (complete === 'unknown' && wanted.length === 0 && files.size === info.files)
    [complete, reasons] = [true, []];
  const digests = lists.length > 0 && fetched.length === 0 ? undefined : digestsOf(fetched, files.keys());
  return { files: [...files.values()], source: 'browse', complete, reasons, sums, digests };
}

/** The root as its server lists it, and what the lists of checksums in it say of the rest. */
async function readRoot(
  client: FaspexClient,
  options: Pick<ListFilesOptions, 'fetchSums' | 'signal'>,
): Promise<{
  lists: PackageEntry[];
  fetched: SumsList[];
  bySums: Map<string, ListedFile> | undefined;
  /** They name as many files as the server counts. */
  counted: boolean;
}> {
  const { files } = await client.info(options.signal);
  const top = await browse(client, [''], { ...options, recursive: false });
  const lists = top.entries.filter(
    (entry) => isFile(entry) && entry.refused === undefined && isSumsName(entry.path),
  );
  const fetched = lists.length === 0 ? [] : ((await options.fetchSums?.(lists)) ?? []);
  const bySums =
    top.complete === true ? withRoot(listedBySums(fetched, top.entries), top.entries) : undefined;
  return { lists, fetched, bySums, counted: bySums !== undefined && bySums.size === files };
}

/**
 * Every file of a package by its lists of checksums, with digests; undefined where they do not name as many as the server counts, or
 * where there are none. Sizes are known of the root alone.
 *
 * @throws CarrelError as `FaspexClient.ask`
 */
export async function listBySums(
  client: FaspexClient,
  options: Required<Pick<ListFilesOptions, 'fetchSums'>> & Pick<ListFilesOptions, 'signal'>,
): Promise<{ files: ListedFile[]; sums: string[]; digests: Map<string, Digest[]> } | undefined> {
  const { lists, fetched, bySums, counted } = await readRoot(client, options);
  if (bySums === undefined || !counted) return undefined;
  return {
    files: [...bySums.values()],
    sums: lists.map(({ path }) => path),
    digests: digestsOf(fetched, bySums.keys()),
  };
}

function digestsOf(lists: readonly SumsList[], paths: Iterable<string>): Map<string, Digest[]> {
  return digestsFor(
    lists,
    [...paths].filter((path) => !isSumsName(path)),
  );
}

/** What is listed by digests, and the files of the root, which knows their sizes. */
function withRoot(
  sums: Map<string, Digest[]> | undefined,
  root: readonly PackageEntry[],
): Map<string, ListedFile> | undefined {
  if (sums === undefined) return undefined;
  const files = new Map<string, ListedFile>();
  for (const path of sums.keys()) files.set(path, { path, refused: faultOf(path) });
  for (const entry of root)
    if (isFile(entry) || entry.refused !== undefined) files.set(entry.path, listed(entry));
  return files;
}

/** As listings refuse names; a list is written by strangers, too. */
function faultOf(path: string): string | undefined {
  if (/[\p{Cc}\p{Surrogate}]/u.test(path)) return 'holds a control character';
  const odd = path.split('/').some((name) => name === '' || name === '.' || name === '..');
  return odd ? 'holds an empty, "." or ".." segment' : undefined;
}

function listed({ path, size, refused }: PackageEntry): ListedFile {
  return { path, size, refused };
}

function isFile({ kind, targetKind }: PackageEntry): boolean {
  return kind === 'file' || (kind === 'link' && targetKind !== 'folder');
}

function isWanted(path: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((one) => path === one || path.startsWith(`${one}/`));
}

interface Browsed {
  entries: PackageEntry[];
  complete: ListingOutcome['complete'];
  reasons: string[];
}

/** Files that are wanted by their names, and all below the folders. */
async function browseWanted(
  client: FaspexClient,
  wanted: readonly string[],
  options: Pick<ListFilesOptions, 'signal' | 'onPage'>,
): Promise<Browsed> {
  const { signal } = options;
  const { found, missing, doubtful } = await findEntries(client, wanted, { signal });
  const [first] = missing;
  if (first !== undefined)
    throw noSuchPaths(missing, await namesAround(client, first, signal), client.link.name);
  const entries = [...found.values()];
  const folders = entries.filter((entry) => !isFile(entry)).map(({ path }) => path);
  const below = await browse(client, folders, { ...options, recursive: true });
  const reasons = [...doubtful.map(({ path, reason }) => `${path}: ${reason}`), ...below.reasons];
  const complete = doubtful.length > 0 ? false : below.complete;
  return { entries: [...entries.filter(isFile), ...below.entries], complete, reasons };
}

async function browse(
  client: FaspexClient,
  paths: readonly string[],
  options: Pick<ListFilesOptions, 'signal' | 'onPage'> & { recursive: boolean },
): Promise<Browsed> {
  const found: Browsed = { entries: [], complete: true, reasons: [] };
  let before = { entries: 0, folders: 0 };
  for (const path of paths) {
    const start = before;
    const listing = listPackage(client, path, {
      recursive: options.recursive,
      signal: options.signal,
      onPage: ({ entries, folders }) => {
        before = { entries: start.entries + entries, folders: start.folders + folders };
        if (options.recursive) options.onPage?.(before);
      },
    });
    for await (const entry of listing) found.entries.push(entry);
    const outcome = listing.outcome();
    if (found.complete !== false && outcome.complete !== true) found.complete = outcome.complete;
    found.reasons.push(...outcome.reasons);
  }
  return found;
}

/** Names in the nearest folder above a path that is there. */
async function namesAround(
  client: FaspexClient,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  for (let at = path.lastIndexOf('/'); ; at = path.lastIndexOf('/', at - 1)) {
    const folder = path.slice(0, Math.max(at, 0));
    try {
      const { entries } = await browse(client, [folder], { signal, recursive: false });
      return entries.map((entry) => entry.path);
    } catch (error) {
      if (!isCarrelError(error, 'not-found') || folder === '') return [];
    }
  }
}

/** The error for a listing that is known to be short. */
export function shortListing(name: string, reasons: readonly string[]): CarrelError {
  const shown = reasons.slice(0, 3).join('; ');
  return new CarrelError('partial', `the list of files of ${name} is short: ${shown}`, {
    item: name,
    next: 'run it again; --allow-partial fetches what is listed',
  });
}
