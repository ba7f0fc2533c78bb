/** From what people write to packages: links, and names of data sets of TCIA. */
import { CarrelError } from '../../errors.ts';
import {
  downloadsOf,
  type TciaCatalogue,
  type TciaCollection,
  type TciaDownload,
} from '../collections/collection.ts';
import { type ResolveOptions, resolveCollection } from '../collections/resolve-collection.ts';
import { findByLink, resolvePackages } from '../collections/resolve-packages.ts';
import { type PackageLink, parsePackageLink } from '../faspex/package-link.ts';

/** A package to fetch, and what is known of it before its server is asked. */
export interface PackageTarget {
  link: PackageLink;
  /** Of a name; of a link only where the catalogue that is here knows it. */
  collection?: TciaCollection | undefined;
  download?: TciaDownload | undefined;
  /** What its folder is called; undefined: by the title that the server tells. */
  name?: string | undefined;
}

/** A download that comes by another road. */
export interface OtherTarget {
  collection: TciaCollection;
  download: TciaDownload;
}

/** What a command line means, in its order. */
export interface Targets {
  packages: PackageTarget[];
  others: OtherTarget[];
  /** What was left out, and how to have it. */
  notes: string[];
}

/** How names are looked up. */
export interface TargetOptions {
  /** TCIA's catalogue; asked for where something is named by anything but a link. */
  resolve: () => Promise<ResolveOptions>;
  /** The catalogue that is on disk, however old: it tells what a link is a link to. */
  kept?: (() => Promise<TciaCatalogue | undefined>) | undefined;
  /** As in `DownloadChoice`. */
  downloads?: readonly string[] | undefined;
}

/** True for a text that is meant to be a link to a package, also where it is cut off or of another version. */
export function isPackageLink(text: string): boolean {
  return (
    /[?&;](?:amp;)?context(?:=|%3d)/i.test(text) ||
    /%3fcontext%3d/i.test(text) ||
    /\/(?:external_deliveries|aspera\/faspex)(?:\/|$)/.test(text) ||
    /^["'<(]*https?:\/\/faspex\./i.test(text.trim())
  );
}

/**
 * Tells apart what names data and what names files in it. The first is data; a later one is, too, where it is a link, a DOI,
 * another address, or the name of a data set that the catalogue at hand knows; all else are paths. A path that looks like a
 * name is written with a slash at its end.
 */
export function splitWords(
  words: readonly string[],
  kept?: Pick<TciaCatalogue, 'collections'>,
): { whats: string[]; paths: string[] } {
  const [whats, paths]: [string[], string[]] = [[], []];
  for (const [at, word] of words.entries()) {
    const isName =
      at === 0 ||
      isPackageLink(word) ||
      /^(?:doi:)?10\.\d{4,9}\/\S+$/i.test(word) ||
      /^https?:\/\//i.test(word) ||
      (!word.includes('/') && kept?.collections.some((one) => isNameOf(word, one)) === true);
    (isName ? whats : paths).push(word);
  }
  return { whats, paths };
}

function isNameOf(word: string, { name, slug }: TciaCollection): boolean {
  const small = word.toLowerCase();
  return small === slug || small === name.toLowerCase();
}

/**
 * Looks up everything that was named; the same package named twice is one.
 *
 * @throws CarrelError as `parsePackageLink` and `resolvePackages`; what concerns a link never repeats it
 */
export async function targetsOf(whats: readonly string[], options: TargetOptions): Promise<Targets> {
  const targets: Targets = { packages: [], others: [], notes: [] };
  const seen = new Set<string>();
  for (const what of whats) {
    if (isPackageLink(what)) addPackage(targets, seen, await linkTarget(what, options.kept));
    else await addNamed(targets, seen, what, options);
  }
  return { ...targets, packages: withOwnNames(targets.packages) };
}

async function linkTarget(text: string, kept: TargetOptions['kept']): Promise<PackageTarget> {
  const link = parsePackageLink(text);
  const catalogue = await kept?.();
  const found = catalogue === undefined ? undefined : findByLink(text, catalogue);
  return found === undefined ? { link } : { link, ...found };
}

async function addNamed(
  targets: Targets,
  seen: Set<string>,
  what: string,
  options: TargetOptions,
): Promise<void> {
  const resolve = await options.resolve();
  const { downloads: choices } = options;
  const { collection, downloads, notes } = await resolvePackages(what, { ...resolve, downloads: choices });
  targets.notes.push(...notes);
  const packages = collection.downloads.flatMap(
    (id) => resolve.catalogue.downloads.find((one) => one.id === id && one.kind === 'faspex') ?? [],
  );
  for (const download of downloads) {
    if (download.kind !== 'faspex' || download.url === null) {
      targets.others.push({ collection, download });
      continue;
    }
    const name = packages.length > 1 ? `${collection.name} ${download.title}` : collection.name;
    addPackage(targets, seen, { link: parsePackageLink(download.url), collection, download, name });
  }
}

function addPackage(targets: Targets, seen: Set<string>, target: PackageTarget): void {
  const key = `${target.link.origin} ${target.link.packageId}`;
  if (seen.has(key)) return;
  seen.add(key);
  targets.packages.push(target);
}

/** Two downloads of one title still get folders of their own. */
function withOwnNames(packages: readonly PackageTarget[]): PackageTarget[] {
  return packages.map((target) => {
    const { name, link } = target;
    const twice = name !== undefined && packages.some((one) => one !== target && one.name === name);
    return twice ? { ...target, name: `${name} ${link.packageId}` } : target;
  });
}

/**
 * The one package that is meant, for commands that take one.
 *
 * @throws CarrelError as `targetsOf`; `unsupported` for what is no package; `ambiguous` for several
 */
export async function onePackage(what: string, options: TargetOptions): Promise<PackageTarget> {
  const { packages, others } = isPackageLink(what)
    ? await targetsOf([what], options)
    : await onlyPackages(what, options);
  const [first, second] = packages;
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    throw new CarrelError('ambiguous', `${what} means ${packages.length} packages`, {
      item: what,
      next: `choose with --download: ${packages.map(({ download }) => `${download?.id ?? ''} ${download?.title ?? ''}`).join('; ')}`,
    });
  }
  const kinds = [...new Set(others.map(({ download }) => download.kind))].join(', ');
  throw new CarrelError(
    'unsupported',
    `${what} has no Faspex package${kinds === '' ? '' : ` there (${kinds})`}`,
    {
      item: what,
      next: `carrel tcia show ${/\s/.test(what) ? JSON.stringify(what) : what} tells what there is`,
    },
  );
}

/** Without a choice, the packages among the downloads of a data set are meant. */
async function onlyPackages(what: string, options: TargetOptions): Promise<Targets> {
  if ((options.downloads ?? []).length > 0) return await targetsOf([what], options);
  const resolve = await options.resolve();
  const collection = await resolveCollection(what, resolve);
  const all = downloadsOf(resolve.catalogue, collection);
  const packages = all.filter(({ kind }) => kind === 'faspex');
  if (packages.length > 0)
    return await targetsOf([what], { ...options, downloads: packages.map(({ id }) => String(id)) });
  return { packages: [], others: all.map((download) => ({ collection, download })), notes: [] };
}
