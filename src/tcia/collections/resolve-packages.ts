/** A name and a choice → the downloads to fetch. */
import { CarrelError } from '../../errors.ts';
import {
  downloadsOf,
  isSecret,
  type TciaCatalogue,
  type TciaCollection,
  type TciaDownload,
  type TciaDownloadKind,
} from './collection.ts';
import { CONTROLLED_ACCESS_PAGE, isInPathDb } from './download-kind.ts';
import { type ResolveOptions, resolveCollection, squash } from './resolve-collection.ts';

/** Which downloads of a data set are meant. */
export interface DownloadChoice {
  /**
   * Ids, kinds (`faspex`), or words of titles; each must mean exactly one. `all`: all that can be fetched. `pathdb` also
   * means the slides of a package that PathDB has one by one.
   */
  downloads?: readonly string[] | undefined;
}

/** What is to be fetched. */
export interface ResolvedPackages {
  collection: TciaCollection;
  /** In the order of the page. */
  downloads: TciaDownload[];
  /** What was left out, and how to have it. */
  notes: string[];
}

/** Kinds that hold the images themselves. */
const DATA: readonly TciaDownloadKind[] = ['faspex', 'nbia', 'pathdb'];

/**
 * The downloads of a data set that are meant. Without a choice: the only one, or the only one that holds images.
 *
 * @throws CarrelError `ambiguous` with the choices; `not-found` for a choice that means none; `permission` for controlled
 *   data; `unsupported` for what is not at TCIA; and as `resolveCollection`
 */
export async function resolvePackages(
  what: string,
  options: ResolveOptions & DownloadChoice,
): Promise<ResolvedPackages> {
  const collection = await resolveCollection(what, options);
  return choosePackages(collection, options.catalogue, options);
}

/** As `resolvePackages`, for a data set that is known already. */
export function choosePackages(
  collection: TciaCollection,
  catalogue: Pick<TciaCatalogue, 'downloads'>,
  { downloads: choices = [] }: DownloadChoice,
): ResolvedPackages {
  const all = downloadsOf(catalogue, collection);
  if (all.length === 0) {
    throw new CarrelError('not-found', `TCIA lists no downloads of ${collection.name}`, {
      item: collection.name,
      next: `see ${collection.page}`,
    });
  }
  if (choices.some((choice) => choice.trim().toLowerCase() === 'all')) return chooseAll(collection, all);
  if (choices.length > 0) {
    const chosen = new Set(choices.map((choice) => chooseOne(choice, collection, all)));
    for (const download of chosen) refuseUnfetchable(download, collection);
    return { collection, downloads: inOrder([...chosen], all), notes: [] };
  }
  const data = all.filter(({ kind }) => DATA.includes(kind));
  const only = all.length === 1 ? all[0] : data.length === 1 ? data[0] : undefined;
  if (only === undefined) throw ambiguous(collection, `${collection.name} has ${all.length} downloads`, all);
  refuseUnfetchable(only, collection);
  const others = all.filter((download) => download !== only);
  const notes =
    others.length === 0
      ? []
      : [
          `also of ${collection.name}: ${others.map(shortly).join('; ')}; choose with --download ID, or --download all`,
        ];
  return { collection, downloads: [only], notes };
}

function chooseAll(collection: TciaCollection, all: readonly TciaDownload[]): ResolvedPackages {
  const downloads = all.filter((download) => obstacle(download, collection) === undefined);
  const [first] = all;
  if (downloads.length === 0 && first !== undefined) refuseUnfetchable(first, collection);
  const left = all.filter((download) => !downloads.includes(download));
  const notes = left.flatMap((download) => {
    const error = obstacle(download, collection);
    return error === undefined ? [] : [`left out: ${error.message}; ${error.next ?? ''}`];
  });
  return { collection, downloads, notes };
}

function chooseOne(choice: string, collection: TciaCollection, all: readonly TciaDownload[]): TciaDownload {
  const text = choice.trim();
  if (text === '') throw ambiguous(collection, '--download names nothing', all);
  const byId = all.find(({ id }) => String(id) === text);
  if (byId !== undefined) return byId;
  const words = text.toLowerCase().split(/\s+/);
  const found = [
    all.filter(({ title }) => squash(title) === squash(text)),
    all.filter(({ kind }) => kind === text.toLowerCase()),
    text.toLowerCase() === 'pathdb' ? all.filter(isInPathDb).map(asPathDb) : [],
    all.filter((download) => words.every((word) => textOf(download).includes(word))),
  ].find((some) => some.length > 0);
  const [first, second] = found ?? [];
  if (first !== undefined && second === undefined) return first;
  if (found !== undefined)
    throw ambiguous(collection, `${text} means ${found.length} downloads of ${collection.name}`, found);
  throw new CarrelError('not-found', `${collection.name} has no download ${text}`, {
    item: text,
    next: choicesText(all),
  });
}

/** The slides of a package as PathDB has them; how much that is, only its list tells. */
function asPathDb(download: TciaDownload): TciaDownload {
  return { ...download, kind: 'pathdb', url: null, media: null, size: null };
}

function inOrder(chosen: readonly TciaDownload[], all: readonly TciaDownload[]): TciaDownload[] {
  const place = ({ id }: TciaDownload) => all.findIndex((one) => one.id === id);
  return [...chosen].sort((a, b) => place(a) - place(b));
}

function textOf({ title, kind, types, fileTypes }: TciaDownload): string {
  return [title, kind, ...types, ...fileTypes].join(' ').toLowerCase();
}

function ambiguous(
  collection: TciaCollection,
  message: string,
  choices: readonly TciaDownload[],
): CarrelError {
  return new CarrelError('ambiguous', message, { item: collection.name, next: choicesText(choices) });
}

function choicesText(choices: readonly TciaDownload[]): string {
  return `choose with --download: ${choices.map(shortly).join('; ')}; or --download all`;
}

function shortly({ id, title, kind, access }: TciaDownload): string {
  return `${id} ${title} (${kind}${access === 'controlled' ? ', controlled access' : ''})`;
}

/** What stands in the way of fetching a download. */
function obstacle(download: TciaDownload, collection: TciaCollection): CarrelError | undefined {
  const item = String(download.id);
  if (download.access === 'controlled') {
    return new CarrelError(
      'permission',
      `${download.title} of ${collection.name} is under controlled access`,
      {
        item,
        next: `apply as ${CONTROLLED_ACCESS_PAGE} says`,
      },
    );
  }
  if (download.kind !== 'external') return undefined;
  const where = isSecret(download) ? null : (download.url ?? download.search);
  return new CarrelError('unsupported', `${download.title} of ${collection.name} is not at TCIA`, {
    item,
    next: `see ${where ?? collection.page}`,
  });
}

function refuseUnfetchable(download: TciaDownload, collection: TciaCollection): void {
  const error = obstacle(download, collection);
  if (error !== undefined) throw error;
}

/** A download of the catalogue and its data set by a link to its package, in whatever form the link was copied. */
export function findByLink(
  link: string,
  catalogue: TciaCatalogue,
): { collection: TciaCollection; download: TciaDownload } | undefined {
  const wanted = contextOf(link);
  if (wanted === undefined) return undefined;
  const download = catalogue.downloads.find(({ url }) => url !== null && contextOf(url) === wanted);
  if (download === undefined) return undefined;
  const owners = catalogue.collections.filter(({ downloads }) => downloads.includes(download.id));
  const collection = owners.find(({ hidden }) => !hidden) ?? owners[0];
  return collection === undefined ? undefined : { collection, download };
}

/** The context of a link without what copying changes: escapes, padding, the alphabet of its base64. */
function contextOf(link: string): string | undefined {
  const found = /[?&](?:amp;|#0*38;)?context=([^&\s#]+)/i.exec(link)?.[1];
  if (found === undefined) return undefined;
  let context = found;
  try {
    context = decodeURIComponent(found);
  } catch {
    // As it is.
  }
  return context.replaceAll('-', '+').replaceAll('_', '/').replaceAll(' ', '+').replaceAll('=', '');
}
