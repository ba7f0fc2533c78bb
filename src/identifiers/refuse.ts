/** Refusals of names: one shape of message, and never more of a hostile text than a line can hold. */
import { CarrelError } from '../errors.ts';

/** Most characters of the input that a message repeats. */
const MAX_ECHO = 80;

/** Characters that a message must not carry to a terminal: controls, line separators, direction overrides, surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Longest part of a text that is searched for secrets; more than any password or signature. */
const MAX_SECRET = 2000;

/** User names and passwords of URLs, and the parameters that sign or open them. */
const CREDENTIALS = /(:\/\/)[^/@\s]{1,1000}@/g;
const SECRET_VALUES =
  /([?&;](?:context|passcode|token|sig|[a-z0-9-]{0,32}signature|[a-z0-9-]{0,32}credential)=)[^&\s]{1,1500}/gi;

/** At most 80 characters of the text, with secrets left out and everything unprintable escaped. */
export function excerpt(text: string): string {
  const safe = text.slice(0, MAX_SECRET).replace(CREDENTIALS, '$1***@').replace(SECRET_VALUES, '$1***');
  const shown = safe
    .slice(0, MAX_ECHO)
    .replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const cut = text.length > MAX_SECRET || safe.length > MAX_ECHO || shown.length > MAX_ECHO;
  return cut ? `${shown.slice(0, MAX_ECHO - 1).replace(/[\ud800-\udbff]$/, '')}…` : shown;
}

/** `bad-input` for a name: what is wrong with it and what to do. */
export function refuse(text: string, fault: string, next: string, cause?: unknown): CarrelError {
  const item = excerpt(text);
  return new CarrelError('bad-input', `"${item}" ${fault}`, { item, next, cause });
}
