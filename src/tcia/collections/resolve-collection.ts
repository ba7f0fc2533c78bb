/** A name → the data set of TCIA that it means. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type AskOptions, ask } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import type { TciaCatalogue, TciaCollection } from './collection.ts';
import { type CollectionName, readCollectionName } from './collection-name.ts';
import { fetchDoi } from './datacite.ts';
import { nearestCollections } from './nearest-collections.ts';

/** What a name is looked up in. */
export interface ResolveOptions {
  catalogue: TciaCatalogue;
  servers: TciaServers;
  /**
   * Where it may be asked about what the catalogue does not know: DataCite about the DOI of an older version, the web
   * site about a page that moved. Without it the catalogue alone answers.
   */
  ask?: AskOptions | undefined;
}

/**
 * The data set that is meant: by name or slug without regard to case, blanks, `_` and `-`; by DOI; by its page.
 *
 * @throws CarrelError `not-found` with the nearest names, `ambiguous` where a collection and an analysis result share it,
 *   `bad-input` for what names no data set
 */
export async function resolveCollection(what: string, options: ResolveOptions): Promise<TciaCollection> {
  const { catalogue, servers } = options;
  const name = readCollectionName(what, servers);
  const found = findCollections(name, catalogue);
  if (found.length === 0 && options.ask !== undefined) {
    const moved = await askElsewhere(name, servers, options.ask);
    if (moved !== undefined) found.push(...findCollections(moved, catalogue));
  }
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    throw new CarrelError('ambiguous', `${what.trim()} names ${found.length} data sets of TCIA`, {
      item: what,
      next: `choose by page: ${found.map(({ page }) => page).join(' or ')}`,
    });
  }
  throw unknown(what, name, catalogue);
}

/** Data sets that a name means, as far as the catalogue knows. A name as it is written goes before similar ones. */
export function findCollections(
  name: CollectionName,
  { collections }: Pick<TciaCatalogue, 'collections'>,
): TciaCollection[] {
  if (name.by === 'doi') return collections.filter(({ doi }) => doi === name.doi);
  if (name.by === 'page') {
    const slug = name.slug.toLowerCase();
    const same = collections.filter((one) => one.slug === slug);
    const kind = /\/analysis-result\//.test(name.address) ? 'analysis-result' : 'collection';
    const there = same.filter((one) => one.kind === kind);
    return there.length > 0 ? there : same;
  }
  const wanted = name.name.trim().toLowerCase();
  const exact = collections.filter((one) => one.slug === wanted || one.name.toLowerCase() === wanted);
  if (exact.length > 0) return preferShown(exact);
  const squashed = squash(wanted);
  if (squashed === '') return [];
  const loose = collections.filter((one) => squash(one.slug) === squashed || squash(one.name) === squashed);
  return preferShown(loose.length > 0 ? loose : collections.filter((one) => squash(one.title) === squashed));
}

/** A retired data set does not stand in the way of the one that took its name. */
function preferShown(found: TciaCollection[]): TciaCollection[] {
  const shown = found.filter(({ hidden }) => !hidden);
  return shown.length > 0 ? shown : found;
}

/** Small letters and digits only. */
export function squash(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/** Asks who knows: DataCite for a DOI, the web site for a page. Undefined where they do not know either. */
async function askElsewhere(
  name: CollectionName,
  servers: TciaServers,
  options: AskOptions,
): Promise<CollectionName | undefined> {
  if (name.by === 'name') return undefined;
  let address: string | null;
  try {
    if (name.by === 'doi') address = (await fetchDoi(servers.datacite, name.doi, options)).url;
    else address = (await ask({ what: `the page of ${name.slug}`, url: name.address }, options)).url;
  } catch (error) {
    // Whoever cannot answer knows nothing of it; what the catalogue says stands.
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    return undefined;
  }
  if (address === null) return undefined;
  try {
    const moved = readCollectionName(address, servers);
    return moved.by === 'doi' && name.by === 'doi' && moved.doi === name.doi ? undefined : moved;
  } catch {
    return undefined;
  }
}

function unknown(what: string, name: CollectionName, catalogue: TciaCatalogue): CarrelError {
  const text = name.by === 'doi' ? name.doi : name.by === 'page' ? name.slug : name.name;
  const near = nearestCollections(text, catalogue.collections);
  const isForeign = name.by === 'doi' && !/^10\.(?:7937|25737)\//.test(name.doi);
  return new CarrelError('not-found', `${text} is no data set in TCIA's catalogue`, {
    item: what,
    next:
      near.length > 0
        ? `did you mean ${near.map((one) => one.name).join(', ')}?`
        : isForeign
          ? 'DOIs of TCIA begin with 10.7937/; carrel show looks for others in the installed archive'
          : 'carrel tcia collections lists what there is; carrel tcia collections --refresh asks again',
  });
}
