/**
 * The pattern language of `matchGlob` (Cloud Storage, "List objects using glob"): `*` and `?` stop at slashes, `**`
 * does not, `[abc]`, `[a-z]`, `[!a]`, `{a,b}`. Matches whole names. Undefined where the pattern is malformed.
 */
export function compileGlob(pattern: string): RegExp | undefined {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '*') {
      const isDouble = pattern[at + 1] === '*';
      source += isDouble ? '.*' : '[^/]*';
      if (isDouble) at += 1;
    } else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) return undefined;
      source += classSource(pattern.slice(at + 1, end));
      at = end;
    } else if (character === '{') {
      depth += 1;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else if (character === '\\') {
      at += 1;
      source += escapeRegExp(pattern[at] ?? '\\');
    } else source += escapeRegExp(character);
  }
  if (depth > 0) return undefined;
  try {
    return new RegExp(`^(?:${source})$`, 's');
  } catch {
    return undefined;
  }
}

function classSource(inner: string): string {
  const isNegated = inner.startsWith('!') || inner.startsWith('^');
  const members = (isNegated ? inner.slice(1) : inner).replace(/[\\\]^[]/g, '\\$&');
  return isNegated ? `[^/${members}]` : `[${members}]`;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
