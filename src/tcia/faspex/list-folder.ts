/**
 * One folder of a package, whole. Faspex has two ways to list: rows by offset with a total, and pages with tokens. Without a
 * limit the first one ends silently after 100 rows, and a lost token ends the second; so what came is held against the total.
 */
import { type CarrelError, isCarrelError } from '../../errors.ts';
import type { FaspexAnswer, FaspexClient, FaspexQuestion } from './faspex-client.ts';
import type { PackageEntry } from './package-entry.ts';
import { pause } from './pause.ts';
import { readListing } from './read-item.ts';

/** Rows per request, shared by all folders of a listing. */
export interface PageSize {
  rows: number;
  /** Answers in a row that went well. */
  calm: number;
}

/** A folder as it was listed. */
export interface FolderListing {
  entries: PackageEntry[];
  /** `true`: as many rows as the server counts. `unknown`: it counts none. */
  complete: true | false | 'unknown';
  /** Why it is not known to be complete. */
  reason?: string | undefined;
}

/** How a folder is listed. */
export interface FolderOptions {
  pageSize: PageSize;
  signal?: AbortSignal | undefined;
  /** After each answer, with the rows of it that are new. */
  onRows: (rows: number) => void;
}

/** As the general client of IBM asks; nodes answer at most 1,000. */
const MOST_ROWS = 500;
/** TCIA's server was seen to need pages of 10. */
const LEAST_ROWS = 10;
/** After so many answers without a failure, larger pages are tried again. */
const CALM = 20;
/** Answers without anything new after which a server is taken to go in a circle. */
const MOST_IDLE = 3;

/** Page sizes begin with 500 rows, and are halved where the server fails. */
export function createPageSize(): PageSize {
  return { rows: MOST_ROWS, calm: 0 };
}

/**
 * Lists a folder (`''` is the root), sorted as the server sorts. By offset first, since only that proves that nothing is
 * missing; by tokens where that fails or ends early.
 *
 * @throws CarrelError as `FaspexClient.ask`; `not-found` for a folder that is not there
 */
export async function listFolder(
  client: FaspexClient,
  folder: string,
  options: FolderOptions,
): Promise<FolderListing> {
  const { paginates } = await client.info(options.signal);
  const found: Found = { rows: new Map(), total: undefined };
  let failure: CarrelError | undefined;
  try {
    await byOffset(client, folder, options, found);
  } catch (error) {
    if (!isCarrelError(error, 'network') || paginates === false) throw error;
    failure = error;
  }
  const short = found.total === undefined ? failure !== undefined : found.rows.size < found.total;
  if (short && paginates !== false) {
    try {
      await byTokens(client, folder, options, found);
    } catch (error) {
      if (isCarrelError(error, 'interrupted', 'permission') || failure !== undefined) throw failure ?? error;
    }
  }
  return { entries: [...found.rows.values()], ...verdict(found) };
}

interface Found {
  rows: Map<string, PackageEntry>;
  total: number | undefined;
}

function verdict({ rows, total }: Found): Pick<FolderListing, 'complete' | 'reason'> {
  if (total === rows.size) return { complete: true };
  if (total === undefined)
    return { complete: 'unknown', reason: 'the server does not say how many rows there are' };
  if (rows.size < total)
    return { complete: false, reason: `the server counts ${total} rows and gave ${rows.size}` };
  return { complete: 'unknown', reason: `the server counts ${total} rows and gave ${rows.size}` };
}

async function byOffset(
  client: FaspexClient,
  folder: string,
  options: FolderOptions,
  found: Found,
): Promise<void> {
  let offset = 0;
  for (;;) {
    let asked = 0;
    const answer = await askPage(client, options, (rows) => {
      asked = rows;
      return question(client, folder, 'files/received', { offset: String(offset), limit: String(rows) });
    });
    const page = readListing(answer.json, folder, whatOf(client, folder));
    found.total = page.total ?? found.total;
    const fresh = keep(page.entries, found, options);
    offset += page.entries.length;
    // No rows at all: the end. Rows that are all known: a server that starts over.
    if (fresh === 0) return;
    // A total that a full page only just reaches may be the count of the page; the next one tells.
    if (found.total !== undefined && offset >= found.total && page.entries.length < asked) return;
  }
}

async function byTokens(
  client: FaspexClient,
  folder: string,
  options: FolderOptions,
  found: Found,
): Promise<void> {
  let token: string | undefined;
  const [used, seen] = [new Set<string>(), new Set<string>()];
  for (let idle = 0; idle < MOST_IDLE; ) {
    const held = token;
    const answer = await askPage(client, options, (rows) =>
      question(client, folder, 'files/received/page', { per_page: String(rows) }, held),
    );
    const page = readListing(answer.json, folder, whatOf(client, folder));
    keep(page.entries, found, options);
    const before = seen.size;
    for (const { path } of page.entries) seen.add(path);
    idle = seen.size > before ? 0 : idle + 1;
    token = answer.headers.get('x-aspera-next-iteration-token')?.trim();
    // The same token again leads to the same page again.
    if (token === undefined || token === '' || used.has(token)) return;
    used.add(token);
  }
}

function keep(entries: readonly PackageEntry[], { rows }: Found, { onRows }: FolderOptions): number {
  const before = rows.size;
  for (const entry of entries) if (!rows.has(entry.path)) rows.set(entry.path, entry);
  if (rows.size > before) onRows(rows.size - before);
  return rows.size - before;
}

function whatOf({ link }: FaspexClient, folder: string): string {
  return `${link.name}, ${folder === '' ? 'list of files' : `files in ${JSON.stringify(folder)}`}`;
}

/** One client puts the token into the query, IBM's description into the body; so both. */
function question(
  client: FaspexClient,
  folder: string,
  endpoint: string,
  query: Record<string, string>,
  token?: string,
): FaspexQuestion {
  const iteration: Record<string, string> = token === undefined ? {} : { iteration_token: token };
  return {
    what: whatOf(client, folder),
    path: `packages/${client.link.packageId}/${endpoint}`,
    query: { ...query, ...iteration },
    body: { path: `/${folder}`, filters: { basenames: [] }, ...iteration },
  };
}

/** Asks for a page, smaller where the server fails over it, and again later where that does not help. */
async function askPage(
  client: FaspexClient,
  { pageSize, signal }: FolderOptions,
  questionOf: (rows: number) => FaspexQuestion,
): Promise<FaspexAnswer> {
  const { attempts = 4, retryDelayMs = 500 } = client.options;
  const { recipient } = await client.info(signal);
  for (let failures = 0; ; ) {
    const { rows } = pageSize;
    const asked = questionOf(rows);
    try {
      const answer = await client.ask({
        ...asked,
        query: { ...asked.query, ...recipient },
        attempts: 1,
        signal,
      });
      pageSize.calm += 1;
      if (pageSize.calm >= CALM && pageSize.rows < MOST_ROWS) setRows(pageSize, pageSize.rows * 2);
      return answer;
    } catch (error) {
      if (!isCarrelError(error) || !error.retryable) throw error;
      const tooMuch = error.status === undefined || [500, 502, 504].includes(error.status);
      const smaller = tooMuch && rows > LEAST_ROWS;
      // Others may have made it smaller meanwhile.
      if (smaller && pageSize.rows === rows) setRows(pageSize, Math.floor(rows / 2));
      if (smaller && error.status !== undefined) continue;
      failures += 1;
      if (failures >= attempts) throw error;
      await pause(error, retryDelayMs * 2 ** (failures - 1), signal);
    }
  }
}

function setRows(pageSize: PageSize, rows: number): void {
  pageSize.rows = Math.min(Math.max(rows, LEAST_ROWS), MOST_ROWS);
  pageSize.calm = 0;
}
