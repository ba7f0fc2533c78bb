/** Objects and folders of a bucket, page by page, from the first mirror that answers. */
import { resolve } from 'node:path';
import { CarrelError } from '../errors.ts';
import { parseIdentifier } from '../identifiers/index.ts';
import { urlPlaces, viaMirror, wildcardMatcher, wildcardPrefix } from '../locations/index.ts';
import { type ListPage, type Store, withRetry } from '../stores/index.ts';
import type { Tools } from './question.ts';

/** A page of a listing, and the store that it is of (`store.url(key)` gives addresses). */
export interface ListedPage extends ListPage {
  store: Store;
}

/** Options of `listObjects`. */
export interface ListObjectsOptions {
  /** Folder that relative paths are seen from. */
  cwd: string;
  /** Everything below, without folders. */
  recursive?: boolean | undefined;
  /** Endpoint of a bucket that is not the archive's. */
  endpoint?: string | undefined;
}

/**
 * Lists what is at an address: `s3://`, `gs://` or a folder of this machine; `*` and `?` are wildcards. A mirror that
 * fails before it gave anything is replaced by the next.
 *
 * @throws `usage` for what is no address of a bucket, `not-found` where nothing is there, what the stores throw
 */
export async function* listObjects(
  url: string,
  tools: Pick<Tools, 'archive' | 'openStore' | 'from' | 'signal'>,
  options: ListObjectsOptions,
): AsyncGenerator<ListedPage> {
  const { stores, key, wildcard } = storesOf(url, tools, options);
  let failure: unknown;
  for (const store of stores) {
    let given = false;
    try {
      for await (const page of pagesOf(store, key, wildcard, options.recursive === true, tools.signal)) {
        given ||= page.objects.length + page.prefixes.length > 0;
        yield { ...page, store };
      }
      if (given) return;
      failure = nothingAt(url);
      break;
    } catch (error) {
      if (given || tools.signal?.aborted === true) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

function nothingAt(url: string): CarrelError {
  return new CarrelError('not-found', `nothing is at ${url}`, {
    item: url,
    next: 'check the bucket and the folder; keys start right after the bucket',
  });
}

async function* pagesOf(
  store: Store,
  key: string,
  wildcard: boolean,
  recursive: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListPage> {
  const folder = wildcard ? wildcardPrefix(key) : key === '' || key.endsWith('/') ? key : undefined;
  const matches = wildcard ? wildcardMatcher(key) : undefined;
  const delimiter = recursive || wildcard ? undefined : '/';
  let count = 0;
  for await (const page of withRetry(store).list(folder ?? `${key}/`, { delimiter, signal })) {
    const objects = matches === undefined ? page.objects : page.objects.filter((one) => matches(one.key));
    count += objects.length + page.prefixes.length;
    yield { objects, prefixes: page.prefixes };
  }
  // A name without a slash may be a folder or an object: the folder is looked at first.
  if (count === 0 && folder === undefined)
    yield { objects: [await withRetry(store).stat(key, { signal })], prefixes: [] };
}

function storesOf(
  url: string,
  tools: Pick<Tools, 'archive' | 'openStore' | 'from'>,
  options: ListObjectsOptions,
): { stores: Store[]; key: string; wildcard: boolean } {
  const identifier = viaMirror(parseIdentifier(url), tools.archive);
  if (identifier.kind === 'path') {
    const endpoint = resolve(options.cwd, identifier.path);
    return {
      stores: [tools.openStore({ protocol: 'file', endpoint, bucket: '' })],
      key: '',
      wildcard: false,
    };
  }
  const object =
    identifier.kind === 'compound-object' && identifier.location.kind === 'object-url'
      ? identifier.location
      : identifier;
  if (object.kind !== 'object-url')
    throw new CarrelError('usage', `${url} is no address of a bucket`, {
      item: url,
      next: 'give s3://bucket/folder/, gs://bucket/folder/ or a local folder; carrel show finds where things stand',
    });
  const { places } = urlPlaces(tools.archive, object, { endpoint: options.endpoint, from: tools.from });
  return {
    stores: places.map(({ place }) => tools.openStore(place)),
    key: object.key,
    wildcard: object.form === 'wildcard',
  };
}
