/**
 * The parts of a reference in the style of the APA, as data archives print them: `Family, G. M., & Family, G. (2025).
 * Title (Version 2) [Data set]. Publisher. https://doi.org/…`. What is not plainly there is left out.
 */

/** A person, or an organisation as it is written. */
export type Author = { family: string; given: string } | { literal: string };

/** Parts of a reference. */
export interface CitationParts {
  authors: Author[];
  /** True where the text leaves authors out (`…`). */
  others: boolean;
  year?: string;
  version?: string;
  publisher?: string;
}

const FAMILY = /^\p{L}[\p{L}\p{M} .'’`-]*$/u;
/** At least one initial: `G. M.`, `Samuel G.`, `J.-P.`. */
const GIVEN = /^(?=.*\p{Lu}\.)\p{Lu}[\p{L}\p{M}.'’ -]*$/u;

/** Takes a reference apart. */
export function citationParts(text: string): CitationParts {
  const [, head = '', year] = /^(.*?)\s*\((\d{4})[a-z]?\)/.exec(text) ?? [];
  const version = /\(Version ([^()]+)\)/.exec(text)?.[1]?.trim();
  const publisher = /\[Data ?set\]\.\s+([^.[\]]+)\.\s+(?:https?:|doi:|10\.)/i.exec(text)?.[1]?.trim();
  return {
    ...authorsOf(head.trim()),
    ...(year === undefined ? {} : { year }),
    ...(version === undefined ? {} : { version }),
    ...(publisher === undefined ? {} : { publisher }),
  };
}

/** Pairs of family and given names; what is anything else is one name, as it stands. */
function authorsOf(head: string): { authors: Author[]; others: boolean } {
  if (head === '' || head.length > 4000) return { authors: [], others: false };
  const others = /…|\.\.\./.test(head);
  const words = head
    .replaceAll(/,?\s*(?:…|\.\.\.)\s*/g, ', ')
    .replaceAll(/,?\s+&\s+/g, ', ')
    .split(/,\s+/);
  const authors: Author[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [family = '', given = ''] = [words[at], words[at + 1]];
    if (!FAMILY.test(family) || !GIVEN.test(given)) break;
    authors.push({ family, given });
  }
  if (words.length > 1 && authors.length * 2 === words.length) return { authors, others };
  return { authors: [{ literal: head.replace(/(?<=\p{Ll}{2}|\))\.$/u, '') }], others: false };
}
