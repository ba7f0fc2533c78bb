/**
 * Whom to cite for a selection, without the network: every distinct `source_DOI` has a citation in
 * `collections_index.sources` or `analysis_results_index` (all 242 of IDC's v25 do), and the archive has its own.
 */
import { CarrelError } from '../errors.ts';
import type { Catalog, SelectionOrUuids } from './catalog.ts';
import { bibtexOf, cleanCitation, cslOf, risOf, textOfCitation } from './citation-text.ts';
import { member } from './dataset-texts.ts';
import type { Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { columnsOf } from './relations.ts';
import type { SelectionNote } from './rows.ts';
import { compileEither } from './summary.ts';
import { textOf } from './values.ts';

/**
 * Formats that can be made from what the tables hold, without making anything up. The tables' texts are in the style of
 * the APA, so `text` and `apa` are the same here; they differ where a resolver is asked.
 */
export type CitationFormat = 'text' | 'apa' | 'bibtex' | 'csl-json' | 'ris';

/** All of them. */
export const CITATION_FORMATS = [
  'text',
  'apa',
  'bibtex',
  'csl-json',
  'ris',
] as const satisfies CitationFormat[];

/** One reference. */
export interface Citation {
  /** Small letters, without `https://doi.org/`; null for series without one. */
  doi: string | null;
  /** Plain text, UTF-8, one line; null where no table has it. */
  text: string | null;
  title: string | null;
  license: string | null;
  url: string | null;
  collections: string[];
  series: number;
  /** Where the text stands. */
  from: 'collections_index' | 'analysis_results_index' | 'archive' | null;
}

/** Answer of `citations`. */
export interface CitationList {
  /** One per DOI, by DOI; the archive's own reference last. */
  citations: Citation[];
  notes: SelectionNote[];
  /** The list in a format, ready to be written to a file. */
  format(format: CitationFormat): string;
}

/** Collects the citations of a selection. */
export async function citationsOf(
  session: Session,
  tables: OpenTables,
  what: SelectionOrUuids,
): Promise<CitationList> {
  const { from, parameters, notes } = await compileEither(session, tables, what);
  const rows = await session.rows(
    `SELECT nullif(lower(source_DOI), '') AS doi, list(DISTINCT collection_id ORDER BY collection_id) AS collections,
       min(license_short_name) AS license, count(*) AS series FROM ${from} GROUP BY 1 ORDER BY 1 NULLS LAST`,
    parameters,
  );
  const sources = rows.length === 0 ? new Map<string, SourceText>() : await sourceTexts(session, tables);
  const citations: Citation[] = [];
  for (const row of rows) {
    const doi = textOf(row['doi']);
    const source = doi === null ? undefined : sources.get(doi);
    const series = Number(row['series']);
    if (doi === null) {
      notes.push({
        field: 'citation',
        value: '',
        message: `${series} series have no DOI in the tables (superseded versions have none)`,
        suggestions: [],
        unknown: false,
      });
      continue;
    }
    if (source === undefined) {
      notes.push({
        field: 'citation',
        value: doi,
        message: `no table has a citation for ${doi}`,
        suggestions: [`https://doi.org/${doi}`],
        unknown: false,
      });
    }
    citations.push({
      doi,
      text: source === undefined ? null : withDoi(source.text, doi),
      title: source?.title ?? null,
      license: textOf(row['license']),
      url: `https://doi.org/${doi}`,
      collections: row['collections'] as string[],
      series,
      from: source?.from ?? null,
    });
  }
  const own = tables.archive.citation;
  if (own !== undefined && rows.length > 0) {
    const doi = own.doi.toLowerCase();
    citations.push({
      doi,
      text: withDoi(own.text, doi),
      title: null,
      license: null,
      url: `https://doi.org/${doi}`,
      collections: [],
      series: 0,
      from: 'archive',
    });
  }
  return { citations, notes, format: (format) => formatCitations(citations, format) };
}

/**
 * Fills in texts that older tables lack from newer ones: a reference belongs to its DOI, not to a release. What stays
 * unknown keeps its note (DOIs of versions that became concept DOIs since).
 */
export async function completeCitations(
  list: CitationList,
  newer: () => Promise<Pick<Catalog, 'citations' | 'version'> | undefined>,
): Promise<CitationList> {
  const missing = list.citations
    .filter(({ text }) => text === null)
    .flatMap(({ doi }) => (doi === null ? [] : [doi]));
  const other = missing.length === 0 ? undefined : await newer();
  if (other === undefined) return list;
  const found = (await other.citations({ doi: missing, release: 'current' })).citations.filter(
    ({ text }) => text !== null,
  );
  const known = new Map(found.map((citation) => [citation.doi, citation]));
  const citations = list.citations.map((citation) => {
    const source = citation.text === null ? known.get(citation.doi) : undefined;
    return source === undefined
      ? citation
      : { ...citation, text: source.text, title: source.title, from: source.from };
  });
  const taken = missing.filter((doi) => known.has(doi));
  const notes = list.notes.filter(({ field, value }) => field !== 'citation' || !taken.includes(value));
  if (taken.length > 0) {
    const message = `${taken.length} citations are from the tables of ${other.version}: the older ones have none`;
    notes.push({ field: 'citation', value: other.version, message, suggestions: [], unknown: false });
  }
  return { citations, notes, format: (format) => formatCitations(citations, format) };
}

interface SourceText {
  text: string;
  title: string | null;
  from: 'collections_index' | 'analysis_results_index';
}

/** DOI in small letters → citation, from the two tables that hold them; either may be missing or of an older shape. */
async function sourceTexts(session: Session, tables: OpenTables): Promise<Map<string, SourceText>> {
  const found = new Map<string, SourceText>();
  const take = (from: SourceText['from'], rows: Record<string, unknown>[]) => {
    for (const row of rows) {
      const text = cleanCitation(textOf(row['citation']) ?? '');
      const doi = (textOf(row['doi']) ?? '').toLowerCase();
      if (text === '' || doi === '' || found.has(doi)) continue;
      const title = cleanCitation(textOf(row['title']) ?? '');
      found.set(doi, { text, title: title === '' ? null : title, from });
    }
  };
  const has = (name: string) => tables.content.tables.some((table) => table.name === name);
  if (has('collections_index')) {
    const names = (await columnsOf(session, 'collections_index')).map((name) => name.toLowerCase());
    // A list of structs whose members and order differ between v23, v24 and v25: members by name, in any case.
    if (names.includes('sources')) {
      const rows = await session.rows('SELECT sources AS sources FROM collections_index');
      const sources = rows.flatMap((row) =>
        Array.isArray(row['sources']) ? (row['sources'] as Record<string, unknown>[]) : [],
      );
      take(
        'collections_index',
        sources.map((source) => ({
          doi: member(source, 'source_doi'),
          citation: member(source, 'citation'),
          title: member(source, 'source_title'),
        })),
      );
    }
  }
  if (has('analysis_results_index')) {
    const rows = await session.rows('SELECT * FROM analysis_results_index');
    take(
      'analysis_results_index',
      rows.map((row) => ({
        doi: member(row, 'source_DOI'),
        citation: member(row, 'citation'),
        title: member(row, 'analysis_result_title'),
      })),
    );
  }
  return found;
}

/** Two of IDC's citations do not print their own DOI; a reference without one cannot be followed. */
function withDoi(text: string, doi: string): string {
  return text.toLowerCase().includes(doi) ? text : `${text} https://doi.org/${doi}`;
}

/** The list as text: one reference per paragraph, BibTeX entries, a CSL-JSON array, or RIS records. */
export function formatCitations(citations: readonly Citation[], format: CitationFormat): string {
  return joinEntries(
    citations.map((citation) => entryOf(citation, format)),
    format,
  );
}

/** One reference in a format; for `csl-json` the JSON of one item. Throws `usage` for a format that there is not. */
export function entryOf(citation: Citation, format: CitationFormat): string {
  switch (format) {
    case 'text':
    case 'apa':
      return textOfCitation(citation);
    case 'bibtex':
      return bibtexOf(citation);
    case 'csl-json':
      return JSON.stringify(cslOf(citation));
    case 'ris':
      return risOf(citation);
    default:
      throw new CarrelError('usage', `no citation format ${JSON.stringify(format)}`, {
        item: String(format),
        next: CITATION_FORMATS.join(', '),
      });
  }
}

/** Entries as one file. */
export function joinEntries(entries: readonly string[], format: CitationFormat): string {
  if (format === 'csl-json')
    return `${JSON.stringify(
      entries.map((entry) => JSON.parse(entry) as unknown),
      null,
      2,
    )}\n`;
  return entries.map((entry) => `${entry.trimEnd()}\n`).join('\n');
}
