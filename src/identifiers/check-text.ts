/** The gate in front of all parsing: what passes is short and holds nothing invisible. */
import { refuse } from './refuse.ts';

/** Longer than any key (1,024 bytes), signed URL or Faspex link, and short enough for every expression behind it. */
const MAX_LENGTH = 8192;

const CONTROL = /\p{Cc}/u;
/** Invisible or direction-changing characters: they make one name look like another. */
const INVISIBLE = /[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/**
 * The text without blanks, line ends and a byte order mark around it. Throws `bad-input` for nothing, for too much, and
 * for characters that no name holds. Looks at the length before anything else, so that it costs the same for 10 MB.
 */
export function checkText(text: string): string {
  if (text.length > MAX_LENGTH) {
    throw refuse(
      text,
      `is too long for a name: ${text.length} characters`,
      'name a file that holds it instead, or - for standard input',
    );
  }
  const trimmed = text.trim();
  if (trimmed === '')
    throw refuse(text, 'names nothing', 'give a UID, a UUID, a URL, a collection, a DOI or a file');
  if (CONTROL.test(trimmed))
    throw refuse(text, 'holds a control character', 'take it out; one name per argument or line');
  if (INVISIBLE.test(trimmed))
    throw refuse(text, 'holds an invisible character', 'type it again instead of copying it');
  if (/\p{Surrogate}/u.test(trimmed))
    throw refuse(text, 'is no well-formed text', 'type it again instead of copying it');
  return trimmed;
}

/** Percent-decodes once. Throws `bad-input` for broken escapes and for what the gate above would not have let pass. */
export function decodeOnce(part: string, text: string): string {
  if (!part.includes('%')) return part;
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch (error) {
    throw refuse(text, 'has a broken percent escape', 'write a plain % as %25', error);
  }
  if (CONTROL.test(decoded) || INVISIBLE.test(decoded)) {
    throw refuse(text, 'holds a control character', 'take it out; one name per argument or line');
  }
  return decoded;
}
