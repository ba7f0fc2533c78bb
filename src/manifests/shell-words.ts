/**
 * Words of a line as `s5cmd run` splits it (Go `shellquote`: POSIX words, no expansion, no `$''`, no inline
 * comments). An unbalanced quote is an answer here, not an exception: s5cmd stops reading at such a line without
 * a message, a reader has to name it.
 */

/** Either the words, or the reason why there are none. */
export type ShellWords = { words: string[] } | { reason: string };

/** Characters that a backslash escapes inside double quotes; before any other it is a plain backslash. */
const ESCAPED_IN_DOUBLE_QUOTES = new Set(['$', '`', '"', '\\', '\n']);

/** Splits one line into words. */
export function shellWords(line: string): ShellWords {
  // Nothing to quote: the common case of a manifest, and a tenth of the time.
  if (!/['"\\]/.test(line)) return { words: line.split(/[ \t\r\n]+/).filter((word) => word !== '') };
  const words: string[] = [];
  let word = '';
  let started = false;
  let index = 0;
  while (index < line.length) {
    const char = line.charAt(index);
    if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
      if (started) words.push(word);
      word = '';
      started = false;
      index += 1;
    } else if (char === '\\') {
      if (index + 1 >= line.length) return { reason: 'ends in a backslash that escapes nothing' };
      word += line.charAt(index + 1);
      started = true;
      index += 2;
    } else if (char === "'") {
      const end = line.indexOf("'", index + 1);
      if (end < 0) return { reason: 'a single quote is opened and never closed' };
      word += line.slice(index + 1, end);
      started = true;
      index = end + 1;
    } else if (char === '"') {
      const quoted = doubleQuoted(line, index + 1);
      if (quoted === undefined) return { reason: 'a double quote is opened and never closed' };
      word += quoted.text;
      started = true;
      index = quoted.next;
    } else {
      word += char;
      started = true;
      index += 1;
    }
  }
  if (started) words.push(word);
  return { words };
}

/** The text up to the closing double quote and the place after it. */
function doubleQuoted(line: string, start: number): { text: string; next: number } | undefined {
  let text = '';
  for (let index = start; index < line.length; index += 1) {
    const char = line.charAt(index);
    if (char === '"') return { text, next: index + 1 };
    if (char === '\\' && ESCAPED_IN_DOUBLE_QUOTES.has(line.charAt(index + 1))) {
      text += line.charAt(index + 1);
      index += 1;
    } else {
      text += char;
    }
  }
  return undefined;
}

/** A word quoted so that `shellWords` gives it back; untouched where it needs no quotes. */
export function quoteWord(word: string): string {
  if (word !== '' && /^[A-Za-z0-9_@%+=:,./*?~{}[\]-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
