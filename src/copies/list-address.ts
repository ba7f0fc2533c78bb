/** What is at an address, page by page and level by level: for `ls` and `du`, which must not wait for a million objects. */

import { isCarrelError } from '../errors.ts';
import type { Source } from '../locations/index.ts';
import { type ListPage, type ObjectStat, type Store, withRetry } from '../stores/index.ts';
import type { Address } from './address.ts';
import { compileGlob } from './glob.ts';
import { listFolders } from './list-folders.ts';
import {
  firstPlace,
  folderName,
  isWebAddress,
  type MatchOptions,
  type MatchTools,
  nothingAt,
} from './matches.ts';

/** A page, and the store that it is of (`store.url(key)` gives addresses). */
export interface AddressPage extends ListPage {
  store: Store;
  /** Length of the part of each key that the address fixes: what `--include` and `ls` leave out of names. */
  fixed: number;
}

/**
 * Lists an address: objects and folders of one level, everything below with `recursive`, matches of a pattern in the
 * language of its scheme. A folder may be written with or without `/`.
 *
 * @throws `not-found` where nothing is there, what the stores throw
 */
export async function* listAddress(
  address: Address,
  tools: MatchTools,
  options: MatchOptions = {},
): AsyncGenerator<AddressPage> {
  // Opened by its first page, so that a place that refuses or fails is replaced; from then on it is that place.
  const { store, pages, first } = await firstPlace(
    address,
    tools,
    async (plain: Store, _sources: Omit<Source, 'key'>[]) => {
      const iterator = pagesOf(withRetry(plain), address, tools, options)[Symbol.asyncIterator]();
      return { store: plain, pages: iterator, first: await iterator.next() };
    },
  );
  let given = false;
  for (let page = first; page.done !== true; page = await pages.next()) {
    given ||= page.value.objects.length + page.value.prefixes.length > 0;
    yield { ...page.value, store };
  }
  if (!given) throw nothingAt(address);
}

async function* pagesOf(
  store: Store,
  address: Address,
  { signal }: MatchTools,
  { glob: language, raw, recursive = false }: MatchOptions,
): AsyncGenerator<ListPage & { fixed: number }> {
  const { key } = address;
  const glob = compileGlob(key, language ?? address.language, raw === true || isWebAddress(address));
  if (glob.isPattern && glob.deep) {
    const fixed = glob.prefix.lastIndexOf('/') + 1;
    for await (const { objects } of store.list(glob.prefix, { signal }))
      yield { objects: objects.filter((one) => glob.matches(one.key)), prefixes: [], fixed };
    return;
  }
  if (glob.isPattern) {
    const fixed = glob.prefix.lastIndexOf('/') + 1;
    const level = await listFolders(store, key, signal);
    yield { objects: level.objects, prefixes: recursive ? [] : level.prefixes, fixed };
    for (const prefix of recursive ? level.prefixes : [])
      for await (const { objects } of store.list(prefix, { signal })) yield { objects, prefixes: [], fixed };
    return;
  }
  const isFolder = key === '' || key.endsWith('/');
  const prefix = isFolder ? key : `${key}/`;
  let count = 0;
  const delimiter = recursive ? undefined : '/';
  try {
    for await (const page of store.list(prefix, { delimiter, signal })) {
      count += page.objects.length + page.prefixes.length;
      yield { ...page, fixed: prefix.length };
    }
  } catch (error) {
    // A plain web server has no listing, and a bucket may be closed to listings and open to reading.
    if (
      isFolder ||
      count > 0 ||
      !isCarrelError(error) ||
      (error.code !== 'unsupported' && error.code !== 'permission')
    )
      throw error;
  }
  if (count > 0 || isFolder) return;
  // A name without a slash may be a folder or an object: the folder is looked at first.
  const stat: ObjectStat = await store.stat(key, { signal });
  yield { objects: [{ ...stat, key }], prefixes: [], fixed: folderName(key).length };
}
