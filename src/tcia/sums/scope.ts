/** What part of a package was asked for: a run that fetched a folder must not be told that the rest is missing. */

/** Paths of files and folders; everything where none is named. */
export interface Scope {
  /** True for a path that is one of them or below one. */
  holds: (path: string) => boolean;
  /** Those that no path was found in, as they were written. */
  unused: () => string[];
}

/** Makes a scope of paths in the package or below the folder: `a/b`, `./a/b/`, `/a/b` are the same. */
export function createScope(paths: readonly string[] = []): Scope {
  const wanted = new Map<string, { written: string; used: boolean }>();
  let all = paths.length === 0;
  for (const written of paths) {
    const path = written
      .normalize('NFC')
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.')
      .join('/');
    if (path === '') all = true;
    else if (!wanted.has(path)) wanted.set(path, { written, used: false });
  }
  return {
    holds: (path) => {
      if (wanted.size === 0) return all;
      const composed = path.normalize('NFC');
      let found = all;
      for (let at = composed.length; at > 0; at = composed.lastIndexOf('/', at - 1)) {
        const one = wanted.get(composed.slice(0, at));
        if (one === undefined) continue;
        one.used = true;
        found = true;
      }
      return found;
    },
    unused: () => [...wanted.values()].filter(({ used }) => !used).map(({ written }) => written),
  };
}
