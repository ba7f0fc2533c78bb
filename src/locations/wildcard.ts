/** Wildcards over keys, as s5cmd reads them: `*` and `?` match `/` too, nothing else is special. */

/** The part before the first wildcard: the prefix to list. */
export function wildcardPrefix(pattern: string): string {
  const at = pattern.search(/[*?]/);
  return at < 0 ? pattern : pattern.slice(0, at);
}

/**
 * A test for whole keys. Walks both texts once and returns to the last `*` only, so its time is at most the product of
 * their lengths; a regular expression made from a pattern of a stranger could take for ever.
 */
export function wildcardMatcher(pattern: string): (key: string) => boolean {
  const [, before, after] = /^([ -)+->@-~]*)\*([ -)+->@-~]*)$/.exec(pattern) ?? [];
  // One `*` in plain text, as in nearly all manifests.
  if (before !== undefined && after !== undefined)
    return (key) =>
      key.length >= before.length + after.length && key.startsWith(before) && key.endsWith(after);
  // By code point, so that `?` is one character also outside of the basic plane.
  const wanted = Array.from(pattern);
  return (key) => matches(wanted, Array.from(key));
}

function matches(pattern: readonly string[], key: readonly string[]): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < key.length) {
    const want = pattern[at];
    if (want === '*') {
      star = at;
      resume = index;
      at += 1;
    } else if (want !== undefined && (want === '?' || want === key[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
