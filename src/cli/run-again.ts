/** How an interrupted command goes on. */
import { quoteWord } from '../manifests/index.ts';

/** Queries hold signatures and passcodes, users hold passwords. */
const MAY_BE_SECRET = /[a-z][a-z0-9+.-]*:\/\/(?:[^\s/?#]*@|[^\s?#]*\?)/i;

/** The command to type, quoted for a shell; in words alone where a word of it may open something. */
export function runAgain(argv: readonly string[]): string {
  return argv.some((word) => MAY_BE_SECRET.test(word))
    ? 'run the same command again: it goes on where it stopped'
    : `carrel ${argv.map(quoteWord).join(' ')}   (the same command goes on where it stopped)`;
}
