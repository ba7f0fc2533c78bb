import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys } from './key-order.ts';
import { isInside, isMissing } from './safe-path.ts';

/** An entry of a folder. `name` ends in `/` for folders, so that entries sort as the keys below them do. */
export interface FolderEntry {
  name: string;
  /** Real path. */
  path: string;
}

/** Entries of a folder in key order. */
export type ReadFolder = (path: string) => Promise<FolderEntry[]>;

/** Folders with fewer entries are read anew each time. */
const WORTH_KEEPING = 500;
/** A folder that changed this recently may change again within the same tick of its time stamp. */
const SETTLED_MS = 2_000;
const KEPT_FOLDERS = 32;

/**
 * Reads folders in key order. Links are followed inside `root` only; links that leave it, that are broken or
 * that lead back to a folder above are left out. Large folders are remembered until their time stamp changes:
 * each page of a listing starts again, and a bucket of 100,000 series would otherwise be read 100 times.
 */
export function createFolderReader(root: string): ReadFolder {
  const kept = new Map<string, { mtimeNs: bigint; entries: FolderEntry[] }>();
  return async (path) => {
    const { mtimeNs } = await stat(path, { bigint: true });
    const known = kept.get(path);
    if (known !== undefined && known.mtimeNs === mtimeNs) return known.entries;
    const entries = await readEntries(root, path);
    kept.delete(path);
    if (entries.length >= WORTH_KEEPING && Date.now() - Number(mtimeNs / 1_000_000n) > SETTLED_MS) {
      const oldest = kept.keys().next();
      if (kept.size >= KEPT_FOLDERS && !oldest.done) kept.delete(oldest.value);
      kept.set(path, { mtimeNs, entries });
    }
    return entries;
  };
}

async function readEntries(root: string, path: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isFile()) entries.push({ name: entry.name, path: join(path, entry.name) });
    else if (entry.isDirectory()) entries.push({ name: `${entry.name}/`, path: join(path, entry.name) });
    else if (entry.isSymbolicLink()) {
      const target = await followLink(root, path, entry.name);
      if (target !== undefined) entries.push(target);
    }
  }
  return entries.sort((a, b) => compareKeys(a.name, b.name));
}

async function followLink(root: string, folder: string, name: string): Promise<FolderEntry | undefined> {
  try {
    const path = await realpath(join(folder, name));
    if (!isInside(root, path)) return undefined;
    const target = await stat(path);
    if (target.isFile()) return { name, path };
    return target.isDirectory() && !isInside(path, folder) ? { name: `${name}/`, path } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
