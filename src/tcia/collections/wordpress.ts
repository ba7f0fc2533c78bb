/** TCIA's collection manager: lists of WordPress's REST API, page by page, and the addresses of uploaded files. */
import * as v from 'valibot';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type Answer, type AskOptions, ask } from '../ask.ts';
import { idOf, numberOf } from './odd-values.ts';
import { plainText } from './plain-text.ts';
import { readRecord, type WordpressRecord } from './read-records.ts';

/** Lists of `/api/v1/`. */
export type WordpressList = 'collections' | 'analysis-results' | 'downloads' | 'citations' | 'versions';

/** What may be asked of a list. */
export interface ListQuestion {
  fields: readonly string[];
  /** Only these ids. */
  include?: readonly number[] | undefined;
  /** WordPress's own search. */
  search?: string | undefined;
  /** Records of a page; WordPress itself allows no more than 100 (default). */
  perPage?: number | undefined;
}

/** No list is longer; a server that always names a next page is not followed for ever. */
const MOST_PAGES = 1000;

/**
 * All records of a list, in the order of the pages, each id once. `origin` has no slash at its end.
 *
 * @throws CarrelError as `ask`; `network` where a page is no list of records, or fewer came than the server counts
 */
export async function fetchList(
  origin: string,
  list: WordpressList,
  question: ListQuestion,
  options: AskOptions,
): Promise<WordpressRecord[]> {
  const found = new Map<number, WordpressRecord>();
  let total: number | null = null;
  let unreadable = 0;
  let page: number | undefined = 1;
  for (let asked = 0; page !== undefined; asked += 1) {
    const what = page === 1 ? `TCIA's list of ${list}` : `page ${page} of TCIA's list of ${list}`;
    if (asked >= MOST_PAGES) throw endless(what);
    const answer: Answer = await ask(
      { what, url: listAddress(origin, list, question, page), headers: { accept: 'application/json' } },
      options,
    );
    const items = readItems(answer.text, what, origin);
    for (const item of items) {
      const record = readRecord(item);
      if (record === undefined) unreadable += 1;
      else found.set(record.id, record);
    }
    total = numberOf(answer.headers.get('x-wp-total')) ?? total;
    const next = nextPage(answer, page, items.length);
    if (next !== undefined && next <= page) throw endless(what);
    page = next;
  }
  if (total !== null && found.size + unreadable < total) {
    throw new CarrelError(
      'network',
      `TCIA's list of ${list} is not complete: ${found.size} of ${total} records came`,
      { item: list, next: 'the list may have changed meanwhile; try again', retryable: true },
    );
  }
  return [...found.values()];
}

function listAddress(origin: string, list: WordpressList, question: ListQuestion, page: number): string {
  const query = new URLSearchParams({
    per_page: String(question.perPage ?? 100),
    _fields: question.fields.join(','),
  });
  if (question.include !== undefined) query.set('include', question.include.join(','));
  if (question.search !== undefined) query.set('search', question.search);
  if (page > 1) query.set('page', String(page));
  return `${origin}/api/v1/${list}/?${query.toString()}`;
}

/**
 * The number of the next page. Only the number is taken from `Link: <…>; rel="next"`: the address in it may name another
 * host than the one that was asked (`www.`, a server behind a proxy).
 */
function nextPage(answer: Answer, page: number, items: number): number | undefined {
  const link = answer.headers.get('link') ?? '';
  const next = link.split(/,(?=\s*<)/).find((part) => /;\s*rel="?next"?/i.test(part));
  if (next !== undefined) {
    const [, target = ''] = /<([^>]*)>/.exec(next) ?? [];
    const number = /[?&]page=(\d+)/.exec(target.replaceAll('&amp;', '&'))?.[1];
    return number === undefined ? page + 1 : Number(number);
  }
  const pages = numberOf(answer.headers.get('x-wp-totalpages'));
  return pages !== null && pages > page && items > 0 ? page + 1 : undefined;
}

function readItems(text: string, what: string, origin: string): unknown[] {
  const host = new URL(origin).host;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const isPage = /^\s*</.test(text);
    throw new CarrelError('network', `${host} did not answer with JSON for ${what}`, {
      item: what,
      next: isPage
        ? 'it answered with a page, perhaps of its maintenance; try again later'
        : 'try again later',
      cause,
    });
  }
  const items = v.safeParse(v.array(v.unknown()), value);
  if (items.success) return items.output;
  throw new CarrelError('network', `${host} did not answer with a list for ${what}`, {
    item: what,
    next: 'try again later; if it stays, its API may have changed: tell us',
  });
}

function endless(what: string): CarrelError {
  return new CarrelError('network', `${what}: the server always names another page`, {
    item: what,
    next: 'try again later; if it stays, its API may have changed: tell us',
  });
}

/** An uploaded file. */
export interface MediaFile {
  id: number;
  url: string;
  /** Bytes, where WordPress says. */
  size: number | null;
}

const MEDIA_FIELDS = 'id,source_url,media_details';
const MEDIA_PER_PAGE = 100;

/**
 * Addresses of uploaded files by id, a hundred in one request; ids that the server does not know are missing. A server
 * that refuses lists is not asked further: `fetchMedia` asks for one.
 */
export async function fetchMediaList(
  origin: string,
  ids: readonly number[],
  options: AskOptions,
): Promise<Map<number, MediaFile>> {
  const found = new Map<number, MediaFile>();
  for (let at = 0; at < ids.length; at += MEDIA_PER_PAGE) {
    const some = ids.slice(at, at + MEDIA_PER_PAGE);
    const query = `include=${some.join(',')}&per_page=${MEDIA_PER_PAGE}&_fields=${MEDIA_FIELDS}`;
    const what = "TCIA's list of files";
    try {
      const { text } = await ask(
        { what, url: `${origin}/api/wp/v2/media?${query}`, headers: { accept: 'application/json' } },
        options,
      );
      for (const item of readItems(text, what, origin)) {
        const media = readMedia(item);
        if (media !== undefined) found.set(media.id, media);
      }
    } catch (error) {
      if (isCarrelError(error, 'not-found', 'bad-input', 'permission')) return found;
      throw error;
    }
  }
  return found;
}

/** The address of an uploaded file. @throws CarrelError `not-found`, and as `ask` */
export async function fetchMedia(origin: string, id: number, options: AskOptions): Promise<MediaFile> {
  const what = `file ${id} of TCIA's web site`;
  const { text } = await ask(
    { what, url: `${origin}/api/wp/v2/media/${id}`, headers: { accept: 'application/json' } },
    options,
  );
  const [item] = readItems(`[${text}]`, what, origin);
  const media = readMedia(item);
  if (media !== undefined) return media;
  throw new CarrelError('not-found', `${what} has no address`, {
    item: String(id),
    next: 'look at the page of the collection in a browser',
  });
}

const MediaSchema = v.looseObject({
  id: v.pipe(v.unknown(), v.transform(idOf), v.number()),
  source_url: v.pipe(v.string(), v.trim(), v.url()),
  media_details: v.optional(v.unknown()),
});

function readMedia(value: unknown): MediaFile | undefined {
  const read = v.safeParse(MediaSchema, value);
  if (!read.success) return undefined;
  const { id, source_url: url, media_details: details } = read.output;
  const size =
    typeof details === 'object' && details !== null
      ? (details as Record<string, unknown>)['filesize']
      : undefined;
  return { id, url, size: numberOf(plainText(size)) };
}
