/** `--glob`, `--include`, `--exclude` over paths of a package. */
import { compileGlob } from '../copies/index.ts';

/**
 * A test for paths. A pattern without a slash is for names on any level, one with a slash for paths from the root; one that ends
 * with a slash means all below that folder. An exclusion wins, whatever the order.
 */
export function pathFilter(filters: {
  include?: readonly string[] | undefined;
  exclude?: readonly string[] | undefined;
}): (path: string) => boolean {
  const [include, exclude] = [compile(filters.include), compile(filters.exclude)];
  return (path) =>
    !exclude.some((matches) => matches(path)) &&
    (include.length === 0 || include.some((matches) => matches(path)));
}

function compile(patterns: readonly string[] = []): ((path: string) => boolean)[] {
  return patterns.map((written) => {
    const pattern = written.replace(/^\/+/, '');
    const { matches } = compileGlob(pattern.endsWith('/') ? `${pattern}**` : pattern, 'gsutil');
    if (pattern.includes('/')) return matches;
    return (path) => matches(path.slice(path.lastIndexOf('/') + 1));
  });
}
