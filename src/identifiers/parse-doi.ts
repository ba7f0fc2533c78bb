/** DOIs: `10.…/…`, `doi:10.…/…`, `https://doi.org/10.…/…`. */
import { decodeOnce } from './check-text.ts';
import type { DoiIdentifier } from './identifier.ts';
import { refuse } from './refuse.ts';

/** Prefix of 4 to 9 digits, with subdivisions, then anything without blanks (DOI Handbook 2.2). */
const DOI = /^10\.[0-9]{4,9}(?:\.[0-9]{1,9})*\/[^\s]+$/;

/** True for a DOI without anything around it. */
export function isDoi(text: string): boolean {
  return DOI.test(text);
}

/** Reads a DOI without its resolver. In small letters: DOIs do not tell them apart, and IDC's tables hold them so. */
export function parseDoi(doi: string, text: string): DoiIdentifier {
  if (!isDoi(doi)) throw refuse(text, 'is no DOI', 'write it as 10.1148/rg.230180');
  return { kind: 'doi', doi: doi.toLowerCase(), text, warnings: [] };
}

/** Reads a text that is a DOI by its shape, with or without `doi:` or the resolver's host; undefined for others. */
export function parseBareDoi(trimmed: string, text: string): DoiIdentifier | undefined {
  const [, bare] = /^doi:\s*(\S+)$/i.exec(trimmed) ?? [];
  if (bare !== undefined) return parseDoi(bare, text);
  const [, path] = /^(?:dx\.|www\.)?doi\.org\/(\S+)$/i.exec(trimmed) ?? [];
  if (path !== undefined) return parseDoi(decodeOnce(path, text), text);
  return isDoi(trimmed) ? parseDoi(trimmed, text) : undefined;
}
