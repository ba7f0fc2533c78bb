/**
 * Wildcards over keys, in the two languages of the field. The same text means different sets in them: `a/*` is
 * everything below `a/` for s5cmd, and one level for gsutil. So a pattern is always compiled with its language named.
 *
 * Sources: s5cmd `storage/url` (`*`, `?`, both cross `/`); gsutil's help text "wildcards" (`*`, `**`, `?`, `[a-d]`).
 */
import { wildcardMatcher } from '../locations/index.ts';

/** Whose wildcards: `*` of `s5cmd` crosses `/`; of `gsutil` it does not, and `**` does. */
export type GlobLanguage = 's5cmd' | 'gsutil';

/** A pattern made ready. */
export interface Glob {
  language: GlobLanguage;
  pattern: string;
  /** True where the pattern holds a wildcard; without one it matches itself only. */
  isPattern: boolean;
  /** The text before the first wildcard: the prefix to list. */
  prefix: string;
  /** True where matches may lie on any level below, so that one flat listing is asked for. */
  deep: boolean;
  matches: (key: string) => boolean;
}

/**
 * One piece of a gsutil pattern: any number of characters (`/` among them only where `deep`), one character, or a place
 * from which the next two pieces may be left out (a `**` and its slash stand for no level too).
 */
type Piece = { deep: boolean } | { test: (character: string) => boolean } | { skip: 3 };

/** Makes a pattern ready. `raw`: no character is special. Matching takes at most pattern × key steps. */
export function compileGlob(pattern: string, language: GlobLanguage, raw = false): Glob {
  const at = raw ? -1 : pattern.search(language === 's5cmd' ? /[*?]/ : /[*?[]/);
  if (at < 0) {
    return {
      language,
      pattern,
      isPattern: false,
      prefix: pattern,
      deep: false,
      matches: (key) => key === pattern,
    };
  }
  const deep = language === 's5cmd' || pattern.includes('**');
  const matches = language === 's5cmd' ? wildcardMatcher(pattern) : gsutilMatcher(pattern);
  return { language, pattern, isPattern: true, prefix: pattern.slice(0, at), deep, matches };
}

function gsutilMatcher(pattern: string): (key: string) => boolean {
  const pieces = piecesOf(pattern);
  return (key) => {
    // All places in the pattern that the text so far may have reached, at once: no going back, no bad patterns.
    let reached = follow(new Set([0]), pieces);
    for (const character of key) {
      const next = new Set<number>();
      for (const place of reached) {
        const piece = pieces[place];
        if (piece === undefined) continue;
        if ('test' in piece) {
          if (piece.test(character)) next.add(place + 1);
        } else if ('deep' in piece && (piece.deep || character !== '/')) next.add(place);
      }
      if (next.size === 0) return false;
      reached = follow(next, pieces);
    }
    return reached.has(pieces.length);
  };
}

/** Adds the places behind pieces that may stand for nothing. */
function follow(places: Set<number>, pieces: readonly Piece[]): Set<number> {
  for (const place of places) {
    const piece = pieces[place];
    if (piece === undefined || 'test' in piece) continue;
    places.add(place + 1);
    if ('skip' in piece) places.add(place + piece.skip);
  }
  return places;
}

function piecesOf(pattern: string): Piece[] {
  const pieces: Piece[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    if (character === '*') {
      let end = index;
      while (characters[end + 1] === '*') end += 1;
      const whole = index === 0 || characters[index - 1] === '/';
      if (end > index && whole && characters[end + 1] === '/') pieces.push({ skip: 3 });
      pieces.push({ deep: end > index });
      index = end;
    } else if (character === '?') pieces.push({ test: (one) => one !== '/' });
    else if (character === '[') {
      const end = characters.indexOf(']', index + 2);
      if (end < 0) pieces.push({ test: (one) => one === '[' });
      else {
        pieces.push({ test: classOf(characters.slice(index + 1, end)) });
        index = end;
      }
    } else pieces.push({ test: (one) => one === character });
  }
  return pieces;
}

/** `[abc]`, `[a-d]`, `[!abc]`. Never matches `/`. */
function classOf(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === '!' || inside[0] === '^';
  const wanted = negated ? inside.slice(1) : inside;
  const ranges: [string, string][] = [];
  for (let index = 0; index < wanted.length; index += 1) {
    const from = wanted[index] ?? '';
    const to = wanted[index + 1] === '-' ? wanted[index + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) index += 2;
  }
  return (one) => one !== '/' && ranges.some(([from, to]) => from <= one && one <= to) !== negated;
}
