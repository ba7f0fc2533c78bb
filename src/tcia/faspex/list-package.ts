/** The files of a package, folder by folder. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { FaspexClient } from './faspex-client.ts';
import { createPageSize, type FolderListing, listFolder } from './list-folder.ts';
import type { PackageEntry } from './package-entry.ts';

/** How a package is listed. */
export interface ListPackageOptions {
  /** Everything below, links to folders included. Default: the folder alone. */
  recursive?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** After each answer of the server: rows and folders so far. */
  onPage?: ((progress: { entries: number; folders: number }) => void) | undefined;
  /** Folders that are listed at a time. Default 4. */
  folders?: number | undefined;
}

/** How a listing ended. */
export interface ListingOutcome {
  /**
   * `true`: every folder has as many rows as the server counts. `false`: something is missing. `unknown`: nobody can tell.
   */
  complete: true | false | 'unknown';
  /** Why it is not known to be complete, one per folder: `Yale/SVS: the server counts 300 rows and gave 100`. */
  reasons: readonly string[];
  entries: number;
  folders: number;
}

/** A listing under way: read its entries, then ask how it ended. */
export interface PackageListing extends AsyncIterable<PackageEntry> {
  /** As of now; `complete` is false as long as entries are left to read. */
  outcome(): ListingOutcome;
}

/** Deepest folder that is entered: no data set has more, and no circle gets further. */
const MOST_LEVELS = 64;
/** Links to folders within links to folders, where the server does not say where they lead. */
const MOST_LINKS = 4;

interface Folder {
  path: string;
  level: number;
  /** Where the links on the way here lead. */
  targets: readonly string[];
}

/**
 * Lists a folder of a package, or all below it. Entries come folder by folder, those of a folder together, a folder before
 * what is in it; the order does not depend on which answer comes first. A path that is a file is listed as that file.
 *
 * Reading throws CarrelError as `FaspexClient.ask`, `not-found` for a path that is not in the package. Below the first one,
 * a folder that cannot be listed is a reason of the outcome instead, so that the rest is not lost.
 */
export function listPackage(
  client: FaspexClient,
  path = '',
  options: ListPackageOptions = {},
): PackageListing {
  const reasons: string[] = [];
  const state = { entries: 0, folders: 0, rows: 0, worst: true as ListingOutcome['complete'], ended: false };
  const doubt = (folder: string, { complete, reason }: Omit<FolderListing, 'entries'>): void => {
    if (complete === true) return;
    if (state.worst !== false) state.worst = complete;
    reasons.push(`${folder === '' ? 'the root' : folder}: ${reason ?? 'not listed to its end'}`);
  };
  return {
    outcome: () => ({
      complete: state.ended ? state.worst : false,
      reasons: state.ended ? reasons : [...reasons, 'it was not read to its end'],
      entries: state.entries,
      folders: state.folders,
    }),
    async *[Symbol.asyncIterator]() {
      const start = normalisePath(path);
      const stop = new AbortController();
      const signal =
        options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
      const pageSize = createPageSize();
      const onRows = (rows: number): void => {
        state.rows += rows;
        options.onPage?.({ entries: state.rows, folders: state.folders });
      };
      const queue: Folder[] = [{ path: start, level: 0, targets: [] }];
      const running: { folder: Folder; listing: Promise<FolderListing> }[] = [];
      const most = Math.max(1, options.folders ?? 4);
      const launch = (): void => {
        for (let folder = queue[0]; folder !== undefined && running.length < most; folder = queue[0]) {
          queue.shift();
          const listing = listFolder(client, folder.path, { pageSize, signal, onRows });
          // Awaited below in order; until then a failure must not end the process.
          listing.catch(() => undefined);
          running.push({ folder, listing });
        }
      };
      try {
        for (launch(); running.length > 0; launch()) {
          const { folder, listing } = running.shift() as (typeof running)[number];
          const listed = await settle(client, folder, listing, { pageSize, signal, onRows });
          state.folders += 1;
          doubt(folder.path, listed);
          for (const entry of listed.entries) {
            state.entries += 1;
            if (options.recursive === true) {
              const below = enter(entry, folder);
              if (typeof below === 'string') doubt(entry.path, { complete: false, reason: below });
              else if (below !== undefined) queue.push(below);
            }
            yield entry;
          }
        }
        state.ended = true;
      } finally {
        stop.abort();
      }
    },
  };
}

/** The folder of an entry, undefined where there is none to enter, or the reason why it is not entered. */
function enter(entry: PackageEntry, from: Folder): Folder | string | undefined {
  const { path, kind, targetKind, target } = entry;
  if (kind === 'file' || (kind === 'link' && targetKind !== 'folder')) return undefined;
  // Such a name would lead out of the package; the entry says so itself.
  if (entry.refused !== undefined) return undefined;
  if (from.level + 1 >= MOST_LEVELS) return `folders lie more than ${MOST_LEVELS} levels deep`;
  const level = from.level + 1;
  if (kind === 'folder') return { path, level, targets: from.targets };
  // A link that leads to where a link on the way led already: all of it is listed one level up.
  if (target !== undefined && from.targets.includes(target)) return undefined;
  if (target === undefined && from.targets.length >= MOST_LINKS)
    return 'links to folders lead to links to folders';
  return { path, level, targets: [...from.targets, target ?? ''] };
}

type Listing = Parameters<typeof listFolder>[2];

async function settle(
  client: FaspexClient,
  { path, level }: Folder,
  listing: Promise<FolderListing>,
  options: Listing,
): Promise<FolderListing> {
  try {
    const listed = await listing;
    return level === 0 && path !== '' && listed.entries.length === 0
      ? await asFile(client, path, listed, options)
      : listed;
  } catch (error) {
    if (level === 0) {
      if (path !== '' && isCarrelError(error, 'not-found')) throw noSuchPath(client, path, error);
      throw error;
    }
    if (!isCarrelError(error, 'network', 'not-found', 'bad-input')) throw error;
    return { entries: [], complete: false, reason: error.message };
  }
}

/** What has no rows is an empty folder or a file; the folder around it tells. */
async function asFile(
  client: FaspexClient,
  path: string,
  listed: FolderListing,
  options: Listing,
): Promise<FolderListing> {
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  const around = await listFolder(client, parent, { ...options, onRows: () => undefined });
  const entry = around.entries.find((one) => one.path === path);
  if (entry === undefined && around.complete === true) throw noSuchPath(client, path);
  const isFile = entry !== undefined && entry.kind !== 'folder' && entry.targetKind !== 'folder';
  return isFile ? { entries: [entry], complete: true } : listed;
}

function noSuchPath({ link }: FaspexClient, path: string, cause?: unknown): CarrelError {
  return new CarrelError('not-found', `${link.name} holds no ${JSON.stringify(path)}`, {
    item: path,
    next: 'capitals and blanks count; browse the folder above it to see its names',
    cause,
  });
}

/**
 * A path in a package as entries have it: no slashes at its ends, none doubled.
 *
 * @throws CarrelError `bad-input` for `.` and `..` segments and control characters
 */
export function normalisePath(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  if (names.some((name) => name === '.' || name === '..') || /\p{Cc}/u.test(path)) {
    throw new CarrelError('bad-input', `${JSON.stringify(path)} is no path in a package`, {
      item: path,
      next: 'write it from the root of the package, such as Yale_HER2_cohort/SVS',
    });
  }
  return names.join('/');
}
