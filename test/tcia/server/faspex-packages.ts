/** Packages of the test server: given as flat lists, browsed folder by folder the way a node of Aspera does. */

/** A line of a package. Folders that are only named in paths are there too. */
export interface ServedEntry {
  /** Below the root, without a slash in front. What no honest server would list (`..`, control characters) is listed. */
  path: string;
  /** Default `file`. */
  type?: 'file' | 'directory' | 'symbolic_link';
  /** Bytes; `null` where the server does not say. */
  size?: number | null;
  mtime?: string | null;
  /** Of a link, as the node sees it; left out where the node says nothing. Paths may be misspelt. */
  target?: { path: string; type?: 'file' | 'directory'; size?: number | null; mtime?: string };
  /** Of a link to a folder: the folder of the package whose content is seen behind it (`''` is the root). */
  resolves?: string;
  /** `path` of the item, where it is to be another one than where it lies (an absolute path, say). */
  shown?: string;
  /** Absolute path of the bytes; default `folder` of the package and the path. */
  disk?: string | null;
}

/** A package. */
export interface ServedPackage {
  id: string;
  passcode: string;
  title: string;
  uuid?: string;
  /** Read once, when first asked for; a generator serves for packages of many files. */
  entries: Iterable<ServedEntry> | (() => Iterable<ServedEntry>);
  /** Absolute path of the folder with the bytes; without it nothing can be transferred. */
  folder?: string;
  /** Default one user. */
  recipients?: readonly { id: string; name?: string; email?: string; recipient_type: string }[];
  /** Default `released`. */
  state?: string;
  /** Further fields of the answer to `GET packages/{id}`, such as `expiration_date`. */
  fields?: Record<string, unknown>;
}

/** The entries of a package by their folders, sorted by name. */
export interface PackageTree {
  /** Children of a folder (`''` is the root); undefined where there is no such folder. */
  children(folder: string): readonly ServedEntry[] | undefined;
  entry(path: string): ServedEntry | undefined;
  files: number;
  bytes: number;
}

/** Sorts the entries of a package into folders. */
export function buildTree({ entries }: ServedPackage): PackageTree {
  const folders = new Map<string, Map<string, ServedEntry>>([['', new Map()]]);
  let [files, bytes] = [0, 0];
  const place = (entry: ServedEntry): void => {
    const at = entry.path.lastIndexOf('/');
    const parent = entry.path.slice(0, Math.max(at, 0));
    let children = folders.get(parent);
    if (children === undefined) {
      children = new Map();
      folders.set(parent, children);
      if (parent !== '') place({ path: parent, type: 'directory', size: null, mtime: null });
    }
    if (!children.has(entry.path)) children.set(entry.path, entry);
    if (entry.type === 'directory' && !folders.has(entry.path)) folders.set(entry.path, new Map());
  };
  for (const entry of typeof entries === 'function' ? entries() : entries) {
    place(entry);
    if (entry.type === 'directory') continue;
    files += 1;
    bytes += entry.size ?? 0;
  }
  const sorted = new Map<string, readonly ServedEntry[]>();
  const children = (folder: string): readonly ServedEntry[] | undefined => {
    const known = sorted.get(folder);
    if (known !== undefined) return known;
    const own = folders.get(folder);
    if (own === undefined) {
      // Behind a link: the first part of the path that is one decides.
      const names = folder.split('/');
      for (let length = 1; length <= names.length; length += 1) {
        const link = entryOf(names.slice(0, length).join('/'));
        if (link?.resolves === undefined) continue;
        const rest = [link.resolves, ...names.slice(length)].filter((name) => name !== '').join('/');
        return rest === folder ? undefined : children(rest);
      }
      return undefined;
    }
    const list = [...own.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    sorted.set(folder, list);
    return list;
  };
  const entryOf = (path: string): ServedEntry | undefined =>
    folders.get(path.slice(0, Math.max(path.lastIndexOf('/'), 0)))?.get(path);
  return { children, entry: entryOf, files, bytes };
}

/** How items are written. */
export interface ItemOptions {
  nullSizes?: boolean | undefined;
  sizesAsText?: boolean | undefined;
}

const PERMISSIONS = [{ name: 'view' }, { name: 'edit' }, { name: 'delete' }];

/** An item of a listing; its path begins with the folder exactly as it was asked for. */
export function itemOf(entry: ServedEntry, asked: string, options: ItemOptions): Record<string, unknown> {
  const { path, type = 'file', size, mtime = null, target } = entry;
  const basename = path.slice(path.lastIndexOf('/') + 1);
  const written = (bytes: number | null | undefined) => {
    const value = options.nullSizes === true ? null : (bytes ?? null);
    return value !== null && options.sizesAsText === true ? String(value) : value;
  };
  const folder = asked.replace(/\/+$/, '');
  return {
    path: entry.shown ?? (folder === '' && !asked.startsWith('/') ? basename : `${folder}/${basename}`),
    basename,
    type,
    size: type === 'directory' ? null : written(size),
    mtime: type === 'directory' ? null : mtime,
    permissions: PERMISSIONS,
    ...(target === undefined
      ? {}
      : {
          target: {
            path: target.path,
            basename: target.path.slice(target.path.lastIndexOf('/') + 1),
            ...(target.type === undefined ? {} : { type: target.type }),
            size: written(target.size),
            mtime: target.mtime ?? mtime,
            permissions: PERMISSIONS,
          },
        }),
  };
}
