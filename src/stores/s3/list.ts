/** Listing by pages: ListObjectsV2, and version 1 where a server knows no other. */
import { CarrelError } from '../../errors.ts';
import type { HttpReply } from '../http/http.ts';
import { compareKeys } from '../object-key.ts';
import { createPageGuard, endlessListing } from '../page-guard.ts';
import { type RefusalContext, refusalOf } from '../reply-error.ts';
import type { ListOptions, ListPage } from '../store.ts';
import { type ListDocument, parseListDocument } from './list-document.ts';

/** Largest page that is read: 1,000 keys of 1,024 bytes, percent-encoded, with room. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

/** What listing needs of a store. */
export interface ListAccess {
  /** GET on the bucket with these parameters. */
  ask(query: Record<string, string>, signal: AbortSignal | undefined): Promise<HttpReply>;
  context: RefusalContext;
  trustEtags: boolean;
}

/** Statuses with which old servers refuse version 2. */
const NO_V2 = new Set([400, 405, 501]);

/** Pages of a listing in the order in which the server gives them, which is key order. */
export async function* listPages(
  access: ListAccess,
  prefix: string,
  options: ListOptions = {},
): AsyncGenerator<ListPage> {
  const { delimiter, startAfter, pageSize, signal } = options;
  const shared = {
    prefix,
    'encoding-type': 'url',
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(pageSize === undefined ? {} : { 'max-keys': String(pageSize) }),
  };
  let version: 1 | 2 = 2;
  let token: string | undefined;
  let marker = startAfter;
  const mayGoOn = createPageGuard();

  for (let pages = 0; ; pages += 1) {
    const position: Record<string, string> = {};
    if (version === 2) position['list-type'] = '2';
    if (version === 2 && token !== undefined) position['continuation-token'] = token;
    else if (marker !== undefined) position[version === 2 ? 'start-after' : 'marker'] = marker;
    let reply = await access.ask({ ...shared, ...position }, signal);
    if (pages === 0 && NO_V2.has(reply.status)) {
      reply.cancel();
      version = 1;
      reply = await access.ask({ ...shared, ...(marker === undefined ? {} : { marker }) }, signal);
    }
    const page = await readPage(reply, access);
    const listed = withinBounds(page, prefix, startAfter);
    if (!mayGoOn(listed)) throw endlessListing(access.context);
    yield listed;
    if (!page.truncated) return;
    if (version === 2 && page.continuationToken !== undefined) {
      if (page.continuationToken === token) throw endlessListing(access.context);
      token = page.continuationToken;
    } else {
      // Truncated without a token: the server has ignored `list-type=2` and answers in version 1.
      version = 1;
      marker = nextMarker(page, marker, access);
    }
  }
}

async function readPage(reply: HttpReply, access: ListAccess): Promise<ListDocument> {
  if (reply.status !== 200) throw await refusalOf(reply, access.context);
  const page = await parseListDocument(await pageText(reply), access.trustEtags);
  if (page !== undefined) return page;
  throw new CarrelError('network', `${access.context.item}: the answer is no listing`, {
    item: access.context.item,
    next: 'check the endpoint; a sign-in page of the network may stand in the way',
    retryable: true,
  });
}

/** Bytes of an ordinary page, with room: 1,000 keys take a third of it. */
const PAGE_BYTES = 1 << 20;

/** Memory of pages that were read: a large cohort has a thousand of them, and their memory waits long to be collected. */
const spare: Buffer[] = [];
const MOST_SPARE = 32;

async function pageText(reply: HttpReply): Promise<string> {
  const { length = 0, land } = reply;
  if (land === undefined || length === 0 || length > PAGE_BYTES) return await reply.text(MAX_PAGE_BYTES);
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(PAGE_BYTES);
  try {
    const page = memory.subarray(0, length);
    await land(page, () => {});
    return new TextDecoder().decode(page);
  } finally {
    if (spare.length < MOST_SPARE) spare.push(memory);
  }
}

/** Version 1 may leave the marker out where there is no delimiter: then it is the last key. */
function nextMarker(page: ListDocument, before: string | undefined, access: ListAccess): string {
  const last = [page.objects.at(-1)?.key, page.prefixes.at(-1)]
    .filter((key) => key !== undefined)
    .sort(compareKeys)
    .at(-1);
  const marker = page.nextMarker ?? last;
  if (marker === undefined || marker === before) throw endlessListing(access.context);
  return marker;
}

/** A server that ignores `prefix` or `start-after` must not make us fetch what nobody asked for. */
function withinBounds(page: ListDocument, prefix: string, startAfter: string | undefined): ListPage {
  const wanted = (key: string): boolean =>
    key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0);
  return {
    objects: page.objects.filter(({ key }) => wanted(key)),
    prefixes: page.prefixes.filter((key) => key.startsWith(prefix)),
  };
}
