/** Wildcards over keys, as s5cmd reads them: `*` and `?` match `/` too, nothing else is special. */

/** The part before the first wildcard: the prefix to list. */
export function wildcardPrefix(pattern: string): string {
  const at = pattern.search(/[*?]/);
  return at < 0 ? pattern : pattern.slice(0, at);
}

/** A test for whole keys. */
export function wildcardMatcher(pattern: string): (key: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  const expression = new RegExp(`^${source}$`, 'su');
  return (key) => expression.test(key);
}
