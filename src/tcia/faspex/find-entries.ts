/** Paths that somebody named → entries: each folder around them is listed once, however many of them lie in it. */
import { isCarrelError } from '../../errors.ts';
import type { FaspexClient } from './faspex-client.ts';
import { createPageSize, listFolder } from './list-folder.ts';
import { normalisePath } from './list-package.ts';
import type { PackageEntry } from './package-entry.ts';

/** What was found. */
export interface FoundEntries {
  /** By path as in `PackageEntry.path`. */
  found: ReadonlyMap<string, PackageEntry>;
  /** Paths that the package does not hold. */
  missing: readonly string[];
  /** Paths of which nobody can tell, since the list of their folder came short; with the reason. */
  doubtful: readonly { path: string; reason: string }[];
}

/** How paths are looked up. */
export interface FindEntriesOptions {
  signal?: AbortSignal | undefined;
  /** Folders that are listed at a time. Default 4. */
  folders?: number | undefined;
}

/**
 * Looks up files and folders by their paths; the root (`''`) is a folder without an entry of its own and is left out.
 *
 * @throws CarrelError `bad-input` for a path that leaves the package; as `FaspexClient.ask`, but for folders that are missing
 */
export async function findEntries(
  client: FaspexClient,
  paths: readonly string[],
  { signal, folders = 4 }: FindEntriesOptions = {},
): Promise<FoundEntries> {
  const byFolder = new Map<string, Set<string>>();
  for (const path of paths.map(normalisePath)) {
    if (path === '') continue;
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    const inside = byFolder.get(folder) ?? new Set();
    byFolder.set(folder, inside.add(path));
  }
  const found = new Map<string, PackageEntry>();
  const missing: string[] = [];
  const doubtful: { path: string; reason: string }[] = [];
  const pageSize = createPageSize();
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const waiting = [...byFolder];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [folder, wanted] = next;
      const listed = await listFolder(client, folder, {
        pageSize,
        signal: either,
        onRows: () => undefined,
      }).catch((error: unknown) => {
        if (folder === '' || !isCarrelError(error, 'not-found')) throw error;
        return { entries: [], complete: true, reason: undefined } as const;
      });
      for (const entry of listed.entries) if (wanted.delete(entry.path)) found.set(entry.path, entry);
      for (const path of wanted) {
        if (listed.complete === true) missing.push(path);
        else doubtful.push({ path, reason: listed.reason ?? 'its folder could not be listed to the end' });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, folders) }, work));
  } finally {
    stop.abort();
  }
  return { found, missing: missing.sort(), doubtful };
}
