/**
 * References as the registration agencies of their DOIs print them, by content negotiation at a resolver
 * (https://www.crosscite.org/docs.html). What was fetched is kept; where the resolver does not answer, the text of the
 * tables stands, and a note says so. Nothing is ever dropped.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { HttpPool } from '../stores/index.ts';
import { cleanCitation } from './citation-text.ts';
import { type Citation, type CitationFormat, entryOf, joinEntries } from './citations.ts';
import type { SelectionNote } from './rows.ts';

/** The public resolver. */
const RESOLVER = 'https://doi.org';

/** What each format is asked for with. */
const ACCEPT: Record<CitationFormat, string> = {
  text: 'text/x-bibliography; style=apa; locale=en-US',
  apa: 'text/x-bibliography; style=apa; locale=en-US',
  bibtex: 'application/x-bibtex',
  'csl-json': 'application/vnd.citationstyles.csl+json',
  ris: 'application/x-research-info-systems',
};

/** References change rarely (a journal's page numbers, a version), so a month is soon enough. */
const FRESH_MS = 30 * 24 * 3600 * 1000;
const MAX_BYTES = 1024 * 1024;
const AT_ONCE = 4;

/** Options of `resolveCitations`. */
export interface OnlineOptions {
  http: HttpPool;
  /** Folder of the caches; answers go below `citations/`. */
  cacheDir: string;
  /** Default `https://doi.org`. */
  resolver?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Answer of `resolveCitations`. */
export interface OnlineCitations {
  /** All references, ready to be written to a file. */
  text: string;
  /** One per citation, in their order: what was asked for, and whether the resolver or the tables gave it. */
  entries: { doi: string | null; entry: string; from: 'resolver' | 'cache' | 'tables' }[];
  /** References that the resolver did not give. */
  notes: SelectionNote[];
}

/** Asks the resolver for every citation with a DOI, four at a time. Throws `usage` for a resolver that is no URL. */
export async function resolveCitations(
  citations: readonly Citation[],
  format: CitationFormat,
  options: OnlineOptions,
): Promise<OnlineCitations> {
  const resolver = (options.resolver ?? RESOLVER).replace(/\/+$/, '');
  if (!/^https?:\/\/[^\s?#]+$/.test(resolver)) {
    throw new CarrelError('usage', `the DOI resolver is no URL: ${resolver}`, {
      item: resolver,
      next: `for example CARREL_DOI_RESOLVER=${RESOLVER}`,
    });
  }
  const notes: (SelectionNote | undefined)[] = [];
  const entries: OnlineCitations['entries'] = [];
  const waiting = [...citations.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, citation] = next;
      const { doi } = citation;
      const found = doi === null ? undefined : await askOrRemember(doi, format, resolver, options);
      const entry = found?.entry ?? entryOf(citation, format);
      entries[at] = { doi, entry, from: found?.from ?? 'tables' };
      if (found?.problem !== undefined && doi !== null)
        notes[at] = noteOf(citation, found.problem, found.from);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const text = joinEntries(
    entries.map(({ entry }) => entry),
    format,
  );
  return { text, entries, notes: notes.filter((note) => note !== undefined) };
}

interface Found {
  entry?: string;
  from?: 'resolver' | 'cache';
  /** Why the resolver gave none. */
  problem?: string;
}

async function askOrRemember(
  doi: string,
  format: CitationFormat,
  resolver: string,
  options: OnlineOptions,
): Promise<Found> {
  const key = createHash('sha256')
    .update(`${resolver}\n${ACCEPT[format]}\n${doi}`)
    .digest('hex')
    .slice(0, 40);
  const path = join(options.cacheDir, 'citations', `${key}.txt`);
  const kept = await readKept(path, format, doi);
  if (kept?.fresh === true) return { entry: kept.entry, from: 'cache' };
  try {
    const entry = await ask(doi, format, resolver, options);
    await keep(path, entry).catch(() => undefined);
    return { entry, from: 'resolver' };
  } catch (error) {
    if (isCarrelError(error, 'interrupted')) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    return kept === undefined ? { problem } : { entry: kept.entry, from: 'cache', problem };
  }
}

async function ask(
  doi: string,
  format: CitationFormat,
  resolver: string,
  options: OnlineOptions,
): Promise<string> {
  const url = `${resolver}/${doi.split('/').map(encodeURIComponent).join('/')}`;
  const reply = await options.http.request({
    url,
    headers: { accept: ACCEPT[format] },
    signal: options.signal,
  });
  if (reply.status !== 200) {
    reply.cancel();
    const why = reply.status === 404 ? 'the resolver does not know this DOI' : `HTTP ${reply.status}`;
    throw new CarrelError('network', why, { item: doi, status: reply.status });
  }
  const type = reply.headers.get('content-type') ?? '';
  if (/^text\/html\b/i.test(type)) {
    reply.cancel();
    throw new CarrelError('bad-input', 'a web page came instead of a reference', { item: doi });
  }
  return readEntry(await reply.text(MAX_BYTES), format, doi);
}

/** Holds the answer against its format: an error page with status 200 is no reference. */
function readEntry(body: string, format: CitationFormat, doi: string): string {
  const text = body
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .trim();
  const bad = () => new CarrelError('bad-input', `the answer is no ${format}`, { item: doi });
  switch (format) {
    case 'bibtex':
      if (!/^@\w+\s*\{/.test(text)) throw bad();
      return text;
    case 'ris':
      if (!/^TY {2}- /.test(text) || !/^ER {2}-/m.test(text)) throw bad();
      return text;
    case 'csl-json': {
      let item: unknown;
      try {
        item = JSON.parse(text);
      } catch {
        throw bad();
      }
      if (typeof item !== 'object' || item === null || Array.isArray(item)) throw bad();
      return JSON.stringify(item);
    }
    default: {
      const clean = cleanCitation(text);
      if (clean === '' || /^\s*<(!doctype|html)/i.test(text)) throw bad();
      return clean.toLowerCase().includes(doi) ? clean : `${clean} https://doi.org/${doi}`;
    }
  }
}

/** A kept answer; one that was damaged meanwhile is none. */
async function readKept(
  path: string,
  format: CitationFormat,
  doi: string,
): Promise<{ entry: string; fresh: boolean } | undefined> {
  try {
    const entry = readEntry(await readFile(path, 'utf8'), format, doi);
    const { mtimeMs } = await stat(path);
    return { entry, fresh: Math.abs(Date.now() - mtimeMs) < FRESH_MS };
  } catch {
    return undefined;
  }
}

async function keep(path: string, entry: string): Promise<void> {
  const part = `${path}.${randomUUID()}.part`;
  await mkdir(join(path, '..'), { recursive: true });
  try {
    await writeFile(part, entry);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
}

function noteOf(citation: Citation, problem: string, from: Found['from']): SelectionNote {
  const doi = citation.doi ?? '';
  const instead =
    from === 'cache'
      ? 'an earlier answer stands'
      : citation.text === null
        ? 'no table has its text either'
        : 'the text of the tables stands';
  return {
    field: 'citation',
    value: doi,
    message: `${doi}: ${problem}; ${instead}`,
    suggestions: [`https://doi.org/${doi}`],
    unknown: false,
  };
}
