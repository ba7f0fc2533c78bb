/** Citations as the tables print them → plain text, BibTeX, CSL-JSON and RIS, with nothing in them that the tables do not say. */
import { type Author, citationParts } from './citation-parts.ts';
import type { Citation } from './citations.ts';
import { decodeEntities } from './entities.ts';

/** Tags, character references, line breaks and repeated blanks out; letters stay what they are. */
export function cleanCitation(text: string): string {
  return decodeEntities(text.replaceAll(/<\/?[a-zA-Z][^<>]*>/g, ''))
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .trim();
}

/** A name as BibTeX wants it; braces keep an organisation in one piece. */
function texName(author: Author): string {
  return 'literal' in author
    ? `{${escapeTex(author.literal)}}`
    : escapeTex(`${author.family}, ${author.given}`);
}

/** A key that depends on the DOI alone, so that it is the same in every list. */
function keyOf(citation: Citation): string {
  return (citation.doi ?? 'unknown').replaceAll(/[^0-9a-z]+/gi, '_');
}

/** Characters that BibTeX gives a meaning. */
function escapeTex(text: string): string {
  return text.replaceAll(/[\\{}#$%&_~^]/g, (character) => {
    if (character === '\\') return '\\textbackslash{}';
    if (character === '~') return '\\textasciitilde{}';
    if (character === '^') return '\\textasciicircum{}';
    return `\\${character}`;
  });
}

/** `@misc` with the parts that are plainly there, and the whole reference in `note`. */
export function bibtexOf(citation: Citation): string {
  const { authors, others, year, version, publisher } = citationParts(citation.text ?? '');
  // The last one named stands behind those left out; BibTeX leaves out at the end only.
  const named = [...(others ? authors.slice(0, -1) : authors).map(texName), ...(others ? ['others'] : [])];
  const fields: [string, string | null | undefined][] = [
    ['author', named.length === 0 ? null : named.join(' and ')],
    ['title', citation.title === null ? null : `{${escapeTex(citation.title)}}`],
    ['year', year],
    ['version', version === undefined ? null : escapeTex(version)],
    ['publisher', publisher === undefined ? null : escapeTex(publisher)],
    ['doi', citation.doi],
    ['url', citation.url],
    ['note', citation.text === null ? null : escapeTex(citation.text)],
  ];
  const lines = fields.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`  ${name} = {${value}}`],
  );
  return `@misc{${keyOf(citation)},\n${lines.join(',\n')}\n}\n`;
}

/** A CSL-JSON item of type `dataset` (the archive's own reference: `article-journal`). */
export function cslOf(citation: Citation): Record<string, unknown> {
  const { authors, year, version, publisher } = citationParts(citation.text ?? '');
  return {
    id: keyOf(citation),
    type: citation.from === 'archive' ? 'article-journal' : 'dataset',
    ...(authors.length === 0 ? {} : { author: authors }),
    ...(citation.title === null ? {} : { title: citation.title }),
    ...(version === undefined ? {} : { version }),
    ...(publisher === undefined ? {} : { publisher }),
    ...(citation.doi === null ? {} : { DOI: citation.doi }),
    ...(citation.url === null ? {} : { URL: citation.url }),
    ...(year === undefined ? {} : { issued: { 'date-parts': [[Number(year)]] } }),
    ...(citation.text === null ? {} : { note: citation.text }),
  };
}

/** A RIS record: `DATA` for data sets, `JOUR` for the archive's own reference; the whole reference stands in `N1`. */
export function risOf(citation: Citation): string {
  const { authors, year, publisher } = citationParts(citation.text ?? '');
  const names = authors.map((one): [string, string] => [
    'AU',
    'literal' in one ? one.literal : `${one.family}, ${one.given}`,
  ]);
  const lines: [string, string | null | undefined][] = [
    ['TY', citation.from === 'archive' ? 'JOUR' : 'DATA'],
    ['ID', keyOf(citation)],
    ...names,
    ['TI', citation.title],
    ['PY', year],
    ['PB', publisher],
    ['DO', citation.doi],
    ['UR', citation.url],
    ['N1', citation.text],
    ['ER', ''],
  ];
  return lines
    .flatMap(([tag, value]) => (value === null || value === undefined ? [] : [`${tag}  - ${value}\n`]))
    .join('');
}

/** A reference as text. One without text in the tables is its address, and says so: it is never left out. */
export function textOfCitation({ text, url, doi }: Citation): string {
  return text ?? `${url ?? doi ?? 'no DOI'} (no table has the text of this reference)`;
}
