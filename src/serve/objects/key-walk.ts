import type { FolderEntry, ReadFolder } from './folder-reader.ts';
import { compareKeys } from './key-order.ts';
import { isMissing } from './safe-path.ts';

/** Keys below a folder, one at a time, in key order. */
export interface KeyWalk {
  /** The next file, undefined at the end. */
  next(): Promise<{ key: string; path: string } | undefined>;
  /** Leaves out every further key that starts with `prefix`, without reading the folders there. */
  skip(prefix: string): void;
}

/** Where a walk begins and what it is after. */
export interface KeyWalkOptions {
  /** Key of the start folder: empty, or ending in `/`. */
  folderKey: string;
  /** Real path of the start folder. */
  folder: string;
  prefix: string;
  /** Keys after this one only. */
  after: string;
  /** This key and later ones only. */
  from?: string | undefined;
  readFolder: ReadFolder;
}

interface Frame {
  key: string;
  entries: FolderEntry[];
  index: number;
}

/**
 * Walks a folder in key order, reading only the folders that can hold a wanted key. Depth first with a stack of
 * its own: a page of a listing costs the folders on the way to its first key and those of its keys.
 */
export function createKeyWalk(options: KeyWalkOptions): KeyWalk {
  const { prefix, after, from = '', readFolder } = options;
  let stack: Frame[] | undefined;
  let skipped: string | undefined;

  const isWanted = (key: string) => {
    if (skipped !== undefined && key.startsWith(skipped)) return false;
    const isFolder = key.endsWith('/');
    if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false;
    // A folder before `after` or `from` may still hold it.
    const isAfter = after === '' || compareKeys(key, after) > 0 || (isFolder && after.startsWith(key));
    return isAfter && (from === '' || compareKeys(key, from) >= 0 || (isFolder && from.startsWith(key)));
  };

  const open = async (key: string, path: string): Promise<Frame> => {
    try {
      return { key, entries: await readFolder(path), index: 0 };
    } catch (error) {
      if (isMissing(error)) return { key, entries: [], index: 0 };
      throw error;
    }
  };

  return {
    skip(key) {
      skipped = key;
    },
    async next() {
      stack ??= [await open(options.folderKey, options.folder)];
      for (;;) {
        const frame = stack.at(-1);
        if (frame === undefined) return undefined;
        const entry = frame.entries[frame.index];
        const isSkipped = skipped !== undefined && frame.key.startsWith(skipped);
        if (entry === undefined || isSkipped) {
          stack.pop();
          continue;
        }
        frame.index += 1;
        const key = frame.key + entry.name;
        if (!isWanted(key)) continue;
        if (!entry.name.endsWith('/')) return { key, path: entry.path };
        stack.push(await open(key, entry.path));
      }
    },
  };
}
