/** Listing by Google's JSON interface: digests and generation come with every object. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import type { HttpReply } from '../http/http.ts';
import { compareKeys } from '../object-key.ts';
import { createPageGuard, endlessListing } from '../page-guard.ts';
import { type RefusalContext, refusalOf } from '../reply-error.ts';
import { digestOfBase64, parseEtag } from '../reply-stat.ts';
import type { ListOptions, ListPage, ObjectStat } from '../store.ts';

/** Largest page that is read: 1,000 objects with digests, with room. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

const PAGE = v.object({
  items: v.optional(
    v.array(
      v.object({
        name: v.string(),
        size: v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.safeInteger())),
        etag: v.optional(v.string()),
        generation: v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String))),
        updated: v.optional(v.string()),
        md5Hash: v.optional(v.string()),
        crc32c: v.optional(v.string()),
        contentEncoding: v.optional(v.string()),
      }),
    ),
    [],
  ),
  prefixes: v.optional(v.array(v.string()), []),
  nextPageToken: v.optional(v.string()),
});

type Page = v.InferOutput<typeof PAGE>;

/** Only what is read: half of the bytes of a page. */
const FIELDS =
  'items(name,size,etag,generation,updated,md5Hash,crc32c,contentEncoding),prefixes,nextPageToken';

/** Statuses of servers that do not have the JSON interface. */
const NO_JSON = new Set([400, 404, 405, 501]);

/**
 * Pages of a listing, or undefined where the server does not speak JSON here. Rejects as the contract says.
 *
 * @param ask GET on the bucket's objects with these parameters
 */
export async function listByJson(
  ask: (query: Record<string, string>, signal: AbortSignal | undefined) => Promise<HttpReply>,
  context: RefusalContext,
  prefix: string,
  options: ListOptions,
): Promise<AsyncGenerator<ListPage> | undefined> {
  const { delimiter, startAfter, pageSize, signal } = options;
  const query = {
    prefix,
    fields: FIELDS,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(startAfter === undefined ? {} : { startOffset: startAfter }),
    ...(pageSize === undefined ? {} : { maxResults: String(pageSize) }),
  };
  const reply = await ask(query, signal);
  if (NO_JSON.has(reply.status)) {
    reply.cancel();
    return undefined;
  }
  if (reply.status !== 200) throw await refusalOf(reply, context);
  const first = parsePage(await reply.text(MAX_PAGE_BYTES));
  if (first === undefined) return undefined;
  return pagesFrom(first);

  async function* pagesFrom(start: Page): AsyncGenerator<ListPage> {
    let lastPrefix: string | undefined;
    const mayGoOn = createPageGuard();
    for (let page = start; ; ) {
      const listed = toListPage(page, prefix, startAfter);
      // Some servers repeat the folders on every page.
      const { prefixes } = listed;
      listed.prefixes = prefixes.filter(
        (key) => lastPrefix === undefined || compareKeys(key, lastPrefix) > 0,
      );
      lastPrefix = listed.prefixes.at(-1) ?? lastPrefix;
      if (!mayGoOn(listed)) throw endlessListing(context);
      yield listed;
      const token = page.nextPageToken;
      if (token === undefined || token === '') return;
      const next = await ask({ ...query, pageToken: token }, signal);
      if (next.status !== 200) throw await refusalOf(next, context);
      const parsed = parsePage(await next.text(MAX_PAGE_BYTES));
      if (parsed === undefined || parsed.nextPageToken === token) throw noListing(context);
      page = parsed;
    }
  }
}

function parsePage(text: string): Page | undefined {
  try {
    const parsed = v.safeParse(PAGE, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function toListPage(page: Page, prefix: string, startAfter: string | undefined): ListPage {
  const objects = page.items
    // `startOffset` includes the key itself; and a server may ignore it.
    .filter(
      ({ name }) =>
        name.startsWith(prefix) && (startAfter === undefined || compareKeys(name, startAfter) > 0),
    )
    .map((item): ObjectStat => {
      const modified = Date.parse(item.updated ?? '');
      return {
        key: item.name,
        size: item.size,
        etag: parseEtag(item.etag),
        generation: item.generation,
        lastModified: Number.isNaN(modified) ? undefined : new Date(modified).toISOString(),
        digests: [...digestOfBase64('crc32c', item.crc32c), ...digestOfBase64('md5', item.md5Hash)],
        contentEncoding: item.contentEncoding === '' ? undefined : item.contentEncoding,
      };
    });
  return { objects, prefixes: page.prefixes.filter((key) => key.startsWith(prefix)) };
}

function noListing({ item }: RefusalContext): CarrelError {
  return new CarrelError('network', `${item}: the answer is no listing, or one without end`, {
    item,
    next: 'check the endpoint',
    retryable: true,
  });
}
