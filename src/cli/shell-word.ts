/** A word as a POSIX shell reads it back, whatever is in it: nothing is expanded, nothing moves the cursor. */

/** Needs no quotes in bash, zsh or dash: no blank, no wildcard, no brace, no tilde. */
const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;

/** Control characters, and those that turn the direction of a line around. */
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const UNSHOWN_EACH = new RegExp(UNSHOWN, 'g');

/** The word, quoted where it has to be; control characters as `$'\n'` of bash and zsh. */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  if (!UNSHOWN.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const quoted = word.replaceAll(/[\\']/g, (one) => `\\${one}`);
  const escaped = quoted.replaceAll(UNSHOWN_EACH, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `$'${escaped}'`;
}
